//! Members: registered, and assigned by a superior where no letter can do it.

use crate::commands::org::live;
use crate::commands::transfer::home_disputed;
use crate::kinds::member::KIND;
use crate::kinds::member::Member;
use crate::kinds::org::ORG;
use crate::kinds::org::Org;
use crate::kinds::word;
use heliu_record::change::{Container, Scalar};
use heliu_record::command::Planner;
use heliu_record::command::Refusal;
use heliu_record::command::{Argument, Command, Makes, Subject};
use heliu_record::id::{RecordId, SeatId};
use heliu_record::kind::{ValueType, label, word};
use heliu_record::scope::OWNER;
use heliu_record::view::Record;

pub static COMMANDS: &[Command] = &[
    Command {
        name: "member.register",
        label: label("登记党员", "register a member"),
        help: label("在一个支部登记一名党员", "registers a person in a branch"),
        subject: Subject::None,
        makes: Makes::Kind(word::MEMBER),
        arguments: &[
            Argument::required("name", ValueType::Text(40), label("姓名", "the person's name")),
            Argument::required("branch", ORG, label("所在支部", "the branch")),
            Argument::optional(
                "seat",
                ValueType::Seat,
                label("所属席位,默认支部所属", "the owner (default: the branch's owner)"),
            ),
            Argument::optional(
                "member_no",
                ValueType::Text(40),
                label("党员编号,乡镇填写", "the number, given by the township"),
            ),
            Argument::optional("joined_on", ValueType::Date, label("入党日期", "the day of admission on probation")),
            Argument::optional("full_on", ValueType::Date, label("转正日期", "the day of becoming a full member")),
            Argument::optional(
                "contact",
                ValueType::Text(60),
                label("联系方式,密封保存", "a telephone number; sealed"),
            )
            .sealed(),
            Argument::optional("birth_date", ValueType::Date, label("出生日期,密封保存", "the day of birth; sealed"))
                .sealed(),
            Argument::optional("person_digest", ValueType::Text(64), label("查重摘要,密封保存", "a digest; sealed"))
                .sealed(),
            Argument::optional(
                "admitted_on",
                ValueType::Date,
                label("编入日期,默认今日", "since when in this branch (default: today)"),
            ),
            Argument::optional(
                "stage",
                ValueType::Choice(&[
                    word("applicant", "入党申请人", "applicant"),
                    word("activist", "积极分子", "activist"),
                    word("candidate", "发展对象", "candidate"),
                    word("probationary", "预备党员", "probationary"),
                    word("full", "正式党员", "full member"),
                ]),
                label("阶段,默认正式党员", "the stage (default: full)"),
            ),
        ],
        takes_fields: false,
        run: register,
    },
    Command {
        name: "member.reassign",
        label: label("调整归属", "reassign a member"),
        help: label(
            "由共同上级(乡镇及以上)裁定归属,如原支部撤销后",
            "a common superior, township or above, decides the home",
        ),
        subject: Subject::Of(word::MEMBER),
        makes: Makes::Nothing,
        arguments: &[Argument::required("to_org", ORG, label("新归属支部", "the new branch"))],
        takes_fields: false,
        run: |planner| {
            let (subject, to) = (planner.subject()?.id, planner.need_record("to_org")?);
            reassign_to(planner, subject, to)
        },
    },
];

fn register(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let branch = live(planner, planner.need_record("branch")?)?;
    let owner = planner.seat_argument("seat").unwrap_or_else(|| unit_of(planner, branch));
    let member = planner.create(&KIND, owner);
    for name in ["name", "member_no", "joined_on", "full_on", "contact", "birth_date", "person_digest"] {
        planner.put_argument(member, &KIND, name);
    }
    let admitted = planner.text_or_today("admitted_on");
    if planner.text("joined_on") != Some(admitted) {
        planner.put(member, Container::Lww, "admitted_on", Scalar::from(admitted));
    }
    planner.put(member, Container::Lww, "birth_branch", Scalar::Bytes(branch.id.0.to_vec()));
    let stage = planner.choice("stage").unwrap_or("full");
    planner.put(member, Container::Log, "stage/0", Scalar::from(stage));
    Ok(())
}

/// A member belongs to the seat of his unit: of a joint branch, the unit that registers him.
fn unit_of(planner: &Planner<'_>, branch: &Record) -> SeatId {
    let seat = planner.seat();
    let is_unit = branch.read_as::<Org>().is_some_and(|org| org.units.contains(&seat.to_string()));
    if is_unit { seat } else { planner.owner_of(branch) }
}

/// A decision that makes `to` the home of the next epoch.
pub(crate) fn reassign_to(planner: &mut Planner<'_>, member: RecordId, to: RecordId) -> Result<(), Refusal> {
    let record = planner.load_kind(member, word::MEMBER)?;
    let branch = live(planner, to)?;
    let Some(home) = record.read_as::<Member>().and_then(|m| m.home.as_ref()) else {
        return Err(home_disputed(record));
    };
    // A joint branch is owned above its units: the person stays with his unit.
    let owner = planner.owner_of(branch);
    let keeps = record.view.owners.iter().find(|unit| planner.world().seats().is_at_or_above(owner, **unit));
    let seat = keeps.copied().unwrap_or(owner);
    let entry = planner.entry();
    let today = planner.today();
    let mut part =
        |name: &str, value: Scalar| planner.put(member, Container::Slot, format!("moves/{entry}/{name}"), value);
    part("to_seat", Scalar::Bytes(seat.0.to_vec()));
    part("from_org", Scalar::Bytes(home.org.0.to_vec()));
    part("to_org", Scalar::Bytes(to.0.to_vec()));
    part("home_epoch", Scalar::Int(home.epoch));
    part("decided", Scalar::Int(home.epoch + 1));
    part("decided_on", today);
    // Said also where nothing changes: somebody who takes the record over without knowing of this has then not taken it alone.
    planner.put(member, Container::Scope, OWNER, Scalar::Bytes(seat.0.to_vec()));
    for old in record.view.owners.iter().filter(|old| **old != seat) {
        planner.add_participant(member, *old);
    }
    Ok(())
}
