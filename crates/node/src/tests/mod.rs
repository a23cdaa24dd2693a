//! Stories over real nodes, real gRPC and real connections on loopback.

mod access;
mod api;
mod directory;
mod disk;
mod links;
mod security;
mod stopping;
mod world;
