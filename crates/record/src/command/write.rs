//! The writes of a plan, record by record, and the change that each becomes.

use crate::change::{Change, Container, Draft, Note, OpId, Scalar, limits};
use crate::command::refusal::Refusal;
use crate::history::History;
use crate::id::{Actor, ChangeHash, Preimage, RecordId};
use crate::scope::membership;

/// What a command writes in one record: one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordWrite {
    pub record: RecordId,
    /// Of a record that the command makes.
    pub create: Option<Preimage>,
    pub writes: Vec<Write>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    pub container: Container,
    pub key: String,
    pub value: WriteValue,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteValue {
    Value(Scalar),
    /// An element of an add-wins set: in or out. Its nonce is made when the change is drafted.
    Member(bool),
}

impl RecordWrite {
    /// The change that writes this on top of what `history` holds; refused if others could not read it.
    pub fn change(&self, history: &History, actor: Actor, time_ms: i64, note: Note) -> Result<Change, Refusal> {
        let foundation = foundation(history, actor);
        let change = Change::encode(self.draft(foundation.as_ref().unwrap_or(history), actor, time_ms, note));
        change.check_limits().map_err(|error| Refusal::too_large(self.record, &error))?;
        Ok(change)
    }

    fn draft(&self, history: &History, actor: Actor, time_ms: i64, note: Note) -> Draft {
        let start_op = history.max_op() + 1;
        let put = |(counter, write): (u64, &Write)| {
            let value = match &write.value {
                WriteValue::Value(value) => value.clone(),
                WriteValue::Member(present) => membership(*present, OpId { counter, actor }),
            };
            let seen =
                if write.container == Container::Log { &[] } else { history.visible(write.container, &write.key) };
            // Of more concurrent values than a change can replace the rest stay, for the next one.
            let replaces = seen.iter().take(limits::REPLACES).map(|v| v.id).collect();
            (write.container, write.key.clone(), value, replaces)
        };
        Draft {
            actor,
            seq: history.seq(actor) + 1,
            deps: history.heads(),
            start_op,
            time_ms,
            note,
            puts: (start_op..).zip(&self.writes).map(put).collect(),
        }
    }
}

/// The part of a history that a change can stand on where it has more heads than a change can name: somebody wrote a lot
/// side by side. The actor's own last change is in it.
fn foundation(history: &History, actor: Actor) -> Option<History> {
    let mut heads = history.heads();
    if heads.len() <= limits::DEPS {
        return None;
    }
    let own = |head: &ChangeHash| history.at(&[*head]).is_ok_and(|past| past.seq(actor) == history.seq(actor));
    if let Some(own) = heads.iter().position(own) {
        heads.swap(0, own);
    }
    heads.truncate(limits::DEPS);
    history.at(&heads).ok()
}
