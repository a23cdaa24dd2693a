//! The card that the host reads has what it needs to know the person by, and nothing else.

use heliu_record::change::Scalar;
use heliu_record::command::WriteValue;
use heliu_record::prelude::*;

use super::fields::{HOSTS_OWN, PERSON};

pub(super) static NOT_ON_CARD: Message = message("not_on_card")
    .what("流出方的登记不写“{0}”。", "The home's half does not say this: {0}.")
    .why(
        "流入地看得到这份登记,只给它认人所需的内容。",
        "The host reads it, and is shown what it needs to know the person by.",
    )
    .next("请由流入地写在它的一半里。", "Have the host say it in its own half.");

pub(super) fn is_minimal(_: &Planner<'_>, planned: &Planned<'_>) -> Result<(), Refusal> {
    let is_set = |value: &WriteValue| !matches!(value, WriteValue::Value(Scalar::Null) | WriteValue::Member(false));
    let set = planned.write.writes.iter().filter(|put| is_set(&put.value));
    let mut fields = set.filter_map(|put| {
        let name = put.key.split('/').next().unwrap_or_default();
        HOSTS_OWN.iter().find(|field| field.name == name)
    });
    let Some(field) = fields.next() else { return Ok(()) };
    if PERSON.has_value(&planned.after()?.history) { Err(NOT_ON_CARD.about(&[field.label.into()])) } else { Ok(()) }
}
