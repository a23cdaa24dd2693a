//! Every list ends by bytes as well as by rows: nothing in it, however long, stands in the way of the rest.

use std::collections::BTreeSet;

use heliu_client::Client;
use heliu_client::administration::{ListAuditRequest, ListDirectoryRequest};
use heliu_client::operations::{GetConflictRequest, ListConflictsRequest, ListQuarantineRequest};
use heliu_client::records::{GetRequest, HistoryRequest, ListRequest, ListResponse};
use heliu_record::conflict::{Conflict, ConflictId, ConflictValue, Explanation, Severity};
use heliu_record::id::{Actor, RecordId};
use heliu_storage::{ConflictRow, RecordRow, Transaction};
use prost::Message;
use serde_json::{Value, json};

use super::world::{County, Place, TOWNSHIP, memory};

const NAMES: usize = 10_000;
const PAGE: usize = 512 * 1024;

fn names() -> Vec<String> {
    (0..NAMES).map(|n| format!("{}{n}", "某某村党支部委员会".repeat(4))).collect()
}

fn conflict(record: RecordId, names: &[String]) -> Conflict {
    let value = |(op, name): (u64, &String)| ConflictValue {
        value: name.as_str().into(),
        record,
        seat: None,
        actor: Actor([7; 16]),
        op,
        who: "王五".to_owned(),
        time_ms: 0,
    };
    let values: Vec<ConflictValue> = (1..).zip(names).map(value).collect();
    Conflict {
        id: ConflictId(record.0),
        kind: "DIVERGED_FIELD".to_owned(),
        severity: Severity::Advisory,
        subject: record,
        field: "name".to_owned(),
        values,
        provisional: "甲".into(),
        resolver: None,
        anchors: BTreeSet::from([record]),
        explanation: Explanation::new(names.join(" / "), names.join(" / ")),
        quotes: BTreeSet::new(),
    }
}

/// What a store holds after somebody wrote ten thousand names side by side, or settled what never was.
async fn spoil(place: &Place, records: &[RecordId], spoilt: impl Fn(Value) -> Value, conflicts: bool) {
    let names = names();
    for record in records {
        let row = place.store.record(*record).await.expect("it reads").expect("it is there");
        let view = spoilt(serde_json::from_slice(&row.view).expect("JSON")).to_string().into_bytes();
        let conflict = conflict(*record, &names);
        let open = ConflictRow {
            id: conflict.id.0,
            kind: conflict.kind.clone(),
            anchors: vec![*record],
            body: serde_json::to_vec(&conflict).expect("JSON"),
        };
        let transaction = Transaction {
            records: vec![RecordRow { view, ..row }],
            conflicts_opened: if conflicts { vec![open] } else { Vec::new() },
            ..Transaction::default()
        };
        place.store.apply(&transaction).await.expect("it is written");
    }
}

async fn township(page_bytes: usize) -> (County, Place, Client, Vec<RecordId>) {
    let seats = County::new();
    let mut options = seats.options(TOWNSHIP, &[]);
    options.bounds.page_bytes = page_bytes;
    // Nothing that a test writes past the engine is made anew.
    options.patrol_round = std::time::Duration::from_secs(365 * 24 * 60 * 60);
    let place = Place::start(options, memory(TOWNSHIP)).await;
    let mut records = Vec::new();
    for n in 0..20 {
        records.push(place.found(&format!("第{n}党支部")).await);
    }
    let client = seats.client(TOWNSHIP, &place).await;
    (seats, place, client, records)
}

async fn list(client: &Client) -> Vec<ListResponse> {
    let (mut pages, mut after) = (Vec::new(), String::new());
    loop {
        let page = client.list(ListRequest { kind: "org".to_owned(), after, ..ListRequest::default() }).await;
        let page = page.expect("no record stands in the way");
        after = page.next.clone();
        pages.push(page);
        if after.is_empty() {
            return pages;
        }
    }
}

fn is_short(message: &impl Message) {
    assert!(message.encoded_len() <= PAGE + 4_096, "a page of {} bytes", message.encoded_len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_with_ten_thousand_names_block_no_list_and_each_name_can_be_read() {
    let (_seats, place, client, records) = township(PAGE).await;
    let names = names();
    let many = |mut view: Value| {
        view["name_concurrent"] = names.clone().into();
        view
    };
    spoil(&place, &records[..8], many, true).await;

    let pages = list(&client).await;
    pages.iter().for_each(is_short);
    let listed: Vec<_> = pages.into_iter().flat_map(|page| page.records).collect();
    let ids: BTreeSet<&str> = listed.iter().map(|record| record.id.as_str()).collect();
    assert_eq!((listed.len(), ids.len()), (20, 20), "each once");
    let cut: Vec<_> = listed.iter().filter(|record| !record.cuts.is_empty()).collect();
    assert_eq!(cut.len(), 8);
    let view: Value = serde_json::from_str(&cut[0].view_json).expect("it is JSON");
    let shown = view["name_concurrent"].as_array().expect("a list").len() as u64;
    let told = &cut[0].cuts[0];
    assert_eq!((told.path.as_str(), told.shown, told.total), ("name_concurrent", shown, NAMES as u64));

    let record = client.get(&cut[0].id).await.expect("it is there");
    is_short(&record);
    let path = record.cuts[0].path.clone();
    let (mut read, mut after) = (Vec::new(), String::new());
    loop {
        let page = GetRequest { id: record.id.clone(), path: path.clone(), after, limit: 1_000 };
        let page = client.part(page).await.expect("a page of it");
        is_short(&page);
        assert_eq!(page.total, NAMES as u64);
        read.extend(page.elements.into_iter().map(|element| element.value_json));
        after = page.next;
        if after.is_empty() {
            break;
        }
    }
    assert_eq!(read, names.iter().map(|name| json!(name).to_string()).collect::<Vec<_>>());
    let nothing = GetRequest { id: record.id, path: "nothing".to_owned(), ..GetRequest::default() };
    assert_eq!(client.part(nothing).await.expect_err("there is no such part").field(), Some("path"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conflicts_of_ten_thousand_values_are_listed_and_shown_page_by_page() {
    let (_seats, place, client, records) = township(PAGE).await;
    spoil(&place, &records[..8], |view| view, true).await;
    let (mut listed, mut after) = (Vec::new(), String::new());
    loop {
        let page = client.conflicts(ListConflictsRequest { after, ..ListConflictsRequest::default() }).await;
        let page = page.expect("no conflict stands in the way");
        is_short(&page);
        listed.extend(page.conflicts);
        after = page.next;
        if after.is_empty() {
            break;
        }
    }
    assert_eq!(listed.len(), 8);
    for conflict in &listed {
        let values = conflict.cuts.iter().find(|cut| cut.path == "values").expect("it says that there are more");
        assert_eq!((values.shown, values.total), (conflict.values.len() as u64, NAMES as u64));
        assert!(!conflict.explanation.clone().unwrap_or_default().zh.is_empty());
    }
    let of_it = ListConflictsRequest { record: records[3].to_string(), ..ListConflictsRequest::default() };
    assert_eq!(client.conflicts(of_it).await.expect("it answers").conflicts.len(), 1);

    let (mut read, mut after) = (Vec::new(), String::new());
    loop {
        let page = GetConflictRequest { id: listed[0].id.clone(), after, limit: 1_000 };
        let page = client.conflict_page(page).await.expect("a page of it");
        is_short(&page);
        assert_eq!((page.before, page.total), (read.len() as u64, NAMES as u64));
        read.extend(page.conflict.expect("it is there").values.into_iter().map(|value| value.choice));
        after = page.next;
        if after.is_empty() {
            break;
        }
    }
    assert_eq!(read, names());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invented_settlements_leave_the_default_list_as_it_is() {
    let (_seats, place, client, records) = township(PAGE).await;
    let settled = |mut view: Value| {
        view["settle"] =
            (0..60_000).map(|n| (format!("{n:064x}"), json!("x"))).collect::<serde_json::Map<_, _>>().into();
        view
    };
    spoil(&place, &records[..4], settled, false).await;
    let pages = list(&client).await;
    pages.iter().for_each(is_short);
    let listed: Vec<_> = pages.into_iter().flat_map(|page| page.records).collect();
    assert_eq!(listed.len(), 20);
    let cut: Vec<u64> = listed.iter().flat_map(|record| &record.cuts).map(|cut| cut.total).collect();
    assert_eq!(cut, [60_000; 4]);
    for record in &listed {
        let view: Value = serde_json::from_str(&record.view_json).expect("it is JSON");
        assert!(view["name"].as_str().is_some_and(|name| name.ends_with("党支部")), "its name is shown");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_listed_comes_in_pages_of_bytes_that_add_up() {
    let (_seats, place, client, records) = township(1_500).await;
    for n in 0..12 {
        place.set(records[0], "name", &format!("改名{n}")).await.expect("done");
    }
    let pages = list(&client).await;
    assert!(pages.len() > 3 && pages.iter().all(|page| page.encoded_len() < 3_000), "{} pages", pages.len());
    assert_eq!(pages.iter().map(|page| page.records.len()).sum::<usize>(), 20);

    let (mut changes, mut after, mut asked) = (Vec::new(), String::new(), 0);
    loop {
        let page = HistoryRequest { id: records[0].to_string(), after, ..HistoryRequest::default() };
        let page = client.history(page).await.expect("a page");
        changes.extend(page.changes.into_iter().map(|change| change.position));
        (after, asked) = (page.next, asked + 1);
        if after.is_empty() {
            break;
        }
    }
    assert!(changes.len() == 13 && changes.is_sorted() && asked > 3, "{changes:?} in {asked} pages");

    let (mut entries, mut length) = (Vec::new(), 1);
    while (entries.len() as u64) < length {
        let after = entries.last().copied().unwrap_or(0);
        let page = client.audit(ListAuditRequest { after, limit: 0 }).await.expect("a page");
        assert!(page.encoded_len() < 3_000 && !page.entries.is_empty());
        length = page.length;
        entries.extend(page.entries.into_iter().map(|entry| entry.seq));
    }
    assert_eq!(entries, (1..=length).collect::<Vec<_>>());

    assert_eq!(client.seats().await.expect("it has them").len(), 4);
    assert_eq!(client.nodes().await.expect("it has them").len(), 5);
    assert!(client.alarms().await.is_ok() && client.links().await.is_ok());
    assert!(client.quarantine(ListQuarantineRequest::default()).await.expect("a page").items.is_empty());
    let directory = client.directory(ListDirectoryRequest::default()).await.expect("a page");
    assert_eq!(directory.entries.len() as u64, directory.length, "one entry at least, which is not cut");
}
