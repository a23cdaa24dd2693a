//! From a store to an engine: at the start of a node, and after its store has failed.

use std::collections::VecDeque;
use std::sync::Arc;

use heliu_record::id::SeatId;
use heliu_replication::serving::{carry_out, count};
use heliu_replication::{Config, Effect, Engine, Input, Moment, Reply, Start, Ticket};
use heliu_storage::{DamagedRow, ReadDirectory, Store, StoreError, Transaction};
use heliu_trust::directory::{Appended, Directory, SignedEntry};
use heliu_trust::id::{Incarnation, NodeId};
use heliu_trust::seal::SealingSecret;
use heliu_trust::signature::{Signer, Verifier};

use crate::error::StartError;
use crate::options::Anchor;

/// Stranded edits that an engine begins with. Who has more deals with these first.
const STRANDED: usize = 4_096;

/// What an engine needs besides the store.
#[derive(Clone)]
pub(crate) struct Beginner {
    pub anchor: Anchor,
    pub key: Arc<dyn Signer>,
    pub verifier: Arc<dyn Verifier>,
    pub sealing: Option<Arc<SealingSecret>>,
    pub issuer: Option<Arc<dyn Signer>>,
    pub config: Config,
}

impl Beginner {
    /// Makes an engine from what is durable. `failed`: with what the engine before this one failed. Then a new incarnation is
    /// begun first: whether the last transaction became durable may never be known, and (actor, seq) is not used twice. It is
    /// also the proof that the store takes writes.
    pub async fn begin(
        &self,
        store: &Arc<dyn Store>,
        entries: &[SignedEntry],
        failed: Option<&StoreError>,
    ) -> Result<(Engine, SeatId), StartError> {
        let stored = self.stored_directory(&**store).await?;
        let mut directory = stored.clone();
        self.append(&mut directory, entries)?;
        let node = self.key.node();
        let seat = directory.node(node).ok_or(StartError::NotEnrolled(node))?.seat;
        if directory.len() > stored.len() {
            self.grow(store, seat, stored, &directory).await?;
        }
        let last_commit = store.last_commit(node).await?;
        let mut meta = store.meta().await?;
        let current = meta.incarnations.last().map(|(incarnation, _)| *incarnation);
        // A durable store begins an incarnation whenever it is opened. One that is handed on without that (in memory)
        // shows it by what has been written under its current one.
        if failed.is_some() || current.is_none() || current == last_commit.map(|(incarnation, _, _)| incarnation) {
            let incarnation = Incarnation(random()?);
            store.apply(&Transaction { incarnation: Some(incarnation), ..Transaction::default() }).await?;
            meta = store.meta().await?;
        }
        let hidden = store.hidden(meta.head).await?;
        let keys = (Arc::clone(&self.key), Arc::clone(&self.verifier));
        let mut start = Start::new(node, seat, directory, meta, keys, random()?, &self.config);
        (start.sealing, start.issuer) = (self.sealing.clone(), self.issuer.clone());
        start.stranded = store.stranded(STRANDED).await?;
        start.declined = store.declined().await?;
        start.unjudged = store.unjudged(None, usize::MAX).await?;
        start.last_commit = last_commit.map(|(_, _, commit)| commit);
        start.hidden = hidden;
        start.quarantined = store.quarantine_len().await?;
        start.statements = store.statements().await?;
        start.audit_head = store.audit_head().await?;
        let is_doubted = matches!(failed, Some(StoreError::Damaged { .. }));
        told(&count(&mut start, &**store, is_doubted).await?);
        Ok((Engine::new(self.config.clone(), start), seat))
    }

    /// The stored log, verified again.
    async fn stored_directory(&self, store: &dyn ReadDirectory) -> Result<Directory, StartError> {
        let mut directory = Directory::new(self.anchor.realm, self.anchor.root);
        let mut entries = Vec::new();
        let mut unreadable = Ok(());
        for (index, encoded) in (0..).zip(store.directory().await?) {
            let Ok(entry) = SignedEntry::decode(&encoded) else {
                unreadable = Err(StartError::DirectoryUnreadable { index });
                break;
            };
            entries.push(entry);
        }
        // What is wrong first is told first.
        self.append(&mut directory, &entries)?;
        unreadable.map(|()| directory)
    }

    /// Stores the entries that came with the start. They may change who is entitled to records that are here already, so
    /// where there are any, an engine takes the entries, as it would while the node runs.
    async fn grow(
        &self,
        store: &Arc<dyn Store>,
        seat: SeatId,
        stored: Directory,
        directory: &Directory,
    ) -> Result<(), StartError> {
        let added = directory.entries_from(stored.len());
        let meta = store.meta().await?;
        if meta.head == 0 {
            let directory = added.iter().map(|entry| entry.encode()).collect();
            return Ok(store.apply(&Transaction { directory, ..Transaction::default() }).await?);
        }
        let entries = added.iter().map(|entry| SignedEntry::clone(entry)).collect();
        let keys = (Arc::clone(&self.key), Arc::clone(&self.verifier));
        let mut start = Start::new(self.node(), seat, stored, meta, keys, random()?, &self.config);
        start.statements = store.statements().await?;
        start.audit_head = store.audit_head().await?;
        told(&count(&mut start, &**store, false).await?);
        let mut engine = Engine::new(self.config.clone(), start);
        let extend = Input::Extend { ticket: Ticket(0), entries, event: None };
        let mut effects = VecDeque::from(engine.handle(extend, Moment::default()));
        while let Some(effect) = effects.pop_front() {
            if let Effect::Reply { reply: Reply::StoreFailed(error), .. } = effect {
                return Err(error.into());
            }
            if let Some(input) = carry_out(&**store, effect).await {
                effects.extend(engine.handle(input, Moment::default()));
            }
        }
        Ok(())
    }

    /// Signatures are verified together.
    fn append(&self, directory: &mut Directory, entries: &[SignedEntry]) -> Result<(), StartError> {
        let pool = self.config.pool.as_ref();
        if let Some(verified) = pool.and_then(|pool| pool.grown(directory, entries)) {
            *directory = verified;
            return Ok(());
        }
        let Appended { grown, error } = directory.append_all(entries, &*self.verifier);
        let Some(why) = error else {
            if let Some(pool) = pool {
                *directory = pool.copy_of(directory.clone());
            }
            return Ok(());
        };
        let index = entries.get(grown.len()).map_or(0, |bad| bad.entry.index);
        Err(StartError::Directory { index, why })
    }

    pub fn node(&self) -> NodeId {
        self.key.node()
    }
}

fn told(damaged: &[DamagedRow]) {
    for row in damaged {
        tracing::error!(record = ?row.record, detail = row.detail, "a record's row cannot be read");
    }
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], StartError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(StartError::Random)?;
    Ok(bytes)
}
