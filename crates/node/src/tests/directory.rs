//! A node that is started again with a longer directory.

use heliu_record::seats::{Seat, Tier};
use heliu_trust::directory::{Directory, Item};
use heliu_trust::ed25519::Ed25519;
use heliu_trust::id::seat_id;

use super::world::{COUNTY, County, Place, TOWNSHIP, key, memory, request};
use crate::error::ExecuteError;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_longer_directory_at_the_start_is_taken_beside_the_records_that_are_there() {
    let seats = County::new();
    let realm = seats.anchor.realm;
    let [township, village] = [TOWNSHIP, "371726101203"].map(|code| seat_id(&realm, code));
    let county = Place::start(seats.options(COUNTY, &[]), memory(COUNTY)).await;
    let org = county.found("党委").await;
    let (convenor, seat) = (org.to_string(), village.to_string());
    let terms = [("name", "联盟"), ("convenor", convenor.as_str()), ("seats", seat.as_str())];
    let form = || request("alliance.form", None, &terms);
    let refused = county.node.execute(form()).await;
    assert!(matches!(refused, Err(ExecuteError::Refused(why)) if why.code == "unknown_seat"));
    let store = county.stop().await;

    let mut directory = Directory::new(realm, seats.anchor.root);
    directory.append(&seats.entry, &Ed25519).expect("the first entry");
    let (code, name) = ("371726101203".to_owned(), "新村".to_owned());
    let village = Seat { id: village, code, name, parent: Some(township), tier: Tier::Village };
    let second = directory.draft(vec![Item::Seat(village)], 0, &[&*key("issuer")]).expect("it follows");
    let mut options = seats.options(COUNTY, &[]);
    options.directory.push(second);
    let county = Place::start(options, store).await;
    assert_eq!(county.store.directory().await.expect("it reads").len(), 2);
    county.shows(org, "name", "党委").await;
    county.node.execute(form()).await.expect("the new seat can be named");
}
