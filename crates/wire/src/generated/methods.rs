//! Every method of these packages, as `cargo xtask proto` found it. Do not edit: it will be overwritten.

pub const METHODS: &[&str] = &["/heliu.replication.v1.ReplicationService/Link"];
