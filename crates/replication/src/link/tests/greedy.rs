//! An end that asks for more than it takes, or again and again: it costs no more than its share, and what it asks for does
//! not pile up.

use super::*;
use crate::frame::Checkpoint;

fn scans(out: &Out) -> usize {
    out.arrivals.iter().filter(|arrival| matches!(arrival, Arrival::Compare { .. })).count()
}

fn whole() -> Range {
    Range { from: RecordId([0; 32]), to: None, content: other() }
}

#[test]
fn who_asks_and_takes_nothing_is_not_waited_for_without_bound() {
    let mut end = End::running(false, Some(1_000));
    // One read is under way, and is not answered: as if the window were full.
    let frame = |n: u32| {
        let records = (0..4_096).map(|at| (record(n * 4_096 + at), vec![[1; 8]])).collect();
        Frame::Have(Have { records, reply: true })
    };
    let refused = (0..200).position(|n| end.hears(frame(n)).refusal().is_some());
    assert!(refused.is_some_and(|after| after > 40), "200,000 records may wait: {refused:?}");
    // Nor is it one record that is listed again.
    let mut end = End::running(false, Some(1_000));
    let list = || (0..60_000u64).map(u64::to_be_bytes).collect();
    for _ in 0..100 {
        let records = vec![(record(1), list())];
        assert!(end.hears(Frame::Have(Have { records, reply: true })).refusal().is_none());
    }
}

#[test]
fn what_has_been_read_no_longer_counts_as_asked_for() {
    let mut end = End::running(false, Some(1_000));
    for n in 0..300 {
        let records = vec![(record(n), (0..20_000u64).map(u64::to_be_bytes).collect())];
        assert!(end.hears(Frame::Have(Have { records, reply: true })).refusal().is_none(), "at {n}");
        end.page(Vec::new(), 1_000);
    }
}

#[test]
fn one_reconciliation_sends_each_record_once() {
    let all = |content| vec![Range { content, ..whole() }];
    let nothing = || reconcile(Turn::Question, all(RangeContent::Fingerprint { count: 0, sum: Sum::default() }));
    let mut end = End::talking(false, (0..3_000).map(record));
    assert!(end.hears(nothing()).refusal().is_none());
    assert!(end.hears(nothing()).refusal().is_some());
    let mut end = End::talking(false, (0..3_000).map(record));
    let missing = RangeContent::Missing(vec![record(1); 4_000]);
    assert!(end.hears(reconcile(Turn::Question, all(missing))).refusal().is_some());
}

#[test]
fn scans_that_the_other_end_causes_are_few_and_none_is_lost() {
    let mut end = End::running(false, Some(1_000));
    let round = |end: &mut End| {
        let scanned = scans(&end.hears(reconcile(Turn::Question, vec![whole()])));
        end.act(|link, shared, out| link.on_scanned(&[], shared, out));
        end.hears(reconcile(Turn::Done, Vec::new()));
        let sequence = end.link.reconciling.finished();
        end.hears(Frame::Ack { sequence });
        scanned
    };
    for _ in 0..16 {
        assert_eq!(round(&mut end), 1);
    }
    assert_eq!(scans(&end.hears(reconcile(Turn::Question, vec![whole()]))), 0, "it waits");
    assert!(end.link.reconciling.is_going_on());
    let later: usize = (0..60).map(|_| scans(&end.act(Link::on_tick))).sum();
    assert_eq!(later, 1, "its turn comes");
    let out = end.act(|link, shared, out| link.on_scanned(&[], shared, out));
    assert_eq!(out.turns(), [Turn::Answer]);
}

#[test]
fn checkpoints_are_compared_a_few_times_per_tick() {
    let mut end = End::running(false, Some(1_000));
    end.hears(Frame::Leaves(Leaves { withdrawn: vec![record(1)], ..leaves(1, 0, 0) }));
    end.act(|link, shared, out| link.ingested(1, Vec::new(), shared, out));
    let directory = end.directory.head();
    let checkpoint = Checkpoint { mine: 0, yours: 1_000, sums: Sums::default(), statements: Sum::default(), directory };
    let compared = |end: &mut End| {
        let hear = |_: u32| end.hears(Frame::Checkpoint(checkpoint)).frames().cloned().collect::<Vec<_>>();
        let verdicts: Vec<Vec<Frame>> = (0..1_000).map(hear).collect();
        assert!(verdicts.iter().all(|said| said.len() == 1), "each is answered");
        verdicts.iter().filter(|said| said[0] == Frame::Verdict(Verdict::Equal)).count()
    };
    assert_eq!(compared(&mut end), 8);
    end.act(Link::on_tick);
    assert_eq!(compared(&mut end), 8);
}

#[test]
fn a_verdict_that_nobody_asked_for_alarms_nobody() {
    let mut end = End::running(true, Some(1_000));
    let notices = |out: &Out| out.effects.iter().filter(|effect| matches!(effect, Effect::Notice(_))).count();
    let told: usize = (0..1_000).map(|_| notices(&end.hears(Frame::Verdict(Verdict::JudgedDifferently)))).sum();
    assert!(told <= 1, "{told} alarms");
    assert!(end.link.verifying.mismatches() <= 1);
}

#[test]
fn the_lists_of_long_records_are_read_a_few_times_per_tick() {
    let mut end = End::running(false, Some(1_000));
    let long = feed(record(1), 1..=100, 60_000);
    let asked = |end: &mut End| {
        let held = long.iter().filter_map(|item| match &item.entry {
            FeedEntry::Leaf(row) => row.hash.0.first_chunk().copied(),
            _ => None,
        });
        let out = end.hears(Frame::Have(Have { records: vec![(record(1), held.collect())], reply: true }));
        let is_read = out.effects.iter().any(|effect| matches!(effect, Effect::ReadLeaves { .. }));
        if is_read {
            let said = end.page(long.clone(), 1_000);
            assert!(said.frames().any(|frame| matches!(frame, Frame::Have(_))), "it is told what is here");
        }
        usize::from(is_read)
    };
    let reads: usize = (0..100).map(|_| asked(&mut end)).sum();
    assert_eq!(reads, 6, "of 6 MB each");
    assert!(!end.link.sending.has_pushed(), "the last waits");
    let out = end.act(Link::on_tick);
    assert!(out.effects.iter().any(|effect| matches!(effect, Effect::ReadLeaves { .. })), "its turn comes");
}
