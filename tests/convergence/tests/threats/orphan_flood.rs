//! Leaves whose predecessors never come: they are kept as what waits, they count for nothing, and nobody is held up.

use convergence::world::hostile::Behaviour;
use heliu_storage::LeafStatus;

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
