//! Stories over real nodes, real gRPC and real connections on loopback.

mod api;
mod directory;
mod disk;
mod links;
mod stopping;
mod world;
