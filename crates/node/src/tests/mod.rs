//! Stories over real nodes, real gRPC and real connections on loopback.

mod access;
mod administration;
mod answers;
mod api;
mod directory;
mod disk;
mod enrolment;
mod flood;
mod hostile;
mod limits;
mod links;
mod patience;
mod peers;
mod security;
mod stopping;
mod world;
