//! People and programs: what a token opens, and what it does not.

use heliu_client::operations::ListQuarantineRequest;
use heliu_client::records::{Condition, ExecuteRequest, HistoryRequest, ListRequest, QueryRequest};
use heliu_client::{Access, Client, Error};

use super::world::{COUNTY, County, OTHER_VILLAGE, Place, TOWNSHIP, VILLAGE, request, until};
use crate::access::{Grant, Role, revoke};

fn grant(roles: &[Role]) -> Grant {
    Grant { name: "clerk".to_owned(), roles: roles.to_vec(), ..Grant::default() }
}

/// A client with a token that the node has taken note of.
async fn client(seats: &County, name: &str, place: &Place, grant: Grant) -> Client {
    let (_, access) = seats.token(name, place.address(), grant);
    let client = Client::open(&access).await.expect("it listens");
    until("the token is known", async || client.schema().await.is_ok()).await;
    client
}

fn create(name: &str) -> ExecuteRequest {
    ExecuteRequest {
        command: "org.create".to_owned(),
        arguments: [("name".to_owned(), name.to_owned())].into_iter().collect(),
        reason: "a test".to_owned(),
        ..ExecuteRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_opens_what_it_is_for() {
    let seats = County::new();
    let village = seats.start(VILLAGE, &[]).await;
    let reader = client(&seats, VILLAGE, &village, grant(&[Role::Read])).await;
    let writer = client(&seats, VILLAGE, &village, grant(&[Role::Write])).await;
    let operator = client(&seats, VILLAGE, &village, grant(&[Role::Operate])).await;

    let made = writer.execute(create("甲村党支部")).await.expect("a writer writes").created.remove(0);
    reader.get(&made).await.expect("a reader reads");
    operator.status().await.expect("an operator asks");
    let history = reader.history(HistoryRequest { id: made.clone(), ..HistoryRequest::default() }).await.expect("read");
    assert_eq!(history.changes[0].who, "clerk", "who gives no name is called as the list calls the bearer");

    let refused = [
        reader.execute(create("乙")).await.expect_err("it only reads"),
        operator.get(&made).await.expect_err("no records for operators"),
        writer.get(&made).await.expect_err("it only writes"),
        reader.quarantine(ListQuarantineRequest::default()).await.expect_err("no operator"),
    ];
    for error in refused {
        assert_eq!((error.reason(), error.code()), ("missing_role", tonic::Code::PermissionDenied), "{error}");
        assert!(!error.next().zh.is_empty() && !error.next().en.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_good_token_nothing_is_answered() {
    let seats = County::new();
    let village = seats.start(VILLAGE, &[]).await;
    let (token, access) = seats.token(VILLAGE, village.address(), grant(&Role::ALL));
    let good = Client::open(&access).await.expect("it listens");
    until("the token is known", async || good.status().await.is_ok()).await;

    let with = async |token: Option<String>| {
        let client = Client::open(&Access { token, ..access.clone() }).await.expect("it listens");
        client.status().await.expect_err("not with this").reason().to_owned()
    };
    assert_eq!(with(None).await, "no_token");
    assert_eq!(with(Some("nonsense".to_owned())).await, "bad_token");
    let (other, _) = seats.token(OTHER_VILLAGE, village.address(), grant(&Role::ALL));
    assert_eq!(with(Some(other.to_string())).await, "bad_token", "that of another node");
    let half = token.to_string();
    assert_eq!(with(Some(format!("heliu_{}_{}", token.id, &"A".repeat(43)))).await, "bad_token", "{}", half.len());

    let expired = Grant { expires_ms: Some(1), ..grant(&Role::ALL) };
    let (expired, _) = seats.token(VILLAGE, village.address(), expired);
    let expired = expired.to_string();
    until("the expired one is named as such", async || with(Some(expired.clone())).await == "expired_token").await;

    for _ in 0..30 {
        with(Some("nonsense".to_owned())).await;
    }
    assert_eq!(with(Some("nonsense".to_owned())).await, "too_many_attempts");
    good.status().await.expect("a good one is let in all the same");

    revoke(&seats.files(VILLAGE).access, &token.id).expect("it is there");
    until("the revoked one is refused", async || good.status().await.is_err()).await;
    let status = village.node.status().await.expect("it answers");
    assert!(status.recent_refusals.iter().any(|refused| refused.code == "bad_token"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_access_list_is_not_taken_and_the_old_one_stays() {
    let seats = County::new();
    let village = seats.start(VILLAGE, &[]).await;
    let clerk = client(&seats, VILLAGE, &village, grant(&[Role::Operate])).await;
    std::fs::write(seats.files(VILLAGE).access, "[{").expect("it is ours");
    until("the problem is shown", async || !village.node.status().await.expect("it answers").problems.is_empty()).await;
    let status = clerk.status().await.expect("the old list stays");
    assert!(status.problems[0].code == "access.form" && status.certificate_not_after_ms.is_some(), "{status:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_not_blamed_for_an_empty_access_list() {
    let seats = County::new();
    std::fs::write(seats.files(VILLAGE).access, "").expect("it is ours");
    let village = seats.start(VILLAGE, &[]).await;
    let (_, access) = seats.token(OTHER_VILLAGE, village.address(), grant(&Role::ALL));
    let pinned = access.pinned.map(|pinned| heliu_client::Pinned { node: village.node.node(), ..pinned });
    let client = Client::open(&Access { pinned, ..access }).await.expect("it listens");
    let error = client.status().await.expect_err("nobody is let in");
    assert_eq!(error.reason(), "no_access_list");
    assert!(error.next().en.contains("heliu doctor"), "{error}");
    let status = village.node.status().await.expect("it answers");
    assert!(status.problems[0].code == "file.empty", "{status:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_or_torn_certificate_is_made_anew_at_the_start() {
    let seats = County::new();
    let files = seats.files(VILLAGE);
    seats.start(VILLAGE, &[]).await.node.shutdown().await.expect("it stops");
    let whole = std::fs::read(&files.certificate).expect("it is there");
    for (file, torn) in [(&files.certificate, &[][..]), (&files.certificate, &whole[..40]), (&files.key, &[][..])] {
        std::fs::write(file, torn).expect("it is ours");
        let village = seats.start(VILLAGE, &[]).await;
        let status = village.node.status().await.expect("it answers");
        assert!(status.certificate_not_after_ms.is_some() && status.problems.is_empty(), "{status:?}");
        village.node.shutdown().await.expect("it stops");
    }
    std::fs::remove_file(&files.key).expect("it is ours");
    seats.start(VILLAGE, &[]).await.node.shutdown().await.expect("one of the two was lost, and it starts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_speaks_to_a_node_with_tls_without_is_told_so() {
    let seats = County::new();
    let village = seats.start(VILLAGE, &[]).await;
    let plain = Access::plain(village.address().to_string());
    let error = Client::open_for_people(&plain).await.expect_err("an address alone does not open it");
    assert_eq!(
        error,
        Error::Address { address: village.address().to_string(), why: heliu_client::BadAddress::Secured }
    );
    assert!(error.next().zh.contains("--access"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_for_some_seats_and_kinds_shows_no_others() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let committee = township.found("镇党委").await.to_string();
    let make = async |command: &str, arguments: &[(&str, &str)]| {
        let done = township.node.execute(request(command, None, arguments)).await.expect("a superior may");
        super::world::made(&done)
    };
    let branch = make("org.create", &[("name", "甲村党支部"), ("seat", VILLAGE)]).await.to_string();
    let ours = make("member.register", &[("name", "镇机关甲"), ("branch", &committee)]).await;
    let theirs = make("member.register", &[("name", "甲"), ("branch", &branch)]).await;

    let roles = [Role::Read, Role::Write];
    let of_kind = |kind: &str| ListRequest { kind: kind.to_owned(), ..ListRequest::default() };
    let all = of_kind("member");
    let of_village = Grant { seats: vec![VILLAGE.to_owned()], ..grant(&roles) };
    let clerk = client(&seats, TOWNSHIP, &township, of_village).await;
    let listed: Vec<String> =
        clerk.list(all.clone()).await.expect("it reads").records.into_iter().map(|r| r.id).collect();
    assert_eq!(listed, [theirs.to_string()]);
    for (field, called) in [("name", "镇机关甲"), ("seat", TOWNSHIP)] {
        let r#where =
            vec![Condition { field: field.to_owned(), any_of: vec![called.to_owned()], ..Condition::default() }];
        let asked = QueryRequest { kind: "member".to_owned(), r#where, ..QueryRequest::default() };
        let page = clerk.query(asked).await.expect("it reads");
        assert!(page.records.is_empty() && page.total == 0, "nor is it found by what it is called: {called}");
    }
    clerk.get(&theirs.to_string()).await.expect("its own");
    for error in [
        clerk.get(&ours.to_string()).await.expect_err("not its own"),
        clerk
            .history(HistoryRequest { id: ours.to_string(), ..HistoryRequest::default() })
            .await
            .expect_err("nor this"),
        clerk.execute(set(&ours.to_string())).await.expect_err("nor to change"),
    ] {
        assert_eq!(error.reason(), "not_here", "{error}");
    }
    clerk.execute(set(&theirs.to_string())).await.expect("its own");
    assert_eq!(clerk.execute(create("乙")).await.expect_err("at the township").reason(), "out_of_scope");

    let of_members = Grant { kinds: vec!["member".to_owned()], ..grant(&roles) };
    let clerk = client(&seats, TOWNSHIP, &township, of_members).await;
    assert!(clerk.list(of_kind("org")).await.expect("it reads").records.is_empty());
    assert_eq!(clerk.execute(create("乙")).await.expect_err("no member").reason(), "out_of_scope");

    let of_township = Grant { seats: vec![TOWNSHIP.to_owned()], kinds: vec!["org".to_owned()], ..grant(&roles) };
    let clerk = client(&seats, TOWNSHIP, &township, of_township).await;
    assert_eq!(clerk.list(of_kind("org")).await.expect("it reads").records.len(), 2, "what is below counts");
    assert!(clerk.list(all).await.expect("it reads").records.is_empty());
    clerk.execute(create("乙")).await.expect("its own seat");
}

fn set(record: &str) -> ExecuteRequest {
    let arguments = [("field", "name"), ("value", "新名")];
    ExecuteRequest {
        command: "record.set".to_owned(),
        subject: record.to_owned(),
        arguments: arguments.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect(),
        ..create("")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_takes_no_other_node_for_the_one_it_wants() {
    let seats = County::new();
    let village = seats.start(VILLAGE, &[]).await;
    let (_, access) = seats.token(COUNTY, village.address(), grant(&Role::ALL));
    let error: Error = Client::open(&access).await.expect_err("it is not the county");
    assert_eq!(error.reason(), "untrusted");
    assert!(error.to_string().contains("another node answers"), "{error}");
}
