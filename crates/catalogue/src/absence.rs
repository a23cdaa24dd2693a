//! 离岗代办: until when a seat is away, and which superior acts in its name meanwhile. One public record of each seat, so that every
//! node knows who stands in for whom.
//!
//! It is asked where a command is given, and never on merging: a superior may write what its subordinate may, whoever is away. So an
//! absence that was ended elsewhere meanwhile takes nothing away from what its deputy wrote; the history says who did it for whom.

use heliu_record::id::Preimage;
use heliu_record::prelude::*;

use crate::words::ABSENCE;

static DEPUTY: FieldOf<SeatId> = mv("deputy", SEAT, "代办席位", "deputy")
    .help("离岗期间以其名义办理的上级席位", "the superior that acts in its name")
    .listed();
/// The day is the last one.
static UNTIL: FieldOf<String> = mv("until", DATE, "代办至", "until")
    .help("代办到哪一天为止,当日有效;到期自行终止", "the last day of the absence; it ends by itself")
    .listed();

static KIND: Kind = Kind::scoped(
    ABSENCE,
    1,
    "席位离岗期间由谁代办、到哪一天,每个席位一份",
    "who stands in for a seat while it is away, and until when: one for each seat",
)
.public()
.with(fields![DEPUTY, UNTIL]);
pub static SECTION: Section = section(&[&KIND], COMMANDS, &[], &[], &[&NOT_ABOVE, &NOT_AWAY]).deputies(deputy_of);

const WHOSE: Argument = optional("seat", SEAT, "离岗的席位,默认本席位", "the seat that is away (default: one's own)");
static COMMANDS: &[Command] = &[
    makes(ABSENCE, "seat.away", "登记离岗代办", "enter an absence", away)
        .help(
            "席位的经办人或节点离岗,由上级代办到某日",
            "its clerk or node is away, and a superior acts in its name until a day",
        )
        .takes(&[
            WHOSE,
            required("until", DATE, "代办至,当日有效", "the last day"),
            optional("deputy", SEAT, "代办席位,默认上一级", "the superior that acts for it (default: the next one)"),
        ]),
    command("seat.back", "结束离岗代办", "end an absence", back)
        .help("席位的经办人或节点回来了", "its clerk or node is back")
        .takes(&[WHOSE]),
];
static NOT_ABOVE: Message = message("not_above")
    .what("“{0}”不是“{1}”的上级,不能代办。", "{0} is not above {1}, and cannot stand in for it.")
    .why("只有上级席位才有其记录,也才有权代为填写。", "Only a superior has its records, and may write in them.")
    .next("请写它的上级席位,或省略(由上一级代办)。", "Name a superior, or nobody: then the next one does.");
static NOT_AWAY: Message = message("not_away")
    .what("“{0}”没有登记离岗。", "No absence of {0} is entered.")
    .why("没有要结束的代办。", "There is nothing to end.")
    .next("无需办理。", "Nothing needs to be done.");

/// The one record of a seat.
fn preimage(seat: SeatId) -> Preimage {
    Preimage { kind: ABSENCE.name.to_owned(), birth: seat, key: b"absence".to_vec() }
}

fn away(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let seats = planner.world().seats();
    let seat = planner.seat_argument("seat").unwrap_or_else(|| planner.seat());
    let deputy = planner.seat_argument("deputy").or_else(|| seats.upward(seat).nth(1));
    let above = deputy.filter(|deputy| *deputy != seat && seats.is_at_or_above(*deputy, seat));
    let Some(deputy) = above else {
        let named = deputy.unwrap_or(seat);
        return Err(NOT_ABOVE.about(&[seats.name(named).into(), seats.name(seat).into()]));
    };
    let absence = planner.the_only(&KIND, preimage(seat));
    planner.set(absence, &DEPUTY, deputy);
    let until = planner.text_or_today("until");
    planner.set(absence, &UNTIL, until);
    Ok(())
}

fn back(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let seat = planner.seat_argument("seat").unwrap_or_else(|| planner.seat());
    let absence = planner.world().record(preimage(seat).id());
    let Some(absence) = absence.filter(|absence| UNTIL.has_value(&absence.history)) else {
        return Err(NOT_AWAY.about(&[planner.world().seats().name(seat).into()]));
    };
    planner.clear(absence.id, &UNTIL);
    Ok(())
}

/// Who stands in for a seat on a day. Where two tiers wrote apart, as long as both say so.
fn deputy_of(world: &dyn World, seat: SeatId, day: &str) -> Option<SeatId> {
    let history = &world.record(preimage(seat).id())?.history;
    let deputies = DEPUTY.visible(history);
    let deputy = deputies.first()?.value.as_seat()?;
    let is_one = deputies.iter().all(|at| at.value.as_seat() == Some(deputy));
    let untils = UNTIL.visible(history);
    let lasts = !untils.is_empty() && untils.iter().all(|at| at.value.as_text().is_some_and(|last| day <= last));
    (is_one && lasts).then_some(deputy)
}
