//! The acceptance stories, and what each mechanism of the registry comes to when two places use it apart ([`mechanisms`]), over
//! engines and a network. Each is told with several seeds, so in several orders of arrival.

mod advisories;
mod alliances;
mod development;
mod floats;
mod letters;
mod mechanisms;
mod organisations;
mod records;
mod registry;
mod s01_double_transfer;
mod s02_dissolved_joint_branch;
mod s04_alliance_leave;
mod s12_parent_cycle;

use std::collections::BTreeSet;

use convergence::story::Story;
use heliu_record::id::RecordId;

/// The commands that a story carried out while lines were cut.
type Apart = BTreeSet<String>;

/// Tells a story in several orders of arrival.
fn in_many_orders(tell: impl Fn(u64) -> Apart) -> Apart {
    (0..12).flat_map(tell).collect()
}

fn branch(story: &mut Story, seat: &str, name: &str) -> RecordId {
    let seat = story.seat(seat);
    story.at("C").makes("org.create", &[("name", name), ("seat", &seat)])
}

/// A full member of a branch since 2001, registered at the county.
fn member(story: &mut Story, branch: RecordId, name: &str) -> RecordId {
    let of = [("name", name), ("branch", &*hex(branch)), ("joined_on", "2001-07-01")];
    story.at("C").makes("member.register", &of)
}

/// Two places cannot hear each other while each does something.
fn apart(story: &mut Story, places: [&str; 2], one: impl FnOnce(&mut Story), other: impl FnOnce(&mut Story)) {
    story.run_until_quiet();
    story.cut(&places[..1], &places[1..]);
    one(story);
    other(story);
    story.heal();
    story.run_until_quiet();
}

fn hex(id: RecordId) -> String {
    id.to_string()
}

/// All nodes show the same of a field.
fn shows(story: &Story, record: RecordId, field: &str, value: &serde_json::Value) {
    for (name, view) in story.everywhere(record) {
        assert_eq!(view[field], *value, "{field} at {name}");
    }
}
