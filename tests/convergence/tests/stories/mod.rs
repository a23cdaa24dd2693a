//! The acceptance stories, over engines and a network. Each is told with several seeds, so in several orders of arrival.

mod registry;
mod s01_double_transfer;
mod s02_dissolved_joint_branch;
mod s04_alliance_leave;
mod s12_parent_cycle;

use convergence::story::Story;
use heliu_record::id::RecordId;

/// Tells a story in several orders of arrival.
fn in_many_orders(tell: impl Fn(u64)) {
    (0..12).for_each(tell);
}

fn branch(story: &mut Story, seat: &str, name: &str) -> RecordId {
    let seat = story.seat(seat);
    story.at("C").makes("org.create", &[("name", name), ("seat", &seat)])
}

fn hex(id: RecordId) -> String {
    id.to_string()
}
