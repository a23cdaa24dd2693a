//! Why a command is not carried out: what happened, why, and what to do next, in both languages.

use serde::Serialize;

use crate::authority::AuthorityError;
use crate::catalogue::Catalogue;
use crate::change::ShapeError;
use crate::conflict::{Conflict, Explanation};
use crate::id::{RecordId, SeatId};
use crate::kind::{Kind, Label, State, StateMachine, Word, label};
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

/// What of a record is no field.
fn scope_path(path: &str) -> &str {
    match path.split('/').next() {
        Some("owner") => "所属席位",
        Some("seat") => "共享席位",
        Some("class") => "公开范围",
        _ => path,
    }
}

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

    /// Nothing that is to be sealed is written in the clear instead.
    #[must_use]
    pub fn cannot_seal(path: &str, zh: &str) -> Self {
        Refusal {
            code: "cannot_seal",
            what: Explanation::new(format!("本节点无法密封{zh}。"), format!("{path:?} cannot be sealed here.")),
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

    /// A change that this node's own gate would not admit.
    #[must_use]
    pub fn not_admitted(id: RecordId) -> Self {
        Refusal {
            code: "not_admitted",
            what: Explanation::new(
                format!("对记录 {} 的这次改动不会生效。", id.short()),
                format!("The change of record {} would not count.", id.short()),
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
                format!("This node holds no record {}.", id.short()),
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
    pub fn wrong_kind(record: &Record, wanted: Word) -> Self {
        let kind = &*record.preimage.kind;
        let found = record.kind().map_or_else(|| Explanation::new(kind, kind), |kind| kind.label.into());
        let wanted = wanted.label;
        Refusal {
            code: "wrong_kind",
            what: Explanation::new(
                format!("“{}”是{},不是{}。", record.title(), found.zh, wanted.zh),
                format!("{:?} is of the kind {}, not {}.", record.title(), found.en, wanted.en),
            ),
            why: Explanation::new("该命令只用于一种记录。", "The command is for one kind of record."),
            next: Explanation::new(
                format!("请给出{}的编号或名称。", wanted.zh),
                format!("Give the id or the name of such a record ({}).", wanted.en),
            ),
        }
    }

    #[must_use]
    pub fn transition(record: &Record, from: &State, to: &State, machine: &StateMachine) -> Self {
        if from.name == to.name {
            return Refusal::already(record, from);
        }
        let reachable = machine.states.iter().filter(|s| s.from.contains(&from.name)).map(|s| s.label);
        let (zh, en): (Vec<_>, Vec<_>) = reachable.map(|label| (label.zh, label.en)).unzip();
        let next = if zh.is_empty() {
            Explanation::new("已是终态,不能再变更。", "This is a final state: nothing follows it.")
        } else {
            Explanation::new(
                format!("现在可以变为:{}。", zh.join("、")),
                format!("From here it can become: {}.", en.join(", ")),
            )
        };
        Refusal {
            code: "transition",
            what: Explanation::new(
                format!("“{}”不能从“{}”变为“{}”。", record.title(), from.label.zh, to.label.zh),
                format!("{:?} cannot go from {} to {}.", record.title(), from.label.en, to.label.en),
            ),
            why: Explanation::new("状态须按规定的顺序变更。", "States follow one another in a set order."),
            next,
        }
    }

    /// Nothing is to be decided: it is so.
    #[must_use]
    pub fn already(record: &Record, state: &State) -> Self {
        Refusal::new(
            "already",
            (
                format!("“{}”已是“{}”。", record.title(), state.label.zh),
                format!("{:?} is already: {}.", record.title(), state.label.en),
            ),
            ("状态没有变化。", "Its state would not change."),
            ("无需变更。", "Nothing needs to be done."),
        )
    }

    #[must_use]
    pub fn no_authority(error: &AuthorityError, kind: &Kind, seat: &str) -> Self {
        let said = |path: &str| kind.say_path(path).map_or_else(|| scope_path(path).to_owned(), |said| said.zh.into());
        let (why, who) = match error {
            AuthorityError::NotWriter { path, who, .. } => (format!("{}只能由{}写。", said(path), who.zh), *who),
            AuthorityError::Closed { path, after } => {
                let before = path.rsplit_once('/').map_or(*after, |(entry, _)| entry);
                (format!("已有{},不能再写{}。", said(&format!("{before}/{after}")), said(path)), SOMEBODY)
            }
            AuthorityError::Unseen { path, .. } => (format!("{}引用了未见过的决定。", said(path)), SOMEBODY),
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
    pub fn not_resolver(finding: &Explanation, seat: &str, resolver: &str) -> Self {
        Refusal {
            code: "not_resolver",
            what: Explanation::new(
                format!("“{seat}”不能处置此冲突。"),
                format!("{seat} may not settle this conflict."),
            ),
            why: Explanation::new(
                format!("“{}”须由“{resolver}”或其上级处置。", finding.zh),
                format!("A conflict of this kind ({}) is settled by {resolver} or a superior of it.", finding.en),
            ),
            next: Explanation::new("请在该席位的节点上办理。", "Do it at that seat's node."),
        }
    }

    #[must_use]
    pub fn bad_choice(conflict: &Conflict, choice: &str, catalogue: &Catalogue) -> Self {
        let choices = conflict.values.iter().zip(1..).filter(|(value, _)| !value.value.is_null());
        let choices = choices.map(|(value, n)| (n, catalogue.say_choice(conflict, &value.choice())));
        let (zh, en): (Vec<_>, Vec<_>) =
            choices.map(|(n, said)| (format!("{n}. {}", said.zh), format!("{n}. {}", said.en))).unzip();
        let next = if zh.is_empty() {
            Explanation::new(
                "请写明由哪个组织承接(记录编号)。",
                "Name the organisation that takes over, by its record id.",
            )
        } else {
            Explanation::new(
                format!("请选定一个值或其序号:{}。", zh.join(";")),
                format!("Choose a value, or its number: {}.", en.join("; ")),
            )
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
