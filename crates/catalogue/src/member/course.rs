//! What became of a person over time: from which day on at which stage, at which home and of which seat. Counts as of a day and movements
//! are made of it. As known now: what was decided later, for an earlier day, counts from that day.

use heliu_record::prelude::*;
use heliu_record::view::View;

use super::fields::{ADMITTED_ON, FULL_ON, JOINED_ON, ORIGIN, STAGE};
use super::stages::{STAGES, is_on_probation, standing};
use crate::standing::Standing;

/// From a day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// Empty: nobody said since when.
    pub on: String,
    pub stage: &'static str,
    /// None: at no organisation of this realm.
    pub home: Option<RecordId>,
    /// Who reports the person.
    pub seat: SeatId,
    /// The seat for which the home took the person in.
    pub unit: SeatId,
}

impl Point {
    #[must_use]
    pub fn standing(&self) -> Standing {
        STAGES.state(self.stage).map(standing).unwrap_or_default()
    }
}

/// Where somebody was, from a day on; the first from the beginning.
#[derive(Clone, Debug)]
pub(super) struct Stay {
    pub on: String,
    pub home: Option<RecordId>,
    pub seat: SeatId,
    pub unit: SeatId,
}

/// The days that people gave.
#[derive(Clone, Debug, Default)]
pub(super) struct Days {
    /// Since when the person is a member here.
    admitted: String,
    full: String,
}

impl Days {
    pub fn of(origin: &str, joined: String, admitted: String, full: String) -> Self {
        // Whoever was a member elsewhere before came in later than he joined.
        let (first, other) =
            if matches!(origin, "moved_in" | "restored") { (admitted, joined) } else { (joined, admitted) };
        Days { admitted: if first.is_empty() { other } else { first }, full }
    }
}

/// What stands from its day on takes the place of all that was to stand later.
fn push<T>(line: &mut Vec<(String, T)>, on: &str, at: T) {
    line.retain(|(before, _)| before.as_str() <= on);
    line.push((on.to_owned(), at));
}

pub(super) fn course(decisions: &[(&'static State, &str)], stays: &[Stay], days: &Days) -> Vec<Point> {
    let mut stages: Vec<(String, &'static str)> = Vec::new();
    for (state, on) in decisions {
        let was_counted = stages.iter().any(|(_, stage)| STAGES.state(stage).map(standing) == Some(Standing::Counted));
        let is_after_probation = stages.last().is_some_and(|(_, stage)| is_on_probation(stage));
        if standing(state) == Standing::Counted && !was_counted {
            let first = if days.admitted.is_empty() { *on } else { &days.admitted };
            if state.name == "full" && *days.full > *first {
                push(&mut stages, first, "probationary");
                push(&mut stages, &days.full, "full");
            } else {
                push(&mut stages, first, state.name);
            }
        } else if state.name == "full" && is_after_probation && !days.full.is_empty() {
            push(&mut stages, &days.full, "full");
        } else {
            push(&mut stages, on, state.name);
        }
    }
    let mut places: Vec<(String, &Stay)> = Vec::new();
    for (nth, stay) in stays.iter().enumerate() {
        push(&mut places, if nth == 0 { "" } else { &stay.on }, stay);
    }
    let mut ons: Vec<&str> = stages.iter().map(|(on, _)| &**on).chain(places.iter().map(|(on, _)| &**on)).collect();
    ons.sort_unstable();
    ons.dedup();
    let mut points: Vec<Point> = Vec::new();
    for on in ons {
        let stage = stages.iter().rfind(|(since, _)| &**since <= on).map(|(_, stage)| *stage);
        let stay = places.iter().rfind(|(since, _)| &**since <= on).map(|(_, stay)| *stay);
        let (Some(stage), Some(stay)) = (stage, stay) else { continue };
        let stage = if stay.home.is_none() { "transferred_out" } else { stage };
        let point = Point { on: on.to_owned(), stage, home: stay.home, seat: stay.seat, unit: stay.unit };
        let is_the_same = points.last().is_some_and(|last| Point { on: point.on.clone(), ..last.clone() } == point);
        if !is_the_same {
            points.push(point);
        }
    }
    points
}

/// As views have it.
pub(super) fn to_json(points: &[Point]) -> Json {
    let told = points.iter().map(|point| {
        let mut told = Map::new();
        told.insert("on".to_owned(), (&*point.on).into());
        told.insert("stage".to_owned(), point.stage.into());
        told.extend(point.home.map(|home| ("home".to_owned(), home.to_string().into())));
        told.insert("seat".to_owned(), point.seat.to_string().into());
        told.insert("unit".to_owned(), point.unit.to_string().into());
        Json::Object(told)
    });
    told.collect()
}

/// The course of a person as a view says it.
#[must_use]
pub fn read(view: &View) -> Vec<Point> {
    let id = |json: &Json, name: &str| json.get(name).and_then(Json::as_str).and_then(|id| id.parse::<SeatId>().ok());
    let org =
        |json: &Json, name: &str| json.get(name).and_then(Json::as_str).and_then(|id| id.parse::<RecordId>().ok());
    let text = |json: &Json, name: &str| json.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
    if let Some(told) = view.json.get("course").and_then(Json::as_array) {
        let point = |json: &Json| {
            let stage = STAGES.state(&text(json, "stage"))?.name;
            let (seat, unit) = (id(json, "seat")?, id(json, "unit")?);
            Some(Point { on: text(json, "on"), stage, home: org(json, "home"), seat, unit })
        };
        return told.iter().filter_map(point).collect();
    }
    let Some(seat) = id(&view.json, "reported_by").or_else(|| view.owners.first().copied()) else { return Vec::new() };
    let Some(state) = STAGES.state(view.text(STAGE.field.name)) else { return Vec::new() };
    let unit = id(&view.json, "home_unit").unwrap_or(seat);
    let stay = Stay { on: String::new(), home: org(&view.json, "effective_home"), seat, unit };
    let day = |field: &FieldOf<String>| view.text(field.field.name).to_owned();
    let days = Days::of(view.text(ORIGIN.field.name), day(&JOINED_ON), day(&ADMITTED_ON), day(&FULL_ON));
    course(&[(state, view.text("stage_since"))], &[stay], &days)
}
