//! What was refused is kept for operators to look at, within bounds: whoever sends junk without end must not fill the disk,
//! nor take the room of what others send. Beyond them it is still counted on its link, and told to its sender.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::command::Refusal;
use heliu_record::hash::hash;
use heliu_record::id::{LeafHash, RecordId, to_hex};
use heliu_record::reason::Facts;
use heliu_storage::QuarantineRow;
use heliu_trust::id::NodeId;

use crate::durable::Durable;
use crate::effect::{LoadReply, LoadRequest};
use crate::frame::RefusedLeaf;

/// Rows that a store keeps of what links brought; 256 MiB at the very most.
const ROWS_MAX: usize = 4_096;
/// Of those, what one node may take while a process runs, and in one minute: for people to see what it sends, some of it is
/// as good as all.
const ROWS_OF_ONE: usize = 2_048;
const ROWS_A_MINUTE: usize = 1_024;
const MINUTE_MS: u64 = 60_000;
/// As much as a row may hold.
const BYTES_MAX: usize = 64 * 1024;

pub(crate) struct Quarantine {
    /// Rows that may still be written.
    room: usize,
    /// Written by this process: what comes again is no new row.
    written: BTreeSet<[u8; 32]>,
    /// What each node has taken of it.
    taken: BTreeMap<NodeId, Taken>,
    /// Rows that were looked up for the work under way.
    looked_up: BTreeMap<[u8; 32], Option<QuarantineRow>>,
}

#[derive(Default)]
struct Taken {
    rows: usize,
    /// In the minute that began at this tick.
    since_tick: u64,
    rows_now: usize,
}

impl Taken {
    /// Whether another row is within bounds; it is counted then.
    fn takes(&mut self, tick_ms: u64) -> bool {
        if tick_ms.saturating_sub(self.since_tick) >= MINUTE_MS {
            (self.since_tick, self.rows_now) = (tick_ms, 0);
        }
        let takes = self.rows < ROWS_OF_ONE && self.rows_now < ROWS_A_MINUTE;
        if takes {
            (self.rows, self.rows_now) = (self.rows + 1, self.rows_now + 1);
        }
        takes
    }
}

impl Quarantine {
    /// Beside those that the store has.
    pub fn beside(stored: u64) -> Self {
        let stored = usize::try_from(stored).unwrap_or(usize::MAX);
        Quarantine {
            room: ROWS_MAX.saturating_sub(stored),
            written: BTreeSet::new(),
            taken: BTreeMap::new(),
            looked_up: BTreeMap::new(),
        }
    }

    /// Whether to write a row: there is room, it was not written before, and its sender has not had more than its share.
    pub fn takes(&mut self, row: &QuarantineRow, tick_ms: u64) -> bool {
        if self.room == 0 || self.written.contains(&row.id) {
            return false;
        }
        let takes = row.from.is_none_or(|from| self.taken.entry(from).or_default().takes(tick_ms));
        if takes {
            self.written.insert(row.id);
            self.room -= 1;
        }
        takes
    }

    /// A row is gone: there is room for another, and it may come again itself.
    pub fn let_go(&mut self, id: &[u8; 32]) {
        self.room += 1;
        self.written.remove(id);
    }

    /// What the store answered.
    pub fn loaded(&mut self, asked: &LoadRequest, reply: &mut LoadReply) {
        self.looked_up.extend(asked.quarantined.iter().map(|id| (*id, None)));
        self.looked_up.extend(std::mem::take(&mut reply.quarantined).into_iter().map(|row| (row.id, Some(row))));
    }

    /// A row as it was looked up for the work under way: none if it was not, some of none if there is no such row.
    pub fn row(&self, id: &[u8; 32]) -> Option<Option<&QuarantineRow>> {
        self.looked_up.get(id).map(Option::as_ref)
    }

    /// Somebody decides about a row: who decides about it again in the same work finds nothing.
    pub fn take(&mut self, id: &[u8; 32]) -> Option<QuarantineRow> {
        self.looked_up.get_mut(id)?.take()
    }

    pub fn applied(&mut self, _: &Durable) {
        self.looked_up.clear();
    }
}

/// What the sender of refused bytes is told, and what is kept of them. `id` is their leaf's hash, or [`id_of`] them.
pub(crate) fn refused(
    id: [u8; 32],
    record: Option<RecordId>,
    from: NodeId,
    (code, facts): (&str, &Facts),
    bytes: &[u8],
    at_ms: i64,
) -> (RefusedLeaf, QuarantineRow) {
    let (code, reason, bytes) = (code.to_owned(), facts.to_string(), kept(bytes));
    let told = RefusedLeaf { leaf: LeafHash(id), code: code.clone(), reason: reason.clone() };
    (told, QuarantineRow { id, record, from: Some(from), code, reason, at_ms, bytes })
}

/// Of what is no leaf, or has not been read as one.
pub(crate) fn id_of(bytes: &[u8]) -> [u8; 32] {
    hash("heliu refused 1", &[bytes])
}

/// What is kept of refused bytes.
pub(crate) fn kept(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len().min(BYTES_MAX)].to_vec()
}

pub(crate) fn not_in_quarantine(id: &[u8; 32]) -> Refusal {
    let short = &to_hex(id)[..8];
    Refusal::new(
        "not_in_quarantine",
        (format!("隔离区中没有 {short}。"), format!("There is no {short} in the quarantine.")),
        ("它已被处理。", "It has been dealt with."),
        ("请重新列出后再选。", "List them again."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(from: u8, n: u32) -> QuarantineRow {
        let mut id = [from; 32];
        id[..4].copy_from_slice(&n.to_be_bytes());
        refused(id, None, NodeId([from; 16]), ("commit.bad-signature", &Facts::none()), &[0], 0).1
    }

    #[test]
    fn whoever_sends_junk_without_end_fills_a_share_of_the_quarantine_and_leaves_room_for_what_others_send() {
        let mut quarantine = Quarantine::beside(0);
        let mut flood = |ticks: std::ops::Range<u32>| {
            let at = |tick: u32| (0..2_000).map(move |n| (u64::from(tick) * MINUTE_MS, row(1, n + 2_000 * tick)));
            ticks.flat_map(at).filter(|(tick_ms, row)| quarantine.takes(row, *tick_ms)).count()
        };
        assert_eq!(flood(0..1), ROWS_A_MINUTE);
        assert_eq!(flood(1..60), ROWS_OF_ONE - ROWS_A_MINUTE);
        assert!(quarantine.takes(&row(2, 0), 0), "another node's first one");
        assert!(!quarantine.takes(&row(2, 0), 0), "it is written once");
    }
}
