//! The acceptance stories of the design over real nodes: SQLite stores, real gRPC, links that are cut. What every story
//! ends with is `agrees`: the same records, views and conflicts at all who may see them.

mod counts;
mod s01_double_transfer;
mod s02_dissolved_joint_branch;
mod s04_alliance_leave;
mod s05_cross_township_float;
mod s12_parent_cycle;
