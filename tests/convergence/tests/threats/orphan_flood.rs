//! Leaves whose predecessors never come: they are kept as what waits, they count for nothing, and nobody is held up.

use convergence::world::hostile::Behaviour;
use heliu_storage::{LeafStatus, RecordState};

use super::Threat;

#[test]
fn orphan_flood() {
    for seed in 0..6 {
        let mut threat = Threat::of(seed, "V11", false, &[Behaviour::OrphanFlood]);
        let before = threat.held(LeafStatus::Admitted);
        assert!(threat.does(Behaviour::OrphanFlood, 8) > 2);
        threat.story.run_until_quiet();
        threat.story.ends_well();
        assert!(threat.held(LeafStatus::Waiting) > 0);
        assert_eq!(threat.held(LeafStatus::Admitted), before);
        threat.story.at("T2").done("record.set", Some(threat.records[1]), &[("field", "name"), ("value", "二支部")]);
        threat.story.run_until_quiet();
        threat.story.ends_well();
    }
}

/// A leaf that waits may say whose the record is: then the record travels there too, and its keys do not.
#[test]
fn what_waits_gives_nobody_a_key() {
    let mut carried = 0;
    for seed in 0..6 {
        let mut threat = Threat::of(seed, "V11", false, &[Behaviour::OrphanFlood]);
        let member = threat.story.member("V11", "13800001234");
        threat.story.run_until_quiet();
        threat.does(Behaviour::OrphanFlood, 16);
        threat.story.run_until_quiet();
        threat.story.ends_well();
        for name in ["T2", "V12", "V21", "V22"] {
            let machine = threat.story.world.machine(name);
            let row = threat.story.world.machines[machine].disk.row(member);
            if row.is_some_and(|row| row.state == RecordState::Present) {
                carried += 1;
                assert_eq!(threat.story.at(name).reveals(member, "contact"), (Vec::new(), 1), "{name}");
            }
        }
        assert_eq!(threat.story.at("T1").reveals(member, "contact"), (vec!["13800001234".to_owned()], 0));
    }
    assert!(carried > 0);
}
