//! What a token that is limited to some seats or kinds lets its bearer see and do. Unlimited ones cost nothing here.

use heliu_record::command::{Subject, find};
use heliu_record::id::RecordId;
use heliu_record::kind::ValueType;
use heliu_storage::{Read, RecordRow};
use heliu_wire::records::ExecuteRequest;
use tonic::{Request, Status};

use super::refusals::{of_read, out_of_scope};
use super::words::{no_record, record_id};
use crate::access::Caller;
use crate::handle::NodeHandle;

/// Who makes this call, as the gate has found.
pub(super) fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    let caller = request.extensions().get::<Caller>().cloned();
    caller.ok_or_else(|| Status::internal("a call came past the gate: this is a defect, please report it"))
}

/// A record that the bearer may not see is one that is not here: the answer does not tell which.
pub(super) fn visible(
    row: Option<RecordRow>,
    caller: &Caller,
    node: &NodeHandle,
    text: &str,
    field: &str,
) -> Result<RecordRow, Status> {
    let row = row.filter(|row| caller.is_unlimited() || caller.may_see(row, &node.directory()));
    row.ok_or_else(|| no_record(text, field).into())
}

/// Whether all of these records, as far as they are here, are open to the bearer.
pub(super) async fn all_visible<S: Read>(
    store: &S,
    node: &NodeHandle,
    caller: &Caller,
    ids: &[RecordId],
) -> Result<bool, Status> {
    if caller.is_unlimited() {
        return Ok(true);
    }
    for id in ids {
        let row = store.record(*id).await.map_err(|error| of_read(&error))?;
        if row.is_some_and(|row| !caller.may_see(&row, &node.directory())) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the bearer may give this command: on the records that it names, and of the kinds that it makes.
pub(super) async fn may_execute<S: Read>(
    store: &S,
    node: &NodeHandle,
    caller: &Caller,
    asked: &ExecuteRequest,
) -> Result<(), Status> {
    if caller.is_unlimited() {
        return Ok(());
    }
    // A command that nobody knows is refused as such, further on.
    let Some(command) = find(&asked.command) else { return Ok(()) };
    let mut named = vec![("subject", asked.subject.as_str())];
    for argument in command.arguments.iter().filter(|argument| matches!(argument.value, ValueType::Record(_))) {
        let given = asked.arguments.get(argument.name).into_iter().flat_map(|given| given.split(','));
        named.extend(given.map(|id| (argument.name, id.trim())));
    }
    for (field, text) in named.into_iter().filter(|(_, text)| !text.is_empty()) {
        let id = record_id(store, text, field).await?;
        let row = store.record(id).await.map_err(|error| of_read(&error))?;
        visible(row, caller, node, text, field)?;
    }
    if command.subject != Subject::None {
        return Ok(());
    }
    let kind = kind_made(command.name, asked);
    if !kind.is_some_and(|kind| caller.may_use_kind(&kind)) {
        return Err(out_of_scope(&asked.command, "command").into());
    }
    if !caller.may_act_at(node.seat(), node.directory().seats()) {
        return Err(out_of_scope(&asked.command, "command").into());
    }
    Ok(())
}

/// The kind of record that a command without a subject makes. One that cannot be told is not for limited tokens.
fn kind_made(command: &str, asked: &ExecuteRequest) -> Option<String> {
    let first = command.split('.').next().unwrap_or_default();
    let name = match first {
        "record" => asked.arguments.get("kind")?.clone(),
        "joint_branch" => "org".to_owned(),
        other => other.to_owned(),
    };
    heliu_record::kinds::all().iter().any(|kind| kind.name == name).then_some(name)
}
