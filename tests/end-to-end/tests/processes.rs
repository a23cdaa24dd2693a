//! A realm made by `heliu init`, its nodes in processes of their own: a record travels, and outlives `kill -9`.

use end_to_end::command_line::heliu;
use end_to_end::desk::order;
use end_to_end::patience::{skipped, until};
use end_to_end::realm::Realm;
use end_to_end::seats::code;
use rustix::process::Signal;

/// What a closed terminal sends. Where hangups are ignored, as under `nohup`, nodes inherit that, and end as usual.
fn hangup() -> Signal {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or_default().trim();
    if u64::from_str_radix(mask, 16).is_ok_and(|mask| mask & 1 != 0) {
        skipped("that a node ends in good order with its terminal: hangups are ignored here, as under nohup");
        return Signal::TERM;
    }
    Signal::HUP
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_registered_in_a_village_is_seen_at_township_and_county_and_nowhere_else() {
    let realm = Realm::init(&["C", "T1", "V11", "V12"]).await;
    let (mut county_node, county) = realm.start("C").await;
    let (mut township_node, township) = realm.start("T1").await;
    let (mut village_node, village) = realm.start("V11").await;
    let (_other_node, other_village) = realm.start("V12").await;
    assert!(village_node.said().contains("is ready") && village_node.said().contains("测试11村"));

    let branch = township.makes("org.create", &[("name", "一村党支部"), ("seat", &code("V11"))]).await;
    until("the branch comes down to its village", async || village.record(&branch).await.is_some()).await;
    let member = village.makes("member.register", &[("name", "测试甲0001"), ("branch", &branch)]).await;
    until("the member comes up to the county", async || county.record(&member).await.is_some()).await;
    assert_eq!(county.view(&member).await, village.view(&member).await);
    assert!(township.record(&member).await.is_some());
    // That a node answers says nothing of its link: the other village's may still be coming about.
    let township_at = realm.dir("T1");
    let verify = ["verify", "--dir", &township_at];
    until("three links are equal", async || heliu(&verify).await.out.contains("3 of 3 link(s) equal")).await;
    assert_eq!(other_village.record(&member).await, None, "it is none of the other village's business");

    // Each is stopped in its own way; what was acknowledged is there again.
    village_node.kill_nine().await;
    assert!(township_node.stop_by(hangup()).await.success(), "its terminal is gone: {}", township_node.log());
    assert!(township_node.log().contains("the store is closed"), "{}", township_node.log());
    assert!(county_node.stop_by(Signal::QUIT).await.success(), "{}", county_node.log());
    let (_village_node, village) = realm.start("V11").await;
    assert_eq!(village.view(&member).await["name"], "测试甲0001");
    village.does("record.set", &member, &[("field", "name"), ("value", "测试甲一")]).await;
    let (_township_node, _township) = realm.start("T1").await;
    let (_county_node, county) = realm.start("C").await;
    until("the edit reaches the county", async || county.view(&member).await["name"] == "测试甲一").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_repeated_after_a_lost_answer_has_one_effect() {
    let realm = Realm::init(&["C"]).await;
    let (mut node, county) = realm.start("C").await;
    let branch = county.makes("org.create", &[("name", "县委"), ("seat", &code("C"))]).await;
    let register = order("member.register", "", &[("name", "测试甲0001"), ("branch", &branch)]);
    let first = county.client.execute(register.clone()).await.expect("it is carried out");
    node.kill_nine().await;
    let (_node, county) = realm.start("C").await;
    let again = county.client.execute(register).await.expect("the answer of then");
    assert!(!first.repeated && again.repeated);
    assert_eq!((&first.created, &first.result), (&again.created, &again.result));
    assert_eq!(county.list("member").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clerk_names_people_by_name_or_number_and_finds_and_counts_them_without_an_id() {
    let realm = Realm::init(&["T1"]).await;
    let (mut node, _) = realm.start("T1").await;
    let dir = realm.dir("T1");
    let say = async |args: &[&str]| heliu(&[args, &["--dir", &dir]].concat()).await;
    for branch in ["康屯村党支部", "什集镇机关党支部"] {
        let name = format!("name={branch}");
        let _ = say(&["do", "org.create", &name]).await.exits(0);
    }
    for (name, number) in
        [("name=测试张伟", "member_no=A-1"), ("name=测试李明", "member_no=A-2"), ("name=测试李明", "member_no=A-3")]
    {
        let _ = say(&["do", "member.register", name, number, "branch=康屯村党支部"]).await.exits(0);
    }
    let _ = say(&["list", "member", "--search", "zw"]).await.exits(0).answers("测试张伟").answers("1 in all");
    let _ = say(&["list", "member", "--search", "李"]).await.exits(0).answers("2 in all");
    let home = ["list", "member", "--where", "effective_home=康屯村党支部", "--count"];
    let _ = say(&home).await.exits(0).answers("3 in all");
    let _ = say(&["list", "member", "--group-by", "seat,stage"]).await.exits(0).answers("测试1镇").answers("3");
    let refused = say(&["list", "member", "--where", "contact=1"]).await.exits(2);
    let _ = refused.complains("member_no");
    let _ = say(&["do", "member.transfer.issue", "测试张伟", "to_org=什集镇机关党支部"]).await.exits(0);
    let _ = say(&["do", "member.transfer.issue", "A-2", "to_org=什集镇机关党支部"]).await.exits(0);
    // Two are called so: each is told with what tells it from the other.
    let which = say(&["do", "member.transfer.issue", "测试李明", "to_org=什集镇机关党支部"]).await.exits(2);
    let _ = which.complains("A-2").complains("A-3");
    node.kill_nine().await;
    let (_node, _) = realm.start("T1").await;
    let _ = say(&home).await.exits(0).answers("3 in all");
}
