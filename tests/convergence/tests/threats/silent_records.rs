//! A thief writes beginnings of records twice, and leaves that wait for what never comes: what counts for nothing says nothing,
//! alike at all who hold it, in whatever order it came.

use convergence::world::hostile::Behaviour;
use heliu_storage::LeafStatus;

use super::Threat;

#[test]
fn what_counts_for_nothing_says_nothing_in_whatever_order_it_came() {
    let mut met = 0;
    for (seed, name) in (1..=8).flat_map(|seed| [(seed, "V11"), (seed, "T1")]) {
        let mut threat = Threat::of(seed, name, true, &[Behaviour::Equivocation, Behaviour::OrphanFlood]);
        threat.does(Behaviour::Equivocation, 8);
        threat.does(Behaviour::OrphanFlood, 8);
        threat.does(Behaviour::Equivocation, 4);
        threat.story.run_until_quiet();
        threat.story.ends_well();
        let machines = threat.story.world.machines.iter();
        let records = machines.flat_map(|machine| machine.disk.rows().into_iter().map(move |row| (machine, row)));
        for (machine, row) in records {
            let leaves = machine.disk.load(row.id).map(|held| held.leaves).unwrap_or_default();
            let has = |status| leaves.iter().any(|leaf| leaf.status == status);
            let has_lost = has(LeafStatus::Excluded) || has(LeafStatus::Refused);
            if has_lost && !has(LeafStatus::Admitted) {
                met += 1;
                assert!(row.view.is_empty() && row.signal == [0; 8], "{} at {}", row.id.short(), machine.name);
            }
        }
    }
    assert!(met > 0, "there was no such record");
}
