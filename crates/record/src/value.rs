//! Values of fields: whether a scalar is of a type, and the way to and from the text that people type.

use serde_json::Value;

use crate::change::Scalar;
use crate::date;
use crate::id::{RecordId, SeatId, to_hex};
use crate::kind::{Label, ValueType};
use crate::sealed;
use crate::seats::Seats;
use heliu_words::Explanation;

impl ValueType {
    /// Whether a scalar is a value of this type. `Null` says that there is none.
    #[must_use]
    pub fn fits(self, scalar: &Scalar) -> bool {
        match (self, scalar) {
            (_, Scalar::Null) => true,
            (ValueType::Text(max) | ValueType::Name(max) | ValueType::Number(max), Scalar::Text(text)) => {
                is_text(text, max)
            }
            (ValueType::Date | ValueType::Past | ValueType::Birth, Scalar::Text(text)) => date::is_date(text),
            (ValueType::Int | ValueType::Count, Scalar::Int(_)) | (ValueType::Bool, Scalar::Bool(_)) => true,
            (ValueType::Seat, Scalar::Bytes(bytes)) => bytes.len() == SeatId::LEN,
            (ValueType::Record(_), Scalar::Bytes(bytes)) => bytes.len() == RecordId::LEN,
            (ValueType::Unit(_), Scalar::Bytes(bytes)) => matches!(bytes.len(), SeatId::LEN | RecordId::LEN),
            (ValueType::Choice(choices), Scalar::Text(text)) => choices.iter().any(|choice| choice.name == text),
            _ => false,
        }
    }

    /// Whether a text in a key can name an element of this type: ids are lower-case hex, so that each has one key.
    #[must_use]
    pub fn fits_key(self, key: &str) -> bool {
        let hex = |len: usize| key.len() == 2 * len && key.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match self {
            ValueType::Text(max) | ValueType::Name(max) | ValueType::Number(max) => {
                is_text(key, max) && !key.contains('/')
            }
            ValueType::Date | ValueType::Past | ValueType::Birth => date::is_date(key),
            ValueType::Seat => hex(SeatId::LEN),
            ValueType::Record(_) => hex(RecordId::LEN),
            ValueType::Unit(_) => hex(SeatId::LEN) || hex(RecordId::LEN),
            ValueType::Choice(choices) => choices.iter().any(|choice| choice.name == key),
            ValueType::Int | ValueType::Count | ValueType::Bool => false,
        }
    }

    /// Reads what a person typed. A seat may be given by its id or its region code; an empty text clears the field.
    #[must_use]
    pub fn parse(self, text: &str, seats: &Seats) -> Option<Scalar> {
        let text = self.spelled(text.trim());
        let text = &*text;
        if text.is_empty() {
            return Some(Scalar::Null);
        }
        let scalar = match self {
            ValueType::Text(_)
            | ValueType::Name(_)
            | ValueType::Number(_)
            | ValueType::Date
            | ValueType::Past
            | ValueType::Birth => Scalar::Text(text.to_owned()),
            ValueType::Choice(choices) => {
                let called = choices.iter().find(|choice| choice.name == text || choice.label.is(text))?;
                Scalar::from(called.name)
            }
            ValueType::Int => Scalar::Int(text.parse().ok()?),
            ValueType::Count => Scalar::Int(text.parse().ok().filter(|count| *count >= 1)?),
            ValueType::Bool => Scalar::Bool(match text {
                "true" | "yes" | "是" => true,
                "false" | "no" | "否" => false,
                _ => return None,
            }),
            ValueType::Seat => Scalar::Bytes(parse_seat(text, seats)?.0.to_vec()),
            ValueType::Record(_) => Scalar::Bytes(text.parse::<RecordId>().ok()?.0.to_vec()),
            ValueType::Unit(_) => match parse_seat(text, seats) {
                Some(seat) => Scalar::Bytes(seat.0.to_vec()),
                None => Scalar::Bytes(text.parse::<RecordId>().ok()?.0.to_vec()),
            },
        };
        self.fits(&scalar).then_some(scalar)
    }

    /// Reads what a person typed for an element of a set.
    #[must_use]
    pub fn parse_key(self, text: &str, seats: &Seats) -> Option<String> {
        let key = match self.parse(text, seats)? {
            Scalar::Text(text) => text,
            Scalar::Bytes(bytes) => to_hex(&bytes),
            Scalar::Null | Scalar::Bool(_) | Scalar::Int(_) => return None,
        };
        self.fits_key(&key).then_some(key)
    }

    /// The word for this type in schemas.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ValueType::Text(_) | ValueType::Name(_) | ValueType::Number(_) => "text",
            ValueType::Date | ValueType::Past | ValueType::Birth => "date",
            ValueType::Int | ValueType::Count => "int",
            ValueType::Bool => "bool",
            ValueType::Seat => "seat",
            ValueType::Record(_) => "record",
            ValueType::Unit(_) => "unit",
            ValueType::Choice(_) => "choice",
        }
    }

    /// What a person should type.
    #[must_use]
    pub fn expects(self) -> Explanation {
        match self {
            ValueType::Text(max) | ValueType::Name(max) => {
                Explanation::new(format!("文字,最多 {max} 字"), format!("a text of up to {max} characters"))
            }
            ValueType::Number(max) => {
                Explanation::new(format!("编号,最多 {max} 字"), format!("a number of up to {max} characters"))
            }
            ValueType::Date => Explanation::new("日期,如 2026-03-01", "a date such as 2026-03-01"),
            ValueType::Past => Explanation::new("已到的日期,如 2026-03-01", "a date that has come, such as 2026-03-01"),
            ValueType::Birth => Explanation::new("出生日期,如 1980-03-01", "a birth date such as 1980-03-01"),
            ValueType::Int => Explanation::new("整数", "a whole number"),
            ValueType::Count => Explanation::new("不小于 1 的整数", "a whole number from 1"),
            ValueType::Bool => Explanation::new("是 或 否", "yes or no"),
            ValueType::Seat => Explanation::new("席位编号或12位区划代码", "a seat id or a 12-digit region code"),
            ValueType::Record(kind) => {
                Explanation::new(format!("{}的编号", kind.label.zh), format!("the id of {}", a(kind.label.en)))
            }
            ValueType::Unit(kind) => {
                let Label { zh, en } = kind.label;
                Explanation::new(
                    format!("席位编号、区划代码或{zh}的编号"),
                    format!("a seat id, a region code, or the id of {}", a(en)),
                )
            }
            ValueType::Choice(choices) => {
                let (zh, en): (Vec<_>, Vec<_>) = choices.iter().map(|c| (c.label.zh, c.label.en)).unzip();
                Explanation::new(format!("以下之一:{}", zh.join("、")), format!("one of: {}", en.join(", ")))
            }
        }
    }
}

/// With its article.
fn a(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

fn is_text(text: &str, max: usize) -> bool {
    // Bytes bound characters, so most texts need no counting.
    !text.is_empty() && (text.len() <= max || text.chars().count() <= max)
}

fn parse_seat(text: &str, seats: &Seats) -> Option<SeatId> {
    text.parse().ok().or_else(|| seats.by_code(text).map(|s| s.id))
}

/// A scalar as people and downstream systems read it: ids are hex, and of what is sealed only its key is named.
#[must_use]
pub fn to_json(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(b) => Value::Bool(*b),
        Scalar::Int(i) => Value::from(*i),
        Scalar::Text(t) => Value::String(t.clone()),
        Scalar::Bytes(b) => match sealed::key_of(b) {
            Some(key) => sealed::to_json(key),
            None => Value::String(to_hex(b)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::{Word, word};

    #[test]
    fn what_people_type_becomes_a_value_or_nothing() {
        let seats = Seats::default();
        assert_eq!(ValueType::Int.parse(" 12 ", &seats), Some(Scalar::Int(12)));
        let counted = ["0", "-1", "1"].map(|text| ValueType::Count.parse(text, &seats));
        assert_eq!(counted, [None, None, Some(Scalar::Int(1))]);
        assert!(ValueType::Count.fits(&Scalar::Int(0)), "what others wrote is judged as before");
        assert_eq!(ValueType::Date.parse("2026-02-30", &seats), None);
        const HALL: &[Word] = &[word("hall", "会场", "meeting hall")];
        let choice = ValueType::Choice(HALL);
        assert_eq!(choice.parse("room", &seats), None);
        assert_eq!(choice.parse("会场", &seats), Some(Scalar::from("hall")), "people know it by its name");
        assert_eq!(ValueType::Text(3).parse("党支部", &seats), Some(Scalar::from("党支部")));
        assert_eq!(ValueType::Text(2).parse("党支部", &seats), None);
        assert_eq!(ValueType::Seat.parse(&"0a".repeat(16), &seats), Some(Scalar::Bytes(vec![10; 16])));
        assert!(!ValueType::Seat.fits_key(&"0A".repeat(16)), "an id has one spelling in keys");
    }
}
