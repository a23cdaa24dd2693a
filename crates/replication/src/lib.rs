//! The protocol, sans-IO: one engine per node, one state machine per link. What to send, ask for, judge, keep or forget
//! is decided here; carrying it out is the shell's (`node`, or the simulator in `tests/convergence`), but for what is asked of
//! the store, which all shells do alike ([`serving`]).
//!
//! No tokio, no SQL, no gRPC. Time and randomness are inputs, so a seed reproduces everything. A node is made of parts that
//! own their state and do not know each other: [`authority`], [`records`], [`keys`], [`statements`], [`audit`], [`health`],
//! [`journal`], and one [`link`] for each connection. What a part finds is a value; the steps of a [`batch`] hand it to the
//! others, and gather in a [`Delta`](journal::Delta) what is to be written and told. [`intake`] opens what comes, [`engine`]
//! routes. Only a [`Durable`](durable::Durable) lets out what waits for the disk.
//!
//! The order to read in: [`effect`] (what goes in and comes out), [`frame`] (what travels), [`engine`], [`parts`], [`batch`],
//! [`link`].
//!
//! Bottom up: `alarm`, `config`, `durable`, `layers`, `frame`, `effect`, `audit`, `authority`, `journal`, `own`, `reconcile`, `records`,
//! `health`, `keys`, `start`, `statements`, `intake`, `link`, `parts`, `batch`, `engine`, `serving`.

mod alarm;
mod audit;
mod authority;
mod batch;
mod config;
mod durable;
pub mod effect;
pub mod engine;
pub mod frame;
mod health;
mod intake;
mod journal;
mod keys;
mod layers;
mod link;
mod own;
mod parts;
mod reconcile;
mod records;
pub mod serving;
mod start;
mod statements;
#[cfg(test)]
mod tests;

pub use alarm::{Alarm, Severity};
pub use config::{Config, FOREIGN_MAX, LEAVES_ENOUGH, SCOPES_MAX};
pub use effect::{
    AuditEvent, Effect, ForeignAction, GRANTED_ROWS, Input, LOOK_ROWS, LinkId, LinkStatus, LoadReply, LoadRequest,
    Moment, Notice, QuarantineAction, Reply, Revealed, StrandedAction, Ticket, Trial,
};
pub use engine::Engine;
pub use journal::written_by;
pub use keys::reveal;
pub use records::ForeignAuthor;
pub use start::Start;
pub use statements::Receipt;
