//! Honest deliveries, to be mixed with the others: poison beside them must not hold them up.

use heliu_record::change::Change;
use heliu_replication::frame::Delivery;

use super::Desk;
use crate::author::Author;

/// So many records with three changes each.
#[must_use]
pub fn honest(author: &Author, records: u64) -> Vec<Delivery> {
    let record = |number: u64| {
        let author = Author { run: author.run.wrapping_mul(1_000).wrapping_add(number), ..author.clone() };
        let mut desk = Desk::new(&author, "honest");
        for _ in 0..2 {
            let change = Change::encode(desk.edit());
            desk.write(&change);
        }
        desk.delivery
    };
    (0..records).map(record).collect()
}
