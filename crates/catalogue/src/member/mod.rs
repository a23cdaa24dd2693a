//! 党员: one person, one record. Moves are entries in it, so that a person always counts once.
//!
//! Bottom up: `fields`, `home`, `kind`, `owner`, `register`, `ended_home`, `transfer`, `two_homes`.

use heliu_record::prelude::*;

mod ended_home;
mod fields;
mod home;
mod kind;
mod owner;
mod register;
mod transfer;
mod two_homes;

/// In the order in which help lists them: what registers members and assigns them.
pub static SECTION: Section =
    section(&[&kind::KIND], register::COMMANDS, &[two_homes::RULE], &[two_homes::SETTLER], &[&register::HOME_DISPUTED]);
/// What moves them by letters.
pub static TRANSFER: Section = section(
    &[],
    transfer::COMMANDS,
    &[owner::RULE, transfer::RULE, ended_home::RULE],
    &[owner::SETTLER, transfer::SETTLER, ended_home::OF_ADDED, ended_home::OF_ENDED],
    &[&transfer::NO_TRANSFER, &transfer::LETTER_OPEN],
);
