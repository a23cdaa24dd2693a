//! Ledgers: what the records come to, one file each. What a ledger is, `heliu_record::ledger` says.
//!
//! Bottom up: `orgs`, `people`, `table`, `members`, `roster`, `organisations`, `joint`, `movements`, `development`,
//! `letters`, `floats`, `alliances`, `statistics`, `advisories`, `due`, `inbox`.

use heliu_record::prelude::*;

mod advisories;
mod alliances;
mod development;
mod due;
mod floats;
mod inbox;
mod joint;
mod letters;
mod members;
mod movements;
mod organisations;
mod orgs;
mod people;
mod roster;
mod statistics;
mod table;

pub static SECTION: Section = section(&[], &[], &[], &[], &[&movements::BY_SEAT]).ledgers(&[
    members::LEDGER,
    roster::LEDGER,
    organisations::LEDGER,
    joint::LEDGER,
    movements::LEDGER,
    development::LEDGER,
    letters::LEDGER,
    floats::LEDGER,
    alliances::ALLIANCES,
    alliances::RESOURCES,
    statistics::LEDGER,
    advisories::LEDGER,
    due::LEDGER,
    inbox::LEDGER,
]);
