//! What a piece of work costs: time of its own thread on a processor, which does not count what runs beside it, and the
//! most memory that it had at once. The allocator here counts, for every binary of this crate; memory of C libraries
//! (zstd's contexts) is not seen by it.

use std::time::Duration;

use peak_alloc::PeakAlloc;
use rustix::time::{ClockId, clock_gettime};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What 64 KiB of hostile input may cost at most.
pub const TIME_MAX: Duration = Duration::from_millis(50);
pub const BYTES_MAX: usize = 32 << 20;
const UNIT: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    pub time: Duration,
    /// Above what was in use before.
    pub bytes: usize,
}

impl Cost {
    /// How often the input uses up what it may, at the worse of the two; 1 is the limit. `len` is the input's.
    #[must_use]
    pub fn share(&self, len: usize) -> f64 {
        let units = len.div_ceil(UNIT).max(1) as f64;
        let time = self.time.as_secs_f64() / TIME_MAX.as_secs_f64();
        let memory = self.bytes as f64 / BYTES_MAX as f64;
        time.max(memory) / units
    }

    #[must_use]
    pub fn mib(&self) -> f64 {
        self.bytes as f64 / f64::from(1 << 20)
    }

    #[must_use]
    pub fn ms(&self) -> f64 {
        self.time.as_secs_f64() * 1e3
    }
}

/// Memory is the whole process's: whoever measures runs alone.
pub fn of<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let begun = thread_time();
    let done = work();
    let time = thread_time().saturating_sub(begun);
    (done, Cost { time, bytes: MEMORY.peak_usage().saturating_sub(before) })
}

fn thread_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}
