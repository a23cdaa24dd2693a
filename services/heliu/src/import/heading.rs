//! The heading of a table: in which of its first lines it is, and which column of the kind each of its own stands for.

use heliu_client::schema::Argument;

use super::bad_row::BadRow;
use super::form::{Columns, is_running};
use crate::reading::Line;
use crate::reading::cell::{Cell, narrow_all, unspread};
use crate::text::{Say, clean, nearest, say};

/// What a column of the file stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The column of the form, by its place among these.
    Column(usize),
    Skipped,
    /// It has no heading.
    Nameless,
}

#[derive(Debug)]
pub struct Heading {
    pub line: u64,
    pub places: Vec<Place>,
    /// The names of columns that are left out.
    pub skipped: Vec<String>,
}

/// How many columns of the kind a line names.
pub fn score(columns: &Columns, cells: &[Cell]) -> usize {
    let mut found: Vec<&str> =
        cells.iter().filter_map(|cell| Some(column(columns, &name(cell))?.name.as_str())).collect();
    found.sort_unstable();
    found.dedup();
    found.len()
}

impl Heading {
    /// The line among the first of a file that names most columns. Above it stand titles.
    pub fn find(columns: &Columns, head: &[Line], skips_unknown: bool) -> Result<Self, Vec<BadRow>> {
        let Some(best) = head.iter().rev().max_by_key(|line| score(columns, &line.cells)) else {
            return Err(vec![BadRow::whole(1, say!("文件是空的", "the file is empty"))]);
        };
        let (mut places, mut skipped, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        let mut fault = |reason: Say| bad.push(BadRow::whole(best.line, reason));
        for cell in &best.cells {
            let name = name(cell);
            let place =
                columns.iter().position(|own| column(columns, &name).is_some_and(|column| column.name == own.name));
            places.push(match place {
                _ if name.is_empty() => Place::Nameless,
                Some(place) if places.contains(&Place::Column(place)) => {
                    fault(say!("列“{name}”出现了两次", "the column {name} is there twice"));
                    Place::Skipped
                }
                Some(place) => Place::Column(place),
                None => {
                    if !skips_unknown && !is_running(&name) {
                        fault(no_column(columns, &name));
                    }
                    skipped.push(clean(&name));
                    Place::Skipped
                }
            });
        }
        for (place, column) in columns.iter().enumerate().filter(|(_, column)| column.required) {
            if !places.contains(&Place::Column(place)) {
                let (name, label) = (&column.name, &column.label.zh);
                fault(say!("缺少必填的列“{label}”", "the required column {name} is missing"));
            }
        }
        if bad.is_empty() { Ok(Heading { line: best.line, places, skipped }) } else { Err(bad) }
    }
}

/// As it is written there, in one line.
fn name(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) | Cell::Lines(text) => unspread(text),
        _ => String::new(),
    }
}

/// A heading may have an asterisk or a note in brackets: 入党时间*(年月日).
fn column<'f>(columns: &'f Columns, name: &str) -> Option<&'f Argument> {
    let plain = narrow_all(name);
    let before = plain.split_once('(').map_or(plain.as_str(), |(before, _)| before);
    let bare = before.trim_matches(|c: char| c == '*' || c == ':' || c.is_whitespace());
    columns.called(name).or_else(|| columns.called(bare).filter(|_| !bare.is_empty()))
}

fn no_column(columns: &Columns, name: &str) -> Say {
    let called = columns.iter().flat_map(|column| [&*column.name, &*column.label.zh, &*column.label.en]);
    let shown = clean(&name.chars().take(40).collect::<String>());
    let skip = say!("不要这一列就加 --skip-unknown", "--skip-unknown leaves such columns out");
    let Say { zh, en } = skip;
    match nearest(name, called) {
        Some(near) => {
            say!("没有列“{shown}”;是不是 {near}?{zh}", "there is no column {shown:?}; did you mean {near}? ({en})")
        }
        None => {
            let labels = columns.iter().map(|column| &*column.label.zh).collect::<Vec<_>>().join("、");
            let known = columns.iter().map(|column| &*column.name).collect::<Vec<_>>().join(", ");
            say!(
                "没有列“{shown}”;可用的列:{labels}。{zh}",
                "there is no column {shown:?}; the columns are: {known} ({en})"
            )
        }
    }
}
