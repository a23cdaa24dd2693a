//! Stories over real nodes, real gRPC and real connections on loopback.

mod access;
mod administration;
mod answers;
mod api;
mod clocks;
mod directory;
mod disk;
mod enrolment;
mod flood;
mod foreign;
mod hostile;
mod limits;
mod links;
mod matrix;
mod pages;
mod patience;
mod peers;
mod query;
mod secrecy;
mod security;
mod stopping;
mod unread;
mod world;
