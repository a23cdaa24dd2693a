//! Times for people: local, with their offset from UTC. Stored and machine-read times are milliseconds since 1970 UTC.

use chrono::{DateTime, Local, SecondsFormat, Utc};

use super::tr;

/// `2026-03-01 09:30:12 +08:00`; empty for a time that no calendar has.
pub fn local(ms: i64) -> String {
    let utc = DateTime::<Utc>::from_timestamp_millis(ms);
    utc.map(|time| time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S %:z").to_string()).unwrap_or_default()
}

/// The same instant for programs: `2026-03-01T01:30:12.000Z`.
pub fn utc(ms: i64) -> Option<String> {
    DateTime::<Utc>::from_timestamp_millis(ms).map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

pub fn now_ms() -> i64 {
    Utc::now().timestamp_millis()
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
    fn an_instant_has_one_form_for_programs() {
        assert_eq!(utc(0).as_deref(), Some("1970-01-01T00:00:00.000Z"));
        assert_eq!(utc(i64::MAX), None);
    }
}
