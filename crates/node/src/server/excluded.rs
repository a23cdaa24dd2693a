//! The changes that a fence is to exclude by name. Each has to be here, and written by the fenced node: the id of a commit
//! looks like that of a change, and would exclude nothing.

use std::collections::BTreeSet;

use heliu_record::id::{LeafHash, RecordId};
use heliu_storage::ReadRecords;
use heliu_trust::id::NodeId;
use tonic::Status;

use super::refusals::{ambiguous, not_here, of_read};
use super::words::digits;

/// Records that are read at once.
const CHUNK: usize = 128;

/// The changes by their ids, or by beginnings of ids that only one change of the node has.
pub(super) async fn find(store: &dyn ReadRecords, node: NodeId, texts: &[String]) -> Result<Vec<LeafHash>, Status> {
    let prefixes = texts.iter().map(|text| digits(text, LeafHash::LEN * 2, "excluded"));
    let prefixes = prefixes.collect::<Result<Vec<_>, _>>()?;
    if prefixes.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = vec![BTreeSet::new(); prefixes.len()];
    let records: Vec<RecordId> = store.written_by(node).await.map_err(|error| of_read(&error))?;
    for ids in records.chunks(CHUNK) {
        let loaded = store.load(ids).await.map_err(|error| of_read(&error))?;
        for leaf in loaded.iter().flat_map(|record| &record.leaves).filter(|leaf| leaf.author == node) {
            let hash = leaf.hash.to_string();
            for (_, found) in prefixes.iter().zip(&mut found).filter(|(prefix, _)| hash.starts_with(*prefix)) {
                found.insert(leaf.hash);
            }
        }
    }
    let one = |(prefix, found): (&String, BTreeSet<LeafHash>)| {
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(leaf), None) => Ok(leaf),
            (Some(_), Some(_)) => Err(Status::from(ambiguous("excluded", prefix))),
            (None, _) => Err(no_change(prefix, node)),
        }
    };
    prefixes.iter().zip(found).map(one).collect()
}

fn no_change(text: &str, node: NodeId) -> Status {
    let node = node.short();
    let (zh, en) = (
        format!("本节点没有节点 {node} 写的变更 {text}。"),
        format!("There is no change {text} here that node {node} wrote."),
    );
    not_here("excluded", &zh, &en)
        .why(
            "这里要的是变更编号,不是提交编号或记录编号。",
            "It takes the id of a change, not that of a commit or of a record.",
        )
        .next("heliu history 记录编号 逐条显示变更编号。", "heliu history RECORD shows the id of each change.")
        .into()
}
