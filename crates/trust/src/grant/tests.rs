//! Who comes to read a record, and who does not.

use proptest::prelude::*;

use super::*;
use crate::simulated::{Cheap, CheapKey};
use crate::story::{Author, COUNTY, STRANGER, TOWNSHIP, VILLAGE, directory, preimage, realm};

const ESCROW: u8 = 99;
/// Never enrolled.
const NOBODY: CheapKey = CheapKey([77; 32]);

fn secret(node: &Author) -> SealingSecret {
    SealingSecret::from_seed(hash("test sealing", &[&node.key.0]))
}

fn escrow() -> SealingSecret {
    SealingSecret::from_seed([ESCROW; 32])
}

fn me(node: &Author) -> Recipient {
    Recipient::Node(node.key.node())
}

fn to(nodes: &[&Author]) -> BTreeMap<Recipient, SealingKey> {
    let escrow = escrow().public();
    let nodes = nodes.iter().map(|node| (me(node), secret(node).public()));
    nodes.chain([(Recipient::Escrow(escrow), escrow)]).collect()
}

fn granted(by: &Author, key: &DataKey, readers: &[&Author]) -> SignedGrant {
    let mut grants = grant(realm(), preimage().id(), key, &to(readers), &by.key);
    assert_eq!(grants.len(), 1);
    grants.remove(0)
}

fn opened(keyring: &Keyring, key: &DataKey, node: &Author) -> Option<DataKey> {
    let record = preimage().id();
    keyring.open(&realm(), &record, key.id(&record), me(node), &secret(node))
}

/// The village and its township read; the county, above both, carries what it cannot open, and so does a neighbour.
#[test]
fn a_carrier_holds_every_wrap_and_opens_none() {
    let key = DataKey::from_seed([1; 32]);
    let grant = granted(&VILLAGE, &key, &[&VILLAGE, &TOWNSHIP]);
    let arrived = SignedGrant::decode(&grant.encode()).expect("it decodes");
    assert_eq!(arrived, grant);
    assert_eq!(check_grants(&[&arrived], &directory(), &Cheap), [Ok(())]);
    let keyring = Keyring::of([&arrived.grant]);
    for reader in [&VILLAGE, &TOWNSHIP] {
        assert_eq!(opened(&keyring, &key, reader), Some(key.clone()));
    }
    for carrier in [&COUNTY, &STRANGER] {
        assert_eq!(opened(&keyring, &key, carrier), None);
        // Nor with somebody else's name.
        let record = preimage().id();
        assert_eq!(keyring.open(&realm(), &record, key.id(&record), me(&VILLAGE), &secret(carrier)), None);
    }
    let record = preimage().id();
    let safe = Recipient::Escrow(escrow().public());
    assert_eq!(keyring.open(&realm(), &record, key.id(&record), safe, &escrow()), Some(key));
}

/// Both seal offline, each under a key of its own; when they meet, each is granted the other's.
#[test]
fn two_offline_first_writers_make_two_keys_and_both_read_both() {
    let record = preimage().id();
    let (first, second) = (DataKey::from_seed([1; 32]), DataKey::from_seed([2; 32]));
    let by_village = granted(&VILLAGE, &first, &[&VILLAGE, &TOWNSHIP]);
    let by_township = granted(&TOWNSHIP, &second, &[&TOWNSHIP, &VILLAGE]);
    let values = [
        seal::seal(&first, &record, "contact", [3; 32], b"13800001234").expect("sealed"),
        seal::seal(&second, &record, "contact", [3; 32], b"13900005678").expect("sealed"),
    ];
    let keyring = Keyring::of([&by_village.grant, &by_township.grant]);
    assert_eq!(keyring.keys().count(), 2);
    let read = |node: &Author, value: &[u8]| {
        let key = keyring.open(&realm(), &record, seal::sealed_key(value)?, me(node), &secret(node))?;
        seal::open(&key, &record, "contact", value).map(|text| text.to_vec())
    };
    for node in [&VILLAGE, &TOWNSHIP] {
        assert_eq!(read(node, &values[0]).as_deref(), Some(&b"13800001234"[..]));
        assert_eq!(read(node, &values[1]).as_deref(), Some(&b"13900005678"[..]));
        let mut touched = values[0].clone();
        touched[50] ^= 1;
        assert_eq!(read(node, &touched), None);
    }
    assert_eq!(read(&COUNTY, &values[0]), None);
}

#[test]
fn a_newly_entitled_node_waits_until_a_holder_wraps_for_it() {
    let record = preimage().id();
    let key = DataKey::from_seed([1; 32]);
    let named = BTreeSet::from([key.id(&record)]);
    let safe = Recipient::Escrow(escrow().public());
    let entitled = BTreeSet::from([me(&VILLAGE), me(&TOWNSHIP), me(&COUNTY), safe]);
    let mut keyring = Keyring::of([&granted(&VILLAGE, &key, &[&VILLAGE, &TOWNSHIP]).grant]);
    let pending = keyring.missing(&named, &entitled);
    assert_eq!(pending, [(me(&COUNTY), key.id(&record))].into());
    let held = opened(&keyring, &key, &TOWNSHIP).expect("the township reads");
    keyring.add(&granted(&TOWNSHIP, &held, &[&COUNTY]).grant);
    assert!(keyring.missing(&named, &entitled).is_empty());
    assert_eq!(opened(&keyring, &key, &COUNTY), Some(key.clone()));
    assert_eq!(keyring.keys_for(me(&COUNTY)).collect::<Vec<_>>(), [key.id(&record)]);
    // The realm takes another key for its escrow: that one waits too.
    let other = Recipient::Escrow(SealingSecret::from_seed([98; 32]).public());
    assert_eq!(keyring.missing(&named, &[other].into()).len(), 1);
}

/// Wraps that hold nothing, or another key under this one's name, stand in nobody's way.
#[test]
fn a_false_wrap_is_as_if_it_were_not_there() {
    let record = preimage().id();
    let (key, other) = (DataKey::from_seed([1; 32]), DataKey::from_seed([2; 32]));
    let id = key.id(&record);
    let lie = seal::wrap(&other, &secret(&VILLAGE).public(), &context(&realm(), &record, &id, me(&VILLAGE)));
    let wraps = vec![(me(&VILLAGE), lie.expect("wrapped"))];
    let false_one = Grant { realm: realm(), record, key: id, by: STRANGER.key.node(), wraps };
    let noise = Grant { wraps: vec![(me(&VILLAGE), vec![1; 81])], ..false_one.clone() };
    let mut keyring = Keyring::of([&noise, &false_one]);
    assert_eq!(opened(&keyring, &key, &VILLAGE), None);
    // Whoever has the key sees it too.
    let opens_for =
        |keyring: &Keyring, node: &Author| keyring.opens_for(&realm(), &record, &key, me(node), &secret(node).public());
    assert_eq!((opens_for(&keyring, &VILLAGE), opens_for(&keyring, &COUNTY)), (Some(false), None));
    keyring.add(&granted(&TOWNSHIP, &key, &[&VILLAGE]).grant);
    assert_eq!(opens_for(&keyring, &VILLAGE), Some(true));
    assert_eq!(opened(&keyring, &key, &VILLAGE), Some(key));
}

#[test]
fn each_grant_is_judged_by_itself() {
    let key = DataKey::from_seed([1; 32]);
    let good = granted(&VILLAGE, &key, &[&VILLAGE]);
    let forged = SignedGrant { signature: Signature([1; 64]), ..good.clone() };
    let mut changed = good.clone();
    changed.grant.by = TOWNSHIP.key.node();
    let resigned = SignedGrant::sign(changed.grant.clone(), &VILLAGE.key);
    let foreign = SignedGrant::sign(Grant { realm: RealmId([9; 16]), ..good.grant.clone() }, &VILLAGE.key);
    let unknown = SignedGrant::sign(Grant { by: NOBODY.node(), ..good.grant.clone() }, &NOBODY);
    let twice = [good.grant.wraps[0].clone(), good.grant.wraps[0].clone()].to_vec();
    let bounds = SignedGrant { grant: Grant { wraps: twice, ..good.grant.clone() }, ..good.clone() };
    let grants = [&good, &forged, &changed, &resigned, &good, &foreign, &unknown, &bounds];
    let verdicts = check_grants(&grants, &directory(), &Cheap);
    let codes: Vec<_> = verdicts.iter().map(|verdict| verdict.as_ref().map_err(GrantError::code)).collect();
    let expected = [
        Ok(&()),
        Err("grant.bad-signature"),
        Err("grant.wrong-hash"),
        Err("grant.bad-signature"),
        Ok(&()),
        Err("grant.wrong-realm"),
        Err("grant.unknown-author"),
        Err("grant.bounds"),
    ];
    assert_eq!(codes, expected);
    assert!(verdicts[6].as_ref().is_err_and(GrantError::is_held));
}

#[test]
fn many_readers_take_more_than_one_grant() {
    let key = DataKey::from_seed([1; 32]);
    let public = secret(&VILLAGE).public();
    let to: BTreeMap<_, _> = (0..150u8).map(|n| (Recipient::Node(NodeId([n; 16])), public)).collect();
    let grants = grant(realm(), preimage().id(), &key, &to, &VILLAGE.key);
    assert_eq!(grants.iter().map(|grant| grant.grant.wraps.len()).collect::<Vec<_>>(), [64, 64, 22]);
    assert!(grants.iter().all(|grant| SignedGrant::decode(&grant.encode()).as_ref() == Ok(grant)));
    let largest = Grant {
        wraps: grants[0].grant.wraps.iter().map(|(to, _)| (*to, vec![0; 128])).collect(),
        ..grants[0].grant.clone()
    };
    assert!(SignedGrant::decode(&SignedGrant::sign(largest, &VILLAGE.key).encode()).is_ok());
    assert!(SignedGrant::decode(&[0; GRANT_BYTES_MAX + 1]).is_err());
}

/// Stored and signed bytes: whoever changes the format gives it a new first byte, and keeps reading this one.
#[test]
fn the_first_format_does_not_change() {
    let wraps =
        vec![(Recipient::Node(NodeId([5; 16])), vec![6; 81]), (Recipient::Escrow(SealingKey([7; 32])), vec![8; 81])];
    let (realm, record) = (RealmId([1; 16]), RecordId([2; 32]));
    let grant = Grant { realm, record, key: KeyId([3; 16]), by: NodeId([4; 16]), wraps };
    assert_eq!(
        heliu_record::id::to_hex(&hash_of(&grant.encode())),
        "067d8df3465c8a2a79e053f208ca28505cb48415e403e2236b45235946b0a2d8"
    );
}

proptest! {
    #[test]
    fn touched_bytes_are_another_grant_or_none(at in any::<prop::sample::Index>(), flip in 1u8..) {
        let original = granted(&VILLAGE, &DataKey::from_seed([1; 32]), &[&VILLAGE, &TOWNSHIP]);
        let mut bytes = original.encode();
        let index = at.index(bytes.len());
        bytes[index] ^= flip;
        if let Ok(read) = SignedGrant::decode(&bytes) {
            prop_assert_ne!(&read, &original);
            prop_assert_eq!(read.encode(), bytes);
            prop_assert!(check_grants(&[&read], &directory(), &Cheap)[0].is_err());
        }
    }
}
