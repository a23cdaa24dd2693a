//! What is counted over records and kept beside them, so that a start need not read them: by the scope that they name, never by
//! who may see them now, so that a seat that moves changes nothing here.

use heliu_record::codec::Encoder;
use heliu_record::hash::{Sum, hash};
use heliu_record::scope::Scope;

use crate::row::Standing;
use crate::{Position, RecordRow, ScanItem};

/// What some records come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Present ones, their leaves, and the sums of their digests.
    pub records: u64,
    pub leaves: u64,
    pub held: Sum,
    pub admitted: Sum,
    /// Hidden ones, of which no more is counted.
    pub hidden: u64,
}

impl Tally {
    fn one(standing: Standing, leaves: u32, held: Sum, admitted: Sum) -> Self {
        match standing {
            Standing::Present => Tally { records: 1, leaves: leaves.into(), held, admitted, hidden: 0 },
            Standing::Hidden => Tally { hidden: 1, ..Tally::default() },
            Standing::Gone => Tally::default(),
        }
    }

    /// Whether there is no record in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records == 0 && self.hidden == 0
    }

    pub fn add(&mut self, other: &Tally) {
        self.records += other.records;
        self.leaves += other.leaves;
        self.hidden += other.hidden;
        self.held.add(&other.held.0);
        self.admitted.add(&other.admitted.0);
    }

    pub fn subtract(&mut self, other: &Tally) {
        self.records = self.records.saturating_sub(other.records);
        self.leaves = self.leaves.saturating_sub(other.leaves);
        self.hidden = self.hidden.saturating_sub(other.hidden);
        self.held.subtract(&other.held.0);
        self.admitted.subtract(&other.admitted.0);
    }
}

impl From<&ScanItem> for Tally {
    fn from(item: &ScanItem) -> Self {
        Tally::one(item.standing, item.leaves, item.held, item.admitted)
    }
}

impl From<&RecordRow> for Tally {
    fn from(row: &RecordRow) -> Self {
        Tally::one(row.state.standing(), row.leaves, row.held, row.admitted)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeRow {
    /// None: of all scopes that have no row of their own.
    pub scope: Option<Scope>,
    pub tally: Tally,
}

impl ScopeRow {
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let Tally { records, leaves, held, admitted, hidden } = &self.tally;
        let numbers: Vec<u8> = [records, leaves, hidden].into_iter().flat_map(|number| number.to_le_bytes()).collect();
        hash("heliu scope 1", &[&scope_key(self.scope.as_ref()), &numbers, &held.0, &admitted.0])
    }
}

/// How a transaction changes what is kept.
#[derive(Clone, Debug, Default)]
pub struct ScopesChange {
    /// All rows that are there go first.
    pub anew: bool,
    /// Inserted or replaced, by scope; one with no record in it goes.
    pub rows: Vec<ScopeRow>,
    /// Of all rows that are there then, the sum of their digests.
    pub digest: Sum,
}

/// What was written with the last change: by it the rows are believed, all of them or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopesMark {
    /// Where the feed ended.
    pub head: Position,
    pub digest: Sum,
}

impl ScopesMark {
    /// Whether these are the rows that were written last, in a store whose feed ends here.
    #[must_use]
    pub fn vouches(&self, rows: &[ScopeRow], head: Position) -> bool {
        let digests: Vec<[u8; 32]> = rows.iter().map(ScopeRow::digest).collect();
        self.head == head && digests.iter().collect::<Sum>() == self.digest
    }
}

/// A scope as it stands in rows.
#[must_use]
pub fn scope_bytes(scope: &Scope) -> Vec<u8> {
    let mut encoder = Encoder::default();
    encoder.u8(u8::from(scope.public));
    for seats in [&scope.owners, &scope.seats] {
        encoder.varint(seats.len() as u64);
        seats.iter().for_each(|seat| {
            encoder.fixed(&seat.0);
        });
    }
    encoder.0
}

/// What a [`ScopeRow`] is found by: nothing for those that have no row of their own.
#[must_use]
pub fn scope_key(scope: Option<&Scope>) -> Vec<u8> {
    scope.map(scope_bytes).unwrap_or_default()
}
