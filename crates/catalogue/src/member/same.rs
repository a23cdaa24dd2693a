//! Two records that two made of one person: joined they count once, and taken apart again they are two.

use heliu_record::prelude::*;

use super::fields::SAME_AS;
use crate::words::MEMBER;

pub(super) static COMMANDS: &[Command] = &[
    about(MEMBER, "member.same_as", "认定为同一人", "join two records of one person", |planner| {
        join(planner, true)
    })
    .help("两条记录为同一人;合计时只算一次,可撤销", "both are of one person, who counts once; it can be undone")
    .takes(&[required("other", record(MEMBER), "另一条记录", "the other record")]),
    about(MEMBER, "member.not_same_as", "撤销同一人认定", "take two records apart", |planner| {
        join(planner, false)
    })
    .help("两条记录不是同一人", "they are of two persons")
    .takes(&[required("other", record(MEMBER), "另一条记录", "the other record")]),
];
pub(super) static ITSELF: Message = message("bad_value")
    .what("“{0}”就是这条记录本身。", "{0:?} is this record itself.")
    .why("要认定的是另一条记录。", "It is joined with another one.")
    .next("请给出另一条记录。", "Name the other record.");

fn join(planner: &mut Planner<'_>, joined: bool) -> Result<(), Refusal> {
    let record = planner.subject()?;
    let other = planner.load_kind(planner.need_record("other")?, MEMBER)?;
    if other.id == record.id {
        return Err(ITSELF.about(&[record.title().into()]));
    }
    // Whichever of the two says so.
    let said = SAME_AS.read(&other.history).any(|same| same == record.id);
    let (at, of) = if said && !joined { (other, record) } else { (record, other) };
    planner.put_member(at.id, SAME_AS.field.merge.container(), SAME_AS.key(&of.id), joined);
    Ok(())
}
