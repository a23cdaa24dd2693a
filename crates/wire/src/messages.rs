//! Domain values as messages of the records and operations APIs. One way only: these APIs take names and texts, which the
//! domain reads itself.

use heliu_record::change::{Put, Scalar};
use heliu_record::conflict::{Conflict, ConflictValue, Explanation, Severity};
use heliu_record::id::SeatId;
use heliu_record::reason::{Facts, Reason};
use heliu_record::seats::{Seat, Seats};
use heliu_storage::LeafStatus;
use heliu_storage::row::Counts;

use crate::{operations, records};

impl From<&Seat> for records::Seat {
    fn from(seat: &Seat) -> Self {
        records::Seat {
            id: seat.id.to_string(),
            code: seat.code.clone(),
            name: seat.name.clone(),
            tier: seat.tier.name().to_owned(),
        }
    }
}

impl records::Seat {
    /// A seat by its id. One that the directory does not know has nothing but its id.
    #[must_use]
    pub fn of(seat: SeatId, seats: &Seats) -> Self {
        let unknown = || records::Seat { id: seat.to_string(), ..records::Seat::default() };
        seats.get(seat).map_or_else(unknown, Into::into)
    }
}

impl From<&Put> for records::Put {
    fn from(put: &Put) -> Self {
        records::Put {
            container: put.container.name().to_owned(),
            key: put.key.clone(),
            value: Some((&put.value).into()),
            replaces: u32::try_from(put.replaces.len()).unwrap_or(u32::MAX),
        }
    }
}

impl From<&Scalar> for records::Value {
    fn from(scalar: &Scalar) -> Self {
        use records::value::Value;
        let value = match scalar {
            Scalar::Null => None,
            Scalar::Bool(boolean) => Some(Value::Boolean(*boolean)),
            Scalar::Int(integer) => Some(Value::Integer(*integer)),
            Scalar::Text(text) => Some(Value::Text(text.clone())),
            Scalar::Bytes(bytes) => Some(Value::Bytes(bytes.clone())),
        };
        records::Value { value }
    }
}

impl From<LeafStatus> for records::ChangeStatus {
    fn from(status: LeafStatus) -> Self {
        match status {
            LeafStatus::Admitted => records::ChangeStatus::Admitted,
            LeafStatus::Waiting => records::ChangeStatus::Waiting,
            LeafStatus::Held => records::ChangeStatus::Held,
            LeafStatus::Excluded => records::ChangeStatus::Excluded,
            LeafStatus::Refused => records::ChangeStatus::Refused,
        }
    }
}

impl From<Counts> for operations::Counts {
    fn from(counts: Counts) -> Self {
        let Counts { records, stubs, leaves, commits, conflicts, quarantined, waiting } = counts;
        operations::Counts { records, stubs, leaves, commits, conflicts, quarantined, waiting }
    }
}

impl From<&Reason> for records::Reason {
    fn from(reason: &Reason) -> Self {
        let facts = reason.facts.iter().map(|(fact, value)| (fact.name().to_owned(), value.to_owned()));
        records::Reason { code: reason.code.clone(), facts: facts.collect() }
    }
}

/// Facts that this version does not know are left out.
impl From<&records::Reason> for Reason {
    fn from(said: &records::Reason) -> Self {
        let facts = said.facts.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Reason { code: said.code.clone(), facts: Facts::of(facts) }
    }
}

impl From<&Explanation> for records::Label {
    fn from(explanation: &Explanation) -> Self {
        records::Label { zh: explanation.zh.to_string(), en: explanation.en.to_string() }
    }
}

/// A conflict as operators see it. `body_json` is the stored body for one that was asked for, and empty in lists.
#[must_use]
pub fn conflict(conflict: &Conflict, seats: &Seats, body_json: String) -> operations::Conflict {
    let severity = match conflict.severity {
        Severity::Hard => "hard",
        Severity::Advisory => "advisory",
        Severity::Info => "info",
    };
    let value = |value: &ConflictValue| operations::ConflictValue {
        choice: value.choice(),
        value_json: value.value.to_string(),
        record: value.record.to_string(),
        seat: value.seat.map(|seat| records::Seat::of(seat, seats)),
        who: value.who.clone(),
        time_ms: value.time_ms,
    };
    operations::Conflict {
        id: conflict.id.to_string(),
        kind: conflict.kind.clone(),
        severity: severity.to_owned(),
        subject: conflict.subject.to_string(),
        field: conflict.field.clone(),
        values: conflict.values.iter().map(value).collect(),
        provisional: conflict.provisional.as_str().map_or_else(|| conflict.provisional.to_string(), str::to_owned),
        resolver: conflict.resolver.map(|seat| records::Seat::of(seat, seats)),
        explanation: Some((&conflict.explanation).into()),
        records: conflict.anchors.iter().map(ToString::to_string).collect(),
        body_json,
        cuts: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_that_nobody_knows_still_has_its_id() {
        let seat = records::Seat::of(SeatId([0xab; 16]), &Seats::default());
        assert_eq!((seat.id, seat.name), ("ab".repeat(16), String::new()));
    }

    #[test]
    fn null_is_a_value_without_one() {
        assert_eq!(records::Value::from(&Scalar::Null).value, None);
        assert_eq!(records::Value::from(&Scalar::Int(3)).value, Some(records::value::Value::Integer(3)));
    }
}
