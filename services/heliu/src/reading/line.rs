//! One line of a table, what may be in it, and where a file cannot be read any further.

use super::cell::Cell;
use crate::text::{Say, say};

/// Larger files are to be split.
pub const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Cells of one line, empty ones too: no roster is so wide.
pub const COLUMNS_MAX: usize = 1_024;
/// Characters of one cell: what Excel takes.
pub const CELL_CHARS_MAX: usize = 32_767;
/// The heading is looked for in so many lines that are not empty.
pub const HEAD_LINES: usize = 20;

/// One line of a table, with its number in the file or on the sheet, from 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub line: u64,
    pub cells: Vec<Cell>,
    /// How many values it has, empty ones too, where the file says that.
    pub width: Option<usize>,
}

/// Where a file cannot be read any further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub line: u64,
    pub reason: Say,
}

impl Unreadable {
    pub fn whole(reason: Say) -> Self {
        Unreadable { line: 1, reason }
    }
}

pub fn too_long() -> Say {
    say!(
        "超过 {CELL_CHARS_MAX} 个字符(是否有引号没有闭合?)",
        "it has more than {CELL_CHARS_MAX} characters (is there a quote that was not closed?)"
    )
}
