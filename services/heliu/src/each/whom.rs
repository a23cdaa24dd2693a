//! Which record each line is about: by its id, its number, or its name; what else a line says of it has to be so, and tells two of
//! one name apart.

use heliu_client::Client;
use heliu_client::records::Record;
use heliu_client::schema::{Argument, Schema, Subject, ValueType};

use serde_json::Value;

use super::lines::{SUBJECT, Sheet};
use super::subject::Whom;
use crate::failure::Failure;
use crate::import::bad_row::BadRow;
use crate::import::rows::Row;
use crate::render::view_of;
use crate::text::{clean, say};
use crate::which::{Called, Meant, only};

/// Of a command that is about none: none.
pub async fn find(
    client: &Client,
    schema: &Schema,
    sheet: &Sheet<'_>,
    rows: &[Row],
) -> Result<Vec<Result<Option<Whom>, BadRow>>, Failure> {
    if sheet.command.subject == Subject::None {
        return Ok(rows.iter().map(|_| Ok(None)).collect());
    }
    let kind = sheet.kind.map(|kind| kind.name.as_str()).unwrap_or_default();
    let mut by = vec![(SUBJECT, Called::of(client, kind, said(rows, SUBJECT)).await?)];
    let mut places = Vec::new();
    for (column, _) in &sheet.tell {
        match &column.value {
            ValueType::Record(_) | ValueType::Unit(_) => {
                let texts = said(rows, &column.name).into_iter().map(|text| (text, &column.value));
                places.push((column, Meant::of(client, texts).await?));
            }
            _ => by.push((&column.name, Called::by(client, kind, &column.name, said(rows, &column.name)).await?)),
        }
    }
    Ok(rows.iter().map(|row| one(schema, sheet, row, &by, &places).map(Some)).collect())
}

fn one(
    schema: &Schema,
    sheet: &Sheet<'_>,
    row: &Row,
    by: &[(&str, Called)],
    places: &[(&Argument, Meant)],
) -> Result<Whom, BadRow> {
    let kind = sheet.kind.map(|kind| kind.name.as_str()).unwrap_or_default();
    let refused = |failure: Failure| BadRow::whole(row.line, failure.in_one());
    let mut given = by.iter().filter_map(|(column, called)| Some((*column, row.values.get(*column)?, called)));
    let Some((column, text, called)) = given.next() else {
        let told = sheet.columns.iter().filter(|column| !sheet.is_argument(&column.name));
        let (zh, en): (Vec<&str>, Vec<&str>) =
            told.map(|column| (column.label.zh.as_str(), column.name.as_str())).unzip();
        let (zh, en) = (clean(&zh.join("、")), clean(&en.join(", ")));
        return Err(BadRow::whole(
            row.line,
            say!("没有写明针对哪条记录:用列 {zh}", "it does not say which record it is about: columns {en}"),
        ));
    };
    // By its id it may be any; a failure says why it is none.
    let mut found: Vec<&Record> = match called.all(text) {
        [] => vec![called.one(text).map_err(refused)?],
        all => all.iter().collect(),
    };
    for (other, text, called) in given {
        let same: Vec<&str> = called.all(text).iter().map(|record| record.id.as_str()).collect();
        let left: Vec<&Record> = found.iter().copied().filter(|record| same.contains(&record.id.as_str())).collect();
        if left.is_empty() {
            return Err(contradicts(sheet, row, other, text, found.first().copied()));
        }
        found = left;
    }
    for (column, meant) in places {
        let Some(text) = row.values.get(&column.name) else { continue };
        let place =
            meant.argument(text, &column.value).map_err(|failure| BadRow::of(row.line, column, failure.in_one()))?;
        let read = sheet.tell.iter().find(|(tell, _)| tell.name == column.name).map_or(&[][..], |(_, read)| read);
        let is_there = |record: &&Record| {
            let view = view_of(record);
            read.iter().any(|field| view.get(field).and_then(Value::as_str) == Some(place.as_str()))
        };
        let left: Vec<&Record> = found.iter().copied().filter(is_there).collect();
        if left.is_empty() {
            return Err(contradicts(sheet, row, &column.name, text, found.first().copied()));
        }
        found = left;
    }
    let found = only(text, &found, kind, schema).map_err(|failure| match sheet.columns.called(column) {
        Some(column) => BadRow::of(row.line, column, failure.in_one()),
        None => refused(failure),
    })?;
    Ok(Whom::of(found))
}

/// What a line says is not so of the record that it is about.
fn contradicts(sheet: &Sheet<'_>, row: &Row, column: &str, text: &str, found: Option<&Record>) -> BadRow {
    let (text, name) = (clean(text), found.map(|record| clean(&Whom::of(record).name)).unwrap_or_default());
    let why = say!(
        "“{name}”的记录不是“{text}”;什么也不做,请核对",
        "the record of {name:?} does not say {text:?}; nothing is done: check the line"
    );
    match sheet.columns.called(column) {
        Some(column) => BadRow::of(row.line, column, why),
        None => BadRow::whole(row.line, why),
    }
}

/// What the rows say in a column.
fn said<'r>(rows: &'r [Row], column: &str) -> Vec<&'r str> {
    rows.iter().filter_map(|row| row.values.get(column)).map(String::as_str).collect()
}
