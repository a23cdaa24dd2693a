//! What the values of rows stand for that name a record or a seat: among what the node knows, and what earlier rows make. Asks
//! the node before anything is sent.

use std::collections::{BTreeMap, BTreeSet};

use heliu_client::schema::{Argument, Kind, ValueType};
use heliu_client::{Client, Schema};

use super::form::Form;
use super::held::Held;
use super::rows::{BadRow, Row, parts};
use super::sending::{Reference, References};
use crate::failure::Failure;
use crate::text::{Say, say};

/// What a node knows that rows may name.
#[derive(Debug, Default)]
pub struct Known {
    /// By kind: of those that a column names.
    held: BTreeMap<String, Held>,
    seats: Seats,
}

/// The codes of seats, by code, id and name.
#[derive(Debug, Default)]
struct Seats(BTreeMap<String, Vec<String>>);

/// What a row makes, as later rows may call it.
#[derive(Clone, Debug)]
struct Earlier<'r> {
    place: usize,
    line: u64,
    name: &'r str,
    /// The region code of the row's seat, if the row says one.
    code: Option<String>,
}

impl Known {
    /// What the node knows of all that these rows name.
    pub async fn of(client: &Client, schema: &Schema, form: &Form<'_>, rows: &[Row]) -> Result<Self, Failure> {
        let mut known = Known::default();
        let mut texts: BTreeMap<&str, (&Kind, BTreeSet<&str>)> = BTreeMap::new();
        for column in &form.columns {
            let Some(kind) = named(schema, column) else { continue };
            let (_, texts) = texts.entry(&kind.name).or_insert((kind, BTreeSet::new()));
            texts.extend(
                rows.iter().filter_map(|row| row.values.get(&column.name)).flat_map(|text| parts(column, text)),
            );
        }
        for (name, (kind, texts)) in texts {
            known.held.insert(name.to_owned(), Held::of(client, kind, &texts).await?);
        }
        for seat in client.seats().await? {
            known.seats.enter(&seat.code, &seat.id, &seat.name);
        }
        Ok(known)
    }

    /// What one value stands for.
    fn meant(&self, value: &ValueType, text: &str, earlier: &[Earlier<'_>]) -> Result<Reference, Say> {
        match value {
            ValueType::Seat => self.seats.find(text).map(|code| Reference::Known(code.to_owned())),
            ValueType::Unit(_) if self.seats.find(text).is_ok_and(|code| code == text) => {
                Ok(Reference::Known(text.to_owned()))
            }
            ValueType::Record(kind) | ValueType::Unit(kind) => match self.held.get(kind) {
                Some(held) => one_of(held, text, earlier),
                // The node judges it.
                None => Ok(Reference::Known(text.to_owned())),
            },
            _ => Ok(Reference::Known(text.to_owned())),
        }
    }
}

impl Seats {
    fn enter(&mut self, code: &str, id: &str, name: &str) {
        for called in [code, id, name] {
            self.0.entry(called.to_owned()).or_default().push(code.to_owned());
        }
    }

    fn find(&self, text: &str) -> Result<&str, Say> {
        match self.0.get(text).map(Vec::as_slice) {
            None | Some([]) => Err(say!("名录中没有席位 {text}", "the node's directory has no seat {text}")),
            Some([code]) => Ok(code),
            Some(many) => {
                let (count, codes) = (many.len(), many.iter().take(3).cloned().collect::<Vec<_>>().join(", "));
                Err(say!(
                    "“{text}”可指 {count} 个席位({codes}…),请写区划代码",
                    "{text:?} could be {count} seats ({codes}...): give the region code"
                ))
            }
        }
    }
}

/// The kind of record that a column names.
fn named<'s>(schema: &'s Schema, column: &Argument) -> Option<&'s Kind> {
    match &column.value {
        ValueType::Record(kind) | ValueType::Unit(kind) => schema.kind(kind),
        _ => None,
    }
}

/// What each row's references stand for, and the rows that name what there is not, or what could be several. A row may
/// name a record that an earlier one makes, by name or seat.
pub fn refer(form: &Form<'_>, rows: &[Row], known: &Known) -> (Vec<References>, Vec<BadRow>) {
    let names = |value: &ValueType| matches!(value, ValueType::Seat | ValueType::Record(_) | ValueType::Unit(_));
    let naming: Vec<&Argument> = form.columns.iter().filter(|column| names(&column.value)).collect();
    let (mut all, mut bad) = (Vec::new(), Vec::new());
    let mut made: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut earlier: Vec<Earlier<'_>> = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        let mut references = References::new();
        for column in &naming {
            let Some(text) = row.values.get(&column.name) else { continue };
            let of_this_kind = is_of(&column.value, form.kind);
            if let Some(parent) = row.parent.filter(|_| of_this_kind) {
                references.insert(column.name.clone(), vec![Reference::Row(parent)]);
                continue;
            }
            let mut meant = Vec::new();
            for part in parts(column, text) {
                let rows = made.get(part).filter(|_| of_this_kind);
                let rows = rows.into_iter().flatten().map(|place| earlier[*place].clone()).collect::<Vec<_>>();
                match known.meant(&column.value, part, &rows) {
                    Ok(reference) => meant.push(reference),
                    Err(_) if column.sealed => {
                        bad.push(BadRow::of(
                            row.line,
                            column,
                            &say!("节点不知其所指", "the node knows nothing that it names"),
                        ));
                    }
                    Err(why) => bad.push(BadRow::of(row.line, column, &why)),
                }
            }
            references.insert(column.name.clone(), meant);
        }
        let code = match references.get("seat").map(Vec::as_slice) {
            Some([Reference::Known(code)]) => Some(code.clone()),
            _ => None,
        };
        let name = row.values.get("name").map_or("", String::as_str);
        earlier.push(Earlier { place, line: row.line, name, code });
        for called in ["name", "seat"].iter().filter_map(|column| row.values.get(*column)) {
            made.entry(called).or_default().push(place);
        }
        all.push(references);
    }
    (all, bad)
}

/// Whether a value may name what the rows make.
fn is_of(value: &ValueType, kind: &Kind) -> bool {
    matches!(value, ValueType::Record(named) | ValueType::Unit(named) if *named == kind.name)
}

/// The one record that a text means, among earlier rows and what the node holds.
fn one_of(known: &Held, text: &str, earlier: &[Earlier<'_>]) -> Result<Reference, Say> {
    let mut held = known.meant(text);
    // What an earlier row makes is there already when the file is imported again.
    held.retain(|id| !earlier.iter().any(|row| !row.name.is_empty() && known.is(id, row.name, row.code.as_deref())));
    match (earlier, held.as_slice()) {
        ([], _) => known.find(text).map(|id| Reference::Known(id.to_owned())),
        ([row], []) => Ok(Reference::Row(row.place)),
        (rows, held) => {
            let lines = rows.iter().map(|row| row.line.to_string()).collect::<Vec<_>>().join(", ");
            let held: String = held.iter().map(|id| format!(", {}", known.shown(id))).collect();
            let (zh, en) = known.called();
            Err(say!(
                "“{text}”可指不止一个{zh}(第 {lines} 行{held}):请用不同的名称,或写编号",
                "{text:?} could be more than one {en} (line {lines}{held}): give them different names, or give an id"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows;
    use super::*;
    use crate::served;

    /// What an organisation's row may say, as a node of this program declares it.
    fn org_rows(file: &str) -> Vec<Row> {
        rows::read(&Form::of(&served::schema(), "orgs").expect("declared"), file.as_bytes()).good
    }

    fn referred(rows: &[Row], known: &Known) -> (Vec<References>, Vec<BadRow>) {
        refer(&Form::of(&served::schema(), "orgs").expect("declared"), rows, known)
    }

    /// A node with these seats and no organisation.
    fn known(seats: &[&str]) -> Known {
        let mut known = Known::default();
        seats.iter().for_each(|code| known.seats.enter(code, &format!("id of {code}"), &format!("镇{code}")));
        known.held.insert("org".to_owned(), Held::none(served::schema().kind("org").expect("declared")));
        known
    }

    #[test]
    fn a_row_may_name_what_an_earlier_row_makes_and_nothing_later() {
        let file = "name,seat,parent_org\n县委,371726000000,\n镇党委,371726101000,县委\n村支部,,371726101000\n孤支部,,后来的\n后来的,,\n";
        let rows = org_rows(file);
        let known = known(&["371726000000", "371726101000"]);
        let (_, bad) = referred(&rows, &known);
        assert_eq!(bad.iter().map(|row| row.line).collect::<Vec<_>>(), [5]);
        let (references, _) = referred(&rows[..3], &known);
        assert_eq!(references[1]["parent_org"], [Reference::Row(0)]);
        assert_eq!(references[2]["parent_org"], [Reference::Row(1)]);
    }

    #[test]
    fn a_seat_that_the_directory_lacks_and_a_parent_that_could_be_two_are_bad_rows() {
        let file = "name,seat,parent_org\n机关支部,371726101000,\n".to_owned()
            + "机关支部,371726102000,\n甲小组,,机关支部\n乙支部,371726999000,\n县委,371726101000,\n丙支部,,县委\n";
        let rows = org_rows(&file);
        let mut known = known(&["371726101000", "371726102000"]);
        known.held.get_mut("org").expect("entered").enter(&"ab".repeat(32), "县委", &["371726000000"], false);
        let (_, bad) = referred(&rows, &known);
        let told: Vec<(u64, &str)> = bad.iter().map(|row| (row.line, row.reason.en.as_str())).collect();
        assert_eq!(told.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [4, 5, 7], "{told:?}");
        assert!(told[0].1.contains("(line 2, 3)") && told[1].1.contains("no seat 371726999000"), "{told:?}");
        // The same file again: what its row made is there.
        known.held.get_mut("org").expect("entered").enter(&"cd".repeat(32), "丁镇党委", &["371726101000"], false);
        let again = "name,seat,parent_org\n丁镇党委,371726101000,\n戊支部,,丁镇党委\n";
        let (references, bad) = referred(&org_rows(again), &known);
        assert!(bad.is_empty() && references[1]["parent_org"] == [Reference::Row(0)], "{bad:?}");
        assert!(told[2].1.contains("(line 6, abababab 县委)"), "{told:?}");
    }

    #[test]
    fn any_kind_names_records_seats_and_lists_of_them_by_name_and_what_is_wrong_by_its_column() {
        let schema = served::schema();
        let form = Form::of(&schema, "联盟").expect("declared");
        let column = form.column("resources").expect("an alliance has them").clone();
        let mut known = known(&["371726101000"]);
        known.seats.enter("371726102000", &"ab".repeat(16), "双名镇");
        known.seats.enter("371726103000", &"cd".repeat(16), "双名镇");
        let mut held = Held::none(schema.kind("resource").expect("declared"));
        held.enter(&"ab".repeat(32), "会议室", &[], false);
        held.enter(&"cd".repeat(32), "球场", &[], false);
        known.held.insert("resource".to_owned(), held);
        let row = |line: u64, resources: &str, seat: &str| Row {
            line,
            values: [("resources", resources), ("seat", seat)].map(|(n, v)| (n.to_owned(), v.to_owned())).into(),
            parent: None,
        };
        let rows = [row(2, "会议室,球场", "镇371726101000"), row(3, "会议室,车", "双名镇")];
        let (references, bad) = refer(&form, &rows, &known);
        assert_eq!(references[0][&column.name], ["ab", "cd"].map(|id| Reference::Known(id.repeat(32))));
        assert_eq!(references[0]["seat"], [Reference::Known("371726101000".to_owned())]);
        let told: Vec<String> = bad.iter().map(|row| row.told().en).collect();
        assert!(told[0].starts_with("line 3: seat: \"双名镇\" could be 2 seats"), "{told:?}");
        assert_eq!(told[1], "line 3: resources: this node holds no resource \"车\"");
    }
}
