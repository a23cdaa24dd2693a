//! Whatever the gate admits, automerge takes too: on random histories of several writers, with random changes spoilt by
//! somebody who knows the form, all admitted changes of a record apply, save, load, and show what Heliu shows.

use std::sync::Arc;

use heliu_record::change::{Change, Container, Draft, OpId, Scalar};
use heliu_record::history::History;
use heliu_record::id::ChangeHash;
use heliu_replication::frame::Delivery;
use heliu_trust::ed25519::Ed25519;
use hostile::author::{Author, COUNTY, County, STRANGER, TOWNSHIP, VILLAGE};
use hostile::corpus::{self, Desk};
use hostile::dice::Dice;
use hostile::fuzz;
use hostile::gate::judge;
use hostile::twin::agrees;

use super::alone;

const FIELDS: &[(Container, &str, &[&str])] = &[
    (Container::Mv, "name", &["甲", "乙", "丙"]),
    (Container::Mv, "org_kind", &["village", "enterprise"]),
    (Container::Mv, "formation_mode", &["single", "joint"]),
    (Container::Mv, "build_mode", &["merged", "coordinated"]),
];

/// An honest edit of some fields; the village may not write all of them, and the stranger none.
fn edit(desk: &Desk<'_>, dice: &mut Dice) -> Draft {
    let mut fields = FIELDS.to_vec();
    let puts = (0..=dice.index(2)).map(|_| {
        let (container, key, values) = fields.remove(dice.index(fields.len()));
        (container, key, Scalar::from(*dice.pick(values)))
    });
    let draft = desk.draft(puts.collect());
    Draft { time_ms: dice.number().cast_signed() >> 20, ..draft }
}

fn misdraft(draft: &mut Draft, all: &[Arc<Change>], dice: &mut Dice) {
    let any = dice.pick(all).clone();
    match dice.index(10) {
        0 => draft.seq += 1,
        1 => draft.seq = draft.seq.saturating_sub(1).max(1),
        2 => draft.start_op += dice.index(3) as u64,
        3 => draft.start_op = 1 + dice.index(12) as u64,
        4 => draft.deps = vec![any.hash],
        5 => draft.deps.push(any.hash),
        6 => draft.deps = vec![ChangeHash([dice.byte(); 32])],
        7 => draft.puts[0].3.clear(),
        8 => draft.puts[0].3.push(any.puts[0].id),
        _ => draft.puts[0].3.push(OpId { counter: 1 + dice.index(40) as u64, actor: any.actor }),
    }
    draft.deps.sort_unstable();
    draft.puts[0].3.sort_unstable();
    draft.puts[0].3.dedup();
}

/// What all writers signed, in a random order.
fn written(authors: &[Author], dice: &mut Dice) -> (Delivery, usize) {
    let mut desks: Vec<Desk<'_>> = authors.iter().map(|author| Desk::empty(author, "twin")).collect();
    let preimage = Arc::clone(&desks[0].preimage);
    desks.iter_mut().for_each(|desk| desk.preimage = Arc::clone(&preimage));
    let birth = desks[0].birth();
    desks[0].write(&birth);
    let mut all = vec![Arc::new(birth)];
    desks[1..].iter_mut().for_each(|desk| desk.history.place(Arc::clone(&all[0])));
    let mut spoilt = 0;
    for _ in 0..3 + dice.index(16) {
        let (who, from) = (dice.index(desks.len()), dice.index(desks.len()));
        let heard: Vec<_> = desks[from].history.changes().cloned().collect();
        let desk = &mut desks[who];
        if dice.chance(50) {
            heard.into_iter().for_each(|change| desk.history.place(change));
        }
        let mut draft = edit(desk, dice);
        if dice.chance(60) {
            let change = Change::encode(draft);
            desk.write(&change);
            all.push(Arc::new(change));
            continue;
        }
        spoilt += 1;
        if dice.chance(50) {
            misdraft(&mut draft, &all, dice);
            desk.sign(&Change::encode(draft).raw);
        } else {
            let target = fuzz::target("change").expect("there is one");
            let raw = (target.spoil)(dice, &Change::encode(draft).raw);
            desk.sign(&raw);
            // Somebody may build on it.
            if let Ok(change) = Change::parse(&raw)
                && dice.chance(50)
                && desk.history.now().check_follows(&change).is_ok()
            {
                desk.history.place(Arc::new(change));
            }
        }
    }
    let mut delivery = Delivery::default();
    for desk in desks {
        let first = delivery.commits.len();
        delivery.commits.extend(desk.delivery.commits);
        delivery.leaves.extend(desk.delivery.leaves.into_iter().map(|mut leaf| {
            leaf.commit += first;
            leaf
        }));
    }
    for at in (1..delivery.leaves.len()).rev() {
        delivery.leaves.swap(at, dice.index(at + 1));
    }
    (delivery, spoilt)
}

#[test]
fn what_the_gate_admits_automerge_loads_and_reads_alike() {
    let _turn = alone();
    let county = County::new();
    let chosen = std::env::var("HELIU_FUZZ_SEED").ok().and_then(|seed| seed.parse().ok());
    let (mut admitted, mut refused, mut spoilt_in_all) = (0, 0, 0);
    for seed in (0..250u64).chain(chosen) {
        let mut dice = Dice::new(seed);
        let authors = [VILLAGE, TOWNSHIP, COUNTY, STRANGER].map(|code| county.author(code, seed));
        let (delivery, spoilt) = written(&authors, &mut dice);
        let judged = judge(&delivery, &county.directory, &Ed25519);
        for leaves in judged.records.values() {
            if let Err(why) = agrees(leaves.history()) {
                panic!("seed {seed}: {why}\n{:?}", judged.codes);
            }
        }
        let good = judged.codes.iter().filter(|code| **code == "admitted").count();
        (admitted, refused) = (admitted + good, refused + judged.codes.len() - good);
        spoilt_in_all += spoilt;
    }
    assert!(admitted > 700 && refused > 700 && spoilt_in_all > 700, "{admitted} {refused} {spoilt_in_all}");
}

/// And whatever of the corpus is admitted, or comes with it.
#[test]
fn automerge_takes_what_is_left_of_the_corpus() {
    let _turn = alone();
    let county = County::new();
    for hostile in corpus::all(&county.author(VILLAGE, 4)) {
        for leaves in judge(&hostile.delivery, &county.directory, &Ed25519).records.values() {
            assert_eq!(agrees(leaves.history()), Ok(()), "{}", hostile.name);
        }
    }
}

/// The comparison can fail: changes that no gate has seen break automerge, or make it disagree.
#[test]
fn without_the_gate_automerge_breaks() {
    let _turn = alone();
    let county = County::new();
    let mut broken = Vec::new();
    for hostile in corpus::all(&county.author(VILLAGE, 5)) {
        let mut history = History::new();
        let parsed = hostile.delivery.leaves.iter().filter_map(|leaf| Change::parse(&leaf.change).ok());
        parsed.for_each(|change| history.place(Arc::new(change)));
        if agrees(&history).is_err() {
            broken.push(hostile.name);
        }
    }
    for name in ["seq gap", "dangling pred", "low start_op", "duplicate (actor, seq)"] {
        assert!(broken.contains(&name), "{name} is not among {broken:?}");
    }
}
