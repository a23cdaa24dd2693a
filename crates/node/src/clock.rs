//! The only place that reads clocks. The monotonic one decides intervals. The wall clock is for display, for what ends at a
//! time of day (certificates, tokens), and for the civil day that commands carry; it may be set at any moment, backwards
//! too, so what it said is not kept while the process lives: see [`Then`].

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use heliu_replication::Moment;

/// A node's clocks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock {
    started: Instant,
    /// By how much a test has set this node's wall clock.
    #[cfg(test)]
    set_by_ms: std::sync::Arc<std::sync::atomic::AtomicI64>,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Clock {
            started: Instant::now(),
            #[cfg(test)]
            set_by_ms: std::sync::Arc::default(),
        }
    }

    /// The same wall clock, for a life that begins now.
    pub(crate) fn begin(&self) -> Self {
        let mut clock = self.clone();
        clock.started = Instant::now();
        clock
    }

    pub(crate) fn now(&self) -> Moment {
        let tick_ms = u64::try_from(self.uptime().as_millis()).unwrap_or(u64::MAX);
        Moment { tick_ms, wall_ms: self.wall_ms() }
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    #[cfg(not(test))]
    pub(crate) fn wall_ms(&self) -> i64 {
        wall_ms()
    }

    #[cfg(test)]
    pub(crate) fn wall_ms(&self) -> i64 {
        wall_ms() + self.set_by_ms.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// As if somebody had set it to be so far ahead of the right time.
    #[cfg(test)]
    pub(crate) fn set_by(&self, ms: i64) {
        self.set_by_ms.store(ms, std::sync::atomic::Ordering::SeqCst);
    }
}

/// A moment since this process began. What time of day that was, the wall clock tells as it is set now: a time that is kept
/// as a wrong clock told it would stay wrong after the clock has been put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Then(Instant);

impl Then {
    pub fn now() -> Self {
        Then(Instant::now())
    }

    pub fn wall_ms(self, clock: &Clock) -> i64 {
        clock.wall_ms().saturating_sub(i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

/// What another machine's clock said, and when that was here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OtherClock {
    said_ms: i64,
    heard: Instant,
}

impl OtherClock {
    pub fn says(said_ms: i64) -> Self {
        OtherClock { said_ms, heard: Instant::now() }
    }

    /// By how much it is ahead of this machine's, which may have been set since.
    pub fn ahead_ms(&self, clock: &Clock) -> i64 {
        let since = i64::try_from(self.heard.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.said_ms.saturating_add(since).saturating_sub(clock.wall_ms())
    }
}

/// Notices that the wall clock has been set.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Wall clock less monotonic clock; it stays as it is while nobody sets anything.
    apart_ms: i64,
}

impl Setting {
    /// Clocks that are steered run a little faster or slower for a while.
    const NOTICED_MS: u64 = 1_000;

    pub fn of(now: Moment) -> Self {
        Setting { apart_ms: apart(now) }
    }

    /// By how much it was set since somebody asked last, if it was.
    pub fn changed(&mut self, now: Moment) -> Option<i64> {
        let by = apart(now).saturating_sub(self.apart_ms);
        (by.unsigned_abs() >= Self::NOTICED_MS).then(|| {
            self.apart_ms = apart(now);
            by
        })
    }
}

fn apart(now: Moment) -> i64 {
    now.wall_ms.saturating_sub(i64::try_from(now.tick_ms).unwrap_or(i64::MAX))
}

/// Milliseconds since 1970; negative if the machine believes in an earlier time.
pub(crate) fn wall_ms() -> i64 {
    let signed = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    SystemTime::now().duration_since(UNIX_EPOCH).map_or_else(|before| -signed(before.duration()), signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_runs_is_not_one_that_was_set() {
        let at = |tick_ms, wall_ms| Moment { tick_ms, wall_ms };
        let mut setting = Setting::of(at(0, 1_000_000));
        assert_eq!(setting.changed(at(60_000, 1_060_900)), None);
        assert_eq!(setting.changed(at(61_000, 5_061_000)), Some(4_000_000));
        assert_eq!(setting.changed(at(62_000, 5_062_000)), None);
        assert_eq!(setting.changed(at(63_000, 1_063_000)), Some(-4_000_000), "it was put back");
    }
}
