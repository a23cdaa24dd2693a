//! CSV files as rows of a command's arguments, whatever the kind of record. Outside input: every fault of every row is found before anything is sent,
//! and told with its line.

use std::collections::BTreeMap;

use heliu_client::schema::{Argument, ValueType};
use heliu_node::region::{self, RegionError};
use heliu_record::date;
use heliu_record::kind::Label;
use heliu_record::plain_text::{self, Hidden};
use heliu_record::seats::{Seat, Tier};
use heliu_trust::id::RealmId;

use super::form::Form;
use crate::text::{Say, nearest, say};

/// Larger files are to be split.
pub const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One line of a file, checked: arguments by name, those that name records still as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub line: u64,
    pub values: BTreeMap<String, String>,
    /// The place of the row that makes the parent of this one, where the file itself says which row that is.
    pub parent: Option<usize>,
}

/// A row that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    pub line: u64,
    pub reason: Say,
}

impl BadRow {
    /// One of which a single value is wrong.
    pub fn of(line: u64, column: &Argument, why: &Say) -> Self {
        let (name, label, Say { zh, en }) = (&column.name, &column.label.zh, why);
        BadRow { line, reason: say!("{label}:{zh}", "{name}: {en}") }
    }

    pub fn told(&self) -> Say {
        let (line, Say { zh, en }) = (self.line, &self.reason);
        say!("第 {line} 行:{zh}", "line {line}: {en}")
    }
}

/// What a file holds: the rows that can be taken as far as the file alone can say, and all that cannot.
#[derive(Debug, Default)]
pub struct Rows {
    pub good: Vec<Row>,
    pub bad: Vec<BadRow>,
}

pub fn read(form: &Form<'_>, bytes: &[u8]) -> Rows {
    read_table(form, bytes).unwrap_or_else(|bad| Rows { good: Vec::new(), bad })
}

/// Without a header that is right, no row can be read.
fn read_table(form: &Form<'_>, bytes: &[u8]) -> Result<Rows, Vec<BadRow>> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(vec![BadRow {
            line: 1,
            reason: say!(
                "文件超过 {FILE_BYTES_MAX} 字节,请拆开",
                "the file has more than {FILE_BYTES_MAX} bytes: split it"
            ),
        }]);
    }
    // Spreadsheets put a byte order mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).has_headers(false).trim(csv::Trim::All).from_reader(bytes);
    let mut records = reader.byte_records();
    let columns = match records.next() {
        Some(Ok(header)) => form.header(&header)?,
        Some(Err(error)) => return Err(vec![unreadable(&error)]),
        None => return Err(vec![BadRow { line: 1, reason: say!("文件是空的", "the file is empty") }]),
    };
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    let mut lines = Lines { bytes, at: 0, line: 1 };
    for record in records {
        match record {
            Ok(record) if record.iter().all(is_blank) => {}
            Ok(record) => {
                let line = lines.line_of(record.position().map_or(0, csv::Position::byte));
                match row(&columns, &record) {
                    Ok(values) => rows.push(Row { line, values, parent: None }),
                    Err(reasons) => bad.extend(reasons.into_iter().map(|reason| BadRow { line, reason })),
                }
            }
            Err(error) => bad.push(unreadable(&error)),
        }
    }
    bad.extend(twice(&rows, "member_no"));
    if rows.is_empty() && bad.is_empty() {
        bad.push(BadRow {
            line: 1,
            reason: say!("只有列名,没有数据行", "it has a line of column names and nothing else"),
        });
    }
    Ok(Rows { good: rows, bad })
}

/// Of whatever width its blanks are.
fn is_blank(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| text.trim().is_empty())
}

/// Lines by offset. The reader's own count is one behind where lines end in CRLF, as those of spreadsheets do.
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
        self.line += self.bytes[self.at..begin].iter().filter(|b| **b == b'\n').count() as u64;
        self.at = begin;
        self.line
    }
}

fn unreadable(error: &csv::Error) -> BadRow {
    let line = error.position().map_or(1, csv::Position::line);
    BadRow { line, reason: say!("不是合格的 CSV:{error}", "not valid CSV: {error}") }
}

/// Rows that share a number that only one may have.
fn twice(rows: &[Row], name: &str) -> Vec<BadRow> {
    let mut first: BTreeMap<&str, u64> = BTreeMap::new();
    let mut bad = Vec::new();
    for row in rows {
        let Some(number) = row.values.get(name) else { continue };
        let line = *first.entry(number).or_insert(row.line);
        if line != row.line {
            bad.push(BadRow {
                line: row.line,
                reason: say!("编号 {number} 在第 {line} 行已经有了", "{name} {number} is also on line {line}"),
            });
        }
    }
    bad
}

impl Form<'_> {
    /// The argument of each column.
    fn header(&self, header: &csv::ByteRecord) -> Result<Vec<&Argument>, Vec<BadRow>> {
        // In another encoding no name can be read, so which are missing cannot be said either.
        if header.iter().any(|name| std::str::from_utf8(name).is_err()) {
            return Err(vec![BadRow {
                line: 1,
                reason: say!(
                    "列名不是 UTF-8;在表格软件中请另存为“CSV UTF-8”",
                    "the column names are not UTF-8; save the sheet as \"CSV UTF-8\""
                ),
            }]);
        }
        let (mut columns, mut bad) = (Vec::new(), Vec::new());
        let mut fault = |reason: Say| bad.push(BadRow { line: 1, reason });
        for name in header {
            let name = String::from_utf8_lossy(name);
            let name = name.trim();
            match self.column(name) {
                Some(column) if columns.iter().any(|c: &&Argument| c.name == column.name) => {
                    fault(say!("列“{name}”出现了两次", "the column {name} is there twice"));
                }
                Some(column) => columns.push(column),
                None => fault(self.no_column(name)),
            }
        }
        for column in self.columns.iter().filter(|column| column.required) {
            if !columns.iter().any(|given| given.name == column.name) {
                let (name, label) = (&column.name, &column.label.zh);
                fault(say!("缺少必填的列“{label}”", "the required column {name} is missing"));
            }
        }
        if bad.is_empty() { Ok(columns) } else { Err(bad) }
    }

    fn no_column(&self, name: &str) -> Say {
        let called = self.columns.iter().flat_map(|column| [&*column.name, &*column.label.zh, &*column.label.en]);
        match nearest(name, called) {
            Some(near) => say!("没有列“{name}”;是不是 {near}?", "there is no column {name:?}; did you mean {near}?"),
            None => {
                let labels = self.columns.iter().map(|column| &*column.label.zh).collect::<Vec<_>>().join("、");
                let known = self.columns.iter().map(|column| &*column.name).collect::<Vec<_>>().join(", ");
                say!("没有列“{name}”;可用的列:{labels}", "there is no column {name:?}; the columns are: {known}")
            }
        }
    }
}

fn row(columns: &[&Argument], record: &csv::ByteRecord) -> Result<BTreeMap<String, String>, Vec<Say>> {
    let (found, wanted) = (record.len(), columns.len());
    if found != wanted {
        return Err(vec![say!(
            "有 {found} 个值,而列名有 {wanted} 个",
            "it has {found} values, and there are {wanted} columns"
        )]);
    }
    let (mut values, mut faults) = (BTreeMap::new(), Vec::new());
    for (column, bytes) in columns.iter().zip(record) {
        match value(column, bytes) {
            Ok(Some(value)) => {
                values.insert(column.name.clone(), value);
            }
            Ok(None) if column.required => {
                let (name, label) = (&column.name, &column.label.zh);
                faults.push(say!("{label}是空的,而它必填", "{name} is empty, and it is required"));
            }
            Ok(None) => {}
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(faults) }
}

/// A value in the form in which the command takes it; none for an empty or blank one.
fn value(column: &Argument, bytes: &[u8]) -> Result<Option<String>, Say> {
    let (name, label) = (&column.name, &column.label.zh);
    let text = std::str::from_utf8(bytes).map_err(|_| {
        say!(
            "{label}不是 UTF-8 文字;在表格软件中请另存为“CSV UTF-8”",
            "{name} is not UTF-8 text; save the sheet as \"CSV UTF-8\""
        )
    })?;
    // Texts that a command would refuse are refused here, before anything is sent.
    let text = plain_text::normal(text).map_err(|hidden| {
        let (Hidden { place, .. }, sort) = (hidden, hidden.sort());
        let Label { zh, en } = sort;
        say!(
            "{label}的第 {place} 个字符是{zh}({hidden}),请删去",
            "character {place} of {name} is {en} ({hidden}): take it out"
        )
    })?;
    let parts = parts(column, &text).map(|text| one(column, text)).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(parts.join(",")).filter(|text| !text.is_empty()))
}

/// The values of a list, else the one value.
pub fn parts<'t>(column: &Argument, text: &'t str) -> impl Iterator<Item = &'t str> {
    let separator = if column.many { ',' } else { '\0' };
    text.split(separator).map(str::trim).filter(|part| !part.is_empty())
}

/// A choice may be given by what people read for it: 正式党员 is `full`.
fn one<'v>(column: &'v Argument, text: &'v str) -> Result<&'v str, Say> {
    let text = match &column.value {
        ValueType::Choice(choices) => {
            choices.iter().find(|choice| choice.label.is(text)).map_or(text, |choice| choice.name.as_str())
        }
        _ => text,
    };
    if fits(&column.value, text) {
        return Ok(text);
    }
    // A refusal may be kept in a log, so it never has a value that is to be sealed: the line says which one it is.
    let shown: String = if column.sealed { "…".to_owned() } else { text.chars().take(40).collect() };
    let (name, label) = (&column.name, &column.label.zh);
    let heliu_client::schema::SchemaLabel { zh, en } = &column.expects;
    Err(say!("{label}不能是“{shown}”,应为:{zh}", "{name} cannot be {shown:?}; it takes {en}"))
}

/// Whether a text can be a value, as far as it can be told here. The node judges it once more.
fn fits(value: &ValueType, text: &str) -> bool {
    match value {
        ValueType::Text { chars_max } => text.chars().count() <= *chars_max as usize,
        ValueType::Date => date::is_date(text),
        ValueType::Int => text.parse::<i64>().is_ok(),
        ValueType::Bool => ["true", "yes", "是", "false", "no", "否"].contains(&text),
        ValueType::Choice(choices) => choices.iter().any(|choice| choice.name == text),
        // Which one it is, is looked up later.
        ValueType::Seat | ValueType::Record(_) | ValueType::Unit(_) | ValueType::Other => true,
    }
}

/// Organisations for the seats of a region file: a committee for county and townships, a branch for each village. The
/// parent is the row of the seat above.
pub fn orgs_of(bytes: &[u8]) -> Result<Vec<Row>, RegionError> {
    let seats = region::parse_with_lines(&RealmId([0; 16]), bytes)?;
    let places: BTreeMap<_, usize> = seats.iter().map(|(_, seat)| seat.id).zip(0..).collect();
    let row = |(line, seat): &(usize, Seat)| {
        let village = seat.tier == Tier::Village;
        let suffix = if village { "党支部" } else { "党委" };
        let mut values = BTreeMap::from([
            ("name".to_owned(), format!("{}{suffix}", without_committee(&seat.name))),
            ("seat".to_owned(), seat.code.clone()),
            ("level".to_owned(), if village { "branch" } else { "committee" }.to_owned()),
        ]);
        if village {
            values.insert("org_kind".to_owned(), "village".to_owned());
        }
        let parent = seat.parent.and_then(|parent| places.get(&parent).copied());
        if let Some((_, above)) = parent.and_then(|parent| seats.get(parent)) {
            values.insert("parent_org".to_owned(), above.code.clone());
        }
        Row { line: *line as u64, values, parent }
    };
    Ok(seats.iter().map(row).collect())
}

/// 大王庄村村民委员会 is a villagers' committee; the branch is that of 大王庄村.
fn without_committee(name: &str) -> &str {
    let place = name.strip_suffix("村民委员会").or_else(|| name.strip_suffix("居民委员会"));
    place.filter(|place| !place.is_empty()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::served;

    /// Rows of members, by what a node of this program declares.
    fn read(file: &[u8]) -> Rows {
        super::read(&Form::of(&served::schema(), "members").expect("it is declared"), file)
    }

    fn faults(file: &[u8]) -> Vec<(u64, String)> {
        let mut bad = read(file).bad;
        bad.sort_by_key(|row| row.line);
        bad.into_iter().map(|row| (row.line, row.reason.en)).collect()
    }

    #[test]
    fn columns_are_named_in_english_or_chinese_and_in_any_order() {
        let file = "\u{feff}所在支部,姓名,stage,joined_on\r\n371726101201,测试甲0001,full,2001-07-01\r\n\r\nb,乙,,\r\n";
        let rows = read(file.as_bytes()).good;
        assert_eq!((rows.len(), rows[1].line), (2, 4));
        assert_eq!(
            (rows[0].line, rows[0].values["name"].as_str(), rows[0].values["branch"].as_str()),
            (2, "测试甲0001", "371726101201")
        );
    }

    #[test]
    fn a_state_may_be_given_by_its_chinese_name() {
        let schema = served::schema();
        let stage = schema.kind("member").and_then(|kind| kind.field("stage")).expect("it is declared");
        let label = &stage.state("probationary").expect("it is declared").label.zh;
        let file = format!("name,branch,stage\n甲,x,{label}\n");
        assert_eq!(read(file.as_bytes()).good[0].values["stage"], "probationary");
    }

    #[test]
    fn every_bad_row_is_told_with_its_line_and_reason() {
        let file = "name,branch,member_no,joined_on,stage\n\
                    甲,b,1,2001-07-01,full\n\
                    乙,b,2,2001-13-01,full\n\
                    丙,b\n\
                    ,b,3,,\n\
                    丁,b,1,,wizard\n\
                    \"戊\n己\",b,,,\n\
                    庚,b,1,,\n";
        let told = faults(file.as_bytes());
        let lines: Vec<u64> = told.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 4, 5, 6, 7, 9], "{told:?}");
        assert!(told[0].1.contains("joined_on cannot be \"2001-13-01\""), "{told:?}");
        assert!(told[1].1.contains("it has 2 values, and there are 5 columns"), "{told:?}");
        assert!(told[2].1.contains("name is empty"), "{told:?}");
        assert!(told[3].1.contains("stage cannot be \"wizard\"; it takes one of: applicant"), "{told:?}");
        assert!(told[5].1.contains("member_no 1 is also on line 2"), "{told:?}");
    }

    #[test]
    fn a_wrong_header_is_told_with_the_nearest_column() {
        let told = faults(b"name,brnch,joined_on,joined_on\n");
        assert!(told.iter().any(|(line, reason)| *line == 1 && reason.contains("did you mean branch?")), "{told:?}");
        assert!(told.iter().any(|(_, reason)| reason.contains("twice")), "{told:?}");
        assert!(told.iter().any(|(_, reason)| reason.contains("required column branch")), "{told:?}");
    }

    #[test]
    fn a_file_in_another_encoding_says_how_to_save_it() {
        // 姓名 in GBK, as spreadsheets in China like to save it.
        assert!(faults(b"\xd0\xd5\xc3\xfb,branch\n")[0].1.contains("CSV UTF-8"));
        let told = faults(b"\xd0\xd5\xc3\xfb,\xcb\xf9\xd4\xda\xd6\xa7\xb2\xbf\n");
        assert_eq!(told.len(), 1, "it is said once, and nothing is guessed of columns: {told:?}");
        assert!(faults(b"name,branch\n\xd0\xd5\xc3\xfb,b\n")[0].1.contains("CSV UTF-8"));
        assert!(faults(b"")[0].1.contains("empty"));
        assert!(faults(b"name,branch\n")[0].1.contains("nothing else"));
    }

    #[test]
    fn a_name_of_blanks_and_hidden_characters_are_found_before_anything_is_sent() {
        let blank = "name,branch,member_no\n甲一,371726101201,A001\n　,371726101201,A003\n".as_bytes();
        assert_eq!(faults(blank), [(3, "name is empty, and it is required".to_owned())]);
        let unseen = "name,branch,member_no\n赵六,b,D001\n赵六　,b,D001 \n赵\u{200b}六,b,D\u{200b}001\n\u{feff}赵六,b,D002\nJose\u{301},b,\n";
        let told = faults(unseen.as_bytes());
        assert!(told[0].0 == 3 && told[0].1.contains("member_no D001 is also on line 2"), "{told:?}");
        assert!(
            told[1].0 == 4 && told[1].1.contains("character 2 of name is") && told[1].1.contains("U+200B"),
            "{told:?}"
        );
        assert!(told[3].0 == 5 && told[3].1.contains("U+FEFF"), "{told:?}");
        assert_eq!(told.len(), 4, "{told:?}");
        let good = read("name,branch\n Jose\u{301}　,b\n　,　\n".as_bytes());
        assert_eq!((good.good.len(), good.good[0].values["name"].as_str()), (1, "Jos\u{e9}"));
    }

    #[test]
    fn a_region_file_gives_one_organisation_per_seat_each_after_its_parent() {
        let file =
            b"code,name,parent_code\n371726000000,C,\n371726101000,T,371726000000\n371726101201,V,371726101000\n";
        let rows = orgs_of(file).expect("it reads");
        assert_eq!(rows.len(), 3);
        assert_eq!(
            (rows[2].values["parent_org"].as_str(), rows[2].values["level"].as_str()),
            ("371726101000", "branch")
        );
    }
    #[test]
    fn organisations_of_a_region_file_keep_the_lines_of_the_file() {
        let file = "code,name,parent_code\r\n371726101201,甲村,371726101000\r\n\r\n\"371726101000\",什集镇,371726000000\n371726000000,鄄城县,\n";
        let rows = orgs_of(file.as_bytes()).expect("it is one");
        let lines: Vec<(&str, u64)> = rows.iter().map(|row| (row.values["seat"].as_str(), row.line)).collect();
        assert_eq!(lines, [("371726000000", 5), ("371726101000", 4), ("371726101201", 2)]);
    }
}
