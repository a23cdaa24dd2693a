//! What is kept in the store of all records, by the scope that they name: the engine's copy of it, and how it has to change
//! with a transaction. Who may see a record is no part of it, so nothing of it follows the directory.
//!
//! Few scopes are named, whatever is held; but whoever writes may name others without end. So a bounded number of them have a
//! row of their own, and what is of any other is told together. While there is such a rest no scope gets a row: a scope has
//! all of its records in its row, or all of them in the rest.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::hash::Sum;
use heliu_record::id::SeatId;
use heliu_record::scope::Scope;
use heliu_storage::{ScopeRow, ScopesChange, Tally};

use super::sums::Counted;

#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// Scopes that may have a row of their own.
    max: usize,
    rows: BTreeMap<Scope, Tally>,
    rest: Tally,
    stored: Stored,
}

/// What of it the store has.
#[derive(Clone, Debug)]
enum Stored {
    /// Nothing that counts: all of it is to be written.
    Nothing,
    /// All but these, which stand there as they were, and the sum of the digests of what stands there.
    AllBut { changed: BTreeMap<Scope, Tally>, rest: Option<Tally>, digest: Sum },
}

impl Stored {
    fn all(digest: Sum) -> Self {
        Stored::AllBut { changed: BTreeMap::new(), rest: None, digest }
    }
}

impl Kept {
    pub fn new(max: usize) -> Self {
        Kept { max, rows: BTreeMap::new(), rest: Tally::default(), stored: Stored::Nothing }
    }

    /// As the store has it.
    pub fn read(max: usize, rows: &[ScopeRow]) -> Self {
        let digests: Vec<[u8; 32]> = rows.iter().map(ScopeRow::digest).collect();
        let mut kept = Kept { stored: Stored::all(digests.iter().collect()), ..Kept::new(max) };
        for ScopeRow { scope, tally } in rows {
            match scope {
                Some(scope) => drop(kept.rows.insert(scope.clone(), *tally)),
                None => kept.rest = *tally,
            }
        }
        kept
    }

    /// Whether every scope has its own row, so that it can be told who may see how much.
    pub fn is_whole(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn rows(&self) -> impl Iterator<Item = (&Scope, &Tally)> {
        self.rows.iter()
    }

    /// Whether these scopes have less than half of the records, so that reading all rows would be more work.
    pub fn is_few(&self, scopes: &BTreeSet<Scope>) -> bool {
        let records = |tally: &Tally| tally.records + tally.hidden;
        let wanted: u64 = scopes.iter().filter_map(|scope| self.rows.get(scope)).map(records).sum();
        2 * wanted < records(&self.total())
    }

    /// Those of some seats that records name, as far as it can be told.
    pub fn named(&self, seats: &BTreeSet<SeatId>) -> BTreeSet<SeatId> {
        if seats.is_empty() || !self.is_whole() {
            return seats.clone();
        }
        self.rows.keys().flat_map(Scope::named).filter(|seat| seats.contains(seat)).collect()
    }

    /// A record is in it from now on.
    pub fn add(&mut self, scope: &Scope, tally: &Tally) {
        if !tally.is_empty() {
            self.change(scope, |all| all.add(tally));
        }
    }

    /// A record came to `before`, and now comes to `after`.
    pub fn replace(&mut self, before: Option<&Counted>, after: &Counted) {
        match before.filter(|before| !before.tally.is_empty()) {
            Some(before) if before == after => {}
            Some(before) if before.scope == after.scope => self.change(&before.scope, |all| {
                all.subtract(&before.tally);
                all.add(&after.tally);
            }),
            Some(before) => {
                self.change(&before.scope, |all| all.subtract(&before.tally));
                self.add(&after.scope, &after.tally);
            }
            None => self.add(&after.scope, &after.tally),
        }
    }

    fn change(&mut self, scope: &Scope, change: impl FnOnce(&mut Tally)) {
        let may_begin = self.rest.is_empty() && self.rows.len() < self.max;
        let known = self.rows.get(scope).copied();
        if known.is_none() && !may_begin {
            if let Stored::AllBut { rest, .. } = &mut self.stored {
                rest.get_or_insert(self.rest);
            }
            change(&mut self.rest);
            if self.rest.is_empty() {
                self.rest = Tally::default();
            }
            return;
        }
        let mut now = known.unwrap_or_default();
        if let Stored::AllBut { changed, .. } = &mut self.stored
            && !changed.contains_key(scope)
        {
            changed.insert(scope.clone(), now);
        }
        change(&mut now);
        if now.is_empty() {
            self.rows.remove(scope);
        } else {
            self.rows.insert(scope.clone(), now);
        }
    }

    /// Whether the store does not have it as it is.
    pub fn is_unwritten(&self) -> bool {
        match &self.stored {
            Stored::Nothing => true,
            Stored::AllBut { changed, rest, .. } => !changed.is_empty() || rest.is_some(),
        }
    }

    /// What a transaction has to write, which may have something for the feed: by where that ends the store knows that nobody
    /// else wrote.
    pub fn write(&mut self, has_entries: bool) -> Option<ScopesChange> {
        let row = |scope: Option<&Scope>, tally: &Tally| ScopeRow { scope: scope.cloned(), tally: *tally };
        let mut rows = Vec::new();
        let anew = matches!(self.stored, Stored::Nothing);
        let digest = match &mut self.stored {
            Stored::Nothing => {
                rows.extend(self.rows.iter().map(|(scope, tally)| row(Some(scope), tally)));
                rows.extend((!self.rest.is_empty()).then(|| row(None, &self.rest)));
                rows.iter().map(ScopeRow::digest).collect::<Vec<_>>().iter().collect()
            }
            Stored::AllBut { changed, rest, digest } => {
                let now = |scope: &Scope| self.rows.get(scope).copied().unwrap_or_default();
                let changed = std::mem::take(changed).into_iter();
                let changed = changed.map(|(scope, was)| (was, now(&scope), Some(scope)));
                for (was, now, scope) in changed.chain(rest.take().map(|was| (was, self.rest, None))) {
                    if was == now {
                        continue;
                    }
                    if !was.is_empty() {
                        digest.subtract(&row(scope.as_ref(), &was).digest());
                    }
                    let row = row(scope.as_ref(), &now);
                    if !now.is_empty() {
                        digest.add(&row.digest());
                    }
                    rows.push(row);
                }
                *digest
            }
        };
        self.stored = Stored::all(digest);
        (anew || has_entries || !rows.is_empty()).then_some(ScopesChange { anew, rows, digest })
    }

    /// How this differs from what was counted, scope by scope: what it says too much, and what too little. None if that cannot
    /// be told, though it differs.
    pub fn differences(&self, counted: &Kept) -> Option<Vec<(Scope, Tally, Tally)>> {
        if !self.is_whole() || !counted.is_whole() {
            return (self.total() == counted.total()).then(Vec::new);
        }
        let all: BTreeSet<&Scope> = self.rows.keys().chain(counted.rows.keys()).collect();
        let of = |kept: &Kept, scope: &Scope| kept.rows.get(scope).copied().unwrap_or_default();
        let both = all.into_iter().map(|scope| (scope.clone(), of(self, scope), of(counted, scope)));
        Some(both.filter(|(_, here, there)| here != there).collect())
    }

    fn total(&self) -> Tally {
        let mut total = self.rest;
        self.rows.values().for_each(|tally| total.add(tally));
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(n: u8) -> Scope {
        Scope { owners: [SeatId([n; 16])].into(), ..Scope::default() }
    }

    fn record(n: u8, byte: u8) -> Counted {
        let (held, admitted) = (Sum([byte; 32]), Sum([byte; 32]));
        Counted { scope: scope(n), tally: Tally { records: 1, leaves: 1, held, admitted, hidden: 0 } }
    }

    /// What a store has after these changes, as it would be read.
    #[derive(Default)]
    struct Table(BTreeMap<Vec<u8>, ScopeRow>, Sum);

    impl Table {
        fn apply(&mut self, change: Option<ScopesChange>) {
            let Some(ScopesChange { anew, rows, digest }) = change else { return };
            if anew {
                self.0.clear();
            }
            for row in rows {
                let key = heliu_storage::scope_key(row.scope.as_ref());
                if row.tally.is_empty() { drop(self.0.remove(&key)) } else { drop(self.0.insert(key, row)) }
            }
            self.1 = digest;
        }

        fn read(&self, max: usize) -> Kept {
            let rows: Vec<ScopeRow> = self.0.values().cloned().collect();
            let mark = heliu_storage::ScopesMark { head: 0, digest: self.1 };
            assert!(mark.vouches(&rows, 0), "the digest is that of what stands there");
            Kept::read(max, &rows)
        }
    }

    #[test]
    fn what_the_store_has_of_it_is_what_the_engine_has_after_each_transaction() {
        let (mut kept, mut table) = (Kept::new(8), Table::default());
        kept.replace(None, &record(1, 1));
        table.apply(kept.write(true));
        kept.replace(None, &record(2, 2));
        kept.replace(Some(&record(1, 1)), &record(1, 3));
        table.apply(kept.write(true));
        assert_eq!(table.read(8).differences(&kept), Some(Vec::new()));
        kept.replace(Some(&record(1, 3)), &record(2, 3));
        table.apply(kept.write(false));
        assert_eq!(table.read(8).differences(&kept), Some(Vec::new()));
        assert_eq!(kept.rows().count(), 1, "nothing is of the first scope any more");
        assert!(kept.write(false).is_none(), "nothing has changed");
        assert!(kept.write(true).is_some_and(|change| change.rows.is_empty()), "but the feed goes on");
    }

    #[test]
    fn whoever_names_scopes_without_end_has_them_told_together_and_no_scope_is_in_two_places() {
        let (mut kept, mut table) = (Kept::new(2), Table::default());
        (0..200).for_each(|n| kept.replace(None, &record(n, 1)));
        assert!(kept.rows().count() == 2 && !kept.is_whole());
        assert_eq!(kept.named(&[SeatId([9; 16])].into()).len(), 1, "it cannot be ruled out");
        table.apply(kept.write(true));
        kept = table.read(2);
        kept.replace(Some(&record(0, 1)), &record(199, 1));
        assert_eq!(kept.rows().count(), 1, "there is room for one, and a rest: nobody gets it");
        for n in 2..200 {
            let is_twice = n == 199;
            kept.replace(Some(&record(n, 1)), &record(1, 1));
            if is_twice {
                kept.replace(Some(&record(n, 1)), &record(1, 1));
            }
        }
        assert!(kept.is_whole() && kept.rows().count() == 1);
        table.apply(kept.write(true));
        assert_eq!(table.read(2).differences(&kept), Some(Vec::new()));
        kept.replace(None, &record(5, 1));
        assert_eq!(kept.rows().count(), 2, "without a rest there is room again");
    }
}
