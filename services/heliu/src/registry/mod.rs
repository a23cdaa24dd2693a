//! Verbs of the registry: who is let in and who is shut out, and what else the directory says. What it means is judged in
//! `trust`; here it is asked for, and what comes of it is told.

pub mod directory;
pub mod enroll;
mod escrow;
pub mod join;
pub mod nodes;
pub mod propose;
mod resolve;
pub mod root;
