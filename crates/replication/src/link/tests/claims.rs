//! What the other end says that this node has written: believed if this node's signature is on it, and told otherwise.

use super::*;

/// A commit of this node's incarnation at a place that it has not reached, signed with a key.
fn claimed(end: &End, key: CheapKey) -> Option<Arc<SignedCommit>> {
    let commit = Commit {
        realm: end.directory.realm(),
        author: end.own.node,
        incarnation: OWN.1,
        seq: 9,
        previous: Some(heliu_trust::id::CommitId([8; 32])),
        versions: end.directory.versions(),
        time_ms: 0,
        leaves: vec![LeafHash([7; 32])],
    };
    Some(Arc::new(SignedCommit::sign(commit, &key)))
}

/// The county's end, as it says after its welcome that this node has written a commit.
fn told_of(known: impl FnOnce(&End) -> Option<Arc<SignedCommit>>) -> Out {
    let mut end = End::new(false);
    let hello = end.hello();
    end.hears(hello);
    let own = Cursor { store: THEIRS.0, incarnation: THEIRS.1, position: 0 };
    end.act(|link, shared, out| link.on_peer(Some(own), None, BTreeSet::new(), shared, out));
    let known_of_you = known(&end);
    end.hears(Frame::Welcome(Welcome { cursor: None, known_of_you, statements: Sum::default() }))
}

#[test]
fn who_claims_to_know_a_later_commit_of_this_node_without_its_signature_is_told_and_changes_nothing() {
    for _ in 0..3 {
        let out = told_of(|end| claimed(end, CheapKey([99; 32])));
        assert!(!out.arrivals.iter().any(|arrival| matches!(arrival, Arrival::RolledBack)), "no new incarnation");
        assert!(out.arrivals.iter().any(|arrival| matches!(arrival, Arrival::FalseClaim { .. })), "an alarm");
        assert!(out.effects.iter().any(|effect| matches!(effect, Effect::Notice(Notice::FalseClaim { .. }))));
        assert!(!out.effects.iter().any(|effect| matches!(effect, Effect::Close { .. })), "the link goes on");
    }
    // Another node's commit, well signed, is none of this node's.
    let out = told_of(|end| {
        let commit = claimed(end, CheapKey([3; 32]))?.commit.clone();
        let other = Commit { author: end.peer, ..commit };
        Some(Arc::new(SignedCommit::sign(other, &CheapKey([3; 32]))))
    });
    assert!(!out.arrivals.iter().any(|arrival| matches!(arrival, Arrival::RolledBack)));
}

#[test]
fn a_node_that_is_shown_a_later_commit_with_its_own_signature_knows_that_it_was_rolled_back() {
    let out = told_of(|end| claimed(end, CheapKey([2; 32])));
    assert!(out.arrivals.iter().any(|arrival| matches!(arrival, Arrival::RolledBack)));
    assert!(!out.arrivals.iter().any(|arrival| matches!(arrival, Arrival::FalseClaim { .. })));
}
