//! What was erased, and who has done it: the receipt of an erasure, as far as this node hears of it. A node hears what
//! those below its seat say; the county's is complete.

use heliu_record::command::Refusal;
use heliu_record::id::{Preimage, RecordId, SeatId};
use heliu_record::seats::Seats;
use heliu_trust::id::NodeId;

/// An erased record and who has confirmed that nothing of it is left there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub record: RecordId,
    /// Of what kind it was, whose, and under which key.
    pub preimage: Preimage,
    /// The node that erased it, and when by its clock.
    pub by: NodeId,
    pub time_ms: i64,
    /// Nodes, and when by their clocks.
    pub confirmed: Vec<(NodeId, i64)>,
    /// Nodes at or below this seat that have not: they have not heard of it, or what they say is on its way. Fenced nodes
    /// say nothing that counts, and are not in it.
    pub silent: Vec<NodeId>,
    /// Nodes elsewhere, of which only their own superiors hear.
    pub elsewhere: usize,
}

/// Erasing is not for the seat that made the record, nor for its equals.
pub(crate) fn no_superior(record: RecordId, birth: SeatId, seats: &Seats) -> Refusal {
    let (short, birth) = (record.short(), seats.name(birth));
    Refusal::new(
        "no_superior",
        (
            format!("本席位不能删除“{birth}”建立的记录 {short}。"),
            format!("This seat cannot erase record {short}, which was made for {birth}."),
        ),
        (
            "删除记录须由其建立席位的上级办理,县级可删除本级记录。",
            "A record is erased by a superior of the seat that it was made for; the county erases its own.",
        ),
        ("请报上级办理。", "Ask a superior to do it."),
    )
}

/// One more would give back a record that this node erased before.
pub(crate) fn too_many_tombstones(record: RecordId, max: usize) -> Refusal {
    let short = record.short();
    Refusal::new(
        "too_many_tombstones",
        (
            format!("不能删除记录 {short}:本节点已删除 {max} 条。"),
            format!("Record {short} is not erased: this node has erased {max}."),
        ),
        (
            "一个节点最多删除这么多条,否则先前删除的记录会重新出现。",
            "No node erases more: records that it erased before would come back.",
        ),
        ("请由另一上级节点办理。", "Have another node of a superior do it."),
    )
}
