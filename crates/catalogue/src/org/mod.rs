//! 党组织: a branch, a general branch, a committee, wherever it is built. Ending one is a decision, never a deletion.
//!
//! Bottom up: `fields`, `file`, `life`, `live`, `parents`, `two_successors`, `kind`, `commands`.

use heliu_record::prelude::*;

mod commands;
mod fields;
mod file;
mod kind;
mod life;
mod live;
mod parents;
mod two_successors;

pub use fields::{ALL_UNITS, kind_label, kinds, word_of};
pub use file::WAIVED;
pub use life::Org;
pub use live::{found, live};
#[cfg(test)]
pub use parents::Held;
pub use parents::{Tree, projected_parent};

pub static SECTION: Section = section(
    &[&kind::KIND, &file::KIND],
    commands::COMMANDS,
    &[parents::RULE, two_successors::RULE, life::RULE],
    &[parents::SETTLER, two_successors::SETTLER, life::SETTLER],
    &[&live::ENDED, &parents::CYCLE, &parents::NOT_ABOVE],
)
.hard_rules(&[live::not_ended, parents::parent_is_above]);
