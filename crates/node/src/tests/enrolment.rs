//! How machines get in, and are shut out.

use std::time::Duration;

use heliu_client::administration::propose_request::Change;
use heliu_client::administration::{Addresses, Delegate, Fence, MintTokenRequest, ProposeRequest};
use heliu_client::{Access, Client, Error, Pinned};
use heliu_storage::memory::MemoryStore;
use heliu_trust::directory::SignedEntry;
use heliu_trust::id::node_id;
use heliu_trust::signature::Signer as _;
use heliu_trust::token::{JoinRequest, JoinToken};

use super::world::{COUNTY, County, OTHER_VILLAGE, Place, TOWNSHIP, VILLAGE, create, key, memory, sealing, until};
use crate::error::ExecuteError;
use crate::options::Upstream;
use crate::status::{LinkState, Outcome};

const WAIT: Duration = Duration::from_secs(60);

fn propose(change: Change) -> ProposeRequest {
    ProposeRequest { change: Some(change), reason: "a test".to_owned() }
}

fn for_seat(seat: &str, address: std::net::SocketAddr) -> MintTokenRequest {
    MintTokenRequest { seat: seat.to_owned(), seconds: 600, addresses: vec![address.to_string()] }
}

/// A machine that has a token and nothing else, as far as the minter's address.
async fn asks(token: &JoinToken) -> Client {
    let pinned = Pinned { realm: token.realm(), node: node_id("ed25519", &token.minter) };
    let access = Access { addresses: token.addresses.clone(), pinned: Some(pinned), token: None };
    Client::open(&access).await.expect("the minter listens")
}

fn request_of(name: &str, token: &JoinToken) -> Vec<u8> {
    let address = vec![format!("{name}.test:7340")];
    JoinRequest::sign(token.clone(), sealing(name).public(), address, &*key(name)).encode()
}

async fn minted(client: &Client, request: MintTokenRequest) -> JoinToken {
    let minted = client.mint_token(request).await.expect("it may");
    JoinToken::from_text(&minted.token).expect("it is one")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_with_a_token_of_the_township_becomes_a_node_that_the_county_has_entered() {
    let seats = County::new();
    let county = seats.start(COUNTY, &[]).await;
    let township = seats.start(TOWNSHIP, &[county.address()]).await;
    let administrator = seats.client(COUNTY, &county).await;
    let clerk = seats.client(TOWNSHIP, &township).await;
    let may_not = clerk.mint_token(for_seat(VILLAGE, township.address())).await.expect_err("nobody has delegated it");
    assert_eq!(may_not.reason(), "not_allowed", "{may_not}");

    let delegate = Change::Delegate(Delegate { seat: TOWNSHIP.to_owned(), active: true });
    administrator.propose(propose(delegate)).await.expect("it holds the issuer's key");
    let (node, addresses) = (key(TOWNSHIP).node().to_string(), vec![township.address().to_string()]);
    let there = Change::Addresses(Addresses { node: node[..12].to_owned(), addresses });
    assert!(!administrator.propose(propose(there)).await.expect("it holds the issuer's key").needs_second);
    until("the township knows both", async || township.node.directory().len() == 3).await;
    let elsewhere = clerk.mint_token(for_seat(COUNTY, township.address())).await.expect_err("above its own seat");
    assert_eq!(elsewhere.reason(), "not_allowed");

    let token = minted(&clerk, for_seat(VILLAGE, township.address())).await;
    let newcomer = asks(&token).await;
    let answer = newcomer.join(request_of("newcomer", &token)).await.expect("the county enters it");
    let again = newcomer.join(request_of("newcomer", &token)).await.expect("the same answer");
    assert_eq!(again, answer);
    assert_eq!(answer.upstreams.len(), 1, "{answer:?}");
    assert_eq!(answer.upstreams[0].node, node);

    let mut options = seats.options("newcomer", &[]);
    let entries = answer.directory.iter().map(|bytes| SignedEntry::decode(bytes).expect("an entry"));
    options.directory = entries.collect();
    options.upstreams = vec![Upstream::at(answer.upstreams[0].addresses.clone())];
    let village = Place::start(options, memory("newcomer")).await;
    let record = village.found("甲村党支部").await;
    county.shows(record, "name", "甲村党支部").await;
    let verified = village.node.verify("", WAIT).await.expect("it answers");
    assert_eq!(verified[0].outcome, Outcome::Equal, "{verified:?}");
    let second = administrator.nodes().await.expect("it answers");
    let listed = second.iter().find(|node| node.node == key("newcomer").node().to_string()).expect("it is enrolled");
    assert!(listed.second && !listed.fenced && listed.approved_by == node, "{listed:?}");

    let thief = newcomer.join(request_of("thief", &token)).await.expect_err("the token is used up");
    assert_eq!(thief.reason(), "used");
    assert!(thief.what().en.contains("used by another machine") && !thief.next().zh.is_empty(), "{thief}");
    let status = township.node.status().await.expect("it answers");
    assert!(status.recent_refusals.iter().any(|refused| refused.code == "join_refused"), "{status:?}");
    let actions = actions(&clerk).await;
    assert!(actions.iter().any(|action| action == "token.mint"), "{actions:?}");
}

async fn actions(client: &Client) -> Vec<String> {
    let log = client.audit(heliu_client::administration::ListAuditRequest::default()).await.expect("it may");
    log.entries.into_iter().map(|entry| entry.action).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_token_lets_nobody_in_and_only_the_issuers_node_can_revoke() {
    let seats = County::new();
    let county = seats.start(COUNTY, &[]).await;
    let township = seats.start(TOWNSHIP, &[county.address()]).await;
    let administrator = seats.client(COUNTY, &county).await;
    let token = minted(&administrator, for_seat(VILLAGE, county.address())).await;
    let revoke = || propose(Change::RevokeToken(token.id.to_string()));
    let clerk = seats.client(TOWNSHIP, &township).await;
    assert_eq!(clerk.propose(revoke()).await.expect_err("it lacks the key").reason(), "no_issuer");
    administrator.propose(revoke()).await.expect("it holds the key");
    let error = asks(&token).await.join(request_of("newcomer", &token)).await.expect_err("it is revoked");
    assert_eq!(error.reason(), "revoked", "{error}");
    let page = administrator.directory(heliu_client::administration::ListDirectoryRequest::default()).await;
    let page = page.expect("it answers");
    assert_eq!((page.length, page.entries.len()), (2, 2));
    assert!(page.entries[1].items[0].en.contains(&token.id.to_string()), "{:?}", page.entries[1]);
    assert!(page.entries[0].items.last().expect("the rest").en.len() > 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_goes_on_asking_with_what_is_no_token_is_not_heard_and_shuts_out_no_machine_that_has_one() {
    let seats = County::new();
    let county = seats.start(COUNTY, &[]).await;
    let administrator = seats.client(COUNTY, &county).await;
    let token = minted(&administrator, for_seat(VILLAGE, county.address())).await;
    let newcomer = asks(&token).await;
    let good = request_of("newcomer", &token);
    let mut turned = good.clone();
    let last = turned.len() - 1;
    turned[last] ^= 1;
    let mut grown = good.clone();
    grown.extend([0; 64]);
    let hostile: [(Vec<u8>, &str); 5] = [
        (Vec::new(), "bad_value"),
        (vec![0xff; 4_000], "bad_value"),
        (good[..good.len() / 2].to_vec(), "bad_value"),
        (grown, "bad_value"),
        (turned.clone(), "bad_signature"),
    ];
    for (bytes, reason) in hostile {
        let error: Error = newcomer.join(bytes).await.expect_err("it is none");
        assert_eq!(error.reason(), reason, "{error}");
    }
    assert!(newcomer.join(vec![0; 64 * 1024]).await.is_err(), "more than one request can have");
    for _ in 0..25 {
        let _ = newcomer.join(Vec::new()).await;
    }
    let forged = request_of("thief", &JoinToken { minter: key("thief").public_key(), ..token.clone() });
    for bad in [Vec::new(), turned, forged] {
        let error = newcomer.join(bad).await.expect_err("this address is not heard for a while");
        assert_eq!(error.reason(), "too_many_attempts", "{error}");
    }
    let answer = newcomer.join(good.clone()).await.expect("behind the same address is a machine with a good token");
    assert_eq!(newcomer.join(good).await.expect("it asks again after a lost answer"), answer);
    let error = newcomer.join(request_of("thief", &token)).await.expect_err("it was used");
    assert_eq!(error.reason(), "too_many_attempts", "{error}");
    administrator.status().await.expect("others are");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fenced_node_is_cut_off_and_both_ends_say_why() {
    let seats = County::new();
    let county = seats.start(COUNTY, &[]).await;
    let township = seats.start(TOWNSHIP, &[county.address()]).await;
    let village: Place<MemoryStore> = seats.start(OTHER_VILLAGE, &[township.address()]).await;
    let record = village.found("乙村党支部").await;
    county.has(record).await;
    let administrator = seats.client(COUNTY, &county).await;
    let node = key(OTHER_VILLAGE).node().to_string();
    let fence = Change::Fence(Fence { node: node.clone(), ..Fence::default() });
    administrator.propose(propose(fence)).await.expect("it holds the issuer's key");

    let says_so = |why: &str| why.contains("fence");
    until("the village is told", async || {
        let link = village.link().await;
        link.state == LinkState::Refused && link.last_error.is_some_and(|(why, _)| says_so(&why))
    })
    .await;
    until("the township shows it", async || {
        let status = township.node.status().await.expect("it answers");
        let refused = status.recent_refusals.iter().find(|refused| refused.code == "fenced");
        refused.is_some_and(|refused| refused.node == Some(key(OTHER_VILLAGE).node()))
    })
    .await;
    let alarms = seats.client(TOWNSHIP, &township).await.alarms().await.expect("it may");
    assert!(alarms.iter().any(|alarm| alarm.code == "refused_peers"), "{alarms:?}");
    until("the village writes nothing any more", async || {
        matches!(village.node.execute(create("丙")).await, Err(ExecuteError::Refused(why)) if why.code == "fenced")
    })
    .await;
    let alarms = village.node.alarms().await.expect("it answers");
    assert!(alarms.iter().any(|alarm| alarm.code == "fenced"), "{alarms:?}");
    county.shows(record, "name", "乙村党支部").await;
    let listed = administrator.nodes().await.expect("it answers");
    assert!(listed.iter().any(|listed| listed.node == node && listed.fenced), "{listed:?}");
}
