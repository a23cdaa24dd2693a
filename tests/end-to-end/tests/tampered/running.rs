//! Rows that rot, or that somebody edits, while their node runs.

use end_to_end::command_line::heliu;
use end_to_end::patience::until;
use end_to_end::realm::Realm;
use heliu_client::records::ListRequest;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

/// More than the patrol sees before it is asked.
const ORGS: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_rot_while_their_node_runs_are_not_shown_and_are_made_anew() {
    let realm = Realm::init(&["C"]).await;
    let (_node, desk) = realm.start("C").await;
    let mut orgs = Vec::new();
    for number in 0..ORGS {
        orgs.push(desk.makes("org.create", &[("name", &format!("党支部{number}"))]).await);
    }
    let file = realm.node_folder("C").join("data").join("heliu.db");
    let mut connection = SqliteConnectOptions::new().filename(&file).connect().await.expect("it opens");
    let edit = "UPDATE records SET view = CAST(replace(CAST(view AS TEXT), '党支部', '假支部') AS BLOB)";
    let edited = sqlx::query(edit).execute(&mut connection).await.expect("it is taken");
    assert_eq!(edited.rows_affected(), ORGS as u64);
    sqlx::Connection::close(connection).await.expect("it closes");

    let page = desk.client.list(ListRequest { limit: 1_000, ..ListRequest::default() }).await.expect("it answers");
    assert_eq!(page.records.len() + page.damaged.len(), ORGS, "the others are shown, these are told");
    assert!(!page.damaged.is_empty() && page.damaged.iter().all(|id| orgs.contains(id)));
    assert!(page.records.iter().all(|record| !record.view_json.contains('假')), "what is not true is not shown");
    let dir = realm.dir("C");
    until("all are as they were", async || {
        let shown = heliu(&["list", "--limit", "0", "--dir", &dir]).await.exits(0);
        !shown.out.contains("damaged") && shown.out.matches("党支部").count() == ORGS
    })
    .await;
    let _ = heliu(&["quarantine", "list", "--dir", &dir]).await.exits(0).answers("damaged in this node's store");
}
