//! 花名册: the members of an organisation, in the order of their names, with what they add up to. Who is counted there is derived as
//! everywhere: those too whose own organisation it succeeded.

use std::collections::{BTreeMap, BTreeSet};

use heliu_catalogue::homes::{Counted, Organisation, Person, counted};
use heliu_catalogue::standing::Standing;
use heliu_client::records::{Condition, QueryRequest, Record};
use heliu_client::{Client, Schema};
use heliu_record::id::{RecordId, SeatId};
use heliu_record::view::View;
use serde_json::{Map, Value};

use super::letter::day;
use super::paper::{Block, Paper, Table};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::view_of;
use crate::text::{clean, count, say, tr};
use crate::view::{field_label, said_value};

const PAGE: u32 = 1_000;
/// Organisations that came before one, and before these.
const BEFORE_MAX: usize = 256;
/// What is printed of each, and how wide its column is.
const FIELDS: [(&str, u16); 7] =
    [("name", 5), ("member_no", 6), ("sex", 2), ("nation", 3), ("education", 4), ("stage", 4), ("joined_on", 5)];

pub async fn paper(client: &Client, schema: &Schema, org: &Record, today: &str) -> Result<Paper, Failure> {
    let Some(id) = read(org).as_ref().and_then(Organisation::of).and_then(|_| org.id.parse::<RecordId>().ok()) else {
        let title = clean(view_of(org).get("name").and_then(Value::as_str).unwrap_or(&org.id));
        return Err(Failure::new(
            Exit::Usage,
            "wrong_kind",
            say!("“{title}”不是党组织,没有花名册", "{title:?} is no organisation, and has no roster"),
        ));
    };
    let orgs = with_those_before(client, org).await?;
    let homes: Vec<String> = orgs.keys().map(ToString::to_string).collect();
    let known: BTreeMap<RecordId, Organisation> =
        orgs.values().filter_map(|view| Some((view.record, Organisation::of(view)?))).collect();
    let mut request = QueryRequest {
        kind: "member".to_owned(),
        r#where: vec![Condition { field: "effective_home".to_owned(), any_of: homes, ..Condition::default() }],
        limit: PAGE,
        ..QueryRequest::default()
    };
    let mut members = Vec::new();
    loop {
        let page = client.query(request.clone()).await?;
        let is_here = |record: &Record| {
            let person = read(record).as_ref().and_then(Person::of);
            person.is_some_and(|person| counted(&person, &known) == Counted::At(id))
        };
        members.extend(page.records.into_iter().filter(is_here).map(|record| view_of(&record)));
        request.after = page.next;
        if request.after.is_empty() {
            break;
        }
    }
    let title = view_of(org).get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(told(schema, &title, &members, today))
}

/// The organisation, and those that it came after, as far as they are held here.
async fn with_those_before(client: &Client, org: &Record) -> Result<BTreeMap<RecordId, View>, Failure> {
    let (mut found, mut seen) = (BTreeMap::new(), BTreeSet::new());
    let mut open: Vec<Record> = vec![org.clone()];
    while let Some(record) = open.pop() {
        let Some(view) = read(&record) else { continue };
        let before = view.json.get("predecessor_ids").and_then(Value::as_array).cloned().unwrap_or_default();
        found.insert(view.record, view);
        for id in before.iter().filter_map(Value::as_str) {
            if seen.len() < BEFORE_MAX && seen.insert(id.to_owned()) {
                // One that is not held here has nobody here either.
                open.extend(client.get(id).await.ok());
            }
        }
    }
    Ok(found)
}

/// A record as the rules of homes read it.
fn read(record: &Record) -> Option<View> {
    let seats = |seats: &[heliu_client::records::Seat]| -> BTreeSet<SeatId> {
        seats.iter().filter_map(|seat| seat.id.parse().ok()).collect()
    };
    Some(View {
        record: record.id.parse().ok()?,
        kind: record.kind.clone(),
        owners: seats(&record.owners),
        seats: seats(&record.participants),
        public: record.public,
        json: Value::Object(view_of(record)),
        refs: BTreeSet::new(),
        signal: [0; 8],
    })
}

/// `members`: the views of all that are counted there, and of who is to be told apart, in the order of their names.
fn told(schema: &Schema, title: &str, members: &[Map<String, Value>], today: &str) -> Paper {
    let kind = schema.kind("member");
    let text =
        |view: &Map<String, Value>, name: &str| view.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let standing =
        |view: &&Map<String, Value>, wanted: Standing| Standing::named(&text(view, "standing")) == Some(wanted);
    let here: Vec<&Map<String, Value>> = members.iter().filter(|view| standing(view, Standing::Counted)).collect();
    let apart = members.iter().filter(|view| standing(view, Standing::Suspended)).count();
    let row = |(number, view): (usize, &&Map<String, Value>)| {
        let cell = |(name, _): &(&str, u16)| {
            let text = text(view, name);
            said_value(kind, name, &text).unwrap_or(text)
        };
        std::iter::once(number.to_string()).chain(FIELDS.iter().map(cell)).collect()
    };
    let headings = std::iter::once(tr!("序号", "No.")).chain(FIELDS.iter().map(|(name, _)| field_label(kind, name)));
    let table = Table {
        headings: headings.collect(),
        widths: std::iter::once(2).chain(FIELDS.iter().map(|(_, width)| *width)).collect(),
        rows: (1..).zip(&here).map(row).collect(),
    };
    let number = |is_it: &dyn Fn(&&&Map<String, Value>) -> bool| count(here.iter().filter(is_it).count() as u64);
    let stage = |wanted: &'static str| number(&move |view| text(view, "stage") == wanted);
    let (all, full, probationary) = (count(here.len() as u64), stage("full"), stage("probationary"));
    let women = number(&|view| text(view, "sex") == "female");
    let (title, on) = (title.to_owned(), day(today));
    let mut paper = Paper::new(tr!("{title}党员花名册", "Members of {title}"))
        .with(Block::Right(vec![on]))
        .with(Block::Table(table))
        .with(Block::Note(tr!(
            "合计 {all} 人:正式党员 {full} 人,预备党员 {probationary} 人;其中女党员 {women} 人。",
            "{all} in all: {full} full members and {probationary} on probation; {women} are women."
        )));
    if apart > 0 {
        let apart = count(apart as u64);
        paper = paper
            .with(Block::Note(tr!("另有停止党籍 {apart} 人,未列入。", "{apart} more are suspended, and not listed.")));
    }
    paper
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::served;
    use crate::text::{Language, speaking};

    #[test]
    fn a_roster_lists_who_counts_and_its_totals_are_those_of_its_rows() {
        let view = |value: Value| value.as_object().cloned().expect("a view");
        let member = |name: &str, stage: &str, sex: &str, standing: &str| {
            view(json!({"name": name, "stage": stage, "sex": sex, "standing": standing, "joined_on": "2001-07-01"}))
        };
        let members = [
            member("测试甲", "full", "female", "counted"),
            member("测试乙", "probationary", "male", "counted"),
            member("测试丙", "full", "male", "suspended"),
            member("测试丁", "applicant", "male", "awaiting"),
        ];
        let paper = speaking(Language::Zh, || told(&served::schema(), "康屯村党支部", &members, "2026-03-01"));
        let texts: Vec<&str> = paper.texts().collect();
        assert_eq!(texts[..2], ["康屯村党支部党员花名册", "2026年3月1日"]);
        for words in
            ["合计 2 人:正式党员 1 人,预备党员 1 人;其中女党员 1 人。", "另有停止党籍 1 人,未列入。", "正式党员", "女"]
        {
            assert!(texts.contains(&words), "{words} in {texts:?}");
        }
        assert!(!texts.contains(&"测试丁") && !texts.contains(&"测试丙"));
        assert_eq!(crate::text::codes_in(&texts.join(" ")), [""; 0]);
    }
}
