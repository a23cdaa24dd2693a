//! Commits: out of bounds, out of place, of nobody, or signed by the wrong hand.

use std::sync::Arc;

use heliu_record::change::{Change, Draft};
use heliu_record::id::{LeafHash, Preimage, SeatId};
use heliu_replication::frame::DeliveredLeaf;
use heliu_trust::commit::{Commit, SignedCommit};
use heliu_trust::id::{CommitId, DirectoryVersion, Incarnation, NodeId, RealmId};
use heliu_trust::signature::Signature;

use super::Hostile;
use super::desk::{Desk, signed};
use crate::author::{Author, key};

pub fn all(author: &Author) -> Vec<Hostile> {
    let mut all = vec![
        spoilt(author, "too many leaves", "commit.bounds", |commit| {
            commit.leaves.extend((0..64).map(|i| LeafHash([i; 32])));
        }),
        spoilt(author, "leaves by the thousand", "commit.bounds", |commit| {
            commit.leaves.extend((0..2_000u16).map(|i| LeafHash(std::array::from_fn(|at| i.to_be_bytes()[at % 2]))));
        }),
        spoilt(author, "leaf twice in a commit", "commit.bounds", |commit| commit.leaves.push(commit.leaves[0])),
        spoilt(author, "no leaves", "commit.bounds", |commit| commit.leaves.clear()),
        spoilt(author, "no directory version", "commit.bounds", |commit| commit.versions.clear()),
        spoilt(author, "versions out of order", "commit.bounds", |commit| {
            commit.versions = vec![commit.versions[0]; 2];
        }),
        spoilt(author, "commit seq 0", "commit.bounds", |commit| commit.seq = 0),
        spoilt(author, "no previous commit", "commit.bounds", |commit| commit.previous = None),
        spoilt(author, "foreign realm", "commit.wrong-realm", |commit| commit.realm = RealmId([9; 16])),
        spoilt(author, "unknown author", "commit.unknown-author", |commit| commit.author = NodeId([9; 16])),
        spoilt(author, "another's incarnation", "leaf.wrong-actor", |commit| commit.incarnation = Incarnation([9; 16])),
        spoilt(author, "not in its commit", "leaf.not-in-commit", |commit| commit.leaves = vec![LeafHash([9; 32])]),
        spoilt(author, "directory version unknown", "commit.unknown-version", |commit| {
            commit.versions[0].1 = DirectoryVersion([9; 32]);
        }),
        spoilt(author, "directory of another county", "commit.unknown-version", |commit| {
            commit.versions[0].0 = SeatId([9; 16]);
        }),
        spoilt(author, "commit seq beyond 2^63", "leaf.not-in-commit", |commit| commit.seq = u64::MAX),
    ];
    all.extend(signatures(author));
    all.extend(twice(author));
    all.extend(preimages(author));
    all
}

/// An honest edit in a commit that is spoilt, and signed as it then is.
fn spoilt(author: &Author, name: &'static str, code: &'static str, spoil: impl FnOnce(&mut Commit)) -> Hostile {
    let mut desk = Desk::new(author, name);
    let edit = Change::encode(desk.edit());
    desk.sign_with(&edit.raw, spoil);
    desk.done(code)
}

/// An honest commit, with another signature or id.
fn signatures(author: &Author) -> Vec<Hostile> {
    let forged = |name, code, sign: &dyn Fn(Commit) -> SignedCommit| {
        let mut desk = Desk::new(author, name);
        let edit = Change::encode(desk.edit());
        let commit = desk.next_commit(&edit.raw);
        desk.deliver(sign(commit), &edit.raw);
        desk.done(code)
    };
    let own = &*author.signer;
    vec![
        forged("signed by another enrolled key", "commit.bad-signature", &|commit| {
            signed(commit, &key(crate::author::STRANGER))
        }),
        forged("signed by nobody's key", "commit.bad-signature", &|commit| signed(commit, &key("nobody"))),
        forged("signature of zeros", "commit.bad-signature", &|commit| SignedCommit {
            signature: Signature([0; 64]),
            ..signed(commit, own)
        }),
        forged("signature of all ones", "commit.bad-signature", &|commit| SignedCommit {
            signature: Signature([0xff; 64]),
            ..signed(commit, own)
        }),
        forged("signature of bare bytes", "commit.bad-signature", &|commit| {
            let signed = signed(commit, own);
            SignedCommit { signature: own.sign(&signed.id.0), ..signed }
        }),
        forged("id of another commit", "commit.wrong-id", &|commit| SignedCommit {
            id: CommitId([9; 32]),
            ..signed(commit, own)
        }),
    ]
}

fn twice(author: &Author) -> Vec<Hostile> {
    let mut again = Desk::new(author, "a change in two commits");
    let edit = Change::encode(again.edit());
    again.write(&edit);
    again.sign(&edit.raw);

    // In one record the lower leaf hash counts; the other is delivered last.
    let mut fork = Desk::new(author, "two commits of one seq");
    let mut two = [fork.edit(), Draft { time_ms: 1, ..fork.edit() }].map(Change::encode);
    two.sort_by_key(|change| fork.leaf(&change.raw, 2));
    for change in &two {
        fork.seq = 1;
        fork.sign(&change.raw);
    }

    // In two records nothing of a record says so: that is for whoever compares chains.
    let name = "two commits of one seq, in two records";
    let (mut apart, mut other) = (Desk::new(author, name), Desk::empty(author, name));
    other.preimage = Arc::new(Preimage { key: vec![0x22; 16], ..(*other.preimage).clone() });
    other.sign(&Change::encode(Draft { time_ms: 2, ..other.birth_draft() }).raw);
    apart.delivery.commits.extend(other.delivery.commits);
    apart.delivery.leaves.extend(other.delivery.leaves.into_iter().map(|leaf| DeliveredLeaf { commit: 1, ..leaf }));

    vec![again.done("excluded.fork"), fork.done("excluded.fork"), apart.done("admitted")]
}

fn preimages(author: &Author) -> Vec<Hostile> {
    let of = |name, code, spoil: &dyn Fn(&mut Preimage)| {
        let mut desk = Desk::empty(author, name);
        let mut preimage = (*desk.preimage).clone();
        spoil(&mut preimage);
        desk.preimage = Arc::new(preimage);
        desk.sign(&desk.birth().raw);
        desk.done(code)
    };
    let newer = |name, version| {
        let mut desk = Desk::empty(author, name);
        desk.kind_version = version;
        desk.sign(&desk.birth().raw);
        desk.done("held.newer-kind")
    };
    vec![
        of("preimage without a kind", "leaf.preimage", &|preimage| preimage.kind.clear()),
        of("preimage with a long kind", "leaf.preimage", &|preimage| preimage.kind = "k".repeat(5_000)),
        of("preimage with a long key", "leaf.preimage", &|preimage| preimage.key = vec![1; 60_000]),
        of("kind that nobody knows", "held.unknown-kind", &|preimage| preimage.kind = "spaceship".to_owned()),
        newer("kind of a later version", 2),
        newer("kind of the last version", u32::MAX),
    ]
}
