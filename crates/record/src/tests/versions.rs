//! Who may approve changes with a version of the kind, and re-judges nothing that stands.

use std::sync::{Arc, LazyLock};

use super::toy::{BY_OWNER, BY_SUPERIOR, PERMIT, TOWNSHIP, VILLAGE, approves, asked, permit, preimage, seats};
use crate::authority::{AuthorityError, may};
use crate::catalogue::{Catalogue, CatalogueError, section};
use crate::handle::{StateOf, fields, state};
use crate::kind::{Earlier, Field, Kind, Merge, State, StateMachine, ValueType, Writer, label};
use crate::view::Record;

#[test]
fn what_its_owner_approved_under_the_first_version_stands_and_under_the_second_it_takes_a_superior() {
    let (mut history, preimage, seats) = (asked(), preimage(), seats());
    let judge = |by, change: &_, version| {
        let gate = PERMIT.at(version).expect("it is declared");
        may(by, change, &preimage, &asked().now(), gate, &seats)
    };
    let own = approves(VILLAGE, &history, "a");
    assert_eq!(judge(VILLAGE, &own, 1), Ok(()));
    let refused = judge(VILLAGE, &own, 2).expect_err("its owner is not above its neighbour");
    assert!(matches!(refused, AuthorityError::NotWriter { .. }), "{refused}");
    assert_eq!(judge(TOWNSHIP, &approves(TOWNSHIP, &history, "b"), 2), Ok(()));
    assert!(PERMIT.at(0).is_none() && PERMIT.at(3).is_none());

    // A fold shows both, in the words of now.
    let state = |history: &_| {
        let record = Record::fold(Some(&PERMIT), preimage.clone(), Arc::new(Clone::clone(history)), &seats);
        record.view.json.get("approval").cloned()
    };
    let before = state(&history);
    history.place(Arc::new(own));
    assert_ne!(state(&history), before, "what the owner approved shows");
    let above = approves(TOWNSHIP, &history, "b");
    assert_eq!(may(TOWNSHIP, &above, &preimage, &history.now(), PERMIT.gate(), &seats), Ok(()));
    history.place(Arc::new(above));
    assert!(state(&history).expect("it has a state").to_string().contains("approved"));
}

#[test]
fn a_digest_says_who_may_write_and_nothing_of_words_or_order() {
    static RENAMED: Field = Field {
        label: label("许可名", "name of the permit"),
        help: label("一", "one"),
        required: true,
        ..Field::new("name", Merge::Mv, ValueType::Text(40), Writer::Owner, label("", ""))
    };
    static TURNED: LazyLock<[&Field; 2]> = LazyLock::new(|| [BY_OWNER[1], BY_OWNER[0]]);
    static OTHER_WORDS: LazyLock<[&Field; 2]> = LazyLock::new(|| [&RENAMED, BY_OWNER[1]]);
    let digest = |own: &'static [&'static Field]| permit(1, own, &[]).gate().digest();
    assert_eq!(digest(BY_OWNER), digest(&*OTHER_WORDS));
    assert_eq!(digest(BY_OWNER), digest(&*TURNED));
    assert_ne!(digest(BY_OWNER), digest(BY_SUPERIOR));
    assert_ne!(digest(BY_OWNER), permit(2, BY_OWNER, &[]).gate().digest(), "nor is one version another");
    assert_eq!(digest(BY_OWNER), PERMIT.at(1).expect("it is declared").digest(), "the first is as it was");
}

#[test]
fn the_versions_of_a_kind_ascend_to_its_own() {
    let of = |kind: Kind| {
        let kinds: &'static [&'static Kind] = Box::leak(Box::new([&*Box::leak(Box::new(kind))]));
        Catalogue::new(&[&section(kinds, &[], &[], &[], &[])])
    };
    let made = |kind: Kind| of(kind).map(|_| ());
    assert_eq!(made(permit(2, BY_SUPERIOR, PERMIT.earlier)), Ok(()));
    assert_eq!(made(permit(7, BY_SUPERIOR, PERMIT.earlier)), Ok(()), "some may have been skipped");
    static TWICE: [Earlier; 2] = [Earlier::scoped(1, BY_OWNER), Earlier::scoped(1, BY_OWNER)];
    for (version, earlier) in [(0, &[][..]), (1, PERMIT.earlier), (2, &TWICE)] {
        assert_eq!(made(permit(version, BY_SUPERIOR, earlier)), Err(CatalogueError::Versions("permit")));
    }
    let long = Kind {
        name: "a-name-of-a-kind-that-is-far-too-long-to-be-said-in-a-hello-to-others",
        ..permit(1, BY_OWNER, &[])
    };
    assert!(matches!(made(long), Err(CatalogueError::TooMuch(_))));
    let made = of(permit(2, BY_SUPERIOR, PERMIT.earlier)).expect("it hangs together");
    let declared: Vec<_> = made.digests().iter().map(|(kind, version, _)| (kind, version)).collect();
    assert_eq!(declared, [("permit", 1), ("permit", 2)]);
    let skips = of(permit(3, BY_SUPERIOR, PERMIT.earlier)).expect("it hangs together");
    for (one, other) in [(&made, &skips), (&skips, &made)] {
        let differing: Vec<_> = one.digests().differing(other.digests()).collect();
        assert_eq!(differing, [("permit", 2)], "one lacks it although it declares the third, which is only newer");
        assert_ne!(one.digests().stamp(), other.digests().stamp());
    }
    let alone = of(permit(2, BY_OWNER, PERMIT.earlier)).expect("it hangs together");
    assert_eq!(made.digests().differing(alone.digests()).collect::<Vec<_>>(), [("permit", 2)], "the first is the same");
}

#[test]
fn a_digest_says_where_a_record_is_that_nobody_decided_about() {
    const fn at(name: &'static str) -> State {
        State::new(name, label("态", "state"), 0, Writer::Owner, &[])
    }
    static ONE: [State; 2] = [at("a"), at("b")];
    static OTHER: [State; 2] = [at("b"), at("a")];
    static FROM_ONE: StateMachine = StateMachine { states: &ONE };
    static FROM_OTHER: StateMachine = StateMachine { states: &OTHER };
    static BY_ONE: StateOf = state("approval", &FROM_ONE, "批准", "approval");
    static BY_OTHER: StateOf = state("approval", &FROM_OTHER, "批准", "approval");
    let digest = |own: &'static [&'static Field]| permit(1, own, &[]).gate().digest();
    static OF_ONE: &[&Field] = fields![BY_ONE];
    static OF_OTHER: &[&Field] = fields![BY_OTHER];
    assert_ne!(digest(OF_ONE), digest(OF_OTHER));
}
