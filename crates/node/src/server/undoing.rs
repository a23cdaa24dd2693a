//! Which changes the command `record.undo` takes back: those of the command that is named, or of the last one of whoever asks. What may be
//! undone, the command itself says.

use std::collections::BTreeSet;

use heliu_api::records as pb;
use heliu_record::change::Change;
use heliu_record::command::CommandId;
use heliu_record::command::undo::{CHANGES, UNDO, UNDONE};
use heliu_record::id::{LeafHash, RecordId};
use heliu_storage::{Budget, Read, StoreError};
use heliu_trust::audit::AuditEntry;
use tonic::Status;

use super::refusals::{invalid, not_here, of_read};

/// Rows of the audit log that are looked through for somebody's last command.
const ROWS: u64 = 4_096;
/// Records of one command that are undone together.
const RECORDS: usize = 64;

/// Fills in what is asked for, if it is that command.
pub(super) async fn fill(
    asked: &mut pb::ExecuteRequest,
    right: &str,
    who: &str,
    store: &dyn Read,
    bytes: usize,
) -> Result<(), Status> {
    if asked.command != UNDO || asked.arguments.contains_key(CHANGES) {
        return Ok(());
    }
    let named = asked.arguments.get(UNDONE).map_or("", |named| named.trim());
    let id: CommandId = if named.is_empty() {
        let own = asked.command_id.parse().ok();
        let last = last(store, right, who, own).await.map_err(|error| of_read(&error))?;
        last.ok_or_else(|| {
            not_here(UNDONE, "在本节点最近的操作中没有您的操作。", "None of the last commands at this node is yours.")
                .next("请写明操作编号。", "Give the id of the command.")
        })?
    } else {
        let bad = |_| invalid(UNDONE, "操作编号为 32 位十六进制数字。", "A command id is 32 hexadecimal digits.");
        named.parse().map_err(bad)?
    };
    let answers = store.commands(&[id]).await.map_err(|error| of_read(&error))?;
    let written = answers.first().and_then(|(_, answer)| heliu_replication::written_by(answer));
    let (leaves, records) = written.ok_or_else(|| {
        not_here(UNDONE, "本节点没有执行过编号为此的操作。", "No command of this id was carried out at this node.")
            .next("请在执行它的节点上撤销。", "Undo it at the node that carried it out.")
    })?;
    if records.len() > RECORDS {
        return Err(invalid(
            UNDONE,
            "这次操作改动的记录太多,不能一起撤销。",
            "That command changed too many records to be undone at once.",
        )
        .into());
    }
    let leaves: BTreeSet<LeafHash> = leaves.into_iter().collect();
    let mut changes = Vec::new();
    for record in records {
        changes.extend(changes_of(store, record, &leaves, bytes).await.map_err(|error| of_read(&error))?);
    }
    asked.arguments.insert(UNDONE.to_owned(), id.to_string());
    asked.arguments.insert(CHANGES.to_owned(), changes.join(","));
    Ok(())
}

/// The last command of somebody, but for this one, which may have been carried out before.
async fn last(
    store: &dyn Read,
    right: &str,
    who: &str,
    but: Option<CommandId>,
) -> Result<Option<CommandId>, StoreError> {
    let Some((head, _)) = store.audit_head().await? else { return Ok(None) };
    let (mut until, mut left) = (head, ROWS);
    while until > 0 && left > 0 {
        let count = until.min(256).min(left);
        let rows = store.audit(until - count, usize::try_from(count).unwrap_or(256)).await?;
        for row in rows.iter().rev().filter(|row| row.seq <= until) {
            let Some(entry) = AuditEntry::decode(&row.encoded).ok() else { continue };
            let is_own = entry.who == who && entry.role == right;
            let command: Option<CommandId> = entry.detail.parse().ok().filter(|_| is_own);
            if let Some(command) = command.filter(|command| Some(*command) != but) {
                return Ok(Some(command));
            }
        }
        (until, left) = (until - count, left - count);
    }
    Ok(None)
}

/// The changes of a record that these leaves are of, as the command names them.
async fn changes_of(
    store: &dyn Read,
    record: RecordId,
    leaves: &BTreeSet<LeafHash>,
    bytes: usize,
) -> Result<Vec<String>, StoreError> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let (rows, more) = store.history(record, after, Budget { entries: 1_000, bytes }).await?;
        let own = rows.iter().filter(|row| leaves.contains(&row.hash));
        let changes = own.filter_map(|row| Change::parse(&row.change).ok());
        found.extend(changes.map(|change| format!("{record}:{}", change.hash)));
        match rows.last().filter(|_| more) {
            Some(last) => after = last.position,
            None => return Ok(found),
        }
    }
}
