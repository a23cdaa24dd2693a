//! Bytes to types: what nodes say to each other, generated from proto/ and converted to and from domain types; and domain
//! types as messages of the APIs, which servers answer with. The messages themselves are in `heliu_api`.
//!
//! Nothing here decides or waits. What comes from outside is bounded before it is converted, never panics, and either
//! becomes exactly what the bytes say or an error.
//!
//! Bottom up: `generated`, `leaves`, `frame`, `messages`, `sheet`, `schema`.

mod frame;
mod generated;
mod leaves;
pub mod messages;
pub mod schema;
pub mod sheet;

pub use frame::{FrameError, MESSAGE_BYTES_MAX};
pub use generated::methods::METHODS;
pub use leaves::DeliveryError;

/// Node to node: `heliu.replication.v1`. Converted from and to [`heliu_replication::frame::Frame`].
pub mod replication {
    pub use crate::generated::heliu::replication::v1::*;
}
