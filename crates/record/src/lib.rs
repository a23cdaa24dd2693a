//! The domain, pure: what a record is, how changes of it are written and read, and what they mean.
//!
//! This is the only room that knows automerge. No clock, no randomness, no I/O: everything here is a function of its
//! arguments, so that every node with the same changes and the same seats sees the same.
//!
//! The mechanism alone: which kinds, commands and rules there are is content (`catalogue` is the value that holds them), declared
//! elsewhere and handed down from `main`.
//!
//! Bottom up: `codec`, `collation`, `column`, `date`, `hash`, `id`, `change`, `history` (what was written), `message` (what people are told), `sealed`, `seats`,
//! `scope` (for whom it is), `writer`, `machine`, `derived`, `entry`, `kind`, `value`, `bounds`, `decision` (what it may say), `gate`, `naming`, `listing` (what a store is asked of many records), `schema`, `authority` (who may
//! write it, by the version of the kind that it cites), `pointing`, `view`, `handle` (what it says), `world` (what is there beside it), `conflict`,
//! `rule` (where people disagree), `sight` (what of it somebody is shown), `ledger` (what many of them come to), `command` (how people write), `diverged_decision`, `diverged_field`, `diverged_part`, `catalogue` (all
//! that is declared), `prelude`.

pub mod authority;
pub mod bounds;
pub mod catalogue;
pub mod change;
pub mod codec;
pub mod collation;
mod column;
pub mod command;
pub mod conflict;
pub mod date;
pub mod decision;
pub mod derived;
mod diverged_decision;
mod diverged_field;
mod diverged_part;
pub mod entry;
pub mod gate;
pub mod handle;
pub mod hash;
pub mod history;
pub mod id;
pub mod kind;
pub mod ledger;
pub mod listing;
mod machine;
pub mod message;
pub mod naming;
mod pointing;
pub mod prelude;
pub mod rule;
pub mod schema;
pub mod scope;
pub mod sealed;
pub mod seats;
pub mod sight;
pub mod value;
pub mod view;
pub mod world;
mod writer;

#[cfg(test)]
mod tests;

pub use heliu_identity::byte_id;
pub use heliu_words::{identity_number, plain_text, reason};
