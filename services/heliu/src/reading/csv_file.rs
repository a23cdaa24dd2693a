//! Texts of which each line is a row: values separated by commas, tabs or semicolons, in quotes where they have to be, with any
//! line ends.

use super::cell::Cell;
use super::encoding;
use super::line::{CELL_CHARS_MAX, COLUMNS_MAX, HEAD_LINES, Line, Unreadable, too_long};
use crate::text::{Say, say};

pub struct Text {
    text: String,
    encoding: &'static str,
    delimiter: u8,
}

impl Text {
    pub fn open(bytes: &[u8], score: &dyn Fn(&[Cell]) -> usize) -> Result<Self, Unreadable> {
        let (text, encoding) = encoding::decode(bytes)?;
        let mut best = Text { text, encoding, delimiter: b',' };
        let mut most = best.score(score);
        for delimiter in *b"\t;" {
            best.delimiter = delimiter;
            let found = best.score(score);
            if found.0 > most.0 {
                most = (found.0, delimiter);
            }
        }
        best.delimiter = most.1;
        Ok(best)
    }

    /// How many names of columns the best of its first lines has, read so.
    fn score(&self, score: &dyn Fn(&[Cell]) -> usize) -> (usize, u8) {
        let (mut best, mut seen) = (0, 0);
        let _ = self.each(&mut |line| {
            best = best.max(score(&line.cells));
            seen += 1;
            seen < HEAD_LINES
        });
        (best, self.delimiter)
    }

    pub fn told(&self) -> Say {
        let encoding = self.encoding;
        match self.delimiter {
            b'\t' => say!("CSV({encoding},以制表符分隔)", "CSV ({encoding}, separated by tabs)"),
            b';' => say!("CSV({encoding},以分号分隔)", "CSV ({encoding}, separated by semicolons)"),
            _ => say!("CSV({encoding})", "CSV ({encoding})"),
        }
    }

    pub fn each(&self, take: &mut dyn FnMut(Line) -> bool) -> Result<(), Unreadable> {
        let bytes = self.text.as_bytes();
        let mut reader = csv::ReaderBuilder::new();
        let mut reader = reader.flexible(true).has_headers(false).delimiter(self.delimiter).from_reader(bytes);
        let (mut record, mut lines) = (csv::StringRecord::new(), Lines { bytes, at: 0, line: 1 });
        loop {
            let error = match reader.read_record(&mut record) {
                Ok(true) => None,
                Ok(false) => return Ok(()),
                Err(error) => Some(error),
            };
            let at = record.position().map_or(0, csv::Position::byte);
            let line = lines.line_of(at);
            if let Some(error) = error {
                return Err(Unreadable { line, reason: say!("不是合格的 CSV:{error}", "not valid CSV: {error}") });
            }
            if record.len() > COLUMNS_MAX {
                return Err(Unreadable {
                    line,
                    reason: say!("超过 {COLUMNS_MAX} 列,请拆开", "it has more than {COLUMNS_MAX} columns: split it"),
                });
            }
            let cells: Vec<Cell> = record.iter().map(cell).collect();
            // Lines without a value are no rows, but an empty line among values is counted as one.
            if cells.iter().all(Cell::is_empty) {
                continue;
            }
            if !take(Line { line, cells, width: Some(record.len()) }) {
                return Ok(());
            }
        }
    }
}

fn cell(text: &str) -> Cell {
    if text.chars().nth(CELL_CHARS_MAX).is_some() {
        return Cell::Fault(too_long());
    }
    Cell::of(unguarded(text))
}

/// With what spreadsheets would take a value for a formula.
pub fn begins_a_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// Without the mark that keeps spreadsheets from taking a value for a formula.
fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if begins_a_formula(rest) => rest,
        _ => text,
    }
}

/// Lines by offset. The reader's own count is one behind where lines end in CRLF, as those of spreadsheets do, and knows no others
/// that end in CR.
struct Lines<'b> {
    bytes: &'b [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the record that is found from an offset on; offsets rise.
    fn line_of(&mut self, offset: u64) -> u64 {
        let from = usize::try_from(offset).unwrap_or(usize::MAX).clamp(self.at, self.bytes.len());
        let blank = self.bytes[from..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let begin = from + blank;
        let ends = (self.at..begin).filter(|at| match self.bytes[*at] {
            b'\n' => true,
            b'\r' => self.bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        self.line += ends.count() as u64;
        self.at = begin;
        self.line
    }
}
