//! Which record somebody means who writes an id, a beginning of one, or a name. Names are looked up among what the bearer of
//! the token may see, and taken if only one record has it; else the records that it could be are told.

use heliu_client::Client;
use heliu_client::records::{Condition, QueryRequest, Record, Seat};
use heliu_client::schema::{Schema, ValueType};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::short;
use crate::render::{place, view_of};
use crate::text::{Say, clean, codes, say, spoken};

/// Of more records of one name only the first are listed.
const LISTED: usize = 8;
const PAGE: u32 = 9;
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
    if looks_like_an_id(text) {
        return Ok(text.to_owned());
    }
    let found = named(client, text, kind).await?;
    match &found[..] {
        [one] => Ok(one.id.clone()),
        [] => Err(nobody(text, kind, &*client.schema().await?)),
        several => Err(which(text, several, &*client.schema().await?)),
    }
}

/// As [`record`], for an argument: what may also be a seat is left as it is.
pub async fn argument(client: &Client, text: &str, value: &ValueType) -> Result<String, Failure> {
    match value {
        ValueType::Record(_) if is_whole(text) => Ok(text.to_owned()),
        // The node takes whole ids here.
        ValueType::Record(_) if looks_like_an_id(text) => Ok(client.get(text).await?.id),
        ValueType::Unit(_) if is_whole(text) || is_seat(text) => Ok(text.to_owned()),
        ValueType::Unit(_) if looks_like_an_id(text) => Ok(client.get(text).await?.id),
        ValueType::Record(kind) => record(client, text, kind).await,
        ValueType::Unit(kind) => match record(client, text, kind).await {
            // What no record is called a seat may be.
            Err(nobody) if nobody.code == NOT_HERE => seat(client, text).await.map_err(|_| nobody),
            found => found,
        },
        ValueType::Seat if is_seat(text) => Ok(text.to_owned()),
        ValueType::Seat => seat(client, text).await,
        _ => Ok(text.to_owned()),
    }
}

/// The id of the only seat of this name.
async fn seat(client: &Client, name: &str) -> Result<String, Failure> {
    let seats = client.seats().await?;
    let called: Vec<&Seat> = seats.iter().filter(|seat| seat.name == name).collect();
    one_seat(name, &called)
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

/// As [`record`], of whatever kind, with the whole id.
pub async fn whole(client: &Client, text: &str) -> Result<String, Failure> {
    let id = record(client, text, "").await?;
    if is_whole(&id) { Ok(id) } else { Ok(client.get(&id).await?.id) }
}

/// Those that are called so, or, if none is, that have it as their number.
async fn named(client: &Client, text: &str, kind: &str) -> Result<Vec<Record>, Failure> {
    let found = saying(client, kind, NAME, text).await?;
    if !found.is_empty() {
        return Ok(found);
    }
    let schema = client.schema().await?;
    let mut found = Vec::new();
    for of in schema.kinds.iter().filter(|of| kind.is_empty() || of.name == kind) {
        for field in of.fields.iter().filter(|field| field.sought && field.name != NAME) {
            found.extend(saying(client, &of.name, &field.name, text).await?);
        }
    }
    Ok(found)
}

/// One more than are told, so that it is known whether these are all.
async fn saying(client: &Client, kind: &str, field: &str, text: &str) -> Result<Vec<Record>, Failure> {
    let condition = Condition { field: field.to_owned(), any_of: vec![text.to_owned()], ..Condition::default() };
    let asked =
        QueryRequest { kind: kind.to_owned(), r#where: vec![condition], limit: PAGE, ..QueryRequest::default() };
    Ok(client.query(asked).await?.records)
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

fn which(text: &str, several: &[Record], schema: &Schema) -> Failure {
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
        let failure = which("张伟", &[one("ab"), one("cd")], &schema);
        assert_eq!(
            failure.why.iter().map(|why| why.zh.as_str()).collect::<Vec<_>>(),
            ["abababab  member  ", "cdcdcdcd  member  "]
        );
        assert!(nobody("张伟", "member", &schema).next.is_some_and(|next| next.en.contains("heliu list")));
    }
}
