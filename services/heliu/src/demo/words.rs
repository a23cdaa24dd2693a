//! How the demo tells its story: with the time since it began, and progress that stays on one line where there is a
//! terminal.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use unicode_width::UnicodeWidthStr as _;

use crate::out::Stream;
use crate::text::count;

pub struct Teller {
    /// Standard error when standard output is for programs.
    stream: Stream,
    live: bool,
    began: Instant,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    /// Columns of a progress line that is still open.
    open: usize,
    last: Option<Instant>,
}

impl Teller {
    pub fn new(to_stderr: bool) -> Self {
        let stream = if to_stderr { Stream::Err } else { Stream::Out };
        Teller { stream, live: stream.is_terminal(), began: Instant::now(), line: Mutex::default() }
    }

    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// A new part of the story.
    pub fn chapter(&self, number: u32, title: &str) {
        self.put(&format!("\n[{:5.1} s] {number}. {title}", self.elapsed().as_secs_f64()));
    }

    pub fn say(&self, text: &str) {
        self.put(&format!("    {text}"));
    }

    /// Something that belongs to what was said before: a value, an address, a command to copy.
    pub fn item(&self, text: &str) {
        self.put(&format!("      {text}"));
    }

    /// Something that is not as it should be.
    pub fn warn(&self, text: &str) {
        self.put(&format!("  !! {text}"));
    }

    /// How far something is. On a terminal the line is written over; elsewhere one appears every few seconds.
    pub fn progress(&self, what: &str, done: u64, total: u64) {
        const LIVE: Duration = Duration::from_millis(100);
        const PLAIN: Duration = Duration::from_secs(5);
        let mut line = self.line.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let pause = if self.live { LIVE } else { PLAIN };
        if *line.last.get_or_insert_with(Instant::now) + pause > Instant::now() {
            return;
        }
        line.last = Some(Instant::now());
        let percent = (done * 100).checked_div(total).unwrap_or(100).min(100);
        let text = format!("    … {what} {}/{} ({percent}%)", count(done), count(total));
        if self.live {
            self.write(std::mem::replace(&mut line.open, text.width()), &text);
        } else {
            self.write(0, &format!("{text}\n"));
        }
    }

    /// Ends what may stand on the progress line.
    pub fn end_line(&self) {
        let mut line = self.line.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let open = std::mem::take(&mut *line).open;
        if open > 0 {
            self.write(open, "");
        }
    }

    fn put(&self, text: &str) {
        let mut line = self.line.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let erased = std::mem::take(&mut *line).open;
        self.write(erased, &format!("{text}\n"));
    }

    /// A closed pipe ends what is told, not the demo: its result is in the exit code too.
    fn write(&self, over: usize, text: &str) {
        if let Err(error) = self.stream.write_over(over, text) {
            tracing::debug!(%error, "nobody reads the story");
        }
    }
}
