//! What becomes of what a stolen machine has written: changes that a fence excludes by name, honest edits that stood on
//! them, and a node of which nothing is kept.

use end_to_end::command_line::{Said, heliu};
use end_to_end::patience::until;
use end_to_end::realm::Realm;
use end_to_end::seats::code;

async fn at(realm: &Realm, name: &str, line: &str) -> Said {
    let dir = realm.dir(name);
    let words: Vec<&str> = line.split_whitespace().chain(["--dir", &dir]).collect();
    heliu(&words).await
}

async fn node_of(realm: &Realm, name: &str) -> String {
    let nodes = at(realm, "C", "nodes --json").await.exits(0).json();
    let of = nodes["nodes"].as_array().expect("nodes").iter().find(|node| node["seat"]["code"] == code(name));
    of.and_then(|node| node["node"].as_str()).expect("it is enrolled").to_owned()
}

async fn names(realm: &Realm, name: &str, org: &str, to: &str) {
    let line = format!("do record.set {org} field=name value={to}");
    let _ = at(realm, name, &line).await.exits(0);
}

async fn is_named(realm: &Realm, name: &str, org: &str, now: &str) {
    let get = format!("get {org} --json");
    let is_so = async || at(realm, name, &get).await.out.contains(&format!("\"name\":\"{now}\""));
    until(&format!("{org} is {now} at {name}"), is_so).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_thief_wrote_is_excluded_by_name_and_who_built_on_it_decides_what_becomes_of_that() {
    let realm = Realm::init(&["C", "T1", "V11"]).await;
    let (mut county_node, county) = realm.start("C").await;
    let (mut township_node, _) = realm.start("T1").await;
    let (mut village_node, village) = realm.start("V11").await;
    let mut orgs = Vec::new();
    for name in ["一村党支部", "二村党支部"] {
        orgs.push(village.makes("org.create", &[("name", name)]).await);
    }
    for org in &orgs {
        until("it has come up", async || county.record(org).await.is_some()).await;
    }
    // A thief at the village's machine; the township writes upon it, and the county, cut off, writes the same.
    assert!(county_node.stop().await.success());
    for org in &orgs {
        names(&realm, "V11", org, "假支部").await;
        is_named(&realm, "T1", org, "假支部").await;
        names(&realm, "T1", org, "镇改支部").await;
    }
    assert!(village_node.stop().await.success() && township_node.stop().await.success());
    let (_county_node, _) = realm.start("C").await;
    for org in &orgs {
        names(&realm, "C", org, "县改支部").await;
    }
    let (_township_node, _) = realm.start("T1").await;
    until("all is at the county", async || at(&realm, "T1", "verify").await.code == 0).await;

    let node = node_of(&realm, "V11").await;
    let mut forged = Vec::new();
    for org in &orgs {
        let history = at(&realm, "C", &format!("history {org} --json")).await.exits(0).json();
        let is_forged = |change: &&serde_json::Value| change["puts"][0]["value"] == "假支部";
        let change = history["changes"].as_array().expect("changes").iter().find(is_forged).expect("it is there");
        let short = change["leaf"].as_str().expect("an id")[..8].to_owned();
        let _ = at(&realm, "C", &format!("history {org}")).await.exits(0).answers(&format!("change {short}\n"));
        let commit = change["commit"].as_str().expect("an id");
        let fence = format!("fence {node} --exclude {commit} --reason theft --yes");
        let _ = at(&realm, "C", &fence).await.exits(1).complains("no change").complains("heliu history RECORD");
        forged.push(short);
    }
    let fence = format!("fence {node} --exclude {} --exclude {} --reason theft --yes", forged[0], forged[1]);
    let _ = at(&realm, "C", &fence).await.exits(0).answers("but for the 2 changes that are named");

    until("the township sees what it is left with", async || {
        at(&realm, "T1", "stranded list").await.out.contains("2 in all")
    })
    .await;
    let shown = at(&realm, "T1", "stranded list").await.exits(0).answers("stood on changes that were excluded");
    let _ = shown.answers("somebody has written the same meanwhile (field: name)");
    let _ = at(&realm, "T1", "alarms").await.exits(0).answers("heliu stranded list");
    let listed = at(&realm, "T1", "stranded list --json").await.exits(0).json();
    let edit_of = |org: &str| {
        let all = listed["stranded"].as_array().expect("edits");
        let edit = all.iter().find(|edit| edit["record"] == org && edit["stranding"] == "edit").expect("it is there");
        edit["edit"].as_str().expect("an id")[..8].to_owned()
    };
    let (again, given_up) = (edit_of(&orgs[0]), edit_of(&orgs[1]));
    let reissue = format!("stranded reissue {again} --reason checked");
    let _ = at(&realm, "T1", &reissue).await.exits(0).answers("Written anew on top of what the record is now");
    let _ = at(&realm, "T1", &reissue).await.exits(1).complains("heliu stranded list");
    let discarded = at(&realm, "T1", &format!("stranded discard {given_up} --json")).await.exits(0).json();
    assert_eq!(discarded["discarded"], given_up);
    is_named(&realm, "C", &orgs[0], "镇改支部").await;
    is_named(&realm, "T1", &orgs[1], "县改支部").await;
    let _ = at(&realm, "T1", "stranded list").await.exits(0).answers("0 in all");
    let _ = at(&realm, "T1", "alarms").await.exits(0).answers("no alarms");
    let _ = at(&realm, "T1", "audit list").await.exits(0).answers("write an edit anew");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_node_whose_key_was_never_its_own_nothing_is_kept() {
    let realm = Realm::init(&["C", "V11"]).await;
    let (_county_node, county) = realm.start("C").await;
    let (mut village_node, village) = realm.start("V11").await;
    let org = village.makes("org.create", &[("name", "假支部")]).await;
    until("it has come up", async || county.record(&org).await.is_some()).await;
    assert!(village_node.stop().await.success());
    let node = node_of(&realm, "V11").await;
    let own = node_of(&realm, "C").await;
    let _ =
        at(&realm, "C", &format!("fence {own} --reason slip --yes")).await.exits(4).complains("does not fence itself");
    let fence = format!("fence {node} --nothing --reason leaked --yes");
    let _ = at(&realm, "C", &fence).await.exits(0).answers("everything that it wrote is excluded");
    // The record is known to have been, and says nothing any more.
    let _ =
        at(&realm, "C", &format!("history {org}")).await.exits(0).answers("! excluded").answers("its author is fenced");
    let shown = at(&realm, "C", &format!("get {org}")).await.exits(0);
    assert!(!shown.out.contains("假支部"), "{shown:?}");
    let listed = at(&realm, "C", "directory list --json").await.exits(0).json();
    let last = listed["entries"].as_array().and_then(|entries| entries.last()).expect("entries");
    assert!(last["items"][0]["en"].as_str().is_some_and(|said| said.contains("is fenced")), "{last}");
}
