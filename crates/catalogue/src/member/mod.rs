//! 党员: one person, one record. Moves are entries in it, so that a person always counts once.
//!
//! Bottom up: `stages`, `fields`, `course`, `home`, `kind`, `link`, `owner`, `register`, `ended_home`, `transfer`, `outside`,
//! `two_homes`, `dates`, `development`, `same`.

use heliu_record::prelude::*;

pub mod course;
mod dates;
mod development;
mod ended_home;
mod fields;
mod home;
mod kind;
mod link;
mod outside;
mod owner;
mod register;
mod same;
mod stages;
mod transfer;
mod two_homes;

pub use fields::{WAIVED, move_state, words_of};
pub use home::Member;
pub use register::HOME_DISPUTED;
pub use stages::{stage, stage_label, stages_of, standing_of};

/// In the order in which help lists them: what registers members and assigns them.
pub static SECTION: Section = section(
    &[&kind::KIND],
    register::COMMANDS,
    &[two_homes::RULE],
    &[two_homes::SETTLER],
    &[
        &register::HOME_DISPUTED,
        &dates::OUT_OF_ORDER,
        &dates::TOO_YOUNG,
        &dates::NO_DAY,
        &dates::NOT_YET,
        &dates::PROBATION_SHORT,
        &link::NO_HOME,
    ],
)
.hard_rules(&[dates::fit_together, transfer::numbered, link::is_no_home]);
/// What makes somebody a member.
pub static DEVELOPMENT: Section =
    section(&[], development::COMMANDS, &[], &[], &[&development::EXTENSION_LENGTH, &development::EXTENDED_ONCE]);
/// What joins two records of one person.
pub static SAME: Section = section(&[], same::COMMANDS, &[], &[], &[&same::ITSELF]);
/// What moves them by letters.
pub static TRANSFER: Section = section(
    &[],
    transfer::COMMANDS,
    &[owner::RULE, transfer::RULE, ended_home::RULE],
    &[owner::SETTLER, transfer::SETTLER, ended_home::SETTLER],
    &[
        &transfer::NO_TRANSFER,
        &transfer::LETTER_OPEN,
        &transfer::LETTER_DAYS,
        &transfer::NOT_ISSUED,
        &transfer::NUMBERED,
    ],
);
/// What moves them out of the realm and into it.
pub static OUTSIDE: Section = section(&[], outside::COMMANDS, &[], &[], &[&outside::NOT_OUTSIDE]);
