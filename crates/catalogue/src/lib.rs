//! What this product keeps records of: its kinds, its commands and its rules, with their words in both languages.
//!
//! Content alone, for the mechanism of `heliu_record`: what a change, a conflict or a command is stands there. Pure as that is: no
//! clock, no randomness, no I/O. Only `services` and tests depend on it; everybody else is handed the [`Catalogue`].

use std::sync::LazyLock;

use heliu_record::catalogue::Catalogue;
use heliu_record::rule::diverged_field;

pub mod commands;
pub mod kinds;
pub mod rules;
pub mod synthetic;

#[cfg(test)]
mod tests;

/// All of it.
#[must_use]
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
        let made = Catalogue::new(
            &[&kinds::org::KIND, &kinds::member::KIND, &kinds::alliance::KIND, &kinds::resource::KIND],
            &[
                commands::org::COMMANDS,
                commands::member::COMMANDS,
                commands::transfer::COMMANDS,
                commands::alliance::COMMANDS,
                commands::resource::COMMANDS,
            ],
            &[
                &diverged_field::RULE,
                &rules::multi_home::RULE,
                &rules::owner_disputed::RULE,
                &rules::stale_transfer::RULE,
                &rules::add_to_dissolved_org::RULE,
                &rules::withdrawn_resource_booked::RULE,
                &rules::parent_cycle::RULE,
            ],
        );
        made.expect("its declarations hang together, which a test sees")
    });
    &CATALOGUE
}
