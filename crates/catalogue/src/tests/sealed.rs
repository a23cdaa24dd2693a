//! Sealed fields, as those see them who hold the record and cannot read them. The cipher here is none: `trust` has one.

use heliu_record::change::{Container, Note, Scalar};
use heliu_record::command::{Refusal, Write, WriteValue, cannot_seal};
use heliu_record::hash::hash16;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::kind::{Kind, Merge, ValueType};
use heliu_record::sealed::{self, FORMAT, HEAD_BYTES, PAD_BYTES, Plaintext, SEALED_BYTES_MAX, TAG_BYTES};
use serde_json::json;

use crate::catalogue;
use crate::tests::world::{Node, meet, nodes};

/// Bytes of the right shape, under a key that each seat makes for itself.
pub(super) fn seal_as(seat: SeatId) -> impl FnMut(&RecordId, &str, &Plaintext) -> Result<Vec<u8>, Refusal> {
    move |record, path, plaintext| {
        let key = hash16("test data key", &[&seat.0, &record.0]);
        let text = plaintext.encode();
        let padded = text.len().next_multiple_of(PAD_BYTES);
        let mut bytes = vec![FORMAT];
        bytes.extend_from_slice(&key);
        bytes.extend_from_slice(&[path.len().to_le_bytes()[0]; HEAD_BYTES - 17]);
        bytes.extend(text.iter().map(|byte| byte ^ 0x5a));
        bytes.resize(HEAD_BYTES + padded + TAG_BYTES, 0);
        Ok(bytes)
    }
}

fn member_of(node: &mut Node) -> RecordId {
    let branch = node.does("org.create", None, &[("name", "村支部")]);
    node.does("member.register", None, &[("name", "王红"), ("branch", &branch.to_string())])
}

fn set(node: &mut Node, member: RecordId, field: &str, value: &str) {
    node.does("record.set", Some(member), &[("field", field), ("value", value)]);
}

#[test]
fn what_is_typed_into_a_sealed_field_is_nowhere_in_the_record() {
    let [mut village, mut county] = nodes(["V11", "C"]);
    let branch = village.does("org.create", None, &[("name", "村支部")]);
    let arguments = [
        ("name", "王红"),
        ("branch", &branch.to_string()),
        ("contact", "13800001234"),
        ("birth_date", "1970-02-28"),
        ("person_digest", "ab12cd34"),
    ];
    let member = village.does("member.register", None, &arguments);
    county.hears(&village);
    let key = county.json(member)["contact"]["sealed"].as_str().expect("a key's id").to_owned();
    assert_eq!(county.json(member)["contact"], json!({ "sealed": key }));
    assert_eq!(county.json(member)["birth_date"], json!({ "sealed": key }));
    let places = county.records[&member].sealed_places();
    let paths: Vec<&str> = places.iter().map(|place| place.path.as_str()).collect();
    assert_eq!(paths, ["contact", "birth_date", "person_digest"]);
    for change in county.records[&member].history.changes() {
        for secret in ["13800001234", "1970-02-28", "ab12cd34"] {
            assert!(!change.raw.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()), "{secret}");
        }
    }

    let generic = [arguments[0], ("kind", "member"), ("birth_branch", arguments[1].1), ("contact", "13900005678")];
    let other = village.does("record.create", None, &generic);
    assert!(village.json(other)["contact"]["sealed"].is_string());

    set(&mut village, member, "contact", "");
    assert!(village.json(member).get("contact").is_none(), "clearing is no secret");
    assert_eq!(village.records[&member].sealed_places().len(), 2);
}

#[test]
fn the_plain_type_is_checked_and_a_refusal_does_not_repeat_what_was_typed() {
    let [mut village] = nodes(["V11"]);
    let member = member_of(&mut village);
    let wrong = "1970-02-31";
    let long = "1".repeat(61);
    let too_long = "1".repeat(4_001);
    let branch = village.records[&member].view.json["birth_branch"].as_str().expect("a branch").to_owned();
    let by_name = [("name", "x"), ("branch", branch.as_str()), ("birth_date", wrong)];
    let refusals = [
        village.is_refused("bad_value", "record.set", Some(member), &[("field", "birth_date"), ("value", wrong)]),
        village.is_refused("bad_value", "record.set", Some(member), &[("field", "contact"), ("value", &long)]),
        village.is_refused("bad_value", "record.set", Some(member), &[("field", "contact"), ("value", &too_long)]),
        village.is_refused("bad_value", "member.register", None, &by_name),
    ];
    for refusal in refusals {
        let told = format!("{refusal} {} {} {}", refusal.what.zh, refusal.why.zh, refusal.next.zh);
        assert!(!told.contains(wrong) && !told.contains("1111"), "{told}");
    }
}

#[test]
fn a_plan_does_not_show_what_is_to_be_sealed() {
    let [mut village] = nodes(["V11"]);
    let member = member_of(&mut village);
    let set = [("field", "contact"), ("value", "13800001234")];
    let plan = village.ask("record.set", Some(member), &set).expect("a plan");
    assert!(plan.writes[0].seals() && !format!("{plan:?}").contains("138"), "{plan:?}");
}

/// Two write first, apart: each under a key of its own. Who cannot read them sees that they differ, and both keys.
#[test]
fn two_offline_first_writers_make_two_keys_and_their_superior_chooses_by_number() {
    let [mut village, mut township] = nodes(["V11", "T1"]);
    let member = member_of(&mut village);
    township.hears(&village);
    set(&mut village, member, "contact", "13800001234");
    set(&mut township, member, "contact", "13900005678");
    meet(&mut village, &mut township);
    let shown = township.json(member).clone();
    let both = shown["contact_concurrent"].as_array().expect("both");
    assert_eq!(both.len(), 2);
    assert!(both.contains(&shown["contact"]) && both[0]["sealed"] != both[1]["sealed"], "{both:?}");
    assert_eq!(township.records[&member].sealed_places()[0].values.len(), 2, "a reader opens both");

    let conflict = township.conflict("DIVERGED_FIELD").clone();
    assert!(conflict.values.iter().all(|value| both.contains(&value.value)), "{:?}", conflict.values);
    let choices: Vec<String> = conflict.values.iter().map(heliu_record::conflict::ConflictValue::choice).collect();
    assert!(choices[0] != choices[1] && choices.iter().all(|choice| choice.starts_with("sealed ")), "{choices:?}");
    assert!(conflict.explanation.en.contains("(sealed)"), "{}", conflict.explanation.en);
    let kept = township.records[&member].sealed_places()[0].values.clone();
    township.settles(&conflict, "2");
    let [left] = &township.records[&member].sealed_places()[0].values[..] else { panic!("one is left") };
    assert!(kept.contains(left), "a choice seals nothing anew");
    assert_eq!(township.open.len(), 0);
}

#[test]
fn nothing_is_written_in_the_clear_instead() {
    let [mut village] = nodes(["V11"]);
    let member = member_of(&mut village);
    let record = &village.records[&member];
    let write = |value| heliu_record::command::RecordWrite {
        record: member,
        create: None,
        writes: vec![Write { container: Container::Mv, key: "contact".to_owned(), value }],
    };
    let actor = village.actor_of("V11");
    let to_seal = write(WriteValue::ToSeal(Plaintext(Scalar::from("13800001234"))));
    let refusal = to_seal.change(&record.history, actor, 0, Note::default(), &mut cannot_seal).expect_err("no key");
    assert_eq!(refusal.code, "cannot_seal");
    // A node that leaves the sealing out is not heard.
    let ids = Scalar::Bytes(vec![1; 32]);
    for plain in [Scalar::from("13800001234"), ids, Scalar::Bytes(vec![1; SEALED_BYTES_MAX + PAD_BYTES])] {
        let change =
            write(WriteValue::Value(plain)).change(&record.history, actor, 0, Note::default(), &mut cannot_seal);
        let change = change.expect("a change");
        let kind = catalogue().kind("member").expect("it is declared");
        let verdict = heliu_record::authority::may(
            village.seat,
            &change,
            &record.preimage,
            &record.history.now(),
            kind.gate(),
            heliu_record::world::World::seats(&village),
        );
        assert!(verdict.is_err_and(|error| error.to_string().contains("sealed")));
    }
}

#[test]
fn a_sealed_field_is_one_short_value_that_no_rule_reads() {
    for field in catalogue().kinds().flat_map(Kind::fields).filter(|field| field.sealed) {
        assert!(matches!(field.merge, Merge::Lww | Merge::Mv), "{}", field.name);
        assert!(matches!(field.value, ValueType::Text(_) | ValueType::Number(_) | ValueType::Birth), "{}", field.name);
        assert!(!field.required && field.provisional.is_none(), "{}", field.name);
    }
}

#[test]
fn only_a_value_of_the_right_shape_names_a_key() {
    let right = |padded: usize| {
        let mut bytes = vec![7; HEAD_BYTES + padded + TAG_BYTES];
        bytes[0] = FORMAT;
        bytes
    };
    assert_eq!(sealed::key_of(&right(32)), Some(sealed::KeyId([7; 16])));
    assert!(sealed::key_of(&right(SEALED_BYTES_MAX - HEAD_BYTES - TAG_BYTES)).is_some());
    for wrong in [0, 31, 33, SEALED_BYTES_MAX - HEAD_BYTES - TAG_BYTES + 32] {
        assert_eq!(sealed::key_of(&right(wrong)), None, "{wrong}");
    }
    let mut other = right(32);
    other[0] = FORMAT + 1;
    assert_eq!(sealed::key_of(&other), None);
    assert_eq!(sealed::key_of(&[]), None);
}

#[test]
fn a_plaintext_has_one_encoding() {
    let all = [
        Scalar::Null,
        Scalar::Bool(true),
        Scalar::Int(-5),
        Scalar::from(""),
        Scalar::from("王红"),
        Scalar::Bytes(vec![0, 1]),
    ];
    for scalar in all {
        let plaintext = Plaintext(scalar);
        assert_eq!(Plaintext::decode(&plaintext.encode()), Ok(plaintext));
    }
    for wrong in [&[][..], &[0, 0], &[1, 2], &[2, 0], &[3, 0xff], &[5]] {
        assert!(Plaintext::decode(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn the_readers_of_a_village_are_its_township_too_and_of_others_only_they() {
    let seats = super::world::county_seats(2, 2);
    let seat = |name: &str| seats.by_code(&super::world::code_of(name)).expect(name).id;
    let readers = |names: &[&str]| seats.readers(&names.iter().map(|name| seat(name)).collect());
    assert_eq!(readers(&["V11"]), [seat("V11"), seat("T1")].into());
    assert_eq!(readers(&["T1"]), [seat("T1")].into());
    assert_eq!(readers(&["C"]), [seat("C")].into());
    assert_eq!(readers(&["V11", "V21"]), [seat("V11"), seat("T1"), seat("V21"), seat("T2")].into());
    let unknown = SeatId([9; 16]);
    assert_eq!(seats.readers(&[unknown].into()), [unknown].into());
}
