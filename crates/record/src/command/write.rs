//! The writes of a plan, record by record, and the change that each becomes.

use std::borrow::Cow;

use crate::change::{Change, Container, Draft, Note, OpId, Scalar, ShapeError, limits};
use crate::command::request::Request;
use crate::history::{History, Past};
use crate::id::{Actor, ChangeHash, Preimage, RecordId};
use crate::message::{Message, Refusal, message};
use crate::scope::membership;
use crate::sealed::Plaintext;

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
    /// The value of a sealed field, as somebody typed it: it is sealed when the change is drafted.
    ToSeal(Plaintext),
    /// An element of an add-wins set: in or out. Its nonce is made when the change is drafted.
    Member(bool),
}

/// Makes ciphertext of what a field of a record is to say; who holds the keys gives it. The path is the field's key.
pub type Seal<'s> = dyn FnMut(&RecordId, &str, &Plaintext) -> Result<Vec<u8>, Refusal> + 's;

/// The [`Seal`] of those who have no keys.
pub fn cannot_seal(_: &RecordId, path: &str, _: &Plaintext) -> Result<Vec<u8>, Refusal> {
    Err(Refusal::cannot_seal(path, path))
}

/// Other nodes could not read it.
pub(crate) const TOO_LARGE: Message = message("too_large")
    .what("对记录 {0} 的这次改动超出限度。", "The change of record {0} is beyond the limits: {1}.")
    .why("超出限度的改动,其他节点一律不收。", "Every other node would refuse a change beyond the limits.")
    .next("请分几次办理,或缩短文字与事由。", "Do it in several steps, or shorten the texts and the reason.");

impl RecordWrite {
    /// The change that writes this on top of what `history` holds; refused if others could not read it.
    pub fn change(
        &self,
        history: &History,
        actor: Actor,
        time_ms: i64,
        note: Note,
        seal: &mut Seal<'_>,
    ) -> Result<Change, Refusal> {
        let foundation = foundation(history, actor);
        let values = self.values(seal)?;
        let change = Change::encode(self.draft(&foundation, values, actor, time_ms, note));
        let too_large = |error: ShapeError| TOO_LARGE.about(&[self.record.short().into(), error.to_string().into()]);
        change.check_limits().map_err(too_large)?;
        Ok(change)
    }

    /// Whether `made`, by which a node made this record, can be the work of this same request. The id alone does not say so.
    /// What was not given may have been filled in on another day, and what is sealed is not compared.
    #[must_use]
    pub fn is_repeated(&self, made: &Change, request: &Request) -> bool {
        let same_places = made.puts.len() == self.writes.len();
        let is_same = |write: &Write| {
            let put = made.puts.iter().find(|put| put.container == write.container && put.key == write.key);
            put.is_some_and(|put| match &write.value {
                WriteValue::Value(value) => put.value == *value || !request.arguments.contains_key(&write.key),
                WriteValue::ToSeal(_) | WriteValue::Member(_) => true,
            })
        };
        made.note.command == request.name && same_places && self.writes.iter().all(is_same)
    }

    /// Whether it takes a [`Seal`] to write this.
    #[must_use]
    pub fn seals(&self) -> bool {
        self.writes.iter().any(|write| matches!(write.value, WriteValue::ToSeal(_)))
    }

    /// The value of each write, sealed where it is to be; none for elements, which have theirs from their operation.
    fn values(&self, seal: &mut Seal<'_>) -> Result<Vec<Option<Scalar>>, Refusal> {
        let value = |write: &Write| match &write.value {
            WriteValue::Value(value) => Ok(Some(value.clone())),
            WriteValue::ToSeal(plaintext) => seal(&self.record, &write.key, plaintext).map(Scalar::Bytes).map(Some),
            WriteValue::Member(_) => Ok(None),
        };
        self.writes.iter().map(value).collect()
    }

    fn draft(&self, past: &Past<'_>, values: Vec<Option<Scalar>>, actor: Actor, time_ms: i64, note: Note) -> Draft {
        let start_op = past.max_op() + 1;
        let mut spare = limits::REPLACES_SPARE;
        let put = |(counter, (write, value)): (u64, (&Write, Option<Scalar>))| {
            let present = write.value == WriteValue::Member(true);
            let value = value.unwrap_or_else(|| membership(present, OpId { counter, actor }));
            let is_log = write.container == Container::Log;
            let seen = if is_log { Cow::Borrowed(&[][..]) } else { past.visible(write.container, &write.key) };
            // Of more concurrent values than a change can replace the rest stay, for the next one.
            let replaces: Vec<_> =
                seen.iter().take(limits::REPLACES.min(limits::REPLACES_EACH + spare)).map(|v| v.id).collect();
            spare -= replaces.len().saturating_sub(limits::REPLACES_EACH);
            (write.container, write.key.clone(), value, replaces)
        };
        Draft {
            actor,
            seq: past.seq(actor) + 1,
            deps: past.heads(),
            start_op,
            time_ms,
            note,
            puts: (start_op..).zip(self.writes.iter().zip(values)).map(put).collect(),
        }
    }
}

/// The part of a history that a change can stand on where it has more heads than a change can name: somebody wrote a lot
/// side by side. The actor's own last change is in it.
fn foundation(history: &History, actor: Actor) -> Past<'_> {
    let mut heads = history.heads();
    if heads.len() <= limits::DEPS {
        return history.now();
    }
    let own = |head: &ChangeHash| history.at(&[*head]).is_ok_and(|past| past.seq(actor) == history.seq(actor));
    if let Some(own) = heads.iter().position(own) {
        heads.swap(0, own);
    }
    heads.truncate(limits::DEPS);
    history.at(&heads).unwrap_or_else(|_| history.now())
}
