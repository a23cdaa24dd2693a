//! What a link makes of what cannot be judged at one of its ends.

use heliu_record::gate::KindDigest;

use super::*;

#[test]
fn each_greeting_asks_first_about_other_records() {
    let asks = |number| {
        let mut end = End::new(false);
        end.link.line.id = LinkId(number);
        let hello = end.hello();
        let out = end.hears(hello);
        let after = |effect: &Effect| if let Effect::ReadPeer { after, .. } = effect { Some(*after) } else { None };
        out.effects.iter().find_map(after).expect("it looks up what it wants")
    };
    assert!(asks(1) == asks(1) && asks(1) != asks(2));
}

#[test]
fn whoever_declares_the_same_kinds_has_no_excuse_for_judging_differently() {
    let found = |own: Digests| {
        let mut end = End::running(true, Some(1_000));
        end.kinds = own;
        let out = end.hears(Frame::Verdict(Verdict::HeldEqual));
        let asked = |effect: &Effect| matches!(effect, Effect::Notice(Notice::JudgedDifferently { .. }));
        (end.link.verifying.held_only(), out.effects.iter().any(asked))
    };
    assert_eq!(found(Digests::default()), (false, true));
    let more = Digests::new(vec![("note".into(), 1, KindDigest([1; 32]))]).expect("in order");
    assert_eq!(found(more), (true, false));
}
