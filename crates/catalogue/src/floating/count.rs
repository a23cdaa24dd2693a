//! How many float out of a seat and into it, from the views of halves alone; nothing of it is stored. Each side counts its own half.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::prelude::*;
use heliu_record::seats::Seats;
use heliu_record::view::View;

use super::fields::{HOME_HALF, HOST, PERSON, RUNNING, STATE, STATES};
use crate::words::FLOAT;

/// What of a half's view says how it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Half {
    pub id: RecordId,
    pub seat: SeatId,
    pub side: Side,
    pub state: &'static str,
    pub is_open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The home's. Whether the host is a seat of this realm, so that somebody can answer.
    Out { to_seat: bool },
    /// The host's, and which card it answers.
    In { answers: Option<RecordId> },
}

impl Half {
    /// None: the view is of something else.
    #[must_use]
    pub fn of(view: &View) -> Option<Self> {
        if view.kind != FLOAT.name {
            return None;
        }
        let text = |name: &str| view.json.get(name).and_then(Json::as_str);
        let state = text(STATE.field.name).and_then(|state| STATES.state(state)).unwrap_or(STATES.initial());
        let side = match text(PERSON.field.name) {
            Some(_) => Side::Out { to_seat: text(HOST.field.name).is_some() },
            None => Side::In { answers: text(HOME_HALF.field.name).and_then(|id| id.parse().ok()) },
        };
        let seat = *view.owners.first()?;
        Some(Half { id: view.record, seat, side, state: state.name, is_open: !state.ending })
    }
}

/// The states of a half that is not over.
pub const OPEN: &[&str] = RUNNING;

/// What floats at one seat and below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Floats {
    pub out: u64,
    /// Of those out the ones that their host has answered.
    pub matched: u64,
    /// Of those out the ones whose host is outside this realm: nobody will answer.
    pub outside: u64,
    pub into: u64,
    /// Of those in the ones whose home has declared them.
    pub declared: u64,
}

/// By seat, and all above it; a seat with none is not there.
#[must_use]
pub fn floats(halves: &[Half], seats: &Seats) -> BTreeMap<SeatId, Floats> {
    let open = || halves.iter().filter(|half| half.is_open);
    let is_out = |half: &&Half| matches!(half.side, Side::Out { .. });
    let cards: BTreeSet<RecordId> = open().filter(is_out).map(|half| half.id).collect();
    let answered: BTreeSet<RecordId> = open()
        .filter_map(|half| match half.side {
            Side::In { answers } => answers,
            Side::Out { .. } => None,
        })
        .collect();
    let mut sums: BTreeMap<SeatId, Floats> = BTreeMap::new();
    for half in open() {
        // Its own seat is among them; one that the directory does not know has nobody above it.
        let upward: BTreeSet<SeatId> = [half.seat].into_iter().chain(seats.upward(half.seat)).collect();
        for seat in upward {
            let sum = sums.entry(seat).or_default();
            match half.side {
                Side::Out { to_seat } => {
                    sum.out += 1;
                    sum.matched += u64::from(answered.contains(&half.id));
                    sum.outside += u64::from(!to_seat);
                }
                Side::In { answers } => {
                    sum.into += 1;
                    sum.declared += u64::from(answers.is_some_and(|card| cards.contains(&card)));
                }
            }
        }
    }
    sums
}
