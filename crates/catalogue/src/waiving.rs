//! A superior accepts what an advisory says: it is told no more as long as the number stays within the same bounds. Which advisories there
//! are, `ledgers` says.

use heliu_record::prelude::*;

use crate::words::{MEMBER, ORGANISATION};
use crate::{member, org};

pub static SECTION: Section = section(&[], COMMANDS, &[], &[], &[&NOT_ABOVE]);

const ADVISORY: Argument =
    required("advisory", text(40), "提示的编号,如 R1-few", "the key of the advisory, such as R1-few");
static COMMANDS: &[Command] = &[
    about(ORGANISATION, "org.waive", "免除提示", "waive an advisory", |planner| waive(planner, &org::WAIVED, true))
        .help(
            "上级认可该组织的情况,不再提示;数量变动到另一档时重新提示",
            "a superior accepts it; told again once the number is in another band",
        )
        .takes(&[ADVISORY]),
    about(ORGANISATION, "org.unwaive", "恢复提示", "take a waiver back", |planner| {
        waive(planner, &org::WAIVED, false)
    })
    .help("重新提示", "it is told again")
    .takes(&[ADVISORY]),
    about(MEMBER, "member.waive", "免除提示", "waive an advisory", |planner| waive(planner, &member::WAIVED, true))
        .help("上级认可,不再提示,如确为同名的两人", "a superior accepts it: they are two persons of one name")
        .takes(&[ADVISORY]),
    about(MEMBER, "member.unwaive", "恢复提示", "take a waiver back", |planner| {
        waive(planner, &member::WAIVED, false)
    })
    .help("重新提示", "it is told again")
    .takes(&[ADVISORY]),
];
static NOT_ABOVE: Message = message("no_authority")
    .what("“{0}”不能免除“{1}”的提示。", "{0} may not waive an advisory of {1:?}.")
    .why("由其上级(乡镇及以上)免除。", "A superior of it does, a township or above.")
    .next("请由上级席位办理。", "Have it done at the seat above.");

fn waive(planner: &mut Planner<'_>, waived: &'static SetOf<String>, is_waived: bool) -> Result<(), Refusal> {
    let subject = planner.subject()?;
    let (seat, seats) = (planner.seat(), planner.world().seats());
    let tier = seats.get(seat).map(|seat| seat.tier);
    // The county has nobody above it here.
    let is_top = seats.get(seat).is_some_and(|seat| seat.parent.is_none());
    let is_above = |owner: &SeatId| (is_top || *owner != seat) && seats.is_at_or_above(seat, *owner);
    if tier.is_none_or(|tier| tier > Tier::Township) || !subject.view.owners.iter().all(is_above) {
        return Err(NOT_ABOVE.about(&[seats.name(seat).into(), subject.title().into()]));
    }
    let advisory = planner.text("advisory").unwrap_or_default().to_owned();
    // What of an organisation is not for everybody is in its file.
    let at = planner.file_of(subject).unwrap_or(subject.id);
    planner.put_member(at, waived.field.merge.container(), waived.key(&advisory), is_waived);
    Ok(())
}
