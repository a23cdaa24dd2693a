//! For who may not see a record it does not exist: whatever command names it, wherever, the answer is that to an id that
//! never was.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::command::{Asker, Command, CommandId, Request, Subject};
use heliu_record::id::{Preimage, RecordId, SeatId};
use heliu_record::kind::{Kind, ValueType};
use heliu_record::sight::Sight;

use super::stories::{branch, hex, member};
use super::world::{Node, code_of, meet, nodes};
use crate::catalogue;

const NEVER: RecordId = RecordId([0x5a; 32]);
/// In every name of what is not shown.
const SECRET: &str = "机要";

fn of_seat(node: &Node, name: &str) -> Sight {
    let seat: SeatId = node.seat_named(name).parse().expect("an id");
    Sight { seats: Some(BTreeSet::from([seat])), kinds: None }
}

/// One record of each kind at a seat, by kind.
fn one_of_each(node: &mut Node, seat: &str, name: &str) -> BTreeMap<&'static str, RecordId> {
    let org = branch(node, seat, &format!("{name}党支部"));
    let person = member(node, org, &format!("{name}党员"));
    let with = hex(org);
    let hall = node.does("resource.offer", None, &[("name", &format!("{name}礼堂")), ("owner_org", &with)]);
    let alliance = node.does("alliance.form", None, &[("name", &format!("{name}联盟")), ("convenor", &with)]);
    let file = node.does("record.set", Some(org), &[("field", "contact_duty"), ("value", &format!("{name}值班室"))]);
    let away = node.does("float.declare", None, &[("member", &hex(person)), ("host_text", &format!("{name}外"))]);
    let need = node.does("need.raise", None, &[("name", &format!("{name}讲师")), ("owner_org", &with)]);
    BTreeMap::from([
        ("need", need),
        ("org", org),
        ("org_file", file),
        ("member", person),
        ("resource", hall),
        ("alliance", alliance),
        ("floating", away),
    ])
}

/// Some good value of an argument.
fn usual(value: ValueType, own: &BTreeMap<&'static str, RecordId>) -> String {
    match value {
        ValueType::Text(_) | ValueType::Name(_) => "甲".to_owned(),
        ValueType::Number(_) => "一".to_owned(),
        ValueType::Date | ValueType::Past | ValueType::Birth => "2026-03-01".to_owned(),
        ValueType::Int | ValueType::Count => "3".to_owned(),
        ValueType::Bool => "true".to_owned(),
        ValueType::Seat => code_of("V11"),
        ValueType::Record(kind) | ValueType::Unit(kind) => hex(own.get(kind.name).copied().unwrap_or(own["org"])),
        ValueType::Choice(choices) => choices[0].name.to_owned(),
    }
}

/// Ways to name a record in a command, as requests: with `id` in the subject, in each argument, in each field of each kind.
fn naming(command: &'static Command, id: RecordId, own: &BTreeMap<&'static str, RecordId>) -> Vec<Request> {
    let required = command.arguments.iter().filter(|argument| argument.required);
    let usual: BTreeMap<String, String> =
        required.map(|argument| (argument.name.to_owned(), usual(argument.value, own))).collect();
    let request = |subject: Option<RecordId>, more: &[(&str, &str)]| {
        let mut arguments = usual.clone();
        arguments.extend(more.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
        let (id, name) = (CommandId([3; 16]), command.name.to_owned());
        Request { id, name, subject, arguments, who: "clerk".to_owned(), reason: String::new(), on_behalf: None }
    };
    let subjects: Vec<Option<RecordId>> = match command.subject {
        Subject::None => vec![None],
        Subject::Any => own.values().copied().map(Some).collect(),
        Subject::Of(kind) => vec![Some(own[kind.name])],
    };
    let (plain, whole) = (hex(id), format!("all={id}"));
    let mut found = Vec::new();
    if command.subject != Subject::None {
        found.push(request(Some(id), &[]));
    }
    for subject in subjects {
        for argument in command.arguments {
            found.push(request(subject, &[(argument.name, &plain)]));
            found.push(request(subject, &[(argument.name, &whole)]));
        }
        for kind in catalogue().kinds() {
            for field in kind.fields() {
                for argument in ["value", "element"] {
                    if command.arguments.iter().any(|a| a.name == argument) {
                        found.push(request(subject, &[("field", field.name), (argument, &plain)]));
                    }
                }
                if command.takes_fields {
                    found.push(request(subject, &[("kind", kind.name), ("name", "甲"), (field.name, &plain)]));
                }
            }
        }
    }
    found
}

/// What comes of a request, with the named id taken out.
fn outcome(node: &Node, request: &Request, sight: &Sight, id: RecordId) -> String {
    let asker = Asker {
        seat: node.seat,
        place: 0,
        deputy: None,
        today: node.today.clone(),
        sight: sight.clone(),
        secret: Ok([7; 16]),
    };
    let plan = catalogue().plan(request, &asker, node);
    let said = format!("{plan:?}");
    let mut forms = vec![hex(id), id.short(), format!("{:?}", id.0.to_vec())];
    // What follows from what was typed is another for another text, whether there is such a record or not.
    for write in plan.iter().flat_map(|plan| &plan.writes) {
        let keyed = |preimage: &&Preimage| catalogue().kind(&preimage.kind).is_some_and(Kind::is_keyed);
        if let Some(preimage) = write.create.as_ref().filter(keyed) {
            forms.extend([hex(write.record), write.record.short(), format!("{:?}", preimage.key)]);
        }
    }
    forms.iter().fold(said, |said, form| said.replace(form, "ID"))
}

/// Requests that give one who is shown `sight` something else for an id than for one that never was.
fn told_apart(node: &Node, sight: &Sight, own: &BTreeMap<&'static str, RecordId>, hidden: RecordId) -> Vec<String> {
    let mut found = Vec::new();
    for command in catalogue().commands() {
        for (about, never) in naming(command, hidden, own).iter().zip(naming(command, NEVER, own)) {
            let (said, wanted) = (outcome(node, about, sight, hidden), outcome(node, &never, sight, NEVER));
            if said != wanted || said.contains(SECRET) {
                found.push(format!("{about:?}: {said} and not {wanted}"));
            }
        }
    }
    found
}

#[test]
fn every_command_answers_for_a_record_that_is_not_shown_as_for_one_that_never_was() {
    let [mut county] = nodes(["C"]);
    let own = one_of_each(&mut county, "V11", "甲村");
    let hidden = one_of_each(&mut county, "V21", SECRET);
    let ended = branch(&mut county, "V21", &format!("{SECRET}二支部"));
    county.does("org.dissolve", Some(ended), &[("successors", &format!("all={}", hidden["org"]))]);
    let sight = of_seat(&county, "V11");
    // An organisation is public: seats limit what is said of it elsewhere.
    for (kind, id) in hidden.iter().filter(|(kind, _)| **kind != "org") {
        let found = told_apart(&county, &sight, &own, *id);
        assert!(found.is_empty(), "{kind}: {} requests, such as {}", found.len(), found[0]);
        // Who is shown everything is told what it is: the comparison can fail.
        assert!(!told_apart(&county, &Sight::WHOLE, &own, *id).is_empty(), "{kind}");
    }
    let kinds = hidden.keys().filter(|kind| **kind != "org").map(|kind| (*kind).to_owned()).collect();
    let of_no_orgs = Sight { seats: None, kinds: Some(kinds) };
    let found = told_apart(&county, &of_no_orgs, &own, ended);
    assert!(found.is_empty(), "an organisation: {} requests, such as {}", found.len(), found[0]);
    let of_orgs = Sight { seats: None, kinds: Some(BTreeSet::from(["org".to_owned()])) };
    assert!(told_apart(&county, &of_orgs, &own, hidden["member"]).is_empty(), "nor one of another kind");
}

#[test]
fn what_is_public_is_seen_by_who_is_limited_to_a_seat_and_not_written() {
    let [mut county] = nodes(["C"]);
    let own = one_of_each(&mut county, "V11", "甲村");
    let theirs = one_of_each(&mut county, "V21", "乙村");
    county.sight = of_seat(&county, "V11");
    county.does("member.transfer.propose", Some(own["member"]), &[("to_org", &hex(theirs["org"]))]);
    county.does("record.set", Some(own["org"]), &[("field", "contact_duty"), ("value", "甲")]);
    let to = |argument: &'static str, value: &'static str| [("field", argument), ("value", value)];
    let named = county.is_refused("out_of_scope", "record.set", Some(theirs["org"]), &to("name", "丙村党支部"));
    assert!(named.what.zh.contains("乙村党支部"), "{named}");
    county.is_refused("out_of_scope", "org.dissolve", Some(theirs["org"]), &[]);
    let both = [("name", "丁村党支部"), ("predecessors", &*format!("{},{}", own["org"], theirs["org"]))];
    county.is_refused("out_of_scope", "org.merge_build", None, &both);
    // Its file is not even seen.
    county.is_refused("out_of_scope", "record.set", Some(theirs["org"]), &to("contact_duty", "丙"));
    county.is_refused("not_here", "record.set", Some(theirs["org_file"]), &to("contact_duty", "丙"));
    county.sight = Sight { seats: None, kinds: Some(BTreeSet::from(["org".to_owned()])) };
    county.is_refused("out_of_scope", "record.set", Some(own["org"]), &to("contact_duty", "丙"));
    county.does("record.set", Some(own["org"]), &to("name", "丙村党支部"));
}

#[test]
fn a_village_knows_the_branch_of_another_township_and_writes_to_it_and_has_nothing_of_its_file_or_its_people() {
    let [mut county, mut t2, mut v11] = nodes(["C", "T2", "V11"]);
    let own = one_of_each(&mut county, "V11", "甲村");
    let theirs = one_of_each(&mut county, "V21", "乙村");
    t2.hears_its_own(&county);
    v11.hears_its_own(&county);
    assert_eq!(v11.json(theirs["org"])["name"], "乙村党支部");
    for kind in ["org_file", "member", "resource"] {
        assert!(v11.records.contains_key(&own[kind]) && !v11.records.contains_key(&theirs[kind]), "{kind}");
    }
    assert_eq!(v11.json(own["org_file"])["org"], hex(own["org"]));
    v11.does("member.transfer.propose", Some(own["member"]), &[("to_org", &hex(theirs["org"]))]);
    // It does not write what it sees.
    v11.is_refused("no_authority", "record.set", Some(theirs["org"]), &[("field", "name"), ("value", "丙村")]);
    v11.is_refused("no_authority", "record.set", Some(theirs["org"]), &[("field", "contact_duty"), ("value", "丙")]);
    county.hears(&v11);
    county.does("member.transfer.issue", Some(own["member"]), &[]);
    t2.hears_its_own(&county);
    t2.does("member.transfer.receive", Some(own["member"]), &[]);
    assert_eq!(t2.json(own["member"])["home_branch"], hex(theirs["org"]));
}

#[test]
fn two_who_begin_the_file_of_one_organisation_apart_have_made_one_file() {
    let [mut county, mut t1] = nodes(["C", "T1"]);
    let org = branch(&mut county, "V11", "甲村党支部");
    t1.hears(&county);
    let file = county.does("record.set", Some(org), &[("field", "contact_duty"), ("value", "甲")]);
    let powers = [("field", "delegated_powers"), ("element", "人事")];
    assert_eq!(t1.does("record.add", Some(org), &powers), file);
    t1.does("record.update", Some(org), &[("name", "甲村党总支"), ("contact_duty", "乙")]);
    meet(&mut county, &mut t1);
    assert_eq!(county.json(file)["delegated_powers"], serde_json::json!(["personnel"]));
    assert_eq!(
        (&county.json(org)["name"], county.json(file)["contact_duty_concurrent"].as_array().map(Vec::len)),
        (&"甲村党总支".into(), Some(2))
    );
    let conflict = county.conflict("DIVERGED_FIELD").clone();
    assert_eq!((conflict.subject, county.open.len()), (file, 1));
    county.settles(&conflict, "1");
    // A file is not made by itself, and what a joint branch joins reads its file too.
    county.is_refused("a_file", "record.create", None, &[("kind", "org_file"), ("contact_duty", "丙")]);
    let other = branch(&mut county, "V12", "乙村党支部");
    let both =
        [("name", "合建党总支"), ("predecessors", &*format!("{org},{other}")), ("delegated_powers", "人事,决策")];
    let merged = county.does("org.merge_build", None, &both);
    let file = county.records[&merged].preimage.file("org_file").id();
    assert_eq!(county.records[&file].view.seats, county.records[&merged].view.seats);
    assert_eq!(county.json(file)["delegated_powers"], serde_json::json!(["decisions", "personnel"]));
}

#[test]
fn a_circle_through_what_is_not_shown_is_refused_and_names_only_what_is() {
    let [mut county] = nodes(["C"]);
    let upper = branch(&mut county, "V11", "甲村总支");
    let lower = branch(&mut county, "V11", "甲村支部");
    let between = branch(&mut county, "V21", &format!("{SECRET}支部"));
    county.does("org.set_parent", Some(between), &[("parent_org", &hex(upper))]);
    county.does("org.set_parent", Some(lower), &[("parent_org", &hex(between))]);
    county.sight = of_seat(&county, "V11");
    let refusal = county.is_refused("parent_cycle", "org.set_parent", Some(upper), &[("parent_org", &hex(lower))]);
    assert!(refusal.what.zh.contains("甲村总支") && !format!("{refusal:?}").contains(SECRET), "{refusal:?}");
}

#[test]
fn a_conflict_between_organisations_is_seen_by_everybody_and_settled_by_whose_they_all_are() {
    let [mut county, mut township] = nodes(["C", "T1"]);
    let ours = branch(&mut county, "V11", "甲村支部");
    let theirs = branch(&mut county, "V12", "乙村支部");
    township.hears(&county);
    county.does("org.set_parent", Some(ours), &[("parent_org", &hex(theirs))]);
    township.does("org.set_parent", Some(theirs), &[("parent_org", &hex(ours))]);
    meet(&mut county, &mut township);
    let conflict = county.conflict("PARENT_CYCLE").clone();
    let id = conflict.id.to_string();
    let choice = [("conflict", id.as_str()), ("choice", "1")];
    for seat in ["V11", "V12"] {
        county.sight = of_seat(&county, seat);
        county.is_refused("out_of_scope", "conflict.settle", Some(conflict.subject), &choice);
    }
    // Who is not shown organisations knows of none.
    county.sight = Sight { seats: None, kinds: Some(BTreeSet::from(["member".to_owned()])) };
    county.is_refused("not_here", "conflict.settle", Some(conflict.subject), &choice);
    county.sight = Sight::WHOLE;
    county.settles(&conflict, "1");
}

#[test]
fn an_explanation_says_which_other_records_it_names() {
    let [mut county] = nodes(["C"]);
    let home = branch(&mut county, "V21", &format!("{SECRET}支部"));
    let person = county.does("member.register", None, &[("name", "甲"), ("branch", &hex(home))]);
    county.does("org.dissolve", Some(home), &[("effective_on", "2026-02-01")]);
    let conflict = county.conflict("ADD_TO_DISSOLVED_ORG");
    assert!(conflict.explanation.zh.contains(SECRET));
    assert_eq!((conflict.subject, &conflict.quotes), (person, &BTreeSet::from([home])));
    let said = catalogue().in_general(&conflict.kind).expect("a rule finds it");
    assert!(!said.zh.contains(SECRET) && said.en.ends_with('.'));
}
