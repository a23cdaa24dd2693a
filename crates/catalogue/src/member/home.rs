//! Where a person belongs: the fold of the moves, from the first branch on.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::decision;
use heliu_record::prelude::*;
use heliu_record::scope::OWNER as OWNER_KEY;

use super::course::{self, Days, Point, Stay};
use super::fields::{
    ADMITTED_ON, ARRIVED_ON, BIRTH_BRANCH, CANCELLED, DECIDED, DECIDED_ON, FROM_ORG, FULL_ON, HOME_EPOCH, ISSUED_ON,
    JOINED_ON, LETTER_NO, MOVES, ORIGIN, OVERRULED, PROPOSED_ON, RECEIPT, RECEIVED_ON, RETURNED, SAME_AS, STAGE,
    TO_ORG, TO_SEAT, TO_TEXT, VALID_UNTIL,
};
use super::stages::{self, STAGES};
use crate::standing::Standing;

/// What rules read of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    pub stage: &'static str,
    pub standing: Standing,
    /// Whether the stage is an end: the person no longer counts.
    pub ended: bool,
    /// The last home that nobody disputes.
    pub home: Option<Home>,
    /// Two or more branches that each hold a confirmed move of the next epoch.
    pub disputed: Vec<Home>,
    pub moves: Vec<MoveRead>,
    /// From which day on at which stage and home.
    pub course: Vec<Point>,
    /// Who reports the person, and whether that is not simply the owner.
    pub reported_by: Option<SeatId>,
    pub(super) is_reported_apart: bool,
    /// The course does not follow from the other fields.
    pub(super) is_told_by_course: bool,
    /// It names another record of this person.
    pub(super) is_same: bool,
    /// Where each move is in `moves`, by its entry: a record may hold thousands.
    places: BTreeMap<String, usize>,
}

/// A branch that a person belongs to, and since which move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    pub place: Place,
    /// Whose the record is there; of a place outside, whose it was before.
    pub seat: SeatId,
    /// Counts the confirmed moves; the first branch is epoch 1. A letter cites the epoch that it moves from.
    pub epoch: i64,
    /// Empty if nobody said.
    pub since: String,
    /// The move that led here; none for the first branch.
    pub entry: Option<String>,
}

/// Where a person can belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Org(RecordId),
    /// No organisation of this realm.
    Outside,
}

/// What stands for a place outside where people choose among places.
pub const OUTSIDE: Word = word("outside", "域外", "outside");

impl Place {
    #[must_use]
    pub fn org(self) -> Option<RecordId> {
        match self {
            Place::Org(org) => Some(org),
            Place::Outside => None,
        }
    }

    /// As people choose it.
    #[must_use]
    pub fn choice(self) -> String {
        self.org().map_or_else(|| OUTSIDE.name.to_owned(), |org| org.to_string())
    }

    #[must_use]
    pub fn title(self, world: &dyn World) -> Explanation {
        self.org().map_or_else(|| OUTSIDE.label.into(), |org| title(org, world))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoveRead {
    pub entry: String,
    pub to_seat: Option<SeatId>,
    /// The home that it moves from.
    pub from_org: Option<RecordId>,
    pub to_org: Option<RecordId>,
    /// A place outside the realm.
    pub to_text: String,
    pub home_epoch: i64,
    pub letter_no: String,
    pub valid_until: String,
    pub received_on: String,
    /// Somebody below asks for the letter, and nobody has issued it.
    drafted: bool,
    pub cancelled: bool,
    /// By the destination.
    pub returned: bool,
    /// By a superior.
    pub overruled: bool,
    pub received: bool,
    /// The epoch that a superior's decision makes it begin.
    pub decided: Option<i64>,
    decided_ops: Vec<OpId>,
    decided_on: String,
    /// The puts of the receipt; of a letter without one, those that name its target.
    pub ops: Vec<OpId>,
    pub state: MoveState,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MoveState {
    #[default]
    Issued,
    /// Proposed, and not issued yet.
    Drafted,
    Confirmed,
    /// Confirmed, and the person is no longer of this realm.
    Left,
    /// Another move of the same epoch was confirmed too.
    Disputed,
    /// It cites a home that was left before, or that never was: no effect.
    Stale,
    Returned,
    Cancelled,
    /// It cites an epoch that this record has not reached.
    Early,
}

impl MoveState {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            MoveState::Issued => "issued",
            MoveState::Drafted => "drafted",
            MoveState::Confirmed => "confirmed",
            MoveState::Left => "left",
            MoveState::Disputed => "disputed",
            MoveState::Stale => "stale",
            MoveState::Returned => "returned",
            MoveState::Cancelled => "cancelled",
            MoveState::Early => "early",
        }
    }
}

impl MoveState {
    /// Whether somebody still has to do something.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(
            self,
            MoveState::Issued | MoveState::Drafted | MoveState::Stale | MoveState::Early | MoveState::Disputed
        )
    }
}

impl Member {
    #[must_use]
    pub fn find_move(&self, entry: &str) -> Option<&MoveRead> {
        self.places.get(entry).map(|place| &self.moves[*place])
    }

    /// Whether a letter is open: the person is still where it moves from, and nobody disputes that.
    #[must_use]
    pub fn is_open_letter(&self, entry: &str) -> bool {
        self.disputed.is_empty() && self.find_move(entry).is_some_and(|letter| letter.state == MoveState::Issued)
    }

    /// Folds the homes, from the first branch on: each next epoch by a decision, or else by the one confirmed move.
    fn fold_home(&mut self, first: Option<Home>) -> Vec<Home> {
        let mut decided: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        let mut confirmed: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (index, at) in self.moves.iter().enumerate().filter(|(_, at)| at.counts()) {
            let claims = if at.decided.is_some() { &mut decided } else { &mut confirmed };
            claims.entry(at.claims()).or_default().push(index);
        }
        let mut homes: Vec<Home> = first.into_iter().collect();
        while let Some(home) = homes.last() {
            let next = home.epoch.saturating_add(1);
            let claims = |by_epoch: &BTreeMap<i64, Vec<usize>>| {
                by_epoch.get(&next).map_or_else(Vec::new, |moves| self.claimed(home, moves))
            };
            let mut next = claims(&decided);
            // Nobody here takes back what happened outside, so no decision goes before an arrival there.
            let is_decided = !next.is_empty();
            next.extend(claims(&confirmed).into_iter().filter(|home| !is_decided || home.place == Place::Outside));
            match next.len() {
                0 => break,
                1 => homes.append(&mut next),
                _ => {
                    self.disputed = next;
                    break;
                }
            }
        }
        self.home = homes.last().cloned();
        let states: Vec<MoveState> = self.moves.iter().map(|at| self.state_of(at, &homes)).collect();
        self.moves.iter_mut().zip(states).for_each(|(at, state)| at.state = state);
        homes
    }

    /// The branches to which moves lead from a home, each once. A move from elsewhere leads nowhere: it was written where
    /// another home was believed in, and whoever settled that did not choose it.
    fn claimed(&self, home: &Home, moves: &[usize]) -> Vec<Home> {
        let mut seen = BTreeSet::new();
        let claims = moves.iter().filter_map(|index| {
            let at = &self.moves[*index];
            let place = at.to()?;
            let seat = if place == Place::Outside { home.seat } else { at.to_seat? };
            let since = if at.decided.is_some() { &at.decided_on } else { &at.received_on };
            let leads = at.from_org.is_some() && at.from_org == home.place.org() && seen.insert(place);
            let (since, entry) = (since.clone(), Some(at.entry.clone()));
            leads.then_some(Home { place, seat, epoch: home.epoch.saturating_add(1), since, entry })
        });
        claims.collect()
    }

    fn state_of(&self, at: &MoveRead, homes: &[Home]) -> MoveState {
        let epoch = self.home.as_ref().map_or(0, |h| h.epoch);
        let claims = at.claims();
        // The first home is that of epoch 1.
        let home = |epoch: i64| homes.get(usize::try_from(epoch.checked_sub(1)?).ok()?).map(|home| home.place);
        let from = home(claims.saturating_sub(1)).and_then(Place::org);
        let is_from_home = from.is_some() && from == at.from_org;
        match at {
            _ if at.counts() && is_from_home && self.disputed.iter().any(|d| d.epoch == claims) => MoveState::Disputed,
            _ if at.counts() && is_from_home && home(claims).is_some() && home(claims) == at.to() => {
                if at.to() == Some(Place::Outside) { MoveState::Left } else { MoveState::Confirmed }
            }
            _ if at.returned || at.overruled => MoveState::Returned,
            _ if at.cancelled && !at.counts() => MoveState::Cancelled,
            _ if claims > epoch.saturating_add(1) => MoveState::Early,
            _ if at.counts() || claims <= epoch || !is_from_home => MoveState::Stale,
            _ if at.drafted => MoveState::Drafted,
            _ => MoveState::Issued,
        }
    }
}

impl Member {
    /// Fills in what follows from all the rest.
    fn follow(&mut self, homes: &[Home], folding: &Folding<'_>) {
        let history = folding.history;
        self.reported_by = self.reporting_seat(folding);
        let Some(seat) = self.reported_by else { return };
        self.is_reported_apart = folding.scope.owners.len() != 1 || !folding.scope.owners.contains(&seat);
        let last = homes.len().saturating_sub(1);
        let stay = |(nth, home): (usize, &Home)| Stay {
            on: home.since.clone(),
            home: home.place.org(),
            seat: if nth == last { seat } else { self.was_owner(home, history).unwrap_or(home.seat) },
            unit: home.seat,
        };
        let stays: Vec<Stay> = homes.iter().enumerate().map(stay).collect();
        let day = |field: &FieldOf<String>| field.read(history).unwrap_or_default();
        let days = Days::of(&day(&ORIGIN), day(&JOINED_ON), day(&ADMITTED_ON), day(&FULL_ON));
        let stands = STAGE.read(history).state;
        let mut decisions = decision::led(&STAGES, history, STAGE.field.name);
        // What stands between two decisions, or before any, nobody decided.
        if decisions.last().is_none_or(|(last, _)| last.name != stands.name) {
            decisions.push((stands, decisions.last().map_or("", |(_, on)| on)));
        }
        self.course = course::course(&decisions, &stays, &days);
        self.is_told_by_course = decisions.len() > 1 || homes.len() > 1;
        self.is_same = SAME_AS.read(history).next().is_some();
    }

    /// Who reports the person: the owner, or, while that is not one alone or the home is disputed, the seat of the last home that nobody
    /// disputes.
    fn reporting_seat(&self, folding: &Folding<'_>) -> Option<SeatId> {
        let owners = &folding.scope.owners;
        let home = self.home.as_ref().filter(|_| owners.len() != 1 || !self.disputed.is_empty());
        let Some(home) = home else { return owners.first().copied() };
        let is_its = |owner: &&SeatId| folding.seats.is_at_or_above(home.seat, **owner);
        Some(owners.iter().find(is_its).copied().unwrap_or(home.seat))
    }

    /// Who had the record when the person came to a home: the receipt hands it over.
    fn was_owner(&self, home: &Home, history: &History) -> Option<SeatId> {
        let letter = self.find_move(home.entry.as_deref()?)?;
        let change = letter.claim_ops().iter().find_map(|op| history.change_of(*op))?;
        change.puts.iter().find(|put| put.key == OWNER_KEY).and_then(|put| put.value.as_seat())
    }

    /// What a view says of it, where it does not follow from the fields, and what is listed of it.
    fn annotate_course(&self, json: &mut Map<String, Json>) {
        let mut say = |name: &str, text: String| json.insert(name.to_owned(), text.into());
        if let Some(last) = self.course.iter().map(|point| &point.on).max().filter(|on| !on.is_empty()) {
            say("last_change", last.clone());
        }
        if let Some(seat) = self.reported_by.filter(|_| self.is_reported_apart) {
            say("reported_by", seat.to_string());
        }
        if let Some(home) = self.home.as_ref().filter(|home| Some(home.seat) != self.reported_by) {
            say("home_unit", home.seat.to_string());
        }
        if !self.moves.is_empty() {
            let is_open = self.moves.iter().any(|letter| letter.state.is_open());
            say("letters", if is_open { "open" } else { "closed" }.to_owned());
        }
        if self.is_same {
            say("same_person", "yes".to_owned());
        }
        if self.is_told_by_course {
            json.insert("course".to_owned(), course::to_json(&self.course));
        }
    }
}

impl MoveRead {
    fn of(at: &Entry<'_>) -> Self {
        let text = |part| at.get(part).unwrap_or_default();
        // Two that each took the other's decision back have both decided.
        let decisions = at.visible(&DECIDED).iter().filter_map(|put| Some((put.value.as_int()?, put.id)));
        let (decided, decided_ops): (Vec<i64>, Vec<OpId>) = decisions.unzip();
        let receipts: Vec<OpId> = at.ops(&RECEIPT).chain(at.ops(&ARRIVED_ON)).collect();
        let received_on = [&RECEIVED_ON, &ARRIVED_ON].into_iter().find_map(|part| at.get(part));
        let targets = at.ops(&TO_ORG).chain(at.ops(&TO_TEXT));
        MoveRead {
            entry: at.name.to_owned(),
            to_seat: at.get(&TO_SEAT),
            from_org: at.get(&FROM_ORG),
            to_org: at.get(&TO_ORG),
            to_text: text(&TO_TEXT),
            home_epoch: at.get(&HOME_EPOCH).unwrap_or_default(),
            letter_no: text(&LETTER_NO),
            valid_until: text(&VALID_UNTIL),
            received_on: received_on.unwrap_or_default(),
            drafted: at.is_set(&PROPOSED_ON) && !at.is_set(&ISSUED_ON),
            cancelled: at.is_set(&CANCELLED),
            returned: at.is_set(&RETURNED),
            overruled: at.is_set(&OVERRULED),
            received: at.is_set(&RECEIPT) || at.is_set(&ARRIVED_ON),
            decided: decided.last().copied(),
            decided_ops,
            decided_on: text(&DECIDED_ON),
            ops: if receipts.is_empty() { targets.collect() } else { receipts },
            state: MoveState::Issued,
        }
    }

    /// Where it leads.
    #[must_use]
    pub fn to(&self) -> Option<Place> {
        let outside = || (!self.to_text.is_empty()).then_some(Place::Outside);
        self.to_org.map(Place::Org).or_else(outside)
    }

    /// Whether it asks to be the next home: received, or decided. A decision is undone by another, not by a date of return.
    fn counts(&self) -> bool {
        self.decided.is_some() || (self.received && !self.returned && !self.overruled)
    }

    /// The epoch that it would begin.
    #[must_use]
    pub fn claims(&self) -> i64 {
        self.decided.unwrap_or(self.home_epoch.saturating_add(1))
    }

    /// The puts by which it asks to be the next home.
    #[must_use]
    pub fn claim_ops(&self) -> &[OpId] {
        if self.decided.is_some() { &self.decided_ops } else { &self.ops }
    }
}

impl Derived for Member {
    fn annotate(&self, json: &mut Map<String, Json>) {
        let hex = |home: &Home| Json::String(home.place.choice());
        json.insert(STAGE.field.name.to_owned(), self.stage.into());
        json.insert("standing".to_owned(), self.standing.name().into());
        if let Some(home) = &self.home {
            json.insert("home_branch".to_owned(), hex(home));
            json.insert("home_epoch".to_owned(), home.epoch.into());
            json.insert("effective_home".to_owned(), hex(home));
            json.insert("home_seat".to_owned(), home.seat.to_string().into());
            if !home.since.is_empty() {
                json.insert("home_since".to_owned(), home.since.as_str().into());
            }
        }
        let mut pending: Vec<Json> = Vec::new();
        if !self.disputed.is_empty() {
            json.insert("home_branch_concurrent".to_owned(), self.disputed.iter().map(hex).collect());
            pending.push("transfer_conflict".into());
        }
        if self.stage == "under_review" {
            pending.push("under_review".into());
        }
        if self.moves.iter().any(|m| m.state == MoveState::Issued) {
            pending.push("transfer_pending".into());
        }
        if !pending.is_empty() {
            json.insert("pending".to_owned(), Json::Array(pending));
        }
        let is_late = |at: &&MoveRead| at.received && !at.valid_until.is_empty() && at.received_on > at.valid_until;
        for late in self.moves.iter().filter(is_late) {
            if let Some(entry) = object(json, MOVES.field.name).and_then(|all| object(all, &late.entry)) {
                entry.insert("late".to_owned(), true.into());
            }
        }
        self.annotate_course(json);
    }

    fn entry_state(&self, field: &str, entry: &str) -> Option<&'static str> {
        self.find_move(entry).filter(|_| field == MOVES.field.name).map(|letter| letter.state.name())
    }

    fn is_open(&self, field: &str, entry: &str) -> bool {
        field == MOVES.field.name && self.is_open_letter(entry)
    }
}

/// Folds a member: the stage, the moves, and where the person belongs.
pub fn fold(folding: &Folding<'_>) -> Arc<dyn Derived> {
    let history = folding.history;
    let stage = STAGE.read(history).state;
    let moves: Vec<MoveRead> = MOVES.read(history).iter().map(MoveRead::of).collect();
    let places = moves.iter().map(|at| at.entry.clone()).zip(0..).collect();
    let standing = stages::standing(stage);
    let mut member = Member { stage: stage.name, standing, ended: stage.ending, moves, places, ..Member::default() };
    let admitted = ADMITTED_ON.read(history);
    // Should the record have been made twice, the branch counts that somebody moved from.
    let births = BIRTH_BRANCH.visible(history);
    let is_left = |birth: &&Visible| {
        let org = RecordId::of(&birth.value);
        org.is_some() && member.moves.iter().any(|at| at.claims() == 2 && at.from_org == org)
    };
    let birth = births.iter().rfind(is_left).or(births.last());
    let first = birth.and_then(|birth| RecordId::of(&birth.value)).map(|org| Home {
        place: Place::Org(org),
        seat: folding.preimage.birth,
        epoch: 1,
        since: admitted.or_else(|| JOINED_ON.read(history)).unwrap_or_default(),
        entry: None,
    });
    if member.moves.is_empty() {
        member.home.clone_from(&first);
        member.follow(first.as_slice(), folding);
        return Arc::new(member);
    }
    let homes = member.fold_home(first);
    // Somebody who has arrived outside is no longer of this realm, whatever stage he was at; settling that says so too.
    if member.home.as_ref().is_some_and(|home| home.place == Place::Outside) && !member.ended {
        (member.stage, member.standing, member.ended) = ("transferred_out", Standing::Ended, true);
    }
    member.follow(&homes, folding);
    Arc::new(member)
}
