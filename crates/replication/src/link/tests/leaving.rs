//! A record that has left this seat: nobody lets go of it on the word of a cursor.

use super::*;
use crate::frame::{Possession, PossessionRecord, PossessionTurn};

fn asked(out: &Out) -> Vec<Possession> {
    out.frames().filter_map(|frame| if let Frame::Possession(of) = frame { Some(of.clone()) } else { None }).collect()
}

fn proven(out: &Out) -> Vec<(RecordId, Sum)> {
    let of =
        |arrival: &Arrival| if let Arrival::Proven { record, held } = arrival { Some((*record, *held)) } else { None };
    out.arrivals.iter().filter_map(of).collect()
}

fn answer(record: RecordId, hashes: Vec<[u8; 32]>, covered: u64) -> Frame {
    let records = vec![PossessionRecord { record, hashes, covered }];
    Frame::Possession(Possession { turn: PossessionTurn::Answered, records })
}

fn hashes(items: &[FeedItem]) -> Vec<[u8; 32]> {
    let hash = |item: &FeedItem| if let FeedEntry::Leaf(row) = &item.entry { Some(row.hash.0) } else { None };
    items.iter().filter_map(hash).collect()
}

fn reads_leaves(out: &Out) -> bool {
    out.effects.iter().any(|effect| matches!(effect, Effect::ReadLeaves { .. }))
}

/// The township asks the county about three leaves of a record that has left it. All of them came from the county.
fn leaving() -> (End, Vec<FeedItem>) {
    let mut end = End::running(true, Some(1_000));
    end.leaving.insert(record(1), 900);
    assert!(reads_leaves(&end.act(Link::on_tick)));
    let items = feed(record(1), 1..=3, 100);
    let said = asked(&end.page(items.clone(), 1_000));
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].turn, &said[0].records[0].hashes), (PossessionTurn::Asked, &hashes(&items)));
    (end, items)
}

#[test]
fn a_superior_that_has_all_of_it_proves_it_by_its_answer() {
    let (mut end, items) = leaving();
    let held: Sum = hashes(&items).iter().collect();
    assert!(proven(&end.hears(answer(record(1), Vec::new(), 2))).is_empty(), "two of three");
    assert_eq!(proven(&end.hears(answer(record(1), Vec::new(), 1))), [(record(1), held)]);
    // Once more came of it meanwhile: it is still here, and asked about again after a while.
    let again: Vec<bool> = (0..3).map(|_| reads_leaves(&end.act(Link::on_tick))).collect();
    assert!(again.contains(&true));
}

#[test]
fn what_a_superior_lacks_it_is_given_and_has_once_it_acknowledges_that() {
    let (mut end, items) = leaving();
    // It brought them once, and has lost two of them since.
    let lacks = hashes(&items)[1..].to_vec();
    let out = end.hears(answer(record(1), lacks, 3));
    assert!(proven(&out).is_empty() && reads_leaves(&out));
    let out = end.page(items, 1_000);
    let sent = out.delivered();
    assert_eq!(sent.iter().map(|leaves| leaves.delivery.leaves.len()).sum::<usize>(), 2);
    let last = sent.last().expect("frames went out").sequence;
    assert!(proven(&end.hears(Frame::Ack { sequence: last - 1 })).is_empty());
    assert_eq!(proven(&end.hears(Frame::Ack { sequence: last })).len(), 1);
}

#[test]
fn what_is_not_durable_here_is_not_asked_about_and_nobody_below_is_asked() {
    let mut end = End::running(true, Some(1_000));
    end.leaving.insert(record(1), 1_001);
    assert!(!reads_leaves(&end.act(Link::on_tick)), "it left in a batch that is under way");
    let mut county = End::running(false, Some(1_000));
    county.leaving.insert(record(1), 900);
    assert!(!reads_leaves(&county.act(Link::on_tick)), "a township's word lets nothing go at the county");
}

#[test]
fn who_is_asked_says_what_it_lacks_of_what_it_was_told_and_no_more() {
    let mut end = End::running(false, Some(1_000));
    let items = feed(record(1), 1..=3, 100);
    let told = vec![hashes(&items)[0], [9; 32]];
    let records = vec![PossessionRecord { record: record(1), hashes: told, covered: 0 }];
    let out = end.hears(Frame::Possession(Possession { turn: PossessionTurn::Asked, records }));
    assert!(reads_leaves(&out));
    let said = asked(&end.page(items, 1_000));
    let expected = PossessionRecord { record: record(1), hashes: vec![[9; 32]], covered: 2 };
    assert_eq!((said[0].turn, &said[0].records), (PossessionTurn::Answered, &vec![expected]));
}

#[test]
fn who_asks_about_more_than_can_wait_ends_the_link() {
    let mut end = End::running(false, Some(1_000));
    let ask = |n: u32| {
        let hashes = (0..8_000u32).map(|at| hash("test ask", &[&n.to_le_bytes(), &at.to_le_bytes()])).collect();
        let records = vec![PossessionRecord { record: record(n), hashes, covered: 0 }];
        Frame::Possession(Possession { turn: PossessionTurn::Asked, records })
    };
    let refused = (0..400).position(|n| end.hears(ask(n)).refusal().is_some());
    assert!(refused.is_some_and(|after| (50..300).contains(&after)), "{refused:?}");
}
