//! The README's first command, on a small county: the whole story, and what it says of itself.

use end_to_end::command_line::heliu;
use end_to_end::seats::region_file;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_tells_its_story_and_proves_that_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let regions = folder.path().join("regions.csv");
    let villages = ["V11", "V12", "V13", "V21", "V22", "V23", "V31", "V32", "V33"];
    std::fs::write(&regions, region_file(villages)).expect("the directory is ours");
    let regions = regions.to_str().expect("temporary paths are plain");
    let said = heliu(&["demo", "--once", "--json", "--members", "60", "--regions", regions]).await.exits(0);
    let last = said.out.lines().last().expect("the last line is for programs");
    let told: serde_json::Value = serde_json::from_str(last).expect("it is JSON");
    assert_eq!(
        (&told["nodes"], &told["links"], &told["verified_links"]),
        (&13.into(), &12.into(), &12.into()),
        "{last}"
    );
    assert_eq!((&told["lost"], &told["stranded"]), (&0.into(), &0.into()), "{last}");
    assert!(told["members"].as_u64() >= Some(60), "those registered, and whom the story admits: {last}");
    assert_eq!(told["converged"], true, "{last}");
    let _ = said.complains("Links are cut").complains("settles").complains("Everything is equal, and nothing is lost.");
}
