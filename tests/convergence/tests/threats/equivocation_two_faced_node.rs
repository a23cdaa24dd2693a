//! A node shows one neighbour one leaf and another neighbour another, both in one place of its chain: everybody ends with
//! both, and with the same one of them.

use convergence::world::hostile::Behaviour;
use heliu_storage::LeafStatus;

use super::Threat;

#[test]
fn equivocation_two_faced_node() {
    let mut excluded = 0;
    for (seed, name) in (0..12).zip(["V11", "T2", "V21"].into_iter().cycle()) {
        let mut threat = Threat::of(seed, name, false, &[Behaviour::Equivocation]);
        assert!(threat.does(Behaviour::Equivocation, 10) > 1);
        threat.story.run_until_quiet();
        threat.story.ends_well();
        excluded += threat.held(LeafStatus::Excluded);
    }
    assert!(excluded > 5, "forks are kept, and do not count: {excluded}");
}
