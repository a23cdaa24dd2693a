//! The reading room: bytes of a file as lines of cells, whatever program wrote it. Of kinds, columns and records nothing is known
//! here. A file is hostile until it is read: what it may hold is bounded, and it is given line by line, never as a whole.
//!
//! Bottom up: `cell`, `dates`, `encoding`, `csv_file`, `xlsx`.

pub mod cell;
mod csv_file;
pub mod dates;
mod encoding;
mod line;
mod xlsx;

use cell::Cell;
pub use csv_file::begins_a_formula;
use line::HEAD_LINES;
pub use line::{FILE_BYTES_MAX, Line, Unreadable};

use crate::text::{Say, say};

/// A file of which it is known how it is to be read.
pub enum Document {
    Csv(csv_file::Text),
    Xlsx(xlsx::Book),
}

impl Document {
    /// `sheet`: which one of a workbook; empty: the first that is shown and has something on it. `score` says how many names of
    /// columns a line has: by that is known what separates the values of a text.
    pub fn open(bytes: Vec<u8>, sheet: &str, score: &dyn Fn(&[Cell]) -> usize) -> Result<Self, Unreadable> {
        if bytes.len() > FILE_BYTES_MAX {
            let mib = FILE_BYTES_MAX / 1024 / 1024;
            return Err(Unreadable::whole(say!(
                "文件超过 {mib} MiB,请拆开",
                "the file has more than {mib} MiB: split it"
            )));
        }
        match bytes.as_slice() {
            [] => Err(Unreadable::whole(say!("文件是空的", "the file is empty"))),
            [b'P', b'K', 3, 4, ..] => xlsx::Book::open(bytes, sheet).map(Document::Xlsx),
            // What Excel wrote until 2003, WPS writes as .et, and any Office writes with a password.
            [0xd0, 0xcf, 0x11, 0xe0, ..] => Err(Unreadable::whole(say!(
                "这是旧版 Excel(.xls)、WPS(.et)或加了密码的文件:请在表格软件中去掉密码,另存为 .xlsx 或 CSV",
                "this is a file of old Excel (.xls), of WPS (.et), or with a password: take the password off and save it as .xlsx or CSV"
            ))),
            _ => csv_file::Text::open(&bytes, score).map(Document::Csv),
        }
    }

    /// Gives the lines that are not empty, in their order, until there are no more or `take` says no.
    pub fn each(&self, take: &mut dyn FnMut(Line) -> bool) -> Result<(), Unreadable> {
        match self {
            Document::Csv(text) => text.each(take),
            Document::Xlsx(book) => book.each(take),
        }
    }

    /// The first lines that are not empty.
    pub fn head(&self) -> Result<Vec<Line>, Unreadable> {
        let mut head = Vec::new();
        self.each(&mut |line| {
            head.push(line);
            head.len() < HEAD_LINES
        })?;
        Ok(head)
    }

    /// How it was read, for people who know what they handed in.
    pub fn told(&self) -> Say {
        match self {
            Document::Csv(text) => text.told(),
            Document::Xlsx(book) => book.told(),
        }
    }
}

#[cfg(test)]
mod tests;
