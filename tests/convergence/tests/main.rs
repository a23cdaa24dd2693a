//! What `cargo test` runs of the simulator: the acceptance stories, some hundred schedules, and the proof that its checks
//! can fail.

mod audit;
mod checks_can_fail;
mod damage;
mod directory;
mod enrolment;
mod erasure;
mod fencing;
mod forks;
mod importing;
mod key_thieves;
mod last_copies;
mod leaving;
mod links;
mod pipeline;
mod schedules;
mod sealing;
mod stories;
mod threats;
