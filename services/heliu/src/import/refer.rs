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
    /// By kind, what it was asked for already.
    asked: BTreeMap<String, BTreeSet<String>>,
    seats: Seats,
    /// The code of the node's own seat, whose what a row makes is that says nothing else; empty if it may not be known.
    own: String,
}

/// The codes of seats, by code, id and name.
#[derive(Debug, Default)]
struct Seats(BTreeMap<String, Vec<String>>);

/// What a row makes, as later rows may call it.
#[derive(Clone, Debug)]
struct Earlier {
    place: usize,
    line: u64,
    name: String,
    /// The region code of the row's seat, if the row says one.
    code: Option<String>,
}

impl Known {
    /// What the node knows of all that these rows name, beside what it has been asked for.
    async fn learn(&mut self, client: &Client, schema: &Schema, form: &Form<'_>, rows: &[Row]) -> Result<(), Failure> {
        if self.seats.0.is_empty() {
            for seat in client.seats().await? {
                self.seats.enter(&seat.code, &seat.id, &seat.name);
            }
            let own = client.status().await.ok().and_then(|status| status.seat);
            self.own = own.map(|seat| seat.code).unwrap_or_default();
        }
        let mut texts: BTreeMap<&str, (&Kind, BTreeSet<&str>)> = BTreeMap::new();
        for column in form.columns.iter() {
            let Some(kind) = named(schema, column) else { continue };
            let (_, texts) = texts.entry(&kind.name).or_insert((kind, BTreeSet::new()));
            texts.extend(
                rows.iter().filter_map(|row| row.values.get(&column.name)).flat_map(|text| parts(column, text)),
            );
        }
        for (name, (kind, texts)) in texts {
            let asked = self.asked.entry(name.to_owned()).or_default();
            let new: BTreeSet<&str> = texts.into_iter().filter(|text| !asked.contains(*text)).collect();
            asked.extend(new.iter().map(|text| (*text).to_owned()));
            let held = self.held.entry(name.to_owned()).or_insert_with(|| Held::none(kind));
            if !new.is_empty() {
                held.extend(Held::of(client, kind, &new).await?);
            }
        }
        Ok(())
    }

    /// What one value stands for.
    fn meant(&self, value: &ValueType, text: &str, earlier: &[Earlier]) -> Result<Reference, Say> {
        match value {
            ValueType::Seat => self.seats.find(text).map(|code| Reference::Known(code.to_owned())),
            ValueType::Unit(_) if self.seats.find(text).is_ok_and(|code| code == text) => {
                Ok(Reference::Known(text.to_owned()))
            }
            ValueType::Record(kind) | ValueType::Unit(kind) => match self.held.get(kind) {
                Some(held) => match held.over_by_id(text) {
                    Some(why) => Ok(Reference::Over(text.to_owned(), why)),
                    None => one_of(held, text, earlier),
                },
                // The node judges it.
                None => Ok(Reference::Known(text.to_owned())),
            },
            _ => Ok(Reference::Known(text.to_owned())),
        }
    }

    pub fn own_seat(&self) -> Option<&str> {
        Some(self.own.as_str()).filter(|code| !code.is_empty())
    }

    /// The region code of a seat, by its id.
    pub fn code<'k>(&'k self, id: &'k str) -> &'k str {
        self.seats.find(id).unwrap_or(id)
    }

    /// What a record is called, if it is known.
    pub fn name(&self, id: &str) -> Option<&str> {
        self.held.values().find_map(|held| held.name(id))
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

/// What the references of the rows of one file stand for, as these come.
#[derive(Debug, Default)]
pub struct Referring {
    pub known: Known,
    earlier: Vec<Earlier>,
    /// Places among the earlier rows, by what these are called.
    made: BTreeMap<String, Vec<usize>>,
    rows: usize,
}

impl Referring {
    /// For the same rows once more, with what is known.
    pub fn again(self) -> Self {
        Referring { known: self.known, ..Referring::default() }
    }

    /// What each row's references stand for, and the rows that name what there is not, or what could be several. A row may
    /// name a record that an earlier one makes, by name or seat.
    pub async fn refer(
        &mut self,
        client: &Client,
        schema: &Schema,
        form: &Form<'_>,
        rows: &[Row],
    ) -> Result<Vec<Result<References, Vec<BadRow>>>, Failure> {
        self.known.learn(client, schema, form, rows).await?;
        Ok(rows.iter().map(|row| self.row(form, row)).collect())
    }

    fn row(&mut self, form: &Form<'_>, row: &Row) -> Result<References, Vec<BadRow>> {
        let names = |value: &ValueType| matches!(value, ValueType::Seat | ValueType::Record(_) | ValueType::Unit(_));
        let (mut references, mut bad) = (References::new(), Vec::new());
        for column in form.columns.iter().filter(|column| names(&column.value)) {
            let Some(text) = row.values.get(&column.name) else { continue };
            let of_this_kind = is_of(&column.value, form.kind);
            if let Some(parent) = row.parent.filter(|_| of_this_kind) {
                references.insert(column.name.clone(), vec![Reference::Row(parent)]);
                continue;
            }
            let mut meant = Vec::new();
            for part in parts(column, text) {
                let places = self.made.get(part).filter(|_| of_this_kind);
                let earlier: Vec<Earlier> = places.into_iter().flatten().map(|at| self.earlier[*at].clone()).collect();
                match self.known.meant(&column.value, part, &earlier) {
                    Ok(reference) => meant.push(reference),
                    Err(_) if column.sealed => {
                        let why = say!("节点不知其所指", "the node knows nothing that it names");
                        bad.push(BadRow::of(row.line, column, why));
                    }
                    Err(why) => bad.push(BadRow::of(row.line, column, why)),
                }
            }
            references.insert(column.name.clone(), meant);
        }
        self.note(form, row, &references);
        if bad.is_empty() { Ok(references) } else { Err(bad) }
    }

    /// What later rows may call this one. Of kinds that never name their own nothing is kept.
    fn note(&mut self, form: &Form<'_>, row: &Row, references: &References) {
        let place = self.rows;
        self.rows += 1;
        if !form.columns.iter().any(|column| is_of(&column.value, form.kind)) {
            return;
        }
        let code = match references.get("seat").map(Vec::as_slice) {
            Some([Reference::Known(code)]) => Some(code.clone()),
            _ => None,
        };
        for called in ["name", "seat"].iter().filter_map(|column| row.values.get(*column)) {
            self.made.entry(called.clone()).or_default().push(self.earlier.len());
        }
        self.earlier.push(Earlier { place, line: row.line, name: row.name().to_owned(), code });
    }
}

/// Whether a value may name what the rows make.
fn is_of(value: &ValueType, kind: &Kind) -> bool {
    matches!(value, ValueType::Record(named) | ValueType::Unit(named) if *named == kind.name)
}

/// The one record that a text means, among earlier rows and what the node holds.
fn one_of(known: &Held, text: &str, earlier: &[Earlier]) -> Result<Reference, Say> {
    let mut held = known.meant(text);
    // What an earlier row makes is there already when the file is imported again.
    held.retain(|id| !earlier.iter().any(|row| !row.name.is_empty() && known.is(id, &row.name, row.code.as_deref())));
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
    use super::*;
    use crate::served;

    /// Rows of these values, on lines from 2 on.
    fn rows(columns: &[&str], rows: &[&[&str]]) -> Vec<Row> {
        let row = |(line, values): (u64, &&[&str])| {
            let given = columns.iter().zip(*values).filter(|(_, value)| !value.is_empty());
            let values = given.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            Row { line, values, parent: None }
        };
        (2..).zip(rows).map(row).collect()
    }

    fn referred(kind: &str, rows: &[Row], known: Known) -> (Vec<References>, Vec<BadRow>) {
        let schema = served::schema();
        let form = Form::of(&schema, kind).expect("declared");
        let mut referring = Referring { known, ..Referring::default() };
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for row in rows {
            match referring.row(&form, row) {
                Ok(references) => good.push(references),
                Err(faults) => bad.extend(faults),
            }
        }
        (good, bad)
    }

    /// A node with these seats and these organisations.
    fn known(seats: &[&str], orgs: &[(&str, &str, &str, bool)]) -> Known {
        let mut known = Known::default();
        seats.iter().for_each(|code| known.seats.enter(code, &format!("id of {code}"), &format!("镇{code}")));
        let mut held = Held::none(served::schema().kind("org").expect("declared"));
        orgs.iter().for_each(|(id, name, code, ended)| held.enter(&id.repeat(32), name, &[*code], *ended));
        known.held.insert("org".to_owned(), held);
        known
    }

    const ORG: &[&str] = &["name", "seat", "parent_org"];

    #[test]
    fn a_row_may_name_what_an_earlier_row_makes_and_nothing_later() {
        let given = rows(
            ORG,
            &[
                &["县委", "371726000000", ""],
                &["镇党委", "371726101000", "县委"],
                &["村支部", "", "371726101000"],
                &["孤支部", "", "后来的"],
                &["后来的", "", ""],
            ],
        );
        let seats = ["371726000000", "371726101000"];
        let (_, bad) = referred("orgs", &given, known(&seats, &[]));
        assert_eq!(bad.iter().map(|row| row.line).collect::<Vec<_>>(), [5]);
        let (references, _) = referred("orgs", &given[..3], known(&seats, &[]));
        assert_eq!(references[1]["parent_org"], [Reference::Row(0)]);
        assert_eq!(references[2]["parent_org"], [Reference::Row(1)]);
    }

    #[test]
    fn a_seat_that_the_directory_lacks_and_a_parent_that_could_be_two_are_bad_rows() {
        let given = rows(
            ORG,
            &[
                &["机关支部", "371726101000", ""],
                &["机关支部", "371726102000", ""],
                &["甲小组", "", "机关支部"],
                &["乙支部", "371726999000", ""],
                &["县委", "371726101000", ""],
                &["丙支部", "", "县委"],
            ],
        );
        let seats = ["371726101000", "371726102000"];
        let (_, bad) = referred("orgs", &given, known(&seats, &[("ab", "县委", "371726000000", false)]));
        let told: Vec<(u64, &str)> = bad.iter().map(|row| (row.line, row.reason.en.as_str())).collect();
        assert_eq!(told.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [4, 5, 7], "{told:?}");
        assert!(told[0].1.contains("(line 2, 3)") && told[1].1.contains("no seat 371726999000"), "{told:?}");
        assert!(told[2].1.contains("(line 6, abababab 县委)"), "{told:?}");
        // The same file again: what its row made is there.
        let again = rows(ORG, &[&["丁镇党委", "371726101000", ""], &["戊支部", "", "丁镇党委"]]);
        let (references, bad) = referred("orgs", &again, known(&seats, &[("cd", "丁镇党委", "371726101000", false)]));
        assert!(bad.is_empty() && references[1]["parent_org"] == [Reference::Row(0)], "{bad:?}");
    }

    #[test]
    fn what_has_ended_is_named_by_its_whole_id_alone_and_then_only_stays_what_it_was() {
        let ended = known(&[], &[("ab", "旧支部", "371726101201", true)]);
        let given = rows(&["name", "branch"], &[&["甲", &"ab".repeat(32)], &["乙", "旧支部"]]);
        let (references, bad) = referred("members", &given, ended);
        assert!(matches!(&references[0]["branch"][..], [Reference::Over(id, _)] if *id == "ab".repeat(32)));
        assert!(bad[0].line == 3 && bad[0].reason.en.contains("has ended"), "{bad:?}");
    }

    #[test]
    fn any_kind_names_records_seats_and_lists_of_them_by_name_and_what_is_wrong_by_its_column() {
        let mut known = known(&["371726101000"], &[]);
        known.seats.enter("371726102000", &"ab".repeat(16), "双名镇");
        known.seats.enter("371726103000", &"cd".repeat(16), "双名镇");
        let mut held = Held::none(served::schema().kind("resource").expect("declared"));
        held.enter(&"ab".repeat(32), "会议室", &[], false);
        held.enter(&"cd".repeat(32), "球场", &[], false);
        known.held.insert("resource".to_owned(), held);
        let columns = ["name", "resources", "seat"];
        let given = rows(&columns, &[&["甲", "会议室、球场", "镇371726101000"], &["乙", "会议室,车", "双名镇"]]);
        let (references, bad) = referred("联盟", &given, known);
        assert_eq!(references[0]["resources"], ["ab", "cd"].map(|id| Reference::Known(id.repeat(32))));
        assert_eq!(references[0]["seat"], [Reference::Known("371726101000".to_owned())]);
        let told: Vec<String> = bad.iter().map(|row| row.told().en).collect();
        assert!(told.iter().any(|told| told.starts_with("line 3: seat: \"双名镇\" could be 2 seats")), "{told:?}");
        assert!(told.contains(&"line 3: resources: this node holds no resource \"车\"".to_owned()), "{told:?}");
    }
}
