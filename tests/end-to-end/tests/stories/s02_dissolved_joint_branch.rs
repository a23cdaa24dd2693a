//! S2: the county dissolves a joint branch while one of its villages, offline, admits somebody to it.

use end_to_end::county::County;
use end_to_end::seats::code;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_is_admitted_to_a_joint_branch_that_was_dissolved() {
    let county = County::start(&[("C", ""), ("T1", "C"), ("V11", "T1"), ("V12", "T1")], &[]).await;
    let first = county.branch("V11", "新一支部").await;
    let second = county.branch("V12", "新二支部").await;
    let units = format!("{},{}", code("V11"), code("V12"));
    let joint = county.at("T1").makes("joint_branch.form", &[("name", "联合党支部"), ("units", &units)]).await;
    county.is_quiet().await;

    county.cut("V12");
    let successors = format!("{}={first},{}={second}", code("V11"), code("V12"));
    let dissolution = [("effective_on", "2026-03-01"), ("successors", successors.as_str())];
    county.at("C").does("org.dissolve", &joint, &dissolution).await;
    let admit = |name, on| {
        let (village, joint) = (county.at("V12"), joint.as_str());
        async move { village.makes("member.register", &[("name", name), ("branch", joint), ("admitted_on", on)]).await }
    };
    let in_time = admit("测试乙0001", "2020-01-01").await;
    let late = admit("测试乙0002", "2026-03-03").await;

    county.heals().await;
    county.agrees().await;
    for node in ["C", "T1", "V11", "V12"] {
        assert_eq!(county.at(node).view(&joint).await["lifecycle"], json!("dissolved"), "{node}: it is not revived");
    }
    let conflict = county.at("T1").conflict("ADD_TO_DISSOLVED_ORG").await;
    assert_eq!((conflict.subject.as_str(), conflict.severity.as_str()), (late.as_str(), "hard"));
    assert_eq!(conflict.resolver.as_ref().map(|seat| seat.code.clone()), Some(code("T1")));
    assert_eq!(conflict.provisional, second, "the successor of its unit is suggested");
    assert_eq!(county.who_sees(&conflict.id).await, ["C", "T1", "V12"], "the other village has no part in it");
    let more = [("name", "测试乙0003"), ("branch", joint.as_str())];
    county.at("V12").is_refused("org_ended", "member.register", "", &more).await;

    county.at("T1").settles(&conflict, &second).await;
    county.is_quiet().await;
    county.agrees().await;
    assert!(county.is_settled().await);
    assert_eq!(county.at("V12").view(&late).await["effective_home"], json!(second));
    assert_eq!(
        county.at("V12").view(&in_time).await["home_branch"],
        json!(joint),
        "he follows, and nothing is written"
    );
    county.ends().await;
}
