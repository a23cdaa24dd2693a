//! Bounds of a directory entry; the same on every node. Who decodes or checks keeps them.

/// A county's whole tree, once: real ones have some 400 seats.
pub const ITEMS: usize = 4_096;
pub const NAME_BYTES: usize = 200;
pub const ADDRESSES: usize = 8;
pub const ADDRESS_BYTES: usize = 255;
pub const TIME_ZONE_BYTES: usize = 64;
/// Incarnations in a fence: one per start of the node that wrote something.
pub const FRONTIER: usize = 4_096;
/// Leaves that a fence excludes by name.
pub const EXCLUDED: usize = 4_096;
/// Versions that one item gives up.
pub const ABANDONED: usize = 1_024;
pub const SIGNERS: usize = 2;
/// An encoded entry; a receiver may refuse earlier than decoding.
pub const ENTRY_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of an entry with its signatures.
pub const SIGNED_ENTRY_BYTES: usize = ENTRY_BYTES + SIGNERS * (32 + 64) + 1;
