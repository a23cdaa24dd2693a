//! The gate against the corpus, an engine against all of it at once, and every decoder against mutated bytes.

use std::sync::{Mutex, MutexGuard, PoisonError};

mod corpus;
mod engine;
mod fuzz;
mod sequences;
mod twin;

/// Memory is counted for the whole process, so every test waits for its turn: one that does not would be counted.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
