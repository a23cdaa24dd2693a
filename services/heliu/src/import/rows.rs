//! Lines of a table as rows of a command's arguments, whatever the kind of record. Outside input: every fault of every row is told
//! with its line and column, and what is right is in the form in which the command takes it.

use std::collections::BTreeMap;

use heliu_client::schema::{Argument, SchemaLabel, ValueType};
use heliu_node::region::{self, RegionError};
use heliu_record::date;
use heliu_record::seats::{Seat, Tier};
use heliu_trust::id::RealmId;

pub use super::bad_row::BadRow;
use super::form::Columns;
use super::heading::{Heading, Place};
use crate::reading::Line;
use crate::reading::cell::{Cell, narrow_all, unspread};
use crate::reading::dates::{self, Meant};
use crate::text::{Say, say};

/// One line of a file, checked: arguments by name, those that name records still as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub line: u64,
    pub values: BTreeMap<String, String>,
    /// The place of the row that makes the parent of this one, where the file itself says which row that is.
    pub parent: Option<usize>,
}

impl Row {
    pub fn name(&self) -> &str {
        self.values.get("name").map_or("", String::as_str)
    }
}

/// How the lines of one file are read.
pub struct Reading<'f> {
    pub columns: &'f Columns,
    pub heading: Heading,
    pub meant: Meant,
}

impl Reading<'_> {
    /// The row of a line below the heading; none for one that says nothing in any column that is read.
    pub fn row(&self, line: &Line) -> Result<Option<Row>, Vec<BadRow>> {
        let places = &self.heading.places;
        if line.line <= self.heading.line || self.is_blank(line) {
            return Ok(None);
        }
        let mut bad = Vec::new();
        if let Some(width) = line.width.filter(|width| *width < places.len()) {
            let wanted = places.len();
            let few =
                say!("有 {width} 个值,而列名有 {wanted} 个", "it has {width} values, and there are {wanted} columns");
            return Err(vec![BadRow::whole(line.line, few)]);
        }
        for (at, _) in line.cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            if matches!(places.get(at), None | Some(Place::Nameless)) {
                let number = at + 1;
                bad.push(BadRow::whole(
                    line.line,
                    say!("第 {number} 列有值而没有列名", "there is a value in column {number}, which has no name"),
                ));
            }
        }
        let mut values = BTreeMap::new();
        for (at, place) in places.iter().enumerate() {
            let Place::Column(place) = place else { continue };
            let column = &self.columns[*place];
            match value(column, line.cells.get(at).unwrap_or(&Cell::Empty), &self.meant) {
                Ok(Some(value)) => {
                    values.insert(column.name.clone(), value);
                }
                Ok(None) if column.required => {
                    bad.push(BadRow::of(line.line, column, say!("是空的,而它必填", "it is empty, and it is required")));
                }
                Ok(None) => {}
                Err(why) => bad.push(BadRow::of(line.line, column, why)),
            }
        }
        if bad.is_empty() { Ok(Some(Row { line: line.line, values, parent: None })) } else { Err(bad) }
    }

    /// Blank lines may have a number in front.
    fn is_blank(&self, line: &Line) -> bool {
        let is_read = |at: usize| self.heading.places.get(at) != Some(&Place::Skipped);
        line.cells.iter().enumerate().all(|(at, cell)| cell.is_empty() || !is_read(at))
    }
}

/// A value in the form in which the command takes it; none for an empty or blank one.
fn value(column: &Argument, cell: &Cell, meant: &Meant) -> Result<Option<String>, Say> {
    if cell.is_empty() {
        return Ok(None);
    }
    if column.value == ValueType::Date {
        return dates::read(cell, meant).map(Some).map_err(|Say { zh, en }| match shown(column, cell) {
            None => Say { zh, en },
            Some(shown) => say!("“{shown}”:{zh}", "{shown:?}: {en}"),
        });
    }
    let text = cell.text()?;
    let parts = parts(column, &text).map(|text| one(column, text)).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(parts.join(",")).filter(|text| !text.is_empty()))
}

/// What a refusal repeats of a value. It may be kept in a log, so it never has one that is to be sealed: the line says which it is.
fn shown(column: &Argument, cell: &Cell) -> Option<String> {
    let text = cell.text().ok()?;
    (!column.sealed).then(|| text.chars().take(40).collect())
}

/// The values of a list, else the one value.
pub fn parts<'t>(column: &Argument, text: &'t str) -> impl Iterator<Item = &'t str> {
    let is_list = column.many;
    text.split(move |c: char| is_list && [',', '\u{ff0c}', '\u{3001}', ';', '\u{ff1b}'].contains(&c))
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

/// A choice may be given by what people read for it, or the beginning of that: 正式党员 and 正式 are `full`.
fn one(column: &Argument, text: &str) -> Result<String, Say> {
    let text = match &column.value {
        ValueType::Choice(choices) => {
            let is_begin = |label: &SchemaLabel| text.chars().nth(1).is_some() && label.zh.starts_with(text);
            let mut beginning = choices.iter().filter(|choice| is_begin(&choice.label));
            let only = beginning.next().filter(|_| beginning.next().is_none());
            let found = choices.iter().find(|choice| choice.label.is(text)).or(only);
            found.map_or(text.to_owned(), |choice| choice.name.clone())
        }
        // Names may be spread, and are looked for as they are without it.
        ValueType::Seat | ValueType::Record(_) | ValueType::Unit(_) => unspread(text),
        ValueType::Text { .. } if column.name == "name" => unspread(text),
        ValueType::Int => narrow_all(text),
        _ => text.to_owned(),
    };
    if fits(&column.value, &text) {
        return Ok(text);
    }
    let shown: String = if column.sealed { "…".to_owned() } else { text.chars().take(40).collect() };
    let SchemaLabel { zh, en } = &column.expects;
    Err(say!("不能是“{shown}”,应为:{zh}", "it cannot be {shown:?}; it takes {en}"))
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
    use super::super::form::Form;
    use super::super::source::{How, Source};
    use super::*;
    use crate::cli::DayOfMonth;
    use crate::served;

    /// What the lines of a file come to, by what a node of this program declares of members.
    async fn read_so(file: &str, how: &How) -> (Vec<Row>, Vec<BadRow>) {
        let schema = served::schema();
        let form = Form::of(&schema, "members").expect("it is declared");
        let source = match Source::open(&form.columns, false, file.as_bytes().to_vec(), how) {
            Ok(source) => source,
            Err(bad) => return (Vec::new(), bad),
        };
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        let read = source.each(async |(rows, faults)| {
            good.extend(rows);
            bad.extend(faults);
            Ok(())
        });
        read.await.expect("it is read");
        (good, bad)
    }

    async fn read(file: &str) -> Vec<Row> {
        let (good, bad) = read_so(file, &How::default()).await;
        assert!(bad.is_empty(), "{bad:?}");
        good
    }

    async fn faults(file: &str) -> Vec<(u64, String)> {
        let (_, mut bad) = read_so(file, &How::default()).await;
        bad.sort_by_key(|row| row.line);
        bad.into_iter().map(|row| (row.line, row.why().en)).collect()
    }

    #[tokio::test]
    async fn a_title_may_stand_above_the_heading_which_names_columns_in_either_language_or_as_clerks_do() {
        let plain =
            read("\u{feff}所在支部,姓名,stage,joined_on\r\n371726101201,测试甲0001,full,2001-07-01\r\n\r\nb,乙,,\r\n")
                .await;
        assert_eq!((plain.len(), plain[0].line, plain[1].line), (2, 2, 4));
        let file = "什集镇党员花名册,,,,\n填报单位:什集镇,,,,2026年\n\n序号,\"党员\n姓名*\",党支部,入党时间(年月日),党员类别\n1,赵 六,甲村,1998.7.1,正式\n2,,,,\n3,钱七,乙村,１９９８年７月１日,预备党员\n";
        let rows = read(file).await;
        let said = |row: &Row| ["name", "branch", "joined_on", "stage"].map(|name| row.values[name].clone()).join(" ");
        assert_eq!(
            rows.iter().map(said).collect::<Vec<_>>(),
            ["赵六 甲村 1998-07-01 full", "钱七 乙村 1998-07-01 probationary"]
        );
        assert_eq!((rows[0].line, rows[1].line), (6, 8), "the heading has two lines");
    }

    #[tokio::test]
    async fn every_bad_row_is_told_with_its_line_and_column() {
        let told = faults(
            "name,branch,member_no,joined_on,stage\n甲,b,1,2001-07-01,full\n乙,b,2,2001-13-01,full\n丙,b\n,b,3,,\n丁,b,1,,wizard\n\"戊\n己\",b,,,\n",
        )
        .await;
        let lines: Vec<u64> = told.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 4, 5, 6, 7], "{told:?}");
        assert!(told[0].1.contains("joined_on: \"2001-13-01\": there is no such day"), "{told:?}");
        assert!(told[1].1.contains("it has 2 values, and there are 5 columns"), "{told:?}");
        assert!(told[2].1.contains("name: it is empty"), "{told:?}");
        assert!(told[3].1.contains("stage: it cannot be \"wizard\"; it takes one of: applicant"), "{told:?}");
        assert!(told[4].1.contains("line break"), "{told:?}");
        assert!(faults("name,branch\n").await.is_empty());
    }

    #[tokio::test]
    async fn of_what_is_to_be_sealed_no_fault_repeats_anything() {
        let told = faults("name,branch,birth_date,person_digest\n甲,b,85/07/15,371726198507150018371726198507150018371726198507150018371726198507150018\n").await;
        assert!(
            told.len() == 2 && !format!("{told:?}").contains("85/07") && !format!("{told:?}").contains("3717"),
            "{told:?}"
        );
    }

    #[tokio::test]
    async fn a_wrong_heading_is_told_with_the_nearest_column_and_may_be_left_out() {
        let told = faults("name,brnch,joined_on,joined_on\n").await;
        assert!(told.iter().any(|(line, reason)| *line == 1 && reason.contains("did you mean branch?")), "{told:?}");
        assert!(told.iter().any(|(_, reason)| reason.contains("twice")), "{told:?}");
        assert!(told.iter().any(|(_, reason)| reason.contains("required column branch")), "{told:?}");
        let how = How { skips_unknown: true, ..How::default() };
        let (good, bad) = read_so("name,备注,branch\n甲,x,b\n", &how).await;
        assert!(bad.is_empty() && good[0].values.len() == 2, "{bad:?}");
    }

    #[tokio::test]
    async fn a_month_alone_is_asked_about_and_what_is_meant_may_be_said() {
        let file = "name,branch,joined_on\n日期2,b,1985年7月\n日期8,b,15/05/20\n";
        let told = faults(file).await;
        assert!(told[0].1.contains("--month") && told[1].1.contains("--years-from"), "{told:?}");
        let meant = Meant { month: Some(DayOfMonth::First), years_from: Some(1930) };
        let (good, bad) = read_so(file, &How { meant, ..How::default() }).await;
        assert!(bad.is_empty(), "{bad:?}");
        assert_eq!([&good[0].values["joined_on"], &good[1].values["joined_on"]], ["1985-07-01", "2015-05-20"]);
    }

    #[test]
    fn a_region_file_gives_one_organisation_per_seat_each_after_its_parent_with_the_lines_of_the_file() {
        let file = "code,name,parent_code\r\n371726101201,甲村村民委员会,371726101000\r\n\r\n\"371726101000\",什集镇,371726000000\n371726000000,鄄城县,\n";
        let rows = orgs_of(file.as_bytes()).expect("it is one");
        let lines: Vec<(&str, u64)> = rows.iter().map(|row| (row.values["seat"].as_str(), row.line)).collect();
        assert_eq!(lines, [("371726000000", 5), ("371726101000", 4), ("371726101201", 2)]);
        assert_eq!(
            (rows[2].values["parent_org"].as_str(), rows[2].values["level"].as_str(), rows[2].name()),
            ("371726101000", "branch", "甲村党支部")
        );
    }
}
