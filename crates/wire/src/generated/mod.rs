//! Protobuf and gRPC code that `cargo xtask proto` makes from proto/. Do not edit: it will be overwritten.
#![allow(warnings, clippy::all, clippy::pedantic, clippy::restriction, reason = "generated")]

pub mod heliu {
    pub mod replication {
        pub mod v1 {
            include!("heliu.replication.v1.rs");
        }
    }
}

pub mod methods;
