//! A leaf that shares a record, handed to somebody who holds nothing of it: he cannot judge it, those who can refuse it, and
//! may not tell him why. It takes him in nowhere, at his own node neither, so that all ends go on counting the same.

use convergence::world::hostile::Behaviour;

use super::Threat;

#[test]
fn taking_in_the_unknowing() {
    for seed in 0..8 {
        for (behaviour, is_thief) in [(Behaviour::BackDating, false), (Behaviour::OutOfPath, true)] {
            let mut threat = Threat::of(seed, "T1", is_thief, &[behaviour]);
            assert!(threat.does(behaviour, 16) > 4);
            threat.story.run_until_quiet();
            threat.story.ends_well();
        }
    }
}
