//! `list` by what records say: what somebody types becomes a question to the node, which answers from what it lists.

use std::collections::BTreeSet;

use heliu_client::Client;
use heliu_client::records::{Condition, Group, QueryRequest, Record};
use heliu_client::schema::{Kind, Schema, ValueType, Word};
use serde_json::{Value, json};

use crate::cli::ListArgs;
use crate::failure::Failure;
use crate::names::Names;
use crate::page::pages;
use crate::render::{is_id, place};
use crate::text::table::Table;
use crate::text::{clean, count, say, tr};
use crate::view::{field_label, value_told};
use crate::which;

/// Who owns a record, in counts and conditions.
pub const SEAT: &str = "seat";
/// What records are called by, whatever their kind.
pub const NAME: &str = "name";
/// Values of one condition, as nodes take them.
const VALUES: usize = 4_096;
const PAGE: u32 = 1_000;
/// Between a field and a value, the longer ones first.
const SIGNS: [&str; 4] = [">=", "<=", "!=", "="];

pub struct Found {
    pub records: Vec<Record>,
    pub next: String,
    pub total: u64,
    pub groups: Vec<Group>,
    pub damaged: Vec<String>,
}

/// Whether something is asked that only what is listed can tell.
pub fn asks(args: &ListArgs) -> bool {
    let ListArgs { search, conditions, at, sort, descending, count, group_by, .. } = args;
    let said = [search, at, sort].into_iter().any(|text| !text.is_empty());
    said || *descending || *count || !conditions.is_empty() || !group_by.is_empty()
}

/// `kind`: its code, or nothing.
pub async fn find(client: &Client, args: &ListArgs, kind: &str) -> Result<Found, Failure> {
    if !args.refers_to.is_empty() || args.gone {
        let what = say!(
            "--refers-to、--gone 不能与 --search、--where、--at、--sort、--count、--group-by 同用",
            "--refers-to and --gone do not go with --search, --where, --at, --sort, --count and --group-by"
        );
        return Err(Failure::usage(what));
    }
    let schema = client.schema().await?;
    let mut conditions = Vec::new();
    for text in &args.conditions {
        conditions.push(condition(client, schema.kind(kind), text).await?);
    }
    let asked = QueryRequest {
        kind: kind.to_owned(),
        text: args.search.clone(),
        r#where: conditions,
        at: args.at.clone(),
        order_by: args.sort.clone(),
        descending: args.descending,
        count_only: args.count || !args.group_by.is_empty(),
        group_by: args.group_by.clone(),
        ..QueryRequest::default()
    };
    let (mut total, mut groups, mut damaged) = (0, Vec::new(), Vec::new());
    let (records, next) = pages(&args.page, async |after, limit| {
        let page = client.query(QueryRequest { after, limit, ..asked.clone() }).await?;
        (total, groups) = (page.total, page.groups);
        damaged.extend(page.damaged);
        Ok((page.records, page.next))
    })
    .await?;
    Ok(Found { records, next, total, groups, damaged })
}

/// Whether the records of a kind are looked for by what they say there.
pub fn is_sought(kind: &Kind, field: &str) -> bool {
    kind.fields.iter().any(|known| known.name == field && known.sought)
}

/// All that say one of these in a field.
pub async fn saying(client: &Client, kind: &str, field: &str, texts: &BTreeSet<&str>) -> Result<Vec<Record>, Failure> {
    let texts: Vec<String> = texts.iter().filter(|text| !text.is_empty()).map(|text| (*text).to_owned()).collect();
    let mut found = Vec::new();
    for any_of in texts.chunks(VALUES) {
        let r#where = vec![Condition { field: field.to_owned(), any_of: any_of.to_vec(), ..Condition::default() }];
        let mut asked = QueryRequest { kind: kind.to_owned(), r#where, limit: PAGE, ..QueryRequest::default() };
        loop {
            let page = client.query(asked.clone()).await?;
            found.extend(page.records);
            asked.after = page.next;
            if asked.after.is_empty() {
                break;
            }
        }
    }
    Ok(found)
}

/// `field=value`, `field=one,other`, `field!=value`, `field>=value`, `field<=value`; `field!=` is whatever says nothing there.
async fn condition(client: &Client, kind: Option<&Kind>, text: &str) -> Result<Condition, Failure> {
    let signs = SIGNS.iter().filter_map(|sign| Some((text.find(sign)?, *sign)));
    let Some((at, sign)) = signs.min_by_key(|(at, sign)| (*at, std::cmp::Reverse(sign.len()))) else {
        let shown = clean(text);
        return Err(Failure::usage(say!(
            "这里要 字段=值,“{shown}”不是",
            "it takes FIELD=VALUE, and {shown:?} is not that"
        ))
        .next(say!("例如 stage=full、joined_on>=2001-01-01", "such as stage=full or joined_on>=2001-01-01")));
    };
    let (field, value) = (text[..at].trim().to_owned(), text[at + sign.len()..].trim());
    let mut values = Vec::new();
    for value in value.split(',').map(str::trim).filter(|value| !value.is_empty()) {
        values.push(meant(client, kind, &field, value).await?);
    }
    let bound = || values.first().cloned().unwrap_or_default();
    Ok(match sign {
        ">=" => Condition { field, from: bound(), ..Condition::default() },
        "<=" => Condition { field, until: bound(), ..Condition::default() },
        "!=" => Condition { field, any_of: values, is_not: true, ..Condition::default() },
        _ => Condition { field, any_of: values, ..Condition::default() },
    })
}

/// The id of what is named by a name, where a field points to records or seats; all else the node knows.
async fn meant(client: &Client, kind: Option<&Kind>, field: &str, value: &str) -> Result<String, Failure> {
    let Some(kind) = kind else { return Ok(value.to_owned()) };
    if let Some(known) = kind.field_called(field) {
        return match &known.value {
            points @ (ValueType::Record(_) | ValueType::Unit(_) | ValueType::Seat) => {
                which::argument(client, value, points).await
            }
            _ => Ok(value.to_owned()),
        };
    }
    // What is derived has no type; what is none of its words is an id.
    let is_called =
        |path: &str, label: &heliu_client::schema::SchemaLabel| path == field || label.zh == field || label.en == field;
    let derived = kind.derived.iter().find(|derived| is_called(&derived.path, &derived.label));
    let is_word = |word: &Word| [&word.name, &word.label.zh, &word.label.en].contains(&&value.to_owned());
    if derived.is_some_and(|derived| !derived.words.iter().any(is_word)) && !is_id(value) {
        return which::whole(client, value).await;
    }
    Ok(value.to_owned())
}

/// How many there are, by what they say.
pub async fn counted(
    client: &Client,
    schema: &Schema,
    kind: &str,
    args: &ListArgs,
    found: &Found,
) -> Result<String, Failure> {
    let total = count(found.total);
    let sum = tr!("共 {total} 条\n", "{total} in all\n");
    if args.group_by.is_empty() {
        return Ok(sum);
    }
    let declared = schema.kind(kind);
    let seats = client.seats().await?;
    let ids = found.groups.iter().flat_map(|group| &group.values).filter(|value| is_id(value)).cloned();
    let names = Names::of(client, ids).await;
    let is_seat = |field: &str| field == SEAT || field == "席位";
    // By their codes, whatever they were called.
    let code = |field: &String| {
        let known = declared.and_then(|kind| kind.field_called(field)).map(|known| known.name.clone());
        known.unwrap_or_else(|| field.clone())
    };
    let fields: Vec<String> = args.group_by.iter().map(code).collect();
    let label = |field: &String| if is_seat(field) { tr!("席位", "seat") } else { field_label(declared, field) };
    let mut headers: Vec<String> = fields.iter().map(label).collect();
    headers.push(tr!("条数", "count"));
    let last = headers.len() - 1;
    let mut table = Table::new(&headers.iter().map(String::as_str).collect::<Vec<_>>()).right(&[last]);
    for group in &found.groups {
        let told = group.values.iter().zip(&fields).map(|(value, field)| match value.as_str() {
            "" => tr!("(未填)", "(nothing)"),
            value if is_seat(field) => {
                let seat = seats.iter().find(|seat| seat.id == value);
                seat.map_or_else(|| names.told(value), |seat| place(Some(seat)))
            }
            value => value_told(declared, &names, field, &Value::from(value)),
        });
        table.row(told.chain([count(group.count)]));
    }
    Ok(table.print() + "\n" + &sum)
}

pub fn groups_shape(groups: &[Group]) -> Vec<Value> {
    groups.iter().map(|group| json!({"values": group.values, "count": group.count})).collect()
}
