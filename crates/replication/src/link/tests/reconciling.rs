//! What each scope comes to is compared first, and then the records of those that differ; questions and answers take turns.

use heliu_storage::Tally;

use super::*;

fn of_seat(end: &End, township: bool) -> Scope {
    let seat = end.directory.seats().iter().find(|seat| (seat.tier == Tier::Township) == township);
    Scope { owners: seat.map(|seat| seat.id).into_iter().collect(), ..Scope::default() }
}

fn whole(content: RangeContent) -> Vec<Range> {
    vec![Range { from: RecordId([0; 32]), to: None, content }]
}

/// An end where these scopes have each one record with this in it.
fn keeping(dialer: bool, kept: &[(Scope, u8)]) -> End {
    let mut end = End::running(dialer, None);
    for (scope, sum) in kept {
        end.kept.add(scope, &Tally { records: 1, held: Sum([*sum; 32]), ..Tally::default() });
    }
    end
}

fn said(out: &Out) -> Vec<Frame> {
    out.frames().filter(|frame| matches!(frame, Frame::Reconcile(_))).cloned().collect()
}

/// The ends compare their scopes. What each wants to know then; none if that was all.
fn compared(mine: &[(Scope, u8)], theirs: &[(Scope, u8)]) -> (Option<Wanted>, Option<Wanted>) {
    let (mut dialer, mut answerer) = (keeping(true, mine), keeping(false, theirs));
    let mut questions = said(&dialer.act(Link::on_scopes));
    assert!(!questions.is_empty());
    while !questions.is_empty() {
        let mut answers = Vec::new();
        for question in questions {
            answers.extend(said(&answerer.hears(question)));
            if answerer.link.wanted() == Some(&Wanted::Scopes) {
                answers.extend(said(&answerer.act(Link::on_scopes)));
            }
        }
        questions = answers.into_iter().flat_map(|answer| said(&dialer.hears(answer))).collect();
    }
    let wanted = dialer.link.wanted().cloned();
    if wanted.is_some() {
        let asked = dialer.act(|link, shared, out| link.on_scanned(&[], shared, out));
        said(&asked).into_iter().for_each(|question| drop(answerer.hears(question)));
    }
    (wanted, answerer.link.wanted().cloned())
}

fn rows(scopes: &[&Scope]) -> Option<Wanted> {
    Some(Wanted::Rows(Some(scopes.iter().map(|scope| (*scope).clone()).collect())))
}

#[test]
fn each_end_looks_at_the_records_of_its_scopes_that_differ_and_at_no_others() {
    let end = End::new(true);
    let (of_township, of_county) = (of_seat(&end, true), of_seat(&end, false));
    let public = public();
    let same = [(public.clone(), 1), (of_township.clone(), 2)];
    assert_eq!(compared(&same, &same), (None, None), "nothing is read");
    let other = [(public.clone(), 1), (of_township.clone(), 3)];
    assert_eq!(compared(&same, &other), (rows(&[&of_township]), rows(&[&of_township])));
    assert_eq!(compared(&same, &[]), (rows(&[&of_township, &public]), rows(&[])), "the other end has nothing");
    assert_eq!(compared(&[], &same), (rows(&[]), rows(&[&of_township, &public])));
    assert_eq!(compared(&same, &other[..1]), (rows(&[&of_township]), rows(&[])));
    // The county's own is not the township's to see.
    let more = [(public.clone(), 1), (of_township.clone(), 2), (of_county, 9)];
    assert_eq!(compared(&same, &more), (None, None));
}

#[test]
fn scopes_of_which_the_sums_agree_though_the_ends_differ_are_not_trusted_twice() {
    let mut end = keeping(true, &[(public(), 1)]);
    end.act(Link::on_scopes);
    end.hears(of_scopes(Turn::Answer, Vec::new()));
    let sequence = end.link.sending.last();
    end.hears(Frame::Ack { sequence });
    assert!(!end.link.reconciling.is_going_on(), "it has found nothing");
    end.link.reconciling.sums_differ();
    end.hears(of_scopes(Turn::Begin, Vec::new()));
    assert_eq!(end.link.wanted(), Some(&Wanted::Rows(None)), "all records are compared");
}

#[test]
fn who_speaks_of_records_before_scopes_are_compared_or_of_scopes_after_them_is_hung_up_on() {
    let mut end = keeping(true, &[(public(), 1)]);
    end.act(Link::on_scopes);
    assert!(end.hears(reconcile(Turn::Answer, Vec::new())).refusal().is_some());
    let mut end = End::talking(false, [record(1)]);
    assert!(end.hears(of_scopes(Turn::Question, whole(other()))).refusal().is_some());
}

#[test]
fn ranges_that_overlap_end_the_link() {
    let everything = Range { from: RecordId([0; 32]), to: None, content: RangeContent::Items(Vec::new()) };
    let backwards = Range { from: RecordId([9; 32]), to: Some(RecordId([1; 32])), ..everything.clone() };
    for ranges in [vec![everything; 4_096], vec![backwards]] {
        let mut end = End::talking(false, (0..100).map(record));
        assert!(end.hears(reconcile(Turn::Question, ranges)).refusal().is_some());
        assert!(end.link.sending.has_pushed(), "nothing of it was taken");
    }
}

#[test]
fn to_be_asked_to_begin_is_no_answer() {
    let mut end = End::talking(true, (0..3).map(record));
    assert!(end.hears(reconcile(Turn::Begin, Vec::new())).effects.is_empty());
    assert!(end.link.reconciling.is_going_on());
    let out = end.hears(reconcile(Turn::Answer, Vec::new()));
    assert_eq!(out.turns(), [Turn::Done]);
    assert_eq!(out.delivered()[0].through, Some(1_000));
}

#[test]
fn every_question_waits_for_the_whole_of_its_answer() {
    let mut end = End::talking(true, (0..3).map(record));
    let low = || Range { from: RecordId([0; 32]), to: Some(RecordId([9; 32])), content: other() };
    let high = || Range { from: RecordId([9; 32]), to: None, content: other() };
    assert_eq!(end.hears(reconcile(Turn::Part, vec![low()])).turns(), [Turn::Question]);
    assert_eq!(end.hears(reconcile(Turn::Answer, vec![high()])).turns(), [Turn::Question]);
    assert_eq!(end.hears(reconcile(Turn::Part, Vec::new())).turns(), []);
    assert_eq!(end.hears(reconcile(Turn::Answer, Vec::new())).turns(), []);
    assert_eq!(end.hears(reconcile(Turn::Answer, Vec::new())).turns(), [Turn::Done]);
    assert!(end.hears(reconcile(Turn::Answer, Vec::new())).refusal().is_some(), "nothing was asked");
}

#[test]
fn a_long_answer_comes_in_parts_of_which_the_last_is_marked() {
    let mut records: Vec<RecordId> = (0..20_000).map(record).collect();
    records.sort_unstable();
    let mut end = End::talking(false, records.iter().copied());
    let ends = records.chunks(20).map(|few| few[0]);
    let ranges = ends.clone().zip(ends.skip(1).map(Some).chain([None]));
    let ranges: Vec<Range> = ranges.map(|(from, to)| Range { from, to, content: other() }).collect();
    let out = end.hears(reconcile(Turn::Question, ranges));
    let turns = out.turns();
    assert!(turns.len() > 1 && turns[..turns.len() - 1].iter().all(|turn| *turn == Turn::Part), "{turns:?}");
    assert_eq!(turns.last(), Some(&Turn::Answer));
}

#[test]
fn a_second_question_does_not_wait_for_a_scan() {
    let mut end = End::running(false, None);
    let question = || reconcile(Turn::Question, vec![Range { from: RecordId([0; 32]), to: None, content: other() }]);
    assert!(end.hears(question()).refusal().is_none());
    assert!(end.hears(question()).refusal().is_some());
}
