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
    AudienceKey::from_seed([n; 32])
}

fn id(n: u8) -> KeyId {
    key(n).id(&VILLAGE.seat())
}

fn given(n: u8, to: &[&Author]) -> Keys {
    let wraps = Keys::give((&realm(), VILLAGE.seat()), &key(n), &readers(to));
    Keys::cut(VILLAGE.seat(), Purpose::Sealing, wraps).remove(0)
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
    let [one, two] = [1, 2].map(|n| key(1).of_record(&RecordId([n; 32])));
    assert!(one != two && keys.of(id(1)).eq([VILLAGE.seat()]) && keys.keys(VILLAGE.seat()).eq([id(1)]));
}

#[test]
fn nobody_seals_any_more_with_a_key_that_somebody_has_who_may_not_read() {
    let all = readers(&[&VILLAGE, &TOWNSHIP]);
    let good = |keys: &AudienceKeys, readers: &BTreeMap<Recipient, SealingKey>| {
        keys.is_for_sealing(VILLAGE.seat(), id(1), readers)
    };
    let mut keys = AudienceKeys::default();
    keys.add(VILLAGE.key.node(), &given(1, &[&VILLAGE, &TOWNSHIP]));
    assert!(good(&keys, &all));
    assert!(!good(&keys, &readers(&[&VILLAGE])), "the township's node was fenced");
    // A later reader gets it, and it stays good.
    let more = readers(&[&VILLAGE, &TOWNSHIP, &STRANGER]);
    assert_eq!(keys.lacking(VILLAGE.seat(), id(1), &more), [me(&STRANGER)].into());
    keys.add(TOWNSHIP.key.node(), &given(1, &[&STRANGER]));
    assert!(good(&keys, &more) && opens(&keys, 1, &STRANGER) && !good(&keys, &all));
    // What a superior lends, it knows itself; and so it is said to be by whoever hands it on.
    let mut lent = AudienceKeys::default();
    lent.add(COUNTY.key.node(), &given(1, &[&VILLAGE, &TOWNSHIP]));
    assert!(!good(&lent, &all) && opens(&lent, 1, &VILLAGE));
    let mut handed_on = AudienceKeys::default();
    handed_on.add(TOWNSHIP.key.node(), &Keys { purpose: Purpose::Reading, ..given(1, &[&VILLAGE]) });
    assert!(!good(&handed_on, &all) && opens(&handed_on, 1, &VILLAGE));
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
        let wraps = Keys::give_ids((&realm(), audience.seat()), &key(1), &readers(to));
        Keys::cut(audience.seat(), Purpose::Ids, wraps).remove(0)
    };
    let mut keys = AudienceKeys::default();
    keys.add(COUNTY.key.node(), &give(&TOWNSHIP, &[&COUNTY, &TOWNSHIP]));
    keys.add(TOWNSHIP.key.node(), &give(&VILLAGE, &[&TOWNSHIP, &VILLAGE]));
    let id_at = |node: &Author| keys.open_ids(&realm(), me(node), &secret(node)).map(|key| key.of_command(&row));
    let here = id_at(&VILLAGE).expect("it has the secret");
    assert!(id_at(&COUNTY) == Some(here) && id_at(&TOWNSHIP) == Some(here), "all nodes reckon the same");
    assert!(id_at(&STRANGER).is_none() && here != row && here != key(2).of_command(&row));
    assert_eq!(
        keys.lacking_ids(&realm(), VILLAGE.seat(), &key(1), &readers(&[&VILLAGE, &STRANGER])),
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

#[test]
fn many_readers_take_more_than_one_statement_and_a_list_out_of_order_is_none() {
    let public = secret(&VILLAGE).public();
    let all: BTreeMap<_, _> = (0..100u8).map(|n| (Recipient::Node(NodeId([n; 16])), public)).collect();
    let cut = Keys::cut(VILLAGE.seat(), Purpose::Sealing, Keys::give((&realm(), VILLAGE.seat()), &key(1), &all));
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
        key: wrap.key,
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
