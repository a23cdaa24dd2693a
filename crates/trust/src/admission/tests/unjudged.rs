//! What leaves that nobody here can judge may do: widen relaying, if their authors could share the record.

use heliu_record::change::{Change, Container, Draft, Scalar};
use heliu_record::scope::{CLASS, OWNER, Scope, seat_key};

use super::{Status, history, offer_all};
use crate::admission::{HeldReason, Leaf};
use crate::story::{self, Author, How, MISSING, PLAIN, STRANGER, TOWNSHIP, VILLAGE, birth, draft, leaf};

/// A leaf of a release that this node is not.
fn newer(author: &Author, puts: Vec<(Container, String, Scalar)>) -> Leaf {
    let change = Change::encode(draft(author, &history([&birth()]), puts));
    leaf(author, &change, How { kind_version: 999, ..PLAIN }, &story::directory())
}

fn publishes(author: &Author) -> Leaf {
    newer(author, vec![(Container::Scope, CLASS.to_owned(), "public".into())])
}

fn names(author: &Author, key: &str, value: Scalar) -> Leaf {
    newer(author, vec![(Container::Scope, key.to_owned(), value)])
}

/// The scope that a node relays by which holds the birth and these.
fn relayed(leaves: impl IntoIterator<Item = Leaf>) -> Scope {
    let directory = story::directory();
    let first = leaf(&VILLAGE, &birth(), PLAIN, &directory);
    let leaves = offer_all(std::iter::once(first).chain(leaves), &directory);
    let mut scope = Scope::of(leaves.history());
    leaves.widen(&mut scope, &directory);
    assert!(leaves.iter().filter(|(_, status)| **status == Status::Held(HeldReason::NewerKind)).count() > 0);
    scope
}

#[test]
fn a_former_home_cannot_publish_a_record_with_a_leaf_that_nobody_can_judge() {
    let own_seat = names(&STRANGER, &seat_key(STRANGER.seat()), "i1".into());
    let own = names(&STRANGER, OWNER, Scalar::Bytes(STRANGER.seat().0.to_vec()));
    for hostile in [publishes(&STRANGER), own_seat.clone(), own.clone()] {
        let scope = relayed([hostile]);
        assert!(!scope.public && scope.seats.is_empty() && !scope.owners.contains(&STRANGER.seat()), "{scope:?}");
    }
    let scope = relayed([own_seat, own, publishes(&STRANGER)]);
    assert!(!scope.public && !scope.named().any(|seat| seat == STRANGER.seat()));
}

#[test]
fn what_an_owner_shares_in_a_later_release_reaches_whom_it_names() {
    assert!(relayed([publishes(&VILLAGE)]).public);
    let shared = names(&TOWNSHIP, &seat_key(STRANGER.seat()), "i1".into());
    assert!(relayed([shared]).seats.contains(&STRANGER.seat()), "a superior of the owner");
    // The new owner shares on: whatever order the leaves have by their hashes.
    let handed = names(&TOWNSHIP, OWNER, Scalar::Bytes(STRANGER.seat().0.to_vec()));
    let scope = relayed([handed, publishes(&STRANGER)]);
    assert!(scope.public && scope.owners.contains(&STRANGER.seat()));
}

/// Whoever has what it waits for may have refused it.
#[test]
fn what_waits_names_nobody_not_even_for_a_superior_of_the_owner() {
    let directory = story::directory();
    let puts = vec![(Container::Scope, seat_key(STRANGER.seat()), "i1".into())];
    let shares = Draft { deps: vec![MISSING], ..draft(&TOWNSHIP, &history([&birth()]), puts) };
    let shares = leaf(&TOWNSHIP, &Change::encode(shares), PLAIN, &directory);
    let first = leaf(&VILLAGE, &birth(), PLAIN, &directory);
    for (held, known) in [(vec![shares.clone()], "the leaf alone"), (vec![first, shares], "with its beginning")] {
        let leaves = offer_all(held, &directory);
        let mut scope = Scope::of(leaves.history());
        leaves.widen(&mut scope, &directory);
        assert!(leaves.missing());
        assert_eq!(scope.named().collect::<Vec<_>>(), [VILLAGE.seat()], "{known}");
    }
}

#[test]
fn a_record_that_nobody_can_judge_is_its_birth_seats() {
    let directory = story::directory();
    let first = leaf(&VILLAGE, &birth(), How { kind_version: 999, ..PLAIN }, &directory);
    let leaves = offer_all([first, publishes(&STRANGER)], &directory);
    let mut scope = Scope::default();
    leaves.widen(&mut scope, &directory);
    assert_eq!(scope.owners.into_iter().collect::<Vec<_>>(), [VILLAGE.seat()]);
    assert!(!scope.public);
}
