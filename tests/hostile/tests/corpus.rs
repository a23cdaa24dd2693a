//! Every hostile shape gets exactly the verdict that it should, within its memory, whatever comes with it.

use std::collections::BTreeSet;

use heliu_replication::frame::{Delivery, Frame, Leaves};
use heliu_trust::ed25519::Ed25519;
use heliu_wire::replication::LinkRequest;
use hostile::author::{County, STRANGER, VILLAGE};
use hostile::corpus::{self, Hostile, code_of, read_frame};
use hostile::cost::{self, BYTES_MAX};
use hostile::gate::judge;
use prost::Message;

use super::alone;

fn corpus_of(county: &County) -> Vec<Hostile> {
    corpus::all(&county.author(VILLAGE, 1))
}

#[test]
fn every_hostile_leaf_gets_its_verdict_within_its_memory() {
    let _turn = alone();
    let county = County::new();
    let mut wrong = Vec::new();
    for hostile in corpus_of(&county) {
        let (judged, cost) = cost::of(|| judge(&hostile.delivery, &county.directory, &Ed25519));
        let (name, codes) = (hostile.name, &judged.codes);
        if codes.last() != Some(&hostile.expect_code) {
            wrong.push(format!("{name}: {:?}, not {}", codes.last(), hostile.expect_code));
        }
        if codes[..hostile.honest].iter().any(|code| *code != "admitted") {
            wrong.push(format!("{name}: of {} honest leaves {codes:?}", hostile.honest));
        }
        if cost.bytes > BYTES_MAX {
            wrong.push(format!("{name}: {:.1} MiB", cost.mib()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_hostile_frame_gets_its_verdict_within_its_memory() {
    let _turn = alone();
    let mut wrong = Vec::new();
    for hostile in corpus::frames(&County::new().author(VILLAGE, 1)) {
        let (read, cost) = cost::of(|| read_frame(&hostile.bytes));
        if code_of(&read) != hostile.expect_code {
            wrong.push(format!("{}: {}, not {}: {read:.200?}", hostile.name, code_of(&read), hostile.expect_code));
        }
        if cost.bytes > BYTES_MAX {
            wrong.push(format!("{}: {:.1} MiB", hostile.name, cost.mib()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_are_names() {
    let _turn = alone();
    let county = County::new();
    let author = county.author(VILLAGE, 1);
    let names = corpus::all(&author).into_iter().map(|hostile| hostile.name);
    let names: Vec<&str> = names.chain(corpus::frames(&author).into_iter().map(|hostile| hostile.name)).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert!(names.len() >= 150, "{} shapes", names.len());
}

/// What a frame can carry gets to the gate byte for byte; the rest is refused before, and ends its sender's link.
#[test]
fn the_wire_changes_no_verdict() {
    let _turn = alone();
    let county = County::new();
    for hostile in corpus_of(&county) {
        let leaves = Leaves { sequence: 1, delivery: hostile.delivery.clone(), withdrawn: Vec::new(), through: None };
        let message = LinkRequest::from(&Frame::Leaves(leaves)).encode_to_vec();
        match read_frame(&message) {
            Ok(Frame::Leaves(read)) if hostile.fits_a_frame() => {
                assert_eq!(read.delivery, hostile.delivery, "{}", hostile.name);
            }
            Ok(Frame::Leaves(read)) => {
                // The form cannot say it: what is read is the commit with its own id, or another that nobody signed.
                let judged = judge(&read.delivery, &county.directory, &Ed25519);
                let code = if hostile.expect_code == "commit.wrong-id" { "admitted" } else { "commit.bad-signature" };
                assert_eq!(judged.codes.last(), Some(&code), "{}", hostile.name);
            }
            read => assert!(!hostile.fits_a_frame(), "{}: {}", hostile.name, code_of(&read)),
        }
    }
}

#[test]
fn honest_leaves_are_admitted_whatever_they_come_with() {
    let _turn = alone();
    let county = County::new();
    let honest = corpus::honest(&county.author(STRANGER, 1), 20);
    let mut all = Delivery::default();
    let mut expected = Vec::new();
    let hostile = corpus_of(&county);
    for (number, item) in hostile.iter().enumerate() {
        let honest = honest.get(number);
        for delivery in [Some(&item.delivery), honest].into_iter().flatten() {
            let first = all.commits.len();
            all.commits.extend(delivery.commits.iter().cloned());
            all.leaves.extend(delivery.leaves.iter().cloned().map(|mut leaf| {
                leaf.commit += first;
                leaf
            }));
        }
        expected.push((all.leaves.len() - 1 - honest.map_or(0, |honest| honest.leaves.len()), item));
        expected.extend(honest.map(|_| (usize::MAX, item)));
    }
    let judged = judge(&all, &county.directory, &Ed25519);
    for (last, item) in expected.iter().filter(|(last, _)| *last != usize::MAX) {
        assert_eq!(judged.codes[*last], item.expect_code, "{}", item.name);
    }
    let admitted = |delivery: &Delivery| {
        delivery.leaves.iter().all(|leaf| {
            let held = &judged.records[&leaf.preimage.id()];
            held.iter().any(|(held, status)| held.change.raw == leaf.change && status.is_admitted())
        })
    };
    assert!(honest.iter().all(admitted));
}
