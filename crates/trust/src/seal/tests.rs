//! What opens, what does not, and what everybody else sees.

use heliu_catalogue::catalogue;
use heliu_record::change::{Change, Container, Note, Scalar};
use heliu_record::command::{RecordWrite, Write, WriteValue};
use heliu_record::history::History;
use heliu_record::id::Preimage;
use heliu_record::sealed::Plaintext;
use heliu_record::view::Record;
use proptest::prelude::*;

use super::*;
use crate::story::{Author, COUNTY, TOWNSHIP, VILLAGE, directory};

const RECORD: RecordId = RecordId([7; 32]);

fn secret(n: u8) -> SealingSecret {
    SealingSecret::from_seed([n; 32])
}

/// Of the village's audience.
fn key(n: u8) -> AudienceKey {
    AudienceKey::begin(&[n; 32], &VILLAGE.seat(), directory().head())
}

fn id(n: u8) -> KeyId {
    key(n).id(&VILLAGE.seat())
}

fn sealed(n: u8, record: &RecordId, path: &str, text: &[u8]) -> Option<Vec<u8>> {
    seal(&key(n).of_record(&VILLAGE.seat(), record), id(n), record, path, text)
}

fn opened(n: u8, record: &RecordId, path: &str, bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    open(&key(n).of_record(&VILLAGE.seat(), record), record, path, bytes)
}

#[test]
fn secrets_do_not_show_themselves() {
    let shown = format!("{:?} {:?} {:?}", secret(0xab), key(0xab), key(0xab).of_record(&VILLAGE.seat(), &RECORD));
    assert!(!shown.contains("abab") && !shown.contains("171"), "{shown}");
}

#[test]
fn the_length_of_a_text_says_little_and_a_text_that_is_too_long_is_not_sealed() {
    let len = |text: &[u8]| sealed(1, &RECORD, "contact", text).map(|bytes| bytes.len());
    assert_eq!(len(b""), len(&[b'1'; 31]));
    assert_eq!(len(&[b'1'; 32]), len(b"").map(|len| len + 32));
    assert_eq!(len(&[0; PLAINTEXT_BYTES_MAX]), Some(SEALED_BYTES_MAX));
    assert_eq!(len(&[0; PLAINTEXT_BYTES_MAX + 1]), None);
}

/// Two tiers that seal the same number apart write the same value, and so nobody has to choose between them.
#[test]
fn equal_values_of_one_record_are_equal_bytes_and_of_two_records_or_fields_they_are_not() {
    let other = RecordId([8; 32]);
    let number = sealed(1, &RECORD, "contact", b"13800001234");
    assert_eq!(number, sealed(1, &RECORD, "contact", b"13800001234"));
    let [elsewhere, field] = [sealed(1, &other, "contact", b"13800001234"), sealed(1, &RECORD, "note", b"13800001234")];
    let tail = |bytes: &Option<Vec<u8>>| bytes.as_ref().expect("sealed")[17..].to_vec();
    assert!(tail(&number) != tail(&elsewhere) && tail(&number) != tail(&field));
}

#[test]
fn nothing_locks_two_texts_or_keys_alike() {
    let nonce = |text: &[u8]| sealed(1, &RECORD, "contact", text).expect("sealed")[17..41].to_vec();
    assert_ne!(nonce(b"a"), nonce(b"b"));
    let first = |key: &AudienceKey| wrap(key, &secret(2).public(), b"").expect("wrapped")[..33].to_vec();
    assert_ne!(first(&key(1)), first(&key(2)));
    let other = wrap(&key(1), &secret(3).public(), b"").expect("wrapped");
    assert_ne!(first(&key(1)), other[..33], "nor for two readers");
    let [one, two] = [1, 2].map(|n| hand_over(&key(n).of_record(&VILLAGE.seat(), &RECORD), &key(3), b""));
    assert_ne!(one[..25], two[..25], "nor where somebody slipped a false key to who hands it over");
}

/// Whoever gave two seats one key would otherwise have two values locked alike.
#[test]
fn a_key_that_is_said_to_be_two_audiences_gives_two_keys_of_one_record() {
    let [village, township] =
        [&VILLAGE, &TOWNSHIP].map(|of| (key(1).id(&of.seat()), key(1).of_record(&of.seat(), &RECORD)));
    assert!(village.0 != township.0 && village.1 != township.1);
    // And if they were one: what a value names is in its nonce, as it is in what it is bound to.
    let nonce = |named| seal(&village.1, named, &RECORD, "contact", b"13800001234").expect("sealed")[17..41].to_vec();
    assert_ne!(nonce(village.0), nonce(township.0));
}

/// A machine that goes on from an old memory draws what it drew before.
#[test]
fn a_key_that_is_drawn_again_by_another_directory_is_another_key() {
    let later = AudienceKey::begin(&[1; 32], &VILLAGE.seat(), DirectoryVersion([9; 32]));
    assert_ne!(later.of_record(&VILLAGE.seat(), &RECORD), key(1).of_record(&VILLAGE.seat(), &RECORD));
    assert_ne!(later.id(&VILLAGE.seat()), id(1));
}

/// The key that opens one record tells nobody what another one says.
#[test]
fn a_record_that_is_handed_over_takes_no_other_with_it() {
    let handed = hand_over(&key(1).of_record(&VILLAGE.seat(), &RECORD), &key(2), b"place");
    let taken = take_over(&key(2), b"place", &handed).expect("the new audience takes it over");
    assert_eq!(taken, key(1).of_record(&VILLAGE.seat(), &RECORD));
    assert_eq!(take_over(&key(3), b"place", &handed), None);
    assert_eq!(take_over(&key(2), b"another", &handed), None);
    let other = RecordId([8; 32]);
    let theirs = sealed(1, &other, "contact", b"13800001234").expect("sealed");
    assert_eq!(open(&taken, &other, "contact", &theirs), None);
}

/// The cipher alone would let who seals make bytes that say one thing under one key, and another under another.
#[test]
fn bytes_whose_nonce_does_not_follow_from_what_they_say_do_not_open() {
    let (named, record_key) = (id(1), key(1).of_record(&VILLAGE.seat(), &RECORD));
    let nonce = [5; NONCE_BYTES];
    let mut made = vec![FORMAT];
    made.extend_from_slice(&named.0);
    made.extend_from_slice(&nonce);
    made.extend(suite::lock(&record_key.0, &nonce, &place(&named, &RECORD, "contact"), &pad(b"13800001234")));
    assert_eq!(sealed_key(&made), Some(named));
    assert_eq!(open(&record_key, &RECORD, "contact", &made), None);
}

/// Of these points every secret gives the same shared one.
#[test]
fn nothing_is_wrapped_to_a_key_that_agrees_with_everybody() {
    let one = std::array::from_fn(|i| u8::from(i == 0));
    for small in [SealingKey([0; 32]), SealingKey(one)] {
        assert_eq!(wrap(&key(1), &small, b""), None);
    }
    let mut bytes = wrap(&key(1), &secret(2).public(), b"").expect("wrapped");
    bytes[1..33].fill(0);
    assert_eq!(unwrap::<AudienceKey>(&secret(2), b"", &bytes), None);
}

/// Stored bytes: whoever changes the format gives it a new first byte, and keeps reading this one.
#[test]
fn the_format_does_not_change() {
    let sealed = sealed(1, &RECORD, "contact", b"13800001234").expect("sealed");
    let wrapped = wrap(&key(1), &secret(3).public(), b"context").expect("wrapped");
    let handed = hand_over(&key(1).of_record(&VILLAGE.seat(), &RECORD), &key(2), b"context");
    let id = heliu_record::id::to_hex(&hash16("test", &[&sealed, &wrapped, &handed]));
    assert_eq!(id, "16ac799cdc6a180c0dee30495720cd73");
}

/// What a node writes into a member's contact, on top of what it holds, under a key.
fn writes(node: &Author, preimage: &Preimage, past: &History, n: u8, contact: &str) -> Change {
    let put = |container, path: &str, value| Write { container, key: path.to_owned(), value };
    let owner = WriteValue::Value(Scalar::Bytes(preimage.birth.0.to_vec()));
    let to_seal = WriteValue::ToSeal(Plaintext(Scalar::from(contact)));
    let mut writes = vec![put(Container::Mv, "contact", to_seal)];
    if past.is_empty() {
        writes.push(put(Container::Scope, heliu_record::scope::OWNER, owner));
    }
    let create = past.is_empty().then(|| preimage.clone());
    let write = RecordWrite { record: preimage.id(), create, writes };
    let mut sealing = |record: &RecordId, path: &str, plaintext: &Plaintext| {
        Ok(sealed(n, record, path, &plaintext.encode()).expect("it is short"))
    };
    write.change(past, node.actor(), 0, Note::default(), &mut sealing).expect("a change")
}

/// A village and its township write a person's number, offline from each other. The county carries the record.
#[test]
fn readers_see_both_numbers_and_a_carrier_sees_that_they_are_sealed() {
    let directory = directory();
    let preimage = Preimage { kind: "member".to_owned(), birth: VILLAGE.seat(), key: vec![1; 16] };
    let mut history = History::new();
    let first = writes(&VILLAGE, &preimage, &history, 1, "13800001234");
    history.place(first.into());
    let apart = history.clone();
    history.place(writes(&VILLAGE, &preimage, &apart, 1, "13800005678").into());
    history.place(writes(&TOWNSHIP, &preimage, &apart, 2, "13900001111").into());

    let record = Record::fold(catalogue().kind(&preimage.kind), preimage, history, directory.seats());
    let shown = record.view.json.to_string();
    assert!(shown.contains(&id(1).to_string()) && shown.contains(&id(2).to_string()));
    for number in ["13800001234", "13800005678", "13900001111"] {
        assert!(!shown.contains(number), "{shown}");
    }
    let [place] = &record.sealed_places()[..] else { panic!("one place") };
    let read = |keys: &[u8]| -> Vec<Option<Scalar>> {
        let open_one = |bytes: &Vec<u8>| {
            let key = keys.iter().find(|key| Some(id(**key)) == sealed_key(bytes))?;
            Plaintext::decode(&opened(*key, &record.id, &place.path, bytes)?).ok().map(|plaintext| plaintext.0)
        };
        place.values.iter().map(open_one).collect()
    };
    let both = read(&[1, 2]);
    for number in ["13800005678", "13900001111"] {
        assert!(both.contains(&Some(Scalar::from(number))), "{both:?}");
    }
    assert_eq!(read(&[1]).iter().flatten().count(), 1, "who has one key reads one");
    assert_eq!(read(&[]), [None, None], "and {} none", COUNTY.code);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sealed_opens_with_its_key_in_its_place_and_nowhere_else(
        text in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let bytes = sealed(1, &RECORD, "contact", &text).expect("sealed");
        prop_assert_eq!(sealed_key(&bytes), Some(id(1)));
        prop_assert!(opened(1, &RECORD, "contact", &bytes).is_some_and(|opened| *opened == text));
        prop_assert!(opened(2, &RECORD, "contact", &bytes).is_none());
        prop_assert!(opened(1, &RecordId([8; 32]), "contact", &bytes).is_none());
        prop_assert!(opened(1, &RECORD, "birth_date", &bytes).is_none());
        let mut touched = bytes.clone();
        touched[at.index(bytes.len())] ^= flip;
        prop_assert!(opened(1, &RECORD, "contact", &touched).is_none());
        prop_assert!(opened(1, &RECORD, "contact", &bytes[..at.index(bytes.len())]).is_none());
    }

    #[test]
    fn a_wrapped_key_is_for_one_reader_and_one_context(
        seed in any::<[u8; 32]>(),
        at in any::<prop::sample::Index>(),
        flip in 1u8..,
    ) {
        let key = AudienceKey::begin(&seed, &VILLAGE.seat(), directory().head());
        let bytes = wrap(&key, &secret(2).public(), b"context").expect("wrapped");
        prop_assert_eq!(bytes.len(), WRAP_BYTES);
        prop_assert_eq!(unwrap::<AudienceKey>(&secret(2), b"context", &bytes), Some(key));
        prop_assert_eq!(unwrap::<AudienceKey>(&secret(3), b"context", &bytes), None);
        prop_assert_eq!(unwrap::<AudienceKey>(&secret(2), b"other", &bytes), None);
        let mut touched = bytes.clone();
        touched[at.index(bytes.len())] ^= flip;
        // The curve takes the highest bit of a public key for nothing; the context does not.
        prop_assert_eq!(unwrap::<AudienceKey>(&secret(2), b"context", &touched), None);
        prop_assert_eq!(unwrap::<AudienceKey>(&secret(2), b"context", &bytes[..at.index(bytes.len())]), None);
    }
}
