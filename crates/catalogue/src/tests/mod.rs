//! Stories and properties of records.

mod apart;
mod authority;
mod commands;
mod development;
mod floats;
mod homes;
mod ledgers;
mod moves;
mod proper;
mod properties;
mod sealed;
mod sight;
mod speed;
mod standing_facts;
mod stories;
mod versions;
mod words;
mod workflows;
pub(crate) mod world;
