//! What the engine asks of its store, carried out: each effect has the input that answers it. All shells use this, the
//! node's and the simulators', so that what is tried in a simulation is what runs. It waits for the store and for nothing
//! else, in whatever runtime there is; the engine itself knows nothing of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use heliu_record::id::{RecordId, to_hex};
use heliu_record::scope::Scope;
use heliu_storage::{DamagedRow, Loaded, Read, ReadRecords, ScanItem, ScanPage, Store, StoreError, StoreId};
use heliu_trust::commit::SignedCommit;
use heliu_trust::id::NodeId;

use crate::effect::{Effect, GRANTED_ROWS, Input, LOOK_ROWS, LinkId, LoadReply, LoadRequest};
use crate::start::Start;

/// Records with waiting leaves that a new link asks for at once, and as many with leaves that could not be judged: in a test so
/// few that not all of many are asked for. What others wait for is found by the sums: if the other end has it, they differ,
/// and reconciling brings it.
pub(crate) const WANTS: usize = if cfg!(test) { 16 } else { 4_096 };
const SCAN_ROWS: usize = 8_192;

/// Whether an effect asks something of the store: those are carried out beside the engine's task.
#[must_use]
pub fn is_for_store(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Load(_)
            | Effect::Apply(_)
            | Effect::GoOn
            | Effect::ReadFeed { .. }
            | Effect::ReadLeaves { .. }
            | Effect::ReadPeer { .. }
            | Effect::Scan { .. }
            | Effect::ReadGranted { .. }
            | Effect::Look { .. }
            | Effect::Recount { .. }
    )
}

/// None: the effect asks nothing of the store; see [`is_for_store`].
pub async fn carry_out(store: &dyn Store, effect: Effect) -> Option<Input> {
    let failed = |link: LinkId| move |error: StoreError| Input::ReadFailed { link, error };
    Some(match effect {
        Effect::Apply(transaction) => Input::Applied(store.apply(&transaction).await),
        Effect::GoOn => Input::GoOn,
        Effect::Load(request) => Input::Loaded(load(store, &request).await),
        Effect::ReadFeed { link, after, budget } => {
            store.feed(after, budget).await.map_or_else(failed(link), |page| Input::Page { link, page })
        }
        Effect::ReadLeaves { link, records } => {
            store.leaves_of(&records).await.map_or_else(failed(link), |page| Input::Page { link, page })
        }
        Effect::ReadPeer { link, store: peer, node, after } => {
            read_peer(store, link, (peer, node), after).await.unwrap_or_else(failed(link))
        }
        Effect::Scan { link, scopes } => {
            let items = match scopes {
                Some(scopes) => scan_scopes(store, &scopes).await,
                None => scan(store, None).await,
            };
            items.map_or_else(failed(link), |items| Input::Scanned { link, items })
        }
        Effect::ReadGranted { after } => {
            store.granted(after, GRANTED_ROWS).await.map_or_else(Input::CannotRead, |items| Input::Granted { items })
        }
        Effect::Look { after } => {
            store.scan(after, LOOK_ROWS).await.map_or_else(Input::CannotRead, |page| looked(&page))
        }
        Effect::Recount { after, rows } => Input::Recounted(store.scan(after, rows).await),
        Effect::Send { .. } | Effect::Close { .. } | Effect::Reply { .. } | Effect::Notice(_) => return None,
    })
}

/// What the store has of records, for an engine that begins: by what is kept of them; if that cannot be believed, or does not
/// tell all, each row is counted. `is_doubted`: the engine before this one came upon damage in the file itself, so each row
/// has to be there before anything is built on it. Returns the rows that were found not to be what was written.
pub async fn count(
    start: &mut Start,
    store: &dyn ReadRecords,
    is_doubted: bool,
) -> Result<Vec<DamagedRow>, StoreError> {
    let mut damaged = Vec::new();
    let kept = if is_doubted { Ok(None) } else { store.scopes().await };
    match kept {
        Ok(Some(rows)) if start.keep(&rows) => return Ok(damaged),
        Ok(_) | Err(StoreError::Damaged { .. }) => {}
        Err(error) => return Err(error),
    }
    let mut after = None;
    loop {
        let page = store.scan(after, SCAN_ROWS).await?;
        start.set_aside(&page.damaged);
        start.count(&page.items);
        damaged.extend(page.damaged);
        after = page.next;
        if after.is_none() {
            return Ok(damaged);
        }
    }
}

fn looked(page: &ScanPage) -> Input {
    let damaged = page.damaged.iter().filter_map(|row| row.record);
    Input::Looked { records: page.items.iter().map(|item| item.id).chain(damaged).collect(), next: page.next }
}

async fn load(store: &dyn Read, request: &LoadRequest) -> Result<LoadReply, StoreError> {
    let records: Vec<_> = request.records.iter().copied().collect();
    let anchors: Vec<_> = request.conflicts_of.iter().copied().collect();
    let records = load_records(store, &records);
    let conflicts = async { if anchors.is_empty() { Ok(Vec::new()) } else { store.conflicts_of(&anchors).await } };
    let targets: Vec<_> = request.referring.iter().copied().collect();
    let ids: Vec<_> = request.commands.iter().copied().collect();
    let referring = async { if targets.is_empty() { Ok(Vec::new()) } else { store.referring(&targets).await } };
    let commands = async { if ids.is_empty() { Ok(Vec::new()) } else { store.commands(&ids).await } };
    let ((records, damaged), conflicts, referring, commands) =
        futures::try_join!(records, conflicts, referring, commands)?;
    let mut reply = LoadReply { records, damaged, referring, conflicts, commands, ..LoadReply::default() };
    load_authors(store, request, &mut reply).await?;
    for id in &request.quarantined {
        reply.quarantined.extend(store.quarantined_by_prefix(&to_hex(id)).await?);
    }
    Ok(reply)
}

/// What is seldom asked for: who wrote what.
async fn load_authors(store: &dyn Read, request: &LoadRequest, reply: &mut LoadReply) -> Result<(), StoreError> {
    for author in &request.written_by {
        reply.written.extend(store.written_by(*author).await?);
    }
    for author in &request.chains_of {
        reply.chains.push((*author, store.chains_of(*author).await?));
    }
    if !request.naming.is_empty() {
        reply.naming = store.naming(&request.naming).await?;
    }
    if request.all {
        reply.all = scan(store, None).await?.into_iter().map(|item| item.id).collect();
    }
    if !request.commits_at.is_empty() {
        let places: Vec<_> = request.commits_at.iter().copied().collect();
        reply.commits = store.commits_at(&places).await?;
    }
    Ok(())
}

/// A read that comes upon damage is done again record by record, so that one does not stand for all.
async fn load_records(
    store: &dyn ReadRecords,
    ids: &[RecordId],
) -> Result<(Vec<Loaded>, Vec<(RecordId, String)>), StoreError> {
    let mut damaged = Vec::new();
    if ids.is_empty() {
        return Ok((Vec::new(), damaged));
    }
    match store.load(ids).await {
        Err(StoreError::Damaged { .. }) => {}
        records => return Ok((records?, damaged)),
    }
    let mut records = Vec::new();
    for id in ids {
        match store.load(&[*id]).await {
            Ok(one) => records.extend(one),
            Err(error @ StoreError::Damaged { .. }) => damaged.push((*id, error.to_string())),
            Err(error) => return Err(error),
        }
    }
    Ok((records, damaged))
}

async fn read_peer(
    store: &dyn Read,
    link: LinkId,
    (peer, node): (StoreId, NodeId),
    after: RecordId,
) -> Result<Input, StoreError> {
    let (wants, unjudged) = (store.wants(Some(after), WANTS), store.unjudged(Some(after), WANTS));
    let (cursor, last, wants, unjudged) =
        futures::try_join!(store.cursor(peer), store.last_commit(node), wants, unjudged)?;
    let wants = wants.into_iter().chain(unjudged.into_iter().map(|row| row.record)).collect();
    let last_commit = match last {
        // A commit that cannot be read proves nothing to the other end, and is not sent.
        Some((incarnation, seq, id)) => (store.commits_at(&[(node, incarnation, seq)]).await?.iter())
            .filter_map(|encoded| SignedCommit::decode(encoded).ok())
            .find(|signed| signed.id == id)
            .map(Arc::new),
        None => None,
    };
    Ok(Input::Peer { link, cursor, last_commit, wants })
}

async fn scan_scopes(store: &dyn ReadRecords, scopes: &BTreeSet<Scope>) -> Result<Vec<ScanItem>, StoreError> {
    let mut all = Vec::new();
    for scope in scopes {
        all.extend(scan(store, Some(scope)).await?);
    }
    all.sort_unstable_by_key(|item| item.id);
    Ok(all)
}

/// The rows of a scope, or every row.
async fn scan(store: &dyn ReadRecords, scope: Option<&Scope>) -> Result<Vec<ScanItem>, StoreError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = match scope {
            Some(scope) => store.scan_scope(scope, after, SCAN_ROWS).await?,
            None => store.scan(after, SCAN_ROWS).await?,
        };
        // Of a damaged row the other end finds the record missing here and sends it; then the engine sets the row aside,
        // and tells of it.
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
}
