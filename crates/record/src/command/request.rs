//! What somebody asks for, in its one spelling, and for whom it is carried out.

use std::collections::BTreeMap;

use crate::byte_id;
use crate::hash::hash16;
use crate::id::{RecordId, SeatId};
use crate::message::{Message, Refusal, message};
use crate::plain_text::{Hidden, check_lines, normal, shown};
use crate::sight::Sight;

byte_id!(
    /// A command as its asker names it; the same id is carried out once.
    CommandId, 16
);

/// What somebody asks for. What was typed does not show itself in logs: some of it may be there to be sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub id: CommandId,
    pub name: String,
    /// The record that it is about; none for those that create one.
    pub subject: Option<RecordId>,
    pub arguments: BTreeMap<String, String>,
    pub who: String,
    pub reason: String,
    /// In the name of which seat, if not in that of the node that carries it out.
    pub on_behalf: Option<SeatId>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let arguments: Vec<&String> = self.arguments.keys().collect();
        let mut shown = f.debug_struct("Request");
        shown.field("id", &self.id).field("name", &self.name).field("subject", &self.subject);
        shown.field("arguments", &arguments).field("who", &self.who).finish_non_exhaustive()
    }
}

impl Request {
    /// As it is carried out: every argument in its one spelling, nothing hidden in what people will read.
    pub(crate) fn normal(&self) -> Result<Self, Refusal> {
        check_lines(&self.who).map_err(|hidden| hidden_character("who", hidden))?;
        check_lines(&self.reason).map_err(|hidden| hidden_character("reason", hidden))?;
        let one = |(name, text): (&String, &String)| {
            let text = normal(text).map_err(|hidden| hidden_character(name, hidden))?;
            Ok((name.clone(), text.into_owned()))
        };
        let arguments = self.arguments.iter().map(one).collect::<Result<_, _>>()?;
        Ok(Request { arguments, ..self.clone() })
    }
}

pub(crate) const HIDDEN_CHARACTER: Message = message("hidden_character")
    .what("{0} 的第 {1} 个字符是{2}({3})。", "Character {1} of {0} is {2} ({3}).")
    .why(
        "这样的字符看不出来,会使不同的名称看起来一样。",
        "It cannot be seen there, and makes names that differ look alike.",
    )
    .next("请删去它,或重新键入。", "Take it out, or type the text again.");

/// A character that nobody sees, or that moves others about. What stands around it is not repeated: it may be sealed.
fn hidden_character(name: &str, hidden: Hidden) -> Refusal {
    let place = hidden.place.to_string();
    HIDDEN_CHARACTER.about(&[(&*shown(name)).into(), place.into(), hidden.sort().into(), hidden.to_string().into()])
}

/// The keys of new records and entries come from the command's id, which its asker drew at random: the `n`th, from 1. So
/// a command that is given again, here or at a mirror after a fail-over, makes the same record and not a second one.
#[must_use]
pub fn drawn(id: &CommandId, n: u64) -> [u8; 16] {
    hash16("heliu drawn 1", &[&id.0, &n.to_le_bytes()])
}

/// Who carries a command out in the name of a seat below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deputy {
    /// The seat of the node that will sign.
    pub seat: SeatId,
    /// The nearest seat at or above that in whose name it acts which has a node: who works a seat without one.
    pub keeper: SeatId,
}

/// For whom a command is carried out, and what the pure plan cannot know by itself.
pub struct Asker {
    /// The seat for which it is carried out: that of the node that will sign, or one that it stands in for.
    pub seat: SeatId,
    /// Who stands in for it, if somebody does.
    pub deputy: Option<Deputy>,
    /// The place of the node that will sign among all that were ever enrolled for its seat, in the order in which they were: the
    /// first is 0.
    pub place: u32,
    /// The date to write where none is given: the civil day where the realm is, [`crate::date::text`].
    pub today: String,
    /// What the asker is shown: all else is as if it were not here.
    pub sight: Sight,
    /// What ids that follow from what a record says are mixed with, so that only who has it can reckon them; or why there is none yet.
    pub secret: Result<[u8; 16], Refusal>,
}
