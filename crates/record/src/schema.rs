//! Whether a put fits its kind, as a version of it decides: the path is declared, sits in its container, and holds a value of its type.
//! What it returns also says who may write there; `authority` judges that.

use crate::change::{Container, Put, Scalar};
use crate::decision::Decision;
use crate::gate::Gate;
use crate::id::SeatId;
use crate::kind::{Class, Field, Merge, Part, State, ValueType, Writer};
use crate::scope::{CLASS, OWNER, SEAT};
use crate::sealed;
use crate::seats::Tier;

/// What is written where; of a put or of a write that is only planned.
#[derive(Clone, Copy, Debug)]
pub struct Written<'p> {
    pub container: Container,
    pub key: &'p str,
    pub value: &'p Scalar,
    /// Whether it overwrites something.
    pub replaces: bool,
}

impl<'p> From<&'p Put> for Written<'p> {
    fn from(put: &'p Put) -> Self {
        Written { container: put.container, key: &put.key, value: &put.value, replaces: !put.replaces.is_empty() }
    }
}

/// A path that the kind declares, taken apart.
#[derive(Clone, Debug)]
pub struct PathRule<'p> {
    pub place: Place<'p>,
    /// Who may write there after the record's first change.
    pub writer: Writer,
}

#[derive(Clone, Debug)]
pub enum Place<'p> {
    Class,
    Owner(SeatId),
    Participant { seat: SeatId, present: bool },
    Field(&'static Field),
    Element { field: &'static Field, element: &'p str },
    Slot { field: &'static Field, seat: SeatId, part: &'static Part },
    Entry { field: &'static Field, entry: &'p str, part: &'static Part },
    Log { field: &'static Field, entry: &'p str },
    Decision { field: &'static Field, state: &'static State, decision: Decision<'p> },
}

/// Why a put does not fit its kind. Each is a reason code for quarantine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    #[error("kind {kind} has no field {field:?} in container {container}")]
    UnknownField { kind: &'static str, field: String, container: &'static str },
    #[error("{key:?} is not a path that field {field} can have")]
    BadPath { field: &'static str, key: String },
    #[error("the value under {key:?} is not {expected}")]
    BadValue { key: String, expected: Box<str> },
    #[error("{key:?} is append-only, and the change overwrites something there")]
    Overwrites { key: String },
}

pub fn check<'p>(gate: Gate, written: impl Into<Written<'p>>) -> Result<PathRule<'p>, SchemaError> {
    let written: Written<'p> = written.into();
    if written.container == Container::Scope {
        return check_scope(gate, written);
    }
    let (name, rest) = match written.key.split_once('/') {
        Some((name, rest)) => (name, Some(rest)),
        None => (written.key, None),
    };
    let field = gate.field(name).filter(|f| f.merge.container() == written.container).ok_or_else(|| {
        SchemaError::UnknownField { kind: gate.kind, field: name.to_owned(), container: written.container.name() }
    })?;
    let bad_path = || SchemaError::BadPath { field: field.name, key: written.key.to_owned() };
    let (place, writer) = match (field.merge, rest) {
        (Merge::Lww | Merge::Mv, None) => {
            check_field_value(field, written)?;
            (Place::Field(field), field.writer)
        }
        (Merge::Aws, Some(element)) if field.value.fits_key(element) => {
            check_membership(written)?;
            (Place::Element { field, element }, field.writer)
        }
        (Merge::Slot(_), Some(rest)) => {
            let (seat, part) = rest.split_once('/').ok_or_else(bad_path)?;
            let seat = ValueType::Seat.fits_key(seat).then(|| seat.parse().ok()).flatten().ok_or_else(bad_path)?;
            let part = field.part(part).ok_or_else(bad_path)?;
            check_value(part.value, written)?;
            (Place::Slot { field, seat, part }, part.writer)
        }
        (Merge::Entries(_), Some(rest)) => {
            let (entry, part) = rest.split_once('/').ok_or_else(bad_path)?;
            let part = field.part(part).filter(|_| is_entry(entry)).ok_or_else(bad_path)?;
            check_value(part.value, written)?;
            if let Writer::Party(named) = field.writer {
                let whose = whose_entry(entry).ok_or_else(bad_path)?;
                let takes = part.name == named && written.value.as_seat().is_some_and(|seat| seat != whose);
                if takes {
                    return Err(bad_value(written, "the seat that the entry's name begins with"));
                }
            }
            (Place::Entry { field, entry, part }, part.writer)
        }
        (Merge::Log, Some(entry)) if is_entry(entry) => {
            check_append(written)?;
            check_value(field.value, written)?;
            (Place::Log { field, entry }, field.writer)
        }
        (Merge::State(machine), Some(entry)) if is_entry(entry) => {
            check_append(written)?;
            let decision = written.value.as_text().and_then(Decision::parse);
            let bad_value = || SchemaError::BadValue { key: written.key.to_owned(), expected: "a decision".into() };
            let decision = decision.ok_or_else(bad_value)?;
            let state = machine.state(decision.state).ok_or_else(bad_value)?;
            (Place::Decision { field, state, decision }, state.writer)
        }
        _ => return Err(bad_path()),
    };
    Ok(PathRule { place, writer })
}

fn check_scope<'p>(gate: Gate, written: Written<'p>) -> Result<PathRule<'p>, SchemaError> {
    if written.key == CLASS {
        // What a kind does not publish, no owner does: it is about people.
        let writer = match written.value.as_text() {
            Some("public") if gate.class == Class::Public => Writer::Owner,
            Some("scoped") => Writer::CommonSuperior,
            _ => return Err(bad_value(written, "a class that the kind has")),
        };
        return Ok(PathRule { place: Place::Class, writer });
    }
    if written.key == OWNER {
        let seat = written.value.as_seat().ok_or_else(|| bad_value(written, "a seat"))?;
        return Ok(PathRule { place: Place::Owner(seat), writer: Writer::CommonAtLeast(Tier::Township) });
    }
    let seat = written.key.strip_prefix(SEAT).filter(|s| ValueType::Seat.fits_key(s)).and_then(|s| s.parse().ok());
    let seat = seat.ok_or_else(|| SchemaError::BadPath { field: "_scope", key: written.key.to_owned() })?;
    check_membership(written)?;
    let present = crate::scope::is_in(written.value);
    let writer = if present { Writer::Owner } else { Writer::CommonSuperior };
    Ok(PathRule { place: Place::Participant { seat, present }, writer })
}

fn check_field_value(field: &Field, written: Written<'_>) -> Result<(), SchemaError> {
    if field.sealed {
        let is_sealed = match written.value {
            Scalar::Null => true,
            Scalar::Bytes(bytes) => sealed::key_of(bytes).is_some(),
            Scalar::Bool(_) | Scalar::Int(_) | Scalar::Text(_) => false,
        };
        return if is_sealed { Ok(()) } else { Err(bad_value(written, "sealed")) };
    }
    check_value(field.value, written)
}

fn check_value(value: ValueType, written: Written<'_>) -> Result<(), SchemaError> {
    if value.fits(written.value) { Ok(()) } else { Err(bad_value(written, value.expects().en)) }
}

fn check_membership(written: Written<'_>) -> Result<(), SchemaError> {
    let marked = written.value.as_text().is_some_and(|t| t.len() <= 40 && (t.starts_with('i') || t.starts_with('o')));
    if marked { Ok(()) } else { Err(bad_value(written, "a mark of membership")) }
}

fn check_append(written: Written<'_>) -> Result<(), SchemaError> {
    if written.replaces { Err(SchemaError::Overwrites { key: written.key.to_owned() }) } else { Ok(()) }
}

fn bad_value(written: Written<'_>, expected: impl Into<Box<str>>) -> SchemaError {
    SchemaError::BadValue { key: written.key.to_owned(), expected: expected.into() }
}

/// The seat whose entry it is, where anybody in the audience may add entries of his own: its name begins with the seat.
/// So nobody takes another's over by writing it from a past in which it was not there.
#[must_use]
pub fn whose_entry(entry: &str) -> Option<SeatId> {
    let (seat, _) = entry.split_once('-')?;
    ValueType::Seat.fits_key(seat).then(|| seat.parse().ok()).flatten()
}

/// Entries are named by hex ids or by short words of our own.
fn is_entry(entry: &str) -> bool {
    (1..=64).contains(&entry.len()) && entry.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'z' | b'_' | b'-'))
}

/// The seat that a put names, if it names one rather than takes one out.
#[must_use]
pub fn named_seat(gate: Gate, written: Written<'_>) -> Option<SeatId> {
    let of = |value: ValueType| matches!(value, ValueType::Seat | ValueType::Unit(_)).then(|| written.value.as_seat());
    match check(gate, written).ok()?.place {
        Place::Owner(seat) | Place::Participant { seat, present: true } | Place::Slot { seat, .. } => Some(seat),
        Place::Element { field, element } if crate::scope::is_in(written.value) => match field.value {
            ValueType::Seat | ValueType::Unit(_) => element.parse().ok(),
            _ => None,
        },
        Place::Field(field) => of(field.value)?,
        Place::Entry { part, .. } => of(part.value)?,
        _ => None,
    }
}
