//! 联盟: organisations of several seats that share resources and people. Each seat writes the participation of its own organisations, of
//! which there may be several. Who leads a unit may sit with the host's committee as a part-time member; nobody's home changes by that.
//!
//! Bottom up: `participants`, `part_time`, `kind`, `chair`, `commands`.

use heliu_record::prelude::*;

mod chair;
mod commands;
mod kind;
mod part_time;
mod participants;

pub use kind::{CHARTER, CONVENOR, NAME, RESOURCES};
pub use participants::has_left;

pub static SECTION: Section = section(
    &[&kind::KIND],
    commands::COMMANDS,
    &[chair::RULE],
    &[chair::SETTLER],
    &[&commands::NOT_PARTICIPANT, &commands::TAKES_PART, &chair::NO_CHAIR],
);
pub static PART_TIME: Section = section(
    &[],
    part_time::COMMANDS,
    &[part_time::RULE],
    &[part_time::SETTLER],
    &[&part_time::UNIT_LEFT, &part_time::NOT_IN],
);
