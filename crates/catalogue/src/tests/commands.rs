//! What a clerk is told: refusals with a reason and a next step, and lists that are complete.

use std::sync::Arc;

use heliu_record::change::{Change, Container, Note, Scalar};
use heliu_record::command::{self, RecordWrite, Write, WriteValue, cannot_seal};
use heliu_record::id::Actor;
use heliu_record::kind::Merge;
use heliu_record::sight::Sight;
use serde_json::json;

use super::world::nodes;
use crate::catalogue;
use crate::synthetic::county;

#[test]
fn a_mistyped_word_is_answered_with_the_nearest() {
    let [mut county] = nodes(["C"]);
    let refusal = county.is_refused("unknown_command", "member.transfer.isue", None, &[]);
    assert!(refusal.next.en.contains("member.transfer.issue"));
    let refusal = county.is_refused("unknown_argument", "org.create", None, &[("nmae", "x")]);
    assert!(refusal.next.zh.contains("name"));
    county.is_refused("missing_argument", "org.create", None, &[]);
    county.is_refused("bad_value", "org.create", None, &[("name", "x"), ("level", "tall")]);
    county.is_refused("bad_value", "org.create", None, &[("name", "x"), ("org_kind", "tall")]);
    county.is_refused("missing_argument", "member.transfer.issue", None, &[]);
}

#[test]
fn a_letter_is_issued_once_and_received_once() {
    let [mut township, mut village] = nodes(["T1", "V12"]);
    let [from, to] =
        ["V11", "V12"].map(|v| township.does("org.create", None, &[("name", v), ("seat", &township.seat_named(v))]));
    let m = township.does("member.register", None, &[("name", "测试甲0001"), ("branch", &from.to_string())]);
    township.is_refused("no_entry", "member.transfer.receive", Some(m), &[]);
    township.does("member.transfer.issue", Some(m), &[("to_org", &to.to_string())]);
    assert_eq!(township.json(m)["pending"], json!(["transfer_pending"]));
    township.is_refused("letter_open", "member.transfer.issue", Some(m), &[("to_org", &to.to_string())]);
    village.hears(&township);
    village.is_refused("no_authority", "member.transfer.cancel", Some(m), &[]);
    village.does("member.transfer.receive", Some(m), &[("receipt", "R1")]);
    assert_eq!(village.json(m)["home_branch"], json!(to.to_string()));
    assert!(village.records[&m].view.owners.contains(&village.seat));
    village.is_refused("transition", "member.transfer.receive", Some(m), &[]);
}

#[test]
fn a_returned_letter_leaves_the_person_at_home() {
    let [mut township, mut village] = nodes(["T1", "V12"]);
    let [from, to] =
        ["V11", "V12"].map(|v| township.does("org.create", None, &[("name", v), ("seat", &township.seat_named(v))]));
    let m = township.does("member.register", None, &[("name", "测试甲0001"), ("branch", &from.to_string())]);
    township.does("member.transfer.issue", Some(m), &[("to_org", &to.to_string()), ("letter_no", "L1")]);
    village.hears(&township);
    village.does("member.transfer.return", Some(m), &[("letter", "L1")]);
    assert_eq!(village.json(m)["home_branch"], json!(from.to_string()));
    assert!(village.json(m).get("pending").is_none());
}

#[test]
fn a_record_stays_shared_while_something_waits_for_the_seat() {
    let [mut township] = nodes(["T1"]);
    let [from, to] =
        ["V11", "V12"].map(|v| township.does("org.create", None, &[("name", v), ("seat", &township.seat_named(v))]));
    let m = township.does("member.register", None, &[("name", "测试甲0001"), ("branch", &from.to_string())]);
    township.does("member.transfer.issue", Some(m), &[("to_org", &to.to_string())]);
    let seat = township.seat_named("V12");
    township.is_refused("still_waits", "record.unshare", Some(m), &[("seat", &seat)]);
    township.does("member.transfer.cancel", Some(m), &[]);
    township.does("record.unshare", Some(m), &[("seat", &seat)]);
    assert!(!township.records[&m].view.seats.iter().any(|s| s.to_string() == seat));
    township.does("record.share", Some(m), &[("seat", "371726001003")]);
    assert_eq!(township.records[&m].view.seats.len(), 2);
}

#[test]
fn a_merged_organisation_absorbs_and_a_coordinated_one_does_not() {
    let [mut township] = nodes(["T1"]);
    let [a, b, c] = ["V11", "V12", "V13"]
        .map(|v| township.does("org.create", None, &[("name", v), ("seat", &township.seat_named(v))]));
    let merged = township.does("org.merge_build", None, &[("name", "合建支部"), ("predecessors", &format!("{a},{b}"))]);
    assert_eq!(township.json(a)["lifecycle"], json!("absorbed"));
    assert_eq!(township.json(a)["successors"]["all"]["org"], json!(merged.to_string()));
    assert_eq!(township.json(merged)["predecessor_ids"].as_array().map(Vec::len), Some(2));
    township.is_refused("org_ended", "record.set", Some(a), &[("field", "name"), ("value", "x")]);
    township.is_refused("org_ended", "org.dissolve", Some(a), &[]);
    township.does("org.co_build", Some(merged), &[("orgs", &c.to_string())]);
    assert_eq!(township.json(c)["build_mode"], json!("coordinated"));
    assert_eq!(township.json(c)["lifecycle"], json!("active"));
}

#[test]
fn any_field_of_any_kind_can_be_written_without_a_command_of_its_own() {
    let [mut township, mut village] = nodes(["T1", "V11"]);
    let org = village.does("record.create", None, &[("kind", "org"), ("name", "一村党支部"), ("org_kind", "village")]);
    assert_eq!(village.json(org)["lifecycle"], json!("proposed"));
    village.is_refused("no_authority", "record.decide", Some(org), &[("field", "lifecycle"), ("state", "active")]);
    village.is_refused(
        "no_authority",
        "record.add",
        Some(org),
        &[("field", "guidance_orgs"), ("element", &org.to_string())],
    );
    village.is_refused("wrong_field", "record.set", Some(org), &[("field", "lifecycle"), ("value", "active")]);
    village.is_refused("wrong_field", "record.set", Some(org), &[("field", "nmae"), ("value", "x")]);
    township.hears(&village);
    township.is_refused("transition", "record.decide", Some(org), &[("field", "lifecycle"), ("state", "absorbed")]);
    township.does("record.decide", Some(org), &[("field", "lifecycle"), ("state", "active")]);
    township.does("record.add", Some(org), &[("field", "guidance_orgs"), ("element", &org.to_string())]);
    assert_eq!(township.json(org)["guidance_orgs"], json!([org.to_string()]));
    township.does("record.remove", Some(org), &[("field", "guidance_orgs"), ("element", &org.to_string())]);
    assert!(township.json(org).get("guidance_orgs").is_none());
}

#[test]
fn a_value_that_is_forgotten_empties_nothing_and_what_every_record_has_is_never_emptied() {
    let [mut township] = nodes(["T1"]);
    let org = township.does("org.create", None, &[("name", "一村党支部"), ("org_kind", "village")]);
    let hall = township.does(
        "resource.offer",
        None,
        &[("name", "会议室"), ("owner_org", &org.to_string()), ("open_hours", "工作日")],
    );
    // Whether the field is required or not, who forgets the value is asked for it.
    for field in ["名称", "open_hours"] {
        let refusal = township.is_refused("missing_argument", "record.set", Some(hall), &[("field", field)]);
        assert!(refusal.next.zh.contains("value=…"), "{refusal}");
    }
    for field in ["name", "所属组织"] {
        let refusal =
            township.is_refused("required_field", "record.set", Some(hall), &[("field", field), ("value", "")]);
        assert!(refusal.what.zh.contains("会议室") && refusal.next.zh.starts_with("请写明新的值"), "{refusal}");
    }
    // To empty what may be empty is said by an empty value.
    township.does("record.set", Some(hall), &[("field", "open_hours"), ("value", " ")]);
    assert_eq!((township.json(hall)["name"].as_str(), township.json(hall).get("open_hours")), (Some("会议室"), None));
}

#[test]
fn a_field_that_is_written_otherwise_is_told_with_the_command_that_does() {
    let [mut township] = nodes(["T1"]);
    let org = township.does("org.create", None, &[("name", "一村党支部")]);
    let hall = township.does("resource.offer", None, &[("name", "会议室"), ("owner_org", &org.to_string())]);
    let mut next = |command: &str, of, arguments: &[(&str, &str)]| {
        township.is_refused("wrong_field", command, Some(of), arguments).next.zh.to_string()
    };
    let said = next("record.decide", org, &[("field", "名称"), ("state", "x")]);
    assert_eq!(said, "请用 record.set field=名称 value=…。", "it is there, so no other is guessed");
    let said = next("record.set", hall, &[("field", "预约"), ("value", "x")]);
    assert!(said.contains("entry=… part=… value=…") && said.contains("确认日期"), "{said}");
    let said = next("record.set", org, &[("field", "存续状态"), ("value", "撤销")]);
    assert!(said.contains("record.decide field=存续状态 state=…"), "{said}");
    let said = next("record.set", hall, &[("field", "不存在的"), ("value", "x")]);
    assert!(said.contains("名称") && !said.contains("处置"), "settlements are no field to fill in: {said}");
    let said = next("record.append", org, &[("field", "settle"), ("value", "x")]);
    assert!(said.contains("conflict.settle"), "{said}");
}

#[test]
fn a_kind_that_there_is_not_is_said_before_what_is_wrong_with_its_fields() {
    let [mut township] = nodes(["T1"]);
    let refusal = township.is_refused("unknown_kind", "record.create", None, &[("kind", "资原"), ("name", "会议室")]);
    assert_eq!(&*refusal.next.zh, "是不是“资源”?");
}

#[test]
fn nothing_begins_with_its_end() {
    let [mut township] = nodes(["T1"]);
    for (kind, field, end) in [("org", "lifecycle", "撤销"), ("member", "stage", "退党")] {
        let arguments = [("kind", kind), ("name", "甲"), (field, end)];
        let refused = township.is_refused("transition", "record.create", None, &arguments);
        assert!(refused.next.zh.contains("record.decide"), "{refused}");
    }
    township.does("record.create", None, &[("kind", "org"), ("name", "甲"), ("lifecycle", "运行")]);
}

#[test]
fn what_is_written_can_be_read_however_much_was_written_side_by_side() {
    let [mut township] = nodes(["T1"]);
    let b = township.does("org.create", None, &[("name", "V11"), ("seat", &township.seat_named("V11"))]);
    let before = township.records[&b].history.clone();
    // A hundred incarnations of somebody who may, each of which knows of no other.
    let mut history = (*before).clone();
    for actor in 0..100u8 {
        let put = Write {
            container: Container::Mv,
            key: "name".to_owned(),
            value: WriteValue::Value(Scalar::Text(format!("{actor}"))),
        };
        let write = RecordWrite { record: b, create: None, writes: vec![put] };
        let change = write.change(&before, Actor([actor; 16]), 0, Note::default(), &mut cannot_seal).expect("a change");
        history.place(Arc::new(change));
    }
    let own = Actor([0; 16]);
    let write = |text: &str| {
        let value = WriteValue::Value(Scalar::from(text));
        let put = Write { container: Container::Mv, key: "name".to_owned(), value };
        RecordWrite { record: b, create: None, writes: vec![put] }
    };
    for n in 1..5 {
        let change = write(&format!("一村党支部{n}"))
            .change(&history, own, 0, Note::default(), &mut cannot_seal)
            .expect("a change");
        assert_eq!(Change::parse(&change.raw).as_ref(), Ok(&change), "everybody reads it");
        let at = history.at(&change.deps).expect("held");
        assert_eq!((change.seq, at.check_follows(&change)), (n + 1, Ok(())), "after its author's last one");
        history.place(Arc::new(change));
    }
    assert_eq!(history.visible(Container::Mv, "name").len(), 1, "and step by step nothing stays beside it");
}

#[test]
fn many_fields_with_many_values_each_are_written_all_the_same() {
    const FIELDS: usize = 20;
    let [mut county] = nodes(["C"]);
    let b = county.does("org.create", None, &[("name", "V11"), ("seat", &county.seat_named("V11"))]);
    let before = county.records[&b].history.clone();
    let mut history = (*before).clone();
    let put = |n: usize, text: &str| {
        let value = WriteValue::Value(Scalar::from(text));
        Write { container: Container::Mv, key: format!("field{n}"), value }
    };
    let write = |text: &str| {
        let writes = (0..FIELDS).map(|n| put(n, text)).collect();
        RecordWrite { record: b, create: None, writes }
    };
    for author in 0..60u8 {
        let (actor, text) = (Actor([author; 16]), author.to_string());
        let change = write(&text).change(&before, actor, 0, Note::default(), &mut cannot_seal).expect("a change");
        history.place(Arc::new(change));
    }
    for n in 0..20 {
        let own = Actor([0; 16]);
        let change = write(&format!("again {n}")).change(&history, own, 0, Note::default(), &mut cannot_seal);
        let change = change.expect("everybody can read it");
        assert_eq!(Change::parse(&change.raw).as_ref(), Ok(&change));
        history.place(Arc::new(change));
    }
    let left = (0..FIELDS).map(|n| history.visible(Container::Mv, &format!("field{n}")).len()).max();
    assert_eq!(left, Some(1), "and step by step nothing stays beside it");
}

#[test]
fn a_command_that_is_too_large_for_one_change_is_refused() {
    let [mut county] = nodes(["C"]);
    let b = county.does("org.create", None, &[("name", "V11"), ("seat", &county.seat_named("V11"))]);
    let put = |n: usize| Write {
        container: Container::Scope,
        key: format!("seat/{n:032x}"),
        value: WriteValue::Member(true),
    };
    let write = RecordWrite { record: b, create: None, writes: (0..1_001).map(put).collect() };
    let actor = Actor([1; 16]);
    let refusal =
        write.change(&county.records[&b].history, actor, 0, Note::default(), &mut cannot_seal).expect_err("too many");
    assert_eq!(refusal.code, "too_large");
    let note = Note { reason: "因".repeat(400), ..Note::default() };
    let write = RecordWrite { writes: vec![put(1)], ..write };
    let refusal = write.change(&county.records[&b].history, actor, 0, note, &mut cannot_seal).expect_err("too long");
    assert!(refusal.what.en.contains("message"), "{refusal}");
}

#[test]
fn a_plain_field_does_not_go_round_a_hard_rule() {
    let [mut county, mut township] = nodes(["C", "T1"]);
    let [a, b, c] = ["V11", "V12", "V21"]
        .map(|v| county.does("org.create", None, &[("name", v), ("seat", &county.seat_named(v))]).to_string());
    let id = |text: &str| text.parse().expect("an id");
    county.does("org.set_parent", Some(id(&b)), &[("parent_org", &a)]);
    for (org, parent) in [(&a, &a), (&a, &b)] {
        let set = [("field", "parent_org"), ("value", parent.as_str())];
        county.is_refused("parent_cycle", "record.set", Some(id(org)), &set);
    }
    township.hears(&county);
    // The parent is another township's, so its common superior is the county.
    let under = |parent| [("name", "新支部"), ("seat", "371726001003"), ("parent_org", parent)];
    township.is_refused("no_authority", "org.create", None, &under(c.as_str()));
    township.does("org.create", None, &under(a.as_str()));
    county.does("org.create", None, &under(c.as_str()));

    let hall = county.does("resource.offer", None, &[("name", "礼堂"), ("owner_org", &a)]);
    let mut book = || {
        let booked = county.ask("booking.request", Some(hall), &[("org", &a), ("use_on", "2026-07-01")]);
        booked.expect("a booking").result["entry"].clone()
    };
    let (one, two) = (book(), book());
    county.does("booking.confirm", Some(hall), &[("booking", &one)]);
    county.is_refused("double_confirmation", "booking.confirm", Some(hall), &[("booking", &two)]);
    let by_hand = [("field", "bookings"), ("entry", &*two), ("part", "confirmed"), ("value", "2026-03-01")];
    county.is_refused("double_confirmation", "record.set", Some(hall), &by_hand);
}

#[test]
fn a_synthetic_county_is_accepted_by_its_own_commands() {
    let [mut node] = nodes(["C"]);
    let made = county(&super::world::county_seats(4, 4), 1, 40);
    for org in &made.orgs {
        node.ask_request(&org.request()).expect("an organisation");
        assert!(node.records.contains_key(&org.id()));
    }
    for member in made.members() {
        node.ask_request(&member.request(true)).expect("a member");
        let record = &node.records[&member.id()];
        assert_eq!(record.view.json["effective_home"], json!(member.branch.to_string()));
        let request = member.request(false);
        let today = String::from("2026-03-01");
        let asker =
            command::Asker { seat: node.seat, place: 0, deputy: None, today, sight: Sight::WHOLE, secret: Ok([7; 16]) };
        let planned = catalogue().plan(&request, &asker, &node).expect("a plan");
        assert_eq!(planned.writes, [member.write()], "the same without a branch at hand");
    }
    assert!(node.open.is_empty());
}

#[test]
fn declarations_hold_together() {
    for kind in catalogue().kinds() {
        for field in kind.fields() {
            let same_name = kind.fields().filter(|f| f.name == field.name).count();
            assert_eq!(same_name, 1, "{}.{}", kind.name, field.name);
            assert!(field.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", field.name);
            assert!(!field.help.zh.is_empty() && !field.help.en.is_empty() && !field.label.zh.is_empty());
            if let Merge::State(machine) = field.merge {
                let from = machine.states.iter().flat_map(|s| s.from);
                from.for_each(|name| assert!(machine.state(name).is_some(), "{name}"));
            }
            if let Merge::Entries(parts) | Merge::Slot(parts) = field.merge {
                for part in parts {
                    let named = part.closed_by.iter().copied().chain(part.takes_ownership);
                    named.for_each(|name| assert!(field.part(name).is_some(), "{name}"));
                }
            }
        }
    }
    let names: Vec<&str> = catalogue().commands().map(|c| c.name).collect();
    let distinct: std::collections::BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(names.len(), distinct.len());
}

#[test]
fn names_have_one_spelling_and_nothing_hidden_and_others_leaves_are_still_taken() {
    let [mut county, mut village] = nodes(["C", "V11"]);
    let branch =
        county.does("org.create", None, &[("name", "　Jose\u{301}甲村党支部 "), ("seat", &county.seat_named("V11"))]);
    assert_eq!(county.json(branch)["name"], json!("Jos\u{e9}甲村党支部"));
    for hidden in
        ["甲\u{202e}村", "甲\u{200b}村", "\u{feff}甲村", "甲\u{1b}[31m村", "甲\n村", "\u{200b}", "甲\u{2067}村"]
    {
        let refusal = county.is_refused("hidden_character", "org.create", None, &[("name", hidden)]);
        assert!(refusal.what.en.contains("U+") && refusal.what.zh.contains("name"), "{refusal}");
        county.is_refused("hidden_character", "record.set", Some(branch), &[("field", "name"), ("value", hidden)]);
        county.is_refused("hidden_character", "org.dissolve", Some(branch), &[("decision_no", hidden)]);
    }
    county.is_refused("missing_argument", "org.create", None, &[("name", "　\u{a0}")]);
    let rare = county.does("org.create", None, &[("name", "葛\u{e0100}城党支部"), ("seat", &county.seat_named("V11"))]);
    assert_eq!(county.json(rare)["name"], json!("葛\u{e0100}城党支部"));
    // Another program wrote it: it is in the record of all who have it, and the door to the terminal shows it.
    let spoof = Scalar::from("甲\u{202e}村");
    county.write(
        &RecordWrite {
            record: branch,
            create: None,
            writes: vec![Write { container: Container::Mv, key: "name".to_owned(), value: WriteValue::Value(spoof) }],
        },
        "record.set",
    );
    village.hears(&county);
    assert_eq!(village.json(branch)["name"], json!("甲\u{202e}村"));
}

#[test]
fn who_asks_and_why_is_told_without_hidden_characters() {
    let [mut county] = nodes(["C"]);
    let mut request = command::Request {
        id: command::CommandId([7; 16]),
        name: "org.create".to_owned(),
        subject: None,
        arguments: [("name".to_owned(), "甲".to_owned())].into(),
        who: "王\u{202e}五".to_owned(),
        reason: "一\n二".to_owned(),
        on_behalf: None,
    };
    assert_eq!(county.ask_request(&request).expect_err("it is hidden").code, "hidden_character");
    request.who = "王五".to_owned();
    request.reason.push('\u{1b}');
    assert_eq!(county.ask_request(&request).expect_err("it is hidden").code, "hidden_character");
    request.reason.pop();
    county.ask_request(&request).expect("a reason may have two lines");
}

#[test]
fn several_fields_are_corrected_by_one_command_or_none_of_them() {
    let [mut township] = nodes(["T1"]);
    let seat = township.seat_named("V11");
    let org = township.does("org.create", None, &[("name", "甲支部"), ("seat", &seat)]).to_string();
    let m = township.does(
        "member.register",
        None,
        &[("name", "测试甲0001"), ("branch", &org), ("joined_on", "2001-07-01")],
    );
    let corrected = [("name", "测试甲0002"), ("joined_on", "2001-07-11"), ("stage", "suspended")];
    township.does("record.update", Some(m), &corrected);
    let said =
        |township: &super::world::Node| ["name", "joined_on", "stage"].map(|name| township.json(m)[name].clone());
    assert_eq!(said(&township), corrected.map(|(_, value)| json!(value)));
    township.is_refused("bad_value", "record.update", Some(m), &[("name", "测试甲0003"), ("joined_on", "2001-13-01")]);
    township.is_refused("unknown_argument", "record.update", Some(m), &[("nmae", "测试甲0003")]);
    township.is_refused("required_field", "record.update", Some(m), &[("name", ""), ("joined_on", "2001-07-12")]);
    // What ends something says so first, in a command of its own.
    township.is_refused("an_ending", "record.update", Some(m), &[("stage", "left")]);
    assert_eq!(said(&township), corrected.map(|(_, value)| json!(value)));
    // Of a set there is afterwards what was given, and no more.
    let halls = ["礼堂", "操场"]
        .map(|name| township.does("resource.offer", None, &[("name", name), ("owner_org", &org)]).to_string());
    let league =
        township.does("record.create", None, &[("kind", "alliance"), ("name", "联盟"), ("resources", &halls[0])]);
    township.does("record.update", Some(league), &[("resources", &halls[1])]);
    assert_eq!(township.json(league)["resources"], json!([halls[1]]));
}
