//! Which half a record is, what is its other one, and whose it is.

use heliu_record::id::Preimage;
use heliu_record::prelude::*;

use super::fields::{HOME_HALF, HOME_ORG, HOST, PERSON, STATE};
use crate::member::Member;
use crate::words::FLOAT;

/// The home's half is the one that says whose record it is about.
pub(super) fn is_card(half: &Record) -> bool {
    PERSON.has_value(&half.history)
}

pub(super) fn is_open(half: &Record) -> bool {
    !STATE.read(&half.history).state.ending
}

/// The other half, if it is here.
pub(super) fn other<'w>(half: &Record, world: &'w dyn World) -> Option<&'w Record> {
    if !is_card(half) {
        return HOME_HALF.read(&half.history).and_then(|card| world.record(card)).filter(|card| card.is_a(FLOAT));
    }
    let halves = world.referring(half.id).into_iter().filter_map(|id| world.record(id));
    halves.into_iter().find(|at| at.is_a(FLOAT) && HOME_HALF.read(&at.history) == Some(half.id))
}

/// Whether the affiliation has followed the person to where he floated.
pub(super) fn is_at_host(card: &Record, world: &dyn World) -> bool {
    let person = PERSON.read(&card.history).and_then(|person| world.record(person));
    let home = person.and_then(|person| person.read_as::<Member>()?.home.as_ref());
    let host = HOST.read(&card.history);
    let at_host = |seat: SeatId| host.is_some_and(|host| world.seats().is_at_or_above(host, seat));
    home.is_some_and(|home| home.place.org() != HOME_ORG.read(&card.history) && at_host(home.seat))
}

/// The basic committee of a seat: the township that it is or is in, or what is above those. A float is between two of them.
pub(super) fn committee(seat: SeatId, world: &dyn World) -> SeatId {
    let seats = world.seats();
    seats.upward(seat).find(|at| seats.get(*at).is_some_and(|at| at.tier <= Tier::Township)).unwrap_or(seat)
}

/// One end of a float.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Seat(SeatId),
    /// Outside this realm.
    Text(String),
}

impl End {
    pub fn seat(&self) -> Option<SeatId> {
        match self {
            End::Seat(seat) => Some(*seat),
            End::Text(_) => None,
        }
    }

    fn said(&self) -> String {
        match self {
            End::Seat(seat) => seat.to_string(),
            End::Text(text) => text.clone(),
        }
    }
}

/// The home's half of a float: both ends can tell its id, and so can whoever makes it twice.
pub(super) fn card_of(
    planner: &Planner<'_>,
    home: SeatId,
    host: &End,
    person: (&str, &str),
) -> Result<Preimage, Refusal> {
    half_of(planner, home, "home", host, person)
}

/// The host's.
pub(super) fn answer_of(
    planner: &Planner<'_>,
    host: SeatId,
    home: &End,
    person: (&str, &str),
) -> Result<Preimage, Refusal> {
    half_of(planner, host, "host", home, person)
}

fn half_of(
    planner: &Planner<'_>,
    own: SeatId,
    role: &str,
    other: &End,
    (name, since): (&str, &str),
) -> Result<Preimage, Refusal> {
    let key = planner.shared_key(&[role, &own.to_string(), &other.said(), name, since])?;
    Ok(Preimage { kind: FLOAT.name.to_owned(), birth: own, key: key.to_vec() })
}
