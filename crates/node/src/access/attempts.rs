//! Counts tokens that open nothing, per source, so that guessing fills no log and costs no work. A good token is let in
//! whatever others behind the same address do: 256 random bits are not found by trying.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// In one window.
const FAILED_MAX: u32 = 20;
const WINDOW: Duration = Duration::from_secs(60);
/// Sources that are remembered; beyond that, all begin anew.
const SOURCES_MAX: usize = 4_096;

#[derive(Default)]
pub(crate) struct Attempts(Mutex<BTreeMap<IpAddr, (Instant, u32)>>);

impl Attempts {
    /// For tests that show many bad tokens and are after something else.
    #[cfg(test)]
    pub fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether there have been too many.
    pub fn are_too_many(&self, source: IpAddr) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&source).is_some_and(|(since, count)| since.elapsed() < WINDOW && *count >= FAILED_MAX)
    }

    /// One more has failed. Whether there have been too many by now.
    pub fn failed(&self, source: IpAddr) -> bool {
        let now = Instant::now();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= SOURCES_MAX && !known.contains_key(&source) {
            known.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
            if known.len() >= SOURCES_MAX {
                known.clear();
            }
        }
        let (since, count) = known.entry(source).or_insert((now, 0));
        if now.duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count > FAILED_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_that_guesses_is_told_apart_from_another_and_memory_is_bounded() {
        let attempts = Attempts::default();
        let source = |n: u32| IpAddr::from(n.to_be_bytes());
        assert!((0..FAILED_MAX).all(|_| !attempts.failed(source(1))));
        assert!(attempts.failed(source(1)) && !attempts.failed(source(2)));
        for n in 0..10_000 {
            attempts.failed(source(n));
        }
        assert!(attempts.0.lock().expect("nobody panicked").len() <= SOURCES_MAX);
    }
}
