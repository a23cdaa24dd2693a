//! What the mechanism refuses, whatever the kind. What content refuses is declared with the content.

use heliu_words::Explanation;

use crate::authority::AuthorityError;
use crate::id::RecordId;
use crate::kind::{EntryState, Field, Kind, Label, State, StateMachine, Word, label};
use crate::message::{Message, Refusal, fill, message};
use crate::view::Record;

pub(crate) const MESSAGES: &[&Message] = &[
    &RETURNING,
    &UNKNOWN_SEAT,
    &CANNOT_SEAL,
    &ERASED,
    &ALREADY_MADE,
    &NOT_ADMITTED,
    &NOT_HERE,
    &WRONG_KIND,
    &TRANSITION,
    &ENTRY_TRANSITION,
    &ENTRY_ALREADY,
    &ALREADY,
    &NO_AUTHORITY,
    &NO_DEPUTY,
    &BAD_CHOICE,
    &NOTHING,
    &NOT_YOURS,
];

const RETURNING: Message = message("returning")
    .what("记录 {0} 正在返回。", "Record {0} is on its way back.")
    .why("本机以前写入的内容尚未全部到达。", "What was written here before has not all arrived.")
    .next("等上级链路同步后再试。", "Try again when the link to the superior is in step.");
pub(crate) const UNKNOWN_SEAT: Message = message("unknown_seat")
    .what("名录中没有席位 {0}。", "The directory has no seat {0}.")
    .why(
        "没有人能代表不存在的席位,记录会因此无人可办。",
        "Nobody acts for a seat that is not there, so what waits for it would wait for ever.",
    )
    .next(
        "请核对席位编号;新设的席位须待名录更新后再用。",
        "Check the seat's id; a new seat can be named once the directory here has it.",
    );
pub(crate) const NOT_YOURS: Message = message("out_of_scope")
    .what("此访问令牌不能改动“{0}”。", "This access token may not change {0:?}.")
    .why(
        "令牌只限于某些席位或类别;公开的记录可以查看,只由其所属席位及上级改动。",
        "It is limited to some seats or kinds: what is public it may read, and only its owner and those above change it.",
    )
    .next("请管理员签发范围合适的令牌。", "Ask an administrator for one that covers it.");
const CANNOT_SEAL: Message = message("cannot_seal")
    .what("本节点无法密封{0}。", "{0:?} cannot be sealed here.")
    .why("本节点没有可用的数据密钥。", "This node has no key for it.")
    .next("请在有权阅读该记录的席位办理。", "Have it done at a seat that may read what is sealed in the record.");
const ERASED: Message = message("erased")
    .what("记录 {0} 已被依法删除。", "Record {0} was erased.")
    .why("上级已永久删除它。", "A superior has taken it away everywhere, for good.")
    .next("如确有需要,请新建记录。", "If it is needed, make a new record.");
const ALREADY_MADE: Message = message("already_made")
    .what("记录 {0} 已经存在。", "Record {0} is there already.")
    .why("带有同一编号的命令已在别的节点执行过。", "A command with the same id has been carried out at another node.")
    .next(
        "请查看该记录:内容相符则无需再做;如要另建,请换一个命令编号。",
        "Look at the record: if it says what it should, nothing is left to do. For another give another command id.",
    );
const NOT_ADMITTED: Message = message("not_admitted")
    .what("对记录 {0} 的这次改动不会生效。", "The change of record {0} would not count.")
    .why(
        "本记录中有多方同时写入而互不知情的内容。",
        "Others have written the record side by side, and not all of it can be built upon at once.",
    )
    .next("请稍后再试,或由上级席位办理。", "Try again, or have a superior seat do it.");
const NOT_HERE: Message = message("not_here")
    .what("本节点没有记录 {0}。", "This node holds no record {0}.")
    .why(
        "它不存在、尚未到达,或不在本席位的范围内。",
        "It does not exist, has not arrived, or is out of this seat's scope.",
    )
    .next("请核对编号,或到其所属席位或上级节点操作。", "Check the id, or ask at its owner's node or a superior's.");
const WRONG_KIND: Message = message("wrong_kind")
    .what("“{0}”是{1},不是{2}。", "{0:?} is of the kind {1}, not {2}.")
    .why("该命令只用于一种记录。", "The command is for one kind of record.")
    .next("请给出{2}的编号或名称。", "Give the id or the name of such a record ({2}).");
const TRANSITION: Message = message("transition")
    .what("“{0}”不能从“{1}”变为“{2}”。", "{0:?} cannot go from {1} to {2}.")
    .why("状态须按规定的顺序变更。", "States follow one another in a set order.")
    .next("{3}", "{3}");
const ENTRY_TRANSITION: Message = message("transition")
    .what("“{0}”的{1} {2} 是“{3}”,不能变为“{4}”。", "The {1} {2} of {0:?} is {3}, and cannot become: {4}.")
    .why("状态须按规定的顺序变更。", "States follow one another in a set order.")
    .next("{5}", "{5}");
const ENTRY_ALREADY: Message = message("transition")
    .what("“{0}”的{1} {2} 已是“{3}”。", "The {1} {2} of {0:?} is already: {3}.")
    .why("状态没有变化。", "Its state would not change.")
    .next("如指另一个{1},请写明是哪一个。", "If another one is meant, say which {1}.");
const ALREADY: Message = message("already")
    .what("“{0}”已是“{1}”。", "{0:?} is already: {1}.")
    .why("状态没有变化。", "Its state would not change.")
    .next("无需变更。", "Nothing needs to be done.");
const NO_AUTHORITY: Message = message("no_authority")
    .what("“{0}”不能这样写。", "{0} may not write this.")
    .why("{1}", "{1}")
    .next("请由{2}办理。", "Have it done by {2}.");
const NO_DEPUTY: Message = message("no_deputy")
    .what("“{0}”不能以“{1}”的名义办理。", "{0} does not act in the name of {1}.")
    .why(
        "只有没有节点的下级席位,或已登记离岗、由本席位代办的下级席位,可以代为办理。",
        "It does for a seat below it that has no node, or whose absence is entered, with this seat as its deputy.",
    )
    .next(
        "请由其节点办理;确已离岗的,先用 seat.away 登记代办到哪一天。",
        "Have its own node do it; if it is away, enter until when with seat.away.",
    );
const BAD_CHOICE: Message = message("bad_choice")
    .what("“{0}”不在可选之列。", "{0:?} is not one of the choices.")
    .why("处置就是在分歧的值中选定一个。", "Settling is choosing one of the values that disagree.")
    .next("{1}", "{1}");
pub(crate) const NOTHING: Message = message("nothing")
    .what("没有要写的内容。", "There is nothing to write.")
    .why("命令没有带来任何变更。", "The command changes nothing.")
    .next("请检查参数。", "Check the arguments.");

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

/// Texts side by side, in both languages.
fn joined(texts: impl Iterator<Item = Explanation>, zh: &str, en: &str) -> Option<Explanation> {
    let (zh_texts, en_texts): (Vec<_>, Vec<_>) = texts.map(|Explanation { zh, en }| (zh, en)).unzip();
    (!zh_texts.is_empty()).then(|| Explanation::new(zh_texts.join(zh), en_texts.join(en)))
}

fn filled(zh: &'static str, en: &'static str, name: Explanation) -> Explanation {
    fill(label(zh, en), &[name])
}

impl Refusal {
    /// Somebody who does not stand in for a seat would act in its name.
    #[must_use]
    pub fn no_deputy(deputy: &str, seat: &str) -> Self {
        NO_DEPUTY.about(&[deputy.into(), seat.into()])
    }

    /// A record that left this seat and is coming back: its own history here is not complete yet.
    #[must_use]
    pub fn returning(record: RecordId) -> Self {
        RETURNING.about(&[record.short().into()])
    }

    /// Nothing that is to be sealed is written in the clear instead.
    #[must_use]
    pub fn cannot_seal(path: &str, zh: &str) -> Self {
        CANNOT_SEAL.about(&[Explanation::new(zh, path)])
    }

    /// What was erased stays so: nothing is written to it, and nothing takes its place under the same id.
    #[must_use]
    pub fn erased(record: RecordId) -> Self {
        ERASED.about(&[record.short().into()])
    }

    #[must_use]
    pub fn already_made(id: RecordId) -> Self {
        ALREADY_MADE.about(&[id.short().into()])
    }

    /// A change that this node's own gate would not admit.
    #[must_use]
    pub fn not_admitted(id: RecordId) -> Self {
        NOT_ADMITTED.about(&[id.short().into()])
    }

    #[must_use]
    pub fn not_here(id: RecordId) -> Self {
        NOT_HERE.about(&[id.short().into()])
    }

    #[must_use]
    pub fn wrong_kind(record: &Record, wanted: Word) -> Self {
        let found = record.kind().map_or_else(|| (&*record.preimage.kind).into(), |kind| kind.label.into());
        WRONG_KIND.about(&[record.title().into(), found, wanted.label.into()])
    }

    #[must_use]
    pub fn transition(record: &Record, from: &State, to: &State, machine: &StateMachine) -> Self {
        if from.name == to.name {
            return ALREADY.about(&[record.title().into(), from.label.into()]);
        }
        let next = machine.states.iter().filter(|state| state.from.contains(&from.name));
        let next = match joined(next.map(|state| state.label.into()), "、", ", ") {
            Some(next) => filled("现在可以变为:{0}。", "From here it can become: {0}.", next),
            None => Explanation::new("已是终态,不能再变更。", "This is a final state: nothing follows it."),
        };
        TRANSITION.about(&[record.title().into(), from.label.into(), to.label.into(), next])
    }

    /// As [`Refusal::transition`], of an entry of a workflow.
    #[must_use]
    pub fn entry_state(record: &Record, field: &Field, told: &str, now: &EntryState, to: &EntryState) -> Self {
        if now.word.name == to.word.name {
            let (noun, now) = (field.noun.label.into(), now.word.label.into());
            return ENTRY_ALREADY.about(&[record.title().into(), noun, told.into(), now]);
        }
        let before = to.from.iter().filter_map(|name| field.entry_state(name));
        let next = match joined(before.map(|state| state.word.label.into()), "”“", " or ") {
            Some(before) => filled("只有“{0}”的才可以。", "Only one that is {0} can.", before),
            None => Explanation::new("请另立一项。", "Make another entry."),
        };
        let (now, to) = (now.word.label.into(), to.word.label.into());
        ENTRY_TRANSITION.about(&[record.title().into(), field.noun.label.into(), told.into(), now, to, next])
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
        NO_AUTHORITY.about(&[seat.into(), Explanation::new(why, format!("{error}.")), who.into()])
    }

    #[must_use]
    pub fn bad_choice(choice: &str, there_are: impl Iterator<Item = (usize, Explanation)>) -> Self {
        let said = there_are.map(|(number, Explanation { zh, en })| {
            Explanation::new(format!("{number}. {zh}"), format!("{number}. {en}"))
        });
        let next = match joined(said, ";", "; ") {
            Some(said) => filled("请选定一个值或其序号:{0}。", "Choose a value, or its number: {0}.", said),
            None => Explanation::new(
                "请写明由哪个组织承接(记录编号)。",
                "Name the organisation that takes over, by its record id.",
            ),
        };
        BAD_CHOICE.about(&[choice.into(), next])
    }
}
