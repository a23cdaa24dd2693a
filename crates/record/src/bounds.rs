//! What people may write in a field of a type, and how it is spelled: the one place for commands, and for whoever looks at a row of a
//! file before it becomes one. What others have written is judged by [`ValueType::fits`] alone, whatever this says of it.

use std::borrow::Cow;

use heliu_words::identity_number::{holds_identity_number, looks_like_identity_number};
use heliu_words::plain_text;

use crate::date;
use crate::kind::ValueType;

/// There was no Party before.
pub const FIRST_DAY: &str = "1921-01-01";
/// Nobody who was born before is in a registry of today.
pub const FIRST_BIRTH: &str = "1880-01-01";
/// What is planned for a day that is further off was mistyped.
const YEARS_AHEAD: i16 = 20;

/// Why nobody may write a text there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Improper {
    /// It holds somebody's identity number, and is not to be repeated.
    IdentityNumber,
    /// No letter and no digit is in what should be a name.
    NoName,
    /// A program of tables has cut the number short: `3.71726E+17`.
    Shortened,
    /// It is before the first day that may stand there.
    Before(&'static str),
    /// It is after the last one.
    After(String),
}

impl ValueType {
    /// The one spelling of a text, which is [`plain_text::normal`], in a field of this type.
    #[must_use]
    pub fn spelled(self, text: &str) -> Cow<'_, str> {
        match self {
            ValueType::Name(_) => plain_text::name(text),
            ValueType::Number(_) | ValueType::Date | ValueType::Past | ValueType::Birth => {
                plain_text::of_one_width(text)
            }
            _ => Cow::Borrowed(text),
        }
    }

    /// Whether there is a reason why nobody may write a text in a field of this type, on this day. It is there and spelled as it is to be.
    pub fn check(self, text: &str, today: &str) -> Result<(), Improper> {
        match self {
            ValueType::Text(_) | ValueType::Name(_) | ValueType::Number(_) if holds_identity_number(text) => {
                Err(Improper::IdentityNumber)
            }
            ValueType::Number(_) if looks_like_identity_number(text) => Err(Improper::IdentityNumber),
            ValueType::Number(_) if is_shortened(text) => Err(Improper::Shortened),
            ValueType::Name(_) if !text.contains(char::is_alphanumeric) => Err(Improper::NoName),
            ValueType::Date => within(text, FIRST_DAY, &date::years_after(today, YEARS_AHEAD).unwrap_or_default()),
            ValueType::Past => within(text, FIRST_DAY, today),
            ValueType::Birth => within(text, FIRST_BIRTH, today),
            _ => Ok(()),
        }
    }
}

fn within(day: &str, first: &'static str, last: &str) -> Result<(), Improper> {
    match day {
        day if day < first => Err(Improper::Before(first)),
        day if day > last => Err(Improper::After(last.to_owned())),
        _ => Ok(()),
    }
}

fn is_shortened(text: &str) -> bool {
    let Some((digits, power)) = text.split_once(['E', 'e']) else { return false };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let fraction = digits.split_once('.').map_or(digits, |(_, fraction)| fraction);
    is_number(fraction) && power.strip_prefix('+').is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: &str = "2026-03-01";

    #[test]
    fn a_day_is_within_the_bounds_of_what_it_is_the_day_of() {
        let late = |day: &str| Err(Improper::After(day.to_owned()));
        assert_eq!(ValueType::Past.check("2026-03-01", TODAY), Ok(()));
        assert_eq!(ValueType::Past.check("2026-03-02", TODAY), late(TODAY));
        for day in ["0020-05-15", "1899-12-30", "1920-12-31"] {
            assert_eq!(ValueType::Past.check(day, TODAY), Err(Improper::Before(FIRST_DAY)), "{day}");
            assert_eq!(ValueType::Date.check(day, TODAY), Err(Improper::Before(FIRST_DAY)), "{day}");
        }
        assert_eq!(ValueType::Date.check("2027-03-01", TODAY), Ok(()), "what is planned may be to come");
        assert_eq!(ValueType::Date.check("2099-07-01", TODAY), late("2046-03-01"));
        assert_eq!(ValueType::Birth.check("1918-07-01", TODAY), Ok(()));
        assert_eq!(ValueType::Birth.check("1818-07-01", TODAY), Err(Improper::Before(FIRST_BIRTH)));
        assert_eq!(ValueType::Birth.check("2027-07-01", TODAY), late(TODAY));
    }

    #[test]
    fn a_name_says_something_and_a_number_is_no_identity_number() {
        for empty in ["-", "。", "…", "* *", "()"] {
            assert_eq!(ValueType::Name(40).check(empty, TODAY), Err(Improper::NoName), "{empty}");
        }
        assert_eq!(ValueType::Name(40).check("𠮷田", TODAY), Ok(()));
        for number in ["110105491231002", "11010519491231002X"] {
            assert_eq!(ValueType::Number(40).check(number, TODAY), Err(Improper::IdentityNumber));
        }
        assert_eq!(ValueType::Text(40).check("110105491231002", TODAY), Ok(()), "it may be anything");
        assert_eq!(ValueType::Number(40).check("3.71726E+17", TODAY), Err(Improper::Shortened));
        for number in ["D001", "371726101201-0001", "E2", "1E2"] {
            assert_eq!(ValueType::Number(40).check(number, TODAY), Ok(()), "{number}");
        }
    }
}
