//! Waiting for what should come true, and saying what did not, or what could not be tried.

use std::io::Write as _;
use std::time::{Duration, Instant};

/// Nothing takes this long, even on a machine that does much else, unless it is stuck.
pub const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

/// Waits until something is so.
///
/// # Panics
/// If it does not come true.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let why_not = until_ok(async || if is_so().await { Ok(()) } else { Err(String::new()) }).await.err();
    assert!(why_not.is_none(), "it did not come true that {what}");
}

/// Waits until there is an answer; else the last reason why there is none.
pub async fn until_ok<T>(ask: impl AsyncFn() -> Result<T, String>) -> Result<T, String> {
    let began = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(why) if began.elapsed() > PATIENCE => return Err(why),
            Err(_) => tokio::time::sleep(POLL).await,
        }
    }
}

/// Says what this machine cannot test. Past the test harness, which shows only what failing tests print, and on a line of
/// its own: `cargo xtask test` counts such lines.
pub fn skipped(what_and_why: &str) {
    // Without standard output there is nobody to tell.
    let _ = writeln!(std::io::stdout(), "\nskipped: {what_and_why}");
}
