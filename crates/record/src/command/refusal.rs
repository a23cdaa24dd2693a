//! Why a command is not carried out: what happened, why, and what to do next, in both languages.

use serde::Serialize;

use crate::authority::AuthorityError;
use crate::change::ShapeError;
use crate::conflict::{Conflict, ConflictValue, Explanation};
use crate::id::{RecordId, SeatId};
use crate::kind::{Kind, Label, State, StateMachine, ValueType, label};
use crate::kinds::member::{Move, MoveState};
use crate::kinds::org::Org;
use crate::view::Record;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Stable, for programs: `unknown_command`, `no_authority`...
    pub code: &'static str,
    pub what: Explanation,
    pub why: Explanation,
    pub next: Explanation,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} {}", self.what.en, self.why.en, self.next.en)
    }
}

impl std::error::Error for Refusal {}

const SOMEBODY: Label = label("有权的席位", "a seat that may");

impl Refusal {
    /// A refusal of one command's own; the three texts are `(Chinese, English)`.
    #[must_use]
    pub fn new(code: &'static str, what: (String, String), why: (&str, &str), next: (&str, &str)) -> Self {
        Refusal {
            code,
            what: Explanation::new(what.0, what.1),
            why: Explanation::new(why.0, why.1),
            next: Explanation::new(next.0, next.1),
        }
    }

    #[must_use]
    pub fn unknown_command(name: &str, known: impl Iterator<Item = &'static str>) -> Self {
        Refusal {
            code: "unknown_command",
            what: Explanation::new(format!("没有命令 {name}。"), format!("There is no command {name:?}.")),
            why: Explanation::new("它不在本版本的命令表中。", "It is not in this version's list."),
            next: nearest(name, known),
        }
    }

    /// A record that left this seat and is coming back: its own history here is not complete yet.
    #[must_use]
    pub fn returning(record: RecordId) -> Self {
        Refusal {
            code: "returning",
            what: Explanation::new(
                format!("记录 {} 正在返回。", record.short()),
                format!("Record {} is on its way back.", record.short()),
            ),
            why: Explanation::new(
                "本机以前写入的内容尚未全部到达。",
                "What was written here before has not all arrived.",
            ),
            next: Explanation::new("等上级链路同步后再试。", "Try again when the link to the superior is in step."),
        }
    }

    #[must_use]
    pub fn unknown_argument(command: &str, name: &str, known: impl Iterator<Item = &'static str>) -> Self {
        Refusal {
            code: "unknown_argument",
            what: Explanation::new(
                format!("{command} 没有参数 {name}。"),
                format!("{command} has no argument {name:?}."),
            ),
            why: Explanation::new("不认识的参数不会被忽略。", "An argument that is not understood is not ignored."),
            next: nearest(name, known),
        }
    }

    #[must_use]
    pub fn unknown_seat(seat: SeatId) -> Self {
        Refusal {
            code: "unknown_seat",
            what: Explanation::new(format!("名录中没有席位 {seat}。"), format!("The directory has no seat {seat}.")),
            why: Explanation::new(
                "没有人能代表不存在的席位,记录会因此无人可办。",
                "Nobody acts for a seat that is not there, so what waits for it would wait for ever.",
            ),
            next: Explanation::new(
                "请核对席位编号;新设的席位须待名录更新后再用。",
                "Check the seat's id; a new seat can be named once the directory here has it.",
            ),
        }
    }

    #[must_use]
    pub fn unknown_kind(name: &str, known: impl Iterator<Item = &'static str>) -> Self {
        Refusal {
            code: "unknown_kind",
            what: Explanation::new(
                format!("本版本不认识记录种类 {name}。"),
                format!("This version does not know the kind {name:?}."),
            ),
            why: Explanation::new("只能保存和转发,不能改写。", "It can keep and relay such records, not write them."),
            next: nearest(name, known),
        }
    }

    #[must_use]
    pub fn unknown_state(name: &str, known: impl Iterator<Item = &'static str>) -> Self {
        Refusal {
            code: "unknown_state",
            what: Explanation::new(format!("没有状态 {name}。"), format!("There is no state {name:?}.")),
            why: Explanation::new("它不在该字段的状态表中。", "It is not among the states of the field."),
            next: nearest(name, known),
        }
    }

    #[must_use]
    pub fn missing(name: &str, expects: Label) -> Self {
        Refusal {
            code: "missing_argument",
            what: Explanation::new(format!("缺少 {name}。"), format!("{name:?} is missing.")),
            why: Explanation::new("没有它命令无法执行。", "The command cannot be carried out without it."),
            next: Explanation::new(format!("请填写{}。", expects.zh), format!("Give {}.", expects.en)),
        }
    }

    #[must_use]
    pub fn bad_value(name: &str, text: &str, value: ValueType) -> Self {
        let expects = value.expects();
        let choices = if let ValueType::Choice(choices) = value { choices.join(", ") } else { String::new() };
        Refusal {
            code: "bad_value",
            what: Explanation::new(
                format!("{name} 的值“{text}”不合格。"),
                format!("{text:?} is not a value of {name:?}."),
            ),
            why: Explanation::new(format!("这里要{}。", expects.zh), format!("It takes {}.", expects.en)),
            next: Explanation::new(format!("请改正后重试。{choices}"), format!("Correct it and try again. {choices}")),
        }
    }

    /// As [`Refusal::bad_value`], without the value: refusals are kept and logged.
    #[must_use]
    pub fn bad_sealed_value(name: &str, value: ValueType) -> Self {
        let expects = value.expects();
        Refusal {
            code: "bad_value",
            what: Explanation::new(format!("{name} 的值不合格。"), format!("This is not a value of {name:?}.")),
            why: Explanation::new(format!("这里要{}。", expects.zh), format!("It takes {}.", expects.en)),
            next: Explanation::new("请改正后重试。", "Correct it and try again."),
        }
    }

    /// Nothing that is to be sealed is written in the clear instead.
    #[must_use]
    pub fn cannot_seal(path: &str) -> Self {
        Refusal {
            code: "cannot_seal",
            what: Explanation::new(format!("本节点无法密封 {path}。"), format!("{path:?} cannot be sealed here.")),
            why: Explanation::new("本节点没有可用的数据密钥。", "This node has no key for it."),
            next: Explanation::new(
                "请在有权阅读该记录的席位办理。",
                "Have it done at a seat that may read what is sealed in the record.",
            ),
        }
    }

    /// What was erased stays so: nothing is written to it, and nothing takes its place under the same id.
    #[must_use]
    pub fn erased(record: RecordId) -> Self {
        let short = record.short();
        Refusal {
            code: "erased",
            what: Explanation::new(format!("记录 {short} 已被依法删除。"), format!("Record {short} was erased.")),
            why: Explanation::new("上级已永久删除它。", "A superior has taken it away everywhere, for good."),
            next: Explanation::new("如确有需要,请新建记录。", "If it is needed, make a new record."),
        }
    }

    #[must_use]
    pub fn wrong_field(kind: &Kind, field: &str) -> Self {
        Refusal {
            code: "wrong_field",
            what: Explanation::new(
                format!("{}没有可这样改写的字段 {field}。", kind.label.zh),
                format!("{} has no field {field:?} that is written this way.", kind.name),
            ),
            why: Explanation::new("字段的写法由记录种类规定。", "The kind says how each field is written."),
            next: nearest(field, kind.fields().map(|f| f.name)),
        }
    }

    #[must_use]
    pub fn already_made(id: RecordId) -> Self {
        Refusal {
            code: "already_made",
            what: Explanation::new(
                format!("记录 {} 已经存在。", id.short()),
                format!("Record {} is there already.", id.short()),
            ),
            why: Explanation::new(
                "带有同一编号的命令已在别的节点执行过。",
                "A command with the same id has been carried out at another node.",
            ),
            next: Explanation::new(
                "请查看该记录:内容相符则无需再做;如要另建,请换一个命令编号。",
                "Look at the record: if it says what it should, nothing is left to do. For another give another command id.",
            ),
        }
    }

    /// A change that other nodes could not read.
    #[must_use]
    pub fn too_large(id: RecordId, error: &ShapeError) -> Self {
        Refusal {
            code: "too_large",
            what: Explanation::new(
                format!("对记录 {} 的这次改动超出限度。", id.short()),
                format!("The change of record {} is beyond the limits: {error}.", id.short()),
            ),
            why: Explanation::new(
                "超出限度的改动,其他节点一律不收。",
                "Every other node would refuse a change beyond the limits.",
            ),
            next: Explanation::new(
                "请分几次办理,或缩短文字与事由。",
                "Do it in several steps, or shorten the texts and the reason.",
            ),
        }
    }

    /// A change that this node's own gate would not admit; `code` and `why` are the gate's.
    #[must_use]
    pub fn not_admitted(id: RecordId, code: &str, why: &str) -> Self {
        Refusal {
            code: "not_admitted",
            what: Explanation::new(
                format!("对记录 {} 的这次改动不会生效({code})。", id.short()),
                format!("The change of record {} would not count ({code}): {why}.", id.short()),
            ),
            why: Explanation::new(
                "本记录中有多方同时写入而互不知情的内容。",
                "Others have written the record side by side, and not all of it can be built upon at once.",
            ),
            next: Explanation::new("请稍后再试,或由上级席位办理。", "Try again, or have a superior seat do it."),
        }
    }

    #[must_use]
    pub fn not_here(id: RecordId) -> Self {
        Refusal {
            code: "not_here",
            what: Explanation::new(
                format!("本节点没有记录 {}。", id.short()),
                format!("This node does not hold record {}.", id.short()),
            ),
            why: Explanation::new(
                "它不存在、尚未到达,或不在本席位的范围内。",
                "It does not exist, has not arrived, or is out of this seat's scope.",
            ),
            next: Explanation::new(
                "请核对编号,或到其所属席位或上级节点操作。",
                "Check the id, or ask at its owner's node or a superior's.",
            ),
        }
    }

    #[must_use]
    pub fn wrong_kind(record: &Record, wanted: &str) -> Self {
        let found = &record.preimage.kind;
        Refusal {
            code: "wrong_kind",
            what: Explanation::new(
                format!("“{}”是 {found},不是 {wanted}。", record.title()),
                format!("{:?} is a {found}, not a {wanted}.", record.title()),
            ),
            why: Explanation::new("该命令只用于一种记录。", "The command is for one kind of record."),
            next: Explanation::new("请给出正确的记录编号。", "Give the id of such a record."),
        }
    }

    #[must_use]
    pub fn org_ended(record: &Record, org: &Org) -> Self {
        let next = match org.successors.values().next() {
            Some(successor) => Explanation::new(
                format!("请改用承接组织 {},或由上级决定恢复。", successor.short()),
                format!("Use its successor {}, or have a superior decide to reopen it.", successor.short()),
            ),
            None => Explanation::new(
                "请先由上级指定承接组织,或决定恢复。",
                "Have a superior name a successor first, or decide to reopen it.",
            ),
        };
        Refusal {
            code: "org_ended",
            what: Explanation::new(
                format!("“{}”自{}起已终结({})。", record.title(), org.since, org.lifecycle),
                format!("{:?} ended on {} ({}).", record.title(), org.since, org.lifecycle),
            ),
            why: Explanation::new(
                "终结的组织不再接收人员或变更。",
                "Nothing is added to an organisation that has ended.",
            ),
            next,
        }
    }

    #[must_use]
    pub fn transition(record: &Record, from: &State, to: &State, machine: &StateMachine) -> Self {
        let reachable =
            machine.states.iter().filter(|s| s.from.contains(&from.name)).map(|s| s.name).collect::<Vec<_>>();
        let reachable = reachable.join(", ");
        Refusal {
            code: "transition",
            what: Explanation::new(
                format!("“{}”不能从“{}”变为“{}”。", record.title(), from.label.zh, to.label.zh),
                format!("{:?} cannot go from {} to {}.", record.title(), from.name, to.name),
            ),
            why: Explanation::new("状态须按规定的顺序变更。", "States follow one another in a set order."),
            next: Explanation::new(
                format!("现在可以变为:{reachable}。"),
                format!("From here it can become: {reachable}."),
            ),
        }
    }

    #[must_use]
    pub fn no_authority(error: &AuthorityError, seat: &str) -> Self {
        let (why, who) = match error {
            AuthorityError::NotWriter { path, who, .. } => (format!("{path} 只能由{}写。", who.zh), *who),
            AuthorityError::Closed { path, after } => (format!("已有 {after},不能再写 {path}。"), SOMEBODY),
            AuthorityError::Unseen { path, cited } => (format!("{path} 引用了未见过的决定 {cited}。"), SOMEBODY),
            AuthorityError::Creator { birth, .. } => (format!("只有“{birth}”及其上级可以建立此记录。"), SOMEBODY),
            AuthorityError::FirstOwner { .. } | AuthorityError::Schema(_) => {
                ("内容不合此类记录的规定。".to_owned(), SOMEBODY)
            }
        };
        Refusal {
            code: "no_authority",
            what: Explanation::new(format!("“{seat}”不能这样写。"), format!("{seat} may not write this.")),
            why: Explanation::new(why, format!("{error}.")),
            next: Explanation::new(format!("请由{}办理。", who.zh), format!("Have it done by {}.", who.en)),
        }
    }

    /// The home of a person is disputed or missing, so that no letter can move from it.
    #[must_use]
    pub fn home_disputed(record: &Record) -> Self {
        Refusal::new(
            "home_disputed",
            (format!("{}的归属尚有争议。", record.title()), format!("The home of {} is disputed.", record.title())),
            ("有两处已接收,或缺少归属。", "Two places have received this person, or there is no home."),
            ("请先由共同上级处置冲突。", "Have a common superior settle the conflict first."),
        )
    }

    #[must_use]
    pub fn letter_state(record: &Record, letter: &Move, wanted: MoveState) -> Self {
        let name = record.title();
        Refusal {
            code: "letter_state",
            what: Explanation::new(
                format!("{name}的介绍信 {} 现为 {}。", letter.letter_no, letter.state.name()),
                format!("Letter {} of {name} is {}.", letter.letter_no, letter.state.name()),
            ),
            why: Explanation::new(
                format!("只有状态为 {} 的介绍信才能这样办理。", wanted.name()),
                format!("Only a letter that is {} can be handled this way.", wanted.name()),
            ),
            next: Explanation::new(
                "如需转接,请由现归属重新开具介绍信。",
                "For a move, have the present home issue a new letter.",
            ),
        }
    }

    #[must_use]
    pub fn no_letter(record: &Record) -> Self {
        let name = record.title();
        Refusal {
            code: "no_letter",
            what: Explanation::new(
                format!("{name}没有可办理的介绍信。"),
                format!("There is no open letter for {name}."),
            ),
            why: Explanation::new(
                "接收、撤回、退回都须凭一封介绍信。",
                "Receiving, cancelling and returning each need a letter.",
            ),
            next: Explanation::new(
                "请先由转出组织开具,或用 letter 指明是哪一封。",
                "Have the origin issue one first, or name it with `letter`.",
            ),
        }
    }

    #[must_use]
    pub fn no_conflict(id: &str) -> Self {
        Refusal {
            code: "no_conflict",
            what: Explanation::new(
                format!("该记录上没有未决冲突 {id}。"),
                format!("The record has no open conflict {id}."),
            ),
            why: Explanation::new(
                "它可能已经处置,或不由此记录处置。",
                "It may be settled, or is settled in another record.",
            ),
            next: Explanation::new("请查看未决冲突列表。", "Look at the list of open conflicts."),
        }
    }

    #[must_use]
    pub fn not_resolver(conflict: &Conflict, seat: &str, resolver: &str) -> Self {
        Refusal {
            code: "not_resolver",
            what: Explanation::new(
                format!("“{seat}”不能处置此冲突。"),
                format!("{seat} may not settle this conflict."),
            ),
            why: Explanation::new(
                format!("{}须由“{resolver}”或其上级处置。", conflict.kind),
                format!("{} is settled by {resolver} or a superior of it.", conflict.kind),
            ),
            next: Explanation::new("请在该席位的节点上办理。", "Do it at that seat's node."),
        }
    }

    #[must_use]
    pub fn bad_choice(conflict: &Conflict, choice: &str) -> Self {
        let choices = conflict.values.iter().filter(|value| !value.value.is_null());
        let choices = choices.map(ConflictValue::choice).collect::<Vec<_>>().join(", ");
        let next = if choices.is_empty() {
            Explanation::new(
                "请写明由哪个组织承接(记录编号)。",
                "Name the organisation that takes over, by its record id.",
            )
        } else {
            Explanation::new(format!("可选(或用序号):{choices}。"), format!("Choose one (or its number): {choices}."))
        };
        Refusal {
            code: "bad_choice",
            what: Explanation::new(
                format!("“{choice}”不在可选之列。"),
                format!("{choice:?} is not one of the choices."),
            ),
            why: Explanation::new(
                "处置就是在分歧的值中选定一个。",
                "Settling is choosing one of the values that disagree.",
            ),
            next,
        }
    }

    #[must_use]
    pub fn nothing() -> Self {
        Refusal {
            code: "nothing",
            what: Explanation::new("没有要写的内容。", "There is nothing to write."),
            why: Explanation::new("命令没有带来任何变更。", "The command changes nothing."),
            next: Explanation::new("请检查参数。", "Check the arguments."),
        }
    }
}

fn nearest(name: &str, known: impl Iterator<Item = &'static str>) -> Explanation {
    match known.min_by_key(|k| (distance(name, k), *k)) {
        Some(near) => Explanation::new(format!("是否要写 {near}?"), format!("Did you mean {near:?}?")),
        None => Explanation::new("请查看帮助。", "See the help."),
    }
}

/// Edit distance: how many letters to change, add or drop.
fn distance(a: &str, b: &str) -> usize {
    // What is not a name of ours need not be compared to its end.
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
