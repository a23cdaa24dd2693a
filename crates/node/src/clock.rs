//! The only place that reads clocks. The monotonic one decides intervals, the wall clock is for display.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use heliu_replication::Moment;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
}

impl Clock {
    pub fn start() -> Self {
        Clock { started: Instant::now() }
    }

    pub fn now(&self) -> Moment {
        let tick_ms = u64::try_from(self.uptime().as_millis()).unwrap_or(u64::MAX);
        Moment { tick_ms, wall_ms: wall_ms() }
    }

    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
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
    pub fn ahead_ms(&self) -> i64 {
        let since = i64::try_from(self.heard.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.said_ms.saturating_add(since).saturating_sub(wall_ms())
    }
}

/// Milliseconds since 1970; negative if the machine believes in an earlier time.
pub(crate) fn wall_ms() -> i64 {
    let signed = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    SystemTime::now().duration_since(UNIX_EPOCH).map_or_else(|before| -signed(before.duration()), signed)
}
