//! Who may sign what: root, issuer, cosigners, delegates and fences; and what the root does about a thief.

use std::collections::BTreeSet;

use heliu_record::id::LeafHash;
use proptest::prelude::*;

use super::*;
use crate::id::{CommitId, Incarnation, NodeId, TokenId};
use crate::token::{JoinRequest, JoinToken};

const COUNTY_NODE: CheapKey = CheapKey([20; 32]);
const TOWNSHIP_NODE: CheapKey = CheapKey([21; 32]);
const COSIGNER: CheapKey = CheapKey([30; 32]);
const THIEF: CheapKey = CheapKey([66; 32]);
const COUNTY_CODE: &str = "371726000000";
const TOWNSHIP_CODE: &str = "371726101000";
const VILLAGE_CODE: &str = "371726101201";

fn issuer(key: CheapKey) -> Item {
    Item::Issuer { key: key.public_key() }
}

fn cosigner(active: bool) -> Item {
    Item::Cosigner { key: COSIGNER.public_key(), active }
}

fn fence(key: CheapKey) -> Item {
    Item::Fence(Fence::new(key.node(), Vec::new(), Vec::new()))
}

fn id(code: &str) -> SeatId {
    seat_id(&realm(), code)
}

/// The county, its township and village, and the nodes of the first two.
fn settled() -> Directory {
    grown(vec![vec![
        county(),
        township(),
        village(),
        node(COUNTY_NODE, COUNTY_CODE),
        node(TOWNSHIP_NODE, TOWNSHIP_CODE),
    ]])
}

fn enter(directory: &mut Directory, items: Vec<Item>, signers: &[&dyn Signer]) -> Result<SignedEntry, DirectoryError> {
    let entry = directory.draft(items, 0, signers)?;
    directory.append(&entry, &Cheap).map(|_| entry)
}

fn token(directory: &Directory, number: u8, code: &str, minter: CheapKey) -> JoinToken {
    let id = TokenId([number; 16]);
    JoinToken::mint(directory, "鄄城", seat_id(&realm(), code), id, 1_000, Vec::new(), &minter).expect("such a seat")
}

fn joining(directory: &Directory, number: u8, code: &str, minter: CheapKey) -> Item {
    let key = CheapKey([100 + number; 32]);
    let token = token(directory, number, code, minter);
    JoinRequest::sign(token, SealingKey(key.0), Vec::new(), &key).item("simulated")
}

#[test]
fn the_first_entry_is_the_roots_and_names_the_issuer() {
    let refused = |items, signer: CheapKey| empty().draft(items, 0, &[&signer]).expect_err("is refused");
    let whole = || vec![county(), issuer(ISSUER)];
    assert_eq!(refused(whole(), ISSUER), DirectoryError::NeedsRoot("the first entry"));
    assert_eq!(refused(vec![county()], ROOT), DirectoryError::NoIssuer);
    assert_eq!(refused(vec![issuer(ISSUER), county()], ROOT), DirectoryError::CountyFirst);
    let mut directory = empty();
    assert_eq!(directory.issuer(), None);
    enter(&mut directory, whole(), &[&ROOT]).expect("appends");
    assert_eq!((directory.issuer(), directory.root()), (Some(ISSUER.public_key()), ROOT.public_key()));
}

#[test]
fn what_only_the_root_says_the_issuer_does_not() {
    let mut directory = settled();
    let escrow = Item::Escrow { key: SealingKey([5; 32]) };
    for item in [issuer(THIEF), cosigner(true), escrow.clone(), Item::Resolve { abandoned: vec![directory.head()] }] {
        assert!(matches!(refusal(&directory, vec![item]), DirectoryError::NeedsRoot(_)));
    }
    enter(&mut directory, vec![escrow, cosigner(true)], &[&ROOT]).expect("the root may");
    assert_eq!(directory.escrow(), Some(SealingKey([5; 32])));
    assert_eq!(directory.cosigners().collect::<Vec<_>>(), [COSIGNER.public_key()]);
    let alone = directory.draft(vec![fence(TOWNSHIP_NODE)], 0, &[&COSIGNER]);
    assert_eq!(alone, Err(DirectoryError::NeedsIssuer), "a cosigner only signs along");
}

#[test]
fn two_signatures_for_what_a_thief_would_do() {
    let mut directory = settled();
    enter(&mut directory, vec![cosigner(true)], &[&ROOT]).expect("the root names a cosigner");
    enter(&mut directory, vec![Item::Policy { two_signatures: true }], &[&ISSUER]).expect("the issuer turns it on");
    let second_node = || node(THIEF, TOWNSHIP_CODE);
    let off = || Item::Policy { two_signatures: false };
    let new_seat = || seat("371726102000", Some(COUNTY_CODE), Tier::Township);
    for item in [second_node(), off(), new_seat(), fence(TOWNSHIP_NODE)] {
        assert!(directory.needs_second(std::slice::from_ref(&item)));
        let drafted = directory.draft(vec![item.clone()], 0, &[&ISSUER]).expect("one may draft it");
        assert!(matches!(directory.clone().append(&drafted, &Cheap), Err(DirectoryError::NeedsSecond(_))));
        let signed = directory.cosign(&drafted, &COSIGNER).expect("another signs it");
        assert_eq!((signed.version, signed.signatures.len()), (drafted.version, 2));
        assert_eq!(directory.clone().append(&signed, &Cheap), Ok(Grown::Added));
        assert!(enter(&mut directory.clone(), vec![item.clone()], &[&ISSUER, &COSIGNER]).is_ok(), "or both at once");
        assert!(enter(&mut directory.clone(), vec![item], &[&ROOT]).is_ok(), "the root needs nobody");
    }
    let foreign = directory.draft(vec![fence(TOWNSHIP_NODE)], 0, &[&ISSUER]).expect("drafts");
    assert_eq!(directory.cosign(&foreign, &THIEF), Err(DirectoryError::ForeignSigner(THIEF.public_key())));
    let twice = vec![node(THIEF, VILLAGE_CODE), node(CheapKey([67; 32]), VILLAGE_CODE)];
    assert!(directory.needs_second(&twice), "the second of two in one entry");
    let first_node = vec![node(CheapKey([68; 32]), VILLAGE_CODE)];
    assert!(!directory.needs_second(&first_node));
    enter(&mut directory, first_node, &[&ISSUER]).expect("the first node of a seat needs one");

    // A lost machine is replaced: fenced by two, its successor is the only live node.
    enter(&mut directory, vec![fence(TOWNSHIP_NODE)], &[&ISSUER, &COSIGNER]).expect("two fence");
    enter(&mut directory, vec![node(CheapKey([69; 32]), TOWNSHIP_CODE)], &[&ISSUER]).expect("one enrols");
    enter(&mut directory, vec![cosigner(false)], &[&ROOT]).expect("the root dismisses the cosigner");
    let late = directory.draft(vec![new_seat()], 0, &[&ISSUER, &COSIGNER]);
    assert_eq!(late, Err(DirectoryError::ForeignSigner(COSIGNER.public_key())));
}

#[test]
fn the_root_replaces_a_stolen_issuer_and_fences_undo_what_the_thief_enrolled() {
    let mut directory = settled();
    let before = directory.clone();
    enter(&mut directory, vec![node(THIEF, TOWNSHIP_CODE)], &[&ISSUER]).expect("the thief has the issuer's key");
    let next = CheapKey([2; 32]);
    enter(&mut directory, vec![issuer(next), fence(THIEF)], &[&ROOT]).expect("the root acts");
    assert_eq!(directory.issuer(), Some(next.public_key()));
    let stale = directory.draft(vec![fence(TOWNSHIP_NODE)], 0, &[&ISSUER]);
    assert_eq!(stale, Err(DirectoryError::ForeignSigner(ISSUER.public_key())));
    enter(&mut directory, vec![Item::Delegate { seat: id(TOWNSHIP_CODE), active: true }], &[&next]).expect("it works");

    let seat = id(TOWNSHIP_CODE);
    assert_eq!((directory.nodes_of(seat).count(), directory.live_nodes_of(seat).count()), (2, 1));
    assert!(directory.is_fenced(THIEF.node()) && directory.node(THIEF.node()).is_some(), "it stays known");
    let fenced = directory.fence(THIEF.node()).expect("is fenced");
    assert!(fenced.excludes(Incarnation([1; 16]), 1, &LeafHash([1; 32])), "nothing of it is good");
    assert!(!directory.may_enrol(THIEF.node(), seat) && directory.may_enrol(TOWNSHIP_NODE.node(), seat));
    assert!(matches!(
        directory.draft(vec![node(THIEF, VILLAGE_CODE)], 0, &[&next]),
        Err(DirectoryError::NodeFenced(_))
    ));

    // With the old key the thief signs for a place that is past: nobody takes it, and nothing freezes.
    let late = before.draft(vec![node(CheapKey([70; 32]), TOWNSHIP_CODE)], 9, &[&ISSUER]).expect("it can sign");
    let head = directory.head();
    assert_eq!(directory.append(&late, &Cheap), Err(DirectoryError::Settled { index: 1 }));
    assert_eq!(directory.head(), head);
}

#[test]
fn a_fence_is_a_frontier() {
    let (one, other) = (Incarnation([1; 16]), Incarnation([2; 16]));
    let last = CommitId([9; 32]);
    let leaf = |number: u8| LeafHash([number; 32]);
    let fence = Fence::new(COUNTY_NODE.node(), vec![(one, 5, last)], vec![leaf(3)]);
    assert!(!fence.excludes(one, 5, &leaf(9)) && !fence.excludes(one, 4, &leaf(4)));
    assert!(fence.excludes(one, 6, &leaf(6)), "beyond");
    assert!(fence.excludes(one, 2, &leaf(3)), "by name");
    assert!(fence.excludes(other, 1, &leaf(1)), "an incarnation that nobody knew");
    let bad = |frontier, excluded| {
        let item = Item::Fence(Fence { node: COUNTY_NODE.node(), frontier, excluded });
        matches!(refusal(&settled(), vec![item]), DirectoryError::Bounds(_))
    };
    assert!(bad(vec![(other, 1, last), (one, 1, last)], Vec::new()));
    assert!(bad(vec![(one, 0, last)], Vec::new()) && bad(Vec::new(), vec![leaf(1), leaf(1)]));
    let stranger = vec![super::powers::fence(THIEF)];
    assert_eq!(refusal(&settled(), stranger), DirectoryError::NoNode(THIEF.node()));
}

#[test]
fn a_township_enrols_its_villages_and_nobody_elses() {
    let mut directory = settled();
    let other = "371726102000";
    enter(&mut directory, vec![seat(other, Some(COUNTY_CODE), Tier::Township)], &[&ISSUER]).expect("appends");
    let may = |directory: &Directory, code| directory.may_enrol(TOWNSHIP_NODE.node(), id(code));
    let join = |directory: &Directory, number, code| joining(directory, number, code, TOWNSHIP_NODE);
    assert!(!may(&directory, VILLAGE_CODE));
    let early = refusal(&directory, vec![join(&directory, 1, VILLAGE_CODE)]);
    assert_eq!(early, DirectoryError::MayNotEnrol(TOWNSHIP_NODE.node()));
    let delegate = |active| Item::Delegate { seat: id(TOWNSHIP_CODE), active };
    enter(&mut directory, vec![delegate(true)], &[&ISSUER]).expect("appends");
    assert_eq!(directory.delegates().collect::<Vec<_>>(), [id(TOWNSHIP_CODE)]);
    let may_now = [VILLAGE_CODE, TOWNSHIP_CODE, other, COUNTY_CODE].map(|code| may(&directory, code));
    assert_eq!(may_now, [true, true, false, false]);
    let item = join(&directory, 1, VILLAGE_CODE);
    enter(&mut directory, vec![item], &[&ISSUER]).expect("a village joins");
    let info = directory.nodes_of(id(VILLAGE_CODE)).next().expect("is enrolled");
    assert_eq!(info.approval.as_ref().map(|approval| approval.minter), Some(TOWNSHIP_NODE.node()));
    let outside = refusal(&directory, vec![join(&directory, 2, other)]);
    assert_eq!(outside, DirectoryError::MayNotEnrol(TOWNSHIP_NODE.node()));
    let again = refusal(&directory, vec![join(&directory, 1, VILLAGE_CODE)]);
    assert!(matches!(again, DirectoryError::NodeTwice(_)));

    let item = join(&directory, 3, VILLAGE_CODE);
    let mut dismissed = directory.clone();
    enter(&mut dismissed, vec![delegate(false)], &[&ISSUER]).expect("appends");
    assert!(matches!(refusal(&dismissed, vec![item.clone()]), DirectoryError::MayNotEnrol(_)));
    enter(&mut directory, vec![fence(TOWNSHIP_NODE)], &[&ISSUER]).expect("appends");
    assert!(matches!(refusal(&directory, vec![item]), DirectoryError::MayNotEnrol(_)));
}

#[test]
fn a_token_is_good_once_and_only_with_its_minters_signature() {
    let mut directory = settled();
    let join = |number| joining(&directory, number, VILLAGE_CODE, COUNTY_NODE);
    let (first, mut same_token, mut forged) = (join(1), join(2), join(3));
    let Item::Node { approval: Some(approval), .. } = &mut same_token else { unreachable!("a node") };
    **approval = token(&directory, 1, VILLAGE_CODE, COUNTY_NODE).approval("simulated");
    let Item::Node { approval: Some(approval), .. } = &mut forged else { unreachable!("a node") };
    approval.expires_ms += 1;
    let both = vec![first.clone(), same_token.clone()];
    assert_eq!(refusal(&directory, both), DirectoryError::TokenUsed(TokenId([1; 16])));
    let bad = enter(&mut directory.clone(), vec![forged], &[&ISSUER]);
    assert_eq!(bad, Err(DirectoryError::TokenSignature(TokenId([3; 16]))));

    let Item::Node { node, .. } = first else { unreachable!("a node") };
    enter(&mut directory, vec![first, Item::Token { id: TokenId([8; 16]) }], &[&ISSUER]).expect("appends");
    let used = |number| directory.token_used(TokenId([number; 16]));
    assert_eq!((used(1), used(2)), (Some(Used { node: Some(node), index: 1 }), None));
    assert_eq!(used(8), Some(Used { node: None, index: 1 }));
    assert_eq!(refusal(&directory, vec![same_token]), DirectoryError::TokenUsed(TokenId([1; 16])));
    assert_eq!(
        refusal(&directory, vec![Item::Token { id: TokenId([1; 16]) }]),
        DirectoryError::TokenUsed(TokenId([1; 16]))
    );
}

/// Two branches, as a copied issuer's key makes them.
fn forked() -> (Directory, Directory) {
    let mut one = settled();
    let mut other = one.clone();
    enter(&mut one, vec![node(CheapKey([40; 32]), VILLAGE_CODE)], &[&ISSUER]).expect("appends");
    enter(&mut one, vec![fence(TOWNSHIP_NODE)], &[&ISSUER]).expect("appends");
    let village = seat("371726101202", Some(TOWNSHIP_CODE), Tier::Village);
    enter(&mut other, vec![village, node(THIEF, VILLAGE_CODE)], &[&ISSUER]).expect("appends");
    (one, other)
}

#[test]
fn a_fork_is_evidence_until_the_root_decides() {
    let (mut one, mut other) = forked();
    let theirs = SignedEntry::clone(&other.entries_from(1)[0]);
    let ours = SignedEntry::clone(&one.entries_from(1)[0]);
    let (before, verdicts) = (one.head(), one.verdicts());
    assert_eq!(one.append(&theirs, &Cheap), Err(DirectoryError::Forked { index: 1 }));
    assert_eq!(one.evidence(&theirs), Some((ours.clone(), theirs.clone())));
    assert_eq!((one.head(), one.evidence(&ours)), (before, None), "nothing changed here");

    let never_seen = DirectoryVersion([0xaa; 32]);
    let abandoned = BTreeSet::from([theirs.version, never_seen]);
    let next = CheapKey([2; 32]);
    let rescued = node(CheapKey([40; 32]), VILLAGE_CODE);
    let decision = one.draft_resolve(1, abandoned, vec![issuer(next), rescued], 9, &ROOT).expect("the root decides");
    assert_eq!(other.append(&decision, &Cheap), Ok(Grown::Replaced { from: 1 }));
    let cut: Vec<DirectoryVersion> = one.entries_from(1).iter().map(|entry| entry.version).collect();
    assert_eq!(one.append(&decision, &Cheap), Ok(Grown::Replaced { from: 1 }));
    assert_eq!(one.append(&decision, &Cheap), Ok(Grown::Nothing));
    for directory in [&one, &other] {
        assert_eq!((directory.len(), directory.head()), (2, decision.version));
        assert_eq!(directory.issuer(), Some(next.public_key()));
        assert_eq!((directory.seats().len(), directory.node(THIEF.node())), (3, None), "its seat and node are gone");
        assert!(!directory.is_fenced(TOWNSHIP_NODE.node()));
        for version in cut.iter().chain([&theirs.version, &never_seen]) {
            assert_eq!(directory.index_of(*version), Some(0), "who cited it cited what it was built on");
        }
        let mut directory = directory.clone();
        for late in [&ours, &theirs] {
            assert_eq!(directory.append(late, &Cheap), Err(DirectoryError::Settled { index: 1 }));
        }
    }
    assert!(one.verdicts() != verdicts && one.verdicts() == decision.version);
    enter(&mut one, vec![fence(TOWNSHIP_NODE)], &[&next]).expect("it grows again");
}

#[test]
fn two_decisions_of_the_root_do_not_replace_each_other_by_turns() {
    let (one, other) = forked();
    let named = |directory: &Directory| directory.entries_from(1).iter().map(|entry| entry.version).collect();
    let first = one.draft_resolve(1, named(&other), vec![issuer(ISSUER)], 1, &ROOT).expect("drafts");
    let second = one.draft_resolve(1, named(&other), vec![issuer(ISSUER)], 2, &ROOT).expect("drafts");
    let mut directory = one.clone();
    directory.append(&first, &Cheap).expect("appends");
    assert_eq!(directory.append(&second, &Cheap), Err(DirectoryError::Forked { index: 1 }));
    let mut all: BTreeSet<DirectoryVersion> = named(&other);
    all.extend([first.version, second.version]);
    let last = one.draft_resolve(1, all, vec![issuer(ISSUER)], 3, &ROOT).expect("drafts");
    assert_eq!(directory.append(&last, &Cheap), Ok(Grown::Replaced { from: 1 }));
    for late in [&first, &second] {
        assert_eq!(directory.append(late, &Cheap), Err(DirectoryError::Settled { index: 1 }));
    }
    let kept = directory.entries_from(0)[0].version;
    let own = directory.draft(vec![Item::Resolve { abandoned: vec![kept] }], 0, &[&ROOT]);
    assert_eq!(own, Err(DirectoryError::AbandonsOwn(kept)));
    assert_eq!(
        directory.draft_resolve(0, BTreeSet::new(), vec![county(), issuer(ISSUER)], 0, &ROOT),
        Err(DirectoryError::CountyFirst),
        "the first entry cannot be undone"
    );
    // What another branch held is heard of later: a decision that is the next entry gives up more.
    let heard = DirectoryVersion([0xbb; 32]);
    enter(&mut directory, vec![Item::Resolve { abandoned: vec![heard] }], &[&ROOT]).expect("appends");
    assert_eq!(directory.index_of(heard), Some(1));
}

#[test]
fn a_draft_that_was_not_completed_is_no_fork() {
    let mut directory = settled();
    enter(&mut directory, vec![cosigner(true), Item::Policy { two_signatures: true }], &[&ROOT]).expect("appends");
    let never_signed = directory.draft(vec![fence(TOWNSHIP_NODE)], 0, &[&ISSUER]).expect("drafts");
    enter(&mut directory, vec![node(CheapKey([40; 32]), VILLAGE_CODE)], &[&ISSUER]).expect("appends");
    assert!(matches!(directory.append(&never_signed, &Cheap), Err(DirectoryError::NeedsSecond(_))));
}

#[test]
fn entries_come_together_and_stop_at_the_first_that_is_bad() {
    let mut source = settled();
    let join = joining(&source, 1, VILLAGE_CODE, COUNTY_NODE);
    enter(&mut source, vec![join], &[&ISSUER]).expect("appends");
    for i in 0..500 {
        let addresses = vec![format!("10.0.0.1:{i}")];
        let moved = Item::Addresses { node: COUNTY_NODE.node(), addresses };
        enter(&mut source, vec![moved], &[&ISSUER]).expect("appends");
    }
    let entries: Vec<SignedEntry> = source.entries_from(0).iter().map(|entry| SignedEntry::clone(entry)).collect();
    let mut copy = empty();
    let appended = copy.append_all(&entries, &Cheap);
    assert_eq!((appended.grown, appended.error), (vec![Grown::Added; 502], None));
    assert_eq!(copy.head(), source.head());
    let again = copy.append_all(&entries[400..], &Cheap);
    assert_eq!(again.grown, vec![Grown::Nothing; 102]);

    let mut bad = entries.clone();
    bad[3].signatures[0].1.0[0] ^= 1;
    let mut copy = empty();
    let appended = copy.append_all(&bad, &Cheap);
    assert_eq!((appended.grown.len(), appended.error, copy.len()), (3, Some(DirectoryError::BadSignature), 3));
}

#[test]
fn every_item_comes_back_as_it_was_written() {
    let directory = settled();
    let frontier = vec![(Incarnation([1; 16]), 300, CommitId([2; 32])), (Incarnation([2; 16]), 1, CommitId([1; 32]))];
    let items = vec![
        county(),
        village(),
        node(COUNTY_NODE, COUNTY_CODE),
        joining(&directory, 1, VILLAGE_CODE, COUNTY_NODE),
        Item::Addresses { node: COUNTY_NODE.node(), addresses: vec!["a:1".to_owned(), "b:2".to_owned()] },
        issuer(ISSUER),
        cosigner(true),
        cosigner(false),
        Item::Policy { two_signatures: true },
        Item::Escrow { key: SealingKey([1; 32]) },
        Item::Delegate { seat: id(TOWNSHIP_CODE), active: true },
        Item::Token { id: TokenId([1; 16]) },
        Item::Fence(Fence::new(NodeId([1; 16]), frontier, vec![LeafHash([9; 32]), LeafHash([8; 32])])),
        Item::Resolve { abandoned: vec![DirectoryVersion([1; 32]), DirectoryVersion([2; 32])] },
        Item::TimeZone { name: "America/Argentina/ComodRivadavia".to_owned() },
    ];
    let entry = Entry { items, ..directory.entries_from(0)[0].entry.clone() };
    for signers in [&[&ROOT as &dyn Signer][..], &[&ISSUER, &COSIGNER]] {
        let signed = SignedEntry::sign(entry.clone(), signers);
        assert_eq!(SignedEntry::decode(&signed.encode()).as_ref(), Ok(&signed));
    }
    let unknown = [entry.encode().as_slice(), &[77]].concat();
    assert!(Entry::decode(&unknown).is_err());
}

#[test]
fn the_issuer_says_in_which_time_zone_the_realms_days_begin() {
    let mut directory = settled();
    assert_eq!(directory.time_zone(), "Asia/Shanghai", "unless somebody says otherwise");
    let zone = |name: &str| vec![Item::TimeZone { name: name.to_owned() }];
    enter(&mut directory, zone("Asia/Urumqi"), &[&ISSUER]).expect("the issuer may");
    assert_eq!(directory.time_zone(), "Asia/Urumqi");
    // A name that this program does not know may be one of a later tz database; what is no name is none.
    enter(&mut directory, zone("Mars/Olympus-Mons_1+2"), &[&ROOT]).expect("it has the form of one");
    for bad in ["", "Asia/Shang hai", "Asia/\u{4e0a}", "../etc\n", &"x".repeat(65)] {
        let refused = enter(&mut directory, zone(bad), &[&ISSUER]).expect_err("it is no name of a zone");
        assert!(matches!(refused, DirectoryError::Bounds(_)), "{bad:?}: {refused}");
    }
    assert_eq!(directory.time_zone(), "Mars/Olympus-Mons_1+2");
}

proptest! {
    /// Whatever of two branches and decisions comes in whatever order, and again: who has heard all agrees.
    #[test]
    fn nodes_that_heard_all_agree_on_the_roots_decision(
        order in Just((0..5usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let (one, other) = forked();
        let named = other.entries_from(1).iter().map(|entry| entry.version).collect();
        let decision = one.draft_resolve(1, named, vec![issuer(ISSUER)], 1, &ROOT).expect("drafts");
        let mut decided = one.clone();
        decided.append(&decision, &Cheap).expect("appends");
        let after = enter(&mut decided, vec![fence(TOWNSHIP_NODE)], &[&ISSUER]).expect("appends");
        let entries = [&one.entries_from(1)[0], &one.entries_from(1)[1], &other.entries_from(1)[0]];
        let entries: Vec<&SignedEntry> = entries.into_iter().map(AsRef::as_ref).chain([&decision, &after]).collect();
        let mut heard = settled();
        for _ in 0..2 {
            for i in &order {
                let _ = heard.append(entries[*i], &Cheap);
            }
        }
        prop_assert_eq!(heard.head(), decided.head());
        prop_assert_eq!(heard.verdicts(), decided.verdicts());
        for entry in entries {
            prop_assert_eq!(heard.index_of(entry.version), decided.index_of(entry.version));
        }
    }
}
