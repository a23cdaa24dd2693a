//! The whole hostile corpus over a real link: no shape of it stops the link or keeps back what comes with it, and operators
//! see each of them.

use std::collections::BTreeSet;

use heliu_client::operations::ListQuarantineRequest;
use heliu_replication::frame::{Frame, Leaves};
use heliu_trust::directory::Directory;
use heliu_trust::ed25519::Ed25519;
use heliu_trust::id::seat_id;
use heliu_wire::replication::LinkRequest;
use hostile::author::Author;
use hostile::corpus;

use super::administration::with;
use super::world::{County, OTHER_VILLAGE, TOWNSHIP, VILLAGE, connect_as, key};
use crate::access::Role;

/// What is refused, and so is in quarantine; the rest of the corpus waits, is held, or has lost a fork.
const REFUSED: [&str; 3] = ["leaf.", "commit.", "refused."];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_hostile_corpus_stops_no_link_and_is_listed() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let mut directory = Directory::new(seats.anchor.realm, seats.anchor.root);
    directory.append(&seats.entry, &Ed25519).expect("it is the county's");
    let author = |name: &str| Author::new(seat_id(&seats.anchor.realm, name), key(name), &directory, 1);
    let mut shapes = corpus::all(&author(VILLAGE));
    // What no frame can carry, and what has to wait for a directory, ends the link of its sender by design.
    shapes.retain(|shape| shape.fits_a_frame() && !shape.is_unjudged());
    let honest = corpus::honest(&author(OTHER_VILLAGE), shapes.len() as u64);
    assert!(shapes.len() > 120, "{}", shapes.len());

    let (said, mut heard) = connect_as(&seats, VILLAGE, township.address()).await;
    let deliveries = shapes.iter().map(|shape| &shape.delivery).zip(&honest).flat_map(|(one, other)| [one, other]);
    for (sequence, delivery) in (1..).zip(deliveries) {
        let leaves = Leaves { sequence, delivery: delivery.clone(), withdrawn: Vec::new(), through: None };
        said.send(LinkRequest::from(&Frame::Leaves(leaves))).await.expect("the link goes on");
        loop {
            let message = heard.message().await.expect("the link goes on").expect("the link goes on");
            match Frame::try_from(message).expect("a frame") {
                Frame::Ack { sequence: acked } if acked == sequence => break,
                Frame::Refuse(why) => panic!("frame {sequence} ended the link: {}", why.reason),
                _ => {}
            }
        }
    }
    for delivery in &honest {
        township.has(delivery.leaves[0].preimage.id()).await;
    }

    let operator = with(&seats, TOWNSHIP, &township, &[Role::Operate]).await;
    let mut listed = BTreeSet::new();
    let mut after = String::new();
    loop {
        let page = operator.quarantine(ListQuarantineRequest { after, ..Default::default() }).await.expect("it may");
        listed.extend(page.items.into_iter().map(|item| (item.why.unwrap_or_default().code, item.bytes)));
        after = page.next;
        if after.is_empty() {
            break;
        }
    }
    for shape in shapes.iter().filter(|shape| REFUSED.iter().any(|group| shape.expect_code.starts_with(group))) {
        let last = shape.delivery.leaves.last().expect("it has leaves");
        let kept = last.change.len().min(64 * 1024) as u64;
        assert!(listed.contains(&(shape.expect_code.to_owned(), kept)), "{} is not listed", shape.name);
    }
}
