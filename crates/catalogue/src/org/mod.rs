//! 党组织: a branch, a general branch, a committee, wherever it is built. Ending one is a decision, never a deletion.
//!
//! Bottom up: `fields`, `live`, `parents`, `kind`, `commands`.

use heliu_record::prelude::*;

mod commands;
mod fields;
mod kind;
mod live;
mod parents;

pub use fields::Org;
pub use live::{found, live};
#[cfg(test)]
pub use parents::projected_parent;

pub static SECTION: Section = section(
    &[&kind::KIND],
    commands::COMMANDS,
    &[parents::RULE],
    &[parents::SETTLER],
    &[&live::ENDED, &parents::CYCLE, &parents::NOT_ABOVE],
);
