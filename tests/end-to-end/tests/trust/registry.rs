//! Two signatures, and what the offline root decides.

use std::path::{Path, PathBuf};

use end_to_end::command_line::{Said, heliu, heliu_in};
use end_to_end::patience::until;
use end_to_end::process::NodeProcess;
use end_to_end::realm::Realm;
use end_to_end::seats::code;

/// A command on the machine of the offline keys.
async fn offline(realm: &Realm, line: &str) -> Said {
    let words: Vec<&str> = line.split_whitespace().collect();
    heliu_in(&realm.folder().join("realm/root"), &words).await
}

async fn at_county(realm: &Realm, line: &str) -> Said {
    let dir = realm.dir("C");
    let words: Vec<&str> = line.split_whitespace().chain(["--dir", &dir]).collect();
    heliu_in(&realm.folder().join("realm/root"), &words).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_two_have_to_sign_one_alone_fences_nobody() {
    let realm = Realm::init(&["C", "T1"]).await;
    let (_county, _) = realm.start("C").await;
    let (_township, _) = realm.start("T1").await;
    let made = offline(&realm, "directory key cosigner.key --json").await.exits(0).json();
    let public = made["public"].as_str().expect("a key");
    let _ = at_county(&realm, "directory save directory.bin").await.exits(0);
    let named = offline(&realm, &format!("root cosigner {public} --root-key root.key --out cosigner.entry")).await;
    let _ = named.exits(0).answers("heliu directory append cosigner.entry");
    let _ = at_county(&realm, "directory append cosigner.entry --reason two").await.exits(0);
    let _ = at_county(&realm, "two-signatures on --reason rules").await.exits(0).answers("two signatures");

    let nodes = at_county(&realm, "nodes --json").await.exits(0).json();
    let township = nodes["nodes"].as_array().expect("nodes").iter().find(|node| node["seat"]["code"] == code("T1"));
    let township = township.and_then(|node| node["node"].as_str()).expect("it is enrolled").to_owned();
    let fence = format!("fence {township} --reason stolen --yes --out fence.entry");
    let _ = at_county(&realm, &fence).await.exits(0).answers("needs two signatures").answers("directory sign");
    let _ = at_county(&realm, "directory append fence.entry --reason alone").await.exits(4);
    assert!(!at_county(&realm, "nodes").await.out.contains("fenced"));

    let _ = at_county(&realm, "directory save directory.bin").await.exits(0);
    let sign = "directory sign fence.entry --key cosigner.key --directory directory.bin";
    let _ = offline(&realm, sign).await.exits(0).answers("Signed entry");
    let _ = at_county(&realm, "directory append fence.entry --reason both").await.exits(0);
    let _ = at_county(&realm, "nodes").await.exits(0).answers("fenced");
    let _ = at_county(&realm, "directory list").await.exits(0).answers("root").answers("issuer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_root_replaces_a_stolen_issuer() {
    let realm = Realm::init(&["C", "-T1"]).await;
    let (mut node, _) = realm.start("C").await;
    let _ = at_county(&realm, "directory save directory.bin").await.exits(0);
    let line = "root issuer --root-key root.key --new-issuer-key new.key --out issuer.entry";
    let _ = offline(&realm, line).await.exits(0).answers("issuer.key");
    let _ = offline(&realm, "root issuer --root-key escrow.key --new-issuer-key x.key").await.exits(2);
    let _ = at_county(&realm, "directory append issuer.entry --reason stolen").await.exits(0);
    // Whoever has the old key enters nothing any more.
    let delegate = format!("delegate {} --reason r", code("T1"));
    let old = at_county(&realm, &delegate).await;
    assert_ne!(old.code, 0, "{old:?}");

    assert!(node.stop().await.success());
    let key = realm.node_folder("C").join("issuer.key");
    std::fs::copy(realm.folder().join("realm/root/new.key"), &key).expect("it is ours");
    let (_node, _) = realm.start("C").await;
    until("the new one signs", async || at_county(&realm, &delegate).await.code == 0).await;
}

/// A copy of a directory in the realm.
fn copied(realm: &Realm, folder: &Path, name: &str) -> PathBuf {
    let copy = realm.folder().join(name);
    std::fs::create_dir_all(&copy).expect("the directory is ours");
    for file in std::fs::read_dir(folder).expect("it is ours").flatten() {
        std::fs::copy(file.path(), copy.join(file.file_name())).expect("it is ours");
    }
    copy
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sealed_is_opened_offline_with_the_escrow_key_and_with_the_one_that_replaces_it() {
    const CONTACT: &str = "19909271828";
    let realm = Realm::init(&["C", "V11"]).await;
    let (mut county_node, county) = realm.start("C").await;
    let (_village_node, village) = realm.start("V11").await;
    let branch = village.makes("org.create", &[("name", "一村党支部")]).await;
    let fields = [("name", "张三"), ("branch", branch.as_str()), ("contact", CONTACT)];
    let member = village.makes("member.register", &fields).await;
    until("it is at the county, with its keys", async || {
        let equal = heliu(&["verify", "--dir", &realm.dir("V11")]).await.code == 0;
        equal && county.record(&member).await.is_some()
    })
    .await;
    let data = realm.node_folder("C").join("data");
    let live = data.to_str().expect("temporary paths are plain");
    let open = format!("root reveal {} --escrow-key escrow.key", &member[..8]);
    let _ = offline(&realm, &format!("{open} --data {live}")).await.exits(5).complains("in use");
    let _ = offline(&realm, &format!("{open} --data .")).await.exits(2).complains("heliu.db").complains("a copy of");

    // The escrow's key is replaced. Who holds the audience's key wraps it for the new one, in a moment.
    let _ = at_county(&realm, "directory save directory.bin").await.exits(0);
    let line = "root escrow --root-key root.key --new-escrow-key new.key --out escrow.entry";
    let _ = offline(&realm, line).await.exits(0).answers("heliu directory append escrow.entry");
    let _ = at_county(&realm, "directory append escrow.entry --reason lost").await.exits(0);
    let mut copies = 0;
    let copy = loop {
        assert!(county_node.stop().await.success());
        copies += 1;
        let copy = copied(&realm, &data, &format!("county-data-{copies}"));
        let copy = copy.to_str().expect("temporary paths are plain").to_owned();
        let open = format!("root reveal {member} --escrow-key new.key --data {copy}");
        if offline(&realm, &open).await.out.contains(CONTACT) || copies == 6 {
            break copy;
        }
        county_node = realm.start("C").await.0;
        tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    };
    for key in ["escrow.key", "new.key"] {
        let open = format!("root reveal {member} --escrow-key {key} --data {copy}");
        let opened = offline(&realm, &open).await.exits(0).answers(&format!("contact  {CONTACT}"));
        let _ = opened.answers("in no audit log");
    }
    let _ = offline(&realm, "directory key stranger.key").await.exits(0);
    let wrong = format!("root reveal {member} --escrow-key stranger.key --data {copy}");
    let _ = offline(&realm, &wrong).await.exits(2).complains("stranger.key");
    let shown = offline(&realm, &format!("root reveal {branch} --escrow-key new.key --data {copy} --json")).await;
    assert_eq!(shown.exits(0).json()["fields"], serde_json::json!([]));
    let _ = offline(&realm, &format!("root reveal abababab --escrow-key new.key --data {copy}")).await.exits(1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_on_an_old_directory_is_a_slip_and_two_branches_are_a_fork_that_the_root_decides() {
    let realm = Realm::init(&["C", "T1", "-V11", "-T2"]).await;
    let copy = copied(&realm, &realm.node_folder("C"), "copy");
    let (mut county, _) = realm.start("C").await;
    let (first, second) = (code("T1"), code("T2"));
    let _ = at_county(&realm, &format!("delegate {first} --reason r")).await.exits(0);
    // The directory on the stick is the one that init made.
    let _ = offline(&realm, "root two-signatures on --root-key root.key --out old.entry").await.exits(0);
    let _ = at_county(&realm, "directory append old.entry").await.exits(4).complains("older directory");
    let _ = at_county(&realm, "alarms").await.exits(0).answers("no alarms");

    // Who has copied the county's machine runs it in its place, and the township believes it.
    assert!(county.stop().await.success());
    let mut thief = NodeProcess::spawn(&copy, realm.address("C"), &[]);
    let _ = thief.is_up().await;
    let at_copy = copy.to_str().expect("temporary paths are plain");
    let _ = heliu(&["delegate", &second, "--dir", at_copy]).await.exits(0);
    let (_township, _) = realm.start("T1").await;
    let township = realm.dir("T1");
    let listed = async || heliu(&["directory", "list", "--dir", &township]).await.out;
    until("the township has it", async || listed().await.contains("测试2镇 may enrol")).await;
    assert!(thief.stop().await.success());
    let (mut county, _) = realm.start("C").await;
    for dir in [realm.dir("C"), township.clone()] {
        let alarms = ["alarms", "--dir", &dir];
        let coded = ["alarms", "--json", "--dir", &dir];
        until("the fork is seen", async || heliu(&coded).await.out.contains("directory_forked")).await;
        let _ = heliu(&alarms).await.exits(1).answers("heliu root resolve --help");
    }
    let _ = at_county(&realm, &format!("delegate {second}")).await.exits(4).complains("forked");

    // The stick's own directory is no side of it.
    let root = realm.folder().join("realm/root");
    let save = ["directory", "save", "theirs.bin", "--dir", &township];
    let _ = heliu_in(&root, &save).await.exits(0);
    let line = "root resolve --root-key root.key --drop theirs.bin --new-issuer-key new.key";
    let _ = offline(&realm, &format!("{line} --keep directory.bin")).await.exits(4).complains("is the beginning of");
    let _ = at_county(&realm, "directory save ours.bin").await.exits(0);
    let decided = offline(&realm, &format!("{line} --keep ours.bin --out decision.entry")).await.exits(0);
    let _ =
        decided.answers("part at entry").answers("测试2镇 may enrol").answers("heliu directory append decision.entry");
    let _ = at_county(&realm, "directory append decision.entry --reason theft").await.exits(0);
    for dir in [realm.dir("C"), township.clone()] {
        until("the freeze has ended", async || heliu(&["alarms", "--dir", &dir]).await.code == 0).await;
        let entries = heliu(&["directory", "list", "--dir", &dir]).await.exits(0).answers("测试1镇 may enrol");
        assert!(!entries.out.contains("测试2镇 may enrol"), "{entries:?}");
    }

    assert!(county.stop().await.success());
    std::fs::copy(root.join("new.key"), realm.node_folder("C").join("issuer.key")).expect("it is ours");
    let (_county, _) = realm.start("C").await;
    let _ = at_county(&realm, &format!("delegate {second}")).await.exits(0);
    until("both are one again", async || heliu(&["verify", "--dir", &township]).await.code == 0).await;
    assert!(listed().await.contains("测试2镇 may enrol"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_divisions_come_by_file_and_take_effect_at_once() {
    let realm = Realm::init(&["C", "-V11"]).await;
    let (_node, _) = realm.start("C").await;
    let file = realm.folder().join("more.csv");
    let text = std::fs::read_to_string(realm.regions()).expect("it is ours");
    std::fs::write(&file, text + &format!("{},测试12村,{}\n", code("V12"), code("T1"))).expect("it is ours");
    let (file, dir) = (file.to_str().expect("plain"), realm.dir("C"));
    let import = ["import", "regions", file, "--reason", "a new village", "--dir", &dir];
    let _ = heliu(&[&import[..], &["--dry-run"]].concat()).await.exits(0).answers("1 new, 3 already there");
    let _ = heliu(&import).await.exits(0).answers("seats added: 1");
    let _ = heliu(&import).await.exits(0).answers("Nothing to change");
    let _ = heliu(&["enroll", &code("V12"), "--quiet", "--dir", &dir]).await.exits(0).answers("heliu-join-1.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_rotated_under_a_running_node_and_the_doctor_finds_all_well() {
    let realm = Realm::init(&["C", "T1"]).await;
    let (_county, _) = realm.start("C").await;
    let (_township, _) = realm.start("T1").await;
    let dir = realm.dir("T1");
    until("the link is up", async || heliu(&["verify", "--dir", &dir]).await.code == 0).await;
    let certificate = realm.node_folder("T1").join("tls.crt");
    let old = std::fs::read(&certificate).expect("it was made at the start");
    let rotated = heliu(&["rotate", "--dir", &dir, "--json"]).await.exits(0).json();
    assert_ne!(std::fs::read(&certificate).expect("it is there"), old);
    until("the node has taken it", async || {
        let status = heliu(&["status", "--json", "--dir", &dir]).await.exits(0).json();
        status["certificate_not_after"] == rotated["not_after"] && status["problems"] == serde_json::json!([])
    })
    .await;
    let doctor = heliu(&["doctor", "--dir", &dir]).await.exits(0).answers("[ok]");
    assert!(!doctor.out.contains("WRONG"), "{doctor:?}");
}
