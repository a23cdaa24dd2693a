//! Records that have left this seat. Their bytes go when a superior has proven that it has them; at the top of the tree nobody
//! is above, and they stay.

use std::collections::BTreeMap;

use heliu_record::id::RecordId;
use heliu_storage::Position;

#[derive(Default)]
pub(crate) struct Leaving {
    /// Still here, each with the position in the feed where it left.
    hidden: BTreeMap<RecordId, Position>,
    /// Own last seq, in this incarnation, in records that were let go.
    parted: BTreeMap<RecordId, u64>,
}

impl Leaving {
    /// As a process begins, with the head of its feed.
    pub fn new(hidden: Vec<RecordId>, head: Position) -> Self {
        let hidden = hidden.into_iter().map(|record| (record, head)).collect();
        Leaving { hidden, parted: BTreeMap::new() }
    }

    pub fn hidden(&self) -> &BTreeMap<RecordId, Position> {
        &self.hidden
    }

    pub fn hide(&mut self, record: RecordId, since: Position) {
        self.hidden.insert(record, since);
    }

    /// It is this seat's again.
    pub fn show(&mut self, record: &RecordId) {
        self.hidden.remove(record);
    }

    /// Its bytes have gone, and with them what this node wrote in it, up to this seq.
    pub fn let_go(&mut self, record: RecordId, own_last: u64) {
        self.hidden.remove(&record);
        if own_last > 0 {
            self.parted.insert(record, own_last);
        }
    }

    pub fn erase(&mut self, record: &RecordId) {
        self.hidden.remove(record);
        self.parted.remove(record);
    }

    /// What this incarnation wrote in a record before it was let go.
    pub fn own_last(&self, record: &RecordId) -> Option<u64> {
        self.parted.get(record).copied()
    }

    /// Whether that is more than what is here of it again.
    pub fn is_returning(&self, record: &RecordId, seq: u64) -> bool {
        self.own_last(record).is_some_and(|last| last > seq)
    }

    /// Under a new incarnation, what the old one wrote in records that were let go is no longer in the way.
    pub fn renew(&mut self) {
        self.parted.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_in_a_record_that_went_is_in_the_way_until_it_is_back_or_the_incarnation_is_another() {
        let [one, other] = [1, 2].map(|byte| RecordId([byte; 32]));
        let mut leaving = Leaving::new(vec![one, other], 10);
        leaving.let_go(one, 3);
        leaving.let_go(other, 0);
        assert!(leaving.hidden().is_empty());
        assert!(leaving.is_returning(&one, 2) && !leaving.is_returning(&one, 3));
        assert!(!leaving.is_returning(&other, 0), "nothing of it was written here");
        leaving.renew();
        assert!(!leaving.is_returning(&one, 0));
    }
}
