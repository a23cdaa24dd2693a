//! What a clerk reads: names and not codes, one thing where there is one, and what follows from it.

use heliu_record::command::Refusal;
use heliu_record::id::RecordId;

use super::world::{Node, nodes};
use crate::catalogue;

/// Chinese text of a refusal, without what is typed as it stands: commands, and arguments with their `=`.
fn codes_in(refusal: &Refusal) -> Vec<String> {
    let text = [&refusal.what.zh, &refusal.why.zh, &refusal.next.zh].map(ToString::to_string).join(" ");
    let text = catalogue().commands().fold(text, |text, command| text.replace(command.name, ""));
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '_' || c == '='));
    words.filter(|word| word.len() >= 3 && !word.ends_with('=')).map(str::to_owned).collect()
}

fn branch(node: &mut Node, seat: &str) -> RecordId {
    let owner = node.seat_named(seat);
    node.does("org.create", None, &[("name", seat), ("seat", &owner)])
}

#[test]
fn the_only_booking_needs_no_name_and_of_several_each_has_a_number() {
    let [mut township] = nodes(["T1"]);
    let (owner, asker) = (branch(&mut township, "V11"), branch(&mut township, "V12").to_string());
    let hall = township.does("resource.offer", None, &[("name", "礼堂"), ("owner_org", &owner.to_string())]);
    township.is_refused("no_entry", "booking.confirm", Some(hall), &[]);
    for day in ["2026-07-01", "2026-07-02", "2026-07-03"] {
        township.does("booking.request", Some(hall), &[("org", &asker), ("use_on", day)]);
    }
    let refusal = township.is_refused("which_entry", "booking.confirm", Some(hall), &[]);
    assert!(refusal.next.zh.contains("可选的有:1. 1镇2村 2026-07-01"), "{}", refusal.next.zh);
    assert_eq!(codes_in(&refusal), [""; 0]);
    let beginning =
        refusal.next.en.split(['(', ')']).nth(1).expect("each is listed with the beginning of its id").to_owned();
    township.does("booking.confirm", Some(hall), &[("booking", &beginning)]);
    // Whatever has become of the first, the second is still the second.
    let refusal = township.is_refused("which_entry", "booking.confirm", Some(hall), &[]);
    assert!(refusal.next.zh.contains("可选的有:2. 1镇2村 2026-07-02"), "{}", refusal.next.zh);
    township.does("booking.confirm", Some(hall), &[("booking", "2")]);
    township.does("booking.confirm", Some(hall), &[]);
    township.is_refused("no_entry", "booking.confirm", Some(hall), &[]);
    let bookings = township.json(hall)["bookings"].as_object().cloned().expect("they are there");
    assert!(bookings.values().all(|booking| booking["state"] == "confirmed"), "{bookings:?}");
}

#[test]
fn a_state_that_is_so_already_and_a_final_one_are_told_as_that() {
    let [mut township] = nodes(["T1"]);
    let org = branch(&mut township, "V11");
    let decide = |state| [("field", "存续状态"), ("state", state)];
    let refusal = township.is_refused("already", "record.decide", Some(org), &decide("运行"));
    assert_eq!((&*refusal.what.zh, &*refusal.next.zh), ("“V11”已是“运行”。", "无需变更。"));
    let refusal = township.is_refused("transition", "record.decide", Some(org), &decide("已批准"));
    assert_eq!(&*refusal.next.zh, "现在可以变为:整顿、并入、撤销、终止。");
    township.does("record.decide", Some(org), &decide("终止"));
    let member = {
        let other = branch(&mut township, "V12").to_string();
        township.does(
            "member.register",
            None,
            &[("name", "测试甲0001"), ("branch", &other), ("stage", "预备党员"), ("joined_on", "2025-07-01")],
        )
    };
    assert_eq!(township.json(member)["stage"], "probationary", "a choice may be called by its name");
    township.does("record.decide", Some(member), &[("field", "发展阶段"), ("state", "退党")]);
    let back = [("field", "stage"), ("state", "full")];
    let refusal = township.is_refused("transition", "record.decide", Some(member), &back);
    assert_eq!(&*refusal.next.zh, "已是终态,不能再变更。");
    assert_eq!(&*refusal.next.en, "This is a final state: nothing follows it.");
}

#[test]
fn refusals_in_chinese_have_no_codes_in_them() {
    let [mut county, mut township, mut village] = nodes(["C", "T1", "V11"]);
    let (here, there) = (branch(&mut township, "V11"), branch(&mut township, "V12").to_string());
    let org = here.to_string();
    let member = township.does("member.register", None, &[("name", "测试甲0001"), ("branch", &org)]);
    let ended = branch(&mut township, "V13");
    township.does("org.dissolve", Some(ended), &[]);
    village.hears(&township);
    let refused = [
        ("missing_argument", "booking.confirm", None, vec![]),
        ("missing_argument", "member.register", None, vec![("name", "x")]),
        ("missing_argument", "record.create", None, vec![("kind", "党员"), ("name", "x")]),
        ("bad_value", "member.register", None, vec![("name", "x"), ("branch", "一村")]),
        ("bad_value", "member.register", None, vec![("name", "x"), ("branch", &org), ("stage", "党员")]),
        ("bad_value", "record.set", Some(here), vec![("field", "org_kind"), ("value", "高")]),
        ("unknown_kind", "record.create", None, vec![("kind", "台账")]),
        ("unknown_state", "record.decide", Some(here), vec![("field", "lifecycle"), ("state", "没有")]),
        ("wrong_field", "record.set", Some(here), vec![("field", "lifecycle"), ("value", "active")]),
        ("wrong_field", "record.set", Some(member), vec![("field", "籍贯"), ("value", "x")]),
        ("wrong_kind", "booking.confirm", Some(here), vec![]),
        ("no_entry", "member.transfer.receive", Some(member), vec![]),
        ("org_ended", "record.set", Some(ended), vec![("field", "name"), ("value", "x")]),
        ("transition", "record.decide", Some(here), vec![("field", "lifecycle"), ("state", "proposed")]),
        ("unknown_argument", "member.register", None, vec![("入党时间", "x")]),
    ];
    for (code, command, subject, arguments) in refused {
        let refusal = township.is_refused(code, command, subject, &arguments);
        let found = codes_in(&refusal);
        // What was probably meant is shown as it is typed.
        let expected: &[&str] = if code == "unknown_argument" { &["joined_on"] } else { &[] };
        assert_eq!(found, expected, "{command}: {}{}{}", refusal.what.zh, refusal.why.zh, refusal.next.zh);
    }
    let set_parent = [("field", "lifecycle"), ("state", "rectifying")];
    let refusal = village.is_refused("no_authority", "record.decide", Some(here), &set_parent);
    assert_eq!(codes_in(&refusal), [""; 0], "{}", refusal.why.zh);
    township.does("member.transfer.issue", Some(member), &[("to_org", &there), ("letter_no", "1号")]);
    township.does("member.transfer.cancel", Some(member), &[]);
    let refusal = township.is_refused("transition", "member.transfer.cancel", Some(member), &[("letter", "1号")]);
    assert_eq!(codes_in(&refusal), [""; 0], "{}", refusal.what.zh);
    county.hears(&township);
    let refusal = county.is_refused("missing_argument", "member.transfer.issue", Some(member), &[]);
    assert_eq!(&*refusal.next.zh, "请填写 to_org=…:党组织的编号。");
}

#[test]
fn two_joining_dates_are_told_as_that() {
    let [mut township, mut village] = nodes(["T1", "V11"]);
    let org = branch(&mut township, "V11").to_string();
    let member = township.does("member.register", None, &[("name", "测试甲0001"), ("branch", &org)]);
    village.hears(&township);
    township.does("record.set", Some(member), &[("field", "入党日期"), ("value", "2001-07-01")]);
    village.does("record.set", Some(member), &[("field", "joined_on"), ("value", "2001-07-02")]);
    township.hears(&village);
    let conflict = township.open.values().next().expect("they differ");
    assert!(
        conflict.explanation.en.starts_with("Different values were entered for the joining date of"),
        "{conflict:?}"
    );
    assert!(conflict.explanation.zh.contains("的入党日期填了不同的值:"), "{conflict:?}");
}

#[test]
fn every_code_of_a_view_and_of_a_change_has_its_words_in_both_languages() {
    let member = catalogue().kind("member").expect("it is declared");
    let zh = |path: &str| member.say_path(path).map(|said| said.zh.to_string());
    assert_eq!(zh("joined_on").as_deref(), Some("入党日期"));
    assert_eq!(zh("joined_on_concurrent").as_deref(), Some("入党日期(各处所填不同)"));
    assert_eq!(zh("home_branch").as_deref(), Some("所在支部"));
    assert_eq!(zh("moves/4f/to_seat").as_deref(), Some("组织关系转接 转入席位"));
    assert_eq!(zh("moves/4f/state").as_deref(), Some("组织关系转接 状态"));
    assert_eq!(zh("no_such"), None);
    let value = |path: &str, text: &str| member.say_value(path, text).map(|said| said.zh.to_string());
    assert_eq!(value("stage", "full").as_deref(), Some("正式党员"));
    assert_eq!(value("stage/0", "left|2026-03-01|8号|0").as_deref(), Some("退党 2026-03-01 8号"));
    assert_eq!(value("moves/state", "issued").as_deref(), Some("已开具,未接收"));
    assert_eq!(value("pending", "transfer_pending").as_deref(), Some("转接未接收"));
    assert_eq!(value("name", "full"), None, "that is a name");
    let org = catalogue().kind("org").expect("it is declared");
    let said = org.say_value("org_kind", "out_of_area").map(|said| (said.zh.to_string(), said.en.to_string()));
    assert_eq!(said, Some(("异地".to_owned(), "out of area".to_owned())));
}
