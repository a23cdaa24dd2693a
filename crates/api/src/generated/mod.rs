//! Protobuf and gRPC code that `cargo xtask proto` makes from proto/. Do not edit: it will be overwritten.
#![allow(warnings, clippy::all, clippy::pedantic, clippy::restriction, reason = "generated")]

pub mod heliu {
    pub mod administration {
        pub mod v1 {
            include!("heliu.administration.v1.rs");
        }
    }
    pub mod enrolment {
        pub mod v1 {
            include!("heliu.enrolment.v1.rs");
        }
    }
    pub mod operations {
        pub mod v1 {
            include!("heliu.operations.v1.rs");
        }
    }
    pub mod records {
        pub mod v1 {
            include!("heliu.records.v1.rs");
        }
    }
}

pub mod methods;
