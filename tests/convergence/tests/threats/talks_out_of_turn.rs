//! An insider answers what nobody asked, lies about sums and positions, and asks for records that are not for its seat: its
//! own lines end with a reason, and it is told of nothing.

use convergence::world::hostile::Behaviour;

use super::Threat;

#[test]
fn talks_out_of_turn() {
    for seed in 0..8 {
        let mut threat = Threat::of(seed, "V12", false, &[Behaviour::BadFrames]);
        assert!(threat.does(Behaviour::BadFrames, 15) > 5);
        threat.ends_well();
        let seat = threat.story.world.county.seat("V12");
        let told = threat.story.world.disclosed.get(&seat).cloned().unwrap_or_default();
        assert!(threat.records.iter().all(|record| !told.contains(record)), "neither is for its seat");
    }
}
