//! Many engines with in-memory stores, a simulated network and a simulated clock in one thread, under every fault that
//! the design promises to survive; and a reference model that knows what must come out.
//!
//! [`world`] carries out what engines decide, as a real shell would. [`schedule`] turns a seed into a life of such a world:
//! what is commanded, what breaks, what heals. [`reference`] says what must be true afterwards, and [`invariants`] holds
//! the nodes against it, one file per promise.

pub mod chance;
pub mod coverage;
pub mod dice;
pub mod invariants;
pub mod kept;
pub mod long;
pub mod reference;
pub mod schedule;
pub mod story;
pub mod tally;
pub mod world;
