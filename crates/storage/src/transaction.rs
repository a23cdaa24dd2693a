//! What one step of the engine changes, as plain data, and what every store refuses of it.

use heliu_record::command::CommandId;
use heliu_record::id::{RecordId, SeatId};
use heliu_trust::id::Incarnation;

use crate::error::StoreError;
use crate::row::CommitRow;
use crate::{
    AuditRow, ConflictRow, Cursor, FeedEntry, LeafStatus, Listed, Meta, Position, QuarantineRow, RecordRow,
    ScopesChange, StatementRow, StrandedRow,
};

/// Everything that one step of the engine changes. A store makes it durable as a whole.
#[derive(Clone, Debug, Default)]
pub struct Transaction {
    /// A new incarnation that begins here (at the head before this transaction's feed entries).
    pub incarnation: Option<Incarnation>,
    /// Directory entries from this index on (the first entry has 0) are deleted before `directory` is appended.
    pub directory_from: Option<u64>,
    /// Encoded entries, appended.
    pub directory: Vec<Vec<u8>>,
    /// Commits, all of them verified. They replace the bytes of a commit that is there already, which may be damaged.
    pub commits: Vec<CommitRow>,
    /// Appended to the feed; positions follow the head without a gap.
    pub feed: Vec<FeedEntry>,
    /// Old positions of leaves that stand in `feed` again, at a new one.
    pub moved: Vec<Position>,
    /// Leaves that are judged anew, by position.
    pub statuses: Vec<(Position, LeafStatus)>,
    /// Inserted or replaced.
    pub records: Vec<RecordRow>,
    /// What is counted over records. Who writes this at all writes it with every transaction that has something in `feed`.
    pub scopes: Option<ScopesChange>,
    /// For each record here, the whole new set of records it refers to.
    pub refs: Vec<(RecordId, Vec<RecordId>)>,
    /// Records of which something else is listed: their cells, anew. Each record once.
    pub listed: Vec<Listed>,
    /// Records whose row stands under a wrong id: (that id, the right one). The row gets the right id; if a row has that one
    /// already, the leaves of the wrong row become its leaves, and the wrong row goes. Done before all else here.
    pub renamed: Vec<(RecordId, RecordId)>,
    /// Records that become stubs (the new row is in `records`): the leaves and grants go that were there before this
    /// transaction. The rescope entries stay, to be told to others.
    pub dropped: Vec<RecordId>,
    /// Records that are erased (their row, erased and without a view, is in `records`). Their leaves, grants, references
    /// to others, quarantine rows and stranded edits go, also those of this transaction; soon after it, their bytes are in
    /// no file. Their rescope entries stay.
    pub erased: Vec<RecordId>,
    /// Conflicts that were opened or have changed; each replaces the row with its id.
    pub conflicts_opened: Vec<ConflictRow>,
    pub conflicts_closed: Vec<[u8; 32]>,
    /// How far other stores' feeds have been received.
    pub cursors: Vec<Cursor>,
    /// Rows of the quarantine that go, by id, before `quarantined` is added.
    pub unquarantined: Vec<[u8; 32]>,
    /// Added; of two rows with one id the first is kept.
    pub quarantined: Vec<QuarantineRow>,
    /// Commands carried out, with the encoded answer to give again. The first answer is kept.
    pub commands: Vec<(CommandId, Vec<u8>)>,
    /// Statements that go, by hash, before `statements` are added.
    pub statements_dropped: Vec<[u8; 32]>,
    /// Added; of two statements with one hash the first is kept.
    pub statements: Vec<StatementRow>,
    /// Appended; each `seq` follows the one before without a gap.
    pub audit: Vec<AuditRow>,
    /// Inserted or replaced, by leaf.
    pub stranded: Vec<StrandedRow>,
    /// Seats that are declined (true: nothing new of them is taken) or not any more. Of two about one seat the later counts.
    pub declined: Vec<(SeatId, bool)>,
}

impl Transaction {
    /// What every store refuses before it writes anything: a feed or an audit log that does not go on where
    /// it ends, an incarnation that was there before. `audited` is the last seq of the audit log. Returns the new head.
    pub fn check(&self, meta: &Meta, audited: u64) -> Result<Position, StoreError> {
        let refused = |detail| Err(StoreError::Damaged { what: "transaction", detail });
        if let Some(incarnation) = self.incarnation
            && meta.incarnations.iter().any(|(known, _)| *known == incarnation)
        {
            return refused(format!("incarnation {incarnation} is not new"));
        }
        let mut head = meta.head;
        for entry in &self.feed {
            head += 1;
            if entry.position() != head {
                return refused(format!("the feed goes on at {head}, not at {}", entry.position()));
            }
        }
        for (row, due) in self.audit.iter().zip(audited + 1..) {
            if row.seq != due {
                return refused(format!("the audit log goes on at {due}, not at {}", row.seq));
            }
        }
        Ok(head)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Transaction {
            incarnation,
            directory_from,
            directory,
            commits,
            feed,
            statuses,
            records,
            scopes,
            refs,
            listed,
            renamed,
            dropped,
            moved,
            erased,
            conflicts_opened,
            conflicts_closed,
            cursors,
            unquarantined,
            quarantined,
            commands,
            statements_dropped,
            statements,
            audit,
            stranded,
            declined,
        } = self;
        incarnation.is_none()
            && directory_from.is_none()
            && directory.is_empty()
            && commits.is_empty()
            && feed.is_empty()
            && statuses.is_empty()
            && records.is_empty()
            && scopes.is_none()
            && refs.is_empty()
            && listed.is_empty()
            && renamed.is_empty()
            && dropped.is_empty()
            && moved.is_empty()
            && erased.is_empty()
            && conflicts_opened.is_empty()
            && conflicts_closed.is_empty()
            && cursors.is_empty()
            && unquarantined.is_empty()
            && quarantined.is_empty()
            && commands.is_empty()
            && statements_dropped.is_empty()
            && statements.is_empty()
            && audit.is_empty()
            && stranded.is_empty()
            && declined.is_empty()
    }
}
