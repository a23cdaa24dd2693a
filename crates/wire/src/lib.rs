//! Bytes to types: the protobuf and gRPC code made from proto/, and its conversions to and from domain types.
//!
//! Nothing here decides or waits. What comes from outside is bounded before it is converted, never panics, and either
//! becomes exactly what the bytes say or an error.
//!
//! Bottom up: `generated`, `leaves`, `frame`, `messages`, `schema`, `status`.

mod frame;
mod generated;
mod leaves;
mod messages;
pub mod schema;
pub mod status;

pub use frame::{FrameError, MESSAGE_BYTES_MAX};
pub use generated::methods::METHODS;
pub use leaves::DeliveryError;
pub use messages::conflict;

/// Node to node: `heliu.replication.v1`. Converted from and to [`heliu_replication::frame::Frame`].
pub mod replication {
    pub use crate::generated::heliu::replication::v1::*;
}

/// `heliu.records.v1`, as generated: its types are what a client works with.
pub mod records {
    pub use crate::generated::heliu::records::v1::*;
}

/// `heliu.operations.v1`, as generated: its types are what a client works with.
pub mod operations {
    pub use crate::generated::heliu::operations::v1::*;
}

/// `heliu.administration.v1`, as generated: its types are what a client works with.
pub mod administration {
    pub use crate::generated::heliu::administration::v1::*;
}

/// `heliu.enrolment.v1`, as generated: its types are what a client works with.
pub mod enrolment {
    pub use crate::generated::heliu::enrolment::v1::*;
}
