//! Records with leaves that a program could not judge: those that this one is to try again, because another one held them,
//! and those that it declares otherwise, which people have to see to. What it is just too old for is neither.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::gate::Stamp;
use heliu_record::id::RecordId;
use heliu_storage::{RecordRow, UnjudgedRow};

#[derive(Default)]
pub(crate) struct Unjudged {
    /// Until then, what is admitted here is not what this program makes of it.
    untried: BTreeSet<RecordId>,
    /// By kind, and since which tick there are some.
    differing: BTreeMap<String, (u64, BTreeSet<RecordId>)>,
}

impl Unjudged {
    pub fn new(rows: Vec<UnjudgedRow>, own: Stamp) -> Self {
        let mut unjudged = Unjudged::default();
        for UnjudgedRow { record, kind, unjudged: row } in rows {
            if row.by != own {
                unjudged.untried.insert(record);
            }
            if row.differing {
                unjudged.differing.entry(kind).or_default().1.insert(record);
            }
        }
        unjudged
    }

    pub fn untried(&self) -> &BTreeSet<RecordId> {
        &self.untried
    }

    /// A record was read and judged by this program.
    pub fn tried(&mut self, record: &RecordId) {
        self.untried.remove(record);
    }

    /// A row is written.
    pub fn note(&mut self, row: &RecordRow, tick_ms: u64) {
        if row.unjudged.is_some_and(|unjudged| unjudged.differing) {
            let of_kind = self.differing.entry(row.preimage.kind.clone());
            of_kind.or_insert_with(|| (tick_ms, BTreeSet::new())).1.insert(row.id);
        } else if let Some((_, records)) = self.differing.get_mut(&row.preimage.kind) {
            records.remove(&row.id);
        }
    }

    /// The kinds of which this program declares otherwise what some leaves go by: since which tick, how many records, and one
    /// of them.
    pub fn differing(&self) -> impl Iterator<Item = (&str, u64, usize, RecordId)> {
        self.differing
            .iter()
            .filter_map(|(kind, (since, records))| Some((kind.as_str(), *since, records.len(), *records.first()?)))
    }
}
