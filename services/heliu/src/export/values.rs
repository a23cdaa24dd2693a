//! The values of one record as the cells of a row: as people read them, and as `import` reads them back.

use std::collections::BTreeMap;

use heliu_client::records::{ListRequest, Record};
use heliu_client::schema::{Argument, ValueType};
use heliu_client::{Client, Schema};
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::import::form::Form;
use crate::render::view_of;
use crate::text::{Language, language, spoken};
use crate::which::has_ended;

const PAGE: u32 = 1_000;

/// What the records and seats are called that a kind names.
#[derive(Debug, Default)]
pub struct Names {
    records: BTreeMap<String, String>,
    /// How many live records have a name.
    called: BTreeMap<String, u32>,
    /// Codes by the ids of seats.
    seats: BTreeMap<String, String>,
}

impl Names {
    pub async fn of(client: &Client, schema: &Schema, form: &Form<'_>) -> Result<Self, Failure> {
        let mut names = Names::default();
        names.seats.extend(client.seats().await?.into_iter().map(|seat| (seat.id, seat.code)));
        let mut kinds: Vec<&str> = form.columns.iter().filter_map(named).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds.into_iter().filter_map(|kind| schema.kind(kind)) {
            let mut request = ListRequest { kind: kind.name.clone(), limit: PAGE, ..ListRequest::default() };
            loop {
                let page = client.list(request.clone()).await?;
                for record in &page.records {
                    let view = view_of(record);
                    let text = |name: &str| view.get(name).and_then(Value::as_str).unwrap_or_default();
                    names.enter(&record.id, text("name"), has_ended(kind, text).is_some());
                }
                request.after = page.next;
                if request.after.is_empty() {
                    break;
                }
            }
        }
        Ok(names)
    }

    pub fn enter(&mut self, id: &str, name: &str, ended: bool) {
        // What has ended is named by its id: its name may be somebody else's by now.
        if !ended && !name.is_empty() {
            self.records.insert(id.to_owned(), name.to_owned());
            *self.called.entry(name.to_owned()).or_default() += 1;
        }
    }

    /// A name that only one has, else the id.
    fn told<'n>(&'n self, id: &'n str) -> &'n str {
        match self.records.get(id) {
            Some(name) if self.called.get(name) == Some(&1) && !name.contains([',', '\u{3001}', '\u{ff0c}']) => name,
            _ => self.seats.get(id).map_or(id, String::as_str),
        }
    }
}

fn named(column: &Argument) -> Option<&str> {
    match &column.value {
        ValueType::Record(kind) | ValueType::Unit(kind) => Some(kind),
        _ => None,
    }
}

/// What stands above a column: the code, or its Chinese name where that means this column and no other.
pub fn heading<'f>(form: &'f Form<'_>, column: &'f Argument) -> &'f str {
    let is_it = form.column(&column.label.zh).is_some_and(|found| found.name == column.name);
    if language() == Language::Zh && is_it { &column.label.zh } else { &column.name }
}

/// The words of a choice, as they are written.
pub fn words(column: &Argument) -> Vec<&str> {
    match &column.value {
        ValueType::Choice(words) => words.iter().map(|word| spoken(&word.label)).collect(),
        ValueType::Bool => vec![yes(true), yes(false)],
        _ => Vec::new(),
    }
}

fn yes(is: bool) -> &'static str {
    match (language(), is) {
        (Language::Zh, true) => "是",
        (Language::Zh, false) => "否",
        (Language::En, true) => "yes",
        (Language::En, false) => "no",
    }
}

pub fn cells(form: &Form<'_>, names: &Names, record: &Record, view: &Map<String, Value>) -> Vec<String> {
    form.columns.iter().map(|column| cell(form, names, record, view, column)).collect()
}

fn cell(form: &Form<'_>, names: &Names, record: &Record, view: &Map<String, Value>, column: &Argument) -> String {
    if column.name == "seat" {
        return record.owners.first().map(|owner| owner.code.clone()).unwrap_or_default();
    }
    let found = form.read_as(column).into_iter().find_map(|name| view.get(name).filter(|value| !value.is_null()));
    let one = |value: &Value| match value {
        Value::String(text) => said(names, column, text),
        Value::Bool(is) => yes(*is).to_owned(),
        Value::Number(number) => number.to_string(),
        // What is sealed is an object.
        _ => String::new(),
    };
    match found {
        Some(Value::Array(items)) => items.iter().map(one).collect::<Vec<_>>().join(","),
        Some(value) => one(value),
        None => String::new(),
    }
}

fn said(names: &Names, column: &Argument, text: &str) -> String {
    match &column.value {
        ValueType::Record(_) | ValueType::Unit(_) | ValueType::Seat => names.told(text).to_owned(),
        ValueType::Choice(words) => {
            words.iter().find(|word| word.name == text).map_or(text, |word| spoken(&word.label)).to_owned()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::served;
    use crate::text::speaking;

    #[test]
    fn every_heading_and_word_that_is_written_is_read_back_as_what_it_was_for_every_kind_in_both_languages() {
        let schema = served::schema();
        for language in [Language::Zh, Language::En] {
            speaking(language, || {
                for kind in &schema.kinds {
                    let form = Form::of(&schema, &kind.name).expect("declared");
                    for column in form.columns.iter() {
                        let found = form.column(heading(&form, column)).map(|column| &column.name);
                        assert_eq!(found, Some(&column.name), "{}", kind.name);
                    }
                }
            });
        }
    }

    #[test]
    fn a_record_is_written_by_names_where_only_one_has_them_and_what_is_sealed_is_not_written() {
        let schema = served::schema();
        let form = Form::of(&schema, "member").expect("declared");
        let mut names = Names::default();
        names.enter(&"ab".repeat(32), "甲村党支部", false);
        names.enter(&"cd".repeat(32), "双名支部", false);
        names.enter(&"ef".repeat(32), "双名支部", false);
        names.enter(&"12".repeat(32), "旧支部", true);
        let row = |branch: &str| {
            let view = json!({"name": "甲", "stage": "full", "effective_home": branch.repeat(32), "joined_on": "2001-07-01",
                "contact": {"sealed": "a8"}});
            let Value::Object(view) = view else { unreachable!("it is one") };
            let cells = cells(&form, &names, &Record::default(), &view);
            let at = |name: &str| form.columns.iter().position(|column| column.name == name).expect("a column");
            ["branch", "stage", "contact", "admitted_on"].map(|name| cells[at(name)].clone())
        };
        speaking(Language::Zh, || {
            assert_eq!(row("ab"), ["甲村党支部", "正式党员", "", "2001-07-01"]);
            assert_eq!((row("cd")[0].clone(), row("12")[0].clone()), ("cd".repeat(32), "12".repeat(32)));
        });
    }
}
