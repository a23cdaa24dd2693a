//! What a clerk may not type: identity numbers, names that name nobody, days that cannot be.

use serde_json::json;

use super::stories::{branch, hex, member};
use super::world::{Node, nodes};

const NUMBER: &str = "11010519491231002X";

fn registers(node: &mut Node, code: &str, arguments: &[(&str, &str)]) {
    let b = node.records.values().find(|r| r.preimage.kind == "org").expect("a branch").id.to_string();
    let mut all = vec![("name", "测试甲0001"), ("branch", b.as_str())];
    for (name, text) in arguments {
        all.retain(|(other, _)| other != name);
        all.push((name, text));
    }
    let before = node.records.len();
    let refusal = node.is_refused(code, "member.register", None, &all);
    assert_eq!(node.records.len(), before, "nothing is written");
    for (_, text) in arguments.iter().filter(|_| code == "identity_number") {
        assert!(
            !refusal.to_string().contains(text) && !refusal.what.zh.contains(text),
            "it is not repeated: {refusal}"
        );
    }
}

#[test]
fn an_identity_number_is_refused_wherever_it_is_typed_and_not_repeated() {
    let [mut t1] = nodes(["T1"]);
    let b = branch(&mut t1, "V11", "一村党支部");
    for field in ["member_no", "name", "contact", "person_digest", "nation", "stage", "joined_on"] {
        registers(&mut t1, "identity_number", &[(field, NUMBER)]);
    }
    for typed in [
        "身份证 11010519491231002X",
        "１１０１０５１９４９１２３１００２Ｘ",
        "110105 1949 1231 002x",
        "37172619850715001X",
    ] {
        registers(&mut t1, "identity_number", &[("member_no", typed)]);
        registers(&mut t1, "identity_number", &[("contact", typed)]);
    }
    // Of 15 digits it is one only where a number stands.
    registers(&mut t1, "identity_number", &[("member_no", "110105491231002")]);
    registers(&mut t1, "identity_number", &[("member_no", "371726198507150018")]);
    registers(&mut t1, "identity_number", &[("person_digest", "371726198507150000")]);
    registers(&mut t1, "bad_value", &[("member_no", "3.71726E+17")]);
    let m = member(&mut t1, b, "测试甲0002");
    let set = |field, value| [("field", field), ("value", value)];
    for field in ["member_no", "contact", "name"] {
        t1.is_refused("identity_number", "record.set", Some(m), &set(field, NUMBER));
    }
    t1.is_refused("identity_number", "record.set", Some(b), &set("name", "党支部11010519491231002X"));
    t1.is_refused("identity_number", "member.transfer.issue", Some(m), &[("to_org", &hex(b)), ("letter_no", NUMBER)]);
    t1.is_refused("identity_number", "org.dissolve", Some(b), &[("decision_no", NUMBER)]);
    let decide = [("field", "stage"), ("state", "suspended"), ("decision_no", "110105491231002")];
    t1.is_refused("identity_number", "record.decide", Some(m), &decide);
    t1.does("record.set", Some(m), &set("member_no", "371726101201000001"));
}

#[test]
fn a_reason_and_a_clerk_are_no_place_for_an_identity_number_either() {
    let [mut t1] = nodes(["T1"]);
    let (id, name) = (heliu_record::command::CommandId([7; 16]), "org.create".to_owned());
    let arguments = [("name".to_owned(), "甲".to_owned())].into();
    let mut request = heliu_record::command::Request {
        id,
        name,
        subject: None,
        arguments,
        who: "王五".into(),
        reason: NUMBER.into(),
        on_behalf: None,
    };
    assert_eq!(t1.ask_request(&request).expect_err("it is refused").code, "identity_number");
    request.reason.clear();
    request.who.push_str(NUMBER);
    assert_eq!(t1.ask_request(&request).expect_err("it is refused").code, "identity_number");
}

#[test]
fn a_name_names_somebody_and_is_one_however_it_was_typed() {
    let [mut t1] = nodes(["T1"]);
    let b = branch(&mut t1, "V11", "一村党支部");
    for empty in ["　", " \u{a0}", "\u{2003}\u{3000}"] {
        registers(&mut t1, "missing_argument", &[("name", empty)]);
    }
    for empty in ["-", "。。", "——"] {
        registers(&mut t1, "empty_name", &[("name", empty)]);
    }
    for unseen in ["\u{200b}", "\u{3164}", "\u{2800}"] {
        registers(&mut t1, "hidden_character", &[("name", unseen)]);
    }
    let m = member(&mut t1, b, "张　三");
    assert_eq!(t1.json(m)["name"], json!("张三"));
    t1.is_refused("empty_name", "record.set", Some(m), &[("field", "name"), ("value", "…")]);
    t1.does("record.set", Some(m), &[("field", "member_no"), ("value", "Ｄ００１")]);
    assert_eq!(t1.json(m)["member_no"], json!("D001"));
    t1.does("record.set", Some(m), &[("field", "contact"), ("value", "电话　　13800000000")]);
}

#[test]
fn a_day_that_cannot_be_is_refused() {
    let [mut t1] = nodes(["T1"]);
    let b = branch(&mut t1, "V11", "一村党支部");
    for (day, code) in [
        ("0020-05-15", "date_out_of_range"),
        ("1899-12-30", "date_out_of_range"),
        ("2026-03-02", "date_out_of_range"),
        ("2099-07-01", "date_out_of_range"),
    ] {
        for field in ["joined_on", "full_on", "admitted_on"] {
            registers(&mut t1, code, &[(field, day)]);
        }
    }
    registers(&mut t1, "date_out_of_range", &[("birth_date", "1779-01-01")]);
    registers(&mut t1, "date_out_of_range", &[("birth_date", "2027-01-01")]);
    registers(&mut t1, "dates_out_of_order", &[("joined_on", "2010-07-01"), ("full_on", "2009-07-01")]);
    registers(&mut t1, "dates_out_of_order", &[("joined_on", "1970-07-01"), ("birth_date", "1985-01-01")]);
    registers(&mut t1, "dates_out_of_order", &[("joined_on", "2002-12-31"), ("birth_date", "1985-01-01")]);
    registers(&mut t1, "missing_argument", &[("stage", "probationary")]);
    let probation = [("stage", "probationary"), ("joined_on", "2025-07-01"), ("full_on", "2026-01-01")];
    registers(&mut t1, "dates_out_of_order", &probation);
    registers(&mut t1, "dates_out_of_order", &[("stage", "applicant"), ("joined_on", "2025-07-01")]);
    t1.is_refused("date_out_of_range", "org.dissolve", Some(b), &[("effective_on", "2099-01-01")]);

    let m = member(&mut t1, b, "测试甲0002");
    let set = |field, value| [("field", field), ("value", value)];
    t1.is_refused("dates_out_of_order", "record.set", Some(m), &set("full_on", "2001-06-30"));
    t1.does("record.set", Some(m), &set("full_on", "2002-07-01"));
    t1.is_refused("dates_out_of_order", "record.set", Some(m), &set("joined_on", "2002-07-02"));
    let refusal = t1.is_refused("date_out_of_range", "record.set", Some(m), &set("birth_date", "1779-01-01"));
    assert!(!refusal.to_string().contains("1779"), "what is to be sealed is not repeated: {refusal}");
    let old = [("name", "测试甲0003"), ("branch", &*hex(b)), ("birth_date", "1919-05-04"), ("joined_on", "1938-01-01")];
    t1.does("member.register", None, &old);
}
