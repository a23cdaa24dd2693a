//! What administrators do: reveal, erase, look after the quarantine, and read who did what.

use std::sync::Arc;

use heliu_client::Client;
use heliu_client::administration::{EraseRequest, ListAuditRequest};
use heliu_client::operations::ListQuarantineRequest;
use heliu_client::records::RevealRequest;
use heliu_storage::memory::MemoryStore;
use heliu_storage::{QuarantineRow, RecordState, Transaction, Write as _};
use heliu_trust::signature::Signer as _;

use super::world::{COUNTY, County, OTHER_VILLAGE, Place, TOWNSHIP, VILLAGE, key, made, memory, request, until};
use crate::access::{Grant, Role};

async fn with(seats: &County, name: &str, place: &Place<MemoryStore>, roles: &[Role]) -> Client {
    let grant = Grant { name: "clerk".to_owned(), roles: roles.to_vec(), ..Grant::default() };
    let (_, access) = seats.token(name, place.address(), grant);
    let client = Client::open(&access).await.expect("it listens");
    until("the new token is known", async || client.schema().await.is_ok()).await;
    client
}

/// A member of a new branch, with a telephone number that is sealed.
async fn member(place: &Place<MemoryStore>, contact: &str) -> String {
    let branch = place.found("甲村党支部").await.to_string();
    let arguments = [("name", "王某"), ("branch", branch.as_str()), ("contact", contact)];
    made(&place.node.execute(request("member.register", None, &arguments)).await.expect("it is carried out"))
        .to_string()
}

fn reveal(id: &str) -> RevealRequest {
    RevealRequest { id: id.to_owned(), who: "王五".to_owned(), why: "走访".to_owned() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sealed_fields_are_shown_to_who_may_and_the_audit_log_says_who_and_why() {
    let seats = County::new();
    let county = seats.start(COUNTY, &[]).await;
    let township = seats.start(TOWNSHIP, &[county.address()]).await;
    let village = seats.start(VILLAGE, &[township.address()]).await;
    let id = member(&village, "139-0530-7777").await;
    let reader = with(&seats, VILLAGE, &village, &[Role::Read, Role::Audit]).await;
    let revealer = with(&seats, VILLAGE, &village, &[Role::Reveal]).await;
    assert!(!reader.get(&id).await.expect("it reads").view_json.contains("7777"));
    assert_eq!(reader.reveal(reveal(&id)).await.expect_err("it only reads").reason(), "missing_role");
    let revealed = revealer.reveal(reveal(&id)).await.expect("it may");
    let contact = revealed.iter().find(|field| field.field == "contact").expect("it is sealed");
    assert_eq!((contact.values.as_slice(), contact.locked), (["139-0530-7777".to_owned()].as_slice(), 0));

    let log = reader.audit(ListAuditRequest::default()).await.expect("it may");
    let row = log.entries.iter().find(|row| row.action == "record.reveal").expect("it is logged");
    assert_eq!((row.who.as_str(), row.detail.as_str(), row.subject.as_str()), ("王五", "走访", id.as_str()));
    assert_eq!(row.role, "reveal (clerk)");
    assert_eq!(revealer.audit(ListAuditRequest::default()).await.expect_err("no auditor").reason(), "missing_role");
    let walked = reader.verify_audit().await.expect("it may");
    assert_eq!((walked.broken_at, walked.entries, walked.told_matches), (None, log.length, true));

    // The county carries the record, and cannot read it.
    let official = with(&seats, COUNTY, &county, &[Role::Reveal]).await;
    until("the county has the record", async || official.reveal(reveal(&id)).await.is_ok()).await;
    let locked = official.reveal(reveal(&id)).await.expect("it may ask");
    assert!(locked.iter().all(|field| field.values.is_empty()) && locked.iter().any(|field| field.locked == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_record_is_gone_from_three_nodes_and_the_receipt_names_them() {
    let seats = County::new();
    let county = seats.start(COUNTY, &[]).await;
    let township = seats.start(TOWNSHIP, &[county.address()]).await;
    let village = seats.start(VILLAGE, &[township.address()]).await;
    let id = member(&village, "139-0530-7777").await;
    county.has(id.parse().expect("an id")).await;

    let own = with(&seats, VILLAGE, &village, &[Role::Registry]).await;
    let order = || EraseRequest { record: id.clone(), reason: "本人申请".to_owned(), who: String::new() };
    assert_eq!(own.erase(order()).await.expect_err("it made the record").reason(), "no_superior");
    let unknown = own.receipt(&id).await.expect_err("it is not erased");
    assert_eq!(unknown.reason(), "not_here");

    let administrator = with(&seats, COUNTY, &county, &[Role::Registry, Role::Audit, Role::Read]).await;
    let receipt = administrator.erase(order()).await.expect("a superior may");
    assert_eq!((receipt.kind.as_str(), receipt.ordered_by), ("member", key(COUNTY).node().to_string()));
    for name in [COUNTY, TOWNSHIP, VILLAGE] {
        until(&format!("{name} has confirmed"), async || {
            let receipt = administrator.receipt(&id).await.expect("it is erased");
            receipt.confirmed.iter().any(|line| line.node == key(name).node().to_string() && line.at_ms > 0)
        })
        .await;
    }
    let receipt = administrator.receipt(&id).await.expect("it is erased");
    let silent: Vec<&str> = receipt.silent.iter().map(|line| line.node.as_str()).collect();
    assert!(silent.contains(&key(OTHER_VILLAGE).node().to_string().as_str()), "that one is off: {receipt:?}");
    for place in [&village, &township, &county] {
        let row = heliu_storage::Read::record(&*place.store, id.parse().expect("an id")).await.expect("it reads");
        assert_eq!(row.map(|row| row.state), Some(RecordState::Erased));
    }
    let again = administrator.erase(order()).await.expect("asking again gives the receipt");
    assert_eq!(again.record, id);
    let log = administrator.audit(ListAuditRequest::default()).await.expect("it may");
    let row = log.entries.iter().find(|row| row.action == "record.erase").expect("it is logged");
    assert_eq!((row.who.as_str(), row.role.as_str()), ("clerk", "registry (clerk)"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_refused_is_shown_with_its_bytes_asked_for_again_or_dropped() {
    let seats = County::new();
    let store = memory(TOWNSHIP);
    let rows: Vec<QuarantineRow> = (1..=2)
        .map(|n| QuarantineRow {
            id: [n; 32],
            record: None,
            from: Some(key(VILLAGE).node()),
            code: "commit.bad-signature".to_owned(),
            reason: "its signature does not match".to_owned(),
            at_ms: 1,
            bytes: vec![0xff; 300],
        })
        .collect();
    store.apply(&Transaction { quarantined: rows, ..Transaction::default() }).await.expect("it is taken");
    let township = Place::start(seats.options(TOWNSHIP, &[]), Arc::clone(&store)).await;
    let operator = with(&seats, TOWNSHIP, &township, &[Role::Operate, Role::Audit]).await;
    let listed = operator.quarantine(ListQuarantineRequest::default()).await.expect("it may").items;
    assert_eq!(listed.len(), 2);
    let shown = operator.quarantined(&"01".repeat(8)).await.expect("it is there");
    assert_eq!((shown.bytes.len(), shown.item.expect("it says which").bytes), (300, 300));
    assert_eq!(operator.requeue(&"01".repeat(32), "again").await.expect("it is there"), "asked");
    operator.drop_quarantined(&"02".repeat(32), "hostile").await.expect("it is there");
    assert_eq!(operator.quarantined(&"02".repeat(8)).await.expect_err("it is gone").reason(), "not_here");
    let left = operator.quarantine(ListQuarantineRequest::default()).await.expect("it may").items;
    assert!(left.is_empty(), "{left:?}");
    let log = operator.audit(ListAuditRequest::default()).await.expect("it may").entries;
    let actions: Vec<(&str, &str)> = log.iter().map(|row| (row.action.as_str(), row.detail.as_str())).collect();
    assert_eq!(actions, [("quarantine.requeue", "again"), ("quarantine.drop", "hostile")]);
    for error in [
        operator.reissue(&"03".repeat(32), "").await.map(drop).expect_err("there is none"),
        operator.discard(&"03".repeat(32), "").await.expect_err("there is none"),
    ] {
        assert_eq!(error.reason(), "not_here", "{error}");
    }
}
