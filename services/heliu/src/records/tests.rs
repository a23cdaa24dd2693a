//! What people read of records and of their histories.

use super::*;
use crate::served;

#[test]
fn a_record_is_told_in_words_and_not_in_codes() {
    let entry = format!("{}-{}", "ab".repeat(16), "cd".repeat(15));
    let view = json!({
        "name": "测试甲0001", "stage": "full", "stage_since": "2020-07-01", "home_branch": "ab".repeat(32),
        "pending": ["transfer_pending"], "moves": {entry: {"state": "issued", "letter_no": "1号", "late": true}},
    });
    let record = Record { kind: "member".to_owned(), view_json: view.to_string(), ..Record::default() };
    let schema = served::schema();
    let told = told(&schema, &record, &Names::default());
    for words in [
        "full member",
        "stage (since)",
        "home branch",
        "transfer under way",
        "moves cdcdcdcd  state: issued",
        "letter number: 1号",
    ] {
        assert!(told.contains(words), "{words} in\n{told}");
    }
    for code in ["home_branch", "stage_since", "transfer_pending", "letter_no"] {
        assert!(!told.contains(code), "{code} in\n{told}");
    }
    let decided = Put { key: "stage/4f".to_owned(), ..put("left|2026-03-01|8号|0") };
    let change = Change { command: "record.decide".to_owned(), puts: vec![decided], ..Change::default() };
    let telling = Telling { schema: &schema, kind: schema.kind("member"), view: Map::new(), names: Names::default() };
    let told = telling.change(&change);
    assert!(told.contains("decide a state") && told.contains("stage = left 2026-03-01 8号\n"), "{told}");
}

#[test]
fn in_chinese_no_code_of_a_record_is_left() {
    let member = json!({
        "name": "测试甲0001", "stage": "full", "stage_since": "2020-07-01", "joined_on_concurrent": ["2001-07-01", "2001-07-02"],
        "home_branch": "ab".repeat(32), "pending": ["transfer_pending", "transfer_conflict"], "contact": {"sealed": "a8".repeat(16)},
        "moves": {"4f".repeat(16): {"state": "issued", "letter_no": "1号", "late": true, "to_seat": "ab".repeat(16)}},
    });
    let org = json!({"name": "甲支部", "lifecycle": "active", "org_level": "branch", "org_kind": "out_of_area",
        "build_mode": "coordinated", "successors": {"all": {"org": "ab".repeat(32)}}});
    let hall = json!({"name": "礼堂", "resource_kind": "hall",
        "bookings": {format!("{}-{}", "ab".repeat(16), "cd".repeat(15)): {"state": "needs_owner_reconfirm"}}});
    let alliance = json!({"name": "联盟", "form": "league", "present": ["ab".repeat(16)],
        "part_time": {"x": {"state": "lapsing"}}});
    let all = [("member", member), ("org", org), ("resource", hall), ("alliance", alliance)];
    let schema = served::schema();
    crate::text::speaking(crate::text::Language::Zh, || {
        for (kind, view) in all {
            let record = Record { kind: kind.to_owned(), view_json: view.to_string(), ..Record::default() };
            let said = told(&schema, &record, &Names::default()) + &list_told(&schema, kind, &[record]);
            assert_eq!(crate::text::codes_in(&said), [""; 0], "{said}");
        }
        let puts = vec![
            Put { key: "stage/0".to_owned(), ..put("left|2026-03-01|8号|0") },
            Put { key: "moves/4f/cancelled".to_owned(), ..put("2026-03-01") },
        ];
        let status = ChangeStatus::Excluded.into();
        let change = Change { command: "record.decide".to_owned(), puts, status, ..Change::default() };
        let telling =
            Telling { schema: &schema, kind: schema.kind("member"), view: Map::new(), names: Names::default() };
        let said = telling.change(&change);
        assert_eq!(crate::text::codes_in(&said), [""; 0], "{said}");
    });
}

#[test]
fn a_history_says_which_entry_was_written_names_what_it_names_and_shows_nothing_sealed() {
    let (schema, seat) = (served::schema(), "ab".repeat(16));
    let entry = format!("{seat}-{}", "cd".repeat(15));
    let view = json!({"bookings": {entry.as_str(): {"state": "confirmed", "number": 2}}});
    let Value::Object(view) = view else { unreachable!("it is one") };
    let mut names = Names::default();
    names.enter(&"12".repeat(32), "甲支部");
    let put_in = |part: &str, text: &str| Put { key: format!("bookings/{entry}/{part}"), ..put(text) };
    let puts =
        vec![put_in("confirmed", "2026-07-01"), put_in("for_org", &"12".repeat(32)), put_in("declined", "declined")];
    let telling = Telling { schema: &schema, kind: schema.kind("resource"), view, names };
    let told = telling.change(&Change { puts, ..Change::default() });
    for words in ["bookings 2 (cdcdcdcd) confirmed = 2026-07-01", "= 12121212 甲支部", "declined = no cause given"] {
        assert!(told.contains(words), "{words} in\n{told}");
    }
    let bytes = heliu_client::records::Value { value: Some(PutValue::Bytes(vec![0xa8; 40])) };
    let contact = Put { key: "contact".to_owned(), value: Some(bytes), ..Put::default() };
    for kind in [schema.kind("member"), None] {
        let telling = Telling { schema: &schema, kind, view: Map::new(), names: Names::default() };
        let told = telling.change(&Change { puts: vec![contact.clone()], ..Change::default() });
        assert!(told.contains("sealed") && !told.contains("a8a8"), "{told}");
    }
}

#[test]
fn a_history_says_from_which_value_to_which_who_sees_it_now_and_nothing_of_what_is_sealed() {
    let schema = served::schema();
    let (seat, other, org) = ("ab".repeat(16), "cd".repeat(16), "12".repeat(32));
    let mut names = Names::default();
    for (id, name) in [(&seat, "甲村"), (&other, "乙村"), (&org, "甲支部")] {
        names.enter(id, name);
    }
    let value = |text: &str| heliu_client::records::Value { value: Some(PutValue::Text(text.to_owned())) };
    let bytes = |hex: &str| {
        let bytes = (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("digits"));
        heliu_client::records::Value { value: Some(PutValue::Bytes(bytes.collect())) }
    };
    let written = |container: &str, key: &str, before: Vec<heliu_client::records::Value>, after| Put {
        container: container.to_owned(),
        key: key.to_owned(),
        replaces: u32::try_from(before.len()).expect("few"),
        replaced: before,
        value: Some(after),
    };
    let puts = vec![
        written("mv", "sex", vec![value("male")], value("female")),
        written("mv", "contact", vec![bytes(&"a8".repeat(40))], bytes(&"a9".repeat(40))),
        written("log", "stage/77", vec![value("probationary|2025-01-01||")], value("full|2026-03-01|8号|0")),
        written("aws", &format!("same_as/{org}"), vec![], value("i123")),
        written("_scope", "owner", vec![bytes(&seat)], bytes(&other)),
        written("_scope", &format!("seat/{seat}"), vec![], value("i5")),
        written("_scope", "class", vec![], value("scoped")),
    ];
    let telling = Telling { schema: &schema, kind: schema.kind("member"), view: Map::new(), names };
    let change = Change { command: "record.update".to_owned(), reason: "核对".to_owned(), puts, ..Change::default() };
    let told = crate::text::speaking(crate::text::Language::Zh, || telling.change(&change));
    for words in [
        "更正",
        "事由:核对",
        "性别: 男 → 女",
        "阶段: 预备党员 2025-01-01 → 正式党员 2026-03-01 8号",
        "加入 12121212 甲支部",
        "所属席位:abababab 甲村 → cdcdcdcd 乙村",
        "共享给 abababab 甲村",
        "联系方式: (已密封",
    ] {
        assert!(told.contains(words), "{words} in\n{told}");
    }
    assert!(!told.contains("a8a8") && !told.contains("a9a9") && !told.contains("scoped"), "{told}");
    assert_eq!(crate::text::codes_in(&told), [""; 0], "{told}");
}

fn put(text: &str) -> Put {
    let value = heliu_client::records::Value { value: Some(PutValue::Text(text.to_owned())) };
    Put { value: Some(value), ..Put::default() }
}

#[test]
fn a_record_is_told_with_short_ids() {
    let view =
        json!({"name": "测试甲0001", "birth_branch": "ab".repeat(32), "name_concurrent": ["a", "b"]}).to_string();
    let record = Record { id: "cd".repeat(32), kind: "member".to_owned(), view_json: view, ..Record::default() };
    let mut names = Names::default();
    names.enter(&"ab".repeat(32), "甲村党支部");
    let told = told(&served::schema(), &record, &names);
    assert!(told.contains("abababab 甲村党支部\n") && told.contains("a, b") && told.contains("测试甲0001"), "{told}");
}
