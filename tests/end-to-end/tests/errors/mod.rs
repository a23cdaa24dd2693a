//! What a person is told when something is wrong, by the built binary: what happened, why, what to do, and an exit code
//! that scripts can go by. Nothing that was acknowledged is lost by any of it.

mod command_line;
mod full_disk;
mod import;
mod nodes;
mod private_files;
