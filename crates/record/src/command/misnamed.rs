//! Refusals of words: what is missing, not known, or not of its type. They say what is there, and what was probably meant.

use crate::command::argument::Argument;
use crate::kind::{Field, Kind, Label, Merge, Part, SETTLE, State, StateMachine, ValueType, Word};
use crate::message::{Message, Refusal, message};
use crate::naming::nearest;
use heliu_words::Explanation;

/// What somebody calls a thing: what is typed for it, and what it is called in Chinese.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    pub code: &'a str,
    pub zh: &'a str,
    /// What is typed for it is repeated nowhere.
    pub sealed: bool,
}

impl<'a> From<&'a Argument> for Named<'a> {
    fn from(argument: &'a Argument) -> Self {
        Named { code: argument.name, zh: argument.title(), sealed: argument.sealed }
    }
}

impl<'a> From<&'a Field> for Named<'a> {
    fn from(field: &'a Field) -> Self {
        Named { code: field.name, zh: field.label.zh, sealed: field.sealed }
    }
}

impl<'a> From<&'a Part> for Named<'a> {
    fn from(part: &'a Part) -> Self {
        Named { code: part.name, zh: part.label.zh, sealed: false }
    }
}

pub(crate) const MESSAGES: &[&Message] = &[
    &UNKNOWN_COMMAND,
    &UNKNOWN_ARGUMENT,
    &UNKNOWN_KIND,
    &UNKNOWN_STATE,
    &UNKNOWN_FIELD,
    &WRITTEN_OTHERWISE,
    &WRONG_PART,
    &EMPTIED,
    &BORN_ENDED,
    &MISSING,
    &NO_SUBJECT,
    &BAD_VALUE,
    &BAD_SEALED_VALUE,
];

const UNKNOWN_COMMAND: Message = message("unknown_command")
    .what("没有命令 {0}。", "There is no command {0:?}.")
    .why("它不在本版本的命令表中。", "It is not in this version's list.")
    .next("{1}", "{1}");
const UNKNOWN_ARGUMENT: Message = message("unknown_argument")
    .what("{0} 没有参数 {1}。", "{0} has no argument {1:?}.")
    .why("不认识的参数不会被忽略。", "An argument that is not understood is not ignored.")
    .next("{2}", "{2}");
const UNKNOWN_KIND: Message = message("unknown_kind")
    .what("本版本不认识记录种类 {0}。", "This version does not know the kind {0:?}.")
    .why("只能保存和转发,不能改写。", "It can keep and relay such records, not write them.")
    .next("{1}", "{1}");
const UNKNOWN_STATE: Message = message("unknown_state")
    .what("没有状态“{0}”。", "There is no state {0:?}.")
    .why("它不在该字段的状态表中。", "It is not among the states of the field.")
    .next("{1}", "{1}");
const UNKNOWN_FIELD: Message = message("wrong_field")
    .what("{0}没有字段“{1}”。", "There is no field {1:?} of this kind ({0}).")
    .why("字段由记录种类规定。", "The kind says which fields there are.")
    .next("{2}", "{2}");
const WRITTEN_OTHERWISE: Message = message("wrong_field")
    .what("{0}的字段“{1}”不能这样改写。", "The field {1:?} of this kind ({0}) is not written this way.")
    .why("字段的写法由记录种类规定。", "The kind says how each field is written.")
    .next("{2}", "{2}");
const WRONG_PART: Message = message("wrong_field")
    .what("字段“{0}”的事项没有“{1}”这一部分。", "The entries of {0:?} have no part {1:?}.")
    .why("事项的各部分由记录种类规定。", "The kind says which parts an entry has.")
    .next("{2}", "{2}");
/// A field that every record of its kind has.
const EMPTIED: Message = message("required_field")
    .what("“{0}”的{1}不能留空。", "{1:?} of {0:?} cannot be emptied.")
    .why("这一项必填。", "Every record of this kind has it.")
    .next("请写明新的值:{2}。", "Give the new value: {2}.");
const BORN_ENDED: Message = message("transition")
    .what("新建的记录不能一开始就是“{0}”。", "A new record cannot begin as: {0}.")
    .why("那是终结。", "That is the end of one.")
    .next("请先新建,再用 record.decide 作出决定。", "Make it first, then decide that with record.decide.");
const MISSING: Message = message("missing_argument")
    .what("没有写明{0}。", "{1:?} is missing.")
    .why("没有它命令无法执行。", "The command cannot be carried out without it.")
    .next("请填写 {1}=…:{2}。", "Give {1}=…: {2}.");
/// A command about a record, and none is named.
const NO_SUBJECT: Message = message("missing_argument")
    .what("没有写明是哪一条记录。", "No record is named.")
    .why("这条命令针对一条记录。", "The command is about one record.")
    .next("请在命令名之后写上{0}。", "Give, after the command's name, {0}.");
const BAD_VALUE: Message = message("bad_value")
    .what("{0}不能是“{1}”。", "{1:?} is not a value of {0:?}.")
    .why("这里要{2}。", "It takes {2}.")
    .next("请改正后重试。", "Correct it and try again.");
/// As [`BAD_VALUE`], without the value: refusals are kept and logged.
const BAD_SEALED_VALUE: Message = message("bad_value")
    .what("{0}的值不合格。", "This is not a value of {0:?}.")
    .why("这里要{1}。", "It takes {1}.")
    .next("请改正后重试。", "Correct it and try again.");

impl From<Named<'_>> for Explanation {
    fn from(Named { code, zh, .. }: Named<'_>) -> Self {
        Explanation::new(zh, code)
    }
}

impl Refusal {
    #[must_use]
    pub fn unknown_command(name: &str, known: impl Iterator<Item = &'static str>) -> Self {
        UNKNOWN_COMMAND.about(&[name.into(), meant(name, known.map(|name| (name, name)))])
    }

    #[must_use]
    pub fn unknown_argument(command: &str, name: &str, known: impl Iterator<Item = Named<'static>>) -> Self {
        let meant = meant(name, known.map(|known| (known.code, known.zh)));
        UNKNOWN_ARGUMENT.about(&[command.into(), name.into(), meant])
    }

    #[must_use]
    pub fn unknown_kind(name: &str, known: impl Iterator<Item = &'static Kind>) -> Self {
        UNKNOWN_KIND.about(&[name.into(), one_of(name, known.map(|kind| (kind.name, kind.label)))])
    }

    #[must_use]
    pub fn unknown_state(name: &str, machine: &StateMachine) -> Self {
        let known = machine.states.iter().map(|state| (state.name, state.label));
        UNKNOWN_STATE.about(&[name.into(), one_of(name, known)])
    }

    /// A field that there is not, or that is written in another way.
    #[must_use]
    pub fn wrong_field(kind: &Kind, field: &str) -> Self {
        match kind.field_called(field) {
            Some(known) => WRITTEN_OTHERWISE.about(&[kind.label.into(), known.label.into(), written_by(known)]),
            None => {
                // Settlements are written by settling.
                let written = kind.fields().filter(|field| field.name != SETTLE);
                let next = one_of(field, written.map(|field| (field.name, field.label)));
                UNKNOWN_FIELD.about(&[kind.label.into(), field.into(), next])
            }
        }
    }

    #[must_use]
    pub fn wrong_part(field: &Field, part: &str) -> Self {
        let next = one_of(part, field.parts().iter().map(|part| (part.name, part.label)));
        WRONG_PART.about(&[field.label.into(), part.into(), next])
    }

    /// A required field that would be left empty in a record of this title.
    #[must_use]
    pub fn emptied(title: impl Into<Explanation>, field: &Field) -> Self {
        EMPTIED.about(&[title.into(), field.label.into(), field.value.expects()])
    }

    #[must_use]
    pub fn born_ended(state: &State) -> Self {
        BORN_ENDED.about(&[state.label.into()])
    }

    #[must_use]
    pub fn missing<'a>(named: impl Into<Named<'a>>, expects: &Explanation) -> Self {
        let named: Named<'_> = named.into();
        MISSING.about(&[named.into(), named.code.into(), expects.clone()])
    }

    #[must_use]
    pub fn no_subject(kind: Word) -> Self {
        NO_SUBJECT.about(&[ValueType::Record(kind).expects()])
    }

    #[must_use]
    pub fn bad_value<'a>(named: impl Into<Named<'a>>, text: &str, value: ValueType) -> Self {
        match named.into() {
            named if named.sealed => BAD_SEALED_VALUE.about(&[named.into(), value.expects()]),
            named => BAD_VALUE.about(&[named.into(), text.into(), value.expects()]),
        }
    }
}

/// By which command a field is written, and how.
fn written_by(field: &Field) -> Explanation {
    let (name, zh) = (field.name, field.label.zh);
    let how = |command: &str, rest_zh: &str, rest_en: &str| {
        Explanation::new(
            format!("请用 {command} field={zh} {rest_zh}。"),
            format!("Use {command} field={name} {rest_en}."),
        )
    };
    match field.merge {
        Merge::Lww | Merge::Mv => how("record.set", "value=…", "value=…"),
        Merge::Aws => how("record.add", "element=…,移出用 record.remove", "element=…, or record.remove to take it out"),
        Merge::State(_) => how("record.decide", "state=…", "state=…"),
        Merge::Log if name == SETTLE => {
            Explanation::new("处置由 conflict.settle 写入。", "Settlements are written by conflict.settle.")
        }
        Merge::Log => how("record.append", "value=…", "value=…"),
        Merge::Slot(parts) | Merge::Entries(parts) => {
            let zh: Vec<&str> = parts.iter().map(|part| part.label.zh).collect();
            let en: Vec<&str> = parts.iter().map(|part| part.name).collect();
            let (zh, en) = (zh.join("、"), en.join(", "));
            how(
                "record.set",
                &format!("entry=… part=… value=…;部分有:{zh}"),
                &format!("entry=… part=… value=…; the parts are: {en}"),
            )
        }
    }
}

/// What was probably meant, of things that are typed as their code.
fn meant<'k>(typed: &str, known: impl Iterator<Item = (&'k str, &'k str)>) -> Explanation {
    let known: Vec<(&str, &str)> = known.collect();
    let near = nearest(typed, known.iter().flat_map(|(code, zh)| [*code, *zh]));
    match near.and_then(|near| known.iter().find(|(code, zh)| near == *code || near == *zh)) {
        Some((code, zh)) if code == zh => {
            Explanation::new(format!("是不是要写 {code}?"), format!("Did you mean {code:?}?"))
        }
        Some((code, zh)) => Explanation::new(format!("是不是要写 {code}({zh})?"), format!("Did you mean {code:?}?")),
        None => Explanation::new(
            "heliu do --help 列出全部命令,heliu do 命令 --explain 列出其参数。",
            "heliu do --help lists all commands, heliu do COMMAND --explain the arguments of one.",
        ),
    }
}

/// What was probably meant, or all that there is, of things that may be called by their name too.
fn one_of(typed: &str, known: impl Iterator<Item = (&'static str, Label)>) -> Explanation {
    let known: Vec<(&str, Label)> = known.collect();
    let near = nearest(typed, known.iter().flat_map(|(code, label)| [*code, label.zh, label.en]));
    let is_near = |(code, label): &&(&str, Label)| near.is_some_and(|near| near == *code || label.is(near));
    if let Some((code, label)) = known.iter().find(is_near) {
        return Explanation::new(format!("是不是“{}”?", label.zh), format!("Did you mean {code:?}?"));
    }
    let (zh, en): (Vec<_>, Vec<_>) = known.iter().map(|(code, label)| (label.zh, *code)).unzip();
    Explanation::new(format!("可用的有:{}。", zh.join("、")), format!("There are: {}.", en.join(", ")))
}
