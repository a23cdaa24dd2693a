//! The door to terminals and logs: everything that this program prints goes through here. What others wrote may be in it
//! (names, refusals, a peer's words, names of files), so whatever is hidden in it is shown as what it is, `\u{202e}`: no
//! text from elsewhere moves a cursor, turns a line around, or hides in one.

use std::io::{self, IsTerminal as _, Write};

use heliu_record::plain_text::{shown, shown_in_json};
use serde_json::Value;

/// Where something is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

impl Stream {
    /// Whether somebody may be looking: then lines can be written over.
    pub fn is_terminal(self) -> bool {
        match self {
            Stream::Out => io::stdout().is_terminal(),
            Stream::Err => io::stderr().is_terminal(),
        }
    }

    fn put(self, begin: &str, text: &str) -> io::Result<()> {
        let bytes = format!("{begin}{text}");
        match self {
            Stream::Out => {
                let mut out = io::stdout().lock();
                out.write_all(bytes.as_bytes()).and_then(|()| out.flush())
            }
            Stream::Err => io::stderr().lock().write_all(bytes.as_bytes()),
        }
    }

    /// Prints lines.
    pub fn write(self, text: &str) -> io::Result<()> {
        self.put("", &lines(text))
    }

    /// Prints in the place of a line that is not ended yet, of so many columns.
    pub fn write_over(self, columns: usize, text: &str) -> io::Result<()> {
        let begin = if columns > 0 { format!("\r{}\r", " ".repeat(columns)) } else { String::new() };
        self.put(&begin, &lines(text))
    }

    /// Prints JSON on one line.
    pub fn write_json(self, value: &Value) -> io::Result<()> {
        self.put("", &format!("{}\n", shown_in_json(&value.to_string())))
    }
}

/// Line breaks are this program's own: whoever puts others' words into a text has them on one line, by `clean`.
fn lines(text: &str) -> String {
    let mut lines = Vec::new();
    lines.extend(text.split('\n').map(shown));
    lines.join("\n")
}

/// Prints to standard error. If nobody can be told there, the exit code still says what happened.
pub fn complain(text: &str) {
    let _ = Stream::Err.write(text);
}

/// The log's way to standard error: what is written at once is one entry, and stays one line whatever is in it.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    pub json: bool,
}

impl Log {
    fn line(self, entry: &[u8]) -> String {
        let entry = String::from_utf8_lossy(entry);
        let entry = entry.strip_suffix('\n').unwrap_or(&entry);
        let shown = if self.json { shown_in_json(entry) } else { shown(entry) };
        format!("{shown}\n")
    }
}

impl Write for Log {
    fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
        Stream::Err.put("", &self.line(entry))?;
        Ok(entry.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn what_others_wrote_neither_moves_a_cursor_nor_turns_a_line() {
        let text = "peer \u{1b}]0;owned\u{7}\u{1b}[2J said \u{202e}olleh\u{200b}\n第二行\u{9b}31m\r\n";
        assert_eq!(
            lines(text),
            "peer \\u{1b}]0;owned\\u{7}\\u{1b}[2J said \\u{202e}olleh\\u{200b}\n第二行\\u{9b}31m\\r\n"
        );
    }

    /// Entries as the log of a node makes them, after the door.
    fn logged(json: bool) -> String {
        #[derive(Clone)]
        struct Kept(Log, Arc<Mutex<String>>);
        impl Write for Kept {
            fn write(&mut self, entry: &[u8]) -> io::Result<usize> {
                self.1.lock().expect("no panic").push_str(&self.0.line(entry));
                Ok(entry.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let kept = Kept(Log { json }, Arc::default());
        let said = Arc::clone(&kept.1);
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || kept.clone());
        let entries = || {
            let reason = "no\n2026-01-01T00:00:00Z  INFO heliu: all is well\u{1b}[1A\u{2028}";
            tracing::warn!(%reason, name = "甲\u{202e}村", "refused\nas well");
        };
        if json {
            tracing::subscriber::with_default(subscriber.json().flatten_event(true).finish(), entries);
        } else {
            tracing::subscriber::with_default(subscriber.finish(), entries);
        }
        said.lock().expect("no panic").clone()
    }

    #[test]
    fn an_entry_of_the_log_is_one_line_and_cannot_forge_another() {
        for json in [false, true] {
            let said = logged(json);
            assert_eq!(said.matches('\n').count(), 1, "{said}");
            assert!(!said.contains(['\u{1b}', '\u{202e}', '\u{2028}', '\r']), "{said:?}");
        }
        let entry: Value = serde_json::from_str(&logged(true)).expect("it is JSON");
        assert_eq!(entry["name"], "甲\u{202e}村");
    }

    #[test]
    fn json_hides_nothing_and_says_the_same() {
        let value = serde_json::json!({"name": "甲\u{202e}村\u{1b}\u{85}"});
        let text = shown_in_json(&value.to_string()).into_owned();
        assert!(text.contains("甲\\u202e村\\u001b\\u0085"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).expect("it is JSON"), value);
    }
}
