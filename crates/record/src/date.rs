//! Dates of the domain, `YYYY-MM-DD`: what letters and decisions carry. People give them; where nobody does, it is the day
//! that came with the command. No clock is read here and no time zone is known.

pub use jiff::civil::Date;

/// Whether a text is a date of the calendar. Two such texts compare as their dates do.
#[must_use]
pub fn is_date(text: &str) -> bool {
    parse(text).is_some()
}

/// The date so many days later; `None` if `date` is not one or the year would pass 9999.
#[must_use]
pub fn days_after(date: &str, days: u32) -> Option<String> {
    let days = jiff::Span::new().try_days(days).ok()?;
    parse(date)?.checked_add(days).ok().map(text)
}

/// The date so many years later, the last of the month where there is no such day; `None` as for [`days_after`].
#[must_use]
pub fn years_after(date: &str, years: i16) -> Option<String> {
    months_after(date, i32::from(years) * 12)
}

/// As [`years_after`], of months.
#[must_use]
pub fn months_after(date: &str, months: i32) -> Option<String> {
    let months = jiff::Span::new().try_months(months).ok()?;
    parse(date)?.checked_add(months).ok().map(text)
}

/// As it is written into records. No clock says a year before 0 and means it.
#[must_use]
pub fn text(date: Date) -> String {
    date.max(Date::constant(0, 1, 1)).to_string()
}

/// The one form: ISO 8601 has others, and such texts would not compare.
fn parse(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10
        && bytes.iter().enumerate().all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() });
    text.parse().ok().filter(|_| shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        for right in ["2024-02-29", "2000-02-29", "0000-01-01", "9999-12-31"] {
            assert!(is_date(right), "{right}");
        }
        for wrong in [
            "2023-02-29",
            "1900-02-29",
            "2024-13-01",
            "2024-00-10",
            "2024-01-00",
            "2024-1-01",
            "24-01-01",
            "2024/01/01",
            "2024-01-0é",
            "20240101",
            "20240101T0",
            "-002024-01-01",
            "2024-01-01T00:00:00",
            "2024-W01-1",
            "",
        ] {
            assert!(!is_date(wrong), "{wrong}");
        }
    }

    #[test]
    fn thirty_days_may_cross_a_year_and_a_leap_day() {
        assert_eq!(days_after("2024-12-15", 30).as_deref(), Some("2025-01-14"));
        assert_eq!(days_after("2024-02-01", 30).as_deref(), Some("2024-03-02"));
        assert_eq!(days_after("2023-02-01", 30).as_deref(), Some("2023-03-03"));
        assert_eq!(days_after("9999-12-31", 1), None);
        assert_eq!(days_after("2024-12-15", u32::MAX), None);
    }

    #[test]
    fn a_day_is_written_as_it_is_read() {
        assert_eq!(text(Date::constant(2024, 2, 29)), "2024-02-29");
        assert_eq!(text(Date::MIN), "0000-01-01");
        assert!(is_date(&text(Date::MIN)) && is_date(&text(Date::MAX)));
    }
}
