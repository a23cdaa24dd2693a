//! The domain, pure: what a record is, how changes of it are written and read, and what they mean.
//!
//! This is the only room that knows automerge. No clock, no randomness, no I/O: everything here is a function of its
//! arguments, so that every node with the same changes and the same seats sees the same.
//!
//! The mechanism alone: which kinds, commands and rules there are is content (`catalogue` is the value that holds them), declared
//! elsewhere and handed down from `main`.
//!
//! From bytes up: `change` and `history` (what was written), `scope` and `seats` (for whom), `kind`, `naming`, `value`,
//! `plain_text`, `decision`, `sealed` (what it may say), `gate`, `schema` and `authority` (who may write it, by the version of the kind that it cites), `view` and `derived` (what it says),
//! `world` (what is there beside it), `sight` (what of it somebody is shown), `conflict` and `rule` (where people disagree), `command`
//! (how people write), `catalogue` (all that is declared).

pub mod authority;
pub mod catalogue;
pub mod change;
pub mod codec;
pub mod command;
pub mod conflict;
pub mod date;
pub mod decision;
pub mod derived;
pub mod gate;
pub mod handle;
pub mod hash;
pub mod history;
pub mod id;
pub mod kind;
pub mod message;
pub mod naming;
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

#[cfg(test)]
mod tests;

pub use heliu_identity::byte_id;
pub use heliu_words::{plain_text, reason};
