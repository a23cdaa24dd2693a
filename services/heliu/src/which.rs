//! Which record somebody means who writes an id, a beginning of one, or a name. Names are looked up among what the bearer of
//! the token may see, and taken if only one record has it; else the records that it could be are told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::stream::StreamExt as _;
use heliu_client::Client;
use heliu_client::records::{Condition, QueryRequest, Record, Seat};
use heliu_client::schema::{Kind, Schema, SchemaLabel, ValueType};
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::short;
use crate::render::{place, view_of};
use crate::text::{Say, clean, codes, say, spoken};

/// Of more records of one name only the first are listed.
const LISTED: usize = 8;
const PAGE: u32 = 1_000;
/// Texts that are looked up by one question, and questions under way at once.
const TOGETHER: usize = 256;
const AT_ONCE: usize = 16;
const NAME: &str = "name";
/// As nodes have it: shorter beginnings of ids are mistaken too easily.
const ID_DIGITS_MIN: usize = 8;
/// Nothing of that name.
const NOT_HERE: &str = "not_here";
/// A record's id; that of a seat is half as long, a region's code is digits.
const ID_DIGITS: usize = 64;
const SEAT_DIGITS: usize = 32;
const CODE_DIGITS: usize = 12;

/// The id to ask for: what looks like one as it is, else that of the only record of this name. `kind` limits it to one kind.
pub async fn record(client: &Client, text: &str, kind: &str) -> Result<String, Failure> {
    let text = text.trim();
    if looks_like_an_id(text) && !is_number(text) {
        return Ok(text.to_owned());
    }
    Ok(Called::of(client, kind, [text]).await?.one(text)?.id.clone())
}

/// As [`record`], for an argument: what may also be a seat is left as it is.
pub async fn argument(client: &Client, text: &str, value: &ValueType) -> Result<String, Failure> {
    Meant::of(client, [(text, value)]).await?.argument(text, value)
}

/// What texts stand for that name records or seats. All of them are looked up together.
#[derive(Debug, Default)]
pub struct Meant {
    /// By kind.
    called: BTreeMap<String, Called>,
    seats: Vec<Seat>,
}

impl Meant {
    pub async fn of<'t>(
        client: &Client,
        texts: impl IntoIterator<Item = (&'t str, &'t ValueType)>,
    ) -> Result<Self, Failure> {
        let (mut named, mut names_seats): (BTreeMap<&str, BTreeSet<&str>>, _) = (BTreeMap::new(), false);
        for (text, value) in texts {
            match value {
                ValueType::Record(_) | ValueType::Unit(_) if is_whole(text) => {}
                ValueType::Unit(_) | ValueType::Seat if is_seat(text) => {}
                ValueType::Record(kind) | ValueType::Unit(kind) => {
                    names_seats |= matches!(value, ValueType::Unit(_));
                    named.entry(kind).or_default().insert(text);
                }
                ValueType::Seat => names_seats = true,
                _ => {}
            }
        }
        let mut meant = Meant::default();
        for (kind, texts) in named {
            meant.called.insert(kind.to_owned(), Called::of(client, kind, texts).await?);
        }
        if names_seats {
            meant.seats = client.seats().await?;
        }
        Ok(meant)
    }

    /// The whole id, or the code of a seat: the node takes these.
    pub fn argument(&self, text: &str, value: &ValueType) -> Result<String, Failure> {
        let record = |kind: &String| match self.called.get(kind) {
            Some(called) => called.one(text).map(|record| record.id.clone()),
            None => Ok(text.to_owned()),
        };
        match value {
            ValueType::Record(_) if is_whole(text) => Ok(text.to_owned()),
            ValueType::Unit(_) if is_whole(text) || is_seat(text) => Ok(text.to_owned()),
            ValueType::Record(kind) => record(kind),
            ValueType::Unit(kind) => match record(kind) {
                // What no record is called a seat may be.
                Err(nobody) if nobody.code == NOT_HERE => self.seat(text).map_err(|_| nobody),
                found => found,
            },
            ValueType::Seat if is_seat(text) => Ok(text.to_owned()),
            ValueType::Seat => self.seat(text),
            _ => Ok(text.to_owned()),
        }
    }

    /// The id of the only seat of this name.
    fn seat(&self, name: &str) -> Result<String, Failure> {
        let called: Vec<&Seat> = self.seats.iter().filter(|seat| seat.name == name).collect();
        one_seat(name, &called)
    }
}

/// Records of one kind, or of any, by what people call them.
#[derive(Debug)]
pub struct Called {
    kind: String,
    schema: Arc<Schema>,
    found: BTreeMap<String, Result<Vec<Record>, Failure>>,
}

impl Called {
    /// Those that go by one of these texts: an id, a beginning of one, the name, or, if it is none's name, the number.
    pub async fn of<'t>(
        client: &Client,
        kind: &str,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Result<Self, Failure> {
        let mut called = Called { kind: kind.to_owned(), schema: client.schema().await?, found: BTreeMap::new() };
        let (ids, mut names): (BTreeSet<&str>, BTreeSet<&str>) =
            texts.into_iter().partition(|text| looks_like_an_id(text));
        // A number may look like the beginning of an id.
        names.extend(ids.iter().filter(|text| is_number(text)));
        let asked = ids.into_iter().map(async |id| (id, client.get(id).await));
        let mut answers = futures::stream::iter(asked).buffer_unordered(AT_ONCE);
        while let Some((id, answer)) = answers.next().await {
            let found = answer.map(|record| vec![record]).map_err(Failure::from);
            // What is wrong with the node is so with all of them.
            if let Err(failure) = &found
                && matches!(failure.exit, Exit::Unreachable | Exit::Busy | Exit::Store)
            {
                return Err(failure.clone());
            }
            if found.is_ok() || !is_number(id) {
                called.found.insert(id.to_owned(), found);
                names.remove(id);
            }
        }
        called.saying(client, kind, NAME, &names).await?;
        let schema = Arc::clone(&called.schema);
        for of in schema.kinds.iter().filter(|of| kind.is_empty() || of.name == kind) {
            for field in of.fields.iter().filter(|field| field.sought && field.name != NAME) {
                let unknown: BTreeSet<&str> =
                    names.iter().copied().filter(|name| called.all(name).is_empty()).collect();
                called.saying(client, &of.name, &field.name, &unknown).await?;
            }
        }
        // A unit goes by the region code of its seat as well.
        for code in names.into_iter().filter(|text| is_seat(text) && text.len() == CODE_DIGITS) {
            if !kind.is_empty() && called.all(code).is_empty() {
                called.at(client, code).await?;
            }
        }
        Ok(called)
    }

    /// Those that a seat owns and that have not ended.
    async fn at(&mut self, client: &Client, code: &str) -> Result<(), Failure> {
        let kind = self.schema.kind(&self.kind).cloned();
        let mut asked =
            QueryRequest { kind: self.kind.clone(), at: code.to_owned(), limit: PAGE, ..QueryRequest::default() };
        loop {
            let page = client.query(asked.clone()).await?;
            let is_over = |record: &Record| {
                let view = view_of(record);
                let state = |name: &str| view.get(name).and_then(Value::as_str).unwrap_or_default();
                kind.as_ref().is_some_and(|kind| has_ended(kind, state).is_some())
            };
            let own = page.records.into_iter().filter(|record| record.owners.iter().any(|owner| owner.code == code));
            let own: Vec<Record> = own.filter(|record| !is_over(record)).collect();
            if let Ok(found) = self.found.entry(code.to_owned()).or_insert_with(|| Ok(Vec::new())) {
                found.extend(own);
            }
            asked.after = page.next;
            if asked.after.is_empty() {
                return Ok(());
            }
        }
    }

    /// Those that say one of these texts in one field.
    pub async fn by<'t>(
        client: &Client,
        kind: &str,
        field: &str,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Result<Self, Failure> {
        let mut called = Called { kind: kind.to_owned(), schema: client.schema().await?, found: BTreeMap::new() };
        called.saying(client, kind, field, &texts.into_iter().collect()).await?;
        Ok(called)
    }

    async fn saying(
        &mut self,
        client: &Client,
        kind: &str,
        field: &str,
        texts: &BTreeSet<&str>,
    ) -> Result<(), Failure> {
        for texts in texts.iter().copied().collect::<Vec<_>>().chunks(TOGETHER) {
            let any_of = texts.iter().map(|text| (*text).to_owned()).collect();
            let condition = Condition { field: field.to_owned(), any_of, ..Condition::default() };
            let mut asked = QueryRequest {
                kind: kind.to_owned(),
                r#where: vec![condition],
                limit: PAGE,
                ..QueryRequest::default()
            };
            loop {
                let page = client.query(asked.clone()).await?;
                for record in page.records {
                    let said = view_of(&record).get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
                    // Where two tiers wrote apart it is listed by both.
                    let meant = texts.iter().find(|text| **text == said).or(texts.first().filter(|_| texts.len() == 1));
                    let Some(text) = meant else { continue };
                    if let Ok(found) = self.found.entry((*text).to_owned()).or_insert_with(|| Ok(Vec::new())) {
                        found.push(record);
                    }
                }
                asked.after = page.next;
                if asked.after.is_empty() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// All that go by this.
    pub fn all(&self, text: &str) -> &[Record] {
        self.found.get(text).and_then(|found| found.as_deref().ok()).unwrap_or_default()
    }

    /// The only one that does.
    pub fn one(&self, text: &str) -> Result<&Record, Failure> {
        match self.found.get(text) {
            Some(Err(failure)) => Err(failure.clone()),
            Some(Ok(found)) => only(text, &found.iter().collect::<Vec<_>>(), &self.kind, &self.schema),
            None => Err(nobody(text, &self.kind, &self.schema)),
        }
    }
}

/// What the state is called that is the end of it.
pub fn has_ended<'v>(kind: &Kind, state_of: impl Fn(&str) -> &'v str) -> Option<SchemaLabel> {
    let mut states = kind.fields.iter().filter_map(|field| field.state(state_of(&field.name)));
    states.find(|state| state.ending).map(|state| state.label.clone())
}

/// Of these that are called so the only one.
pub fn only<'r>(text: &str, found: &[&'r Record], kind: &str, schema: &Schema) -> Result<&'r Record, Failure> {
    match found {
        [one] => Ok(one),
        [] => Err(nobody(text, kind, schema)),
        several => Err(which(text, several, schema)),
    }
}

fn one_seat(name: &str, called: &[&Seat]) -> Result<String, Failure> {
    let shown = clean(name);
    match called {
        [one] => Ok(one.id.clone()),
        [] => Err(Failure::new(
            Exit::Failed,
            NOT_HERE,
            say!("名录中没有名为“{shown}”的席位", "the directory has no seat that is called {shown:?}"),
        )
        .why(say!(
            "这里要席位的区划代码(12 位)、编号,或完整而唯一的名称",
            "it takes the region code of a seat (12 digits), its id, or a whole name that only one has"
        ))),
        several => {
            let mut failure =
                Failure::usage(say!("不止一个席位名为“{shown}”", "more than one seat is called {shown:?}"));
            failure.why = several.iter().take(LISTED).map(|seat| Say::verbatim(place(Some(seat)))).collect();
            Err(failure.next(say!("请改用区划代码", "give the region code of the one that you mean")))
        }
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_whole(text: &str) -> bool {
    text.len() == ID_DIGITS && is_hex(text)
}

fn is_seat(text: &str) -> bool {
    let is_code = text.len() == CODE_DIGITS && text.bytes().all(|b| b.is_ascii_digit());
    is_code || (text.len() == SEAT_DIGITS && is_hex(text))
}

fn looks_like_an_id(text: &str) -> bool {
    (ID_DIGITS_MIN..=ID_DIGITS).contains(&text.len()) && is_hex(text)
}

/// What may be somebody's number as well.
fn is_number(text: &str) -> bool {
    text.len() < ID_DIGITS && text.bytes().all(|b| b.is_ascii_digit())
}

/// As [`record`], of whatever kind, with the whole id.
pub async fn whole(client: &Client, text: &str) -> Result<String, Failure> {
    let id = record(client, text, "").await?;
    if is_whole(&id) { Ok(id) } else { Ok(client.get(&id).await?.id) }
}

fn nobody(text: &str, kind: &str, schema: &Schema) -> Failure {
    let text = clean(text);
    let (of_zh, of_en) = match kind {
        "" => (String::new(), String::new()),
        kind => {
            let kind = clean(&codes::kind(schema, kind));
            (format!("{kind}的"), format!(" of a record of the kind {kind}"))
        }
    };
    Failure::new(
        Exit::Failed,
        NOT_HERE,
        say!("本节点没有名为“{text}”的记录", "this node holds no record that is called {text:?}"),
    )
    .why(say!(
        "这里要{of_zh}编号(至少 8 位),或完整而唯一的名称",
        "it takes the id{of_en} (8 digits of it or more), or a whole name that only one has"
    ))
    .next(say!("heliu list 列出记录和它们的编号", "heliu list shows the records and their ids"))
}

/// What else of a record tells it from another of its name: its number, and the dates that it says.
fn told_apart(record: &Record, schema: &Schema) -> String {
    let (view, kind) = (view_of(record), schema.kind(&record.kind));
    let fields = kind.into_iter().flat_map(|kind| &kind.fields).filter(|field| field.name != NAME);
    let tells = fields.filter(|field| !field.sealed && (field.sought || matches!(field.value, ValueType::Date)));
    let said = tells.filter_map(|field| {
        let value = view.get(&field.name)?.as_str()?;
        Some(format!("  {} {}", spoken(&field.label), clean(value)))
    });
    said.collect()
}

fn which(text: &str, several: &[&Record], schema: &Schema) -> Failure {
    let text = clean(text);
    let mut failure = Failure::usage(say!("不止一条记录名为“{text}”", "more than one record is called {text:?}"));
    failure.why = several
        .iter()
        .take(LISTED)
        .map(|record| {
            let kind = clean(&codes::kind(schema, &record.kind));
            let (id, at) = (short(&record.id), place(record.owners.first()));
            let apart = told_apart(record, schema);
            say!("{id}  {kind}  {at}{apart}", "{id}  {kind}  {at}{apart}")
        })
        .collect();
    failure.next(say!("请改用编号", "give the id of the one that you mean"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_codes_are_left_alone_and_names_are_looked_up() {
        assert!(looks_like_an_id("3fa81c22") && looks_like_an_id(&"ab".repeat(32)));
        assert!(is_seat("371726101000") && is_seat(&"ab".repeat(16)) && is_whole(&"ab".repeat(32)));
        assert!(!looks_like_an_id("什集镇党支部") && !looks_like_an_id("abc") && !is_seat("3fa81c22ab12"));
    }

    #[test]
    fn a_seat_may_be_called_by_a_name_that_only_one_has() {
        let seat = |id: &str, name: &str| Seat { id: id.repeat(16), name: name.to_owned(), ..Seat::default() };
        let (one, two) = (seat("ab", "什集镇"), seat("cd", "什集镇"));
        assert_eq!(one_seat("什集镇", &[&one]), Ok("ab".repeat(16)));
        let told = one_seat("什集镇", &[&one, &two]).expect_err("it could be two");
        assert_eq!((told.exit, told.why.len()), (Exit::Usage, 2));
        assert!(one_seat("无此镇", &[]).expect_err("there is none").what.zh.contains("无此镇"));
    }

    #[test]
    fn of_several_of_one_name_each_is_told_with_its_id_and_place() {
        let one = |id: &str| Record { id: id.repeat(32), kind: "member".to_owned(), ..Record::default() };
        let schema = crate::served::schema();
        let failure = which("张伟", &[&one("ab"), &one("cd")], &schema);
        assert_eq!(
            failure.why.iter().map(|why| why.zh.as_str()).collect::<Vec<_>>(),
            ["abababab  member  ", "cdcdcdcd  member  "]
        );
        assert!(nobody("张伟", "member", &schema).next.is_some_and(|next| next.en.contains("heliu list")));
    }
}
