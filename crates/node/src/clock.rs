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

/// Milliseconds since 1970; negative if the machine believes in an earlier time.
pub(crate) fn wall_ms() -> i64 {
    let signed = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    SystemTime::now().duration_since(UNIX_EPOCH).map_or_else(|before| -signed(before.duration()), signed)
}
