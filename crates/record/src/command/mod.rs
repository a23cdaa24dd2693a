//! Commands: how people write. Each is data (name, arguments, help) and a function that plans its writes against the
//! local records. Hard rules block here, with a refusal that says what to do; nothing here ever blocks a merge.

pub use crate::message::Refusal;

pub mod argument;
mod as_it_was;
pub mod generic;
pub(crate) mod misnamed;
pub mod plan;
pub mod refusal;
pub mod request;
pub mod settle;
pub(crate) mod typed;
pub mod undo;
pub(crate) mod unfit;
pub mod write;

pub use argument::{
    Argument, Ends, FIELD_ARGUMENT, KIND_ARGUMENT, Makes, STATE_ARGUMENT, Subject, entry_of, optional, optional_field,
    required, required_field,
};
pub use misnamed::Named;
pub use plan::{Command, Declared, HardRule, Plan, Planned, Planner, Settler, about, command, makes, settler};
pub use request::{Asker, CommandId, Deputy, Request, drawn};
pub use write::{RecordWrite, Seal, Write, WriteValue, cannot_seal};
