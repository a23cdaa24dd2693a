//! The domain, pure: what a record is, how changes of it are written and read, and what they mean.
//!
//! This is the only room that knows automerge. No clock, no randomness, no I/O: everything here is a function of its
//! arguments, so that every node with the same changes and the same seats sees the same.
//!
//! From bytes up: `change` and `history` (what was written), `scope` and `seats` (for whom), `kind`, `kinds`, `naming`, `value`,
//! `plain_text`, `decision`, `sealed` (what it may say), `schema` and `authority` (who may write it), `view` (what it says), `world` (what
//! is there beside it), `sight` (what of it somebody is shown), `conflict` and `rules` (where people disagree), `command` (how people write), `synthetic` (a
//! county to try it with).

pub mod authority;
pub mod change;
pub mod codec;
pub mod command;
pub mod conflict;
pub mod date;
pub mod decision;
pub mod hash;
pub mod history;
pub mod id;
pub mod kind;
pub mod kinds;
pub mod naming;
pub mod plain_text;
pub mod rules;
pub mod schema;
pub mod scope;
pub mod sealed;
pub mod seats;
pub mod sight;
pub mod synthetic;
pub mod value;
pub mod view;
pub mod world;

pub use heliu_identity::byte_id;

#[cfg(test)]
mod tests;
