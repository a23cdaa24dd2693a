//! What is sealed is in no file in the clear; who opens it leaves a trace; and what is erased is gone from every file.

use std::path::PathBuf;

use end_to_end::command_line::heliu;
use end_to_end::patience::until;
use end_to_end::realm::{Realm, files_with};

/// Too odd to be anything else, also for a compressor.
const CONTACT: &str = "19909-qzxjvk-31415";
const NAME: &str = "测试甲魑魅9317";

/// Everything that nodes keep.
fn kept(realm: &Realm) -> Vec<PathBuf> {
    realm.names().map(|name| realm.node_folder(name)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stolen_village_disk_and_curious_carrier() {
    let realm = Realm::init(&["C", "T1", "V11"]).await;
    let (_county, county) = realm.start("C").await;
    let (_township, township) = realm.start("T1").await;
    let (_village, village) = realm.start("V11").await;
    let branch = village.makes("org.create", &[("name", "一村党支部")]).await;
    let fields = [("name", NAME), ("branch", branch.as_str()), ("contact", CONTACT)];
    let member = village.makes("member.register", &fields).await;
    until("it is at the county", async || county.record(&member).await.is_some()).await;
    assert_eq!(files_with(&kept(&realm), &[CONTACT]), [], "sealed, wherever it is kept");
    assert!(!files_with(&kept(&realm), &[NAME]).is_empty(), "the search would find it");

    let (at_village, at_township, at_county) = (realm.dir("V11"), realm.dir("T1"), realm.dir("C"));
    let shown = heliu(&["get", &member, "--dir", &at_village]).await.exits(0);
    assert!(!shown.out.contains(CONTACT), "{shown:?}");
    let _ = heliu(&["reveal", &member, "--why", " ", "--dir", &at_village]).await.exits(2);
    for dir in [&at_village, &at_township] {
        let reveal = ["reveal", &member, "--why", "to call", "--dir", dir];
        until("a reader opens it", async || heliu(&reveal).await.out.contains(CONTACT)).await;
        let audit =
            heliu(&["audit", "list", "--limit", "0", "--dir", dir]).await.exits(0).answers("open sealed fields");
        assert!(!audit.out.contains(CONTACT));
    }
    let carried = heliu(&["reveal", &member, "--why", "curious", "--dir", &at_county]).await;
    assert!(!carried.out.contains(CONTACT), "the county carries it and cannot read it");

    let erase = ["erase", &member, "--reason", "asked for by the person", "--dir", &at_county];
    let _ = heliu(&erase).await.exits(2).complains("--yes");
    let _ = heliu(&[&erase[..], &["--yes"]].concat()).await.exits(0).answers("Erased here");
    let receipt = ["receipt", &member, "--dir", &at_county];
    until("all three have confirmed", async || heliu(&receipt).await.code == 0).await;
    for desk in [&county, &township, &village] {
        assert!(desk.record(&member).await.is_none());
    }
    until("it is in no file", async || files_with(&kept(&realm), &[NAME, CONTACT]).is_empty()).await;
    for dir in [&at_village, &at_township, &at_county] {
        let _ = heliu(&["audit", "verify", "--dir", dir]).await.exits(0).answers("is whole");
    }
}
