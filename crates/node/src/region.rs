//! Region files: a county's administrative divisions as they come from the statistics office, made into seats. Outside
//! input: bounded, and every bad row is told at once, so that a deployer corrects the file in one go. Which seats a realm may
//! have is the directory's matter.

use std::collections::BTreeMap;

use heliu_record::conflict::Explanation;
use heliu_record::id::SeatId;
use heliu_record::plain_text;
use heliu_record::seats::{Seat, Seats, Tier};
use heliu_trust::directory::limits::{ITEMS, NAME_BYTES};
use heliu_trust::id::{RealmId, seat_id};

pub const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Seats in a region file: as many as one directory entry takes.
pub const ROWS_MAX: usize = ITEMS;

const HEADER: [&str; 3] = ["code", "name", "parent_code"];
/// By depth in the tree. Codes hint at tiers by their zeros, but real files have villages under a county's own hand.
const TIERS: [Tier; 3] = [Tier::County, Tier::Township, Tier::Village];

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionError {
    TooLong,
    TooManyRows,
    Header,
    NoCounty,
    Rows(Vec<BadRow>),
}

/// A row that cannot be taken, by its line in the file (the header is line 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    pub line: usize,
    pub reason: RowError,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowError {
    NotUtf8,
    Fields,
    Code(String),
    Name,
    CodeTwice { code: String, line: usize },
    NoParent(String),
    SecondCounty { line: usize },
    Cycle,
    TooDeep,
}

impl RegionError {
    /// What is wrong, one for each fault.
    #[must_use]
    pub fn words(&self) -> Vec<Explanation> {
        let one = |zh: &str, en: &str| vec![Explanation::new(zh, en)];
        match self {
            RegionError::TooLong => {
                one(&format!("文件超过 {FILE_BYTES_MAX} 字节"), &format!("it has more than {FILE_BYTES_MAX} bytes"))
            }
            RegionError::TooManyRows => {
                one(&format!("超过 {ROWS_MAX} 行"), &format!("it has more than {ROWS_MAX} rows"))
            }
            RegionError::Header => one(
                "没有一行是列名 代码,名称,上级代码(或 code,name,parent_code)",
                "no line is the heading code,name,parent_code (or 代码,名称,上级代码)",
            ),
            RegionError::NoCounty => one("每一行都有上级,所以没有县", "every row has a parent, so there is no county"),
            RegionError::Rows(rows) => rows.iter().map(BadRow::words).collect(),
        }
    }
}

impl BadRow {
    fn words(&self) -> Explanation {
        let (zh, en) = match &self.reason {
            RowError::NotUtf8 => ("不是 UTF-8 文字".to_owned(), "it is not UTF-8 text".to_owned()),
            RowError::Fields => (
                "不是 code,name,parent_code 三列".to_owned(),
                "it does not have the three fields code, name, parent_code".to_owned(),
            ),
            RowError::Code(code) => (format!("“{code}”不是 12 位代码"), format!("{code:?} is not a code of 12 digits")),
            RowError::Name => (
                "名称为空、太长,或含控制字符或看不见的字符".to_owned(),
                "the name is empty, too long, or has control characters or others that show nothing".to_owned(),
            ),
            RowError::CodeTwice { code, line } => {
                (format!("代码 {code} 在第 {line} 行已经有了"), format!("code {code} is also on line {line}"))
            }
            RowError::NoParent(parent) => {
                (format!("上级 {parent} 不在文件中"), format!("its parent {parent} is not in the file"))
            }
            RowError::SecondCounty { line } => {
                (format!("没有上级,而县在第 {line} 行"), format!("it has no parent, but the county is on line {line}"))
            }
            RowError::Cycle => {
                ("它的上级绕成了圈,到不了县".to_owned(), "its superiors do not lead to the county".to_owned())
            }
            RowError::TooDeep => ("它在村以下".to_owned(), "it is below a village".to_owned()),
        };
        let line = self.line;
        Explanation::new(format!("第 {line} 行:{zh}"), format!("line {line}: {en}"))
    }
}

struct Row {
    line: usize,
    code: String,
    name: String,
    parent: Option<String>,
}

/// Whether a file has the columns of a region file.
#[must_use]
pub fn is_region_file(bytes: &[u8]) -> bool {
    lines(bytes).next().is_some_and(|(_, line)| is_header(line))
}

/// Reads a file with the columns code, name, parent_code; the row without a parent is the county. Superiors come before
/// their subordinates, otherwise the order is the file's.
pub fn parse(realm: &RealmId, bytes: &[u8]) -> Result<Vec<Seat>, RegionError> {
    Ok(parse_with_lines(realm, bytes)?.into_iter().map(|(_, seat)| seat).collect())
}

/// As [`parse`], each seat with the line where it stands in the file.
pub fn parse_with_lines(realm: &RealmId, bytes: &[u8]) -> Result<Vec<(usize, Seat)>, RegionError> {
    let (rows, mut bad) = read_rows(bytes)?;
    let by_code = index_rows(&rows, &mut bad);
    let seats = grow(realm, &rows, &by_code, &mut bad);
    if !bad.is_empty() {
        bad.sort_by_key(|row| row.line);
        return Err(RegionError::Rows(bad));
    }
    if seats.is_empty() { Err(RegionError::NoCounty) } else { Ok(seats) }
}

/// Reads a file of the same columns with seats that come to a tree: every parent is in the tree, or in the file. The
/// directory says whether one of them is there already.
pub fn parse_more(realm: &RealmId, bytes: &[u8], tree: &Seats) -> Result<Vec<Seat>, RegionError> {
    let (rows, mut bad) = read_rows(bytes)?;
    index_rows(&rows, &mut bad);
    let mut tiers: BTreeMap<&str, (SeatId, Tier)> = BTreeMap::new();
    let mut seats = Vec::with_capacity(rows.len());
    let mut left: Vec<&Row> = rows.iter().collect();
    // No tree is deeper than there are tiers, so each pass adds one of them.
    for _ in TIERS {
        left.retain(|row| {
            let parent = row.parent.as_deref().unwrap_or_default();
            let known = || tree.by_code(parent).map(|seat| (seat.id, seat.tier));
            let Some((parent, above)) = tiers.get(parent).copied().or_else(known) else { return true };
            let Some(tier) = TIERS.into_iter().find(|tier| *tier > above) else {
                bad.push(BadRow { line: row.line, reason: RowError::TooDeep });
                return false;
            };
            let id = seat_id(realm, &row.code);
            tiers.insert(&row.code, (id, tier));
            seats.push(Seat { id, code: row.code.clone(), name: row.name.clone(), parent: Some(parent), tier });
            false
        });
    }
    let parentless = left.into_iter();
    bad.extend(
        parentless
            .map(|row| BadRow { line: row.line, reason: RowError::NoParent(row.parent.clone().unwrap_or_default()) }),
    );
    if !bad.is_empty() {
        bad.sort_by_key(|row| row.line);
        return Err(RegionError::Rows(bad));
    }
    Ok(seats)
}

fn read_rows(bytes: &[u8]) -> Result<(Vec<Row>, Vec<BadRow>), RegionError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(RegionError::TooLong);
    }
    let mut lines = lines(bytes);
    if !lines.next().is_some_and(|(_, line)| is_header(line)) {
        return Err(RegionError::Header);
    }
    let mut bad = Vec::new();
    let mut rows = Vec::new();
    for (line, text) in lines {
        if rows.len() + bad.len() == ROWS_MAX {
            return Err(RegionError::TooManyRows);
        }
        match read_row(line, text) {
            Ok(row) => rows.push(row),
            Err(reason) => bad.push(BadRow { line, reason }),
        }
    }
    Ok((rows, bad))
}

/// The lines that are not blank, with their numbers.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    // Spreadsheets put a byte order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    (1..).zip(bytes.split(|b| *b == b'\n')).filter(|(_, line)| !line.trim_ascii().is_empty())
}

fn is_header(line: &[u8]) -> bool {
    fields(line).is_ok_and(|fields| fields == HEADER)
}

/// The three fields of one line. Each line is read for itself: no name has a line break in it, so a quote that is not
/// closed spoils its own line alone, and every line keeps its number.
fn fields(line: &[u8]) -> Result<[String; 3], RowError> {
    if line.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
        return Err(RowError::Fields);
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line);
    let mut records = reader.records();
    let (first, more) = (records.next(), records.next().is_some());
    // In memory and of any width, nothing can be wrong with a record but its letters.
    let record = first.transpose().map_err(|_| RowError::NotUtf8)?.filter(|_| !more).ok_or(RowError::Fields)?;
    let fields: Vec<String> = record.iter().map(|field| field.trim().to_owned()).collect();
    fields.try_into().map_err(|_| RowError::Fields)
}

fn read_row(line: usize, text: &[u8]) -> Result<Row, RowError> {
    let [code, name, parent] = fields(text)?;
    let code = check_code(&code)?;
    let parent = if parent.is_empty() { None } else { Some(check_code(&parent)?) };
    let name = plain_text::normal(&name).map_err(|_| RowError::Name)?;
    if name.is_empty() || name.len() > NAME_BYTES {
        return Err(RowError::Name);
    }
    Ok(Row { line, code, name: name.into_owned(), parent })
}

fn check_code(code: &str) -> Result<String, RowError> {
    // Digits of full width are digits.
    let narrow =
        |c: char| if matches!(c, '０'..='９') { char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c) } else { c };
    let code: String = code.chars().map(narrow).collect();
    let is_code = code.len() == 12 && code.bytes().all(|b| b.is_ascii_digit());
    // What is quoted to people stays short, whatever the file holds.
    if is_code { Ok(code) } else { Err(RowError::Code(code.chars().take(24).collect())) }
}

fn index_rows<'r>(rows: &'r [Row], bad: &mut Vec<BadRow>) -> BTreeMap<&'r str, &'r Row> {
    let mut by_code: BTreeMap<&str, &Row> = BTreeMap::new();
    for row in rows {
        if let Some(first) = by_code.get(row.code.as_str()) {
            let reason = RowError::CodeTwice { code: row.code.clone(), line: first.line };
            bad.push(BadRow { line: row.line, reason });
        } else {
            by_code.insert(&row.code, row);
        }
    }
    by_code
}

fn grow(realm: &RealmId, rows: &[Row], by_code: &BTreeMap<&str, &Row>, bad: &mut Vec<BadRow>) -> Vec<(usize, Seat)> {
    let county = rows.iter().find(|row| row.parent.is_none());
    let mut by_depth: [Vec<(usize, Seat)>; TIERS.len()] = Default::default();
    for row in rows {
        match depth(row, county, by_code) {
            Ok(Some(depth)) => {
                let parent = row.parent.as_ref().map(|code| seat_id(realm, code));
                let (id, code, name) = (seat_id(realm, &row.code), row.code.clone(), row.name.clone());
                by_depth[depth].push((row.line, Seat { id, code, name, parent, tier: TIERS[depth] }));
            }
            Ok(None) => {}
            Err(reason) => bad.push(BadRow { line: row.line, reason }),
        }
    }
    by_depth.into_iter().flatten().collect()
}

/// How many superiors a row has, less than there are tiers. None if one of them is at fault, and is reported itself.
fn depth(row: &Row, county: Option<&Row>, by_code: &BTreeMap<&str, &Row>) -> Result<Option<usize>, RowError> {
    let mut at = row;
    for depth in 0..TIERS.len() {
        let is_own = at.line == row.line;
        let Some(parent) = &at.parent else {
            return match county {
                Some(county) if county.line == at.line => Ok(Some(depth)),
                Some(county) if is_own => Err(RowError::SecondCounty { line: county.line }),
                _ => Ok(None),
            };
        };
        at = match by_code.get(parent.as_str()) {
            Some(parent) => parent,
            None if is_own => return Err(RowError::NoParent(parent.clone())),
            None => return Ok(None),
        };
    }
    // Longer than the tree is deep: either it leads round in a circle, or up to the county after all.
    let mut superiors = std::iter::successors(Some(row), |at| by_code.get(at.parent.as_deref()?).copied());
    let has_end = superiors.by_ref().take(by_code.len() + 1).any(|at| at.parent.is_none());
    Err(if has_end { RowError::TooDeep } else { RowError::Cycle })
}

#[cfg(test)]
mod tests;
