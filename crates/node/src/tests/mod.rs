//! Stories over real nodes, real gRPC and real connections on loopback.

mod access;
mod administration;
mod api;
mod directory;
mod disk;
mod enrolment;
mod flood;
mod foreign;
mod hostile;
mod limits;
mod links;
mod patience;
mod security;
mod stopping;
mod world;
