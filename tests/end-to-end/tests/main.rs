//! What `cargo test` runs end to end: the built binary as separate processes, the acceptance stories over real nodes, what
//! people are told when something is wrong, what is brought in from tables and taken out again, nodes that know more than this program, who is let in and who is not, and the commands of the README and the guides.

mod demo;
mod errors;
mod files;
mod kill_nine;
mod newer_node;
mod processes;
mod readme;
mod stories;
mod tampered;
mod trust;
mod wells;
