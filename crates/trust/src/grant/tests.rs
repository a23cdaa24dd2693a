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

fn begun(n: u8, audience: &Author) -> AudienceKey {
    AudienceKey::begin(&[n; 32], &audience.seat(), directory().head())
}

/// A record's key, and what its values name.
fn key(n: u8) -> (KeyId, RecordKey) {
    let audience = begun(n, &VILLAGE);
    (audience.id(&VILLAGE.seat()), audience.of_record(&VILLAGE.seat(), &preimage().id()))
}

fn which((named, key): &(KeyId, RecordKey)) -> Which {
    (*named, key.id(&preimage().id()))
}

fn granted(by: &Author, key: &(KeyId, RecordKey), readers: &[&Author]) -> SignedGrant {
    let mut grants = grant(realm(), preimage().id(), (key.0, &key.1), &to(readers), &by.key);
    assert_eq!(grants.len(), 1);
    grants.remove(0)
}

fn opened_as(keyring: &Keyring, key: &(KeyId, RecordKey), me: Recipient, by: &SealingSecret) -> Option<RecordKey> {
    keyring.open((&realm(), &preimage().id()), which(key), me, by)
}

fn opened(keyring: &Keyring, key: &(KeyId, RecordKey), node: &Author) -> Option<RecordKey> {
    opened_as(keyring, key, me(node), &secret(node))
}

/// The village and its township read; the county, above both, carries what it cannot open, and so does a neighbour.
#[test]
fn a_carrier_holds_every_wrap_and_opens_none() {
    let key = key(1);
    let grant = granted(&VILLAGE, &key, &[&VILLAGE, &TOWNSHIP]);
    let arrived = SignedGrant::decode(&grant.encode()).expect("it decodes");
    assert_eq!(arrived, grant);
    assert_eq!(check_grants(&[&arrived], &directory(), &Cheap), [Ok(())]);
    let keyring = Keyring::of([&arrived.grant]);
    for reader in [&VILLAGE, &TOWNSHIP] {
        assert_eq!(opened(&keyring, &key, reader), Some(key.1.clone()));
    }
    for carrier in [&COUNTY, &STRANGER] {
        assert_eq!(opened(&keyring, &key, carrier), None);
        assert_eq!(opened_as(&keyring, &key, me(&VILLAGE), &secret(carrier)), None, "nor with somebody else's name");
    }
    let safe = Recipient::Escrow(escrow().public());
    assert_eq!(opened_as(&keyring, &key, safe, &escrow()), Some(key.1));
}

/// A member has moved: whoever has the new home's key opens what was sealed for the old one, and nobody else new does.
#[test]
fn a_record_is_handed_over_to_all_who_have_the_new_audiences_key() {
    let (key, record) = (key(1), preimage().id());
    let [theirs, others] = [7, 8].map(|n| begun(n, &STRANGER));
    let (id, other) = (theirs.id(&STRANGER.seat()), others.id(&STRANGER.seat()));
    let handed = hand_over(realm(), record, (key.0, &key.1), (id, &theirs), &VILLAGE.key);
    assert_eq!(SignedGrant::decode(&handed.encode()).as_ref(), Ok(&handed));
    assert_eq!(check_grants(&[&handed], &directory(), &Cheap), [Ok(())]);
    let keyring = Keyring::of([&handed.grant]);
    let taken = |under: (KeyId, &AudienceKey)| keyring.handed_over((&realm(), &record), which(&key), under);
    assert_eq!(taken((id, &theirs)), Some(key.1.clone()));
    assert_eq!(taken((id, &others)), None);
    assert_eq!(taken((other, &others)), None);
    assert_eq!(keyring.wrapped_for(which(&key)).collect::<Vec<_>>(), [Recipient::Audience(id)]);
}

/// Wraps that hold nothing, or another key under this one's name, stand in nobody's way.
#[test]
fn a_false_wrap_is_as_if_it_were_not_there() {
    let record = preimage().id();
    let (key, other) = (key(1), key(2));
    let place = context((&realm(), &record), which(&key), me(&VILLAGE));
    let lie = seal::wrap(&other.1, &secret(&VILLAGE).public(), &place);
    let wraps = vec![(me(&VILLAGE), lie.expect("wrapped"))];
    let (named, key_id) = which(&key);
    let false_one = Grant { realm: realm(), record, named, key: key_id, by: STRANGER.key.node(), wraps };
    let noise = Grant { wraps: vec![(me(&VILLAGE), vec![1; 81])], ..false_one.clone() };
    let mut keyring = Keyring::of([&noise, &false_one]);
    assert_eq!(opened(&keyring, &key, &VILLAGE), None);
    // Whoever has the key sees it too.
    let opens_for = |keyring: &Keyring, node: &Author| {
        keyring.opens_for((&realm(), &record), (key.0, &key.1), me(node), &secret(node).public())
    };
    assert_eq!((opens_for(&keyring, &VILLAGE), opens_for(&keyring, &COUNTY)), (Some(false), None));
    keyring.add(&granted(&TOWNSHIP, &key, &[&VILLAGE]).grant);
    assert_eq!(opens_for(&keyring, &VILLAGE), Some(true));
    assert_eq!(opened(&keyring, &key, &VILLAGE), Some(key.1.clone()));
}

/// A name does not say which key it is: who seals with one of his own under an honest one's name, and gives it to all
/// readers, leaves the honest one to be seen, and to be seen as lacking.
#[test]
fn two_keys_under_one_name_are_two() {
    let (honest, other) = (key(1), (key(1).0, key(2).1));
    let mut keyring = Keyring::of([&granted(&STRANGER, &other, &[&VILLAGE]).grant]);
    assert_eq!(keyring.wrapped_for(which(&honest)).count(), 0, "so somebody lacks it");
    keyring.add(&granted(&TOWNSHIP, &honest, &[&VILLAGE]).grant);
    assert_eq!(keyring.keys(honest.0).count(), 2);
    for key in [&honest, &other] {
        assert_eq!(opened(&keyring, key, &VILLAGE), Some(key.1.clone()));
    }
}

#[test]
fn each_grant_is_judged_by_itself() {
    let key = key(1);
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
    let key = key(1);
    let public = secret(&VILLAGE).public();
    let to: BTreeMap<_, _> = (0..150u8).map(|n| (Recipient::Node(NodeId([n; 16])), public)).collect();
    let grants = grant(realm(), preimage().id(), (key.0, &key.1), &to, &VILLAGE.key);
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
fn the_format_does_not_change() {
    let wraps = vec![
        (Recipient::Node(NodeId([5; 16])), vec![6; 81]),
        (Recipient::Escrow(SealingKey([7; 32])), vec![8; 81]),
        (Recipient::Audience(KeyId([9; 16])), vec![10; 73]),
    ];
    let (realm, record) = (RealmId([1; 16]), RecordId([2; 32]));
    let (named, key) = (KeyId([3; 16]), RecordKeyId([11; 16]));
    let grant = Grant { realm, record, named, key, by: NodeId([4; 16]), wraps };
    assert_eq!(
        heliu_record::id::to_hex(&hash_of(&grant.encode())),
        "0734cf941b5b98abef92a072af303d6066c408271e085a6d4b36ae7c3b38bf86"
    );
}

proptest! {
    #[test]
    fn touched_bytes_are_another_grant_or_none(at in any::<prop::sample::Index>(), flip in 1u8..) {
        let original = granted(&VILLAGE, &key(1), &[&VILLAGE, &TOWNSHIP]);
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
