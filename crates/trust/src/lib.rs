//! The gate, pure: who a node is, what it signs, which seats and nodes there are, and which changes are let in.
//!
//! Everything here is a function of its arguments. No clock, no randomness, no I/O, and no automerge either: bytes of a
//! change are parsed by the record room. Moving commits between nodes is `replication`; keeping them is `storage`.
//!
//! Bottom up: `audit`, `id`, `signature`, `commit`, `directory`, `admission`, `ed25519`, `seal`, `grant`,
//! `audience`, `simulated`, `statement`, `token`.

pub mod admission;
pub mod audience;
pub mod audit;
pub mod commit;
pub mod directory;
pub mod ed25519;
pub mod grant;
pub mod id;
pub mod seal;
pub mod signature;
#[cfg(any(test, feature = "testing"))]
pub mod simulated;
pub mod statement;
pub mod token;

#[cfg(test)]
mod story;
