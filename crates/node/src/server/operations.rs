//! `heliu.operations.v1`: what operators ask. Lists come from the store, links and status from the engine's task.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use heliu_api::operations as pb;
use heliu_api::operations::operations_service_server::OperationsService;
use heliu_record::conflict::ConflictId;
use heliu_record::id::{LeafHash, RecordId, from_hex, to_hex};
use heliu_replication::{Alarm, ForeignAction, Severity};
use heliu_storage::{ConflictQuery, ConflictRow, Position, QuarantineRow, Quarantined, Read, StoreError, StrandedRow};
use heliu_trust::directory::Directory;
use heliu_trust::id::NodeId;
use heliu_wire::messages;
use tonic::{Request, Response, Status};

use super::acting::{actor, of_order};
use super::administration::seat;
use super::pages::{LOOKED_PAGES, Page, Walk, after, aside};
use super::refusals::{ambiguous, known, not_here, of_ask, of_read};
use super::scope::Reach;
use super::words::{digits, node_name};
use super::{conflicts, operators, pages};
use crate::access::Role;
use crate::error::AskError;
use crate::handle::NodeHandle;
use crate::status::{LinkReport, Verification};

/// Open stranded edits among which one is looked for.
const STRANDED: usize = 4_096;

type Answer<T> = Result<Response<T>, Status>;

pub(super) struct Operations {
    node: NodeHandle,
    store: Arc<dyn Read>,
}

impl Operations {
    pub fn new(node: NodeHandle, store: Arc<dyn Read>) -> Self {
        Operations { node, store }
    }

    fn reach<T>(&self, request: &Request<T>) -> Result<Reach<'_>, Status> {
        Reach::of(request, &self.node, &*self.store)
    }

    /// These, as a list shows them.
    async fn listed(&self, reach: &Reach<'_>, rows: Vec<ConflictRow>) -> Result<Vec<pb::Conflict>, Status> {
        let (rows, names) = self.names_shown(reach, rows).await?;
        let (directory, catalogue) = (reach.directory.clone(), self.node.catalogue());
        let bytes = self.node.page_bytes() / 16;
        aside(move || {
            let listed =
                |(row, names): (&ConflictRow, bool)| conflicts::listed(row, names, bytes, &directory, catalogue);
            rows.iter().zip(names).map(listed).collect()
        })
        .await
    }

    /// For each, whether the bearer may read the names that its explanation quotes: he is shown all records that have them.
    async fn names_shown(
        &self,
        reach: &Reach<'_>,
        rows: Vec<ConflictRow>,
    ) -> Result<(Vec<ConflictRow>, Vec<bool>), Status> {
        if reach.sight.is_whole() {
            let all = vec![true; rows.len()];
            return Ok((rows, all));
        }
        let (rows, quotes) = aside(move || {
            let quotes: Vec<_> = rows.iter().map(|row| conflicts::quotes(&row.body)).collect();
            (rows, quotes)
        })
        .await?;
        let mut shown = Vec::with_capacity(rows.len());
        for quotes in &quotes {
            shown.push(match quotes {
                Some(quotes) => reach.has_all(quotes).await?,
                None => false,
            });
        }
        Ok((rows, shown))
    }

    /// The one row of the quarantine that an id or a beginning of it names.
    async fn quarantined(&self, reach: &Reach<'_>, text: &str) -> Result<QuarantineRow, Status> {
        let prefix = digits(text, 64, "id")?;
        let found = self.quarantined_with(reach, &prefix).await?;
        match <[QuarantineRow; 1]>::try_from(found) {
            Ok([row]) => Ok(row),
            Err(none) if none.is_empty() => {
                let (zh, en) = (format!("隔离区中没有 {prefix}。"), format!("There is no {prefix} in the quarantine."));
                let next = ("heliu quarantine list 列出各项。", "heliu quarantine list shows what is in it.");
                Err(not_here("id", &zh, &en).next(next.0, next.1).into())
            }
            Err(_) => Err(ambiguous("id", &prefix).into()),
        }
    }

    /// Rows of the quarantine that are shown and whose id begins with these digits; two tell that it is not clear.
    async fn quarantined_with(&self, reach: &Reach<'_>, prefix: &str) -> Result<Vec<QuarantineRow>, Status> {
        let mut found = Vec::new();
        for row in self.store.quarantined_by_prefix(prefix).await.map_err(|error| of_read(&error))? {
            if reach.has_quarantined(&row).await? {
                found.push(row);
            }
        }
        Ok(found)
    }

    /// The open stranded edit that a leaf or a beginning of it names.
    async fn stranded_edit(&self, reach: &Reach<'_>, text: &str) -> Result<LeafHash, Status> {
        let prefix = digits(text, 64, "edit")?;
        let rows = self.store.stranded(STRANDED).await.map_err(|error| of_read(&error))?;
        let mut found = Vec::new();
        for row in rows.into_iter().filter(|row| row.leaf.to_string().starts_with(&prefix)) {
            if reach.is_operator() || reach.has_own(row.record).await? {
                found.push(row);
            }
        }
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(row), None) => Ok(row.leaf),
            (None, _) => {
                let (zh, en) = (format!("没有搁置的改动 {prefix}。"), format!("There is no stranded edit {prefix}."));
                let next = ("heliu stranded list 列出各项。", "heliu stranded list shows them.");
                Err(not_here("edit", &zh, &en).next(next.0, next.1).into())
            }
            _ => Err(ambiguous("edit", &prefix).into()),
        }
    }

    /// At most two open conflicts that are shown and whose id begins with these digits.
    async fn conflicts_with(&self, reach: &Reach<'_>, prefix: &str) -> Result<Vec<ConflictRow>, Status> {
        let padded = format!("{prefix:0<64}");
        let Some(first) = from_hex::<32>(&padded) else { return Ok(Vec::new()) };
        let mut query = ConflictQuery { after: before(first), limit: 2, ..ConflictQuery::default() };
        let mut found = Vec::new();
        while found.len() < 2 {
            let page = self.store.conflicts(&query).await.map_err(|error| of_read(&error))?;
            for row in page.rows.into_iter().filter(|row| to_hex(&row.id).starts_with(prefix)) {
                if reach.has_conflict(&row).await? {
                    found.push(row);
                }
            }
            query.after = page.next.filter(|last| to_hex(last).starts_with(prefix));
            if query.after.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Alarms that are for the bearer.
    async fn alarms(&self, reach: &Reach<'_>) -> Result<Vec<Alarm>, Status> {
        let mut alarms = self.node.alarms().await.map_err(|error| of_ask(&error))?;
        alarms.retain(|alarm| reach.has_named(&alarm.subject));
        Ok(alarms)
    }

    async fn decide_foreign(
        &self,
        reach: &Reach<'_>,
        text: &str,
        action: ForeignAction,
        reason: &str,
    ) -> Result<(), Status> {
        let by = actor(&reach.caller, Role::Operate, "");
        let seat = seat(&reach.directory, text)?;
        self.node.decide_foreign(seat, action, by, reason.to_owned()).await.map_err(|error| of_order(&error))
    }

    /// Links that are for the bearer: to the nodes of his seats, and of those below.
    async fn links(&self, reach: &Reach<'_>) -> Result<Vec<LinkReport>, Status> {
        let mut links = self.node.links().await.map_err(|error| of_ask(&error))?;
        links.retain(|link| reach.is_operator() || link.peer.is_some_and(|peer| reach.has_node(peer)));
        Ok(links)
    }

    /// Verifies what is asked for of the links that are for the bearer.
    async fn verified(&self, reach: &Reach<'_>, wanted: &str, timeout: Duration) -> Result<Vec<Verification>, Status> {
        if reach.is_operator() {
            return self.node.verify(wanted, timeout).await.map_err(|error| of_ask(&error));
        }
        let peers: BTreeSet<NodeId> = self.links(reach).await?.iter().filter_map(|link| link.peer).collect();
        let named = peers.into_iter().filter(|peer| is_named(wanted, *peer, &reach.directory));
        let each = named.map(async |peer| self.node.verify(&peer.to_string(), timeout).await);
        let found = futures::future::join_all(each).await;
        if found.is_empty() && !wanted.is_empty() {
            return Err(of_ask(&AskError::NoSuchPeer(wanted.to_owned())));
        }
        // A link that has gone meanwhile is one that is not there.
        Ok(found.into_iter().filter_map(Result::ok).flatten().collect())
    }
}

/// The id just before one; none before the first.
fn before(mut id: [u8; 32]) -> Option<[u8; 32]> {
    for byte in id.iter_mut().rev() {
        let (less, borrow) = byte.overflowing_sub(1);
        *byte = less;
        if !borrow {
            return Some(id);
        }
    }
    None
}

#[tonic::async_trait]
impl OperationsService for Operations {
    async fn get_status(&self, request: Request<pb::GetStatusRequest>) -> Answer<pb::GetStatusResponse> {
        let reach = self.reach(&request)?;
        let status = self.node.status().await.map_err(|error| of_ask(&error))?;
        let alarms = self.alarms(&reach).await?;
        let directory = &reach.directory;
        let whole = pb::GetStatusResponse {
            node: status.node.to_string(),
            node_name: node_name(status.node, directory),
            seat: Some(messages::seat(status.seat, directory.seats())),
            realm: status.realm.to_string(),
            store: status.meta.store.to_string(),
            store_head: status.meta.head,
            incarnation: status.meta.incarnations.last().map(|(id, _)| id.to_string()).unwrap_or_default(),
            counts: Some(messages::counts(status.counts)),
            directory_len: status.directory_len,
            directory_head: status.directory_head.to_string(),
            uptime_ms: u64::try_from(status.uptime.as_millis()).unwrap_or(u64::MAX),
            version: status.program,
            read_only: status.read_only.as_ref().map(Into::into),
            now_ms: status.now_ms,
            certificate_not_after_ms: status.certificate_not_after_ms,
            problems: status.problems.iter().map(Into::into).collect(),
            refusals: status.refusals,
            recent_refusals: status.recent_refusals.into_iter().map(operators::refused).collect(),
            unread_bytes: status.unread_bytes,
            issuer: status.is_issuer,
            alarms: alarms.len() as u64,
            alarms_grave: alarms.iter().filter(|alarm| alarm.severity == Severity::Critical).count() as u64,
            pending_wraps: status.pending_wraps,
            time_zone: status.time_zone,
            today: heliu_record::date::text(status.today),
            in_part: false,
        };
        Ok(Response::new(if reach.is_operator() { whole } else { operators::in_part(whole) }))
    }

    async fn list_links(&self, request: Request<pb::ListLinksRequest>) -> Answer<pb::ListLinksResponse> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        let links = self.links(&reach).await?;
        let links = links.into_iter().map(|link| operators::link(link, &reach.directory));
        let (links, next) = pages::of(links, &asked.after, asked.limit, self.node.page_bytes())?;
        Ok(Response::new(pb::ListLinksResponse { links, next }))
    }

    async fn verify(&self, request: Request<pb::VerifyRequest>) -> Answer<pb::VerifyResponse> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        let timeout = Duration::from_millis(asked.timeout_ms.into());
        let verified = self.verified(&reach, &asked.peer, timeout).await?;
        let verifications = verified.iter().map(|one| operators::verification(one, &reach.directory)).collect();
        Ok(Response::new(pb::VerifyResponse { verifications }))
    }

    async fn list_conflicts(&self, request: Request<pb::ListConflictsRequest>) -> Answer<pb::ListConflictsResponse> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        known("kind", &asked.kind, self.node.catalogue().findings().map(|finding| (finding.name, finding.label)))?;
        let bytes = self.node.page_bytes();
        let after = after::<ConflictId>(&asked.after)?.map(|id| id.0);
        let mut walk = Walk::new(asked.limit, bytes, after, reach.sight.is_whole());
        let mut query = ConflictQuery {
            kind: Some(asked.kind).filter(|kind| !kind.is_empty()),
            anchor: match asked.record.as_str() {
                "" => None,
                given => Some(reach.record_id(given, "record").await?),
            },
            bytes,
            ..ConflictQuery::default()
        };
        while walk.goes_on() {
            (query.after, query.limit) = (walk.after(), walk.rest());
            let found = self.store.conflicts(&query).await.map_err(|error| of_read(&error))?;
            let looked = found.rows.iter().map(|row| row.body.len()).sum();
            let mut open = Vec::with_capacity(found.rows.len());
            for row in found.rows {
                if reach.has_conflict(&row).await? {
                    open.push(row);
                }
            }
            let ids: Vec<[u8; 32]> = open.iter().map(|row| row.id).collect();
            walk.take(looked, found.next, ids.into_iter().zip(self.listed(&reach, open).await?));
        }
        let (conflicts, next) = walk.into_page();
        let next = next.map(|id| to_hex(&id)).unwrap_or_default();
        Ok(Response::new(pb::ListConflictsResponse { conflicts, next }))
    }

    async fn get_conflict(&self, request: Request<pb::GetConflictRequest>) -> Answer<pb::GetConflictResponse> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        let id = digits(&asked.id, 64, "id")?;
        let from = after::<usize>(&asked.after)?.unwrap_or(0);
        let (mut found, names) = self.names_shown(&reach, self.conflicts_with(&reach, &id).await?).await?;
        match found.len() {
            1 => {
                let (row, names) = (found.remove(0), names.first().copied().unwrap_or_default());
                let (directory, catalogue) = (reach.directory.clone(), self.node.catalogue());
                let bytes = self.node.page_bytes();
                let rows = pages::rows(asked.limit);
                let shown = aside(move || conflicts::shown(&row, names, from, rows, bytes, &directory, catalogue));
                shown.await.map(Response::new)
            }
            0 => {
                let (zh, en) = (format!("没有未决冲突 {id}。"), format!("There is no open conflict {id}."));
                let refusal = not_here("id", &zh, &en)
                    .why("它可能已经处置,或从未有过。", "It may have been settled, or never was.")
                    .next("heliu conflicts list 列出未决冲突。", "heliu conflicts list shows those that are open.");
                Err(refusal.into())
            }
            _ => Err(ambiguous("id", &id).into()),
        }
    }

    async fn list_quarantine(&self, request: Request<pb::ListQuarantineRequest>) -> Answer<pb::ListQuarantineResponse> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        let (mut below, limit) = (after::<u64>(&asked.after)?, pages::rows(asked.limit));
        let (mut page, mut last, mut next) = (Page::new(limit, self.node.page_bytes()), None, String::new());
        // What is not asked for or not shown is left out after it has been read, so a page may take several reads to fill;
        // one row more than it holds tells whether there is another.
        'reading: loop {
            let rows = self.store.quarantined(below, limit + 1).await.map_err(|error| of_read(&error))?;
            let Some(end) = rows.last() else { break };
            below = Some(end.number);
            for found in rows.iter().filter(|found| asked.code.is_empty() || found.row.code == asked.code) {
                if !reach.has_quarantined(&found.row).await? {
                    continue;
                }
                if !page.take(operators::quarantined(found, &reach.directory)) {
                    next = last.map(|last: u64| last.to_string()).unwrap_or_default();
                    break 'reading;
                }
                last = Some(found.number);
            }
        }
        Ok(Response::new(pb::ListQuarantineResponse { items: page.into_items(), next }))
    }

    async fn get_quarantined(&self, request: Request<pb::GetQuarantinedRequest>) -> Answer<pb::GetQuarantinedResponse> {
        let reach = self.reach(&request)?;
        let row = self.quarantined(&reach, &request.into_inner().id).await?;
        let (bytes, len) = (row.bytes.clone(), row.bytes.len() as u64);
        let item = operators::quarantined(&Quarantined { number: 0, row, len }, &reach.directory);
        Ok(Response::new(pb::GetQuarantinedResponse { item: Some(item), bytes }))
    }

    async fn requeue(&self, request: Request<pb::RequeueRequest>) -> Answer<pb::RequeueResponse> {
        let reach = self.reach(&request)?;
        let by = actor(&reach.caller, Role::Operate, "");
        let asked = request.into_inner();
        let row = self.quarantined(&reach, &asked.id).await?;
        let outcome = self.node.requeue(row.id, by, asked.reason).await.map_err(|error| of_order(&error))?;
        Ok(Response::new(pb::RequeueResponse { outcome: operators::outcome_of_requeue(&outcome) }))
    }

    async fn drop(&self, request: Request<pb::DropRequest>) -> Answer<pb::DropResponse> {
        let reach = self.reach(&request)?;
        let by = actor(&reach.caller, Role::Operate, "");
        let asked = request.into_inner();
        let row = self.quarantined(&reach, &asked.id).await?;
        self.node.drop_quarantined(row.id, by, asked.reason).await.map_err(|error| of_order(&error))?;
        Ok(Response::new(pb::DropResponse {}))
    }

    async fn reissue(&self, request: Request<pb::ReissueRequest>) -> Answer<pb::ReissueResponse> {
        let reach = self.reach(&request)?;
        let by = actor(&reach.caller, Role::Operate, "");
        let asked = request.into_inner();
        let leaf = self.stranded_edit(&reach, &asked.edit).await?;
        let leaf = self.node.reissue(leaf, by, asked.reason).await.map_err(|error| of_order(&error))?;
        Ok(Response::new(pb::ReissueResponse { leaf: leaf.to_string() }))
    }

    async fn discard(&self, request: Request<pb::DiscardRequest>) -> Answer<pb::DiscardResponse> {
        let reach = self.reach(&request)?;
        let by = actor(&reach.caller, Role::Operate, "");
        let asked = request.into_inner();
        let leaf = self.stranded_edit(&reach, &asked.edit).await?;
        self.node.discard(leaf, by, asked.reason).await.map_err(|error| of_order(&error))?;
        Ok(Response::new(pb::DiscardResponse {}))
    }

    async fn list_foreign(&self, request: Request<pb::ListForeignRequest>) -> Answer<pb::ListForeignResponse> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        let authors = self.node.foreign().await.map_err(|error| of_ask(&error))?;
        let authors = authors.iter().map(|author| operators::foreign(author, &reach.directory));
        let (authors, next) = pages::of(authors, &asked.after, asked.limit, self.node.page_bytes())?;
        Ok(Response::new(pb::ListForeignResponse { authors, next }))
    }

    async fn decline(&self, request: Request<pb::DeclineRequest>) -> Answer<pb::DeclineResponse> {
        let reach = self.reach(&request)?;
        let asked = request.get_ref();
        self.decide_foreign(&reach, &asked.seat, ForeignAction::Decline, &asked.reason).await?;
        Ok(Response::new(pb::DeclineResponse {}))
    }

    async fn accept(&self, request: Request<pb::AcceptRequest>) -> Answer<pb::AcceptResponse> {
        let reach = self.reach(&request)?;
        let asked = request.get_ref();
        self.decide_foreign(&reach, &asked.seat, ForeignAction::Accept, &asked.reason).await?;
        Ok(Response::new(pb::AcceptResponse {}))
    }

    async fn list_alarms(&self, request: Request<pb::ListAlarmsRequest>) -> Answer<pb::ListAlarmsResponse> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        let alarms = self.alarms(&reach).await?;
        let alarms = alarms.into_iter().map(operators::alarm);
        let (alarms, next) = pages::of(alarms, &asked.after, asked.limit, self.node.page_bytes())?;
        Ok(Response::new(pb::ListAlarmsResponse { alarms, next }))
    }

    async fn list_stranded(&self, request: Request<pb::ListStrandedRequest>) -> Answer<pb::ListStrandedResponse> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        let (from, limit) = (after::<usize>(&asked.after)?.unwrap_or(0), pages::rows(asked.limit));
        let until = from.saturating_add(limit);
        let of_store = |error: StoreError| of_read(&error);
        // Of a part, any may be the next that is shown.
        let read = if reach.is_operator() { until.saturating_add(1) } else { until.saturating_add(STRANDED) };
        // Edits of this node are few, and somebody has to decide about each.
        let edits = self.store.stranded(read).await.map_err(of_store)?;
        let mut all: Vec<(RecordId, Option<StrandedRow>, pb::Stranding)> =
            edits.into_iter().map(|edit| (edit.record, Some(edit), pb::Stranding::Edit)).collect();
        let hidden = self.store.hidden(Position::MAX).await.map_err(of_store)?;
        all.extend(hidden.into_iter().map(|id| (id, None, pb::Stranding::NotLetGo)));
        let waiting = self.store.wants(None, read).await.map_err(of_store)?;
        let unjudged = self.store.unjudged(None, read).await.map_err(of_store)?;
        all.extend(waiting.into_iter().map(|id| (id, None, pb::Stranding::Waiting)));
        all.extend(unjudged.into_iter().map(|row| (row.record, None, pb::Stranding::Held)));
        let (mut page, mut at, mut next) = (Page::new(limit, self.node.page_bytes()), 0, String::new());
        let mut looked = 0;
        for (id, edit, stranding) in all {
            if at == until || (looked > LOOKED_PAGES * self.node.page_bytes() && at > from) {
                next = at.to_string();
                break;
            }
            let is_before = at < from && reach.is_operator();
            let row = if is_before { None } else { self.store.record(id).await.map_err(of_store)? };
            looked += row.as_ref().map_or(0, |row| row.view.len());
            let is_shown = reach.is_operator() || row.as_ref().is_some_and(|row| reach.owns(row));
            if let Some(row) = row.filter(|_| is_shown && at >= from)
                && !page.take(operators::stranded(&row, edit.as_ref(), stranding))
            {
                next = at.to_string();
                break;
            }
            at += usize::from(is_shown);
        }
        Ok(Response::new(pb::ListStrandedResponse { records: page.into_items(), next }))
    }
}

/// Whether this is how somebody names the node: by its id or 8 digits of it or more, or by its seat's code. None at all
/// means any.
fn is_named(wanted: &str, node: NodeId, directory: &Directory) -> bool {
    let seat = directory.node(node).and_then(|info| directory.seats().get(info.seat));
    let by_id = wanted.len() >= 8 && node.to_string().starts_with(wanted);
    wanted.is_empty() || by_id || seat.is_some_and(|seat| seat.code == wanted)
}

#[cfg(test)]
mod tests {
    use super::before;

    #[test]
    fn the_id_before_one_is_the_greatest_below_it() {
        let mut id = [0; 32];
        assert_eq!(before(id), None);
        id[30] = 1;
        let mut less = [0; 32];
        less[31] = 0xff;
        assert_eq!(before(id), Some(less));
    }
}
