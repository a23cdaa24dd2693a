//! The rows of one file, a part at a time: read on a thread of its own, so that what is broken beyond words ends that thread and not
//! the program, and so that a file of any length takes the room of a few rows.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::form::Columns;
use super::heading::{Heading, score};
use super::rows::{self, BadRow, Reading, Row};
use crate::cli::Table;
use crate::failure::Failure;
use crate::reading::cell::Cell;
use crate::reading::dates::Meant;
use crate::reading::{Document, Line, Unreadable};
use crate::realm::regions;
use crate::text::{Say, say};

/// Rows that are looked up, tried out and given to the node together.
const ROWS: usize = 2_048;
/// Parts that are read before they are asked for.
const AHEAD: usize = 2;

/// How somebody wants a file to be read.
#[derive(Clone, Debug, Default)]
pub struct How {
    pub sheet: String,
    pub skips_unknown: bool,
    pub meant: Meant,
}

impl How {
    pub fn of(flags: &Table) -> Self {
        let meant = Meant { month: flags.month, years_from: flags.years_from };
        How { sheet: flags.sheet.clone(), skips_unknown: flags.skip_unknown, meant }
    }
}

pub enum Source<'f> {
    /// Organisations for the seats of a region file: there are no more than seats.
    Regions(Vec<Row>),
    Table(Arc<Document>, Reading<'f>),
}

/// What a part of a file came to: the rows that can be taken as far as the file alone can say, and all that cannot.
pub type Part = (Vec<Row>, Vec<BadRow>);

enum Piece {
    Lines(Vec<Line>),
    End(Result<(), Unreadable>),
}

impl<'f> Source<'f> {
    /// `takes_regions`: a region file stands for the organisations of its seats.
    pub fn open(columns: &'f Columns, takes_regions: bool, bytes: Vec<u8>, how: &How) -> Result<Self, Vec<BadRow>> {
        let seats = takes_regions.then(|| regions::table(&bytes)).flatten();
        if let Some(seats) = seats {
            return rows::orgs_of(&seats)
                .map(Source::Regions)
                .map_err(|error| error.words().into_iter().map(|why| BadRow::whole(1, why.into())).collect());
        }
        let read = || -> Result<(Document, Vec<Line>), Unreadable> {
            let document = Document::open(bytes, &how.sheet, &|cells: &[Cell]| score(columns, cells))?;
            let head = document.head()?;
            Ok((document, head))
        };
        let read = std::thread::scope(|scope| scope.spawn(read).join()).unwrap_or_else(|_| Err(broken()));
        let (document, head) = read.map_err(|why| vec![why.into()])?;
        let heading = Heading::find(columns, &head, how.skips_unknown)?;
        Ok(Source::Table(Arc::new(document), Reading { columns, heading, meant: how.meant }))
    }

    /// Gives all parts, in their order.
    pub async fn each(&self, mut take: impl AsyncFnMut(Part) -> Result<(), Failure>) -> Result<(), Failure> {
        let (document, reading) = match self {
            Source::Regions(rows) => {
                for part in rows.chunks(ROWS) {
                    take((part.to_vec(), Vec::new())).await?;
                }
                return Ok(());
            }
            Source::Table(document, reading) => (document, reading),
        };
        let mut pieces = pieces(document);
        loop {
            // A thread that fell over has not said that it came to the end.
            match pieces.recv().await.unwrap_or(Piece::End(Err(broken()))) {
                Piece::Lines(lines) => take(part(reading, &lines)).await?,
                Piece::End(Ok(())) => return Ok(()),
                Piece::End(Err(why)) => return take((Vec::new(), vec![why.into()])).await,
            }
        }
    }

    /// How it is read, and what of it is not.
    pub fn told(&self) -> Say {
        let Source::Table(document, reading) = self else { return say!("区划文件", "a region file") };
        let (how, line) = (document.told(), reading.heading.line);
        let (zh, en) = (how.zh, how.en);
        match reading.heading.skipped.join(", ").as_str() {
            "" => say!("{zh},列名在第 {line} 行", "{en}, heading on line {line}"),
            skipped => say!(
                "{zh},列名在第 {line} 行,未读的列:{skipped}",
                "{en}, heading on line {line}, columns that are not read: {skipped}"
            ),
        }
    }

    pub fn skipped(&self) -> &[String] {
        match self {
            Source::Regions(_) => &[],
            Source::Table(_, reading) => &reading.heading.skipped,
        }
    }
}

fn part(reading: &Reading<'_>, lines: &[Line]) -> Part {
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    for line in lines {
        match reading.row(line) {
            Ok(row) => rows.extend(row),
            Err(faults) => bad.extend(faults),
        }
    }
    (rows, bad)
}

fn pieces(document: &Arc<Document>) -> mpsc::Receiver<Piece> {
    let (document, (give, pieces)) = (Arc::clone(document), mpsc::channel(AHEAD));
    tokio::task::spawn_blocking(move || {
        let mut lines = Vec::new();
        let read = document.each(&mut |line| {
            lines.push(line);
            lines.len() < ROWS || give.blocking_send(Piece::Lines(std::mem::take(&mut lines))).is_ok()
        });
        if !lines.is_empty() {
            let _ = give.blocking_send(Piece::Lines(lines));
        }
        let _ = give.blocking_send(Piece::End(read));
    });
    pieces
}

fn broken() -> Unreadable {
    let reason = say!(
        "文件已损坏,读不下去:请在表格软件中重新保存",
        "the file is damaged and cannot be read: save it again in a spreadsheet"
    );
    Unreadable { line: 1, reason }
}
