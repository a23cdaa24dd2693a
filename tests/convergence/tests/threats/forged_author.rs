//! Commits in another's name, leaves by another's actor, another's signature on one's own commit: nothing of it is held.

use convergence::world::hostile::Behaviour;

use super::Threat;

#[test]
fn forged_author() {
    let mut codes = std::collections::BTreeSet::new();
    let mut done = 0;
    for seed in 0..6 {
        let mut threat = Threat::of(seed, "V12", false, &[Behaviour::ForgedAuthor]);
        done += threat.does(Behaviour::ForgedAuthor, 12);
        threat.ends_well();
        codes.extend(threat.refused());
    }
    assert!(done > 20, "{done} were tried");
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), ["commit.bad-signature", "leaf.wrong-actor"]);
}
