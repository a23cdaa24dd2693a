//! Which signed changes a record takes. First, without any state, whether a commit's author is who it says
//! (`commits`); then, per record, what the set of its leaves adds up to (`leaves`).
//!
//! Architecture invariant: a leaf's status is a function of the set of leaves held for the record and of the directory,
//! never of the order in which they came, nor of a clock.

mod commits;
mod held;
mod leaf;
mod leaves;
mod status;
mod stop;
#[cfg(test)]
mod tests;

pub use commits::{CommitError, check_commits};
pub use leaf::{Leaf, LeafError};
pub use leaves::Leaves;
pub use status::{ExcludedReason, HeldReason, RefusedReason, Status, Unjudged};
