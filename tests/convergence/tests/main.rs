//! What `cargo test` runs of the simulator.

mod first;
