//! Where a person belongs: the fold of the moves, from the first branch on.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::prelude::*;

use super::fields::{
    ADMITTED_ON, BIRTH_BRANCH, CANCELLED, DECIDED, DECIDED_ON, FROM_ORG, HOME_EPOCH, JOINED_ON, LETTER_NO, MOVES,
    OVERRULED, RECEIPT, RECEIVED_ON, RETURNED, STAGE, TO_ORG, TO_SEAT, VALID_UNTIL,
};

/// What rules read of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    pub stage: &'static str,
    /// Whether the stage is an end: the person no longer counts.
    pub ended: bool,
    /// The last home that nobody disputes.
    pub home: Option<Home>,
    /// Two or more branches that each hold a confirmed move of the next epoch.
    pub disputed: Vec<Home>,
    pub moves: Vec<MoveRead>,
    /// Where each move is in `moves`, by its entry: a record may hold thousands.
    places: BTreeMap<String, usize>,
}

/// A branch that a person belongs to, and since which move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    pub org: RecordId,
    pub seat: SeatId,
    /// Counts the confirmed moves; the first branch is epoch 1. A letter cites the epoch that it moves from.
    pub epoch: i64,
    /// Empty if nobody said.
    pub since: String,
    /// The move that led here; none for the first branch.
    pub entry: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoveRead {
    pub entry: String,
    pub to_seat: Option<SeatId>,
    /// The home that it moves from.
    pub from_org: Option<RecordId>,
    pub to_org: Option<RecordId>,
    pub home_epoch: i64,
    pub letter_no: String,
    pub valid_until: String,
    pub received_on: String,
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
    Confirmed,
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
            MoveState::Confirmed => "confirmed",
            MoveState::Disputed => "disputed",
            MoveState::Stale => "stale",
            MoveState::Returned => "returned",
            MoveState::Cancelled => "cancelled",
            MoveState::Early => "early",
        }
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
    fn fold_home(&mut self, first: Option<Home>) {
        let mut decided: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        let mut confirmed: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (index, at) in self.moves.iter().enumerate().filter(|(_, at)| at.counts()) {
            let claims = if at.decided.is_some() { &mut decided } else { &mut confirmed };
            claims.entry(at.claims()).or_default().push(index);
        }
        let mut homes: Vec<Home> = first.into_iter().collect();
        while let Some(home) = homes.last() {
            let next = home.epoch.saturating_add(1);
            let claims = [&decided, &confirmed].into_iter().filter_map(|by_epoch| by_epoch.get(&next));
            let mut claims = claims.map(|moves| self.claimed(home, moves)).find(|claims| !claims.is_empty());
            match claims.as_mut().map(|claims| (claims.len(), claims)) {
                None => break,
                Some((1, claims)) => homes.append(claims),
                Some((_, claims)) => {
                    self.disputed = std::mem::take(claims);
                    break;
                }
            }
        }
        self.home = homes.last().cloned();
        let states: Vec<MoveState> = self.moves.iter().map(|at| self.state_of(at, &homes)).collect();
        self.moves.iter_mut().zip(states).for_each(|(at, state)| at.state = state);
    }

    /// The branches to which moves lead from a home, each once. A move from elsewhere leads nowhere: it was written where
    /// another home was believed in, and whoever settled that did not choose it.
    fn claimed(&self, home: &Home, moves: &[usize]) -> Vec<Home> {
        let mut seen = BTreeSet::new();
        let claims = moves.iter().filter_map(|index| {
            let at = &self.moves[*index];
            let (org, seat) = (at.to_org?, at.to_seat?);
            let since = if at.decided.is_some() { &at.decided_on } else { &at.received_on };
            let leads = at.from_org == Some(home.org) && seen.insert(org);
            let (since, entry) = (since.clone(), Some(at.entry.clone()));
            leads.then_some(Home { org, seat, epoch: home.epoch.saturating_add(1), since, entry })
        });
        claims.collect()
    }

    fn state_of(&self, at: &MoveRead, homes: &[Home]) -> MoveState {
        let epoch = self.home.as_ref().map_or(0, |h| h.epoch);
        let claims = at.claims();
        // The first home is that of epoch 1.
        let home = |epoch: i64| homes.get(usize::try_from(epoch.checked_sub(1)?).ok()?).map(|home| home.org);
        let leaves = |from: Option<RecordId>| from.is_some() && from == at.from_org;
        let is_from_home = leaves(home(claims.saturating_sub(1)));
        match at {
            _ if at.counts() && is_from_home && self.disputed.iter().any(|d| d.epoch == claims) => MoveState::Disputed,
            _ if at.counts() && is_from_home && home(claims).is_some_and(|org| Some(org) == at.to_org) => {
                MoveState::Confirmed
            }
            _ if at.returned || at.overruled => MoveState::Returned,
            _ if at.cancelled && !at.counts() => MoveState::Cancelled,
            _ if claims > epoch.saturating_add(1) => MoveState::Early,
            _ if at.counts() || claims <= epoch || !is_from_home => MoveState::Stale,
            _ => MoveState::Issued,
        }
    }
}

impl MoveRead {
    fn of(at: &Entry<'_>) -> Self {
        let text = |part| at.get(part).unwrap_or_default();
        // Two that each took the other's decision back have both decided.
        let decisions = at.visible(&DECIDED).iter().filter_map(|put| Some((put.value.as_int()?, put.id)));
        let (decided, decided_ops): (Vec<i64>, Vec<OpId>) = decisions.unzip();
        let receipts: Vec<OpId> = at.ops(&RECEIPT).collect();
        MoveRead {
            entry: at.name.to_owned(),
            to_seat: at.get(&TO_SEAT),
            from_org: at.get(&FROM_ORG),
            to_org: at.get(&TO_ORG),
            home_epoch: at.get(&HOME_EPOCH).unwrap_or_default(),
            letter_no: text(&LETTER_NO),
            valid_until: text(&VALID_UNTIL),
            received_on: text(&RECEIVED_ON),
            cancelled: at.is_set(&CANCELLED),
            returned: at.is_set(&RETURNED),
            overruled: at.is_set(&OVERRULED),
            received: at.is_set(&RECEIPT),
            decided: decided.last().copied(),
            decided_ops,
            decided_on: text(&DECIDED_ON),
            ops: if receipts.is_empty() { at.ops(&TO_ORG).collect() } else { receipts },
            state: MoveState::Issued,
        }
    }

    /// Whether it asks to be the next home: received, or decided. A decision is undone by another, not by a date of return.
    fn counts(&self) -> bool {
        self.decided.is_some() || (self.received && !self.returned && !self.overruled)
    }

    /// The epoch that it would begin.
    fn claims(&self) -> i64 {
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
        let hex = |home: &Home| Json::String(home.org.to_string());
        if let Some(home) = &self.home {
            json.insert("home_branch".to_owned(), hex(home));
            json.insert("home_epoch".to_owned(), home.epoch.into());
            json.insert("effective_home".to_owned(), hex(home));
        }
        let mut pending: Vec<Json> = Vec::new();
        if !self.disputed.is_empty() {
            json.insert("home_branch_concurrent".to_owned(), self.disputed.iter().map(hex).collect());
            pending.push("transfer_conflict".into());
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
    let mut member = Member { stage: stage.name, ended: stage.ending, moves, places, ..Member::default() };
    let admitted = ADMITTED_ON.read(history);
    // Should the record have been made twice, the branch counts that somebody moved from.
    let births = BIRTH_BRANCH.visible(history);
    let is_left = |birth: &&Visible| {
        let org = RecordId::of(&birth.value);
        org.is_some() && member.moves.iter().any(|at| at.claims() == 2 && at.from_org == org)
    };
    let birth = births.iter().rfind(is_left).or(births.last());
    let first = birth.and_then(|birth| RecordId::of(&birth.value)).map(|org| Home {
        org,
        seat: folding.preimage.birth,
        epoch: 1,
        since: admitted.or_else(|| JOINED_ON.read(history)).unwrap_or_default(),
        entry: None,
    });
    if member.moves.is_empty() {
        member.home = first;
        return Arc::new(member);
    }
    member.fold_home(first);
    Arc::new(member)
}
