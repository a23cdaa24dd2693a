//! The commands, by what they are about.

pub mod alliance;
pub mod member;
pub mod org;
pub mod resource;
pub mod transfer;
