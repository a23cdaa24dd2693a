//! S1: while two nodes of the county are cut from each other, one person is moved to two places.

use end_to_end::county::County;
use end_to_end::desk::Desk;
use serde_json::json;

async fn register(desk: &Desk, branch: &str) -> String {
    let who = [("name", "测试甲0001"), ("branch", branch), ("joined_on", "2001-07-01")];
    desk.makes("member.register", &who).await
}

/// The letters of a member by their numbers, with what became of them.
async fn letters(desk: &Desk, member: &str) -> Vec<(String, String)> {
    let view = desk.view(member).await;
    let moves = view["moves"].as_object().expect("there are letters");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut letters: Vec<_> =
        moves.values().map(|letter| (text(&letter["letter_no"]), text(&letter["state"]))).collect();
    letters.sort();
    letters
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_places_receive_one_person_and_the_county_decides() {
    // T1 and T2 reach the county through its second node, T3 through its first.
    let links = [("C", ""), ("C'", "C"), ("T1", "C'"), ("T2", "C'"), ("T3", "C")];
    let county = County::start(&links, &["V11", "V21", "V31"]).await;
    let home = county.branch("V11", "一村党支部").await;
    let near = county.branch("V21", "二村党支部").await;
    let far = county.branch("V31", "三村党支部").await;
    let member = register(county.at("T1"), &home).await;
    county.is_quiet().await;
    // Organisations are known in their own line only: whoever writes to another names its seat.
    let near_seat = end_to_end::seats::code("V21");

    county.cut("C'");
    let letter = [("to_org", near.as_str()), ("to_seat", &near_seat), ("letter_no", "L1")];
    county.at("T1").does("member.transfer.issue", &member, &letter).await;
    county.is_quiet().await;
    county.at("T2").does("member.transfer.receive", &member, &[]).await;
    county.is_quiet().await;
    let act = [("field", "full_on"), ("value", "2002-07-01")];
    county.at("T2").does("record.set", &member, &act).await;

    county.at("C").does("member.transfer.issue", &member, &[("to_org", &far), ("letter_no", "L2")]).await;
    county.is_quiet().await;
    county.at("T3").does("member.transfer.receive", &member, &[]).await;
    county.at("T3").does("record.set", &member, &[("field", "member_no"), ("value", "31-0001")]).await;
    assert!(county.is_settled().await, "nobody knows of it yet");

    county.heals().await;
    county.agrees().await;
    let conflict = county.at("C").conflict("MULTI_HOME").await;
    assert_eq!(county.who_sees(&conflict.id).await, ["C", "C'", "T1", "T2", "T3"]);
    assert_eq!(conflict.severity, "hard");
    assert_eq!(conflict.resolver.as_ref().map(|seat| seat.tier.as_str()), Some("county"));
    let explanation = conflict.explanation.clone().unwrap_or_default();
    assert!(explanation.en.contains("L1") && explanation.zh.contains("L2"), "both letters: {explanation:?}");
    for node in ["C", "C'", "T1", "T2", "T3"] {
        let view = county.at(node).view(&member).await;
        assert_eq!(view["effective_home"], json!(home), "{node} counts the person where nobody disputes");
        let mut both = [near.clone(), far.clone()];
        let mut shown: Vec<_> = view["home_branch_concurrent"].as_array().cloned().unwrap_or_default();
        both.sort();
        shown.sort_by_key(ToString::to_string);
        assert_eq!(shown, both.map(serde_json::Value::from));
        assert_eq!(view["pending"], json!(["transfer_conflict"]));
        assert_eq!((&view["full_on"], &view["member_no"]), (&json!("2002-07-01"), &json!("31-0001")), "acts are kept");
    }

    let choice = [("conflict", conflict.id.as_str()), ("choice", near.as_str())];
    county.at("T1").is_refused("not_resolver", "conflict.settle", &member, &choice).await;
    county.at("C").settles(&conflict, &near).await;
    county.is_quiet().await;
    county.agrees().await;
    assert!(county.is_settled().await);
    for node in ["C", "C'", "T1", "T2", "T3"] {
        let view = county.at(node).view(&member).await;
        assert_eq!((&view["effective_home"], &view["home_epoch"]), (&json!(near), &json!(2)), "at {node}");
        let expected = [("L1", "confirmed"), ("L2", "returned")].map(|(no, state)| (no.to_owned(), state.to_owned()));
        assert_eq!(letters(county.at(node), &member).await, expected);
    }
    county.ends().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_that_missed_the_decision_is_stale_and_has_no_effect() {
    let county = County::start(&[("C", ""), ("T1", "C"), ("T2", "C")], &["V11", "V12", "V21"]).await;
    let home = county.branch("V11", "一村党支部").await;
    let new_home = county.branch("V12", "二村党支部").await;
    let elsewhere = county.branch("V21", "三村党支部").await;
    let member = register(county.at("C"), &home).await;
    county.is_quiet().await;

    // The township decides a new home; the county does not hear of it, and writes a letter out of the township.
    county.cut("T1");
    county.at("T1").does("member.reassign", &member, &[("to_org", &new_home)]).await;
    county.at("C").does("member.transfer.issue", &member, &[("to_org", &elsewhere), ("letter_no", "L9")]).await;
    county.is_quiet().await;
    county.at("T2").does("member.transfer.receive", &member, &[]).await;

    county.heals().await;
    county.agrees().await;
    assert_eq!(county.at("T2").view(&member).await["home_branch"], json!(new_home), "a decision beats the letter");
    let conflict = county.at("T2").conflict("STALE_TRANSFER").await;
    assert_eq!(conflict.severity, "advisory");
    assert_eq!(county.who_sees(&conflict.id).await, ["C", "T1", "T2"]);

    county.at("C").settles(&conflict, "1").await;
    county.is_quiet().await;
    county.agrees().await;
    assert!(county.is_settled().await);
    let owners = county.at("T1").record(&member).await.map(|record| record.owners.len());
    assert_eq!(owners, Some(1), "the present home has the record to itself again");
    county.ends().await;
}
