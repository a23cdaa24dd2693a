//! Who may say what, and who hears it.

use heliu_record::id::LeafHash;
use proptest::prelude::*;

use super::*;
use crate::audience::{KeyWrap, Purpose};
use crate::commit::Commit;
use crate::grant::Recipient;
use crate::seal::KeyId;
use crate::signature::SealingKey;
use crate::simulated::{Cheap, CheapKey};
use crate::story::{Author, COUNTY, PLAIN, STRANGER, TOWNSHIP, VILLAGE, commit, directory, preimage, realm};

/// Never enrolled.
const NOBODY: CheapKey = CheapKey([77; 32]);

fn signed(by: &Author, body: Body) -> SignedStatement {
    SignedStatement::sign(Statement { realm: realm(), author: by.key.node(), time_ms: 5, body }, &by.key)
}

fn verdict(statement: &SignedStatement) -> Result<(), &'static str> {
    check(statement, &directory(), &|_| false, &Cheap).map_err(|error| error.code())
}

fn tombstone(by: &Author, birth: SeatId) -> SignedStatement {
    signed(by, Body::Tombstone { preimage: Preimage { birth, ..preimage() }, reason: Some([3; 32]) })
}

fn head(by: &Author, seq: u64, hash: u8) -> SignedStatement {
    signed(by, Body::AuditHead(AuditHead { seq, hash: [hash; 32] }))
}

fn commit_of(by: &Author, leaf: u8) -> SignedCommit {
    commit(by, vec![LeafHash([leaf; 32])], PLAIN, &directory())
}

fn keys_of(by: &Author) -> SignedStatement {
    let wraps =
        vec![KeyWrap { key: KeyId([1; 16]), to: Recipient::Node(by.key.node()), proof: [3; 16], wrapped: vec![2; 81] }];
    signed(by, Body::Keys(Keys { audience: VILLAGE.seat(), purpose: Purpose::Sealing, wraps }))
}

fn one_of_each() -> [SignedStatement; 5] {
    let evidence = Body::evidence(&commit_of(&VILLAGE, 1), &commit_of(&VILLAGE, 2));
    [
        tombstone(&TOWNSHIP, VILLAGE.seat()),
        head(&VILLAGE, 7, 1),
        signed(&VILLAGE, Body::Erased { record: preimage().id() }),
        signed(&TOWNSHIP, evidence),
        keys_of(&TOWNSHIP),
    ]
}

#[test]
fn every_statement_arrives_as_it_was_signed() {
    for statement in one_of_each() {
        assert_eq!(SignedStatement::decode(&statement.encode()).as_ref(), Ok(&statement));
        assert_eq!(verdict(&statement), Ok(()), "{}", statement.statement.body.name());
    }
    assert!(SignedStatement::decode(&[1; STATEMENT_BYTES_MAX + 1]).is_err());
}

#[test]
fn the_largest_evidence_fits() {
    let directory = directory();
    let large = |first: u8| {
        let leaves = (first..first + 64).map(|n| LeafHash([n; 32])).collect();
        let county = directory.county().expect("has one");
        let version = directory.head();
        let versions = (0..7).map(|n| (SeatId([n; 16]), version)).chain([(county, version)]);
        let mut commit = Commit { versions: versions.collect(), ..commit(&VILLAGE, leaves, PLAIN, &directory).commit };
        commit.versions.sort();
        commit.seq = u64::MAX;
        commit.previous = Some(crate::id::CommitId([0; 32]));
        SignedCommit::sign(commit, &VILLAGE.key)
    };
    let statement = signed(&TOWNSHIP, Body::evidence(&large(0), &large(100)));
    assert!(statement.encode().len() <= STATEMENT_BYTES_MAX);
    assert_eq!(SignedStatement::decode(&statement.encode()).as_ref(), Ok(&statement));
    assert_eq!(verdict(&statement), Ok(()));
}

/// Nobody erases what is his own, but the county, which has nobody above it here.
#[test]
fn a_record_is_erased_by_a_superior_of_its_birth_seat() {
    let (village, township, county) = (VILLAGE.seat(), TOWNSHIP.seat(), COUNTY.seat());
    for (by, birth) in [(&TOWNSHIP, village), (&COUNTY, village), (&COUNTY, township), (&COUNTY, county)] {
        assert_eq!(verdict(&tombstone(by, birth)), Ok(()));
    }
    for (by, birth) in [(&VILLAGE, village), (&STRANGER, village), (&TOWNSHIP, township), (&TOWNSHIP, county)] {
        assert_eq!(verdict(&tombstone(by, birth)), Err("statement.not-superior"));
    }
    let nowhere = check(&tombstone(&COUNTY, SeatId([9; 16])), &directory(), &|_| false, &Cheap);
    assert!(nowhere.is_err_and(|error| error.is_held()), "the seat may be in an entry yet to come");
}

#[test]
fn a_fenced_node_erases_nothing_and_is_heard_of_itself() {
    let fenced = |statement: &SignedStatement| check(statement, &directory(), &|_| true, &Cheap);
    let [tombstone, others @ ..] = one_of_each();
    assert_eq!(fenced(&tombstone), Err(StatementError::Fenced(TOWNSHIP.key.node())));
    others.iter().for_each(|statement| assert_eq!(fenced(statement), Ok(())));
}

#[test]
fn what_its_author_did_not_sign_is_not_kept() {
    let good = head(&VILLAGE, 7, 1);
    let forged = SignedStatement { signature: Signature([1; 64]), ..good.clone() };
    assert_eq!(verdict(&forged), Err("statement.bad-signature"));
    let mut changed = good.clone();
    changed.statement.body = Body::AuditHead(AuditHead { seq: 8, hash: [1; 32] });
    assert_eq!(verdict(&changed), Err("statement.wrong-hash"));
    let as_another =
        SignedStatement::sign(Statement { author: COUNTY.key.node(), ..good.statement.clone() }, &VILLAGE.key);
    assert_eq!(verdict(&as_another), Err("statement.bad-signature"));
    let foreign = SignedStatement::sign(Statement { realm: RealmId([9; 16]), ..good.statement.clone() }, &VILLAGE.key);
    assert_eq!(verdict(&foreign), Err("statement.wrong-realm"));
    let unknown = SignedStatement::sign(Statement { author: NOBODY.node(), ..good.statement }, &NOBODY);
    assert_eq!(verdict(&unknown), Err("statement.unknown-node"));
}

/// Only what convicts by itself: nobody has to believe whoever shows it.
#[test]
fn evidence_is_two_commits_that_one_signed_for_one_place() {
    let (one, two) = (commit_of(&VILLAGE, 1), commit_of(&VILLAGE, 2));
    let shown =
        |first: &SignedCommit, second: &SignedCommit| verdict(&signed(&TOWNSHIP, Body::evidence(first, second)));
    assert_eq!(shown(&one, &two), Ok(()));
    assert_eq!(shown(&two, &one), Ok(()), "in whatever order they were found");
    let forged = SignedCommit { signature: Signature([1; 64]), ..two.clone() };
    let later =
        SignedCommit::sign(Commit { incarnation: VILLAGE.restarted().incarnation, ..two.commit.clone() }, &VILLAGE.key);
    for (first, second) in [(&one, &one), (&one, &commit_of(&STRANGER, 2)), (&one, &forged), (&one, &later)] {
        assert_eq!(shown(first, second), Err("statement.no-evidence"));
    }
    let Body::Evidence { first, second } = Body::evidence(&one, &two) else { panic!("it is evidence") };
    let swapped = Body::Evidence { first: second, second: first };
    assert_eq!(verdict(&signed(&TOWNSHIP, swapped)), Err("statement.no-evidence"), "one deed is told in one way");
    let noise = Body::Evidence { first: vec![1], second: vec![2] };
    assert_eq!(verdict(&signed(&TOWNSHIP, noise)), Err("statement.no-evidence"));
}

#[test]
fn a_tombstone_is_for_everybody_and_the_rest_goes_upward() {
    let directory = directory();
    let includes = |statement: &SignedStatement, node: &Author| {
        let audience = statement.statement.audience(&directory).expect("a known author");
        audience.includes(node.seat(), directory.seats())
    };
    let [tombstone, head, erased, evidence, keys] = one_of_each();
    for node in [&COUNTY, &TOWNSHIP, &VILLAGE, &STRANGER] {
        assert!(includes(&tombstone, node));
    }
    for statement in [&head, &erased] {
        assert!(includes(statement, &VILLAGE) && includes(statement, &TOWNSHIP) && includes(statement, &COUNTY));
        assert!(!includes(statement, &STRANGER));
    }
    assert!(
        includes(&keys, &VILLAGE) && includes(&keys, &COUNTY) && !includes(&keys, &STRANGER),
        "in its audience's line"
    );
    assert!(includes(&evidence, &COUNTY) && !includes(&evidence, &VILLAGE), "the accused does not hear of it");
}

#[test]
fn only_a_longer_log_of_the_same_author_supersedes() {
    let supersedes = |a: &SignedStatement, b: &SignedStatement| a.statement.supersedes(&b.statement);
    assert!(supersedes(&head(&VILLAGE, 8, 2), &head(&VILLAGE, 7, 1)));
    assert!(!supersedes(&head(&VILLAGE, 7, 1), &head(&VILLAGE, 8, 2)));
    assert!(!supersedes(&head(&VILLAGE, 7, 2), &head(&VILLAGE, 7, 1)), "two of one length accuse");
    assert!(!supersedes(&head(&COUNTY, 8, 2), &head(&VILLAGE, 7, 1)));
    let [tombstone, head, erased, ..] = one_of_each();
    assert!(!supersedes(&tombstone, &erased) && !supersedes(&head, &erased) && !supersedes(&tombstone, &tombstone));
}

/// Stored and signed bytes: whoever changes the format gives it a new first byte, and keeps reading this one.
#[test]
fn the_first_format_does_not_change() {
    let preimage = Preimage { kind: "org".to_owned(), birth: SeatId([4; 16]), key: vec![5; 16] };
    let bodies = [
        Body::Tombstone { preimage: preimage.clone(), reason: None },
        Body::Tombstone { preimage, reason: Some([3; 32]) },
        Body::AuditHead(AuditHead { seq: 300, hash: [6; 32] }),
        Body::Erased { record: RecordId([7; 32]) },
        Body::Evidence { first: vec![8; 200], second: vec![9; 200] },
        Body::Keys(Keys {
            audience: SeatId([4; 16]),
            purpose: Purpose::Reading,
            wraps: vec![
                KeyWrap {
                    key: KeyId([5; 16]),
                    to: Recipient::Node(NodeId([6; 16])),
                    proof: [3; 16],
                    wrapped: vec![7; 81],
                },
                KeyWrap {
                    key: KeyId([5; 16]),
                    to: Recipient::Escrow(SealingKey([8; 32])),
                    proof: [3; 16],
                    wrapped: vec![9; 81],
                },
            ],
        }),
    ];
    let encoded =
        bodies.map(|body| Statement { realm: RealmId([1; 16]), author: NodeId([2; 16]), time_ms: -1, body }.encode());
    let all = hash_of(&encoded.concat());
    assert_eq!(heliu_record::id::to_hex(&all), "5a40c6cc2c74f006234419984f2633cbad2577915464da07b5a978d5fe164d7d");
}

proptest! {
    #[test]
    fn touched_bytes_are_another_statement_or_none(
        which in 0usize..5,
        at in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let original = &one_of_each()[which];
        let mut bytes = original.encode();
        let index = at.index(bytes.len());
        bytes[index] ^= flip;
        if let Ok(read) = SignedStatement::decode(&bytes) {
            prop_assert_ne!(&read, original);
            prop_assert_eq!(read.encode(), bytes);
            prop_assert!(verdict(&read).is_err());
        }
    }
}
