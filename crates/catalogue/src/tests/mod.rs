//! Stories and properties of records.

mod authority;
mod commands;
mod moves;
mod properties;
mod sealed;
mod sight;
mod speed;
mod stories;
mod words;
pub(crate) mod world;
