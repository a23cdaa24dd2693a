//! What `cargo test` runs of the simulator: the acceptance stories, some hundred schedules, and the proof that its checks
//! can fail.

mod checks_can_fail;
mod damage;
mod directory;
mod leaving;
mod links;
mod schedules;
mod stories;
mod threats;
