//! New machines join with one-time tokens, and nobody joins without.

use end_to_end::command_line::heliu;
use end_to_end::patience::until;
use end_to_end::realm::{Realm, token_of};
use end_to_end::seats::code;
use heliu_trust::token::JoinToken;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_township_joins_and_lets_its_village_in_once_it_may() {
    let realm = Realm::init(&["C", "-T1", "-V11", "-T2"]).await;
    let (_county_node, county) = realm.start("C").await;
    let (township, village) = (realm.machine("township"), realm.machine("village"));
    let (township_node, _) = township.starts_by_joining(&realm.token("C", "T1").await).await;
    until("it says that it is equal", async || township_node.said().contains("verified equal with 测试县")).await;

    let (of_village, of_other) = (code("V11"), code("T2"));
    let enroll = ["enroll", &of_village, "--quiet", "--dir", &township.dir()];
    let _ = heliu(&enroll).await.exits(4).complains("what to do");
    let _ = heliu(&["delegate", &code("T1"), "--dir", &realm.dir("C")]).await.exits(0).answers("can make join tokens");
    until("the township may", async || heliu(&enroll).await.code == 0).await;
    let _ = heliu(&["enroll", &of_other, "--dir", &township.dir()]).await.exits(4);

    let token = token_of(&township.dir(), "V11", &[]).await;
    let (_village_node, at_village) = village.starts_by_joining(&token).await;
    let org = at_village.makes("org.create", &[("name", "一村党支部")]).await;
    until("the county sees it", async || county.record(&org).await.is_some()).await;
    let nodes = heliu(&["nodes", "--json", "--dir", &realm.dir("C")]).await.exits(0).json();
    assert_eq!(nodes["nodes"].as_array().map(Vec::len), Some(3), "{nodes}");

    // The township moves, and new tokens say where it is; then it is to let nobody in any more, tokens that it made included.
    let node = nodes["nodes"].as_array().and_then(|nodes| nodes.iter().find(|node| node["seat"]["code"] == code("T1")));
    let node = node.and_then(|node| node["node"].as_str()).expect("it is enrolled");
    let addresses = ["directory", "addresses", node, "127.0.0.1:9", "--dir", &realm.dir("C")];
    let _ = heliu(&addresses).await.exits(0).answers("is at 127.0.0.1:9 now").answers("links.parents");
    let moved = async || {
        let token = token_of(&township.dir(), "V11", &[]).await;
        let token = JoinToken::from_text(&token).expect("a token");
        token.addresses == ["127.0.0.1:9"]
    };
    until("tokens say so", moved).await;
    let at = township.address.to_string();
    let unused = token_of(&township.dir(), "V11", &["--address", &at]).await;
    let off = ["delegate", &code("T1"), "--off", "--dir", &realm.dir("C")];
    let _ = heliu(&off).await.exits(0).answers("can no longer make join tokens");
    let _ = realm.machine("late").joins(&unused).await.exits(4).complains("what to do");
    until("the township may no more", async || heliu(&enroll).await.code == 4).await;
    let entry = heliu(&[&off[..], &["--json"]].concat()).await.exits(0).json();
    assert_eq!(entry["entered"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_used_expired_revoked_foreign_or_mistyped_lets_nobody_in_and_says_why() {
    let realm = Realm::init(&["C", "-T1", "-T2"]).await;
    let other = Realm::init(&["C", "-T1"]).await;
    let (_node, _) = realm.start("C").await;
    let (_other_node, _) = other.start("C").await;

    let used = realm.token("C", "T1").await;
    let mut taken = realm.machine("taken");
    taken.address = realm.address("C");
    let _ = taken.joins(&used).await.exits(1).complains("cannot listen on").complains("what to do");
    let first = realm.machine("first");
    let _ = first.joins(&used).await.exits(0).answers("Joined realm").answers("heliu node --dir");
    let again = first.joins(&used).await.exits(0).answers("has joined with this token before");
    assert!(!again.out.contains("Joined realm"));
    let thief = realm.machine("thief");
    let _ = thief.joins(&used).await.exits(4).complains("was used by another machine");
    assert!(!thief.node_folder().exists(), "nothing is half made");

    let expired = token_of(&realm.dir("C"), "T2", &["--valid", "1s"]).await;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    let _ = thief.joins(&expired).await.exits(4).complains("has expired").complains("what to do");

    let revoked = realm.token("C", "T2").await;
    let _ = heliu(&["directory", "revoke-token", &revoked, "--dir", &realm.dir("C")]).await.exits(0);
    let _ = thief.joins(&revoked).await.exits(4).complains("was revoked");

    // Whoever cannot listen there has not used up the token.
    let kept = realm.token("C", "T2").await;
    let bad = ["join", &kept, "--dir", &thief.dir(), "--listen", "192.0.2.1:7340"];
    let _ = heliu(&bad).await.exits(1).complains("cannot listen on 192.0.2.1:7340").complains("--listen");
    let _ = thief.joins(&kept).await.exits(0);

    let thief = realm.machine("another");
    let mistyped = revoked.replacen("AA", "AB", 1) + "x";
    let _ = thief.joins(&mistyped).await.exits(2).complains("not copied whole");
    let _ = thief.joins("nonsense").await.exits(2).complains("is not a join token, and there is no file of that name");
    // Of another realm, at an address where this realm's node answers.
    let at = other.address("C").to_string();
    let foreign = token_of(&realm.dir("C"), "T2", &["--address", &at]).await;
    let _ = thief.joins(&foreign).await.exits(4).complains("has not proven to be the node");

    let status = heliu(&["status", "--dir", &realm.dir("C")]).await.exits(0);
    let _ = status.answers("! refused").answers("refused to join");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_interrupted_asks_again_with_the_same_keys() {
    let realm = Realm::init(&["C", "-T1"]).await;
    let (mut node, _) = realm.start("C").await;
    let token = realm.token("C", "T1").await;
    node.kill_nine().await;
    let machine = realm.machine("township");
    let _ = machine.joins(&token).await.exits(3).complains("not joined");
    assert!(!machine.node_folder().exists());
    let kept = std::fs::read_dir(machine.folder()).expect("it is ours").flatten().map(|entry| entry.path());
    let kept = kept.into_iter().find(|path| path.join("node.key").exists()).expect("the keys are kept");
    let key = std::fs::read_to_string(kept.join("node.key")).expect("it is ours");

    let (_node, _) = realm.start("C").await;
    let _ = machine.joins(&token).await.exits(0);
    assert_eq!(std::fs::read_to_string(machine.node_folder().join("node.key")).expect("it is there"), key);
    assert!(!kept.exists(), "the draft has become the directory");
    let (_township, _) = machine.starts().await;
    until("it is equal", async || heliu(&["verify", "--dir", &machine.dir()]).await.code == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_node_at_a_seat_is_warned_of_and_raises_an_alarm() {
    let realm = Realm::init(&["C", "T1"]).await;
    let (_county, _) = realm.start("C").await;
    let (_township, _) = realm.start("T1").await;
    let (county, code) = (realm.dir("C"), code("T1"));
    let said = heliu(&["enroll", &code, "--quiet", "--dir", &county]).await.exits(0).complains("has a node already");
    let second = realm.machine("second");
    let _ = second.joins(said.out.trim()).await.exits(0);
    for dir in [county, realm.dir("T1")] {
        until("the alarm is there", async || heliu(&["alarms", "--dir", &dir]).await.out.contains("Another node"))
            .await;
    }
}
