//! What operators are shown of their neighbours is so: of one that lives, of one that was mistaken for a superior, of one
//! that is gone for good.

use std::time::Duration;

use heliu_replication::Severity;

use super::world::{COUNTY, County, OTHER_VILLAGE, Place, TOWNSHIP, VILLAGE, free_address, memory, until};
use crate::Options;
use crate::status::{Actor, LinkReport, LinkRole, LinkState, Outcome, Trouble};

const WAIT: Duration = Duration::from_secs(60);

async fn links(place: &Place) -> Vec<LinkReport> {
    place.node.links().await.expect("it answers")
}

async fn outcomes(place: &Place, peer: &str) -> Vec<Outcome> {
    let verified = place.node.verify(peer, WAIT).await.expect("it answers");
    verified.into_iter().map(|verification| verification.outcome).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clone_of_a_village_that_comes_and_goes_leaves_the_living_village_live_and_equal() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let village = seats.start(VILLAGE, &[township.address()]).await;
    township.has(village.found("甲村党支部").await).await;
    for round in 0..2 {
        // The same key on another machine, with a store of its own.
        let clone = seats.options(VILLAGE, &[township.address()]);
        let clone = Place::start(clone, memory(&format!("clone {round}"))).await;
        clone.is_live().await;
        assert_eq!(links(&township).await.len(), 2, "both are there, and both are shown");
        clone.stop().await;
        until("the clone is gone", async || links(&township).await.len() == 1).await;
        // What the clone wrote goes on to the village.
        until("it has it", async || links(&township).await[0].state == LinkState::Live).await;
        let link = links(&township).await.swap_remove(0);
        assert_eq!(link.peer, Some(village.node.node()), "{link:?}");
        assert!(link.connects >= 2 + round && link.is_trouble_over, "{link:?}");
        assert_eq!(outcomes(&township, VILLAGE).await, [Outcome::Equal]);
        assert_eq!(outcomes(&township, "").await, [Outcome::Equal]);
    }
    // And the other way round: the first machine goes, the second stays.
    let clone = seats.options(VILLAGE, &[township.address()]);
    let clone = Place::start(clone, memory("another clone")).await;
    clone.is_live().await;
    village.stop().await;
    until("one is left", async || links(&township).await.len() == 1).await;
    assert_eq!(outcomes(&township, VILLAGE).await, [Outcome::Equal]);
    clone.stop().await;
    until("none is left", async || links(&township).await[0].state == LinkState::Down).await;
    assert_eq!(outcomes(&township, VILLAGE).await, [Outcome::NotConnected]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn since_when_two_are_equal_is_not_when_they_were_compared_last() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let village = seats.start(VILLAGE, &[township.address()]).await;
    township.has(village.found("甲村党支部").await).await;
    let mut equal: Vec<(i64, i64)> = Vec::new();
    for _ in 0..3 {
        assert_eq!(outcomes(&village, "").await, [Outcome::Equal]);
        let link = village.link().await;
        equal.push(link.equal_since_ms.zip(link.verified_ms).expect("they are equal"));
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let [(since, first), .., (still, last)] = equal[..] else { panic!("{equal:?}") };
    assert!(since.abs_diff(still) < 100 && last - first > 500, "{equal:?}");
    village.stop().await;
    until("nothing is said of who is not there", async || {
        let link = links(&township).await.swap_remove(0);
        link.equal_since_ms.is_none() && link.verified_ms.is_none()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_wrong_is_told_in_our_words_with_its_time_and_is_over_when_it_is_over() {
    let seats = County::new();
    let at = free_address();
    let village = seats.start(VILLAGE, &[at]).await;
    until("it has failed", async || village.link().await.trouble.is_some()).await;
    let link = village.link().await;
    assert_eq!((link.trouble, link.is_trouble_over), (Some(Trouble::NothingListens), false));
    let listening = |options: Options| Options { listen: at, ..options };
    let township = Place::start(listening(seats.options(TOWNSHIP, &[])), memory(TOWNSHIP)).await;
    village.is_live().await;
    let link = village.link().await;
    assert!(link.is_trouble_over && link.trouble == Some(Trouble::NothingListens), "{link:?}");
    let (_, failed_ms) = link.last_error.expect("it is remembered");
    assert!(link.heard_ms.is_some_and(|heard| heard >= failed_ms), "with the time at which it was");
    township.stop().await;
    until("it is no longer over", async || !village.link().await.is_trouble_over).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_given_a_wrong_parent_never_says_that_all_is_well() {
    let seats = County::new();
    let other = seats.start(OTHER_VILLAGE, &[]).await;
    let village = seats.start(VILLAGE, &[other.address()]).await;
    village.found("甲村党支部").await;
    village.is_live().await;
    let link = village.link().await;
    assert!(link.is_misplaced && link.role != LinkRole::Parent, "{link:?}");
    let alarms = village.node.alarms().await.expect("it answers");
    let alarm = alarms.iter().find(|alarm| alarm.code == "wrong_parent").expect("there is an alarm");
    assert_eq!(alarm.severity, Severity::Critical);
    assert!(
        alarm.what.en.contains(&other.address().to_string()) && alarm.next.zh.contains("links.parents"),
        "{alarm:?}"
    );
    let verified = village.node.verify("", WAIT).await.expect("it answers");
    assert!(verified.iter().all(|verification| verification.is_misplaced), "{verified:?}");
    // Who has the right one hears nothing of the kind; nor does the one that was dialled by mistake.
    let township = seats.start(TOWNSHIP, &[]).await;
    let store = village.stop().await;
    let village = Place::start(seats.options(VILLAGE, &[township.address()]), store).await;
    village.is_live().await;
    for place in [&village, &other, &township] {
        assert!(links(place).await.iter().all(|link| !link.is_misplaced));
        assert!(place.node.alarms().await.expect("it answers").iter().all(|alarm| alarm.code != "wrong_parent"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_is_gone_for_good_is_waited_for_until_it_is_fenced_and_no_longer() {
    let seats = County::new();
    let county = seats.start(COUNTY, &[]).await;
    let village = seats.start(VILLAGE, &[county.address()]).await;
    let node = village.node.node();
    county.has(village.found("甲村党支部").await).await;
    village.stop().await;
    until("it is down", async || links(&county).await[0].state == LinkState::Down).await;
    assert_eq!(outcomes(&county, "").await, [Outcome::NotConnected]);
    county.node.fence(node, false, Vec::new(), Actor::default(), "a dead disk".to_owned()).await.expect("it may");
    until("nobody waits for it", async || links(&county).await.is_empty()).await;
    assert_eq!(outcomes(&county, "").await, []);
}
