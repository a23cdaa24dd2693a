//! Stories and properties of records.

mod authority;
mod commands;
mod moves;
mod properties;
mod sealed;
mod sight;
mod speed;
mod stories;
mod versions;
mod words;
mod workflows;
pub(crate) mod world;
