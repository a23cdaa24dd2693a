//! Who may write what: each path against each tier, and the one way to take a record over.

use super::world::{Node, code_of, nodes};
use crate::authority::{AuthorityError, may_write};
use crate::change::{Container, Scalar};
use crate::history::History;
use crate::id::{RecordId, SeatId};
use crate::kinds;
use crate::rules::World;
use crate::schema::Written;

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
    may_write(seat(node, author), &written, &record.preimage, &record.history, kind, node.seats())
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
    let number = [(Container::Lww, "member_no", Scalar::from("1"))];
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
    let (kind, empty) = (kinds::find("member").expect("member"), History::new());
    let tries = |author: &str, owner: SeatId| {
        let (class, owner) = (Scalar::from("scoped"), bytes(owner));
        let scope = |key, value| Written { container: Container::Scope, key, value, replaces: false };
        let written = [scope("class", &class), scope("owner", &owner)];
        may_write(seat(&node, author), &written, &record.preimage, &empty, kind, node.seats())
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
    let back = Scalar::Text(format!("full|||{}", &suspended["stage/".len()..]));
    assert!(judge(&node, "V11", m, &[(Container::Log, "stage/x", Scalar::from("full"))]).is_ok());
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
    let cites = |entry: &str| Scalar::Text(format!("full|||0,{entry}"));
    let annul = [(Container::Log, "stage/x", cites(&removed["stage/".len()..]))];
    assert!(matches!(judge(&node, "V11", m, &annul), Err(AuthorityError::Unseen { .. })));
    assert!(judge(&node, "V11", m, &[(Container::Log, "stage/x", Scalar::from("full|||0"))]).is_ok());
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
