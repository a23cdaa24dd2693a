//! The rules, one file each.

pub mod add_to_dissolved_org;
pub mod multi_home;
pub mod owner_disputed;
pub mod parent_cycle;
pub mod stale_transfer;
pub mod withdrawn_resource_booked;
