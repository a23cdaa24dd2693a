//! Whole engines on stores in memory, which talk to each other without losing anything.

pub mod kinds;
pub mod sealed;
pub mod world;
