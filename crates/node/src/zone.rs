//! The realm's time zone and the civil day in it, by the tz database that is part of the program: the same on every node of
//! a version, and on machines that have none. The directory says which zone it is; the core is handed the day.

use heliu_record::date::Date;
use heliu_trust::directory::{DEFAULT_TIME_ZONE, Directory};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// The name of a zone as the tz database writes it; none if it has no such zone.
#[must_use]
pub fn known(name: &str) -> Option<String> {
    find(name).and_then(|zone| zone.iana_name().map(str::to_owned))
}

/// The names of all zones.
#[must_use]
pub fn names() -> Vec<String> {
    TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect()
}

/// The civil day at a moment where the realm is. If the directory names a zone that only a later version of the program
/// knows, it is the default one's, and there is an alarm.
pub(crate) fn today(directory: &Directory, wall_ms: i64) -> Date {
    let zone = find(directory.time_zone()).or_else(|| find(DEFAULT_TIME_ZONE)).unwrap_or(TimeZone::UTC);
    civil_day(&zone, wall_ms)
}

fn find(name: &str) -> Option<TimeZone> {
    TimeZoneDatabase::bundled().get(name).ok()
}

/// A clock that says a time before 1970 has not been set; one beyond the calendar stands at its end.
fn civil_day(zone: &TimeZone, wall_ms: i64) -> Date {
    zone.to_datetime(Timestamp::from_millisecond(wall_ms.max(0)).unwrap_or(Timestamp::MAX)).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(zone: &str, moment: &str) -> String {
        let at: Timestamp = moment.parse().expect("it is a moment");
        civil_day(&find(zone).expect("it is a zone"), at.as_millisecond()).to_string()
    }

    #[test]
    fn a_day_begins_at_midnight_where_the_realm_is() {
        assert_eq!(day("Asia/Shanghai", "2026-02-28T15:59:59.999Z"), "2026-02-28");
        assert_eq!(day("Asia/Shanghai", "2026-02-28T16:00:00Z"), "2026-03-01", "eight hours before that of UTC");
        assert_eq!(day("Asia/Shanghai", "2028-02-28T16:00:00Z"), "2028-02-29", "a leap year");
        assert_eq!(day("Asia/Shanghai", "2026-12-31T16:00:00Z"), "2027-01-01");
        assert_eq!(day("America/New_York", "2026-03-02T04:59:59Z"), "2026-03-01", "behind UTC");
    }

    #[test]
    fn zones_that_change_between_summer_and_winter_keep_their_midnights() {
        // Berlin is two hours ahead in summer and one in winter.
        assert_eq!(day("Europe/Berlin", "2026-07-01T21:59:59Z"), "2026-07-01");
        assert_eq!(day("Europe/Berlin", "2026-07-01T22:00:00Z"), "2026-07-02");
        assert_eq!(day("Europe/Berlin", "2026-12-01T22:00:00Z"), "2026-12-01");
        // China had summer time from 1986 to 1991.
        assert_eq!(day("Asia/Shanghai", "1988-07-01T15:00:00Z"), "1988-07-02");
    }

    #[test]
    fn no_clock_is_too_wrong_for_a_day() {
        let shanghai = find("Asia/Shanghai").expect("it is a zone");
        assert_eq!(civil_day(&shanghai, i64::MIN).to_string(), "1970-01-01");
        assert_eq!(civil_day(&shanghai, i64::MAX).to_string(), "9999-12-31");
    }

    #[test]
    fn a_zone_is_known_by_its_name_in_the_tz_database_whatever_its_case() {
        assert_eq!(known("asia/urumqi").as_deref(), Some("Asia/Urumqi"));
        for wrong in ["", "Beijing", "GMT+25", "../../etc/passwd", "Asia/Shanghai "] {
            assert_eq!(known(wrong), None, "{wrong}");
        }
        assert!(names().iter().any(|name| name == "Asia/Shanghai"));
    }
}
