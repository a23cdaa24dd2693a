//! Who may write what: each path against each tier, and the one way to take a record over.

use std::collections::BTreeSet;
use std::sync::Arc;

use heliu_record::authority::{AuthorityError, may_write};
use heliu_record::change::{Container, Note, Scalar};
use heliu_record::command::{RecordWrite, Write, WriteValue, cannot_seal};
use heliu_record::history::History;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::schema::Written;
use heliu_record::world::World;
use serde_json::json;

use super::world::{Node, code_of, nodes};
use crate::catalogue;

fn seat(node: &Node, name: &str) -> SeatId {
    node.seats().by_code(&code_of(name)).expect(name).id
}

fn judge(
    node: &Node,
    author: &str,
    record: RecordId,
    puts: &[(Container, &str, Scalar)],
) -> Result<(), AuthorityError> {
    let record = &node.records[&record];
    let written: Vec<Written<'_>> = puts
        .iter()
        .map(|(container, key, value)| Written { container: *container, key, value, replaces: false })
        .collect();
    let kind = record.kind().expect("a kind");
    may_write(seat(node, author), &written, &record.preimage, &record.history.now(), kind.gate(), node.seats())
}

fn bytes(seat: SeatId) -> Scalar {
    Scalar::Bytes(seat.0.to_vec())
}

fn a_member() -> (Node, RecordId, RecordId) {
    let [mut node] = nodes(["C"]);
    let [from, to] =
        ["V11", "V21"].map(|v| node.does("org.create", None, &[("name", v), ("seat", &node.seat_named(v))]));
    let member = node.does("member.register", None, &[("name", "测试甲0001"), ("branch", &from.to_string())]);
    (node, member, to)
}

#[test]
fn a_village_writes_its_own_and_a_superior_writes_too() {
    let (node, m, _) = a_member();
    let name = [(Container::Mv, "name", Scalar::from("x"))];
    for (author, may) in [("V11", true), ("T1", true), ("C", true), ("V12", false), ("T2", false)] {
        assert_eq!(judge(&node, author, m, &name).is_ok(), may, "{author}");
    }
    let number = [(Container::Mv, "member_no", Scalar::from("1"))];
    for (author, may) in [("V11", false), ("T1", true), ("C", true), ("T2", false)] {
        assert_eq!(judge(&node, author, m, &number).is_ok(), may, "{author}");
    }
    let birth = [(Container::Lww, "birth_branch", Scalar::Bytes(vec![1; 32]))];
    assert!(judge(&node, "C", m, &birth).is_err(), "only the creator says where it began");
    let error = judge(&node, "V12", m, &name).expect_err("not its own").to_string();
    assert!(error.contains("1镇2村") && error.contains("name") && error.contains("owner"), "{error}");
}

#[test]
fn only_a_letter_that_names_one_lets_one_take_a_member_over() {
    let (mut node, m, to) = a_member();
    let take = |entry: &str, owner: SeatId| {
        [
            (Container::Slot, format!("moves/{entry}/receipt"), Scalar::from("r")),
            (Container::Scope, "owner".to_owned(), bytes(owner)),
        ]
    };
    let tries = |node: &Node, author: &str, entry: &str, owner: SeatId| {
        let puts = take(entry, owner);
        let puts: Vec<_> = puts.iter().map(|(c, k, v)| (*c, k.as_str(), v.clone())).collect();
        judge(node, author, m, &puts).is_ok()
    };
    let v21 = seat(&node, "V21");
    let own = [(Container::Slot, "moves/e/to_seat", bytes(v21)), (Container::Scope, "owner", bytes(v21))];
    assert!(judge(&node, "V21", m, &own).is_err(), "nobody invites himself");
    let issued = node.ask("member.transfer.issue", Some(m), &[("to_org", &to.to_string())]).expect("a letter");
    let entry = issued.result["entry"].clone();
    assert!(tries(&node, "V21", &entry, v21));
    assert!(tries(&node, "T2", &entry, v21), "its superior may for it");
    assert!(!tries(&node, "T2", &entry, seat(&node, "T2")), "but not for itself");
    assert!(!tries(&node, "V22", &entry, seat(&node, "V22")));
    assert!(!tries(&node, "V11", &entry, v21), "the origin does not receive");
    let only_owner = [(Container::Scope, "owner", bytes(v21))];
    assert!(judge(&node, "V21", m, &only_owner).is_err(), "not without the receipt");
    node.does("member.transfer.cancel", Some(m), &[]);
    assert!(!tries(&node, "V21", &entry, v21), "not after it was cancelled");
}

#[test]
fn a_letter_that_was_overtaken_takes_nothing() {
    let (mut node, m, to) = a_member();
    let other = node.does("org.create", None, &[("name", "V31"), ("seat", &node.seat_named("V31"))]);
    let letter = node.ask("member.transfer.issue", Some(m), &[("to_org", &to.to_string())]).expect("a letter");
    let entry = &letter.result["entry"];
    node.does("member.reassign", Some(m), &[("to_org", &other.to_string())]);
    let (receipt, v21) = (format!("moves/{entry}/receipt"), bytes(seat(&node, "V21")));
    let receipt = (Container::Slot, receipt.as_str(), Scalar::from("r"));
    assert!(judge(&node, "V21", m, std::slice::from_ref(&receipt)).is_ok(), "that it came is a fact");
    assert!(
        judge(&node, "V21", m, &[receipt, (Container::Scope, "owner", v21)]).is_err(),
        "but the person has moved on"
    );
}

#[test]
fn a_record_is_made_by_its_birth_seat_or_above_and_says_so() {
    let (node, m, _) = a_member();
    let record = &node.records[&m];
    let (kind, empty) = (catalogue().kind("member").expect("member"), History::new());
    let tries = |author: &str, owner: SeatId| {
        let (class, owner) = (Scalar::from("scoped"), bytes(owner));
        let scope = |key, value| Written { container: Container::Scope, key, value, replaces: false };
        let written = [scope("class", &class), scope("owner", &owner)];
        may_write(seat(&node, author), &written, &record.preimage, &empty.now(), kind.gate(), node.seats())
    };
    assert_eq!(tries("V11", seat(&node, "V11")), Ok(()));
    assert_eq!(tries("C", seat(&node, "V11")), Ok(()));
    assert!(matches!(tries("V12", seat(&node, "V11")), Err(AuthorityError::Creator { .. })));
    assert!(matches!(tries("C", seat(&node, "V12")), Err(AuthorityError::FirstOwner { .. })));
}

#[test]
fn sharing_is_the_owners_and_narrowing_is_a_common_superiors() {
    let (mut node, m, to) = a_member();
    node.does("member.transfer.issue", Some(m), &[("to_org", &to.to_string())]);
    let key = format!("seat/{}", seat(&node, "V21"));
    let other = format!("seat/{}", seat(&node, "V31"));
    assert!(judge(&node, "V11", m, &[(Container::Scope, &other, Scalar::from("i"))]).is_ok());
    assert!(judge(&node, "V21", m, &[(Container::Scope, &other, Scalar::from("i"))]).is_err());
    assert!(judge(&node, "V11", m, &[(Container::Scope, &key, Scalar::from("o"))]).is_err());
    assert!(judge(&node, "C", m, &[(Container::Scope, &key, Scalar::from("o"))]).is_ok());
    assert!(judge(&node, "V11", m, &[(Container::Scope, "owner", bytes(seat(&node, "V21")))]).is_err());
}

#[test]
fn whoever_supersedes_a_decision_must_have_been_able_to_take_it() {
    let (mut node, m, _) = a_member();
    node.does("record.decide", Some(m), &[("field", "stage"), ("state", "suspended")]);
    let cited =
        node.records[&m].history.keys(Container::Log, "stage/").map(|(key, _)| key.to_owned()).collect::<Vec<_>>();
    let suspended = cited.iter().find(|key| *key != "stage/0").expect("the decision");
    let back = Scalar::Text(format!("passed_full|||{}", &suspended["stage/".len()..]));
    assert!(judge(&node, "V11", m, &[(Container::Log, "stage/x", Scalar::from("passed_full"))]).is_ok());
    assert!(judge(&node, "V11", m, &[(Container::Log, "stage/x", back.clone())]).is_err());
    assert!(judge(&node, "T1", m, &[(Container::Log, "stage/x", back)]).is_ok());
}

#[test]
fn nobody_supersedes_a_decision_that_he_has_not_seen() {
    let (mut node, m, _) = a_member();
    let before = node.records[&m].clone();
    node.does("record.decide", Some(m), &[("field", "stage"), ("state", "removed")]);
    let removed = node.records[&m].history.keys(Container::Log, "stage/").map(|(key, _)| key.to_owned());
    let removed = removed.into_iter().find(|key| key != "stage/0").expect("the decision");
    // The village writes as if it did not know, and cites what it knows all the same.
    node.records.insert(m, before);
    let cites = |entry: &str| Scalar::Text(format!("passed_full|||0,{entry}"));
    let annul = [(Container::Log, "stage/x", cites(&removed["stage/".len()..]))];
    assert!(matches!(judge(&node, "V11", m, &annul), Err(AuthorityError::Unseen { .. })));
    assert!(judge(&node, "V11", m, &[(Container::Log, "stage/x", Scalar::from("left|||0"))]).is_ok());
}

#[test]
fn nobody_pushes_a_record_on_a_seat_that_is_not_below_him() {
    let (mut node, m, _) = a_member();
    let unknown = SeatId([9; 16]);
    let hands = |node: &Node, author: &str, to: SeatId| {
        judge(node, author, m, &[(Container::Scope, "owner", bytes(to))]).is_ok()
    };
    let seats = ["V11", "V12", "V21", "T1"].map(|name| seat(&node, name));
    let [v11, v12, v21, t1] = seats;
    for (author, to, may) in [
        ("V11", unknown, false),
        ("V11", v11, false),
        ("V11", v21, false),
        ("T1", v12, true),
        ("T1", t1, true),
        ("T1", v21, false),
        ("T1", unknown, false),
        ("C", v21, true),
        ("C", unknown, false),
    ] {
        assert_eq!(hands(&node, author, to), may, "{author} to {to}");
    }
    // Where somebody else takes part, that seat's superior has to be asked too.
    node.does("record.share", Some(m), &[("seat", &v21.to_string())]);
    assert!(!hands(&node, "T1", v12) && hands(&node, "C", v12));
}

#[test]
fn a_member_is_never_published() {
    let (node, m, _) = a_member();
    for author in ["V11", "T1", "C"] {
        let class = |class: &str| judge(&node, author, m, &[(Container::Scope, "class", Scalar::from(class))]);
        assert!(matches!(class("public"), Err(AuthorityError::Schema(_))), "{author}");
        assert!(class("scoped").is_ok(), "{author}");
    }
}

#[test]
fn a_seat_that_the_directory_does_not_know_holds_nothing_up() {
    let (mut node, m, _) = a_member();
    let nowhere = SeatId([9; 16]).to_string();
    node.is_refused("unknown_seat", "record.share", Some(m), &[("seat", &nowhere)]);
    let (name, seat) = (("name", "联盟"), ("seats", nowhere.as_str()));
    let convenor = node.records.values().find(|r| r.preimage.kind == "org").expect("one").id.to_string();
    node.is_refused("unknown_seat", "alliance.form", None, &[name, ("convenor", &convenor), seat]);
    // Written by hand all the same, it does not take the decision away from the superiors of the others.
    let share = Write { container: Container::Scope, key: format!("seat/{nowhere}"), value: WriteValue::Member(true) };
    node.write(&RecordWrite { record: m, create: None, writes: vec![share] }, "record.share");
    let out = format!("seat/{nowhere}");
    for (author, may) in [("V11", true), ("T1", true), ("T2", false), ("V12", false)] {
        assert_eq!(judge(&node, author, m, &[(Container::Scope, &out, Scalar::from("o"))]).is_ok(), may, "{author}");
    }
    let v12 = self::seat(&node, "V12");
    assert!(judge(&node, "T1", m, &[(Container::Scope, "owner", bytes(v12))]).is_ok());
}

#[test]
fn who_made_a_record_does_not_get_it_back_by_making_it_once_more() {
    let (mut node, m, to) = a_member();
    let record = node.records[&m].clone();
    node.does("member.reassign", Some(m), &[("to_org", &to.to_string())]);
    let (v11, v21) = (seat(&node, "V11"), seat(&node, "V21"));
    assert_eq!(node.records[&m].view.owners, BTreeSet::from([v21]));
    let elsewhere = node.does("org.create", None, &[("name", "别处"), ("seat", &node.seat_named("V12"))]);
    let put = |container, key: &str, value| Write { container, key: key.to_owned(), value: WriteValue::Value(value) };
    let again = RecordWrite {
        record: m,
        create: Some(record.preimage.clone()),
        writes: vec![
            put(Container::Scope, "class", Scalar::from("scoped")),
            put(Container::Scope, "owner", bytes(v11)),
            put(Container::Mv, "name", Scalar::from("测试甲0001")),
            put(Container::Lww, "birth_branch", Scalar::Bytes(elsewhere.0.to_vec())),
        ],
    };
    let again =
        again.change(&History::new(), node.actor_of("V11"), 0, Note::default(), &mut cannot_seal).expect("a change");
    node.take(&record.preimage, &[Arc::new(again)]);
    assert_eq!(node.records[&m].view.owners, BTreeSet::from([v21]), "it was handed on");
    assert_eq!(node.json(m)["home_branch"], json!(to.to_string()), "and the person stays");
    let conflict = node.conflict("DIVERGED_FIELD").clone();
    assert_eq!(conflict.field, "birth_branch", "that there are two beginnings is seen");
    let first = record.view.json["birth_branch"].as_str().expect("a branch");
    node.settles(&conflict, first);
    assert_eq!((node.json(m)["birth_branch"].as_str(), node.open.len()), (Some(first), 0));
}

#[test]
fn an_entry_is_its_seats_by_name() {
    let [mut node] = nodes(["C"]);
    let owner = node.does("org.create", None, &[("name", "V31"), ("seat", &node.seat_named("V31"))]);
    let asker = node.does("org.create", None, &[("name", "V11"), ("seat", &node.seat_named("V11"))]);
    let hall = node.does("resource.offer", None, &[("name", "礼堂"), ("owner_org", &owner.to_string())]);
    for name in ["V11", "V21"] {
        node.does("record.share", Some(hall), &[("seat", &node.seat_named(name))]);
    }
    let before = node.records[&hall].clone();
    let booked = node.ask("booking.request", Some(hall), &[("org", &asker.to_string())]).expect("a booking");
    let taken = format!("bookings/{}/for_seat", booked.result["entry"]);
    // From a past in which the booking was not there.
    node.records.insert(hall, before);
    let (v11, v21) = (seat(&node, "V11"), seat(&node, "V21"));
    assert!(judge(&node, "V21", hall, &[(Container::Slot, &taken, bytes(v21))]).is_err(), "not another's");
    assert!(judge(&node, "V21", hall, &[(Container::Slot, &taken, bytes(v11))]).is_err(), "nor for another");
    let own = format!("bookings/{v21}-1/for_seat");
    assert!(judge(&node, "V21", hall, &[(Container::Slot, &own, bytes(v21))]).is_ok());
    assert!(judge(&node, "V21", hall, &[(Container::Slot, "bookings/1/for_seat", bytes(v21))]).is_err(), "nobody's");
}

#[test]
fn what_the_kind_does_not_declare_is_no_path() {
    let (node, m, _) = a_member();
    for (container, key, value) in [
        (Container::Mv, "nickname", Scalar::from("x")),
        (Container::Lww, "name", Scalar::from("x")),
        (Container::Mv, "name/x", Scalar::from("x")),
        (Container::Mv, "name", Scalar::Int(1)),
        (Container::Slot, "moves/e", Scalar::from("x")),
        (Container::Slot, "moves/E/receipt", Scalar::from("x")),
        (Container::Slot, "moves/e/unknown", Scalar::from("x")),
        (Container::Log, "stage/x", Scalar::from("emperor")),
        (Container::Log, "stage", Scalar::from("full")),
        (Container::Scope, "seat/x", Scalar::from("i")),
        (Container::Scope, "class", Scalar::from("secret")),
        (Container::Scope, "motto", Scalar::from("x")),
    ] {
        let found = judge(&node, "C", m, &[(container, key, value)]);
        assert!(matches!(found, Err(AuthorityError::Schema(_))), "{key}: {found:?}");
    }
}
