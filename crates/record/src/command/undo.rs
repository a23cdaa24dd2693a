//! Undoing a command: what it wrote is written back, as a new command; nothing is deleted. It takes back a slip of the finger, and nothing
//! that others have built on: decisions and steps of a workflow are followed by others, not undone.

use crate::change::{Change, Container, Put, Scalar};
use crate::command::plan::Planner;
use crate::command::{Command, command, optional};
use crate::id::{ChangeHash, RecordId};
use crate::kind::{Field, ValueType};
use crate::message::{Message, Refusal, message};
use crate::scope::is_in;
use crate::view::Record;
use heliu_words::Explanation;

/// The command's name; the node that is asked fills in [`CHANGES`].
pub const UNDO: &str = "record.undo";
/// The command that is undone, by its id.
pub const UNDONE: &str = "command";
/// What that command wrote: `record:change`, separated by commas.
pub const CHANGES: &str = "changes";

pub static COMMANDS: &[Command] = &[command(UNDO, "撤销", "undo a command", undo)
    .help(
        "撤销本人刚做的一次更正:把原来的值写回去,历史都在;决定和办理步骤不能撤销",
        "takes back a correction of one's own: the values of before are written again, and the history stays; no decisions, no steps",
    )
    .takes(&[
        optional(UNDONE, ValueType::Number(32), "要撤销的操作编号,默认本人最近一次", "the id of the command (default: one's own last)"),
        optional(CHANGES, ValueType::Text(60_000), "由节点填写", "filled in by the node"),
    ])];

const NONE: Message = message("undo_nothing")
    .what("没有可撤销的内容。", "There is nothing to undo.")
    .why("找不到这次操作,或它没有写入什么。", "No such command is known here, or it wrote nothing.")
    .next("用 heliu history 查看做过什么。", "heliu history tells what was done.");
const NOT_OWN: Message = message("undo_not_own")
    .what("“{0}”上的这次改动不是您在本席位做的。", "That change of {0:?} was not made by you at this seat.")
    .why("它由“{1}”在“{2}”做出;各人撤销自己的。", "{1} at {2} made it; everybody undoes his own.")
    .next("请由其本人撤销,或用 record.update 更正。", "Have it undone there, or correct it with record.update.");
const MADE: Message = message("undo_made")
    .what("“{0}”是这次操作新建的,不能撤销。", "That command made {0:?}: this is not undone.")
    .why("记录不删除,只终结。", "Records are not deleted, they end.")
    .next(
        "建错的请作终结决定,或用 heliu erase 依规删除。",
        "End it by a decision, or erase it where the rules allow that: heliu erase.",
    );
const DECISION: Message = message("undo_decision")
    .what("“{0}”的{1}是一项决定,不能撤销。", "{1} of {0:?} was a decision, which is not undone.")
    .why("决定由另一项决定取代。", "A decision is superseded by another.")
    .next(
        "请用相应的命令或 record.decide 另作决定;冲突用 heliu conflicts settle 改定。",
        "Take another, by its command or with record.decide; a conflict is settled anew with heliu conflicts settle.",
    );
const STEP: Message = message("undo_step")
    .what("“{0}”的{1}已办到下一步,不能撤销。", "{1} of {0:?} was led a step further, which is not undone.")
    .why("别处可能已据此办理。", "Others may have acted on it already.")
    .next("请用下一步办理,如撤回、退回、谢绝。", "Lead it on instead: cancel it, return it, decline it.");
const SHARED: Message = message("undo_shared")
    .what(
        "这次操作变更了“{0}”的归属或可见范围,不能撤销。",
        "That command changed whose {0:?} is, or who sees it: this is not undone.",
    )
    .why("别处可能已经收到。", "It may have come to others already.")
    .next("请用 record.share、record.unshare 或转接另行办理。", "Use record.share, record.unshare or a transfer.");
const OVERWRITTEN: Message = message("undo_overwritten")
    .what("“{0}”的{1}在这之后又改过,不能撤销。", "{1} of {0:?} was changed since: this is not undone.")
    .why("后来的改动由“{2}”在“{3}”做出。", "The later change is by {2} at {3}.")
    .next("请核对现值,用 record.update 更正。", "Look at what is there now, and correct it with record.update.");
const SEVERAL: Message = message("undo_several")
    .what("“{0}”的{1}原来有几个不同的值,不能撤销。", "{1} of {0:?} had several values before: this is not undone.")
    .why("撤销会重新挑起分歧。", "It would bring the disagreement back.")
    .next("请用 record.update 写明应有的值。", "Write what it is to be with record.update.");
pub(crate) const MESSAGES: &[&Message] = &[&NONE, &NOT_OWN, &MADE, &DECISION, &STEP, &SHARED, &OVERWRITTEN, &SEVERAL];

fn undo(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let changes: Vec<&str> = planner.list(CHANGES).collect();
    if changes.is_empty() {
        return Err(NONE.refuse());
    }
    for named in changes {
        let (record, hash) = named.split_once(':').ok_or_else(|| NONE.refuse())?;
        let record: RecordId = record.parse().map_err(|_| NONE.refuse())?;
        let hash: ChangeHash = hash.parse().map_err(|_| NONE.refuse())?;
        let record = planner.load(record)?;
        let change = record.history.get(&hash).ok_or_else(|| NONE.refuse())?;
        check_own(planner, record, change)?;
        for put in &change.puts {
            write_back(planner, record, put)?;
        }
    }
    Ok(())
}

fn check_own(planner: &Planner<'_>, record: &Record, change: &Change) -> Result<(), Refusal> {
    // Who stands in for a seat does so again when he takes it back.
    let seat = change.note.on_behalf.or_else(|| planner.whole().seat_of(change.actor));
    if seat != Some(planner.seat()) || change.note.who != planner.who() {
        let at = seat.map(|seat| planner.world().seats().name(seat)).unwrap_or_default();
        return Err(NOT_OWN.about(&[record.title().into(), change.note.who.as_str().into(), at.into()]));
    }
    match record.history.changes().next() {
        Some(first) if first.hash == change.hash => Err(MADE.about(&[record.title().into()])),
        _ => Ok(()),
    }
}

fn write_back(planner: &mut Planner<'_>, record: &Record, put: &Put) -> Result<(), Refusal> {
    let title: Explanation = record.title().into();
    let kind = planner.kind_of(record)?;
    let field = put.key.split('/').next().and_then(|name| kind.field(name));
    let named = kind.say_path(&put.key).or_else(|| field.map(|field| field.label.into()));
    let said = named.unwrap_or_else(|| put.key.as_str().into());
    match put.container {
        Container::Scope => return Err(SHARED.about(&[title])),
        Container::Log => return Err(DECISION.about(&[title, said])),
        Container::Slot if field.is_some_and(|field| leads(field, &put.key)) => {
            return Err(STEP.about(&[title, field.map_or(said, |field| field.noun.label.into())]));
        }
        Container::Slot | Container::Mv | Container::Lww | Container::Aws => {}
    }
    let visible = record.history.visible(put.container, &put.key);
    if let Some(later) = visible.iter().find(|at| at.id != put.id) {
        let change = record.history.change_of(later.id);
        let who = change.map(|change| change.note.who.as_str()).unwrap_or_default();
        let seat = planner.whole().seat_of(later.id.actor).map(|seat| planner.world().seats().name(seat));
        return Err(OVERWRITTEN.about(&[title, said, who.into(), seat.unwrap_or_default().into()]));
    }
    let before: Vec<&Scalar> = put
        .replaces
        .iter()
        .filter_map(|op| {
            let change = record.history.change_of(*op)?;
            change.puts.iter().find(|put| put.id == *op).map(|put| &put.value)
        })
        .collect();
    if put.container == Container::Aws {
        let (was, is) = (before.iter().any(|value| is_in(value)), is_in(&put.value));
        if was != is {
            planner.put_member(record.id, put.container, put.key.clone(), was);
        }
        return Ok(());
    }
    match &before[..] {
        [] => planner.put(record.id, put.container, put.key.clone(), Scalar::Null),
        [first, rest @ ..] if rest.iter().all(|value| value == first) => {
            planner.put(record.id, put.container, put.key.clone(), (*first).clone());
        }
        _ => return Err(SEVERAL.about(&[title, said])),
    }
    Ok(())
}

/// Whether a part of an entry leads it from state to state.
fn leads(field: &Field, key: &str) -> bool {
    key.rsplit('/').next().is_some_and(|part| field.led_to(part).is_some())
}
