//! Time that is wrong, runs backwards, or is elsewhere: the day of the realm, and what becomes of a node whose clock is set.

use std::time::Duration;

use heliu_client::administration::ProposeRequest;
use heliu_client::administration::propose_request::Change;
use heliu_record::date::Date;
use heliu_storage::memory::MemoryStore;
use heliu_tls::make;
use heliu_trust::signature::Signer as _;

use super::world::{
    COUNTY, County, OTHER_VILLAGE, Place, TOWNSHIP, VILLAGE, create, key, made, memory, request, until,
};
use crate::clock::{Clock, wall_ms};
use crate::status::LinkState;

const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;
const YEAR_MS: i64 = 365 * DAY_MS;

/// A node whose clock the test sets.
async fn start(
    seats: &County,
    name: &str,
    parents: &[&Place<MemoryStore>],
    ahead_ms: i64,
) -> (Place<MemoryStore>, Clock) {
    let parents: Vec<_> = parents.iter().map(|parent| parent.address()).collect();
    let options = seats.options(name, &parents);
    let clock = options.clock.clone();
    clock.set_by(ahead_ms);
    (Place::start(options, memory(name)).await, clock)
}

async fn not_after(place: &Place<MemoryStore>) -> i64 {
    place.node.status().await.expect("it answers").certificate_not_after_ms.expect("it is secured")
}

/// By how much a clock has to be set so that it shows this time of the day in UTC.
fn until_it_is(hour: i64, minute: i64) -> i64 {
    (hour * HOUR_MS + minute * 60_000 - wall_ms()).rem_euclid(DAY_MS)
}

/// The civil day so far ahead in a place that is so many hours ahead of UTC, counted apart from what is tested.
fn day(ahead_ms: i64, hours: i64) -> Date {
    let days = (wall_ms() + ahead_ms + hours * HOUR_MS).div_euclid(DAY_MS);
    let date = Date::constant(1970, 1, 1).saturating_add(jiff::Span::new().days(days));
    assert_eq!(
        date.since(Date::constant(1970, 1, 1)).expect("in the calendar").get_days(),
        i32::try_from(days).expect("days")
    );
    date
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_in_china_before_eight_in_the_morning_carries_the_date_of_that_morning() {
    let seats = County::new();
    // Half past seven in the morning in Shanghai; in UTC it is the evening before.
    let ahead = until_it_is(23, 30);
    let (county, clock) = start(&seats, COUNTY, &[], ahead).await;
    let (in_china, in_utc) = (day(ahead, 8).to_string(), day(ahead, 0).to_string());
    assert_ne!(in_china, in_utc);
    let status = county.node.status().await.expect("it answers");
    assert_eq!((status.time_zone.as_str(), status.today.to_string()), ("Asia/Shanghai", in_china.clone()));

    let closes = |org| request("org.dissolve", Some(org), &[]);
    let org = county.found("晨光支部").await;
    county.node.execute(closes(org)).await.expect("it is carried out");
    let view = county.view(org).await.expect("it is here").to_string();
    assert!(view.contains(&in_china) && !view.contains(&in_utc), "dissolved on {in_china}: {view}");

    // The realm turns out to be in New York: there it is still the evening before, and what is written stays.
    let administrator = seats.client(COUNTY, &county).await;
    let zone = |name: &str| {
        let change = Some(Change::TimeZone(name.to_owned()));
        administrator.propose(ProposeRequest { change, reason: "that is where we are".to_owned() })
    };
    let refused = zone("Asia/Beijing").await.expect_err("the tz database has no such name");
    assert_eq!(refused.reason(), "bad_value", "{refused}");
    zone("america/new_york").await.expect("it holds the issuer's key");
    until("the zone counts", async || {
        county.node.status().await.is_ok_and(|status| status.time_zone == "America/New_York")
    })
    .await;
    assert_eq!(county.node.status().await.expect("it answers").today.to_string(), in_utc);
    let other = made(&county.node.execute(create("暮光支部")).await.expect("it is carried out"));
    county.node.execute(closes(other)).await.expect("it is carried out");
    let view = county.view(other).await.expect("it is here").to_string();
    assert!(view.contains(&in_utc) && !view.contains(&in_china), "dissolved on {in_utc}: {view}");
    assert!(county.view(org).await.expect("it is here").to_string().contains(&in_china), "what is written stays");
    let said = administrator.status().await.expect("it answers");
    assert_eq!((said.time_zone, said.today), ("America/New_York".to_owned(), in_utc));
    drop(clock);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_ran_with_next_years_date_for_a_moment_lets_its_people_and_its_parent_in_again_by_itself() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let (village, clock) = start(&seats, VILLAGE, &[&township], 0).await;
    village.is_live().await;
    let client = seats.client(VILLAGE, &village).await;

    clock.set_by(YEAR_MS);
    until("the certificate is one of next year", async || not_after(&village).await > wall_ms() + 400 * DAY_MS).await;
    // Whoever comes now is told that it is not valid yet: his clock is right.
    let village_address = village.address();
    let (_, access) = seats.token(
        VILLAGE,
        village_address,
        crate::access::Grant { roles: crate::access::Role::ALL.to_vec(), ..Default::default() },
    );
    let refused = heliu_client::Client::open(&access).await;
    let refused = match refused {
        Ok(newcomer) => newcomer.status().await.err().map(|error| error.to_string()),
        Err(error) => Some(error.to_string()),
    };
    assert!(refused.as_ref().is_some_and(|why| why.contains("is valid from")), "{refused:?}");

    clock.set_by(0);
    until("the certificate is one of now", async || not_after(&village).await < wall_ms() + 398 * DAY_MS).await;
    let newcomer = heliu_client::Client::open(&access).await.expect("it is let in");
    until("he is answered", async || newcomer.status().await.is_ok()).await;
    assert_eq!(newcomer.status().await.expect("it answers").problems, Vec::new());
    drop(client);
    // And a link that is made anew is taken at both ends.
    let store = village.stop().await;
    let village = Place::start(seats.options(VILLAGE, &[township.address()]), store).await;
    village.is_live().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_started_with_a_clock_ahead_comes_in_as_soon_as_it_is_put_right() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let (village, clock) = start(&seats, VILLAGE, &[&township], YEAR_MS).await;
    until("its parent says why it is not let in, or it says so itself", async || {
        let is_noted = township.node.status().await.expect("it answers").refusals > 0;
        is_noted || village.link().await.last_error.is_some()
    })
    .await;
    clock.set_by(0);
    village.is_live().await;
    assert!(not_after(&village).await < wall_ms() + 398 * DAY_MS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_wakes_up_in_1970_keeps_its_people_and_warns_no_more_once_its_clock_is_set() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let files = seats.files(VILLAGE);
    let good = make(&*key(VILLAGE), seats.anchor.realm, &[], wall_ms()).expect("it is made");
    good.write(&files.certificate, &files.key).expect("it is ours");
    let (village, clock) = start(&seats, VILLAGE, &[&township], -wall_ms()).await;
    // By its own clock it is valid: whoever sits at this machine, with the same clock, gets in.
    assert!(not_after(&village).await < 400 * DAY_MS);
    clock.set_by(0);
    village.is_live().await;
    let status = village.node.status().await.expect("it answers");
    assert!(
        status.problems.is_empty() && status.certificate_not_after_ms > Some(wall_ms() + 390 * DAY_MS),
        "{status:?}"
    );
    assert!(status.alarms.iter().all(|alarm| alarm.code != "certificate_expiring"), "{:?}", status.alarms);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pair_that_a_wrong_clock_put_into_the_files_does_not_stay_a_warning() {
    let seats = County::new();
    let (village, clock) = start(&seats, VILLAGE, &[], 0).await;
    let (files, first) = (seats.files(VILLAGE), not_after(&village).await);
    // `heliu rotate` while the clock was wrong, which has been put right before the node looked.
    let early = make(&*key(VILLAGE), seats.anchor.realm, &[], wall_ms() + YEAR_MS).expect("it is made");
    early.write(&files.certificate, &files.key).expect("it is ours");
    let in_file = || {
        let node = key(VILLAGE).node();
        heliu_tls::Identity::read(&files.certificate, &files.key, seats.anchor.realm, node)
    };
    until("the files have one that is valid", async || in_file().is_ok_and(|pair| pair.check(wall_ms()).is_ok())).await;
    assert_eq!(village.node.status().await.expect("it answers").problems, Vec::new());

    // A good one that the node cannot take while its own clock is wrong is taken when the clock is right.
    clock.set_by(450 * DAY_MS);
    until("it has one of then", async || not_after(&village).await > first + 400 * DAY_MS).await;
    let good = make(&*key(VILLAGE), seats.anchor.realm, &[], wall_ms()).expect("it is made");
    good.write(&files.certificate, &files.key).expect("it is ours");
    until("it says what is wrong", async || {
        village.node.status().await.expect("it answers").problems.iter().any(|why| why.code == "expired")
    })
    .await;
    clock.set_by(0);
    until("the warning is gone", async || village.node.status().await.expect("it answers").problems.is_empty()).await;
    assert!(not_after(&village).await < wall_ms() + 398 * DAY_MS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neighbours_hear_over_the_link_that_there_is_when_a_clock_has_been_put_right() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let (village, clock) = start(&seats, VILLAGE, &[&township], 2 * HOUR_MS).await;
    village.is_live().await;
    let ahead = async || township.link().await.clock_ahead_ms.expect("it said so");
    until("the township sees a clock that is ahead", async || (ahead().await - 2 * HOUR_MS).abs() < 60_000).await;
    clock.set_by(0);
    until("the township sees that it is right", async || ahead().await.abs() < 60_000).await;
    assert!(village.link().await.clock_ahead_ms.is_some_and(|ahead| ahead.abs() < 60_000), "as the village does");
    assert_eq!(village.link().await.connects, 1, "without another connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_wrong_clock_saw_is_told_with_the_right_time_afterwards() {
    let seats = County::new();
    let (township, clock) = start(&seats, TOWNSHIP, &[], YEAR_MS).await;
    let village = seats.start(VILLAGE, &[township.address()]).await;
    until("somebody is refused", async || township.node.status().await.expect("it answers").refusals > 0).await;
    clock.set_by(0);
    village.is_live().await;
    // By an hour at most, and not by a year: then it would be the newest for a year.
    let is_of_now = |at_ms: i64| (wall_ms() - at_ms).abs() < HOUR_MS;
    let status = township.node.status().await.expect("it answers");
    assert!(status.recent_refusals.iter().all(|refused| is_of_now(refused.at_ms)), "{:?}", status.recent_refusals);
    clock.set_by(2 * HOUR_MS);
    let alarms = township.node.alarms().await.expect("it answers");
    let refused = alarms.iter().find(|alarm| alarm.code == "refused_peers");
    assert!(refused.is_some(), "two hours on the clock are no two hours: {alarms:?}");
    clock.set_by(0);
    let link = township.link().await;
    assert!(link.heard_ms.is_some_and(is_of_now) && link.verified_ms.is_none_or(is_of_now), "{link:?}");
    assert_eq!(link.state, LinkState::Live);
    let other = seats.start(OTHER_VILLAGE, &[township.address()]).await;
    tokio::time::timeout(Duration::from_secs(60), other.is_live()).await.expect("newcomers are let in");
}
