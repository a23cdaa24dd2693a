//! The gate against the corpus, an engine against all of it at once, and every decoder against mutated bytes.

use std::sync::{Mutex, MutexGuard, PoisonError};

mod corpus;
mod engine;
mod fuzz;
mod twin;

/// Memory is counted for the whole process, so tests that would count each other's take turns.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
