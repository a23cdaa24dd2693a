//! The members that a ledger counts: in groups that are told alike, as the store counts them, and one by one only where somebody's
//! organisation has ended, where records are of one person, or where something changed after the day that is asked for.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::ledger::{At, Books, OWNER, Only};
use heliu_record::prelude::*;
use heliu_record::view::View;

use super::orgs::Orgs;
use crate::homes::{Counted, Head, Person, Tally, counted, counting_seat, doubles};
use crate::member::course::{self, Point};
use crate::member::stage;
use crate::standing::Standing;
use crate::words::MEMBER;

/// Some people who are alike.
#[derive(Clone, Debug)]
pub(super) struct Alike {
    pub seat: SeatId,
    pub at: Counted,
    pub stage: &'static str,
    /// What they say in the columns that were asked for.
    pub said: Vec<String>,
    pub count: i64,
}

/// What a group says before its further columns.
const COLUMNS: [&str; 5] = [OWNER, "reported_by", "effective_home", "home_unit", "stage"];

/// Those at one of these stages, told apart by these columns as well.
pub(super) fn people<'b>(
    books: &Books<'b>,
    orgs: &Orgs<'b>,
    stages: &[&'static str],
    columns: &[&'static str],
) -> Vec<Alike> {
    let of_stage = Only::says("stage", stages.iter().copied());
    let changed_later = books.asked.on.as_ref().and_then(|day| date::days_after(day, 1));
    let changed_later = changed_later.map(|next| Only::from("last_change", next));
    let ended: BTreeSet<String> = orgs.held.iter().filter(|(_, org)| org.ended).map(|(id, _)| id.to_string()).collect();
    let gathering = Gathering { books, orgs, columns, stages };
    let mut all = Vec::new();
    // Since when somebody is at a home matters only where that has ended.
    let mut of_homes = vec![of_stage];
    of_homes.extend(changed_later.clone().map(Only::is_not));
    let has_ended = !ended.is_empty();
    if has_ended {
        let at_ended = [of_homes.clone(), vec![Only::says("effective_home", ended.clone())]].concat();
        let by = [&COLUMNS[..], &["home_since"], columns].concat();
        let counts = books.counts(MEMBER, at_ended, by);
        all.extend(counts.filter_map(|(said, count)| gathering.group(said, true, count)));
        of_homes.push(Only::says("effective_home", ended).is_not());
    }
    let counts = books.counts(MEMBER, of_homes, [&COLUMNS[..], columns].concat());
    all.extend(counts.filter_map(|(said, count)| gathering.group(said, false, count)));
    if let Some(later) = &changed_later {
        let views = books.rows(MEMBER, vec![later.clone()]).iter();
        all.extend(views.filter_map(|view| gathering.one(view, 1)));
    }
    all.extend(gathering.doubles().into_iter().filter_map(|view| gathering.one(view, -1)));
    all.retain(|some| is_in(some, books, orgs));
    all
}

/// Whether they belong to what is asked for.
fn is_in(some: &Alike, books: &Books<'_>, orgs: &Orgs<'_>) -> bool {
    let is_under = |root: RecordId| some.at.org().0.is_some_and(|org| orgs.upward(org).any(|at| at == root));
    match books.asked.at {
        Some(At::Record(root)) => is_under(root) && books.has_seat(some.seat),
        Some(At::Seat(_)) | None => books.has_seat(some.seat),
    }
}

struct Gathering<'g, 'b> {
    books: &'g Books<'b>,
    orgs: &'g Orgs<'b>,
    columns: &'g [&'static str],
    stages: &'g [&'static str],
}

impl<'b> Gathering<'_, 'b> {
    fn group(&self, said: &[String], tells_since: bool, count: i64) -> Option<Alike> {
        let [owner, reported, home, unit, stage, rest @ ..] = said else { return None };
        let (since, rest) = if tells_since { rest.split_first()? } else { (owner, rest) };
        let seat: SeatId = reported.parse().or_else(|_| owner.parse()).ok()?;
        let person = Person {
            id: RecordId([0; 32]),
            seat,
            home: home.parse().ok(),
            unit: Some(unit.parse().unwrap_or(seat)),
            since: if tells_since { since.clone() } else { String::new() },
            standing: Standing::Counted,
            is_full: false,
            same_as: BTreeSet::new(),
        };
        Some(self.counted(&person, self::stage(stage)?, rest.to_vec(), count))
    }

    /// Somebody as of the day; none: at no such stage then.
    fn one(&self, view: &'b View, count: i64) -> Option<Alike> {
        let course = course::read(view);
        let at = self.at_day(&course)?;
        let is_asked = self.stages.contains(&at.stage);
        let said = self.columns.iter().map(|column| view.text(column).to_owned()).collect();
        is_asked.then(|| self.counted(&person_at(view, &course, at), at.stage, said, count))
    }

    fn at_day<'p>(&self, course: &'p [Point]) -> Option<&'p Point> {
        let day = self.books.asked.on.as_deref();
        course.iter().rfind(|point| day.is_none_or(|day| *point.on <= *day))
    }

    fn counted(&self, person: &Person, stage: &'static str, said: Vec<String>, count: i64) -> Alike {
        let at = counted(person, self.orgs);
        Alike { seat: counting_seat(person.seat, at, self.books.seats), at, stage, said, count }
    }

    /// The records that do not count because another one of the same person does, of those that were counted above.
    fn doubles(&self) -> Vec<&'b View> {
        let named = self.books.rows(MEMBER, vec![Only::something("same_person")]);
        let is_named: BTreeSet<RecordId> = named.iter().map(|view| view.record).collect();
        let person = |view: &View| Person::of(view);
        let others: BTreeSet<RecordId> = named
            .iter()
            .filter_map(person)
            .flat_map(|person| person.same_as)
            .filter(|id| !is_named.contains(id))
            .collect();
        let all = named.iter().chain(self.books.these(MEMBER, others));
        let all: BTreeMap<RecordId, &View> = all.map(|view| (view.record, view)).collect();
        let persons: Vec<Person> = all.values().filter_map(|view| self.person_of(view)).collect();
        let doubles = doubles(persons.iter());
        all.into_iter().filter(|(id, _)| doubles.contains(id)).map(|(_, view)| view).collect()
    }

    fn person_of(&self, view: &View) -> Option<Person> {
        let standing = self.at_day(&course::read(view)).map(Point::standing).unwrap_or_default();
        Some(Person { standing, ..Person::of(view)? })
    }
}

/// Those at one of these stages, one by one, with their records: of an organisation, if that is asked for.
pub(super) fn each<'b>(books: &Books<'b>, orgs: &Orgs<'b>, stages: &[&'static str]) -> Vec<(&'b View, Alike)> {
    let gathering = Gathering { books, orgs, columns: &[], stages };
    let later = books.asked.on.as_ref().and_then(|day| date::days_after(day, 1));
    let later = later.map(|next| Only::from("last_change", next));
    let mut only = vec![Only::says("stage", stages.iter().copied())];
    if let Some(At::Record(root)) = books.asked.at {
        // Who is under it now, or may have followed to it.
        let homes = orgs.held.iter().filter(|(id, org)| org.ended || orgs.upward(**id).any(|at| at == root));
        only.push(Only::says("effective_home", homes.map(|(id, _)| id.to_string()).collect::<BTreeSet<_>>()));
    }
    only.extend(later.clone().map(Only::is_not));
    let unchanged = books.rows(MEMBER, only).iter();
    let changed = later.map_or(&[][..], |later| books.rows(MEMBER, vec![later])).iter();
    let doubles: BTreeSet<RecordId> = gathering.doubles().iter().map(|view| view.record).collect();
    let single = unchanged.chain(changed).filter(|view| !doubles.contains(&view.record));
    let found = single.filter_map(|view| Some((view, gathering.one(view, 1)?)));
    found.filter(|(_, alike)| is_in(alike, books, orgs)).collect()
}

/// The records that do not count because another one of the same person does.
pub(super) fn double_records<'b>(books: &Books<'b>, orgs: &Orgs<'b>) -> Vec<&'b View> {
    Gathering { books, orgs, columns: &[], stages: &[] }.doubles()
}

/// Somebody as he is counted at a point of his course.
pub(super) fn person_at(view: &View, course: &[Point], at: &Point) -> Person {
    let until = course.iter().take_while(|point| point.on <= at.on);
    let stays: Vec<&Point> = until.collect();
    let first = stays.iter().rev().take_while(|point| point.home == at.home).last();
    // Of the first home the record itself says it.
    let is_first_home =
        stays.first().is_some_and(|point| point.home == at.home && first.is_some_and(|f| f.on == point.on));
    let since = match first {
        Some(first) if !is_first_home => first.on.clone(),
        _ if course.iter().any(|point| point.home != at.home) => String::new(),
        _ => view.text("home_since").to_owned(),
    };
    Person {
        id: view.record,
        seat: at.seat,
        home: at.home,
        unit: Some(at.unit),
        since,
        standing: at.standing(),
        is_full: at.stage == "full",
        same_as: BTreeSet::new(),
    }
}

/// As they are added up.
pub(super) fn heads(people: &[Alike]) -> Vec<Head> {
    let head = |some: &Alike| Head { seat: some.seat, at: some.at, tally: tally(some.stage, some.count) };
    people.iter().map(head).collect()
}

pub(super) fn tally(stage: &str, count: i64) -> Tally {
    Tally::of(crate::member::standing_of(stage), stage == "full", count)
}
