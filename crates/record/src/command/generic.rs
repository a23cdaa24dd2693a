//! Commands for any field of any kind, beside those that have a name of their own.

use std::collections::BTreeSet;

use crate::change::{Container, Scalar};
use crate::command::argument::ENTRY;
use crate::command::plan::Planner;
use crate::command::{
    Argument, Command, Ends, FIELD_ARGUMENT, Makes, Named, STATE_ARGUMENT, command, optional, required,
};
use crate::id::RecordId;
use crate::kind::{Field, Kind, MADE_BY_HAND, Merge, SETTLE, ValueType, Writer};
use crate::message::{Message, Refusal, message};
use crate::scope::{is_in, seat_key};
use crate::view::Record;
use heliu_words::Explanation;

const FIELD: Argument = required(FIELD_ARGUMENT, ValueType::Text(60), "字段", "the field");
const SEAT: Argument = required("seat", ValueType::Seat, "席位", "the seat");
const VALUE: Argument =
    optional("value", ValueType::Text(4_000), "值,写 value= 则清除", "the value; an empty one (value=) clears it")
        .sealed();
const ELEMENT: Argument = required("element", ValueType::Text(200), "元素", "the element");

const STILL_WAITS: Message = message("still_waits")
    .what("“{0}”中还有待该席位办理的事项。", "Something in {0:?} still waits for that seat.")
    .why("停止共享后它就看不到了。", "It could no longer see it.")
    .next("请先办结介绍信或预约。", "Close the letter or the booking first.");
const AN_ENDING: Message = message("an_ending")
    .what("“{1}”不能在更正中变为“{0}”。", "A correction does not make {1:?}: {0}.")
    .why("那是终结,要单独决定。", "That is the end of it, and is decided by itself.")
    .next("请用 record.decide field={2}。", "Use record.decide field={2}.");
const A_FILE: Message = message("a_file")
    .what("{0}不单独新建。", "A record of this kind is not made by itself: {0}.")
    .why(
        "它随{1}而有,第一次填写时自动建立。",
        "It goes with another ({1}), and is there from the first that is written in it.",
    )
    .next("请在{1}上填写它的字段。", "Set its fields on that record ({1}).");
const KEYED: Message = message("made_by_command")
    .what("“{0}”不能这样新建。", "A record of this kind is not made so: {0}.")
    .why("同一件事两处各建的须是同一条记录。", "Two who each make one of the same have to make one record.")
    .next("请用 {1}。", "Use {1}.");
pub(crate) const MESSAGES: &[&Message] = &[&STILL_WAITS, &AN_ENDING, &A_FILE, &KEYED];

pub static COMMANDS: &[Command] = &[
    Command {
        makes: Makes::Named,
        takes_fields: true,
        ..command(MADE_BY_HAND, "新建记录", "create a record", create)
            .help("新建任一种类的记录,字段作为参数", "makes a record of any kind; its fields are arguments")
            .takes(&[
                required("kind", ValueType::Text(48), "种类", "the kind"),
                optional("seat", ValueType::Seat, "所属席位,默认本席位", "the owner (default: this seat)"),
            ])
    },
    command("record.set", "填写", "set a field", set)
        .help("填写一个字段,或事项的一个部分;写 value= 则清除", "sets a field, or a part of an entry; value= clears it")
        .about_any()
        .takes(&[FIELD, ENTRY, optional("part", ValueType::Text(60), "事项的部分", "the part of the entry"), VALUE]),
    Command {
        takes_fields: true,
        ..command("record.update", "更正", "correct fields", update)
            .help(
                "一次填写几个字段,字段作为参数;全部写入或全部不写",
                "sets several fields at once, which are arguments: all of them or none",
            )
            .about_any()
    },
    command("record.add", "加入", "add to a set", |planner| change_set(planner, true))
        .help("向集合字段加入一个元素", "adds an element to a set")
        .about_any()
        .takes(&[FIELD, ELEMENT]),
    command("record.remove", "移出", "remove from a set", |planner| change_set(planner, false))
        .help("从集合字段移出一个元素", "takes an element out of a set")
        .about_any()
        .takes(&[FIELD, ELEMENT]),
    command("record.append", "追加", "append to a log", append)
        .help("向日志字段追加一条", "appends to a log")
        .about_any()
        .takes(&[FIELD, required("value", ValueType::Text(4_000), "内容", "what to append")]),
    Command {
        ends: Ends::ByState,
        ..command("record.decide", "决定", "decide a state", decide)
            .help("作出决定,使状态变更", "takes a decision that changes a state")
            .about_any()
            .takes(&[
                FIELD,
                required(STATE_ARGUMENT, ValueType::Text(40), "新状态", "the new state"),
                optional("effective_on", ValueType::Date, "生效日期,默认今日", "from when (default: today)"),
                optional("decision_no", ValueType::Text(60), "文号", "the number of the decision"),
            ])
    },
    command("record.share", "共享给席位", "share with a seat", |planner| share(planner, true))
        .help("使另一席位及其上级可以看到本记录", "lets another seat and its superiors see the record")
        .about_any()
        .takes(&[SEAT]),
    command("record.unshare", "停止共享", "stop sharing", |planner| share(planner, false))
        .help("由共同上级办理;尚有待办事项时不可", "by a common superior; not while something waits for that seat")
        .about_any()
        .takes(&[SEAT]),
];

fn create(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let name = planner.text("kind").unwrap_or_default();
    let kind = planner.kind_called(name).ok_or_else(|| planner.unknown_kind(name))?;
    let of = planner.declared().kinds().iter().find(|of| of.file.is_some_and(|file| file.name == kind.name));
    if let Some(of) = of {
        return Err(A_FILE.about(&[kind.label.into(), of.label.into()]));
    }
    if kind.is_keyed() {
        return Err(KEYED.about(&[kind.label.into(), kind.made_by.into()]));
    }
    let birth = planner.seat_argument("seat").unwrap_or(planner.seat());
    let record = planner.create(kind, birth);
    for field in kind.fields() {
        let Some(text) = planner.text(field.name) else { continue };
        match field.merge {
            Merge::Lww | Merge::Mv => {
                let value = parse(field, field.value, text, planner)?;
                planner.put_field(record, field, value);
            }
            Merge::Aws => {
                for element in planner.list(field.name) {
                    let key = element_key(field, element, planner)?;
                    planner.put_member(record, field.merge.container(), key, true);
                }
            }
            Merge::State(machine) => {
                let state = machine.state_called(text).ok_or_else(|| Refusal::unknown_state(text, machine))?;
                if state.ending {
                    return Err(Refusal::born_ended(state));
                }
                planner.put_first_state(record, field, state.name);
            }
            Merge::Slot(_) | Merge::Entries(_) | Merge::Log => return Err(Refusal::wrong_field(kind, field.name)),
        }
    }
    Ok(())
}

fn set(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let Place { id, record, kind, field } = place(planner)?;
    match (field.merge, planner.text("entry"), planner.text("part")) {
        (Merge::Lww | Merge::Mv, None, None) => {
            let text = value_given(planner, &field.value.expects())?;
            let value = parse(field, field.value, text, planner)?;
            planner.put_field(id, field, value);
        }
        (Merge::Slot(_) | Merge::Entries(_), entry, Some(part)) => {
            let part = field.part_called(part).ok_or_else(|| Refusal::wrong_part(field, part))?;
            let text = value_given(planner, &part.value.expects())?;
            let value = parse(part, part.value, text, planner)?;
            let names_owner = field.writer == Writer::Party(part.name);
            let of = value.as_seat().filter(|_| names_owner).unwrap_or(planner.seat());
            let entry = planner.entry_to_set(record, field, entry, of)?;
            planner.put(id, field.merge.container(), part.key(&entry), value);
        }
        _ => return Err(Refusal::wrong_field(kind, field.name)),
    }
    Ok(())
}

/// As `set` and `decide` write them, and of a set exactly these elements. What ends something is decided by itself.
fn update(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let subject = planner.subject()?;
    let kind = planner.kind_of(subject)?;
    let is_given = |planner: &Planner<'_>, kind: &Kind| kind.own.iter().any(|field| planner.is_given(field.name));
    update_in(planner, subject.id, Some(subject), kind)?;
    match kind.file.filter(|file| is_given(planner, file)).and_then(|file| Some((file, planner.file_of(subject)?))) {
        Some((kind, file)) => update_in(planner, file, planner.world().record(file), kind),
        None => Ok(()),
    }
}

/// `there`: the record as it is; none: it is begun with this.
fn update_in(
    planner: &mut Planner<'_>,
    record: RecordId,
    there: Option<&Record>,
    kind: &'static Kind,
) -> Result<(), Refusal> {
    for field in kind.fields() {
        if !planner.is_given(field.name) {
            continue;
        }
        let text = planner.text(field.name).unwrap_or_default();
        match field.merge {
            Merge::Lww | Merge::Mv => {
                let value = parse(field, field.value, text, planner)?;
                planner.put_field(record, field, value);
            }
            Merge::Aws => {
                let given = planner.list(field.name).map(|element| element_key(field, element, planner));
                let given = given.collect::<Result<BTreeSet<_>, _>>()?;
                let all = there.into_iter().flat_map(|there| there.history.under(Container::Aws, field.name));
                let there = all.filter(|(_, values)| values.iter().any(|at| is_in(&at.value)));
                let there: BTreeSet<String> = there.map(|(name, _)| format!("{}/{name}", field.name)).collect();
                for (key, present) in given
                    .difference(&there)
                    .map(|key| (key, true))
                    .chain(there.difference(&given).map(|key| (key, false)))
                {
                    planner.put_member(record, field.merge.container(), key, present);
                }
            }
            Merge::State(machine) => {
                let Some(subject) = there else { return Err(Refusal::wrong_field(kind, field.name)) };
                let state = machine.state_called(text).ok_or_else(|| Refusal::unknown_state(text, machine))?;
                if state.ending {
                    return Err(AN_ENDING.about(&[state.label.into(), subject.title().into(), field.name.into()]));
                }
                planner.decide(subject, field.name, state.name)?;
            }
            Merge::Slot(_) | Merge::Entries(_) | Merge::Log => return Err(Refusal::wrong_field(kind, field.name)),
        }
    }
    Ok(())
}

/// What is to be written: nothing only if that is said. Who forgets the value empties nothing.
fn value_given<'a>(planner: &Planner<'a>, expects: &Explanation) -> Result<&'a str, Refusal> {
    if planner.is_given(VALUE.name) {
        Ok(planner.text(VALUE.name).unwrap_or_default())
    } else {
        Err(Refusal::missing(&VALUE, expects))
    }
}

fn change_set(planner: &mut Planner<'_>, present: bool) -> Result<(), Refusal> {
    let Place { id, kind, field, .. } = place(planner)?;
    let Merge::Aws = field.merge else { return Err(Refusal::wrong_field(kind, field.name)) };
    let key = element_key(field, planner.text("element").unwrap_or_default(), planner)?;
    planner.put_member(id, field.merge.container(), key, present);
    Ok(())
}

fn append(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let Place { id, kind, field, .. } = place(planner)?;
    if !matches!(field.merge, Merge::Log) || field.name == SETTLE {
        return Err(Refusal::wrong_field(kind, field.name));
    }
    let value = parse(field, field.value, planner.text("value").unwrap_or_default(), planner)?;
    let entry = planner.entry();
    planner.put(id, field.merge.container(), format!("{}/{entry}", field.name), value);
    Ok(())
}

fn decide(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let subject = planner.subject()?;
    let (field, state) = (planner.text("field").unwrap_or_default(), planner.text("state").unwrap_or_default());
    planner.decide(subject, field, state)
}

fn share(planner: &mut Planner<'_>, present: bool) -> Result<(), Refusal> {
    let subject = planner.subject()?;
    let seat = planner.seat_argument("seat").ok_or_else(|| Refusal::missing(&SEAT, &ValueType::Seat.expects()))?;
    if !present && subject.waits_for(seat) {
        return Err(STILL_WAITS.about(&[subject.title().into()]));
    }
    planner.put_member(subject.id, Container::Scope, seat_key(seat), present);
    Ok(())
}

/// Where a field of the subject is: in its record, or in the file that goes with it.
struct Place<'a> {
    id: RecordId,
    /// Of a file that is begun with this, the record with which it goes.
    record: &'a Record,
    kind: &'static Kind,
    field: &'static Field,
}

fn place<'a>(planner: &mut Planner<'a>) -> Result<Place<'a>, Refusal> {
    let subject = planner.subject()?;
    let kind = planner.kind_of(subject)?;
    let name = planner.text("field").unwrap_or_default();
    if let Some(field) = kind.field_called(name) {
        return Ok(Place { id: subject.id, record: subject, kind, field });
    }
    let filed = kind.file.and_then(|kind| Some((kind, kind.field_called(name)?)));
    let (kind, field) = filed.ok_or_else(|| Refusal::wrong_field(kind, name))?;
    let id = planner.file_of(subject).unwrap_or(subject.id);
    Ok(Place { id, record: planner.world().record(id).unwrap_or(subject), kind, field })
}

fn parse<'n>(
    named: impl Into<Named<'n>>,
    value: ValueType,
    text: &str,
    planner: &Planner<'_>,
) -> Result<Scalar, Refusal> {
    value.parse(text, planner.world().seats()).ok_or_else(|| Refusal::bad_value(named, text, value))
}

fn element_key(field: &Field, element: &str, planner: &Planner<'_>) -> Result<String, Refusal> {
    let key = field.value.parse_key(element, planner.world().seats());
    Ok(format!("{}/{}", field.name, key.ok_or_else(|| Refusal::bad_value(field, element, field.value))?))
}
