//! Undoing one's own last command, and what a plan says beforehand that it would change.

use heliu_record::command::{Asker, CommandId, Plan, Refusal, Request};
use heliu_record::id::RecordId;
use heliu_record::preview::Preview;
use heliu_record::sight::Sight;
use serde_json::json;

use super::stories::{branch, hex, member};
use super::world::{Node, meet, nodes};
use crate::catalogue;

/// What was written last in a record, as the node that is asked names it.
fn last(node: &Node, record: RecordId) -> String {
    let change = node.records[&record].history.changes().last().expect("a change");
    format!("{record}:{}", change.hash)
}

fn undo(node: &mut Node, record: RecordId) -> Result<Plan, Refusal> {
    let changes = last(node, record);
    node.ask("record.undo", None, &[("changes", &changes)])
}

fn is_not_undone(node: &mut Node, code: &str, record: RecordId) -> Refusal {
    let refusal = undo(node, record).expect_err(code);
    assert_eq!(refusal.code, code, "{refusal}");
    refusal
}

#[test]
fn a_slip_of_the_finger_is_taken_back_with_the_values_of_before_and_the_history_stays() {
    let [mut county] = nodes(["C"]);
    let m = {
        let b = branch(&mut county, "V11", "一村党支部");
        member(&mut county, b, "测试甲0001")
    };
    county.does("record.update", Some(m), &[("member_no", "D001"), ("sex", "female"), ("contact", "13800001234")]);
    let before = county.json(m).clone();
    county.does("record.update", Some(m), &[("name", "测试申0001"), ("sex", ""), ("contact", ""), ("nation", "汉族")]);
    let changes = county.records[&m].history.len();
    undo(&mut county, m).expect("it is undone");
    assert_eq!(*county.json(m), before, "what was sealed is back too");
    assert_eq!(county.records[&m].history.len(), changes + 1, "nothing is deleted");
    undo(&mut county, m).expect("and what was undone is an edit like others");
    assert_eq!(county.json(m)["name"], json!("测试申0001"));
}

#[test]
fn what_others_did_what_was_decided_and_what_was_built_on_is_not_undone_and_it_is_said_what_to_do() {
    let [mut county, mut t1] = nodes(["C", "T1"]);
    let [b, there] = ["V11", "V12"].map(|seat| branch(&mut county, seat, seat));
    let m = member(&mut county, b, "测试甲0001");
    is_not_undone(&mut county, "undo_made", b);
    county.does("record.set", Some(m), &[("field", "name"), ("value", "测试申0001")]);
    t1.hears(&county);
    let refusal = is_not_undone(&mut t1, "undo_not_own", m);
    assert!(refusal.why.zh.contains("鄄城县"), "{refusal}");
    // Somebody else's at one's own seat.
    let id = CommandId([7; 16]);
    let arguments = [("changes".to_owned(), last(&county, m))].into();
    let request = Request {
        id,
        name: "record.undo".to_owned(),
        subject: None,
        arguments,
        who: "another".to_owned(),
        reason: String::new(),
        on_behalf: None,
    };
    assert_eq!(county.ask_request(&request).expect_err("not his").code, "undo_not_own");
    // Somebody wrote on it.
    let mine = last(&county, m);
    t1.does("record.set", Some(m), &[("field", "name"), ("value", "测试甲0009")]);
    county.hears(&t1);
    let refusal = county.ask("record.undo", None, &[("changes", &mine)]).expect_err("it was built on");
    assert_eq!(refusal.code, "undo_overwritten");
    assert!(refusal.why.zh.contains("1镇") && refusal.what.zh.contains("姓名"), "{refusal}");
    // Decisions, steps, and whose a record is.
    county.does("org.dissolve", Some(there), &[("effective_on", "2026-02-01")]);
    is_not_undone(&mut county, "undo_decision", there);
    let other = branch(&mut county, "V13", "三村党支部");
    county.does("member.transfer.issue", Some(m), &[("to_org", &hex(other))]);
    let step = is_not_undone(&mut county, "undo_step", m);
    assert!(step.next.zh.contains("撤回"), "{step}");
    county.does("record.share", Some(other), &[("seat", &county.seat_named("V14"))]);
    is_not_undone(&mut county, "undo_shared", other);
    let nothing = county.ask("record.undo", None, &[]).expect_err("it names nothing");
    assert_eq!(nothing.code, "undo_nothing");
}

#[test]
fn an_undo_beside_anothers_edit_loses_nothing_and_the_conflict_shows_both() {
    let [mut county, mut village, mut township] = nodes(["C", "V11", "T1"]);
    let b = branch(&mut county, "V11", "一村党支部");
    let m = member(&mut county, b, "测试甲0001");
    village.hears(&county);
    village.does("record.set", Some(m), &[("field", "name"), ("value", "测试申0001")]);
    township.hears(&county);
    township.hears(&village);
    // Apart: the village takes it back, and the township corrects what the village had written.
    undo(&mut village, m).expect("it is undone");
    township.does("record.set", Some(m), &[("field", "name"), ("value", "测试申0009")]);
    meet(&mut village, &mut township);
    let conflict = village.conflict("DIVERGED_FIELD").clone();
    let values: Vec<String> = conflict.values.iter().map(heliu_record::conflict::ConflictValue::choice).collect();
    assert!(values.contains(&"测试甲0001".to_owned()) && values.contains(&"测试申0009".to_owned()), "{values:?}");
    township.settles(&conflict, "测试申0009");
    meet(&mut village, &mut township);
    assert!(village.open.is_empty() && village.json(m)["name"] == json!("测试申0009"));
}

fn preview(node: &Node, command: &str, subject: Option<RecordId>, arguments: &[(&str, &str)]) -> Preview {
    let arguments = arguments.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let (id, name) = (CommandId([9; 16]), command.to_owned());
    let request =
        Request { id, name, subject, arguments, who: "clerk".to_owned(), reason: String::new(), on_behalf: None };
    let (today, sight, secret) = (node.today.clone(), Sight::WHOLE, Ok([7; 16]));
    let asker = Asker { seat: node.seat, deputy: None, place: 0, today, sight, secret };
    let plan = catalogue().plan(&request, &asker, node).expect(command);
    catalogue().preview(&plan, &asker, node).expect(command)
}

#[test]
fn a_trial_says_which_values_change_who_gains_sight_and_which_conflicts_it_opens_and_settles() {
    let [mut county, mut t1] = nodes(["C", "T1"]);
    let [b, there] = ["V11", "V21"].map(|seat| branch(&mut county, seat, seat));
    let m = member(&mut county, b, "测试甲0001");
    t1.hears(&county);
    let (before, records) = (county.json(m).clone(), county.records.len());
    let said = preview(&county, "record.update", Some(m), &[("name", "测试申0001"), ("sex", "male")]);
    let [one] = &said.records[..] else { panic!("one record: {said:?}") };
    assert_eq!((one.id, one.made, &*one.title), (m, false, "测试申0001"));
    assert_eq!(json!(one.before), json!({"name": "测试甲0001"}), "what does not change is not told");
    assert_eq!(json!(one.after), json!({"name": "测试申0001", "sex": "male"}));
    assert!(one.gains.is_empty() && one.loses.is_empty() && said.opens.is_empty());
    let said = preview(&county, "member.transfer.issue", Some(m), &[("to_org", &hex(there))]);
    let gains: Vec<String> = said.records[0].gains.iter().map(ToString::to_string).collect();
    assert_eq!(gains, [county.seat_named("V21")], "the destination sees it then");
    let kinds: Vec<(&str, bool)> = said.records.iter().map(|one| (&*one.kind, one.made)).collect();
    assert_eq!(kinds, [("member", false), ("number_book", true)]);
    assert_eq!((county.json(m), county.records.len()), (&before, records), "nothing was done");
    // What a settlement ends is told, and what it is that a command would begin.
    county.does("record.set", Some(m), &[("field", "name"), ("value", "甲")]);
    t1.does("record.set", Some(m), &[("field", "name"), ("value", "乙")]);
    meet(&mut county, &mut t1);
    let conflict = county.conflict("DIVERGED_FIELD").clone();
    let settle = [("conflict", &*conflict.id.to_string()), ("choice", "甲")];
    let said = preview(&county, "conflict.settle", Some(m), &settle);
    let ids = |all: &[heliu_record::conflict::Conflict]| all.iter().map(|one| one.id).collect::<Vec<_>>();
    assert_eq!((ids(&said.settles), ids(&said.opens)), (vec![conflict.id], vec![]));
    let late =
        [("name", "测试迟0001"), ("branch", &*hex(there)), ("joined_on", "2026-02-02"), ("admitted_on", "2026-02-03")];
    county.does("member.register", None, &late);
    county.does("org.dissolve", Some(there), &[("effective_on", "2026-02-01")]);
    let open = county.conflict("ADD_TO_DISSOLVED_ORG").clone();
    let reopen = [("field", "lifecycle"), ("state", "active")];
    let said = preview(&county, "record.decide", Some(there), &reopen);
    assert_eq!(ids(&said.settles), [open.id], "also one of a record that only refers to it");
}
