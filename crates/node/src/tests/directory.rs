//! A node that is started again with a longer directory.

use heliu_record::seats::{Seat, Tier};
use heliu_storage::{Budget, FeedEntry, Read};
use heliu_trust::directory::{Directory, Item};
use heliu_trust::ed25519::Ed25519;
use heliu_trust::id::seat_id;

use super::world::{COUNTY, County, Place, TOWNSHIP, key, made, memory, request};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_longer_directory_at_the_start_rescopes_what_is_there() {
    let seats = County::new();
    let realm = seats.anchor.realm;
    let [township, stranger] = [TOWNSHIP, "371726101203"].map(|code| seat_id(&realm, code));
    let county = Place::start(seats.options(COUNTY, &[]), memory(COUNTY)).await;
    let org = county.found("党委").await.to_string();
    let terms = [("name", "联盟"), ("convenor", org.as_str()), ("seats", &stranger.to_string())];
    let league = made(&county.node.execute(request("alliance.form", None, &terms)).await.expect("it is formed"));
    let store = county.stop().await;

    let mut directory = Directory::new(realm, seats.anchor.issuer);
    directory.append(&seats.entry, &Ed25519).expect("the first entry");
    let (code, name) = ("371726101203".to_owned(), "新村".to_owned());
    let village = Seat { id: stranger, code, name, parent: Some(township), tier: Tier::Village };
    let second = directory.draft(vec![Item::Seat(village)], 0, &*key("issuer")).expect("it follows");
    let mut options = seats.options(COUNTY, &[]);
    options.directory.push(second);
    let county = Place::start(options, store).await;
    let page = county.store.feed(0, Budget { entries: 100, bytes: usize::MAX }).await.expect("it reads");
    let rescopes: Vec<_> = (page.items.into_iter())
        .filter_map(|item| match item.entry {
            FeedEntry::Rescope { record, added, removed, .. } => Some((record, added, removed)),
            FeedEntry::Leaf(_) => None,
        })
        .collect();
    assert_eq!(rescopes, [(league, vec![township], Vec::new())]);
    assert_eq!(county.store.directory().await.expect("it reads").len(), 2);
}
