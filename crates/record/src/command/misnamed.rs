//! Refusals of words: what is missing, not known, or not of its type. They say what is there, and what was probably meant.

use crate::command::Argument;
use crate::command::refusal::Refusal;
use crate::conflict::Explanation;
use crate::kind::{Field, Kind, Label, StateMachine, ValueType, Word};
use crate::naming::nearest;

/// What somebody calls a thing: what is typed for it, and what it is called in Chinese.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    pub code: &'a str,
    pub zh: &'a str,
}

impl<'a> From<&'a Argument> for Named<'a> {
    fn from(argument: &'a Argument) -> Self {
        Named { code: argument.name, zh: argument.title() }
    }
}

impl<'a> From<&'a Field> for Named<'a> {
    fn from(field: &'a Field) -> Self {
        Named { code: field.name, zh: field.label.zh }
    }
}

impl Refusal {
    #[must_use]
    pub fn unknown_command(name: &str, known: impl Iterator<Item = &'static str>) -> Self {
        Refusal {
            code: "unknown_command",
            what: Explanation::new(format!("没有命令 {name}。"), format!("There is no command {name:?}.")),
            why: Explanation::new("它不在本版本的命令表中。", "It is not in this version's list."),
            next: meant(name, known.map(|name| (name, name))),
        }
    }

    #[must_use]
    pub fn unknown_argument(command: &str, name: &str, known: impl Iterator<Item = Named<'static>>) -> Self {
        Refusal {
            code: "unknown_argument",
            what: Explanation::new(
                format!("{command} 没有参数 {name}。"),
                format!("{command} has no argument {name:?}."),
            ),
            why: Explanation::new("不认识的参数不会被忽略。", "An argument that is not understood is not ignored."),
            next: meant(name, known.map(|known| (known.code, known.zh))),
        }
    }

    #[must_use]
    pub fn unknown_kind(name: &str, known: impl Iterator<Item = &'static Kind>) -> Self {
        Refusal {
            code: "unknown_kind",
            what: Explanation::new(
                format!("本版本不认识记录种类 {name}。"),
                format!("This version does not know the kind {name:?}."),
            ),
            why: Explanation::new("只能保存和转发,不能改写。", "It can keep and relay such records, not write them."),
            next: one_of(name, known.map(|kind| (kind.name, kind.label))),
        }
    }

    #[must_use]
    pub fn unknown_state(name: &str, machine: &StateMachine) -> Self {
        Refusal {
            code: "unknown_state",
            what: Explanation::new(format!("没有状态“{name}”。"), format!("There is no state {name:?}.")),
            why: Explanation::new("它不在该字段的状态表中。", "It is not among the states of the field."),
            next: one_of(name, machine.states.iter().map(|state| (state.name, state.label))),
        }
    }

    #[must_use]
    pub fn wrong_field(kind: &Kind, field: &str) -> Self {
        let (zh, en) = kind.field(field).map_or((field, field), |known| (known.label.zh, known.label.en));
        Refusal {
            code: "wrong_field",
            what: Explanation::new(
                format!("{}没有可这样改写的字段“{zh}”。", kind.label.zh),
                format!("No field {en:?} of this kind ({}) is written this way.", kind.label.en),
            ),
            why: Explanation::new("字段的写法由记录种类规定。", "The kind says how each field is written."),
            next: if kind.field(field).is_some() {
                Explanation::new(
                    "状态用 record.decide,集合用 record.add 和 record.remove,日志用 record.append,其余用 record.set。",
                    "States are decided (record.decide), sets take record.add and record.remove, logs record.append, all \
                     others record.set.",
                )
            } else {
                one_of(field, kind.fields().map(|field| (field.name, field.label)))
            },
        }
    }

    #[must_use]
    pub fn missing<'a>(named: impl Into<Named<'a>>, expects: &Explanation) -> Self {
        let Named { code, zh } = named.into();
        Refusal {
            code: "missing_argument",
            what: Explanation::new(format!("没有写明{zh}。"), format!("{code:?} is missing.")),
            why: Explanation::new("没有它命令无法执行。", "The command cannot be carried out without it."),
            next: Explanation::new(
                format!("请填写 {code}=…:{}。", expects.zh),
                format!("Give {code}=…: {}.", expects.en),
            ),
        }
    }

    /// A command about a record, and none is named.
    #[must_use]
    pub fn no_subject(kind: Word) -> Self {
        let expects = ValueType::Record(kind).expects();
        Refusal {
            code: "missing_argument",
            what: Explanation::new("没有写明是哪一条记录。", "No record is named."),
            why: Explanation::new("这条命令针对一条记录。", "The command is about one record."),
            next: Explanation::new(
                format!("请在命令名之后写上{}。", expects.zh),
                format!("Give, after the command's name, {}.", expects.en),
            ),
        }
    }

    #[must_use]
    pub fn bad_value<'a>(named: impl Into<Named<'a>>, text: &str, value: ValueType) -> Self {
        let Named { code, zh } = named.into();
        let expects = value.expects();
        Refusal {
            code: "bad_value",
            what: Explanation::new(format!("{zh}不能是“{text}”。"), format!("{text:?} is not a value of {code:?}.")),
            why: Explanation::new(format!("这里要{}。", expects.zh), format!("It takes {}.", expects.en)),
            next: Explanation::new("请改正后重试。", "Correct it and try again."),
        }
    }

    /// As [`Refusal::bad_value`], without the value: refusals are kept and logged.
    #[must_use]
    pub fn bad_sealed_value<'a>(named: impl Into<Named<'a>>, value: ValueType) -> Self {
        let Named { code, zh } = named.into();
        let expects = value.expects();
        Refusal {
            code: "bad_value",
            what: Explanation::new(format!("{zh}的值不合格。"), format!("This is not a value of {code:?}.")),
            why: Explanation::new(format!("这里要{}。", expects.zh), format!("It takes {}.", expects.en)),
            next: Explanation::new("请改正后重试。", "Correct it and try again."),
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
