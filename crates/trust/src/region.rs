//! Region files: a county's administrative divisions as they come from the statistics office, made into seats. Outside
//! input: bounded, and every bad row is reported at once, so that a deployer corrects the file in one go.

use std::collections::BTreeMap;

use heliu_record::id::SeatId;
use heliu_record::plain_text;
use heliu_record::seats::{Seat, Seats, Tier};

use crate::directory::limits::NAME_BYTES;
use crate::id::{RealmId, seat_id};

pub const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// As many as one directory entry takes.
pub const ROWS_MAX: usize = crate::directory::limits::ITEMS;

const HEADER: [&str; 3] = ["code", "name", "parent_code"];
/// By depth in the tree. Codes hint at tiers by their zeros, but real files have villages under a county's own hand.
const TIERS: [Tier; 3] = [Tier::County, Tier::Township, Tier::Village];

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegionError {
    #[error("the file has {0} bytes, more than {FILE_BYTES_MAX}")]
    TooLong(usize),
    #[error("the file has more than {ROWS_MAX} rows")]
    TooManyRows,
    #[error("the first line is not \"code,name,parent_code\"")]
    Header,
    #[error("no row is without a parent, so there is no county")]
    NoCounty,
    #[error("{} rows are not right; line {}: {}", .0.len(), .0[0].line, .0[0].reason)]
    Rows(Vec<BadRow>),
}

/// A row that cannot be taken, by its line in the file (the header is line 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    pub line: usize,
    pub reason: RowError,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    #[error("it is not UTF-8 text")]
    NotUtf8,
    #[error("it does not have the three fields code, name, parent_code")]
    Fields,
    #[error("{0:?} is not a code of 12 digits")]
    Code(String),
    #[error("the name is empty, too long, or has control characters or others that show nothing")]
    Name,
    #[error("code {code} is also on line {line}")]
    CodeTwice { code: String, line: usize },
    #[error("its parent {0} is not in the file")]
    NoParent(String),
    #[error("it has no parent, but the county is on line {line}")]
    SecondCounty { line: usize },
    #[error("its superiors do not lead to the county")]
    Cycle,
    #[error("it is below a village")]
    TooDeep,
}

struct Row {
    line: usize,
    code: String,
    name: String,
    parent: Option<String>,
}

/// Reads a file with the columns code, name, parent_code; the row without a parent is the county. Superiors come before
/// their subordinates, otherwise the order is the file's.
pub fn parse(realm: &RealmId, bytes: &[u8]) -> Result<Vec<Seat>, RegionError> {
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
        return Err(RegionError::TooLong(bytes.len()));
    }
    // Spreadsheets put a byte order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut lines = (1..).zip(bytes.split(|b| *b == b'\n')).filter(|(_, line)| !line.trim_ascii().is_empty());
    match lines.next().map(|(_, line)| split(line)) {
        Some(Ok(fields)) if fields == HEADER => {}
        _ => return Err(RegionError::Header),
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

/// A name may stand in quotes; a comma or a quote in it then stays.
fn split(line: &[u8]) -> Result<Vec<String>, RowError> {
    let text = std::str::from_utf8(line).map_err(|_| RowError::NotUtf8)?;
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = text.trim_end_matches('\r').chars().peekable();
    while let Some(character) = characters.next() {
        let field = fields.last_mut().ok_or(RowError::Fields)?;
        match character {
            '"' if quoted && characters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => field.push(other),
        }
    }
    if quoted { Err(RowError::Fields) } else { Ok(fields.iter().map(|field| field.trim().to_owned()).collect()) }
}

fn read_row(line: usize, text: &[u8]) -> Result<Row, RowError> {
    let [code, name, parent] = <[String; 3]>::try_from(split(text)?).map_err(|_| RowError::Fields)?;
    let code = check_code(code)?;
    let parent = if parent.is_empty() { None } else { Some(check_code(parent)?) };
    let name = plain_text::normal(&name).map_err(|_| RowError::Name)?;
    if name.is_empty() || name.len() > NAME_BYTES {
        return Err(RowError::Name);
    }
    Ok(Row { line, code, name: name.into_owned(), parent })
}

fn check_code(code: String) -> Result<String, RowError> {
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

fn grow(realm: &RealmId, rows: &[Row], by_code: &BTreeMap<&str, &Row>, bad: &mut Vec<BadRow>) -> Vec<Seat> {
    let county = rows.iter().find(|row| row.parent.is_none());
    let mut by_depth: [Vec<Seat>; TIERS.len()] = Default::default();
    for row in rows {
        match depth(row, county, by_code) {
            Ok(Some(depth)) => by_depth[depth].push(Seat {
                id: seat_id(realm, &row.code),
                code: row.code.clone(),
                name: row.name.clone(),
                parent: row.parent.as_ref().map(|code| seat_id(realm, code)),
                tier: TIERS[depth],
            }),
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
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const REALM: RealmId = RealmId([7; 16]);

    fn parse_text(rows: &str) -> Result<Vec<Seat>, RegionError> {
        parse(&REALM, format!("code,name,parent_code\n{rows}").as_bytes())
    }

    fn bad_rows(rows: &str) -> Vec<(usize, RowError)> {
        match parse_text(rows) {
            Err(RegionError::Rows(bad)) => bad.into_iter().map(|row| (row.line, row.reason)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn seats_are_added_to_a_tree_in_any_order_and_every_bad_row_is_told() {
        let mut tree = Seats::default();
        parse_text("371726000000,县,\n371726101000,镇,371726000000").expect("it is good").into_iter().for_each(
            |seat| {
                tree.add(seat).expect("it is new");
            },
        );
        let more = |rows: &str| parse_more(&REALM, format!("code,name,parent_code\n{rows}").as_bytes(), &tree);
        let rows = "371726102201,新村,371726102000\n371726102000,新镇,371726000000\n371726101202,乙村,371726101000";
        let added = more(rows).expect("it is good");
        assert_eq!((count(&added, Tier::Township), count(&added, Tier::Village)), (1, 2));
        let bad = more("371726103201,孤村,371726103000\n371726000001,县二,\n371726101203,丙,371726101000");
        assert!(matches!(&bad, Err(RegionError::Rows(bad)) if bad.len() == 2), "{bad:?}");
    }

    fn count(seats: &[Seat], tier: Tier) -> usize {
        seats.iter().filter(|seat| seat.tier == tier).count()
    }

    #[test]
    fn the_two_real_counties_become_trees() {
        let juancheng = parse(&REALM, include_bytes!("../data/regions/371726.csv")).expect("reads");
        assert_eq!(
            [Tier::County, Tier::Township, Tier::Village].map(|tier| count(&juancheng, tier)),
            [1, 17, 391],
            "鄄城县"
        );
        let wuxing = parse(&REALM, include_bytes!("../data/regions/330502.csv")).expect("reads");
        assert_eq!((wuxing[0].name.as_str(), wuxing.len()), ("吴兴区", 387));
        for seats in [juancheng, wuxing] {
            let mut before = BTreeSet::new();
            for seat in &seats {
                assert!(seat.parent.is_none_or(|parent| before.contains(&parent)), "parents first: {seat:?}");
                before.insert(seat.id);
            }
        }
    }

    #[test]
    fn villages_may_come_before_their_township() {
        let file = "371726101201,甲村,371726101000\n371726101000,什集镇,371726000000\n371726000000,鄄城县,\n";
        let names: Vec<String> = parse_text(file).expect("reads").into_iter().map(|seat| seat.name).collect();
        assert_eq!(names, ["鄄城县", "什集镇", "甲村"]);
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let file = "\u{feff}code,name,parent_code\r\n371726000000,\"Juancheng, \"\"Heze\"\"\",\r\n\r\n";
        assert_eq!(parse(&REALM, file.as_bytes()).expect("reads")[0].name, "Juancheng, \"Heze\"");
    }

    #[test]
    fn every_bad_row_is_told_with_its_line() {
        let bad = bad_rows(
            "371726000000,鄄城县,\n\
             371726101000,什集镇,371726000000\n\
             371726101000,什集镇又,371726000000\n\
             37172610,短,371726000000\n\
             371726102000,,371726000000\n\
             371726103000,孤儿,371799000000\n\
             371726103201,孤儿之子,371726103000\n\
             371727000000,外县,\n\
             371726104000,缺列\n\
             371726105000,\"未闭合,371726000000\n\
             371726101201,甲村,371726101000\n\
             371726101299,太深,371726101201\n",
        );
        let lines: Vec<usize> = bad.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [4, 5, 6, 7, 9, 10, 11, 13], "{bad:?}");
        assert_eq!(bad[0].1, RowError::CodeTwice { code: "371726101000".to_owned(), line: 3 });
        assert_eq!(bad[4].1, RowError::SecondCounty { line: 2 });
        assert_eq!(bad[7].1, RowError::TooDeep);
    }

    #[test]
    fn a_circle_is_not_a_tree() {
        let circle = "371726000000,县,\n371726101000,甲,371726102000\n371726102000,乙,371726101000\n";
        assert_eq!(bad_rows(circle), [(3, RowError::Cycle), (4, RowError::Cycle)]);
    }

    #[test]
    fn hostile_files_are_refused_early() {
        assert_eq!(parse(&REALM, b"\xff\xfe"), Err(RegionError::Header));
        assert_eq!(parse_text(""), Err(RegionError::NoCounty));
        assert_eq!(parse_text(&"x\n".repeat(ROWS_MAX + 1)), Err(RegionError::TooManyRows));
        assert_eq!(parse(&REALM, &vec![b'x'; FILE_BYTES_MAX + 1]), Err(RegionError::TooLong(FILE_BYTES_MAX + 1)));
        assert_eq!(bad_rows("371726000000,\u{7},"), [(2, RowError::Name)]);
    }
}
