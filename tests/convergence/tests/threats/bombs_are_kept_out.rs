//! Bytes that are no change, cut, flipped, stretched, and changes that follow from nothing: refused with a reason, one by
//! one, while everything else goes on.

use convergence::world::hostile::Behaviour;

use super::Threat;

#[test]
fn bombs_are_kept_out() {
    let mut codes = std::collections::BTreeSet::new();
    for seed in 0..6 {
        let mut threat = Threat::of(seed, "V12", false, &[Behaviour::Bombs]);
        assert!(threat.does(Behaviour::Bombs, 25) > 5);
        threat.ends_well();
        codes.extend(threat.refused());
    }
    for code in ["leaf.not-a-change", "leaf.too-long", "refused.seq", "refused.start-op", "refused.dangling"] {
        assert!(codes.contains(code), "{code} is not among {codes:?}");
    }
}
