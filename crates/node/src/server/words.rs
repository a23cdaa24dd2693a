//! Records and changes as the messages of `heliu.records.v1` say them, and ids as people type them.

use heliu_api::records as pb;
use heliu_api::status::CallRefusal;
use heliu_record::change::Change;
use heliu_record::id::SeatId;
use heliu_storage::{LeafRow, RecordRow, RecordState};
use heliu_trust::directory::Directory;
use heliu_trust::id::NodeId;
use heliu_wire::messages;
use serde_json::{Value, json};
use tonic::Status;

use super::cut::fit;
use super::refusals::{invalid, not_here};

/// Shorter beginnings of ids are mistaken too easily.
const ID_DIGITS_MIN: usize = 8;
/// Of a longer text that is no id only so much is repeated.
const SHOWN: usize = 40;
/// Seats and conflicts that are shown with a record.
const BESIDE_MAX: usize = 64;
/// What the lists beside a record's view are called in cuts.
const OWNERS: &str = "@owners";
const PARTICIPANTS: &str = "@participants";
const CONFLICTS: &str = "@conflicts";

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

pub(super) fn no_record(text: &str, field: &str) -> CallRefusal {
    let (zh, en) = (format!("本节点没有记录 {text}。"), format!("This node holds no record {text}."));
    not_here(field, &zh, &en)
        .why(
            "它不存在、尚未到达,或不在本席位的范围内。",
            "It does not exist, has not arrived, or is out of this seat's scope.",
        )
        .next("请核对编号,或到其所属席位或上级节点查询。", "Check the id, or ask at its owner's node or a superior's.")
}

pub(super) fn seat_of_node(node: NodeId, directory: &Directory) -> Option<pb::Seat> {
    directory.node(node).map(|info| messages::seat(info.seat, directory.seats()))
}

/// Nodes have no names of their own: that of the seat, and the short id if the seat has several nodes.
pub(super) fn node_name(node: NodeId, directory: &Directory) -> String {
    let Some(info) = directory.node(node) else { return String::new() };
    let name = directory.seats().name(info.seat);
    if directory.nodes_of(info.seat).nth(1).is_some() { format!("{name} {}", node.short()) } else { name }
}

/// Owners, and the other seats that take part.
fn seats(row: &RecordRow) -> (Vec<SeatId>, Vec<SeatId>) {
    (row.scope.owners.iter().copied().collect(), row.scope.seats.difference(&row.scope.owners).copied().collect())
}

/// One of the lists beside a record's view, as JSON; none if the path names no such list.
pub(super) fn beside(row: &RecordRow, conflicts: &[String], path: &str, directory: &Directory) -> Option<Vec<u8>> {
    let (owners, participants) = seats(row);
    let shown = |ids: Vec<SeatId>| {
        let seat = |id| {
            let seat = messages::seat(id, directory.seats());
            json!({"id": seat.id, "code": seat.code, "name": seat.name, "tier": seat.tier})
        };
        ids.into_iter().map(seat).collect::<Value>()
    };
    let list = match path {
        OWNERS => shown(owners),
        PARTICIPANTS => shown(participants),
        CONFLICTS => conflicts.iter().map(String::as_str).collect::<Value>(),
        _ => return None,
    };
    Some(list.to_string().into_bytes())
}

/// A record with at most so many bytes of its view.
pub(super) fn record(row: RecordRow, mut conflicts: Vec<String>, directory: &Directory, bytes: usize) -> pb::Record {
    let (mut owners, mut participants) = seats(&row);
    let (view_json, mut cuts) = fit(&row.view, bytes);
    let lists = [(OWNERS, owners.len()), (PARTICIPANTS, participants.len()), (CONFLICTS, conflicts.len())];
    let cut =
        |(path, total): (&str, usize)| pb::Cut { path: path.to_owned(), shown: BESIDE_MAX as u64, total: total as u64 };
    cuts.extend(lists.into_iter().filter(|(_, total)| *total > BESIDE_MAX).map(cut));
    owners.truncate(BESIDE_MAX);
    participants.truncate(BESIDE_MAX);
    conflicts.truncate(BESIDE_MAX);
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
        birth: Some(messages::seat(row.preimage.birth, seats)),
        state: state.into(),
        public: row.scope.public,
        owners: owners.into_iter().map(|id| messages::seat(id, seats)).collect(),
        participants: participants.into_iter().map(|id| messages::seat(id, seats)).collect(),
        view_json,
        leaves: row.leaves,
        waiting: row.waiting,
        stub,
        conflicts,
        cuts,
    }
}

/// One leaf as people read it. Bytes that cannot be read are shown as what they are: a change that nobody understands.
/// The seat in whose name a node wrote, if it is above that: nobody else acts for it, whatever he says.
fn on_behalf(author: NodeId, seat: Option<SeatId>, directory: &Directory) -> Option<pb::Seat> {
    let (seats, own) = (directory.seats(), directory.node(author)?.seat);
    let below = seat.filter(|seat| *seat != own && seats.is_at_or_above(own, *seat))?;
    Some(messages::seat(below, seats))
}

pub(super) fn change(row: &LeafRow, directory: &Directory) -> pb::Change {
    let shown = pb::Change {
        leaf: row.hash.to_string(),
        commit: row.commit.to_string(),
        author_node: row.author.to_string(),
        author_node_name: node_name(row.author, directory),
        author_seat: seat_of_node(row.author, directory),
        status: messages::change_status(row.status).into(),
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
            on_behalf: on_behalf(row.author, change.note.on_behalf, directory),
            puts: change.puts.iter().map(messages::put).collect(),
            ..shown
        },
        Err(_) => pb::Change { unreadable: true, ..shown },
    }
}
