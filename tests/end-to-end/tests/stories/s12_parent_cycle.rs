//! S12: two tiers, cut from each other, each put one organisation under the other.

use end_to_end::county::County;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_organisations_end_up_above_each_other_and_the_county_decides() {
    let county = County::start(&[("C", ""), ("T1", "C"), ("V11", "T1"), ("V12", "T1")], &[]).await;
    let committee = county.branch("T1", "镇党委").await;
    let village = county.branch("V11", "村党支部").await;
    let enterprise = county.branch("V12", "企业党支部").await;
    for org in [&village, &enterprise] {
        county.at("C").does("org.set_parent", org, &[("parent_org", &committee)]).await;
    }
    county.is_quiet().await;

    county.cut("T1");
    county.at("T1").does("org.set_parent", &enterprise, &[("parent_org", &village)]).await;
    let back = [("parent_org", enterprise.as_str())];
    county.at("T1").is_refused("parent_cycle", "org.set_parent", &village, &back).await;
    county.at("C").does("org.set_parent", &village, &back).await;

    county.heals().await;
    let conflict = county.at("C").conflict("PARENT_CYCLE").await;
    assert_eq!(conflict.severity, "hard");
    assert_eq!(conflict.records.len(), 2);
    assert_eq!(conflict.provisional, committee, "it adds up under the last parent without the cycle");
    assert_eq!(county.who_sees(&conflict.id).await, ["C", "T1", "V11", "V12"], "organisations are public");
    for node in ["C", "T1"] {
        let desk = county.at(node);
        assert_eq!(desk.view(&village).await["parent_org"], json!(enterprise), "{node} keeps both edges");
        assert_eq!(desk.view(&enterprise).await["parent_org"], json!(village), "{node} keeps both edges");
    }

    // The village's organisation is chosen as the parent: the other edge goes.
    county.at("C").settles(&conflict, &village).await;
    county.is_quiet().await;
    county.agrees().await;
    assert!(county.is_settled().await);
    for node in ["C", "T1", "V11"] {
        assert_eq!(county.at(node).view(&village).await["parent_org"], json!(committee), "at {node}");
    }
    assert_eq!(county.at("V12").view(&enterprise).await["parent_org"], json!(village));
    county.ends().await;
}
