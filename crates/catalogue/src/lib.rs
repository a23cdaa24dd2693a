//! What this product keeps records of: its kinds, its commands and its rules, with their words in both languages.
//!
//! Content alone, for the mechanism of `heliu_record`: what a change, a conflict or a command is stands there. Pure as that is: no
//! clock, no randomness, no I/O. Only `services` and tests depend on it; everybody else is handed the [`Catalogue`].
//!
//! Bottom up: `words`, `policy`, `absence`, `numbers`, `org`, `standing`, `homes`, `member`, `floating`, `alliance`, `charter`, `resource`,
//! `need`, `sharing`, `ages`, `waiving`, `ledgers`, `synthetic`.

use std::sync::LazyLock;

use heliu_record::catalogue::{Catalogue, Section};

mod absence;
mod ages;
mod alliance;
mod charter;
pub mod floating;
pub mod homes;
mod ledgers;
mod member;
mod need;
mod numbers;
mod org;
pub mod policy;
mod resource;
mod sharing;
pub mod standing;
#[cfg(any(test, feature = "synthetic"))]
pub mod synthetic;
mod waiving;
mod words;

#[cfg(test)]
mod tests;

/// All of it, in the order in which help lists it.
pub static SECTIONS: &[&Section] = &[
    &org::SECTION,
    &member::SECTION,
    &member::DEVELOPMENT,
    &member::TRANSFER,
    &member::OUTSIDE,
    &member::SAME,
    &floating::SECTION,
    &alliance::SECTION,
    &alliance::PART_TIME,
    &charter::SECTION,
    &sharing::SECTION,
    &resource::SECTION,
    &need::SECTION,
    &numbers::SECTION,
    &policy::SECTION,
    &absence::SECTION,
    &ages::SECTION,
    &waiving::SECTION,
    &ledgers::SECTION,
];

#[must_use]
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> =
        LazyLock::new(|| Catalogue::new(SECTIONS).expect("its declarations hang together, which a test sees"));
    &CATALOGUE
}
