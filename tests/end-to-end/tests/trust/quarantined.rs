//! What a node sets aside is looked at, judged anew, and taken off the list by its operators.

use std::path::Path;

use end_to_end::command_line::heliu;
use end_to_end::patience::until;
use end_to_end::realm::Realm;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

/// The disk rots: every change that the store holds is another.
async fn rot(store: &Path) {
    let options = SqliteConnectOptions::new().filename(store);
    let mut connection = options.connect().await.expect("it opens");
    let sql = "UPDATE feed SET change = CAST(zeroblob(length(change)) AS BLOB) WHERE length(change) > 0";
    let done = sqlx::query(sql).execute(&mut connection).await.expect("it is taken");
    assert!(done.rows_affected() >= 2);
    sqlx::Connection::close(connection).await.expect("it closes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_rotted_is_told_shown_asked_for_again_and_dropped() {
    let realm = Realm::init(&["C", "T1"]).await;
    let (_county_node, county) = realm.start("C").await;
    let (mut node, township) = realm.start("T1").await;
    let mut orgs = Vec::new();
    for name in ["一支部", "二支部"] {
        let org = township.makes("org.create", &[("name", name)]).await;
        until("the county has it", async || county.record(&org).await.is_some()).await;
        orgs.push(org);
    }
    assert!(node.stop().await.success());
    rot(&realm.node_folder("T1").join("data/heliu.db")).await;
    let (_node, _) = realm.start("T1").await;
    let dir = realm.dir("T1");
    let told = async |line: &str| {
        let words: Vec<&str> = line.split_whitespace().chain(["--dir", &dir]).collect();
        heliu(&words).await
    };
    // It is found when somebody needs it, and comes again by itself.
    for org in &orgs {
        let line = format!("do record.set {org} field=name value=改名支部");
        let _ = told(&line).await.exits(5).complains("damaged").complains("quarantine");
        until("the county has sent it again", async || told(&line).await.code == 0).await;
    }
    let shown = told("quarantine list").await.exits(0).answers("2 in all").answers("damaged in this node's store");
    let _ = shown.answers("here").answers("what: a change");
    let listed = told("quarantine list --json").await.exits(0).json();
    let items = listed["quarantine"].as_array().expect("items");
    let ids: Vec<&str> = items.iter().filter_map(|item| item["id"].as_str()).collect();
    let (first, second) = (&ids[0][..8], &ids[1][..8]);

    let whole = told(&format!("quarantine show {first}")).await.exits(0).answers("this node's own store");
    let _ = whole.answers("  0000  00000000000000000000000000000000");
    let json = told(&format!("quarantine show {first} --json")).await.exits(0).json();
    assert!(json["hex"].as_str().is_some_and(|hex| hex.bytes().all(|digit| digit == b'0')), "{json}");
    let again = told(&format!("quarantine requeue {first} --reason disk_replaced")).await.exits(0);
    let _ = again.answers("asked to send it again");
    let dropped = told(&format!("quarantine drop {second} --reason seen --json")).await.exits(0).json();
    assert_eq!(dropped["dropped"], second);
    for line in ["requeue", "drop", "show"] {
        let gone = told(&format!("quarantine {line} {second}")).await.exits(1);
        let _ = gone.complains("heliu quarantine list");
    }
    let _ = told("quarantine list").await.exits(0).answers("0 in all");
    let _ = told("audit list").await.exits(0).answers("judge anew").answers("disk_replaced");
}
