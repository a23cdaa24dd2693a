//! Nodes that cannot do what they should: a superior that is away, a store that is taken, a port that is taken.

use end_to_end::command_line::heliu;
use end_to_end::patience::until;
use end_to_end::realm::Realm;
use end_to_end::seats::code;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_superior_that_cannot_be_reached_is_told_and_the_node_works_on() {
    let realm = Realm::init(&["C", "T1", "-V11"]).await;
    let (mut node, township) = realm.start("T1").await;
    let (dir, superior) = (realm.dir("T1"), realm.address("C").to_string());
    until("the first attempt has failed", async || heliu(&["peers", "--dir", &dir]).await.out.contains("refused"))
        .await;
    let said = heliu(&["peers", "--dir", &dir]).await.exits(0).answers("parent");
    let said = said.answers(&format!("Cannot reach {superior}: Connection refused")).answers("keeps trying");
    let _ = said.answers("check that the other runs, its address, and the network");
    let said = heliu(&["status", "--dir", &dir]).await.exits(0).answers("takes reads and writes");
    let _ = said.answers("1 down (see heliu peers)").answers(&superior).answers("refused");
    let _ = heliu(&["verify", "--dir", &dir]).await.exits(1).answers("not connected");

    let branch = township.makes("org.create", &[("name", "一村党支部"), ("seat", &code("V11"))]).await;
    assert!(node.runs());
    let (_county_node, county) = realm.start("C").await;
    until("the link comes about by itself", async || county.record(&branch).await.is_some()).await;
    until("it is proven equal", async || township.unequal().await.is_ok_and(|links| links.is_empty())).await;
    let said = heliu(&["peers", "--dir", &dir]).await.exits(0).answers("live").answers("测试县");
    assert!(!said.out.contains("Cannot reach"), "{said:?}");
    let _ = heliu(&["verify", "--dir", &dir]).await.exits(0).answers("1 of 1 link(s) equal");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_one_store_is_turned_away_and_the_first_goes_on() {
    let realm = Realm::init(&["C"]).await;
    let (mut first, county) = realm.start("C").await;
    let org = county.makes("org.create", &[("name", "县委")]).await;

    let folder = realm.node_folder("C");
    let folder = folder.to_str().expect("plain");
    let said = heliu(&["node", "--dir", folder]).await.exits(5).complains("is in use by another process");
    let _ = said.complains("only one node at a time").complains("stop that node first");
    assert!(first.runs());
    assert_eq!(county.view(&org).await["name"], "县委");
    county.does("record.set", &org, &[("field", "name"), ("value", "中共县委")]).await;

    // Let go of by a process that was killed, the store is there for the next.
    first.kill_nine().await;
    let (_second, county) = realm.start("C").await;
    assert_eq!(county.view(&org).await["name"], "中共县委");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_is_told() {
    let realm = Realm::init(&["C", "T1"]).await;
    let (_node, _county) = realm.start("C").await;
    let taken = realm.address("C").to_string();
    let mut second = realm.spawn_with("T1", &[("HELIU_LISTEN", &taken)]);
    assert_eq!(second.ends().await.code(), Some(1));
    assert!(second.log().contains(&format!("cannot listen on {taken}")), "{}", second.log());
    assert!(second.log().contains("what to do"), "{}", second.log());
}
