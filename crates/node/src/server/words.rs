//! Records and changes as the messages of `heliu.records.v1` say them, and ids as people type them.

use heliu_record::change::Change;
use heliu_storage::{LeafRow, LeafStatus, RecordRow, RecordState};
use heliu_trust::directory::Directory;
use heliu_trust::id::NodeId;
use heliu_wire::records as pb;
use heliu_wire::status::Refusal;
use tonic::Status;

use super::refusals::{invalid, not_here};

/// Shorter beginnings of ids are mistaken too easily.
const ID_DIGITS_MIN: usize = 8;
/// Of a longer text that is no id only so much is repeated.
const SHOWN: usize = 40;
const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;

/// How many a page holds when `limit` were asked for.
pub(super) fn page(limit: u32) -> usize {
    if limit == 0 { PAGE_DEFAULT } else { (limit as usize).min(PAGE_MAX) }
}

/// The lower-case digits of an id of at most `max`.
pub(super) fn digits(text: &str, max: usize, field: &str) -> Result<String, Status> {
    let shown: String = text.chars().take(SHOWN).collect();
    let text = text.trim().to_ascii_lowercase();
    if (ID_DIGITS_MIN..=max).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Ok(text);
    }
    let zh = format!("这里要编号:{ID_DIGITS_MIN} 到 {max} 位十六进制数字,“{shown}”不是。");
    let en = format!("It takes an id, {ID_DIGITS_MIN} to {max} hexadecimal digits; {shown:?} is none.");
    Err(invalid(field, &zh, &en).into())
}

/// The cursor of a page before; it is as this node gave it, or refused.
pub(super) fn after<T: std::str::FromStr>(text: &str) -> Result<Option<T>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    let refused = |_| invalid("after", "after 须为上一页的 next。", "Give as `after` the `next` of the page before.");
    Ok(Some(text.parse().map_err(refused)?))
}

pub(super) fn no_record(text: &str, field: &str) -> Refusal {
    let (zh, en) = (format!("本节点没有记录 {text}。"), format!("This node holds no record {text}."));
    not_here(field, &zh, &en)
        .why(
            "它不存在、尚未到达,或不在本席位的范围内。",
            "It does not exist, has not arrived, or is out of this seat's scope.",
        )
        .next("请核对编号,或到其所属席位或上级节点查询。", "Check the id, or ask at its owner's node or a superior's.")
}

pub(super) fn seat_of_node(node: NodeId, directory: &Directory) -> Option<pb::Seat> {
    directory.node(node).map(|info| pb::Seat::of(info.seat, directory.seats()))
}

/// Nodes have no names of their own: that of the seat, and the short id if the seat has several nodes.
pub(super) fn node_name(node: NodeId, directory: &Directory) -> String {
    let Some(info) = directory.node(node) else { return String::new() };
    let name = directory.seats().name(info.seat);
    if directory.nodes_of(info.seat).nth(1).is_some() { format!("{name} {}", node.short()) } else { name }
}

pub(super) fn record(row: RecordRow, conflicts: Vec<String>, directory: &Directory) -> pb::Record {
    let (state, stub) = match row.state {
        RecordState::Present => (pb::RecordState::Present, None),
        RecordState::Hidden { .. } => (pb::RecordState::Hidden, None),
        RecordState::Erased => (pb::RecordState::Erased, None),
        RecordState::Stub(stub) => {
            (pb::RecordState::Stub, Some(pb::Stub { since_ms: stub.since_ms, reason: stub.reason }))
        }
    };
    let seats = directory.seats();
    pb::Record {
        id: row.id.to_string(),
        kind: row.preimage.kind,
        birth: Some(pb::Seat::of(row.preimage.birth, seats)),
        state: state.into(),
        public: row.scope.public,
        owners: row.scope.owners.iter().map(|id| pb::Seat::of(*id, seats)).collect(),
        participants: row.scope.seats.difference(&row.scope.owners).map(|id| pb::Seat::of(*id, seats)).collect(),
        // Written by this program, as JSON; what a damaged file made of it is shown, not hidden.
        view_json: String::from_utf8(row.view).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()),
        leaves: row.leaves,
        waiting: row.waiting,
        stub,
        conflicts,
    }
}

/// One leaf as people read it. Bytes that cannot be read are shown as what they are: a change that nobody understands.
pub(super) fn change(row: &LeafRow, directory: &Directory) -> pb::Change {
    let shown = pb::Change {
        leaf: row.hash.to_string(),
        commit: row.commit.to_string(),
        author_node: row.author.to_string(),
        author_node_name: node_name(row.author, directory),
        author_seat: seat_of_node(row.author, directory),
        status: pb::ChangeStatus::from(row.status).into(),
        status_reason: why(row.status).to_owned(),
        position: row.position,
        origin_node: row.origin.map(|node| node.to_string()).unwrap_or_default(),
        kind_version: row.kind_version,
        ..pb::Change::default()
    };
    match Change::parse(&row.change) {
        Ok(change) => pb::Change {
            time_ms: change.time_ms,
            who: change.note.who.clone(),
            command: change.note.command.clone(),
            reason: change.note.reason.clone(),
            puts: change.puts.iter().map(Into::into).collect(),
            ..shown
        },
        Err(error) => pb::Change { status_reason: error.to_string(), ..shown },
    }
}

fn why(status: LeafStatus) -> &'static str {
    match status {
        LeafStatus::Admitted => "",
        LeafStatus::Waiting => "尚缺它所依据的变更 changes that it builds on have not arrived",
        LeafStatus::Held => "本版本无法判断,已保存并转发 this version cannot judge it; it is kept and passed on",
        LeafStatus::Excluded => {
            "作者已被隔离,或在同一位置写了两个变更,或它建立在这样的变更之上 its author is fenced, or wrote two changes in one place, or it builds on such a change"
        }
        LeafStatus::Refused => "作者无权这样写,见隔离区 its author may not write this: see the quarantine",
    }
}
