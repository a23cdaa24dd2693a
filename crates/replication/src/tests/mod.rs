//! Whole engines on stores in memory, which talk to each other without losing anything.

mod kinds;
mod world;
