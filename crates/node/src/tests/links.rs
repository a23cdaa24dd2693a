//! Links: up and down the tiers, with parents that are away, come back, or are replaced by another one.

use std::net::SocketAddr;
use std::time::Duration;

use heliu_record::id::to_hex;

use super::world::{
    CLOCK_AHEAD_MS, COUNTY, County, OTHER_VILLAGE, Place, TOWNSHIP, VILLAGE, connect_as, free_address, key, made,
    memory, request, until,
};
use crate::begin::random;
use crate::options::Upstream;
use crate::status::{LinkReport, LinkRole, LinkState, Outcome};
use crate::{Node, Security, StartError};

/// As long as a verification may take.
const WAIT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_village_writes_is_at_the_county_two_hops_up_and_proven_equal() {
    let seats = County::new();
    let county = seats.start(COUNTY, &[]).await;
    let township = seats.start(TOWNSHIP, &[county.address()]).await;
    let village = seats.start(VILLAGE, &[township.address()]).await;
    let record = village.found("甲村党支部").await;
    county.shows(record, "name", "甲村党支部").await;
    county.set(record, "name", "甲村党总支").await.expect("a superior may");
    village.shows(record, "name", "甲村党总支").await;
    for place in [&village, &township] {
        let verified = place.node.verify("", WAIT).await.expect("it answers");
        assert!(verified.iter().all(|v| v.outcome == Outcome::Equal), "{verified:?}");
    }
    let verified = township.node.verify(VILLAGE, WAIT).await.expect("it answers");
    assert_eq!((verified.len(), verified[0].outcome), (1, Outcome::Equal));
    let sums = verified[0].cut.expect("there was a verdict").sums;
    assert_eq!(sums.records, 1);
    let links = township.node.links().await.expect("it answers");
    let roles: Vec<LinkRole> = links.iter().map(|link| link.role).collect();
    assert_eq!(roles, [LinkRole::Parent, LinkRole::Child]);
    assert!(links.iter().all(|link| link.state == LinkState::Live && link.verified_ms.is_some()), "{links:?}");
    assert!(township.node.verify("nowhere", WAIT).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_made_on_both_sides_while_cut_off_come_together() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let at = township.address();
    let village = seats.start(VILLAGE, &[at]).await;
    let record = village.found("甲村党支部").await;
    township.has(record).await;
    let store = township.stop().await;
    village.set(record, "name", "村里的叫法").await.expect("offline, and carried out");
    // The township writes while nobody can reach it: it is up again, at another address.
    let township = Place::start(seats.options(TOWNSHIP, &[]), store).await;
    township.set(record, "name", "镇里的叫法").await.expect("carried out");
    let store = township.stop().await;
    let mut options = seats.options(TOWNSHIP, &[]);
    options.listen = at;
    let township = Place::start(options, store).await;
    for place in [&village.store, &township.store] {
        until("both values are there as a conflict", async || {
            place.conflicts_of(&[record]).await.expect("it reads").iter().any(|c| {
                let body = String::from_utf8_lossy(&c.body).into_owned();
                body.contains("村里的叫法") && body.contains("镇里的叫法")
            })
        })
        .await;
    }
    let verified = village.node.verify("", WAIT).await.expect("it answers");
    assert_eq!(verified[0].outcome, Outcome::Equal);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parent_that_comes_up_later_gets_everything() {
    let seats = County::new();
    let at = free_address();
    let village = seats.start(VILLAGE, &[at]).await;
    let record = village.found("甲村党支部").await;
    until("the link says why it is down", async || {
        village.link().await.last_error.is_some_and(|(why, _)| why.contains("refused"))
    })
    .await;
    let link = village.link().await;
    assert!(link.lag_items.is_none() && !link.lag_age.is_zero(), "nobody knows by how much, only since when: {link:?}");
    let verified = village.node.verify("", WAIT).await.expect("it answers");
    assert_eq!((verified[0].outcome, &verified[0].address), (Outcome::NotConnected, &at.to_string()));
    let mut options = seats.options(TOWNSHIP, &[]);
    options.listen = at;
    let township = Place::start(options, memory(TOWNSHIP)).await;
    township.has(record).await;
    village.is_live().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_of_the_parent_the_link_goes_on_from_its_cursor() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let at = township.address();
    let village = seats.start(VILLAGE, &[at]).await;
    for n in 0..50 {
        village.found(&format!("支部{n}")).await;
    }
    village.is_live().await;
    let before = village.link().await;
    let store = township.stop().await;
    let record = village.found("停机时建立").await;
    let mut options = seats.options(TOWNSHIP, &[]);
    options.listen = at;
    let township = Place::start(options, store).await;
    township.has(record).await;
    village.is_live().await;
    let after = village.link().await;
    assert_eq!((after.connects, after.reconciled), (before.connects + 1, 0), "{after:?}");
    assert!(after.traffic.bytes_out - before.traffic.bytes_out < 2_000, "only what is new: {before:?} {after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn if_one_address_does_not_answer_the_next_one_is_taken() {
    let seats = County::new();
    let county = seats.start(COUNTY, &[]).await;
    let mut options = seats.options("mirror", &[]);
    options.peers = vec![Upstream::at([county.address().to_string()])];
    let mirror = Place::start(options, memory("mirror")).await;
    let township = seats.start(TOWNSHIP, &[free_address(), county.address(), mirror.address()]).await;
    let first = township.found("镇党委").await;
    county.has(first).await;
    mirror.has(first).await;
    assert_eq!(township.link().await.address, county.address().to_string());
    county.stop().await;
    let second = township.found("第二支部").await;
    mirror.has(second).await;
    assert_eq!(township.link().await.address, mirror.address().to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_that_does_not_read_delays_nobody() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let deaf = connect_deaf(&seats, &township).await;
    let village = seats.start(VILLAGE, &[township.address()]).await;
    village.is_live().await;
    let theirs = request("org.create", None, &[("name", "乙村党支部"), ("seat", OTHER_VILLAGE)]);
    let theirs = made(&township.node.execute(theirs).await.expect("a superior may")).to_string();
    // More than fits into every buffer on the way to the deaf one, random so that compression does not help.
    for _ in 0..40 {
        let write = |_: usize| {
            let name = to_hex(&random::<38>().expect("random bytes"));
            township.node.execute(request("resource.offer", None, &[("name", &name), ("owner_org", &theirs)]))
        };
        let done = futures::future::join_all((0..250).map(write)).await;
        assert!(done.iter().all(Result::is_ok));
    }
    // 10,000 records fill the window: either its 64 frames, or what they weigh.
    let is_full = |link: &LinkReport| link.in_flight_frames >= 64 || link.in_flight_bytes > 1024 * 1024;
    until("the deaf one is far behind", async || township.node.links().await.expect("it answers").iter().any(is_full))
        .await;
    let record = village.found("甲村党支部").await;
    township.has(record).await;
    assert!(township.node.links().await.expect("it answers").iter().any(is_full), "and the deaf one still waits");
    drop(deaf);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_whose_queue_is_full_is_closed_with_the_reason() {
    let seats = County::new();
    let mut options = seats.options(TOWNSHIP, &[]);
    options.limits.outgoing_frames = 4;
    let township = Place::start(options, memory(TOWNSHIP)).await;
    let _deaf = connect_deaf(&seats, &township).await;
    until("the link is closed", async || {
        let name = to_hex(&random::<38>().expect("random bytes"));
        let arguments = [("name", name.as_str()), ("seat", OTHER_VILLAGE)];
        township.node.execute(request("org.create", None, &arguments)).await.expect("it is carried out");
        let links = township.node.links().await.expect("it answers");
        links.iter().any(|link| link.last_error.as_ref().is_some_and(|(why, _)| why.contains("too slow")))
    })
    .await;
    let links = township.node.links().await.expect("it answers");
    assert!(links.iter().all(|link| link.state != LinkState::Refused), "it is made again by itself: {links:?}");
}

/// Says hello as a village, is taken in, and then reads nothing.
async fn connect_deaf(seats: &County, township: &Place) -> impl Sized {
    let line = connect_as(seats, OTHER_VILLAGE, township.address()).await;
    // Two empty ends have nothing to compare. With records to compare, the township would wait for an answer first.
    until("the deaf one is taken in", async || {
        township.node.links().await.expect("it answers").iter().any(|link| link.state == LinkState::Live)
    })
    .await;
    line
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_see_how_far_the_clock_of_the_other_end_is_away() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let village = seats.start(VILLAGE, &[township.address()]).await;
    let _ahead = connect_as(&seats, OTHER_VILLAGE, township.address()).await;
    let is_near = |ahead: i64, due: i64| ahead.abs_diff(due) < 60_000;
    until("the township knows of both", async || {
        let links = township.node.links().await.expect("it answers");
        let mut ahead: Vec<i64> = links.iter().filter_map(|link| link.clock_ahead_ms).collect();
        ahead.sort_unstable();
        matches!(ahead[..], [near, far] if is_near(near, 0) && is_near(far, CLOCK_AHEAD_MS))
    })
    .await;
    let links = village.node.links().await.expect("it answers");
    assert!(links[0].clock_ahead_ms.is_some_and(|ahead| is_near(ahead, 0)), "{links:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_is_refused_and_both_see_why() {
    let (ours, theirs) = (County::new(), County::new());
    // Without certificates, which would tell before: the hello tells it too.
    let plain = async |seats: &County, name: &str, parents: &[SocketAddr]| {
        let mut options = seats.options(name, parents);
        options.security = Security::LoopbackPlain;
        Place::start(options, memory(name)).await
    };
    let township = plain(&ours, TOWNSHIP, &[]).await;
    let stranger = plain(&theirs, VILLAGE, &[township.address()]).await;
    for place in [&stranger, &township] {
        until("the link is refused, with the reason", async || {
            let links = place.node.links().await.expect("it answers");
            links.iter().any(|link| {
                let why = link.last_error.as_ref().map_or("", |(why, _)| why);
                link.state == LinkState::Refused && why.contains("realm")
            })
        })
        .await;
    }
}

#[tokio::test]
async fn what_cannot_work_is_said_before_anything_begins() {
    let seats = County::new();
    let start = async |change: fn(&mut crate::Options)| {
        let mut options = seats.options(VILLAGE, &[]);
        options.security = Security::LoopbackPlain;
        change(&mut options);
        Node::start(options, memory(VILLAGE)).await.err().expect("it does not start")
    };
    let open = start(|options| options.listen = "0.0.0.0:0".parse().expect("one")).await;
    assert!(matches!(open, StartError::NotLoopback(_)) && open.to_string().contains("127.0.0.1"), "{open}");
    let bad = start(|options| options.upstreams = vec![Upstream::at(["here"])]).await;
    assert!(matches!(bad, StartError::BadAddress { .. }), "{bad}");
    let nobody = start(|options| options.key = key("nobody")).await;
    assert!(matches!(nobody, StartError::NotEnrolled(_)) && nobody.to_string().contains("enrol"), "{nobody}");
}
