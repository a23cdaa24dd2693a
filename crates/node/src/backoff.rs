//! How long to wait before something is tried again: a node that is not reached, a store that takes no writes.

use std::time::Duration;

use crate::options::Retry;

/// Waits between attempts.
pub(crate) struct Backoff {
    retry: Retry,
    next: Duration,
}

impl Backoff {
    pub fn new(retry: Retry) -> Self {
        Backoff { retry, next: retry.first.min(retry.max) }
    }

    pub fn reset(&mut self) {
        self.next = self.retry.first.min(self.retry.max);
    }

    /// Between half of the delay and all of it: 391 villages that lost one township do not come back at one moment.
    pub fn delay(&mut self) -> Duration {
        let delay = self.next;
        self.next = (delay * 2).min(self.retry.max);
        // Without random bytes all wait equally long, which is only less polite.
        let random = getrandom::u32().unwrap_or(u32::MAX);
        delay / 2 + delay.mul_f64(0.5 * f64::from(random) / f64::from(u32::MAX))
    }

    pub async fn wait(&mut self) {
        tokio::time::sleep(self.delay()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_limit_and_begin_anew() {
        let ms = Duration::from_millis;
        let mut backoff = Backoff::new(Retry { first: ms(100), max: ms(350) });
        for full in [100, 200, 350, 350] {
            let delay = backoff.delay();
            assert!(delay >= ms(full) / 2 && delay <= ms(full), "{delay:?} of {full} ms");
        }
        backoff.reset();
        assert!(backoff.delay() <= ms(100));
    }
}
