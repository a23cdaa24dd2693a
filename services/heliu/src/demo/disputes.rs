//! What is in conflict after the links are back, told with both values, and settled once at the county.

use heliu_record::conflict::{Conflict, ConflictValue, Severity};
use heliu_record::id::RecordId;
use heliu_storage::{ConflictQuery, StoreError};
use serde_json::Value;

use super::ask::{Ask, Fault};
use super::county::County;
use super::words::Teller;
use crate::served;
use crate::text::{Language, codes, language, tr};

const PAGE: usize = 64;

/// The open conflicts in the county's store, the gravest first.
pub async fn open(county: &County) -> Result<Vec<Conflict>, Fault> {
    let store = &county.top().store;
    let mut found: Vec<Conflict> = Vec::new();
    let mut after = None;
    loop {
        let page = store.conflicts(&ConflictQuery { after, limit: PAGE, ..ConflictQuery::default() }).await?;
        after = page.next;
        for row in &page.rows {
            let read = serde_json::from_slice(&row.body);
            found.push(read.map_err(|error| StoreError::Damaged { what: "a conflict", detail: error.to_string() })?);
        }
        if after.is_none() {
            break;
        }
    }
    // By what they say, which is the same for the same seed; ids are not.
    let key = |conflict: &Conflict| {
        (std::cmp::Reverse(conflict.severity), conflict.kind.clone(), conflict.explanation.zh.clone(), conflict.id)
    };
    found.sort_by_key(key);
    Ok(found)
}

/// One conflict in words: what it is about, the values, what is shown meanwhile, who may settle it.
pub async fn tell(county: &County, conflict: &Conflict, teller: &Teller) -> Result<(), Fault> {
    let weight = codes::severity(match conflict.severity {
        Severity::Hard => "hard",
        Severity::Advisory => "advisory",
        Severity::Info => "info",
    });
    let (id, kind) = (conflict.id.short(), codes::finding(&served::schema(), &conflict.kind));
    let explanation = match language() {
        Language::Zh => &conflict.explanation.zh,
        Language::En => &conflict.explanation.en,
    };
    teller.say(&format!("{kind} [{weight}] {id}: {explanation}"));
    for (number, value) in (1..).zip(&conflict.values) {
        let seat = value.seat.map_or("?", |seat| county.name(seat));
        let (shown, who) = (shown(county, &value.value).await?, &value.who);
        teller.item(&tr!("{number}) {shown} —— {seat}({who})", "{number}) {shown} - by {seat} ({who})"));
    }
    let provisional = shown(county, &conflict.provisional).await?;
    let resolver = conflict.resolver.map(|seat| county.name(seat));
    match resolver {
        Some(resolver) => teller.item(&tr!(
            "暂按:{provisional};可处置的席位:{resolver}或其上级",
            "meanwhile: {provisional}; may be settled by {resolver} or a superior"
        )),
        None => teller
            .item(&tr!("暂按:{provisional};各方共同处置", "meanwhile: {provisional}; the parties settle it together")),
    }
    Ok(())
}

/// A value as people read it: a record by its name.
async fn shown(county: &County, value: &Value) -> Result<String, Fault> {
    let Some(text) = value.as_str() else {
        return Ok(if value.is_null() { "-".to_owned() } else { value.to_string() });
    };
    let Ok(record) = text.parse::<RecordId>() else { return Ok(text.to_owned()) };
    Ok(name_of(county, record).await?.unwrap_or_else(|| record.short()))
}

async fn name_of(county: &County, record: RecordId) -> Result<Option<String>, Fault> {
    let row = county.top().store.record(record).await?;
    let view: Option<Value> = row.and_then(|row| serde_json::from_slice(&row.view).ok());
    Ok(view.and_then(|view| view["name"].as_str().map(str::to_owned)))
}

/// The conflict that the county settles in the story: the double transfer if there is one.
pub fn to_settle<'c>(county: &County, open: &'c [Conflict]) -> Option<(&'c Conflict, &'c ConflictValue)> {
    let chosen = open.iter().find(|conflict| conflict.kind == "MULTI_HOME").or(open.first())?;
    // Whichever seat comes first in the county: the order of the values follows from keys.
    let place = |value: &&ConflictValue| value.seat.map(|seat| county.at(seat).seat.code.clone());
    Some((chosen, chosen.values.iter().min_by_key(place)?))
}

/// Settles a conflict at the county's node.
pub async fn settle(county: &County, conflict: &Conflict, value: &ConflictValue, teller: &Teller) -> Result<(), Fault> {
    let (top, choice) = (county.top(), value.choice());
    let settle = Ask::new("conflict.settle").of(conflict.subject).with("conflict", conflict.id).with("choice", &choice);
    county.ask(top.seat.id, settle.because("县级核实后裁定")).await?;
    let kind = codes::finding(&served::schema(), &conflict.kind);
    let (name, chosen) = (&top.seat.name, shown(county, &value.value).await?);
    teller.say(&tr!("{name}处置“{kind}”:选定“{chosen}”。", "{name} settles {kind}: it chooses {chosen}."));
    Ok(())
}

/// Where the record of a settled conflict is, and whether any of these places still sees the conflict.
pub async fn tell_settled(county: &County, conflict: &Conflict, teller: &Teller) -> Result<bool, Fault> {
    let (mut names, mut unaware) = (Vec::new(), Vec::new());
    for place in &county.places {
        if place.store.record(conflict.subject).await?.is_none() {
            continue;
        }
        let open = place.store.conflicts_of(&[conflict.subject]).await?;
        let sees = open.iter().any(|row| row.id == conflict.id.0);
        if sees { &mut unaware } else { &mut names }.push(place.seat.name.as_str());
    }
    let (count, names) = (names.len(), names.join(", "));
    if unaware.is_empty() {
        teller.say(&tr!(
            "处置结果已到达全部 {count} 个相关节点:{names}。",
            "The settlement has reached all {count} nodes concerned: {names}."
        ));
    } else {
        let (concerned, unaware) = (count + unaware.len(), unaware.join(", "));
        teller.say(&tr!(
            "处置结果已到达 {concerned} 个相关节点中的 {count} 个:{names}。",
            "The settlement has reached {count} of {concerned} nodes concerned: {names}."
        ));
        teller.warn(&tr!("仍视为未决:{unaware}", "still open at: {unaware}"));
    }
    Ok(unaware.is_empty())
}
