//! What somebody does one after the other who is enrolled, or has a token that may read: each by itself is allowed or cheap.

use std::time::Duration;

use futures::future::join_all;
use heliu_record::change::{Change, Container, OpId, Scalar};
use heliu_record::hash::hash;
use heliu_record::id::{LeafHash, to_hex};
use heliu_record::scope::{membership, seat_key};
use heliu_replication::frame::{Delivery, Frame, RefusedLeaf};
use heliu_trust::id::Incarnation;
use heliu_wire::records::ListRequest;
use heliu_wire::records::records_service_client::RecordsServiceClient;

use super::line::{Line, Talk};
use crate::author::{Author, County, STRANGER, VILLAGE};
use crate::corpus::Desk;

const LEAVES_PER_FRAME: usize = 64;

/// Reads that nobody takes, with a window of nothing: headers go out, and all bytes of the answers wait.
pub async fn unread_answers(line: &Line, connections: usize, lists: usize) {
    let one = |_| async {
        let endpoint = line.endpoint().initial_stream_window_size(0);
        let Ok(channel) = endpoint.connect().await else { return };
        let ask = || {
            let mut client = RecordsServiceClient::new(channel.clone());
            async move { drop(client.list(ListRequest { limit: 1_000, ..ListRequest::default() }).await) }
        };
        let _ = tokio::time::timeout(Duration::from_secs(4), join_all((0..lists).map(|_| ask()))).await;
    };
    join_all((0..connections).map(one)).await;
}

/// Reports of refused leaves, of which each was a line in the log. Returns whether all could be said.
pub async fn log_flood(line: &Line, county: &County, frames: usize) -> bool {
    let mut talk = Talk::begin(line, county).await;
    let refused = |n: usize| RefusedLeaf {
        leaf: LeafHash(hash("hostile leaf", &[&n.to_le_bytes()])),
        code: "x".to_owned(),
        reason: String::new(),
    };
    for n in 0..frames {
        if !talk.say(&Frame::Refused(vec![refused(n)])).await {
            return false;
        }
    }
    talk.listen(Duration::from_millis(500)).await;
    true
}

/// Returns whether all was acknowledged.
pub async fn deliver(line: &Line, county: &County, delivery: Delivery) -> bool {
    let mut talk = Talk::begin(line, county).await;
    let is_taken = talk.deliver(&delivery, LEAVES_PER_FRAME).await;
    talk.listen(Duration::from_millis(500)).await;
    is_taken
}

/// Names for one record that none of their authors knew of each other, each an incarnation of its own.
#[must_use]
pub fn concurrent_values(county: &County, values: usize) -> Delivery {
    let author = county.author(VILLAGE, 1);
    let mut desk = Desk::new(&author, "many names");
    for n in 0..values {
        desk.incarnation = Incarnation(heliu_record::hash::hash16("hostile author", &[&n.to_le_bytes()]));
        let mut draft = desk.edit();
        draft.puts[0].2 = Scalar::Text(format!("名称{n}"));
        desk.seq = 0;
        desk.sign_with(&Change::encode(draft).raw, |commit| commit.previous = None);
    }
    desk.delivery
}

/// Settlements of conflicts that nobody has had.
#[must_use]
pub fn invented_settlements(county: &County, entries: usize) -> Delivery {
    let author = county.author(VILLAGE, 2);
    let mut desk = Desk::new(&author, "settlements");
    for n in 0..entries {
        let key = format!("settle/{}", to_hex(&hash("hostile conflict", &[&n.to_le_bytes()])));
        let draft = desk.draft(vec![(Container::Log, &key, "x".into())]);
        desk.write(&Change::encode(draft));
    }
    desk.delivery
}

/// First changes for a record of somebody else, who has not asked for them.
#[must_use]
pub fn junk_on_others(county: &County, leaves: usize) -> Delivery {
    let (other, author) = (county.author(STRANGER, 3), county.author(VILLAGE, 3));
    let theirs = Desk::new(&other, "somebody's");
    let mut desk = Desk::empty(&author, "junk");
    desk.preimage = theirs.preimage.clone();
    let mut all = theirs.delivery;
    for n in 0..leaves {
        desk.incarnation = Incarnation(heliu_record::hash::hash16("hostile junk", &[&n.to_le_bytes()]));
        desk.seq = 0;
        let raw = desk.birth().raw;
        desk.sign_with(&raw, |commit| commit.previous = None);
    }
    for (commit, mut leaf) in desk.delivery.commits.into_iter().zip(desk.delivery.leaves) {
        leaf.commit = all.commits.len();
        all.commits.push(commit);
        all.leaves.push(leaf);
    }
    all
}

/// Records of the attacker's own, each for another village too, if one is named.
#[must_use]
pub fn records(county: &County, records: u64, other: Option<&str>) -> Delivery {
    let mut all = Delivery::default();
    for n in 0..records {
        let author: Author = county.author(VILLAGE, 1_000 + n);
        let mut desk = Desk::empty(&author, "for another");
        let mut draft = desk.birth_draft();
        let nonce = OpId { counter: draft.start_op + draft.puts.len() as u64, actor: draft.actor };
        let seat = other.map(|code| seat_key(county.seat(code)));
        draft.puts.extend(seat.map(|seat| (Container::Scope, seat, membership(true, nonce), Vec::new())));
        desk.sign(&Change::encode(draft).raw);
        for (commit, mut leaf) in desk.delivery.commits.into_iter().zip(desk.delivery.leaves) {
            leaf.commit = all.commits.len();
            all.commits.push(commit);
            all.leaves.push(leaf);
        }
    }
    all
}
