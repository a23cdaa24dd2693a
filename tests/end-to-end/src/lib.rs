//! What the end-to-end stories are told with: the built `heliu`, realms whose nodes are processes of their own, a county of
//! nodes in this process with links that can be cut, and a desk at a node to write and read at. What should come of it is
//! in `tests/`.

pub mod binary;
pub mod command_line;
pub mod county;
pub mod desk;
pub mod fences;
pub mod gate;
pub mod patience;
pub mod process;
pub mod realm;
pub mod seats;
