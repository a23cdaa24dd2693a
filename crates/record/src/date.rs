//! Dates of the domain, `YYYY-MM-DD`: what letters and decisions carry. They are given by people, never read from a clock.

/// Whether a text is a date of the calendar. Two such texts compare as their dates do.
#[must_use]
pub fn is_date(text: &str) -> bool {
    parse(text).is_some()
}

/// The date so many days later; `None` if `date` is not one or the year would pass 9999.
#[must_use]
pub fn days_after(date: &str, days: u32) -> Option<String> {
    let (mut year, mut month, mut day) = parse(date)?;
    day += days;
    while day > days_in(year, month) {
        day -= days_in(year, month);
        month += 1;
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
    (year <= 9999).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// The date of a moment, in UTC. Display only: what to write where nobody gave a date.
#[must_use]
pub fn from_ms(ms_since_1970: i64) -> String {
    let days = u32::try_from(ms_since_1970.div_euclid(86_400_000)).unwrap_or(0);
    days_after("1970-01-01", days).unwrap_or_else(|| "9999-12-31".to_owned())
}

fn parse(text: &str) -> Option<(u32, u32, u32)> {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10
        && bytes.iter().enumerate().all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() });
    if !shape {
        return None;
    }
    let (year, month, day) = (text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?);
    ((1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day)).then_some((year, month, day))
}

fn days_in(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        assert!(is_date("2024-02-29"));
        for wrong in ["2023-02-29", "2024-13-01", "2024-00-10", "2024-1-01", "24-01-01", "2024/01/01", "2024-01-0é"] {
            assert!(!is_date(wrong), "{wrong}");
        }
    }

    #[test]
    fn thirty_days_may_cross_a_year() {
        assert_eq!(days_after("2024-12-15", 30).as_deref(), Some("2025-01-14"));
        assert_eq!(days_after("2024-02-01", 30).as_deref(), Some("2024-03-02"));
        assert_eq!(days_after("9999-12-31", 1), None);
    }
}
