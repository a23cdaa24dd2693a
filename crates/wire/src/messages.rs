//! Domain values as messages of the records and operations APIs. One way only: these APIs take names and texts, which the
//! domain reads itself.

use heliu_api::status::{CallRefusal, Sort};
use heliu_api::{operations, records};
use heliu_record::change::{Put, Scalar};
use heliu_record::conflict::{Conflict, ConflictValue, Severity};
use heliu_record::id::SeatId;
use heliu_record::seats::Seats;
use heliu_storage::LeafStatus;
use heliu_storage::row::Counts;
use tonic::Code;

/// A seat by its id. One that the directory does not know has nothing but its id.
#[must_use]
pub fn seat(id: SeatId, seats: &Seats) -> records::Seat {
    let unknown = || records::Seat { id: id.to_string(), ..records::Seat::default() };
    seats.get(id).map_or_else(unknown, |seat| records::Seat {
        id: seat.id.to_string(),
        code: seat.code.clone(),
        name: seat.name.clone(),
        tier: seat.tier.name().to_owned(),
        parent: seat.parent.map(|parent| parent.to_string()).unwrap_or_default(),
    })
}

#[must_use]
pub fn put(put: &Put) -> records::Put {
    records::Put {
        container: put.container.name().to_owned(),
        key: put.key.clone(),
        value: Some(value(&put.value)),
        replaces: u32::try_from(put.replaces.len()).unwrap_or(u32::MAX),
        replaced: Vec::new(),
    }
}

#[must_use]
pub fn value(scalar: &Scalar) -> records::Value {
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

#[must_use]
pub fn change_status(status: LeafStatus) -> records::ChangeStatus {
    match status {
        LeafStatus::Admitted => records::ChangeStatus::Admitted,
        LeafStatus::Waiting => records::ChangeStatus::Waiting,
        LeafStatus::Held => records::ChangeStatus::Held,
        LeafStatus::Excluded => records::ChangeStatus::Excluded,
        LeafStatus::Refused => records::ChangeStatus::Refused,
    }
}

#[must_use]
pub fn counts(counts: Counts) -> operations::Counts {
    let Counts { records, stubs, leaves, commits, conflicts, quarantined, waiting } = counts;
    operations::Counts { records, stubs, leaves, commits, conflicts, quarantined, waiting }
}

/// A command's refusal, with the gRPC code that its reason stands for.
#[must_use]
pub fn refusal(refusal: &heliu_record::command::Refusal) -> CallRefusal {
    let code = match refusal.code {
        "not_here" => Code::NotFound,
        "no_authority" | "not_resolver" => Code::PermissionDenied,
        "returning" | "record_damaged" => Code::Unavailable,
        "unknown_command" | "unknown_argument" | "unknown_kind" | "unknown_state" | "missing_argument"
        | "bad_value" | "hidden_character" | "wrong_field" | "wrong_kind" | "which_entry" => Code::InvalidArgument,
        _ => Code::FailedPrecondition,
    };
    let sort = match refusal.code {
        "returning" => Sort::Busy,
        "record_damaged" => Sort::Store,
        _ => Sort::usual(code),
    };
    let (what, why, next) = (refusal.what.clone(), refusal.why.clone(), refusal.next.clone());
    CallRefusal { code, sort, reason: refusal.code.to_owned(), what, why, next, field: None }
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
        seat: value.seat.map(|id| seat(id, seats)),
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
        resolver: conflict.resolver.map(|id| seat(id, seats)),
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
        let seat = seat(SeatId([0xab; 16]), &Seats::default());
        assert_eq!((seat.id, seat.name), ("ab".repeat(16), String::new()));
    }

    #[test]
    fn null_is_a_value_without_one() {
        assert_eq!(value(&Scalar::Null).value, None);
        assert_eq!(value(&Scalar::Int(3)).value, Some(records::value::Value::Integer(3)));
    }

    #[test]
    fn a_refused_command_keeps_its_reason_and_both_languages() {
        let refused = heliu_record::command::Refusal::unknown_command("x", ["org.create"].into_iter());
        let read = CallRefusal::of(&tonic::Status::from(refusal(&refused))).expect("it is ours");
        assert_eq!((read.code, read.reason.as_str()), (Code::InvalidArgument, "unknown_command"));
        assert_eq!((&read.what, &read.next), (&refused.what, &refused.next));
    }
}
