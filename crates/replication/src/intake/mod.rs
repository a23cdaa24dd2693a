//! What links bring is opened here, before it waits for its turn: whatever comes out of here is signed by whom it names, and
//! has the shape that it should. Nothing of it has been held against what is here, and nothing here keeps anything.

mod grants;
mod leaves;
mod statements;

pub(crate) use leaves::{Came, open_leaves};
pub(crate) use statements::check_statements;
