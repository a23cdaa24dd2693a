//! Whatever an insider writes, in whatever record: what counts is what the reference model finds to be his to write.

use convergence::world::hostile::Behaviour;
use heliu_storage::LeafStatus;

use super::Threat;

#[test]
fn out_of_path_random_matrix() {
    let mut refused = 0;
    for (seed, name) in (0..12).zip(["V12", "T2", "V21"].into_iter().cycle()) {
        let mut threat = Threat::of(seed, name, false, &[Behaviour::OutOfPath]);
        assert!(threat.does(Behaviour::OutOfPath, 15) > 2);
        threat.story.run_until_quiet();
        threat.story.ends_well();
        refused += threat.held(LeafStatus::Refused);
    }
    assert!(refused > 20, "the matrix tries what is forbidden: {refused}");
}
