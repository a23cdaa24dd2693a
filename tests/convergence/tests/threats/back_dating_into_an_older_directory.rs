//! An insider goes by an older directory than before, in which the world was another: its own chain gives it away.

use convergence::world::hostile::Behaviour;
use heliu_replication::{Input, Ticket};
use heliu_storage::LeafStatus;

use super::Threat;

#[test]
fn back_dating_into_an_older_directory() {
    let mut backwards = 0;
    for seed in 0..8 {
        let mut threat = Threat::of(seed, "V11", false, &[Behaviour::BackDating]);
        let world = &mut threat.story.world;
        for seat in ["V13", "V14"] {
            let entry = world.county.grow(&[seat]);
            let ticket = Ticket(world.next_ticket());
            world.feed_input(0, Input::Extend { ticket, entries: vec![entry], event: None });
        }
        threat.story.run_until_quiet();
        assert!(threat.does(Behaviour::BackDating, 12) > 3);
        threat.story.run_until_quiet();
        threat.story.ends_well();
        let codes = threat.refused();
        backwards += codes.iter().filter(|code| *code == "refused.directory-backwards").count();
        assert!(threat.held(LeafStatus::Admitted) > 0);
    }
    assert!(backwards > 0, "some of it was its to write, had it not gone back");
}
