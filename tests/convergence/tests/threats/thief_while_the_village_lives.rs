//! Somebody has a copy of a village's key and disk and writes as that village from elsewhere, in the village's own
//! incarnation too. Nothing of the village is lost, and nobody is torn apart.

use convergence::world::hostile::Behaviour;

use super::Threat;

#[test]
fn thief_while_the_village_lives() {
    for seed in 0..10 {
        let behaviours = [Behaviour::OutOfPath, Behaviour::Equivocation, Behaviour::BackDating];
        let mut threat = Threat::of(seed, "V11", true, &behaviours);
        for round in 0..5 {
            let value = format!("名{round}");
            let written = threat.story.at("V11").done(
                "record.set",
                Some(threat.records[0]),
                &[("field", "education"), ("value", ["primary", "junior_college"][round % 2])],
            );
            let county = threat.story.world.machine("C");
            behaviours.iter().for_each(|behaviour| {
                threat.does(*behaviour, 2);
            });
            threat.story.run_until_quiet();
            let is_held = written
                .leaves
                .iter()
                .all(|leaf| threat.story.world.machines[county].disk.holds(&threat.records[0], leaf));
            assert!(is_held, "what the village acknowledged ({value}) is at the county");
        }
        threat.story.ends_well();
    }
}
