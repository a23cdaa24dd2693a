//! Times for people: local, with their offset from UTC. Stored and machine-read times are milliseconds since 1970 UTC.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::tr;

/// `2026-03-01 09:30:12 +08:00`; empty for a time that no calendar has.
pub fn local(ms: i64) -> String {
    let at = Timestamp::from_millisecond(ms).ok();
    let local = at.map(|at| at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string());
    local.unwrap_or_default()
}

/// The same instant for programs: `2026-03-01T01:30:12.000Z`.
pub fn utc(ms: i64) -> Option<String> {
    Timestamp::from_millisecond(ms).ok().map(|at| format!("{at:.3}"))
}

pub fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// The civil day of this machine, for what is printed here: `2026-03-01`.
pub fn today() -> String {
    local(now_ms()).chars().take(10).collect()
}

/// A length of time in its one or two largest units: `3 d 4 h`, `12 s`.
pub fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let seconds = seconds % 60;
    match (days, hours, minutes) {
        (0, 0, 0) => tr!("{seconds} 秒", "{seconds} s"),
        (0, 0, _) => tr!("{minutes} 分 {seconds} 秒", "{minutes} min {seconds} s"),
        (0, _, _) => tr!("{hours} 小时 {minutes} 分", "{hours} h {minutes} min"),
        _ => tr!("{days} 天 {hours} 小时", "{days} d {hours} h"),
    }
}

/// What people write for a length of time: `90s`, `30m`, `24h`, `7d`.
pub fn parse_span(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    // A thousand years are enough.
    number.checked_mul(seconds).filter(|seconds| *seconds < 31_536_000_000).map(Duration::from_secs)
}

/// How long ago, by this machine's clock; a time yet to come is now.
pub fn ago(ms: i64) -> String {
    let passed = span(u64::try_from(now_ms() - ms).unwrap_or(0));
    tr!("{passed}前", "{passed} ago")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_two_units_at_most() {
        assert_eq!([span(0), span(61_000), span(90_061_000)], ["0 s", "1 min 1 s", "1 d 1 h"]);
    }

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        let seconds = |text| parse_span(text).map(|span| span.as_secs());
        assert_eq!(
            [seconds("90s"), seconds("30m"), seconds("24h"), seconds("7d")],
            [Some(90), Some(1800), Some(86_400), Some(604_800)]
        );
        for wrong in ["", "d", "7", "0h", "-1d", "7 d", "1w", "99999999999999999999d", "天"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_instant_has_one_form_for_programs() {
        assert_eq!(utc(0).as_deref(), Some("1970-01-01T00:00:00.000Z"));
        assert_eq!(utc(1_772_323_200_123).as_deref(), Some("2026-03-01T00:00:00.123Z"));
        assert_eq!(utc(-1).as_deref(), Some("1969-12-31T23:59:59.999Z"));
        assert_eq!(utc(i64::MAX), None);
        assert_eq!((local(i64::MAX), local(0).len()), (String::new(), "1970-01-01 08:00:00 +08:00".len()));
    }
}
