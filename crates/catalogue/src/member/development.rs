//! How somebody becomes a member: a branch leads an applicant on and records what its meeting passed; the committee above it approves
//! admission, full membership, an extension or the end of probation.

use heliu_record::prelude::*;

use super::fields::{DOCUMENT_NO, EXTENDED_UNTIL, FULL_ON, JOINED_ON, STAGE, STEP, TAKEN_ON};
use super::home::Member;
use super::stages::STEPS;
use crate::policy;
use crate::words::MEMBER;

const DAY: Argument = optional("effective_on", PAST, "日期,默认今日", "the day (default: today)");
const MEETING: Argument =
    optional("effective_on", PAST, "支部大会日期,默认今日", "the day of the meeting (default: today)");
const DECISION: Argument = optional("decision_no", number(60), "文号", "the number of the decision");
const LED_TO: ValueType =
    ValueType::Choice(&[word("activist", "积极分子", "activist"), word("candidate", "发展对象", "candidate")]);
const PASSED: ValueType = ValueType::Choice(&[
    word("admission", "接收预备党员", "admission"),
    word("full", "按期转正", "full membership"),
    word("extension", "延长预备期", "extension of probation"),
    word("cancellation", "取消预备党员资格", "cancellation of probation"),
]);

pub(super) static COMMANDS: &[Command] = &[
    about(MEMBER, "member.lead", "培养", "lead an applicant on", |planner| {
        let to = planner.choice("stage").unwrap_or_default();
        planner.decide(planner.subject()?, STAGE.field.name, to)
    })
    .help("支部确定为积极分子或发展对象", "a branch makes somebody an activist or a candidate")
    .takes(&[required("stage", LED_TO, "阶段", "the stage"), DAY, DECISION]),
    about(MEMBER, "member.pass", "支部大会通过", "record what the meeting passed", pass)
        .help(
            "支部登记其党员大会的决议,待上级党委审批",
            "a branch records what its meeting passed; the committee above it approves",
        )
        .takes(&[required("what", PASSED, "事项", "what was passed"), MEETING, DECISION]),
    about(MEMBER, "member.admit", "审批接收", "approve admission", admit)
        .help(
            "上级党委批准为预备党员;预备期从支部大会通过之日算起",
            "a committee approves; probation counts from the meeting",
        )
        .takes(&[
            optional_field(&JOINED_ON.field, "入党日期,默认支部大会通过之日", "default: the day of the meeting"),
            DAY,
            DECISION,
        ]),
    about(MEMBER, "member.confirm", "审批转正", "approve full membership", confirm)
        .help("预备期满,上级党委批准转为正式党员", "a committee approves once probation is over")
        .takes(&[
            optional_field(&FULL_ON.field, "转正日期,默认今日", "the day of full membership (default: today)"),
            DAY,
            DECISION,
        ]),
    about(MEMBER, "member.extend", "审批延长预备期", "approve an extension", extend)
        .help("预备期只能延长一次,不少于6个月、不超过12个月", "once, by 6 to 12 months")
        .takes(&[required("until", DATE, "延长至", "until when"), DAY, DECISION]),
    about(MEMBER, "member.cancel", "取消预备党员资格", "cancel a probation", cancel)
        .help(
            "上级党委批准取消;村级办理的,登记为支部大会通过、待审批",
            "a committee approves; of a village it is what the meeting passed, and still to be approved",
        )
        .ends("取消预备党员资格后,此人不再是党员", "whose probation is cancelled is no member any more")
        .takes(&[DAY, DECISION]),
    about(MEMBER, "member.step", "登记发展步骤", "record a step", step)
        .help("登记25个步骤中的一步,不记审查内容", "one of the 25 steps; nothing of what a review says")
        .takes(&[
            required("step", STEPS, "步骤", "the step"),
            optional("on", PAST, "日期,默认今日", "when (default: today)"),
            optional("document_no", number(60), "文号", "the number of the paper"),
        ]),
];
pub(super) static EXTENDED_ONCE: Message = message("extended_once")
    .what("“{0}”的预备期已延长到 {1}。", "The probation of {0:?} has been extended already, to {1}.")
    .why("预备期只能延长一次。", "Probation is extended once.")
    .next("期满后请审批转正或取消。", "Once it is over approve full membership or cancel it.");
pub(super) static EXTENSION_LENGTH: Message = message("extension_length")
    .what("“{0}”的预备期不能延长到 {1}。", "The probation of {0:?} cannot be extended to {1}.")
    .why(
        "延长期不少于 {2} 个月、不超过 {3} 个月,从预备期满算起。",
        "An extension is {2} to {3} months from its regular end.",
    )
    .next("可延长至 {4} 到 {5} 之间。", "Give a day from {4} to {5}.");

fn pass(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let state = match planner.choice("what") {
        Some("admission") => "passed",
        Some("full") => "passed_full",
        Some("extension") => "passed_extended",
        _ => "passed_cancelled",
    };
    planner.decide(planner.subject()?, STAGE.field.name, state)
}

fn admit(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let record = planner.subject()?;
    let standing = STAGE.read(&record.history);
    let met = Some(standing.since).filter(|since| standing.state.name == "passed" && !since.is_empty());
    let stands = JOINED_ON.read(&record.history);
    let joined = planner.text("joined_on").or(stands.as_deref()).or(met);
    let joined = joined.unwrap_or(planner.text_or_today("effective_on"));
    planner.decide(record, STAGE.field.name, "probationary")?;
    planner.set(record.id, &JOINED_ON, joined);
    Ok(())
}

fn confirm(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let record = planner.subject()?;
    let full = planner.text("full_on").unwrap_or(planner.text_or_today("effective_on"));
    planner.decide(record, STAGE.field.name, "full")?;
    planner.set(record.id, &FULL_ON, full);
    Ok(())
}

fn extend(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let record = planner.subject()?;
    if let Some(until) = EXTENDED_UNTIL.read(&record.history) {
        return Err(EXTENDED_ONCE.about(&[record.title().into(), until.into()]));
    }
    let until = planner.text("until").unwrap_or_default();
    let setting = |setting| i32::try_from(policy::read(planner, setting)).unwrap_or_default();
    let (least, most) = (setting(policy::EXTENSION_MONTHS_MIN), setting(policy::EXTENSION_MONTHS_MAX));
    let probation = setting(policy::PROBATION_MONTHS);
    planner.decide(record, STAGE.field.name, "extended")?;
    if let Some(joined) = JOINED_ON.read(&record.history) {
        let after = |months: i32| date::months_after(&joined, probation + months);
        let (first, last) = (after(least).unwrap_or_default(), after(most).unwrap_or_default());
        if until < &*first || until > &*last {
            let months = [least, most].map(|months| Explanation::from(months.to_string()));
            let [least, most] = months;
            let title = record.title().into();
            return Err(EXTENSION_LENGTH.about(&[title, until.into(), least, most, first.into(), last.into()]));
        }
    }
    planner.set(record.id, &EXTENDED_UNTIL, until);
    Ok(())
}

fn cancel(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (record, _) = planner.subject_as::<Member>(MEMBER)?;
    let seat = planner.world().seats().get(planner.seat());
    let approves = seat.is_some_and(|seat| seat.tier <= Tier::Township);
    planner.decide(record, STAGE.field.name, if approves { "cancelled" } else { "passed_cancelled" })
}

fn step(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (record, step) = (planner.subject()?, planner.choice("step").unwrap_or_default());
    let entry = planner.entry();
    planner.put_parts(record.id, &entry, [STEP.with(step), TAKEN_ON.with(planner.text_or_today("on"))]);
    planner.fill_parts(record.id, &entry, parts![DOCUMENT_NO]);
    Ok(())
}
