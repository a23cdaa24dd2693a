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

/// A leaf that waits may say whom the record is for, and its author may be above whose it is: it takes the record, and its
/// keys, nowhere.
#[test]
fn what_waits_takes_a_record_to_nobody() {
    for (seed, name) in (0..6).flat_map(|seed| [(seed, "V11"), (seed, "T1")]) {
        let mut threat = Threat::of(seed, name, true, &[Behaviour::OrphanFlood]);
        let member = threat.story.member("V11", "13800001234");
        threat.story.run_until_quiet();
        threat.does(Behaviour::OrphanFlood, 16);
        threat.story.run_until_quiet();
        threat.story.ends_well();
        assert!(threat.held(LeafStatus::Waiting) > 0);
        for name in ["T2", "V12", "V21", "V22"] {
            let machine = threat.story.world.machine(name);
            let row = threat.story.world.machines[machine].disk.row(member);
            assert!(row.is_none_or(|row| row.state != RecordState::Present), "{name}");
        }
        assert_eq!(threat.story.at("T1").reveals(member, "contact"), (vec!["13800001234".to_owned()], 0));
    }
}
