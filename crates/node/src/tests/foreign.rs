//! A village that names another one in record after record.

use std::time::Duration;

use heliu_client::administration::ListAuditRequest;
use heliu_client::operations::ForeignAuthor;
use heliu_record::id::RecordId;
use heliu_storage::Read as _;
use heliu_storage::memory::MemoryStore;
use heliu_trust::id::seat_id;

use super::administration::with;
use super::world::{COUNTY, County, OTHER_VILLAGE, Place, TOWNSHIP, VILLAGE, memory, request, until};
use crate::Options;
use crate::access::Role;
use crate::status::Outcome;

const WAIT: Duration = Duration::from_secs(60);
/// Two for each record: that it is there, and for whom.
const LEAVES_MAX: u64 = 20;

/// New records of a village, for the other one too.
async fn name(author: &Place<MemoryStore>, seats: &County, records: usize) -> Vec<RecordId> {
    let other = seat_id(&seats.anchor.realm, OTHER_VILLAGE).to_string();
    let mut made = Vec::new();
    for n in 0..records {
        let record = author.found(&format!("外村组织{n}")).await;
        let share = request("record.share", Some(record), &[("seat", &other)]);
        author.node.execute(share).await.expect("its owner may");
        made.push(record);
    }
    made
}

async fn is_equal(place: &Place<MemoryStore>) {
    until("both ends are proven equal", async || {
        let verified = place.node.verify("", WAIT).await.expect("it answers");
        verified.iter().all(|link| link.outcome == Outcome::Equal)
    })
    .await;
}

async fn held(place: &Place<MemoryStore>) -> u64 {
    place.store.counts().await.expect("it reads").records
}

async fn is_told(place: &Place<MemoryStore>, seats: &County) -> bool {
    let author = seat_id(&seats.anchor.realm, VILLAGE).to_string();
    let alarms = place.node.alarms().await.expect("it answers");
    alarms.iter().any(|alarm| alarm.code == "too_much_of_one" && alarm.subject == author)
}

fn options(seats: &County, township: &Place<MemoryStore>, change: impl FnOnce(&mut Options)) -> Options {
    let mut options = seats.options(OTHER_VILLAGE, &[township.address()]);
    change(&mut options);
    options
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_village_that_another_floods_takes_so_much_tells_whose_it_is_and_stays_equal_with_its_township() {
    let seats = County::new();
    let county = seats.start(COUNTY, &[]).await;
    let township = seats.start(TOWNSHIP, &[county.address()]).await;
    let author = seats.start(VILLAGE, &[township.address()]).await;
    let few = options(&seats, &township, |options| options.foreign_max = LEAVES_MAX);
    let village = Place::start(few, memory(OTHER_VILLAGE)).await;
    village.is_live().await;

    let made = name(&author, &seats, 40).await;
    until("the township has all of them", async || held(&township).await == 40).await;
    until("the village tells who it is", async || is_told(&village, &seats).await).await;
    is_equal(&village).await;
    is_equal(&township).await;
    let taken = held(&village).await;
    assert!((1..=LEAVES_MAX / 2 + 1).contains(&taken), "{taken} of 40 were taken");
    assert!(!is_told(&township, &seats).await, "who is above both takes everything");
    let own = village.found("本村党支部").await;
    county.shows(own, "name", "本村党支部").await;

    // What its own superior writes in is its business, and what was left out of that is fetched.
    let mut out = Vec::new();
    for record in &made {
        if village.view(*record).await.is_none() {
            out.push(*record);
        }
    }
    township.set(out[0], "name", "乡镇确认的组织").await.expect("a superior may");
    village.shows(out[0], "name", "乡镇确认的组织").await;
    is_equal(&village).await;

    // Whoever wants all of it says so, and gets what was left where it was.
    let store = village.stop().await;
    let many = options(&seats, &township, |options| options.foreign_max = 1_000);
    let village = Place::start(many, store).await;
    until("the rest comes", async || held(&village).await == 41).await;
    assert!(!is_told(&village, &seats).await);
    is_equal(&village).await;

    // And whoever wants nothing more of that village declines it, at once: what is here stays. So it is after a restart.
    let operator = with(&seats, OTHER_VILLAGE, &village, &[Role::Operate, Role::Audit]).await;
    operator.decline(VILLAGE, "none of our business").await.expect("an operator may");
    assert_eq!(operator.decline(TOWNSHIP, "").await.expect_err("it is above").reason(), "of_this_line");
    let more = name(&author, &seats, 3).await;
    until("the township has them", async || held(&township).await == 44).await;
    is_equal(&village).await;
    assert_eq!(held(&village).await, 41);
    let store = village.stop().await;
    let village = Place::start(options(&seats, &township, |options| options.foreign_max = 1_000), store).await;
    let of_township = township.found("乡镇组织").await;
    let named = [("seat", seat_id(&seats.anchor.realm, OTHER_VILLAGE).to_string())];
    let named: Vec<(&str, &str)> = named.iter().map(|(key, seat)| (*key, seat.as_str())).collect();
    township.node.execute(request("record.share", Some(of_township), &named)).await.expect("its owner may");
    village.has(of_township).await;
    is_equal(&village).await;
    assert_eq!((held(&village).await, village.view(more[0]).await), (42, None));
    assert!(!is_told(&village, &seats).await, "nobody has to be told what he has decided");

    // All of it is shown and in the audit log; and whoever changes his mind gets what was left out.
    let operator = with(&seats, OTHER_VILLAGE, &village, &[Role::Operate, Role::Audit]).await;
    let shown = operator.foreign().await.expect("an operator may");
    let of = |authors: &[ForeignAuthor]| {
        let told = |one: &ForeignAuthor| (one.seat.clone().unwrap_or_default().code, one.declined, one.records_outside);
        authors.iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(of(&shown), [(VILLAGE.to_owned(), true, 3)]);
    operator.accept(VILLAGE, "it is about the joint branch").await.expect("an operator may");
    for record in &more {
        village.has(*record).await;
    }
    is_equal(&village).await;
    assert_eq!(of(&operator.foreign().await.expect("an operator may")), [(VILLAGE.to_owned(), false, 0)]);
    let log = operator.audit(ListAuditRequest::default()).await.expect("it may").entries;
    let decided = log.iter().filter(|row| row.action.starts_with("foreign."));
    let actions: Vec<(&str, &str)> = decided.map(|row| (row.action.as_str(), row.detail.as_str())).collect();
    let due = [("foreign.decline", "none of our business"), ("foreign.accept", "it is about the joint branch")];
    assert_eq!(actions, due);
}
