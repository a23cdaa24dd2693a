//! What stays open, and what is known of records during a batch.

use super::*;

/// What a leaf takes in memory, about.
const LEAF: usize = 800;

fn preimage(key: u8) -> Preimage {
    Preimage { kind: "org".to_owned(), birth: SeatId([1; 16]), key: vec![key] }
}

fn catalogue() -> &'static Catalogue {
    crate::tests::kinds::none()
}

#[test]
fn what_the_work_under_way_touches_stays_open_however_much_else_is_used() {
    let mut records = Records::new(16);
    for key in 0..64 {
        records.begin(preimage(key).id(), &preimage(key), catalogue());
    }
    records.evict();
    assert_eq!(records.open.len(), 64, "all of it is under way");
    records.seal();
    records.evict();
    assert_eq!(records.open.len(), 64, "its transaction is in flight");
    records.applied(&Durable::said(Ok(())).expect("it is"));
    records.evict();
    assert_eq!(records.open.len(), 64, "they were weighed a moment ago");
    records.begin(preimage(64).id(), &preimage(64), catalogue());
    records.begin(preimage(0).id(), &preimage(0), catalogue());
    assert!(records.is_open(&preimage(0).id()) && records.open[&preimage(0).id()].is_stored);
    records.evict();
    let open: Vec<u8> = (0..=64).filter(|key| records.is_open(&preimage(*key).id())).collect();
    assert_eq!(open, [0, 58, 59, 60, 61, 62, 63, 64], "those that were used last");
}

#[test]
fn a_record_that_is_longer_than_all_that_may_be_open_stays_open_for_its_next_edit() {
    let mut records = Records::new(16);
    let (long, other) = (preimage(0), preimage(1));
    records.begin(other.id(), &other, catalogue());
    for _ in 0..8 {
        records.begin(long.id(), &long, catalogue());
        records.open.get_mut(&long.id()).expect("it is open").bytes = 10_000 * LEAF;
        records.seal();
        records.applied(&Durable::said(Ok(())).expect("it is"));
        records.evict();
        assert!(records.is_open(&long.id()));
    }
    assert!(!records.is_open(&other.id()), "for which others are closed");
    for _ in 0..8 {
        records.begin(other.id(), &other, catalogue());
    }
    records.evict();
    assert!(!records.is_open(&long.id()), "until something else is worked on");
}

#[test]
fn what_is_read_for_the_work_under_way_is_not_absent_any_more_and_forgotten_with_it() {
    let mut records = Records::new(16);
    let (one, other) = (preimage(1), preimage(2));
    records.note_absent(&[one.id(), other.id()].into());
    records.begin(one.id(), &one, catalogue());
    assert!(!records.is_absent(&one.id()) && records.is_absent(&other.id()));
    assert!(records.is_touched(&one.id()) && records.before()[&one.id()].counted.is_none(), "it is new here");
    records.seal();
    assert!(!records.has_touched(), "the next batch begins with nothing");
    assert_eq!(records.applied(&Durable::said(Ok(())).expect("it is")), [one.id()]);
    assert!(!records.has_touched() && !records.is_absent(&other.id()));
}
