//! Stories and properties of records.

mod apart;
mod authority;
mod commands;
mod development;
mod homes;
mod moves;
mod numbers;
mod proper;
mod properties;
mod sealed;
mod sight;
mod speed;
mod stories;
mod undo;
mod versions;
mod words;
mod workflows;
pub(crate) mod world;
