//! The columns that the puts of a change are written in, by automerge's specification numbers.

pub const OBJECT_ACTOR: u64 = 0x01;
pub const OBJECT_COUNTER: u64 = 0x02;
pub const KEY: u64 = 0x15;
pub const INSERT: u64 = 0x34;
pub const ACTION: u64 = 0x42;
pub const VALUE_META: u64 = 0x56;
pub const VALUE: u64 = 0x57;
pub const REPLACES_COUNT: u64 = 0x70;
pub const REPLACES_ACTOR: u64 = 0x71;
pub const REPLACES_COUNTER: u64 = 0x73;
