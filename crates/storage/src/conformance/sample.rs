//! Rows for the cases: small, distinct, and all fields filled with something that must come back.

use std::sync::Arc;

use heliu_record::hash::{Sum, hash, hash16};
use heliu_record::id::{Actor, LeafHash, Preimage, RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_trust::id::{CommitId, Incarnation, NodeId};

use super::must;
use crate::row::{CommitRow, Counts};
use crate::{
    AuditRow, Budget, CommandId, ConflictQuery, ConflictRow, FeedEntry, FeedPage, GrantHash, GrantRow, LeafRow,
    LeafStatus, ListQuery, Loaded, Meta, Position, QuarantineRow, Read, RecordRow, RecordState, ScanItem, StatementRow,
    StoreId, StrandedRow, StrandedState, Stub, Transaction,
};

pub const STORE: StoreId = StoreId([7; 16]);
pub const FIRST: Incarnation = Incarnation([1; 16]);
pub const SECOND: Incarnation = Incarnation([2; 16]);
pub const AUTHOR: NodeId = NodeId([0xaa; 16]);
pub const OTHER: NodeId = NodeId([0xbb; 16]);
pub const ALL: Budget = Budget { entries: 100_000, bytes: 1 << 30 };

#[must_use]
pub fn seat(n: u64) -> SeatId {
    SeatId(hash16("sample seat", &[&n.to_le_bytes()]))
}

/// Even numbers are members, odd ones orgs.
#[must_use]
pub fn preimage(n: u64) -> Preimage {
    let kind = if n.is_multiple_of(2) { "member" } else { "org" };
    Preimage { kind: kind.into(), birth: seat(n), key: n.to_le_bytes().to_vec() }
}

#[must_use]
pub fn id(n: u64) -> RecordId {
    preimage(n).id()
}

/// `version` makes rows of one record differ.
#[must_use]
pub fn row(n: u64, version: u64) -> RecordRow {
    let part = |name| hash(name, &[&n.to_le_bytes(), &version.to_le_bytes()]);
    let signal = u64::to_le_bytes(n ^ version << 32);
    RecordRow {
        id: id(n),
        preimage: preimage(n),
        scope: Scope {
            public: n.is_multiple_of(3),
            owners: [seat(n)].into(),
            seats: [seat(n + 1), seat(version)].into(),
        },
        state: RecordState::Present,
        held: Sum(part("held")),
        admitted: Sum(part("admitted")),
        leaves: u32::try_from(version).unwrap_or(u32::MAX),
        waiting: false,
        unjudged: None,
        view: format!("{{\"n\":{n},\"version\":{version}}}").into_bytes(),
        signal,
    }
}

#[must_use]
pub fn stub(n: u64) -> RecordRow {
    let own_last = n.is_multiple_of(2).then_some((Actor([5; 16]), 9));
    let stub = Stub { since_ms: -5, reason: "迁出".into(), own_last };
    RecordRow { state: RecordState::Stub(stub), view: Vec::new(), leaves: 0, ..row(n, 0) }
}

#[must_use]
pub fn commit(author: NodeId, seq: u64) -> CommitRow {
    let encoded: Arc<[u8]> = format!("commit {seq} of {author}").into_bytes().into();
    CommitRow { id: CommitId(hash("sample commit", &[&encoded])), author, incarnation: FIRST, seq, encoded }
}

#[must_use]
pub fn leaf(position: Position, n: u64, of: &CommitRow) -> LeafRow {
    let text = format!("change at {position}");
    LeafRow {
        position,
        record: id(n),
        hash: LeafHash(hash("sample leaf", &[text.as_bytes()])),
        commit: of.id,
        author: of.author,
        kind_version: 3,
        status: LeafStatus::Admitted,
        declared: None,
        origin: position.is_multiple_of(2).then_some(OTHER),
        change: text.into_bytes().into(),
    }
}

#[must_use]
pub fn grant(position: Position, n: u64) -> GrantRow {
    let text = format!("grant at {position}");
    GrantRow {
        position,
        record: id(n),
        hash: GrantHash(hash("sample grant", &[text.as_bytes()])),
        origin: position.is_multiple_of(2).then_some(OTHER),
        grant: text.into_bytes().into(),
    }
}

#[must_use]
pub fn erased(n: u64) -> RecordRow {
    let nothing = Sum::default();
    RecordRow { state: RecordState::Erased, view: Vec::new(), leaves: 0, held: nothing, admitted: nothing, ..row(n, 0) }
}

/// `n` is what makes it another; it is about record `n / 2`.
#[must_use]
pub fn statement(n: u64) -> StatementRow {
    let bytes = format!("statement {n}").into_bytes();
    StatementRow {
        hash: hash("sample statement", &[&bytes]),
        kind: u8::try_from(n).unwrap_or(u8::MAX),
        author: AUTHOR,
        seat: seat(n),
        subject: id(n / 2).0,
        bytes,
    }
}

#[must_use]
pub fn audited(seq: u64) -> AuditRow {
    let encoded = format!("row {seq}").into_bytes();
    AuditRow { seq, time_ms: 1_700_000_000_000, hash: hash("sample audit", &[&encoded]), encoded }
}

/// An open one, of record `n`.
#[must_use]
pub fn stranded(n: u64) -> StrandedRow {
    StrandedRow {
        leaf: LeafHash(hash("sample stranded", &[&n.to_le_bytes()])),
        record: id(n),
        at_ms: 1_700_000_000_000 + n.cast_signed(),
        state: StrandedState::Open,
        reason: "建立在已隔离的变更之上".into(),
    }
}

/// A commit with one leaf for each of these records, and their rows.
#[must_use]
pub fn edit(head: Position, of: &CommitRow, records: &[u64]) -> Transaction {
    let positions = head + 1..;
    Transaction {
        commits: vec![of.clone()],
        feed: positions.zip(records).map(|(position, n)| FeedEntry::Leaf(leaf(position, *n, of))).collect(),
        records: records.iter().map(|n| row(*n, 1)).collect(),
        ..Transaction::default()
    }
}

#[must_use]
pub fn conflict(n: u64, anchors: &[u64]) -> ConflictRow {
    ConflictRow {
        id: hash("sample conflict", &[&n.to_le_bytes()]),
        kind: "MULTI_HOME".into(),
        anchors: anchors.iter().map(|n| id(*n)).collect(),
        body: format!("{{\"conflict\":{n}}}").into_bytes(),
    }
}

#[must_use]
pub fn refused(n: u64) -> QuarantineRow {
    let bytes = format!("bytes {n}").into_bytes();
    QuarantineRow {
        id: hash("sample quarantine", &[&bytes]),
        record: n.is_multiple_of(2).then(|| id(n)),
        from: n.is_multiple_of(2).then_some(OTHER),
        code: "UNSIGNED".into(),
        reason: "没有签名".into(),
        at_ms: 1_700_000_000_000,
        bytes,
    }
}

/// Everything that can be read, to compare two states of a store by.
#[derive(Debug, PartialEq)]
pub struct Contents {
    /// The head and who the store is; incarnations come and go by opening.
    pub head: (StoreId, Position),
    pub directory: Vec<Vec<u8>>,
    pub feed: Vec<FeedEntry>,
    pub commits: Vec<Option<Vec<u8>>>,
    pub rows: Vec<RecordRow>,
    pub scan: Vec<ScanItem>,
    pub leaves: Vec<Vec<LeafRow>>,
    pub grants: Vec<Vec<GrantRow>>,
    pub referring: Vec<Vec<RecordId>>,
    pub conflicts: Vec<ConflictRow>,
    pub quarantine: Vec<QuarantineRow>,
    pub statements: Vec<StatementRow>,
    pub audit: Vec<AuditRow>,
    pub stranded: Vec<StrandedRow>,
    pub declined: Vec<SeatId>,
    pub counts: Counts,
}

pub async fn sources(store: &impl Read, target: RecordId) -> Vec<RecordId> {
    must(store.referring(&[target]).await).into_iter().map(|(_, source)| source).collect()
}

pub async fn answer_of(store: &impl Read, command: CommandId) -> Option<Vec<u8>> {
    must(store.commands(&[command]).await).pop().map(|(_, answer)| answer)
}

pub async fn contents(store: &impl Read) -> Contents {
    let Meta { store: name, head, .. } = must(store.meta().await);
    let FeedPage { items, .. } = must(store.feed(0, ALL).await);
    let rows = must(store.list(&ListQuery { limit: 100_000, ..ListQuery::default() }).await).rows;
    let ids: Vec<RecordId> = rows.iter().map(|row| row.id).collect();
    let mut referring = Vec::new();
    for id in &ids {
        referring.push(sources(store, *id).await);
    }
    let loaded: Vec<Loaded> = must(store.load(&ids).await);
    assert!(loaded.iter().map(|loaded| &loaded.row).eq(&rows), "loading and listing show the same rows");
    Contents {
        head: (name, head),
        directory: must(store.directory().await),
        commits: items.iter().map(|item| item.commit.as_ref().map(|commit| commit.to_vec())).collect(),
        feed: items.into_iter().map(|item| item.entry).collect(),
        rows,
        scan: must(store.scan(None, 100_000).await).items,
        grants: loaded.iter().map(|loaded| loaded.grants.clone()).collect(),
        leaves: loaded.into_iter().map(|loaded| loaded.leaves).collect(),
        referring,
        conflicts: must(store.conflicts(&ConflictQuery::default()).await).rows,
        quarantine: must(store.quarantine(100_000).await),
        statements: must(store.statements().await),
        audit: must(store.audit(0, 100_000).await),
        stranded: must(store.stranded(100_000).await),
        declined: must(store.declined().await),
        counts: must(store.counts().await),
    }
}
