//! Where each member is counted, and what that adds up to. A home follows the successors that an ending named, by derivation: nothing of
//! this is written or stored, and all of it follows from the views of members and organisations, so that every node that holds the same
//! views finds the same. Which members there are is for the caller to say.
//!
//! Two roll-ups: by seat (who reports the member, whatever became of his branch) and by organisation (the projected home, up the projected
//! parents). Both add up to the same.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::prelude::*;
use heliu_record::seats::Seats;
use heliu_record::view::View;

use crate::org::{ALL_UNITS, Tree, projected_parent};
use crate::standing::Standing;
use crate::words::{MEMBER, ORGANISATION};

/// Longer chains of successors, or of parents, than any county has.
const STEPS_MAX: usize = 64;

/// What of an organisation's view says who is counted there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    pub seat: SeatId,
    pub ended: bool,
    /// Since when it has ended; empty if nobody said.
    pub since: String,
    /// By unit: an organisation or a seat, or `all`. More than one: two named another.
    pub successors: BTreeMap<String, BTreeSet<RecordId>>,
    /// The one above it, and those before, the last one first.
    pub parents: Vec<RecordId>,
}

/// What of a member's view says where and how he is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: RecordId,
    /// Who reports the member.
    pub seat: SeatId,
    pub home: Option<RecordId>,
    /// The seat for which the home took him in.
    pub unit: Option<SeatId>,
    /// Since when he is there; empty if nobody said.
    pub since: String,
    pub standing: Standing,
    pub is_full: bool,
    pub same_as: BTreeSet<RecordId>,
}

/// Where a member is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    At(RecordId),
    /// His organisation has ended, and nobody, or more than one, is to take him over. He waits under the lowest organisation above it that
    /// goes on, if there is one.
    Unallocated {
        under: Option<RecordId>,
    },
    /// He was admitted to an organisation after it had ended, which a superior has to look at: ADD_TO_DISSOLVED_ORG.
    PendingReassignment {
        under: Option<RecordId>,
    },
}

/// Whether somebody was admitted to an organisation only after it had ended. On the very day he is taken to have been there before.
#[must_use]
pub fn is_late(admitted: &str, ended: &str) -> bool {
    !admitted.is_empty() && !ended.is_empty() && admitted > ended
}

impl Organisation {
    /// None: the view is of something else.
    #[must_use]
    pub fn of(view: &View) -> Option<Self> {
        if view.kind != ORGANISATION.name {
            return None;
        }
        let text = |name: &str| view.json.get(name).and_then(Json::as_str);
        let named = |value: &Json| value.as_str().and_then(|id| id.parse::<RecordId>().ok());
        let of_unit = |(unit, parts): (&String, &Json)| {
            let all = parts.get("org_concurrent").and_then(Json::as_array);
            let one = parts.get("org").into_iter();
            (unit.clone(), all.into_iter().flatten().chain(one).filter_map(named).collect())
        };
        let successors = view.json.get("successors").and_then(Json::as_object);
        let before = view.json.get("parents_before").and_then(Json::as_array);
        Some(Organisation {
            seat: *view.owners.first()?,
            ended: text("standing") == Some("ended"),
            since: text("lifecycle_since").unwrap_or_default().to_owned(),
            successors: successors.into_iter().flatten().map(of_unit).collect(),
            parents: view
                .json
                .get("parent_org")
                .into_iter()
                .chain(before.into_iter().flatten())
                .filter_map(named)
                .collect(),
        })
    }

    /// Who takes over those of a unit that goes by these names; none, or more than one, if nobody can say.
    fn successors_of(&self, units: &[String]) -> BTreeSet<RecordId> {
        let own: BTreeSet<RecordId> =
            units.iter().filter_map(|unit| self.successors.get(unit)).flatten().copied().collect();
        if own.is_empty() { self.successors.get(ALL_UNITS).cloned().unwrap_or_default() } else { own }
    }
}

impl Person {
    /// None: the view is of something else.
    #[must_use]
    pub fn of(view: &View) -> Option<Self> {
        if view.kind != MEMBER.name {
            return None;
        }
        let text = |name: &str| view.json.get(name).and_then(Json::as_str);
        let same = view.json.get("same_as").and_then(Json::as_array);
        Some(Person {
            id: view.record,
            seat: text("reported_by").and_then(|id| id.parse().ok()).or_else(|| view.owners.first().copied())?,
            home: text("effective_home").and_then(|id| id.parse().ok()),
            unit: text("home_seat").and_then(|id| id.parse().ok()),
            since: text("home_since").unwrap_or_default().to_owned(),
            standing: text("standing").and_then(Standing::named).unwrap_or_default(),
            is_full: text("stage") == Some("full"),
            same_as: same.into_iter().flatten().filter_map(|id| id.as_str()?.parse().ok()).collect(),
        })
    }
}

/// The organisations that there are, by whatever means they are held.
pub trait Organisations {
    fn organisation(&self, id: RecordId) -> Option<Organisation>;
}

impl Organisations for BTreeMap<RecordId, Organisation> {
    fn organisation(&self, id: RecordId) -> Option<Organisation> {
        self.get(&id).cloned()
    }
}

/// Those of a node's records.
struct Held<'w>(&'w dyn World);

impl Organisations for Held<'_> {
    fn organisation(&self, id: RecordId) -> Option<Organisation> {
        self.0.record(id).and_then(|record| Organisation::of(&record.view))
    }
}

/// As a tree.
pub struct Parents<'o>(pub &'o dyn Organisations);

impl Tree for Parents<'_> {
    fn parent(&self, org: RecordId) -> Option<RecordId> {
        self.0.organisation(org)?.parents.first().copied()
    }

    fn parents_written(&self, org: RecordId) -> Vec<RecordId> {
        self.0.organisation(org).map(|org| org.parents).unwrap_or_default()
    }
}

/// Where a member is counted: from the home that is recorded through the successors to the first that goes on. Where an organisation on
/// the way is not held here, nothing further is known, and he is counted there.
#[must_use]
pub fn counted(person: &Person, orgs: &dyn Organisations) -> Counted {
    let Some(home) = person.home else { return Counted::Unallocated { under: None } };
    let mut units: Vec<String> = person.unit.iter().chain([&person.seat]).map(SeatId::to_string).collect();
    let (mut at, mut seen) = (home, BTreeSet::new());
    loop {
        let Some(org) = orgs.organisation(at).filter(|org| org.ended) else { return Counted::At(at) };
        if at == home && is_late(&person.since, &org.since) {
            return Counted::PendingReassignment { under: live_above(at, orgs) };
        }
        // A unit may be named by its organisation too.
        units.push(at.to_string());
        let next = org.successors_of(&units);
        match next.first().filter(|_| next.len() == 1) {
            Some(next) if seen.insert(at) && seen.len() < STEPS_MAX && !seen.contains(next) => at = *next,
            _ => return Counted::Unallocated { under: live_above(at, orgs) },
        }
    }
}

/// The lowest organisation above one that goes on.
fn live_above(org: RecordId, orgs: &dyn Organisations) -> Option<RecordId> {
    let above = |at: &RecordId| projected_parent(*at, &Parents(orgs));
    let mut chain = std::iter::successors(above(&org), above).take(STEPS_MAX);
    chain.find(|at| orgs.organisation(*at).is_some_and(|org| !org.ended))
}

/// Where a member is counted, if at an organisation, as commands see it.
#[must_use]
pub fn projected_home(member: &Record, world: &dyn World) -> Option<RecordId> {
    match counted(&Person::of(&member.view)?, &Held(world)) {
        Counted::At(org) => Some(org),
        Counted::Unallocated { .. } | Counted::PendingReassignment { .. } => None,
    }
}

/// What is counted somewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Full and probationary.
    pub members: i64,
    pub full: i64,
    /// Apart: not among the members.
    pub suspended: i64,
}

impl Tally {
    /// So many who count in the same way.
    #[must_use]
    pub fn of(standing: Standing, is_full: bool, count: i64) -> Self {
        match standing {
            Standing::Counted => Tally { members: count, full: if is_full { count } else { 0 }, suspended: 0 },
            Standing::Suspended => Tally { suspended: count, ..Tally::default() },
            Standing::Awaiting | Standing::Ended => Tally::default(),
        }
    }

    #[must_use]
    pub fn probationary(&self) -> i64 {
        self.members - self.full
    }
}

/// What can be added up over places.
pub trait Sum: Clone + Default + PartialEq {
    fn add(&mut self, other: &Self);
}

impl Sum for Tally {
    fn add(&mut self, other: &Self) {
        self.members += other.members;
        self.full += other.full;
        self.suspended += other.suspended;
    }
}

/// Of each column.
impl Sum for Vec<i64> {
    fn add(&mut self, other: &Self) {
        self.resize(self.len().max(other.len()), 0);
        self.iter_mut().zip(other).for_each(|(sum, more)| *sum += more);
    }
}

/// Some who are counted at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head<T = Tally> {
    /// As [`counting_seat`] says it.
    pub seat: SeatId,
    pub at: Counted,
    pub tally: T,
}

impl Counted {
    /// The organisation that it counts for, and whether that is only the one that somebody waits under.
    #[must_use]
    pub fn org(self) -> (Option<RecordId>, bool) {
        match self {
            Counted::At(org) => (Some(org), false),
            Counted::Unallocated { under } | Counted::PendingReassignment { under } => (under, true),
        }
    }
}

/// The seat at which somebody counts whom a seat reports: whoever waits for an organisation, at the township.
#[must_use]
pub fn counting_seat(seat: SeatId, at: Counted, seats: &Seats) -> SeatId {
    let is_committee = |seat: &SeatId| seats.get(*seat).is_some_and(|seat| seat.tier <= Tier::Township);
    if at.org().1 { seats.upward(seat).find(is_committee).unwrap_or(seat) } else { seat }
}

/// What is counted at one place and below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row<T = Tally> {
    /// At the place itself.
    pub own: T,
    /// Of those there and below whose organisation has ended and who wait under this place.
    pub unallocated: T,
    /// Both, and all below.
    pub total: T,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RollUps<T = Tally> {
    /// Villages + a township's own + unallocated = the township, and so upward.
    pub by_seat: BTreeMap<SeatId, Row<T>>,
    pub by_org: BTreeMap<RecordId, Row<T>>,
    /// Who is at no organisation, nor waits under one.
    pub without_org: T,
    pub total: T,
}

/// The members that there are, each class of records of one person once.
#[must_use]
pub fn heads(persons: &[Person], orgs: &dyn Organisations, seats: &Seats) -> Vec<Head> {
    let head = |person: &Person| {
        let at = counted(person, orgs);
        let tally = Tally::of(person.standing, person.is_full, 1);
        Head { seat: counting_seat(person.seat, at, seats), at, tally }
    };
    each_once(persons).map(head).collect()
}

/// Adds up those who count.
#[must_use]
pub fn roll_up<T: Sum>(heads: &[Head<T>], orgs: &dyn Organisations, seats: &Seats) -> RollUps<T> {
    let mut sums: RollUps<T> = RollUps::default();
    let mut above: BTreeMap<RecordId, Option<RecordId>> = BTreeMap::new();
    let mut above = |org: RecordId| *above.entry(org).or_insert_with(|| projected_parent(org, &Parents(orgs)));
    for Head { seat, at, tally } in heads.iter().filter(|head| head.tally != T::default()) {
        sums.total.add(tally);
        let (org, waits) = at.org();
        count(sums.by_seat.entry(*seat).or_default(), tally, waits);
        match org {
            Some(org) => count(sums.by_org.entry(org).or_default(), tally, waits),
            None => sums.without_org.add(tally),
        }
        // Its own seat is among them; one that the directory does not know has nobody above it.
        let upward: BTreeSet<SeatId> = [*seat].into_iter().chain(seats.upward(*seat)).collect();
        upward.into_iter().for_each(|at| sums.by_seat.entry(at).or_default().total.add(tally));
        let upward: BTreeSet<RecordId> = std::iter::successors(org, |at| above(*at)).take(STEPS_MAX).collect();
        upward.into_iter().for_each(|at| sums.by_org.entry(at).or_default().total.add(tally));
    }
    sums
}

fn count<T: Sum>(row: &mut Row<T>, tally: &T, waits: bool) {
    if waits { row.unallocated.add(tally) } else { row.own.add(tally) }
}

/// Of the records that are of one person the first that counts most.
fn each_once(persons: &[Person]) -> impl Iterator<Item = &Person> {
    let left_out = doubles(persons.iter());
    persons.iter().filter(move |person| !left_out.contains(&person.id))
}

/// The records that do not count because another one of the same person does.
#[must_use]
pub fn doubles<'p>(persons: impl Iterator<Item = &'p Person> + Clone) -> BTreeSet<RecordId> {
    let held: BTreeMap<RecordId, &Person> = persons.clone().map(|person| (person.id, person)).collect();
    let mut same: BTreeMap<RecordId, BTreeSet<RecordId>> = BTreeMap::new();
    for person in persons {
        for other in person.same_as.iter().filter(|other| held.contains_key(other)) {
            same.entry(person.id).or_default().insert(*other);
            same.entry(*other).or_default().insert(person.id);
        }
    }
    let mut left_out = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for start in same.keys() {
        let (mut class, mut next) = (BTreeSet::new(), vec![*start]);
        while let Some(id) = next.pop().filter(|_| !seen.contains(start)) {
            if class.insert(id) {
                next.extend(&same[&id]);
            }
        }
        let chosen = class.iter().min_by_key(|id| (held[*id].standing, **id)).copied();
        left_out.extend(class.iter().copied().filter(|id| Some(*id) != chosen));
        seen.extend(class);
    }
    left_out
}
