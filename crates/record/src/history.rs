//! The admitted changes of one record, and what they add up to.
//!
//! Merging is one rule, automerge's own for scalars in a map: a put is visible until an admitted put on the same key
//! replaces it; several visible puts on a key are concurrent. Because records are flat maps, that rule is the whole
//! merge, and keeping it here makes an open record some 2 KB and a change some microseconds. `tests` hold it against
//! automerge's documents on random histories.
//!
//! What a change stands on is asked of the whole history by its version vector (`version`), and answered by a [`Past`]: no
//! state of an earlier moment is ever built, so that a change costs the same beside a thousand others as beside ten.

mod past;
mod version;
mod whole;

pub use past::{Past, PlaceError};
pub use whole::{History, SHOWN, Visible, shown};
