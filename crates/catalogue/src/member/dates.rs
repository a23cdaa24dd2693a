//! Whether the days of a person's way into the Party can be true beside each other, and beside the stage. Judged whenever one of them is
//! written, by whatever command: a roster, a form, a decision.

use heliu_record::prelude::*;

use super::fields::{BIRTH_DATE, EXTENDED_UNTIL, FULL_ON, JOINED_ON, NAME, STAGE};
use super::home::Member;
use super::stages::{STAGES, is_before, is_on_probation};
use crate::policy;

const AGE_MIN: i16 = 18;

pub(super) static OUT_OF_ORDER: Message = message("dates_out_of_order")
    .what("“{0}”的{1}({2})早于{3}({4})。", "{0:?}: {1} ({2}) is before {3} ({4}).")
    .why("先入党,后转正。", "A person is admitted first and becomes a full member later.")
    .next("请核对这两个日期。", "Check the two days.");
pub(super) static TOO_YOUNG: Message = message("dates_out_of_order")
    .what("“{0}”入党时不满18周岁。", "{0:?} was admitted before the age of 18.")
    .why("年满18周岁才能申请入党。", "A person has to be 18 to apply.")
    .next("请核对入党日期和出生日期。", "Check the joining date and the birth date.");
pub(super) static NO_DAY: Message = message("missing_argument")
    .what("没有写明“{0}”的入党日期。", "The joining date of {0:?} is missing.")
    .why("预备期从支部大会通过之日算起。", "Probation counts from the day on which the meeting passed it.")
    .next("请填写 joined_on=年-月-日。", "Give joined_on=YYYY-MM-DD.");
pub(super) static NOT_YET: Message = message("dates_out_of_order")
    .what("“{0}”是{1},不会有{2}。", "{0:?} is {1} and has no {2} yet.")
    .why("日期与阶段不符。", "The day does not go with the stage.")
    .next("请核对阶段,或清除该日期。", "Check the stage, or clear the day.");
pub(super) static PROBATION_SHORT: Message = message("probation_short")
    .what("“{0}”的预备期到 {1} 才满。", "The probation of {0:?} is over on {1} only.")
    .why("预备期为 {2} 个月;延长的,到延长期满为止。", "Probation is {2} months, or until the end of its extension.")
    .next("请待期满后再审批转正。", "Approve full membership once it is over.");

pub(super) fn fit_together(planner: &Planner<'_>, planned: &Planned<'_>) -> Result<(), Refusal> {
    let written = [&JOINED_ON.field, &FULL_ON.field, &BIRTH_DATE.field, &STAGE.field].map(|field| field.name);
    if !planned.write.field_names().any(|name| written.contains(&name)) {
        return Ok(());
    }
    let before = planned.before.and_then(Record::read_as::<Member>);
    let stands = before.and_then(|before| STAGES.state(before.stage)).unwrap_or(STAGES.initial());
    let decided = planned.decided(&STAGE);
    let stage = decided.as_ref().map_or(stands, |(state, _)| state);
    let (joined, full) = (planned.value_of(&JOINED_ON), planned.value_of(&FULL_ON));
    let named = || -> Explanation {
        planned.value_of(&NAME).or_else(|| planned.before.map(Record::title)).unwrap_or_default().into()
    };
    if let (Some(joined), Some(full)) = (&joined, &full)
        && full < joined
    {
        let (late, early) = (FULL_ON.field.label.into(), JOINED_ON.field.label.into());
        return Err(OUT_OF_ORDER.about(&[named(), late, (&**full).into(), early, (&**joined).into()]));
    }
    if let (Some(born), Some(joined)) = (planned.write.value_of(&BIRTH_DATE), joined.as_ref().or(full.as_ref()))
        && date::years_after(&born, AGE_MIN).is_none_or(|of_age| *joined < of_age)
    {
        return Err(TOO_YOUNG.about(&[named()]));
    }
    // What a meeting passed has its day before it is approved.
    let is_applicant = is_before(stage.name) && stage.name != "passed";
    let is_not_full = is_applicant || matches!(stage.name, "probationary" | "extended");
    let too_early = [(&joined, &JOINED_ON, is_applicant), (&full, &FULL_ON, is_not_full)];
    if let Some((_, field, _)) = too_early.into_iter().find(|(day, _, is_early)| day.is_some() && *is_early) {
        return Err(NOT_YET.about(&[named(), stage.label.into(), field.field.label.into()]));
    }
    if is_on_probation(stage.name) && joined.is_none() {
        return Err(NO_DAY.about(&[named()]));
    }
    // Nobody becomes a full member before the probation is over.
    let Some((_, decision)) = decided.filter(|_| stage.name == "full" && is_on_probation(stands.name)) else {
        return Ok(());
    };
    let joined = joined.ok_or_else(|| NO_DAY.about(&[named()]))?;
    let months = policy::read(planner, policy::PROBATION_MONTHS);
    let regular = date::months_after(&joined, i32::try_from(months).unwrap_or(12)).unwrap_or_default();
    let over = planned.value_of(&EXTENDED_UNTIL).map_or(regular.clone(), |until| until.max(regular));
    let day = full.as_deref().unwrap_or(decision.effective_on);
    if planner.today() < &*over || (!day.is_empty() && day < &*over) {
        return Err(PROBATION_SHORT.about(&[named(), (&*over).into(), months.to_string().into()]));
    }
    Ok(())
}
