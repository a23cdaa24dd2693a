//! What administrators do: reveal, erase, look after the quarantine, and read who did what.

use std::sync::Arc;

use heliu_client::Client;
use heliu_client::administration::{EraseRequest, ListAuditRequest};
use heliu_client::operations::ListQuarantineRequest;
use heliu_client::records::RevealRequest;
use heliu_record::id::{LeafHash, Preimage};
use heliu_replication::frame::{DeliveredLeaf, Delivery, Frame, Leaves};
use heliu_storage::RecordState;
use heliu_trust::commit::{Commit, SignedCommit};
use heliu_trust::id::{Incarnation, seat_id};
use heliu_trust::signature::Signer as _;
use heliu_wire::replication::LinkRequest;

use super::world::{COUNTY, County, OTHER_VILLAGE, Place, TOWNSHIP, VILLAGE, connect_as, key, made, request, until};
use crate::access::{Grant, Role};

pub(super) async fn with(seats: &County, name: &str, place: &Place, roles: &[Role]) -> Client {
    let grant = Grant { name: "clerk".to_owned(), roles: roles.to_vec(), ..Grant::default() };
    let (_, access) = seats.token(name, place.address(), grant);
    let client = Client::open(&access).await.expect("it listens");
    until("the new token is known", async || client.schema().await.is_ok()).await;
    client
}

/// A member of a new branch, with a telephone number that is sealed.
async fn member(place: &Place, contact: &str) -> String {
    let branch = place.found("甲村党支部").await.to_string();
    let arguments = [("name", "王某"), ("branch", branch.as_str()), ("contact", contact)];
    made(&place.node.execute(request("member.register", None, &arguments)).await.expect("it is carried out"))
        .to_string()
}

fn reveal(id: &str) -> RevealRequest {
    RevealRequest { id: id.to_owned(), who: "王五".to_owned(), why: "走访".to_owned(), after: 0 }
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
    assert_eq!(receipt.elsewhere, 0, "nobody is beside or above the county");
    let below = with(&seats, TOWNSHIP, &township, &[Role::Registry]).await;
    let receipt = below.receipt(&id).await.expect("it is erased");
    assert_eq!(receipt.elsewhere, 2, "what the county's two nodes did the township does not hear");
    for place in [&village, &township, &county] {
        let row = place.store.record(id.parse().expect("an id")).await.expect("it reads");
        assert_eq!(row.map(|row| row.state), Some(RecordState::Erased));
    }
    let again = administrator.erase(order()).await.expect("asking again gives the receipt");
    assert_eq!(again.record, id);
    let log = administrator.audit(ListAuditRequest::default()).await.expect("it may");
    let row = log.entries.iter().find(|row| row.action == "record.erase").expect("it is logged");
    assert_eq!((row.who.as_str(), row.role.as_str()), ("clerk", "registry (clerk)"));
}

/// Two leaves that are no changes, in a commit that says to be of the village and that somebody else has signed.
fn hostile(seats: &County) -> Frame {
    let realm = seats.anchor.realm;
    let bytes: [Arc<[u8]>; 2] = [vec![0xff; 300].into(), vec![0x42; 300].into()];
    let commit = Commit {
        realm,
        author: key(VILLAGE).node(),
        incarnation: Incarnation([7; 16]),
        seq: 1,
        previous: None,
        versions: vec![(seat_id(&realm, COUNTY), seats.entry.version)],
        time_ms: 0,
        leaves: vec![LeafHash([1; 32]), LeafHash([2; 32])],
    };
    let commits = vec![Arc::new(SignedCommit::sign(commit, &*key("thief")))];
    let preimage = Preimage { kind: "org".to_owned(), birth: seat_id(&realm, VILLAGE), key: vec![1; 16] };
    let preimage = Arc::new(preimage);
    let leaf = |change: Arc<[u8]>| DeliveredLeaf {
        preimage: Arc::clone(&preimage),
        commit: 0,
        kind_version: 1,
        declared: None,
        change,
    };
    let delivery = Delivery { commits, leaves: bytes.map(leaf).to_vec(), grants: Vec::new() };
    Frame::Leaves(Leaves { sequence: 1, delivery, withdrawn: Vec::new(), through: None })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_refused_is_shown_with_its_bytes_asked_for_again_or_dropped() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    // A village that sends what it has not signed, and what is no change at all.
    let (said, _heard) = connect_as(&seats, VILLAGE, township.address()).await;
    said.send(LinkRequest::from(&hostile(&seats))).await.expect("there is room");
    until("both are set aside", async || township.node.status().await.expect("it answers").counts.quarantined == 2)
        .await;
    let operator = with(&seats, TOWNSHIP, &township, &[Role::Operate, Role::Audit]).await;
    let listed = operator.quarantine(ListQuarantineRequest::default()).await.expect("it may").items;
    let [one, other] = [&listed[0], &listed[1]].map(|item| item.id.clone());
    assert!(listed.iter().all(|item| item.from_node == key(VILLAGE).node().to_string()), "{listed:?}");
    let shown = operator.quarantined(&one[..16]).await.expect("it is there");
    assert_eq!((shown.bytes.len(), shown.item.expect("it says which").bytes), (300, 300));
    assert_eq!(operator.requeue(&one, "again").await.expect("it is there"), "asked");
    operator.drop_quarantined(&other[..8], "hostile").await.expect("it is there");
    assert_eq!(operator.quarantined(&other).await.expect_err("it is gone").reason(), "not_here");
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
