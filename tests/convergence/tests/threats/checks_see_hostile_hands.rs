//! The checks of these stories can fail: each is shown an engine that lets in what it must not.

use std::sync::Arc;

use convergence::dice::Dice;
use convergence::invariants::check;
use convergence::story::Story;
use convergence::world::hostile::Behaviour;
use heliu_storage::{LeafStatus, Transaction};
use heliu_trust::signature::{PublicKey, Signature, Verifier};

use super::{Threat, member};

/// Believes everything.
struct Gullible;

impl Verifier for Gullible {
    fn scheme(&self) -> &'static str {
        "simulated"
    }

    fn verify_all(&self, items: &[(PublicKey, &[u8], Signature)]) -> Vec<bool> {
        vec![true; items.len()]
    }
}

fn found(story: &Story) -> Vec<String> {
    check(&story.world).iter().map(ToString::to_string).collect()
}

#[test]
fn a_gate_that_checks_no_signature_is_seen() {
    let mut threat = Threat::of(1, "V12", false, &[Behaviour::ForgedAuthor]);
    for machine in 0..threat.story.world.machines.len() {
        threat.story.world.crash(machine);
        threat.story.world.machines[machine].verifier = Arc::new(Gullible);
        threat.story.world.start(machine);
    }
    threat.story.run_until_quiet();
    threat.does(Behaviour::ForgedAuthor, 12);
    threat.story.world.run_for(10_000);
    let found = found(&threat.story);
    assert!(found.iter().any(|v| v.starts_with("I13") && v.contains("which nobody wrote")), "{found:?}");
}

#[test]
fn an_authority_that_takes_a_village_for_the_county_is_seen() {
    // The directory says that its node is of the county; the reference model knows better.
    let mut story = Story::where_one_passes_for_another(2, &["C", "T1", "T2", "V11", "V12"], "V12", "C");
    let seat = story.seat("T2");
    for n in 0..8 {
        member(&mut story, &seat, &format!("测试甲000{n}"));
    }
    story.wait();
    let machine = story.world.machine("V12");
    let hostile = story.world.turn_hostile(machine, false, &[Behaviour::OutOfPath], Dice::new(3));
    let mut dice = Dice::new(4);
    for _ in 0..8 {
        story.world.act(hostile, Behaviour::OutOfPath, &mut dice);
        story.world.run_for(700);
    }
    let found = found(&story);
    assert!(found.iter().any(|v| v.starts_with("I13") && v.contains("not its to write")), "{found:?}");
    assert!(found.iter().any(|v| v.starts_with("I13") && v.contains("were told of")), "{found:?}");
    assert!(found.iter().any(|v| v.starts_with("I2") && v.contains("wrongly")), "{found:?}");
}

#[test]
fn a_refused_leaf_that_a_node_counts_is_seen() {
    let mut threat = Threat::of(5, "V12", false, &[Behaviour::OutOfPath]);
    threat.does(Behaviour::OutOfPath, 15);
    threat.story.run_until_quiet();
    threat.story.ends_well();
    let county = threat.story.world.machine("C");
    let disk = &threat.story.world.machines[county].disk;
    let refused = disk.rows().into_iter().filter_map(|row| disk.load(row.id)).flat_map(|held| held.leaves);
    let refused = refused.into_iter().find(|leaf| leaf.status == LeafStatus::Refused).expect("something was refused");
    let transaction =
        Transaction { statuses: vec![(refused.position, LeafStatus::Admitted)], ..Transaction::default() };
    threat.story.world.machines[county].disk.apply(&transaction).expect("a store takes anything that fits");
    let found = found(&threat.story);
    assert!(found.iter().any(|v| v.starts_with("I13: C lets V12 write")), "{found:?}");
}

#[test]
fn an_honest_group_that_is_not_at_rest_is_seen_whatever_the_hostile_do() {
    let mut threat = Threat::of(6, "V12", false, &[Behaviour::Withholding]);
    threat.story.run_until_quiet();
    // An honest line is cut: that is no hostile node's doing, and not excused by one.
    threat.story.cut(&["T2"], &["V21"]);
    threat.story.world.run_for(5_000);
    assert!(threat.story.world.unrest().is_some());
    threat.story.at("T2").done("record.set", Some(threat.records[1]), &[("field", "name"), ("value", "二支部")]);
    threat.story.cut(&["T2"], &["C"]);
    let village = threat.records[0];
    threat.story.at("V11").done("record.set", Some(village), &[("field", "name"), ("value", "一支部")]);
    threat.story.wait();
    assert_eq!(threat.story.world.groups().len(), 1);
    let township = threat.story.world.machine("T2");
    threat.story.heal();
    threat.story.run_until_quiet();
    threat.story.ends_well();
    assert!(threat.story.world.machines[township].disk.row(village).is_none());
}
