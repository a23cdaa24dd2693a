//! Who somebody is, pure: the one hash, identifiers as bytes and as text, keys and signatures in the abstract, and the ids
//! of realms and nodes that follow from keys.
//!
//! All that a client needs to know which node answers it. What nodes and realms may do is `trust`; the schemes that sign
//! are there too. An id that is of a record, a commit or a row is declared where that is.
//!
//! Bottom up: `hash`, `id`, `signature`.

pub mod hash;
pub mod id;
pub mod signature;

#[doc(hidden)]
pub use serde;
