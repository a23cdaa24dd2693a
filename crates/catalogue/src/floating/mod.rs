//! 流动党员: somebody who lives and works elsewhere while his affiliation stays where it is. Two halves, each the record of its own seat, so
//! that neither overwrites the other: the home's, which is the card that the host may read and no more, and the host's. What the host's
//! floating branch has is a link to a person, never his home.
//!
//! Bottom up: `fields`, `half`, `card`, `commands`, `rules`, `count`.

use heliu_record::prelude::*;

mod card;
mod commands;
pub mod count;
mod fields;
mod half;
mod rules;

pub static SECTION: Section = section(
    &[&fields::KIND],
    commands::COMMANDS,
    &[rules::TRANSFERRED, rules::DIFFER],
    &[rules::TRANSFERRED_SETTLER, rules::DIFFER_SETTLER],
    &[
        &card::NOT_ON_CARD,
        &commands::NOT_COUNTED,
        &commands::SAME_PLACE,
        &commands::ONE_PLACE,
        &commands::FLOATS_ALREADY,
        &commands::NOT_THEIRS,
        &commands::NO_HALF,
        &commands::NOT_REPORTED,
        &commands::OVER,
    ],
)
.hard_rules(&[card::is_minimal]);
