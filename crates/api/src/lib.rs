//! What people and programs say to a node and hear from it: the protobuf and gRPC code made from proto/ for all that is asked
//! of nodes, and refusals as they travel.
//!
//! Nothing here knows the engine, nor what a record is: a client needs no more than this. How domain types become these
//! messages is in `heliu_wire`, where servers have it from; what nodes say to each other is there too.
//!
//! Bottom up: `generated`, `status`.

mod generated;
pub mod status;

pub use generated::methods::METHODS;

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
