//! Ledgers over a small county: what they count, and that every sum balances.

use heliu_record::id::{RecordId, SeatId};
use heliu_record::ledger::{Answer, Answers, Asked, At, Books, By, Cell, OWNER, Only, Question, Sheet, Wanted};
use heliu_record::view::View;
use heliu_record::world::World;

use super::stories::{branch, member};
use super::world::{Node, meet_all, nodes};
use crate::catalogue;

pub(super) fn asked(node: &Node) -> Asked {
    Asked { by: By::Seat, at: None, on: None, from: None, to: None, today: node.today.clone() }
}

/// As a store answers.
fn answer(node: &Node, question: &Question) -> Answer {
    if question.wanted == Wanted::Conflicts {
        return Answer::Conflicts(node.open.values().cloned().collect());
    }
    let kind = catalogue().kind(question.kind).expect("a kind");
    let says = |view: &View, column: &str| {
        if column == OWNER {
            return view.owners.first().expect("an owner").to_string();
        }
        assert!(kind.column(column).is_some(), "{} has no column {column}", kind.name);
        let cell = kind.cells(&view.json).into_iter().find(|cell| cell.column == column);
        cell.map(|cell| cell.order.text(&cell.said).into_owned()).unwrap_or_default()
    };
    let holds = |view: &View, only: &Only| {
        let said = says(view, only.column);
        let is_said = !said.is_empty() && (only.any_of.is_empty() || only.any_of.contains(&said));
        let is_within = only.from.as_ref().is_none_or(|from| said >= *from)
            && only.until.as_ref().is_none_or(|until| said <= *until);
        (is_said && is_within) != only.is_not
    };
    let of_kind = node.records.values().map(|record| &record.view).filter(|view| view.kind == kind.name);
    let found: Vec<&View> = of_kind.filter(|view| question.only.iter().all(|only| holds(view, only))).collect();
    match &question.wanted {
        Wanted::Rows => Answer::Rows(found.into_iter().cloned().collect()),
        Wanted::These(ids) => {
            Answer::Rows(found.into_iter().filter(|view| ids.contains(&view.record)).cloned().collect())
        }
        Wanted::Counts(columns) => {
            let mut counts = std::collections::BTreeMap::new();
            for view in found {
                let said: Vec<String> = columns.iter().map(|column| says(view, column)).collect();
                *counts.entry(said).or_insert(0) += 1;
            }
            Answer::Counts(counts.into_iter().collect())
        }
        Wanted::Conflicts => Answer::Conflicts(Vec::new()),
    }
}

pub(super) fn sheet_of(node: &Node, name: &str, asked: &Asked) -> Sheet {
    let ledger = catalogue().ledger(name).unwrap_or_else(|| panic!("no ledger {name}"));
    let mut answers = Answers::default();
    for _ in 0..8 {
        let books = Books::new(asked, node.seats(), node.seat, &node.sight, &answers);
        let made = (ledger.run)(&books);
        let missing = books.missing();
        if missing.is_empty() {
            let sheet = made.unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
            for line in sheet.lines.iter().chain(&sheet.total) {
                assert_eq!(line.cells.len(), sheet.columns.len(), "{name}: {line:?}");
            }
            for check in &sheet.checks {
                assert!(check.holds(), "{name} {asked:?}: {check:?}\n{sheet:#?}");
            }
            return sheet;
        }
        for question in missing {
            let found = answer(node, &question);
            answers.put(question, found);
        }
    }
    panic!("{name} asks for ever");
}

pub(super) fn sheet(node: &Node, name: &str) -> Sheet {
    sheet_of(node, name, &asked(node))
}

/// What stands in a column of the line of a seat or a record.
pub(super) fn at(sheet: &Sheet, place: &str, column: &str) -> i64 {
    let is_it = |cell: &Cell| match cell {
        Cell::Seat(seat) => seat.to_string() == place,
        Cell::Record(record, _) => record.to_string() == place,
        Cell::Told(code, _) | Cell::Text(code) => code == place,
        _ => false,
    };
    let line = sheet.lines.iter().find(|line| line.cells.first().is_some_and(is_it));
    line.map_or(0, |line| count_in(sheet, line, column))
}

pub(super) fn count_in(sheet: &Sheet, line: &heliu_record::ledger::Line, column: &str) -> i64 {
    let place = sheet.columns.iter().position(|one| one.word.name == column);
    match &line.cells[place.unwrap_or_else(|| panic!("no column {column}"))] {
        Cell::Count(count) => *count,
        _ => 0,
    }
}

pub(super) fn total(sheet: &Sheet, column: &str) -> i64 {
    count_in(sheet, sheet.total.as_ref().expect("a sum"), column)
}

pub(super) fn at_seat(node: &Node, sheet: &Sheet, seat: &str, column: &str) -> i64 {
    at(sheet, &node.seat_named(seat), column)
}

fn by_org(node: &Node) -> Asked {
    Asked { by: By::Org, ..asked(node) }
}

#[test]
fn a_merger_of_12_and_37_counts_49_by_organisation_and_12_and_37_by_seat() {
    let mut all = nodes(["C", "T1", "V11"]);
    let [county, t1, _] = &mut all;
    let [a, b] = ["V11", "V12"].map(|v| branch(county, v, v));
    for n in 0..49 {
        member(county, if n < 12 { a } else { b }, &format!("测试甲{n:04}"));
    }
    t1.hears(county);
    let merged = t1.does("org.merge_build", None, &[("name", "合建党总支"), ("predecessors", &format!("{a},{b}"))]);
    meet_all(&mut all);
    let [county, t1, v11] = &all;
    for node in [county, t1] {
        let seats = sheet(node, "members");
        assert_eq!((at_seat(node, &seats, "V11", "total"), at_seat(node, &seats, "V12", "total")), (12, 37));
        assert_eq!((at_seat(node, &seats, "T1", "below"), total(&seats, "total")), (49, 49));
        let orgs = sheet_of(node, "members", &by_org(node));
        assert_eq!((at(&orgs, &merged.to_string(), "total"), total(&orgs, "full")), (49, 49));
        assert!(orgs.lines.iter().all(|line| !line.is_partial), "all is held here");
    }
    // The village counts its own, and says that the merged organisation has more.
    let seats = sheet(v11, "members");
    assert_eq!((at_seat(v11, &seats, "V11", "total"), total(&seats, "total"), seats.lines.len()), (12, 12, 1));
    let orgs = sheet_of(v11, "members", &by_org(v11));
    assert_eq!((at(&orgs, &merged.to_string(), "total"), total(&orgs, "total")), (12, 12));
    assert!(orgs.lines.iter().any(|line| line.is_partial), "{orgs:?}");
}

#[test]
fn a_ledger_as_of_a_day_counts_who_was_where_on_it() {
    let [mut county] = nodes(["C"]);
    let [a, b] = ["V11", "V21"].map(|v| branch(&mut county, v, v));
    let people: Vec<RecordId> = (0..5).map(|n| member(&mut county, a, &format!("测试甲{n:04}"))).collect();
    county.today = "2026-04-01".to_owned();
    county.does("member.reassign", Some(people[0]), &[("to_org", &b.to_string())]);
    county.today = "2026-05-01".to_owned();
    county.does("record.decide", Some(people[1]), &[("field", "stage"), ("state", "deceased")]);
    county.does("record.decide", Some(people[2]), &[("field", "stage"), ("state", "suspended")]);
    county.today = "2026-05-20".to_owned();
    county.does("record.decide", Some(people[2]), &[("field", "stage"), ("state", "full")]);
    let counts = |day: &str| {
        let asked = Asked { on: Some(day.to_owned()).filter(|day| !day.is_empty()), ..asked(&county) };
        let sheet = sheet_of(&county, "members", &asked);
        let at = |seat: &str| at_seat(&county, &sheet, seat, "total");
        (at("V11"), at("V21"), total(&sheet, "suspended"))
    };
    assert_eq!(counts("2001-01-01"), (0, 0, 0), "nobody was a member then");
    assert_eq!(counts("2026-03-31"), (5, 0, 0));
    assert_eq!(counts("2026-04-01"), (4, 1, 0));
    assert_eq!(counts("2026-05-01"), (2, 1, 1));
    assert_eq!(counts("2026-05-20"), (3, 1, 0));
    assert_eq!(counts(""), counts("2026-05-20"));
}

#[test]
fn a_place_that_is_asked_for_adds_up_to_the_same_as_its_line() {
    let [mut county] = nodes(["C"]);
    let committee = branch(&mut county, "T1", "镇党委");
    let homes = ["V11", "V12", "V21"].map(|v| branch(&mut county, v, v));
    for org in &homes[..2] {
        county.does("org.set_parent", Some(*org), &[("parent_org", &committee.to_string())]);
    }
    for n in 0..9 {
        member(&mut county, homes[n % 3], &format!("测试甲{n:04}"));
    }
    let seat = |name: &str| At::Seat(county.seat_named(name).parse::<SeatId>().expect("a seat"));
    for (place, members) in [(seat("T1"), 6), (seat("V12"), 3), (At::Record(committee), 6), (At::Record(homes[2]), 3)] {
        for by in [By::Seat, By::Org] {
            let sheet = sheet_of(&county, "members", &Asked { at: Some(place), by, ..asked(&county) });
            assert_eq!(total(&sheet, "total"), members, "{place:?} {by:?}");
        }
    }
}

fn period(node: &Node, from: &str, to: &str) -> Sheet {
    sheet_of(node, "movements", &Asked { from: Some(from.to_owned()), to: Some(to.to_owned()), ..asked(node) })
}

#[test]
fn what_came_in_and_went_out_balances_at_every_seat_by_its_reason() {
    let [mut county] = nodes(["C"]);
    let [a, b] = ["V11", "V21"].map(|v| branch(&mut county, v, v));
    let people: Vec<RecordId> = (0..6).map(|n| member(&mut county, a, &format!("测试甲{n:04}"))).collect();
    county.today = "2026-04-01".to_owned();
    county.does("member.reassign", Some(people[0]), &[("to_org", &b.to_string())]);
    county.does("record.decide", Some(people[1]), &[("field", "stage"), ("state", "deceased")]);
    county.does("record.decide", Some(people[2]), &[("field", "stage"), ("state", "suspended")]);
    county.does("member.transfer.out", Some(people[3]), &[("to_text", "北京某支部")]);
    county.does("member.transfer.arrived", Some(people[3]), &[]);
    let came =
        [("name", "测试乙0001"), ("branch", &*a.to_string()), ("from_text", "上海某支部"), ("joined_on", "1999-07-01")];
    county.does("member.transfer.come_in", None, &came);
    let new =
        [("name", "测试乙0002"), ("branch", &*b.to_string()), ("joined_on", "2026-04-01"), ("stage", "probationary")];
    county.does("member.register", None, &new);
    county.today = "2026-05-01".to_owned();
    county.does("record.decide", Some(people[2]), &[("field", "stage"), ("state", "full")]);
    let twice = member(&mut county, a, "测试甲0004");
    county.does("member.same_as", Some(people[4]), &[("other", &twice.to_string())]);
    let sheet = period(&county, "2026-04-01", "2026-04-30");
    let told = |seat: &str, columns: &[&str]| -> Vec<i64> {
        columns.iter().map(|column| at_seat(&county, &sheet, seat, column)).collect()
    };
    let columns = ["opening", "admitted", "moved_in", "moved_out", "died", "suspended", "closing"];
    assert_eq!(told("V11", &columns), [6, 0, 1, 2, 1, 1, 3]);
    assert_eq!(told("V21", &columns), [0, 1, 1, 0, 0, 0, 2]);
    // Within the county nobody moved; one left it, and one came.
    assert_eq!(told("C", &columns), [6, 1, 1, 1, 1, 1, 5]);
    assert_eq!(at_seat(&county, &period(&county, "2026-05-01", "2026-05-01"), "C", "resumed"), 1);
    assert_eq!(
        total(&period(&county, "2001-01-01", "2026-05-01"), "closing"),
        total(&sheet_of(&county, "members", &asked(&county)), "total")
    );
}

#[test]
fn a_township_sees_who_waits_for_what_and_whose_turn_it_is() {
    let mut all = nodes(["T1", "V11"]);
    let [t1, v11] = &mut all;
    let [a, b] = ["V11", "V12"].map(|v| branch(t1, v, v));
    let mover = member(t1, a, "测试甲0001");
    v11.hears(t1);
    v11.does("member.register", None, &[("name", "测试乙0001"), ("branch", &a.to_string())]);
    v11.does(
        "member.register",
        None,
        &[("name", "测试乙0002"), ("branch", &a.to_string()), ("joined_on", "2026-02-01")],
    );
    v11.does(
        "member.transfer.propose",
        Some(mover),
        &[("to_org", &b.to_string()), ("to_seat", &v11.seat_named("V12"))],
    );
    meet_all(&mut all);
    let [t1, _] = &mut all;
    let development = sheet(t1, "development");
    let counts = ["applicant", "passed", "waiting", "total"].map(|column| at_seat(t1, &development, "V11", column));
    assert_eq!(counts, [1, 1, 1, 2]);
    let turn = |node: &Node| {
        let letters = sheet(node, "letters");
        let [line] = &letters.lines[..] else { panic!("one letter: {letters:?}") };
        (line.cells[7].clone(), line.cells[8].clone())
    };
    let seat = |node: &Node, name: &str| Cell::Seat(node.seat_named(name).parse().expect("a seat"));
    let (state, whose) = turn(t1);
    assert!(matches!(state, Cell::Told(code, _) if code == "drafted") && whose == seat(t1, "T1"));
    t1.does("member.transfer.issue", Some(mover), &[]);
    assert!(matches!(turn(t1).0, Cell::Told(code, _) if code == "issued") && turn(t1).1 == seat(t1, "V12"));
    t1.today = "2027-03-01".to_owned();
    assert!(matches!(turn(t1).0, Cell::Told(code, _) if code == "expired"));
    t1.today = "2026-03-02".to_owned();
    t1.does("member.transfer.receive", Some(mover), &[]);
    assert!(sheet(t1, "letters").lines.is_empty());
}

#[test]
fn organisations_rosters_and_what_is_joined_are_listed_once_each() {
    let [mut county] = nodes(["C"]);
    let committee = branch(&mut county, "T1", "镇党委");
    let [a, b] = ["V11", "V12"].map(|v| branch(&mut county, v, v));
    let units = format!("{},{}", county.seat_named("V11"), county.seat_named("V12"));
    let joint = county.does("joint_branch.form", None, &[("name", "联合党支部"), ("units", &units)]);
    for org in [a, b, joint] {
        county.does("org.set_parent", Some(org), &[("parent_org", &committee.to_string())]);
    }
    let one = member(&mut county, a, "测试甲0001");
    member(&mut county, b, "测试甲0002");
    county.does("member.reassign", Some(one), &[("to_org", &joint.to_string())]);
    assert_eq!(total(&sheet(&county, "organisations"), "total"), 4);
    let of_joint = sheet(&county, "joint");
    assert_eq!((at(&of_joint, &joint.to_string(), "units"), at(&of_joint, &joint.to_string(), "members")), (2, 1));
    let roster = |org| sheet_of(&county, "roster", &Asked { at: Some(At::Record(org)), ..asked(&county) }).lines.len();
    assert_eq!((roster(committee), roster(joint), roster(a), sheet(&county, "roster").lines.len()), (2, 1, 0, 2));
}
