//! The directory's rules, told with a small county.

use heliu_record::codec::DecodeError;
use heliu_record::seats::{BadSeat, Seat, Tier};
use proptest::prelude::*;

use super::*;
use crate::id::{realm_id, seat_id};
use crate::signature::{SealingKey, Signer};
use crate::simulated::{Cheap, CheapKey};

mod powers;

const ROOT: CheapKey = CheapKey([101; 32]);
const ISSUER: CheapKey = CheapKey([1; 32]);

fn realm() -> RealmId {
    realm_id(&ROOT.public_key(), "鄄城")
}

fn seat(code: &str, parent: Option<&str>, tier: Tier) -> Item {
    let parent = parent.map(|code| seat_id(&realm(), code));
    Item::Seat(Seat { id: seat_id(&realm(), code), code: code.to_owned(), name: code.to_owned(), parent, tier })
}

fn county() -> Item {
    seat("371726000000", None, Tier::County)
}

fn township() -> Item {
    seat("371726101000", Some("371726000000"), Tier::Township)
}

fn village() -> Item {
    seat("371726101201", Some("371726101000"), Tier::Village)
}

fn node(key: CheapKey, code: &str) -> Item {
    let addresses = vec!["10.1.2.3:7700".to_owned()];
    Item::enrol(&key, seat_id(&realm(), code), SealingKey(key.0), addresses)
}

fn empty() -> Directory {
    Directory::new(realm(), ROOT.public_key())
}

/// A directory that holds one entry per list of items; the first names the issuer as well.
fn grown(entries: Vec<Vec<Item>>) -> Directory {
    let mut directory = empty();
    for mut items in entries {
        let mut signer = ISSUER;
        if directory.is_empty() {
            items.push(Item::Issuer { key: ISSUER.public_key() });
            signer = ROOT;
        }
        let entry = directory.draft(items, 0, &[&signer]).expect("drafts");
        directory.append(&entry, &Cheap).expect("appends");
    }
    directory
}

fn refusal(directory: &Directory, items: Vec<Item>) -> DirectoryError {
    let signer = if directory.is_empty() { ROOT } else { ISSUER };
    directory.draft(items, 0, &[&signer]).expect_err("is refused")
}

#[test]
fn nodes_of_one_process_verify_an_entry_once_and_take_no_other_for_it() {
    let pool = Pool::default();
    let first = grown(vec![vec![county(), township()]]);
    let entry = first.draft(vec![village()], 0, &[&ISSUER]).expect("drafts");
    let mut ahead = first.clone();
    ahead.append(&entry, &Cheap).expect("appends");
    assert!(pool.grown(&first, std::slice::from_ref(&entry)).is_none(), "nobody has verified it");
    let ahead = pool.copy_of(ahead);

    let same = pool.grown(&first, std::slice::from_ref(&entry)).expect("somebody has");
    assert_eq!((same.head(), same.seats().len()), (ahead.head(), 3));
    let all: Vec<SignedEntry> = ahead.entries_from(0).iter().map(|entry| (**entry).clone()).collect();
    assert!(pool.grown(&empty(), &all).is_some_and(|same| same.head() == ahead.head()));

    let mut forged = entry.clone();
    forged.signatures[0].1.0[0] ^= 1;
    assert!(pool.grown(&first, &[forged]).is_none(), "of the same version, but not what was verified");
    assert!(pool.grown(&empty(), &all[1..]).is_none(), "it does not go on from there");
    let elsewhere = Directory::new(realm_id(&ISSUER.public_key(), "鄄城"), ISSUER.public_key());
    assert!(pool.grown(&elsewhere, &all).is_none(), "another realm");
}

#[test]
fn a_county_grows_and_remembers_since_when() {
    let key = CheapKey([9; 32]);
    let directory = grown(vec![
        vec![county(), township()],
        vec![village(), node(key, "371726101201")],
        vec![Item::Addresses { node: key.node(), addresses: vec!["village.example:7700".to_owned()] }],
    ]);
    assert_eq!((directory.len(), directory.seats().len()), (3, 3));
    let info = directory.node(key.node()).expect("is enrolled");
    assert_eq!((info.since, info.addresses[0].as_str()), (1, "village.example:7700"));
    assert_eq!(directory.nodes_of(info.seat).count(), 1);

    let versions: Vec<DirectoryVersion> = directory.entries_from(0).iter().map(|entry| entry.version).collect();
    assert_eq!(directory.node_at_index(key.node(), 0), None, "not yet");
    assert!(directory.node_at_index(key.node(), 1).is_some());
    assert_eq!(directory.node_at_index(key.node(), 3), None, "no such version");
    assert_eq!((0..3).map(|at| directory.index_of(versions[at])).collect::<Vec<_>>(), [Some(0), Some(1), Some(2)]);
    assert_eq!(directory.index_of(DirectoryVersion([7; 32])).or(directory.index_of(DirectoryVersion::EMPTY)), None);
    assert_eq!((directory.seats_at(0).len(), directory.seats_at(1).len(), directory.seats_at(2).len()), (2, 3, 3));
    assert_eq!(directory.versions(), [(directory.county().expect("has one"), versions[2])]);
    assert_eq!(directory.entries_from(9).len(), 0);
}

#[test]
fn a_copy_catches_up_entry_by_entry_and_takes_each_twice() {
    let source = grown(vec![vec![county()], vec![township()], vec![village()]]);
    let mut copy = empty();
    let late = copy.append(&source.entries_from(1)[0], &Cheap);
    assert_eq!(late, Err(DirectoryError::Gap { expected: 0, found: 1 }), "out of order");
    for entry in source.entries_from(0) {
        let read = SignedEntry::decode(&entry.encode()).expect("reads");
        copy.append(&read, &Cheap).expect("appends");
        copy.append(&read, &Cheap).expect("again is harmless");
    }
    assert_eq!((copy.head(), copy.len()), (source.head(), 3));
}

#[test]
fn a_clone_does_not_see_what_its_original_learns() {
    let mut original = grown(vec![vec![county()]]);
    let clone = original.clone();
    let entry = original.draft(vec![township()], 0, &[&ISSUER]).expect("drafts");
    original.append(&entry, &Cheap).expect("appends");
    assert_eq!((clone.len(), clone.seats().len(), original.seats().len()), (1, 1, 2));
}

#[test]
fn a_forked_log_does_not_grow() {
    let base = grown(vec![vec![county()]]);
    let one = base.draft(vec![township()], 0, &[&ISSUER]).expect("drafts");
    let other = base.draft(vec![township()], 1, &[&ISSUER]).expect("drafts");
    let mut directory = base.clone();
    directory.append(&one, &Cheap).expect("appends");
    assert_eq!(directory.append(&other, &Cheap), Err(DirectoryError::Forked { index: 1 }));

    let mut elsewhere = base.clone();
    elsewhere.append(&other, &Cheap).expect("appends");
    let next = elsewhere.draft(vec![village()], 2, &[&ISSUER]).expect("drafts");
    assert_eq!(directory.append(&next, &Cheap), Err(DirectoryError::Forked { index: 2 }), "builds on the other branch");
    assert_eq!(directory.head(), one.version);
}

#[test]
fn only_the_issuer_writes_and_nobody_changes_what_it_wrote() {
    let directory = grown(vec![vec![county()]]);
    let thief = CheapKey([66; 32]);
    assert_eq!(directory.draft(vec![township()], 0, &[&thief]), Err(DirectoryError::ForeignSigner(thief.public_key())));

    let good = directory.draft(vec![township()], 0, &[&ISSUER]).expect("drafts");
    let append = |entry: &SignedEntry| directory.clone().append(entry, &Cheap);
    let foreign = SignedEntry::sign(good.entry.clone(), &[&thief]);
    assert_eq!(append(&foreign), Err(DirectoryError::ForeignSigner(thief.public_key())));
    let mut forged = foreign.clone();
    forged.signatures[0].0 = ISSUER.public_key();
    assert_eq!(append(&forged), Err(DirectoryError::BadSignature));
    let mut tampered = good.clone();
    tampered.entry.items = vec![village()];
    assert_eq!(append(&tampered), Err(DirectoryError::BadSignature), "with the version of the original");
    tampered.version = tampered.entry.version();
    assert_eq!(append(&tampered), Err(DirectoryError::BadSignature));
    let moved = SignedEntry::sign(Entry { realm: RealmId([0; 16]), ..good.entry.clone() }, &[&ISSUER]);
    assert_eq!(append(&moved), Err(DirectoryError::WrongRealm));
    let other_county = SignedEntry::sign(Entry { county: SeatId([0; 16]), ..good.entry.clone() }, &[&ISSUER]);
    assert_eq!(append(&other_county), Err(DirectoryError::WrongCounty));
    assert_eq!(append(&good), Ok(Grown::Added));
}

#[test]
fn the_tree_is_a_tree() {
    assert_eq!(refusal(&empty(), vec![township()]), DirectoryError::CountyFirst, "the county comes first");
    let directory = grown(vec![vec![county(), township()]]);
    assert_eq!(
        refusal(&directory, vec![seat("371727000000", None, Tier::County)]),
        DirectoryError::CountyFirst,
        "a second county"
    );
    let orphan = seat("371726102201", Some("371726102000"), Tier::Village);
    let late_parent = seat("371726102000", Some("371726000000"), Tier::Township);
    assert!(
        matches!(refusal(&directory, vec![orphan, late_parent]), DirectoryError::Seat(BadSeat::NoParent(_))),
        "the parent comes first, so there is no cycle"
    );
    assert!(matches!(refusal(&directory, vec![township()]), DirectoryError::Seat(BadSeat::Twice(_))));
    let Item::Seat(mut same_code) = township() else { unreachable!("a seat") };
    same_code.id = SeatId([5; 16]);
    assert!(matches!(refusal(&directory, vec![Item::Seat(same_code)]), DirectoryError::Seat(BadSeat::Twice(_))));
    let upside_down = seat("371726103000", Some("371726101000"), Tier::County);
    assert_eq!(refusal(&directory, vec![upside_down]), DirectoryError::Tier("371726103000".to_owned()));
}

#[test]
fn a_node_has_one_seat_and_its_own_key() {
    let key = CheapKey([9; 32]);
    let directory = grown(vec![vec![county(), node(key, "371726000000")]]);
    assert_eq!(refusal(&directory, vec![node(key, "371726000000")]), DirectoryError::NodeTwice(key.node()));
    let other = CheapKey([8; 32]);
    assert_eq!(refusal(&directory, vec![node(other, "371726101000")]), DirectoryError::NodeSeat(other.node()));
    let mut claimed = node(other, "371726000000");
    let Item::Node { node: id, .. } = &mut claimed else { unreachable!("a node") };
    *id = key.node();
    assert_eq!(refusal(&directory, vec![claimed]), DirectoryError::NodeKey(key.node()));
    let moved = Item::Addresses { node: other.node(), addresses: Vec::new() };
    assert_eq!(refusal(&directory, vec![moved]), DirectoryError::NoNode(other.node()));
}

#[test]
fn nothing_of_a_bad_entry_stays() {
    let mut directory = grown(vec![vec![county()]]);
    let key = CheapKey([9; 32]);
    let good = directory.draft(vec![township()], 0, &[&ISSUER]).expect("drafts");
    let items = vec![township(), node(key, "371726101000"), township()];
    let bad = SignedEntry::sign(Entry { items, ..good.entry.clone() }, &[&ISSUER]);
    assert!(matches!(directory.append(&bad, &Cheap), Err(DirectoryError::Seat(BadSeat::Twice(_)))));
    assert_eq!((directory.len(), directory.seats().len(), directory.nodes().count()), (1, 1, 0));
}

#[test]
fn names_that_would_harm_a_terminal_are_not_names() {
    let Item::Seat(mut seat) = county() else { unreachable!("a seat") };
    seat.name = "\u{1b}[2J".to_owned();
    let bad = DecodeError::Invalid { what: "the name of a seat" };
    assert_eq!(refusal(&empty(), vec![Item::Seat(seat)]), DirectoryError::Bounds(bad));
    assert!(matches!(refusal(&grown(vec![vec![county()]]), Vec::new()), DirectoryError::Bounds(_)));
}

proptest! {
    #[test]
    fn tampered_bytes_are_another_entry_or_none(
        flips in prop::collection::vec((0usize..1_000, 1u8..), 1..6),
        cut in 0usize..4,
    ) {
        let original = grown(vec![vec![county(), township(), village(), node(CheapKey([3; 32]), "371726000000")]]);
        let mut bytes = original.entries_from(0)[0].encode();
        let len = bytes.len();
        flips.iter().for_each(|(at, flip)| bytes[at % len] ^= flip);
        prop_assume!(bytes != original.entries_from(0)[0].encode() || cut > 0);
        bytes.truncate(bytes.len() - cut);
        if let Ok(read) = SignedEntry::decode(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
            prop_assert!(empty().append(&read, &Cheap).is_err());
        }
    }
}
