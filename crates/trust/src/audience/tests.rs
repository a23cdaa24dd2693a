//! Who has an audience's key, who may still seal with it, and what somebody makes of it who means harm.

use heliu_record::command::CommandId;
use heliu_record::hash::hash;
use heliu_record::id::RecordId;

use super::*;
use crate::directory::Directory;
use crate::signature::{Signature, Signer as _};
use crate::simulated::Cheap;
use crate::statement::{Body, SignedStatement, Statement, check};
use crate::story::{Author, COUNTY, STRANGER, TOWNSHIP, VILLAGE, directory, realm};

fn secret(node: &Author) -> SealingSecret {
    SealingSecret::from_seed(hash("test sealing", &[&node.key.0]))
}

fn me(node: &Author) -> Recipient {
    Recipient::Node(node.key.node())
}

fn readers(nodes: &[&Author]) -> BTreeMap<Recipient, SealingKey> {
    nodes.iter().map(|node| (me(node), secret(node).public())).collect()
}

fn key(n: u8) -> AudienceKey {
    AudienceKey::begin(&[n; 32], &VILLAGE.seat(), directory().head())
}

fn id(n: u8) -> KeyId {
    key(n).id(&VILLAGE.seat())
}

/// What a node says of a key to some.
fn gives(by: &Author, n: u8, to: &[&Author]) -> Keys {
    let wraps = Keys::give((&realm(), VILLAGE.seat()), &by.key.node(), &key(n), &readers(to));
    Keys::cut(VILLAGE.seat(), Purpose::Sealing, wraps).remove(0)
}

fn given(n: u8, to: &[&Author]) -> Keys {
    gives(&VILLAGE, n, to)
}

fn opens(keys: &AudienceKeys, n: u8, node: &Author) -> bool {
    keys.open(&realm(), VILLAGE.seat(), id(n), me(node), &secret(node)) == Some(key(n))
}

fn verdict(by: &Author, keys: Keys, directory: &Directory) -> Result<(), &'static str> {
    let statement = Statement { realm: realm(), author: by.key.node(), time_ms: 0, body: Body::Keys(keys) };
    let signed = SignedStatement::sign(statement, &by.key);
    assert_eq!(SignedStatement::decode(&signed.encode()).as_ref(), Ok(&signed));
    check(&signed, directory, &|_| false, &Cheap).map_err(|error| error.code())
}

/// With one key, given once, the readers have those of all records; the county, which carries it, has none.
#[test]
fn readers_open_a_key_and_carriers_carry_it() {
    let mut keys = AudienceKeys::default();
    keys.add(VILLAGE.key.node(), &given(1, &[&VILLAGE, &TOWNSHIP]));
    assert!(opens(&keys, 1, &VILLAGE) && opens(&keys, 1, &TOWNSHIP));
    assert!(!opens(&keys, 1, &COUNTY) && !opens(&keys, 1, &STRANGER));
    assert_eq!(keys.open(&realm(), VILLAGE.seat(), id(1), me(&VILLAGE), &secret(&COUNTY)), None, "under no name");
    let [one, two] = [1, 2].map(|n| key(1).of_record(&VILLAGE.seat(), &RecordId([n; 32])));
    assert!(one != two && keys.of(id(1)).eq([VILLAGE.seat()]) && keys.keys(VILLAGE.seat()).eq([id(1)]));
}

fn is_meant_for_sealing(keys: &AudienceKeys, readers: &[&Author]) -> bool {
    keys.is_meant_for_sealing(VILLAGE.seat(), &key(1), &|node| readers.iter().any(|reader| reader.key.node() == node))
}

#[test]
fn nobody_seals_any_more_with_a_key_that_somebody_has_who_may_not_read() {
    let all = [&VILLAGE, &TOWNSHIP];
    let mut keys = AudienceKeys::default();
    assert!(!is_meant_for_sealing(&keys, &all), "nobody says anything of it");
    keys.add(VILLAGE.key.node(), &given(1, &all));
    assert!(is_meant_for_sealing(&keys, &all));
    assert!(!is_meant_for_sealing(&keys, &[&TOWNSHIP]), "the village's node was fenced");
    // A later reader gets it, and it stays good.
    let more = readers(&[&VILLAGE, &TOWNSHIP, &STRANGER]);
    assert_eq!(keys.lacking(VILLAGE.seat(), id(1), &more), [me(&STRANGER)].into());
    keys.add(TOWNSHIP.key.node(), &gives(&TOWNSHIP, 1, &[&STRANGER]));
    assert!(is_meant_for_sealing(&keys, &[&VILLAGE, &TOWNSHIP, &STRANGER]) && opens(&keys, 1, &STRANGER));
    // What a superior lends, it knows itself; and so it is said to be by whoever hands it on.
    let mut lent = AudienceKeys::default();
    lent.add(COUNTY.key.node(), &gives(&COUNTY, 1, &all));
    assert!(!is_meant_for_sealing(&lent, &all) && opens(&lent, 1, &VILLAGE));
    let mut handed_on = AudienceKeys::default();
    let reading = Keys { purpose: Purpose::Reading, ..gives(&TOWNSHIP, 1, &[&VILLAGE]) };
    handed_on.add(TOWNSHIP.key.node(), &reading);
    assert!(!is_meant_for_sealing(&handed_on, &all) && opens(&handed_on, 1, &VILLAGE));
}

/// The id of a key is in every value that is sealed with it. Whoever knows no more of it cannot take it out of use.
#[test]
fn whoever_has_not_a_key_says_nothing_of_it_that_counts() {
    let all = [&VILLAGE, &TOWNSHIP];
    let mut keys = AudienceKeys::default();
    keys.add(VILLAGE.key.node(), &given(1, &all));
    // The county has a key of its own making, the id of the village's, and what the village said of it.
    let mut invented = gives(&COUNTY, 2, &all);
    invented.wraps.iter_mut().for_each(|wrap| wrap.key = id(1));
    let copied = Keys { purpose: Purpose::Reading, ..given(1, &all) };
    for said in [invented, copied] {
        keys.add(COUNTY.key.node(), &said);
    }
    assert!(is_meant_for_sealing(&keys, &all) && opens(&keys, 1, &VILLAGE));
    assert_eq!(keys.holders(VILLAGE.seat(), &key(1)).collect::<Vec<_>>(), [(VILLAGE.key.node(), false)]);
    keys.add(COUNTY.key.node(), &gives(&COUNTY, 1, &all));
    assert!(!is_meant_for_sealing(&keys, &all), "it has it");
}

/// Nobody makes a key younger than it is: when it was begun is in it, and in its id.
#[test]
fn a_key_that_is_said_to_be_younger_is_another_one() {
    let other = AudienceKey::begin(&[1; 32], &VILLAGE.seat(), crate::id::DirectoryVersion([8; 32]));
    let mut lie = given(1, &[&VILLAGE]);
    let place = (&realm(), VILLAGE.seat());
    lie.wraps[0].wrapped = Keys::give(place, &VILLAGE.key.node(), &other, &readers(&[&VILLAGE])).remove(0).wrapped;
    let mut keys = AudienceKeys::default();
    keys.add(VILLAGE.key.node(), &lie);
    assert!(!opens(&keys, 1, &VILLAGE));
    assert_eq!(keys.open(&realm(), VILLAGE.seat(), other.id(&VILLAGE.seat()), me(&VILLAGE), &secret(&VILLAGE)), None);
}

/// The id follows from the key: what holds another, or nothing, is in nobody's way, and who has the key sees it.
#[test]
fn a_false_wrap_of_a_key_is_as_if_it_were_not_there() {
    let mut lie = given(2, &[&VILLAGE]);
    lie.wraps[0].key = id(1);
    let mut noise = given(1, &[&VILLAGE]);
    noise.wraps[0].wrapped = vec![1; 81];
    let mut keys = AudienceKeys::default();
    keys.add(TOWNSHIP.key.node(), &lie);
    keys.add(TOWNSHIP.key.node(), &noise);
    let all = readers(&[&VILLAGE]);
    assert!(!opens(&keys, 1, &VILLAGE) && keys.lacking(VILLAGE.seat(), id(1), &all).is_empty());
    assert_eq!(keys.shut_out(&realm(), VILLAGE.seat(), &key(1), &all), [me(&VILLAGE)].into());
    keys.add(TOWNSHIP.key.node(), &given(1, &[&VILLAGE]));
    assert!(opens(&keys, 1, &VILLAGE) && keys.shut_out(&realm(), VILLAGE.seat(), &key(1), &all).is_empty());
}

/// A telephone book and the program are not enough to find a member by the id of its record.
#[test]
fn whoever_has_not_the_secret_of_all_nodes_reckons_no_id_that_follows_from_a_row() {
    let row =
        CommandId(heliu_record::hash::hash16("heliu import 1", &[b"member.register", b"\xe7\x8e\x8b\xe7\xba\xa2"]));
    let give = |audience: &Author, to: &[&Author]| {
        let by = COUNTY.key.node();
        let wraps = Keys::give_ids((&realm(), audience.seat()), &by, &key(1), &readers(to));
        Keys::cut(audience.seat(), Purpose::Ids, wraps).remove(0)
    };
    let mut keys = AudienceKeys::default();
    keys.add(COUNTY.key.node(), &give(&TOWNSHIP, &[&COUNTY, &TOWNSHIP]));
    keys.add(TOWNSHIP.key.node(), &give(&VILLAGE, &[&TOWNSHIP, &VILLAGE]));
    let id_at =
        |node: &Author| keys.open_ids(&realm(), me(node), &secret(node), &|_| ()).map(|key| key.of_command(&row));
    let here = id_at(&VILLAGE).expect("it has the secret");
    assert!(id_at(&COUNTY) == Some(here) && id_at(&TOWNSHIP) == Some(here), "all nodes reckon the same");
    assert!(id_at(&STRANGER).is_none() && here != row && here != key(2).of_command(&row));
    assert_eq!(
        keys.lacking_ids(&realm(), VILLAGE.seat(), &key(1), &readers(&[&VILLAGE, &STRANGER]), &|_| true),
        [me(&STRANGER)].into()
    );
    assert!(keys.keys(VILLAGE.seat()).next().is_none(), "it seals nothing");
}

#[test]
fn only_the_line_of_an_audience_gives_out_its_keys() {
    let directory = directory();
    for by in [&VILLAGE, &TOWNSHIP, &COUNTY] {
        assert_eq!(verdict(by, given(1, &[&VILLAGE]), &directory), Ok(()));
    }
    assert_eq!(verdict(&STRANGER, given(1, &[&STRANGER]), &directory), Err("statement.not-of-line"));
    let nowhere = Keys { audience: SeatId([9; 16]), ..given(1, &[&VILLAGE]) };
    assert_eq!(verdict(&COUNTY, nowhere, &directory), Err("statement.unknown-seat"));
}

/// What an erasure does not do. It takes the leaves; the audience's key stays for all its other records, and whoever reads
/// next is given it: with a leaf that a carrier kept against the rules, he reads what was erased before he was there.
#[test]
fn an_erased_value_opens_for_a_later_reader_from_bytes_that_somebody_kept() {
    let record = RecordId([7; 32]);
    let of_record = key(1).of_record(&VILLAGE.seat(), &record);
    let kept = seal::seal(&of_record, id(1), &record, "contact", b"13800001234").expect("it is short");
    let mut keys = AudienceKeys::default();
    keys.add(VILLAGE.key.node(), &given(1, &[&VILLAGE, &TOWNSHIP]));
    let open = |keys: &AudienceKeys, node: &Author| {
        let key = keys.open(&realm(), VILLAGE.seat(), id(1), me(node), &secret(node))?;
        seal::open(&key.of_record(&VILLAGE.seat(), &record), &record, "contact", &kept)
    };
    assert_eq!(open(&keys, &STRANGER), None, "who reads nothing here opens nothing");
    // The record is erased; then somebody joins, and a holder gives him what all other records are read with.
    let later = readers(&[&VILLAGE, &TOWNSHIP, &STRANGER]);
    assert_eq!(keys.lacking(VILLAGE.seat(), id(1), &later), [me(&STRANGER)].into());
    keys.add(TOWNSHIP.key.node(), &gives(&TOWNSHIP, 1, &[&STRANGER]));
    assert_eq!(open(&keys, &STRANGER).as_deref().map(Vec::as_slice), Some(b"13800001234".as_slice()));
    assert_eq!(open(&keys, &COUNTY), None);
}

/// The secret of ids goes down. A village that chose it for its superiors would have every file that is given again make
/// doubles, and bring back who was erased.
#[test]
fn nobody_chooses_the_secret_of_ids_for_those_above() {
    let directory = directory();
    let ids = |by: &Author, of: &Author, to: &[&Author]| {
        let wraps = Keys::give_ids((&realm(), of.seat()), &by.key.node(), &key(1), &readers(to));
        verdict(by, Keys::cut(of.seat(), Purpose::Ids, wraps).remove(0), &directory)
    };
    for above in [&TOWNSHIP, &COUNTY] {
        assert_eq!(ids(&VILLAGE, &VILLAGE, &[&VILLAGE, above]), Err("statement.not-downward"));
    }
    assert_eq!(ids(&VILLAGE, &VILLAGE, &[&VILLAGE]), Ok(()));
    assert_eq!(ids(&TOWNSHIP, &VILLAGE, &[&TOWNSHIP, &VILLAGE]), Ok(()));
    // Of what two gave, the one from further up is taken, whatever its id.
    for (theirs, its) in [(1, 2), (2, 1)] {
        let mut keys = AudienceKeys::default();
        for (by, n) in [(&COUNTY, theirs), (&TOWNSHIP, its)] {
            let wraps = Keys::give_ids((&realm(), TOWNSHIP.seat()), &by.key.node(), &key(n), &readers(&[&TOWNSHIP]));
            keys.add(by.key.node(), &Keys::cut(TOWNSHIP.seat(), Purpose::Ids, wraps).remove(0));
        }
        let rank = |by: NodeId| by != COUNTY.key.node();
        assert_eq!(keys.open_ids(&realm(), me(&TOWNSHIP), &secret(&TOWNSHIP), &rank), Some(key(theirs)));
    }
}

#[test]
fn many_readers_take_more_than_one_statement_and_a_list_out_of_order_is_none() {
    let public = secret(&VILLAGE).public();
    let all: BTreeMap<_, _> = (0..100u8).map(|n| (Recipient::Node(NodeId([n; 16])), public)).collect();
    let given = Keys::give((&realm(), VILLAGE.seat()), &VILLAGE.key.node(), &key(1), &all);
    let cut = Keys::cut(VILLAGE.seat(), Purpose::Sealing, given);
    assert_eq!(cut.iter().map(|keys| keys.wraps.len()).collect::<Vec<_>>(), [40, 40, 20]);
    let signed = |body: Body| SignedStatement {
        statement: Statement { realm: realm(), author: VILLAGE.key.node(), time_ms: 0, body },
        hash: [0; 32],
        signature: Signature([0; 64]),
    };
    let reads = |keys: Keys| SignedStatement::decode(&signed(Body::Keys(keys)).encode()).is_ok();
    let longest = |wrap: &KeyWrap| KeyWrap {
        to: Recipient::Escrow(SealingKey([wrap.wrapped[1]; 32])),
        wrapped: vec![0; WRAP_BYTES_MAX],
        ..*wrap
    };
    let largest = Keys::cut(VILLAGE.seat(), Purpose::Reading, cut[0].wraps.iter().map(longest).collect()).remove(0);
    assert!(reads(cut[0].clone()) && reads(largest));
    let mut turned = cut[0].clone();
    turned.wraps.swap(0, 1);
    let mut twice = cut[0].clone();
    twice.wraps[1] = twice.wraps[0].clone();
    let mut handed = cut[0].clone();
    handed.wraps[39].to = Recipient::Audience(id(1));
    let empty = Keys { wraps: Vec::new(), ..cut[0].clone() };
    for bad in [turned, twice, handed, empty] {
        assert!(!reads(bad));
    }
}
