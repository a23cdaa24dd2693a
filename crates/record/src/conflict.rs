//! A disagreement that people should see: both values, who wrote them, the value shown meanwhile, who may settle it.
//! Conflicts are derived, never stored in records; the same records give the same conflicts on every node.

use std::collections::BTreeSet;

pub use heliu_words::Explanation;
use heliu_words::{Label, label};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::byte_id;
use crate::change::{OpId, Put};
use crate::hash::hash;
use crate::id::{Actor, RecordId, SeatId};
use crate::kind::SETTLE;
use crate::sealed;
use crate::value::to_json;
use crate::view::Record;
use crate::world::World;

byte_id!(
    /// A conflict: the hash of its kind, its subject and the operations that disagree.
    ConflictId, 32
);

impl ConflictId {
    /// The key under which its settlement is.
    #[must_use]
    pub fn settle_key(&self) -> String {
        format!("{SETTLE}/{self}")
    }

    #[must_use]
    pub fn of(kind: &str, subject: RecordId, ops: &BTreeSet<OpId>) -> Self {
        let mut bytes = Vec::with_capacity(ops.len() * 24);
        for op in ops {
            bytes.extend_from_slice(&op.counter.to_le_bytes());
            bytes.extend_from_slice(&op.actor.0);
        }
        ConflictId(hash("heliu conflict 1", &[kind.as_bytes(), &subject.0, &bytes]))
    }
}

/// What people read for nothing.
pub const EMPTY: Label = label("(空)", "(empty)");

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know; nobody has to act.
    Info,
    /// Somebody should look at it.
    Advisory,
    /// It breaks a rule that would have blocked a local command: it must be settled.
    Hard,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    pub id: ConflictId,
    /// The name of its rule's finding, such as `MULTI_HOME`.
    pub kind: String,
    pub severity: Severity,
    /// The record in which settling it is written.
    pub subject: RecordId,
    /// The path of the subject that it is about.
    pub field: String,
    pub values: Vec<ConflictValue>,
    /// What is shown until it is settled.
    pub provisional: Value,
    /// The seat that may settle it, as may its superiors. None: the seats have no common superior here.
    pub resolver: Option<SeatId>,
    /// Whenever one of these is derived anew, this conflict is yielded again or it is over.
    pub anchors: BTreeSet<RecordId>,
    pub explanation: Explanation,
    /// Other records whose names are in the explanation: it is for who may see them all.
    #[serde(default)]
    pub quotes: BTreeSet<RecordId>,
}

/// One of the values that disagree: what a person chooses among.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictValue {
    pub value: Value,
    /// The record that holds it.
    pub record: RecordId,
    /// The seat of the node that wrote it, if the directory knows it.
    pub seat: Option<SeatId>,
    pub actor: Actor,
    /// The counter of the operation; with `actor` its id.
    pub op: u64,
    /// The person who asked for it.
    pub who: String,
    /// For display only.
    pub time_ms: i64,
}

impl ConflictValue {
    /// The value that an operation of a record wrote; `value` where the written scalar alone does not say it.
    #[must_use]
    pub fn of(record: &Record, op: OpId, value: Option<Value>, world: &dyn World) -> Self {
        let change = record.history.change_of(op);
        let put = change.and_then(|c| c.puts.iter().find(|p| p.id == op));
        ConflictValue {
            value: value.unwrap_or_else(|| put.map_or(Value::Null, |p| to_json(&p.value))),
            record: record.id,
            seat: world.seat_of(op.actor),
            actor: op.actor,
            op: op.counter,
            who: change.map(|c| c.note.who.clone()).unwrap_or_default(),
            time_ms: change.map_or(0, |c| c.time_ms),
        }
    }

    /// What the operation wrote in its record, and under which key, be it visible still or not.
    #[must_use]
    pub fn written<'r>(&self, record: &'r Record) -> Option<&'r Put> {
        let op = self.op_id();
        record.history.change_of(op)?.puts.iter().find(|put| put.id == op)
    }

    /// As [`ConflictValue::of`], for each of several operations.
    pub fn each<'a>(
        record: &'a Record,
        ops: impl IntoIterator<Item = &'a OpId> + 'a,
        value: impl Into<Value>,
        world: &'a dyn World,
    ) -> impl Iterator<Item = Self> + 'a {
        let value = value.into();
        ops.into_iter().map(move |op| ConflictValue::of(record, *op, Some(value.clone()), world))
    }

    #[must_use]
    pub fn op_id(&self) -> OpId {
        OpId { counter: self.op, actor: self.actor }
    }

    /// Whether it is sealed: nobody can tell it here from another that is.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        sealed::is_json(&self.value)
    }

    /// Whether it is that nothing stands there: somebody emptied the field, or nobody is suggested.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.value.is_null()
    }

    /// The value as a person types it to choose it; of a sealed one, the name of the operation that wrote it.
    #[must_use]
    pub fn choice(&self) -> String {
        if self.is_sealed() {
            return format!("sealed {}@{}", self.op, self.actor);
        }
        self.value.as_str().map_or_else(|| self.value.to_string(), str::to_owned)
    }
}
