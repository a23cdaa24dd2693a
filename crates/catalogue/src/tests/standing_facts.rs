//! What the numbers say, what is due, and who has to do what.

use std::collections::BTreeSet;

use heliu_record::id::{RecordId, SeatId};
use heliu_record::ledger::{Answer, Answers, Asked, Books, By, Cell, Line, Sheet, Wanted};
use heliu_record::scope::Scope;
use heliu_record::sight::Sight;
use heliu_record::view::View;

use super::ledgers::{sheet, sheet_of, total};
use super::stories::{branch, member};
use super::world::{Node, county_seats, meet_all, nodes};
use crate::catalogue;

fn asked(node: &Node) -> Asked {
    Asked { by: By::Seat, at: None, on: None, from: None, to: None, today: node.today.clone() }
}

fn code(cell: &Cell) -> &str {
    match cell {
        Cell::Told(code, _) | Cell::Text(code) => code,
        _ => "",
    }
}

/// The advisories of a record that are not waived, and those that are.
fn advisories(node: &Node, subject: RecordId) -> (Vec<String>, Vec<String>) {
    let is_about = |line: &&Line| matches!(&line.cells[1], Cell::Record(id, _) if *id == subject);
    let sheet = sheet(node, "advisories");
    let lines = sheet.lines.iter().filter(is_about);
    let (waived, open): (Vec<&Line>, Vec<&Line>) = lines.partition(|line| code(&line.cells[6]) == "waived");
    let keys = |lines: Vec<&Line>| lines.into_iter().map(|line| code(&line.cells[0]).to_owned()).collect();
    (keys(open), keys(waived))
}

#[test]
fn a_branch_of_two_is_told_until_a_superior_accepts_it_and_again_in_another_band() {
    let mut all = nodes(["T1", "V11"]);
    let [t1, v11] = &mut all;
    let a = branch(t1, "V11", "一村党支部");
    for n in 0..2 {
        member(t1, a, &format!("测试甲{n:04}"));
    }
    v11.hears(t1);
    assert_eq!(advisories(v11, a).0, ["R1-few"]);
    assert_eq!(advisories(t1, a).0, ["R1-few"], "the same at both");
    v11.is_refused("no_authority", "org.waive", Some(a), &[("advisory", "R1-few")]);
    v11.is_refused("no_authority", "record.add", Some(a), &[("field", "waived"), ("element", "R1-few")]);
    t1.does("org.waive", Some(a), &[("advisory", "R1-few")]);
    meet_all(&mut all);
    let [t1, v11] = &mut all;
    for node in [&*t1, &*v11] {
        assert_eq!(advisories(node, a), (Vec::new(), vec!["R1-few".to_owned()]));
    }
    for n in 2..51 {
        member(t1, a, &format!("测试甲{n:04}"));
    }
    assert_eq!(advisories(t1, a).0, ["R3-general_branch", "R7-branch_committee"], "another rule, which nobody waived");
    t1.does("record.set", Some(a), &[("field", "committee_members"), ("value", "5")]);
    assert_eq!(advisories(t1, a).0, ["R3-general_branch"]);
}

/// A waiver at one node while the other takes it back: the waiver stays, as with any set.
#[test]
fn a_waiver_that_two_nodes_write_apart_is_the_same_at_both() {
    let mut all = nodes(["C", "T1"]);
    let [county, t1] = &mut all;
    let a = branch(t1, "V11", "一村党支部");
    county.hears(t1);
    t1.does("org.waive", Some(a), &[("advisory", "R1-few")]);
    county.does("org.waive", Some(a), &[("advisory", "R1-few")]);
    meet_all(&mut all);
    let [county, t1] = &mut all;
    county.does("org.unwaive", Some(a), &[("advisory", "R1-few")]);
    t1.does("org.waive", Some(a), &[("advisory", "R1-few")]);
    meet_all(&mut all);
    let [county, t1] = &all;
    assert_eq!(advisories(county, a), advisories(t1, a));
    assert_eq!(advisories(t1, a).1, ["R1-few"]);
}

#[test]
fn one_person_twice_and_a_joint_branch_of_six_are_told() {
    let [mut t1] = nodes(["T1"]);
    let [a, b] = ["V11", "V12"].map(|v| branch(&mut t1, v, v));
    let people: BTreeSet<RecordId> = [a, b].map(|home| member(&mut t1, home, "测试甲0001")).into();
    let (first, other) = (*people.first().expect("two"), *people.last().expect("two"));
    assert_eq!(advisories(&t1, first).0, ["double-name_and_day"]);
    t1.does("member.same_as", Some(other), &[("other", &first.to_string())]);
    assert!(advisories(&t1, first).0.is_empty());
    let orgs: Vec<String> = (0..6).map(|n| branch(&mut t1, "V13", &format!("企业{n}党支部")).to_string()).collect();
    let joint = t1.does("joint_branch.form", None, &[("name", "联合党支部"), ("units", &orgs.join(","))]);
    assert_eq!(advisories(&t1, joint).0, ["R1-few", "R2-units"]);
}

#[test]
fn what_is_due_is_due_on_the_day_that_is_asked_for() {
    let [mut t1] = nodes(["T1"]);
    let [a, b] = ["V11", "V12"].map(|v| branch(&mut t1, v, v));
    let on_probation =
        [("name", "测试乙0001"), ("branch", &*a.to_string()), ("joined_on", "2026-01-15"), ("stage", "probationary")];
    t1.does("member.register", None, &on_probation);
    let mover = member(&mut t1, b, "测试乙0002");
    t1.does("member.transfer.issue", Some(mover), &[("to_org", &a.to_string())]);
    let due = |day: &str| -> Vec<String> {
        let sheet = sheet_of(&t1, "due", &Asked { on: Some(day.to_owned()), ..asked(&t1) });
        sheet.lines.iter().map(|line| code(&line.cells[0]).to_owned()).collect()
    };
    assert_eq!(due("2026-03-11"), [""; 0]);
    assert_eq!(due("2026-03-12"), ["R10"], "ten days after it was issued");
    assert_eq!(due("2027-01-15"), ["R10", "R13"]);
}

#[test]
fn the_inbox_has_conflicts_due_letters_and_advisories_by_whose_turn_it_is() {
    let mut all = nodes(["C", "T1"]);
    let [county, t1] = &mut all;
    let [a, b] = ["V11", "V12"].map(|v| branch(county, v, v));
    let people: Vec<RecordId> =
        (0..6).map(|n| member(county, if n < 3 { a } else { b }, &format!("测试甲{n:04}"))).collect();
    t1.hears(county);
    t1.does("record.set", Some(people[0]), &[("field", "name"), ("value", "测试丙0001")]);
    county.does("record.set", Some(people[0]), &[("field", "name"), ("value", "测试丁0001")]);
    t1.does("member.transfer.issue", Some(people[1]), &[("to_org", &b.to_string())]);
    t1.does("record.decide", Some(people[5]), &[("field", "stage"), ("state", "deceased")]);
    meet_all(&mut all);
    let [_, t1] = &all;
    let inbox = sheet(t1, "inbox");
    let sorts: Vec<&str> = inbox.lines.iter().map(|line| code(&line.cells[1])).collect();
    assert_eq!(sorts, ["advisory", "conflict", "letter"], "what is the township's first: {inbox:#?}");
    let turn = |seat: &str| Cell::Seat(t1.seat_named(seat).parse().expect("a seat"));
    let turns: Vec<&Cell> = inbox.lines.iter().map(|line| &line.cells[0]).collect();
    assert_eq!(turns, [&turn("T1"), &turn("C"), &turn("V12")]);
}

#[test]
fn ages_go_up_by_township_few_are_told_together_and_who_was_not_counted_has_a_line() {
    let mut all = nodes(["C", "T1", "V11"]);
    let [county, t1, v11] = &mut all;
    let a = branch(county, "V11", "一村党支部");
    for n in 0..27 {
        member(county, a, &format!("测试甲{n:04}"));
    }
    t1.hears(county);
    v11.hears(county);
    let born: Vec<&str> = [["1950-01-01"; 12].as_slice(), &["1990-01-01"; 8], &["2000-01-01"; 5]].concat();
    v11.is_refused("no_authority", "statistics.count", None, &[("born", &born.join(","))]);
    t1.is_refused("bad_value", "statistics.count", None, &[("born", "1950-01-01,nineteen-fifty")]);
    t1.does("statistics.count", None, &[("born", &born.join(","))]);
    meet_all(&mut all);
    let [county, t1, v11] = &all;
    let ages = |node: &Node| -> Vec<(String, i64)> {
        let sheet = sheet(node, "statistics");
        let of_age = sheet.lines.iter().filter(|line| code(&line.cells[0]) == "age");
        let told = of_age
            .map(|line| (code(&line.cells[1]).to_owned(), if let Cell::Count(n) = line.cells[2] { n } else { 0 }));
        told.collect()
    };
    let told =
        |all: &[(&str, i64)]| -> Vec<(String, i64)> { all.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect() };
    for node in [county, t1] {
        assert_eq!(ages(node), told(&[("age_70", 12), ("merged", 13), ("not_counted", 2)]));
        assert_eq!(total(&sheet(node, "statistics"), "members"), 27);
    }
    // Nobody tells how old those of one village are.
    assert_eq!(ages(v11), told(&[("not_counted", 27)]));
    let raw = county.records.values().map(|record| record.view.json.to_string()).collect::<String>();
    assert!(!raw.contains("1950-01-01") && !raw.contains("2000-01-01"), "no birth date goes up");
}

/// The villages of Lianyungang: 267 below 50, 955 from there to 100, 205 above; 600 of them upgraded.
#[test]
fn the_villages_of_lianyungang_have_560_that_may_be_general_branches_and_192_that_may_be_committees() {
    let seats = county_seats(1, 1);
    let seat = seats.iter().last().expect("a village").id;
    let sizes = [(267, 35), (955, 75), (205, 275)];
    let mut levels = ["committee"; 13].into_iter().chain(["general_branch"; 587]);
    let mut orgs: Vec<(RecordId, &str, i64)> = Vec::new();
    // The largest were upgraded, and none below 50.
    for (count, size) in sizes.into_iter().rev() {
        for _ in 0..count {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&(orgs.len() as u64).to_be_bytes());
            orgs.push((RecordId(id), levels.next().unwrap_or("branch"), size));
        }
    }
    let view = |(id, level, _): &(RecordId, &str, i64)| {
        let json = format!(
            r#"{{"name":"村","org_kind":"village","org_level":"{level}","lifecycle":"active","standing":"active"}}"#
        );
        let scope = Scope { owners: [seat].into(), ..Scope::default() };
        View::stored(*id, "org", &scope, json.as_bytes())
    };
    let group = |(id, _, size): &(RecordId, &str, i64)| {
        let said = [seat.to_string(), String::new(), id.to_string(), String::new(), "full".to_owned()];
        (said.to_vec(), *size)
    };
    let asked = Asked { by: By::Seat, at: None, on: None, from: None, to: None, today: "2026-03-01".to_owned() };
    let mut answers = Answers::default();
    let sheet: Sheet = loop {
        let books = Books::new(
            &asked,
            &seats,
            SeatId(seats.iter().find(|s| s.parent.is_none()).expect("a county").id.0),
            &Sight::WHOLE,
            &answers,
        );
        let made = (catalogue().ledger("advisories").expect("it is there").run)(&books);
        let missing = books.missing();
        if missing.is_empty() {
            break made.expect("it is made");
        }
        for question in missing {
            let answer = match (question.kind, &question.wanted) {
                ("org", Wanted::Rows) => Answer::Rows(orgs.iter().map(view).collect()),
                ("member", Wanted::Counts(by)) if by.contains(&"effective_home") => {
                    Answer::Counts(orgs.iter().map(group).collect())
                }
                (_, Wanted::Counts(_)) => Answer::Counts(Vec::new()),
                _ => Answer::Rows(Vec::new()),
            };
            answers.put(question, answer);
        }
    };
    let of = |key: &str| sheet.lines.iter().filter(|line| code(&line.cells[0]) == key).count();
    assert_eq!((orgs.len(), of("R3-general_branch"), of("R3-committee"), of("R1-few")), (1_427, 560, 192, 0));
}
