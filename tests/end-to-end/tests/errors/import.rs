//! CSV files: a broken row, and the same file twice.

use std::path::PathBuf;

use end_to_end::command_line::{command, heliu, run};
use end_to_end::realm::Realm;
use end_to_end::seats::code;

fn write(realm: &Realm, name: &str, text: &str) -> String {
    let path: PathBuf = realm.folder().join(name);
    std::fs::write(&path, text).expect("the directory is ours");
    path.to_str().expect("temporary paths are plain").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_row_is_told_with_its_line_and_nothing_is_imported() {
    let realm = Realm::init(&["C", "-V11"]).await;
    let (_node, county) = realm.start("C").await;
    let dir = realm.dir("C");
    let regions = realm.regions();
    let orgs = ["import", "orgs", regions.to_str().expect("plain"), "--dir", &dir];
    // Another organisation of a seat does not make the superior of a region file doubtful.
    county.makes("org.create", &[("name", "机关支部"), ("seat", &code("T1"))]).await;
    let _ = heliu(&orgs).await.exits(0).answers("3 rows: 3 created");

    let village = code("V11");
    let good = format!("name,branch,joined_on\n测试甲0001,{village},2001-07-01\n测试甲0002,{village},2002-07-01\n");
    let broken = good.clone() + &format!("测试甲0003,{village},2001-13-01\n测试甲0004,没有的支部,2001-07-01\n");
    let file = write(&realm, "broken.csv", &broken);
    let import = ["import", "members", &file, "--dir", &dir];
    let said = heliu(&import).await.exits(2).complains("nothing was imported");
    let _ = said.complains("line 4: joined_on: \"2001-13-01\": there is no such day").complains("what to do");
    // What only the node can tell is told as well, once the rest is right.
    let file = write(&realm, "stranger.csv", &broken.replace("2001-13-01", "2001-12-01"));
    let said = heliu(&["import", "members", &file, "--dir", &dir]).await.exits(2);
    let _ = said.complains("line 5:").complains("没有的支部").complains("nothing was imported");
    let file = write(&realm, "header.csv", "name,brnch\n甲,x\n");
    let _ = heliu(&["import", "members", &file, "--dir", &dir]).await.exits(2).complains("did you mean branch?");
    assert!(county.list("member").await.is_empty());

    let file = write(&realm, "good.csv", &good);
    let _ = heliu(&["import", "members", &file, "--dir", &dir, "--dry-run"]).await.exits(0).answers("2 rows");
    assert!(county.list("member").await.is_empty(), "a dry run only looks");
    let _ = heliu(&["import", "members", &file, "--dir", &dir]).await.exits(0).answers("2 created");
    assert_eq!(county.list("member").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_file_imported_again_changes_nothing() {
    let realm = Realm::init(&["C", "-V11", "-V12"]).await;
    let (mut node, _county) = realm.start("C").await;
    let dir = realm.dir("C");
    let regions = realm.regions();
    let orgs = ["import", "orgs", regions.to_str().expect("plain"), "--dir", &dir];
    let row = |n: u32| format!("测试甲{n:04},{},2001-07-01\n", code(if n.is_multiple_of(2) { "V11" } else { "V12" }));
    let file = "name,branch,joined_on\n".to_owned() + &(1..=60).map(row).collect::<String>();
    let members_file = write(&realm, "members.csv", &file);
    let members = ["import", "members", &members_file, "--dir", &dir];
    let _ = heliu(&orgs).await.exits(0).answers("4 rows: 4 created");
    let _ = heliu(&members).await.exits(0).answers("60 rows: 60 created");
    let before = heliu(&["status", "--json", "--dir", &dir]).await.exits(0).json();

    node.kill_nine().await;
    let (_node, _county) = realm.start("C").await;
    let _ = heliu(&orgs).await.exits(0).answers("0 created, 0 updated, 4 unchanged");
    let _ = heliu(&members).await.exits(0).answers("0 created, 0 updated, 60 unchanged");
    let after = heliu(&["status", "--json", "--dir", &dir]).await.exits(0).json();
    assert_eq!(before["counts"], after["counts"]);
    assert_eq!(before["store_head"], after["store_head"], "not even a place in the feed was used");

    // A row more, and only that is imported.
    let longer = write(&realm, "longer.csv", &(file + &row(61)));
    let said = heliu(&["import", "members", &longer, "--dir", &dir]).await.exits(0);
    let _ = said.answers("61 rows: 1 created, 0 updated, 60 unchanged");

    // A namesake in another branch is somebody else, and so is one of another day.
    let changed = |n: u32| format!("测试甲{n:04},{},2001-07-02\n", code("V12"));
    let changed = write(&realm, "changed.csv", &["name,branch,joined_on\n", &changed(2), &changed(1)].concat());
    let said = heliu(&["import", "members", &changed, "--dir", &dir, "--dry-run"]).await.exits(0);
    let _ = said.answers("2 rows: 2 created").answers("1 of this name are there already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_township_that_was_never_linked_is_told_what_to_do_before_it_imports() {
    let realm = Realm::init(&["-C", "T1"]).await;
    let (_node, _township) = realm.start("T1").await;
    let dir = realm.dir("T1");
    let file = write(&realm, "orgs.csv", &format!("name,seat\n镇支部,{}\n", code("T1")));
    let import = ["import", "orgs", &file, "--dir", &dir];
    let mut chinese = command(&import);
    chinese.env("HELIU_LANG", "zh");
    // Each waits for ten seconds.
    let (english, chinese) = tokio::join!(heliu(&import), run(chinese, &import));
    let said = english.exits(4).complains("waiting for it to come from the superior");
    let said = said.complains("link this node (heliu status shows its links)");
    let _ = said.complains("do it at a node of the superior");
    let said = chinese.exits(4).complains("本节点尚无编号密钥");
    let said = said.complains("请先连通(heliu status 显示链路)").complains("可在上级的节点上办理");
    assert!(!said.err.contains("no_secret"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_erased_is_imported_again_only_if_somebody_says_so() {
    let realm = Realm::init(&["C", "-V11"]).await;
    let (_node, county) = realm.start("C").await;
    let dir = realm.dir("C");
    county.makes("org.create", &[("name", "一村党支部"), ("seat", &code("V11"))]).await;
    let row = |name: &str| format!("{name},{},2001-07-01\n", code("V11"));
    let file = ["name,branch,joined_on\n", &row("测试甲0001"), &row("测试甲0002")].concat();
    let file = write(&realm, "members.csv", &file);
    let import = ["import", "members", &file, "--dir", &dir];
    let _ = heliu(&import).await.exits(0).answers("2 created");
    let member = county.list("member").await.remove(0).id;
    let _ = heliu(&["erase", &member, "--reason", "asked for by the person", "--dir", &dir, "--yes"]).await.exits(0);
    let said = heliu(&import).await.exits(2).complains(": Record").complains("was erased").complains("--anew");
    let _ = said.complains("nothing was imported");
    assert_eq!(county.list("member").await.len(), 1);
    let anew = [&import[..], &["--anew"]].concat();
    let _ = heliu(&anew).await.exits(0).answers("1 created, 0 updated, 1 unchanged");
    let _ = heliu(&anew).await.exits(0).answers("0 created, 0 updated, 2 unchanged");
    assert_eq!(county.list("member").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_node_does_not_know_or_could_be_two_is_told_before_anything_is_written() {
    let realm = Realm::init(&["C", "-V11"]).await;
    let (_node, county) = realm.start("C").await;
    let dir = realm.dir("C");
    let (seat, strange) = (code("V11"), code("V19"));
    let rows =
        format!("name,seat,parent_org\n甲支部,{seat},\n乙支部,{strange},\n甲支部,{},\n丙支部,,甲支部\n", code("T1"));
    let file = write(&realm, "orgs.csv", &rows);
    for extra in [&["--dry-run"][..], &[]] {
        let import = [&["import", "orgs", &file, "--dir", &dir], extra].concat();
        let said = heliu(&import).await.exits(2).complains("nothing was imported");
        let said = said.complains(&format!("line 3: seat: the node's directory has no seat {strange}"));
        let _ = said.complains("line 5: parent_org: \"甲支部\" could be more than one organisation (line 2, 4)");
    }
    assert!(county.list("org").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_a_rule_refuses_is_told_before_anything_is_written_and_alike_to_people_and_programs() {
    let realm = Realm::init(&["C", "T1", "-T2"]).await;
    // From which the township has the secret of ids.
    let (_county, _) = realm.start("C").await;
    let (_node, township) = realm.start("T1").await;
    let dir = realm.dir("T1");
    let rows = format!("name,seat\n甲支部,{}\n乙支部,{}\n", code("T1"), code("T2"));
    let file = write(&realm, "orgs.csv", &rows);
    let import = ["import", "orgs", &file, "--dir", &dir];
    let _ = heliu(&import).await.exits(2).complains("line 3: ").complains("nothing was imported");
    assert!(township.list("org").await.is_empty());
    let _ = heliu(&[&import[..], &["--skip-bad"]].concat()).await.exits(4).complains("1 rows were not imported");
    let said = heliu(&[&import[..], &["--json", "--skip-bad"]].concat()).await.exits(4).json();
    assert_eq!((&said["refused"][0]["line"], &said["unchanged"]), (&3.into(), &1.into()), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_kind_is_imported_by_what_people_call_it_and_its_fields_once_and_whole() {
    let realm = Realm::init(&["C", "-T1"]).await;
    let (_node, county) = realm.start("C").await;
    let dir = realm.dir("C");
    let org = county.makes("org.create", &[("name", "县委党校")]).await;
    let import = async |kind: &str, file: &str, flags: &[&str]| {
        heliu(&[&["import", kind, file, "--dir", &dir], flags].concat()).await
    };
    // What there is to fill in, the node says.
    let _ = heliu(&["import", "资源", "--dir", &dir]).await.exits(0).answers("open_hours").answers("开放时间");

    let head = "名称,所属组织,类型,容量,所属席位\n";
    let good = format!("报告厅,县委党校,会场,300,\n会议室,{},room,20,{}\n", &org[..10], code("C"));
    let bad = good.clone() + "操场,县委党校,广场,很多,\n车,没有的组织,设备,,没有的镇\n";
    let file = write(&realm, "bad.csv", &[head, &bad].concat());
    for flags in [&["--dry-run"][..], &[]] {
        let said = import("resource", &file, flags).await.exits(2).complains("nothing was imported");
        let said = said.complains("line 4: resource_kind: it cannot be").complains("line 4: capacity: it cannot be");
        let said = said.complains("line 5: owner_org: this node holds no organisation");
        let _ = said.complains("line 5: seat: the node's directory has no seat 没有的镇");
    }
    assert!(county.list("resource").await.is_empty());
    let file = write(&realm, "header.csv", "名称,所属组织,容亮\n");
    let _ = import("资源", &file, &[]).await.exits(2).complains("did you mean 容量?");
    let _ = import("资原", &file, &[]).await.exits(2).complains("did you mean 资源?");

    let file = write(&realm, "good.csv", &[head, &good].concat());
    let _ = import("资源", &file, &[]).await.exits(0).answers("2 rows: 2 created");
    let json = import("resources", &file, &["--json"]).await.exits(0).json();
    assert_eq!((&json["created"], &json["unchanged"]), (&0.into(), &2.into()), "{json}");
    let _ = heliu(&["list", "resource", "--dir", &dir]).await.exits(0).answers("报告厅").answers("2 in all");

    // A list of what was imported before, by its names.
    let file = write(&realm, "alliances.csv", "name,resources\n城区联盟,\"会议室, 报告厅\"\n");
    let _ = import("联盟", &file, &[]).await.exits(0).answers("1 created");
    let alliances = county.list("alliance").await;
    let view = heliu(&["get", &alliances[0].id, "--json", "--dir", &dir]).await.exits(0).json();
    assert_eq!(view["view"]["resources"].as_array().map(Vec::len), Some(2), "{view}");
}
