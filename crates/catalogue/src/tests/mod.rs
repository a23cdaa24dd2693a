//! Stories and properties of records.

mod absence;
mod apart;
mod authority;
mod commands;
mod development;
mod floats;
mod homes;
mod ledgers;
mod moves;
mod numbers;
mod proper;
mod properties;
mod reference;
mod sealed;
mod sharing;
mod sight;
mod speed;
mod standing_facts;
mod stories;
mod versions;
mod words;
mod workflows;
pub(crate) mod world;
