//! Hostile input: what a node that is enrolled, or anybody on the line, could send to hurt others; and proof that it does
//! not. The corpus is every shape that the design names, and the fuzzing targets are every decoder of untrusted bytes.
//!
//! Nothing here is shipped. What the gate does with each is decided in `trust` and `wire`; here it is only held to it.

pub mod author;
pub mod chunk;
pub mod corpus;
pub mod cost;
pub mod dice;
pub mod fuzz;
pub mod gate;
pub mod profile;
pub mod sequences;
pub mod twin;
