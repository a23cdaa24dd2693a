//! 兼职委员: who leads a unit sits with the host's committee for a term. The host nominates, the county approves, and nothing is written in
//! anybody's record. An entry stands in the alliance and not with the host, since a view is of its own record: there alone it is
//! said whether the unit has left, and so every node finds the seat lapsing, whoever approved it meanwhile.
//! PART_TIME_UNIT_ENDED: the unit itself is no more.

use heliu_record::prelude::*;

use super::participants::{has_left, takes_part};
use crate::org::{Org, live};
use crate::words::{ALLIANCE, ORG};

const HOST: Writer = Writer::Party("host_seat");

pub(super) static PART_TIME: EntriesOf = entries(PART_TIMER, PARTS, ORG, HOST, "兼职委员", "part-time members")
    .help(
        "接收组织提名,县级批准;不改变组织关系",
        "the host nominates, the county approves; their affiliation does not change",
    )
    .called(word("part_time_member", "兼职委员", "part-time member"), "part_time.nominate")
    .asked_for("兼职委员(唯一时可省)", "the part-time member; not needed if there is one")
    .told_by(parts![PERSON])
    .states(&[
        led_by(&NOMINATED_ON.part, &[], "nominated", "已提名", "nominated"),
        led_by(&APPROVED_ON.part, &["nominated"], "active", "有效", "active").never_while(unit_has_left, &UNIT_LEFT),
        led_by(&ENDED_ON.part, &["nominated", "active", "lapsing"], "ended", "已卸任", "ended").over(),
        follows("lapsing", "所在单位已退出", "unit has left").instead_of("active", unit_has_left),
    ]);

const PART_TIMER: &str = "part_time";
static HOST_SEAT: PartOf<SeatId> = part(PART_TIMER, "host_seat", SEAT, HOST, "接收席位", "host seat");
static HOST_ORG: PartOf<RecordId> = part(PART_TIMER, "host", ORG, HOST, "接收组织", "host");
static PERSON: PartOf<String> = part(PART_TIMER, "person", name(40), HOST, "人员", "person");
static FROM_UNIT: PartOf<RecordId> = part(PART_TIMER, "from_unit", ORG, HOST, "所在单位", "from unit");
static TERM: PartOf<String> = part(PART_TIMER, "term", text(40), HOST, "任期", "term");
static NOMINATED_ON: PartOf<String> = part(PART_TIMER, "nominated_on", PAST, HOST, "提名日期", "nominated on");
static APPROVED_ON: PartOf<String> =
    part(PART_TIMER, "approved_on", PAST, Writer::AtLeast(Tier::County), "批准日期", "approved on");
static ENDED_ON: PartOf<String> = part(PART_TIMER, "ended_on", PAST, HOST, "卸任日期", "ended on");
static PARTS: &[&Part] = parts![HOST_SEAT, HOST_ORG, PERSON, FROM_UNIT, TERM, NOMINATED_ON, APPROVED_ON, ENDED_ON];

fn unit_has_left(at: &Entry<'_>) -> bool {
    at.get(&FROM_UNIT).is_some_and(|unit| has_left(at.history, unit))
}

pub(super) static COMMANDS: &[Command] = &[
    about(ALLIANCE, "part_time.nominate", "提名兼职委员", "nominate a part-time member", nominate)
        .help(
            "由接收组织提名成员单位的人员;组织关系不变",
            "the host nominates somebody of a participant; his home stays",
        )
        .takes(&[
            required("host", ORG, "接收组织", "the organisation that takes him in"),
            required("person", name(40), "人员", "the person's name"),
            required("from_unit", ORG, "所在单位", "the participant that he comes from"),
            optional("term", text(40), "任期", "for how long"),
        ]),
    about(ALLIANCE, "part_time.approve", "批准兼职委员", "approve a part-time member", |p| {
        p.lead(&APPROVED_ON, p.text_or_today("approved_on"))
    })
    .help("由县级批准", "by the county")
    .takes(&[entry_of(&PART_TIME.field), optional("approved_on", PAST, "批准日期,默认今日", "when (default: today)")]),
    about(ALLIANCE, "part_time.end", "兼职委员卸任", "end a part-time membership", |p| {
        p.lead(&ENDED_ON, p.text_or_today("ended_on"))
    })
    .help("任期届满或所在单位退出后,由接收组织办理", "by the host, at the end of the term or when the unit has left")
    .takes(&[entry_of(&PART_TIME.field), optional("ended_on", PAST, "卸任日期,默认今日", "when (default: today)")]),
];
pub(super) static UNIT_LEFT: Message = message("unit_left")
    .what(
        "“{0}”的这一兼职委员所在单位已退出,不能批准。",
        "The unit of this part-time member of {0:?} has left: he is not approved.",
    )
    .why("兼职委员须来自现有成员单位。", "A part-time member comes from a unit that takes part.")
    .next("请由接收组织用 part_time.end 了结。", "Have the host end it: part_time.end.");
pub(super) static NOT_IN: Message = message("not_participant")
    .what("“{1}”不在“{0}”中。", "{1:?} is not in {0:?}.")
    .why("接收组织和所在单位都须是现有成员单位。", "The host and the unit that he comes from both take part.")
    .next("请先由其加入,或核对是哪个组织。", "Have it join first, or check which organisation it is.");

fn nominate(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let alliance = planner.subject()?;
    let (host, unit) = (planner.need_record("host")?, planner.need_record("from_unit")?);
    for org in [host, unit] {
        if !takes_part(&alliance.history, org) {
            return Err(NOT_IN.about(&[alliance.title().into(), title(org, planner.world())]));
        }
    }
    let seat = planner.owner_of(live(planner, host)?);
    let entry = planner.entry_of(seat);
    planner.put_parts(alliance.id, &entry, [HOST_SEAT.with(seat), HOST_ORG.with(host), FROM_UNIT.with(unit)]);
    planner.put_parts(alliance.id, &entry, [NOMINATED_ON.with(planner.today())]);
    planner.fill_parts(alliance.id, &entry, parts![PERSON, TERM]);
    Ok(())
}

const UNIT_ENDED: Word = word("PART_TIME_UNIT_ENDED", "兼职委员所在单位已终结", "a part-time member's unit has ended");
const END: Word = word("end", "卸任", "end it");
const KEEP: Word = word("keep", "照旧", "let it go on");
pub(super) const RULE: Rule = rule(ALLIANCE, &[UNIT_ENDED], find).help(
    "兼职委员所在单位已撤销、并入或终止;由接收组织决定卸任或照旧",
    "the unit that a part-time member comes from has ended; the host ends it or lets it go on",
);
pub(super) const SETTLER: Settler = settler(UNIT_ENDED.name, settle).choices(&[END, KEEP]);

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let stands = PART_TIME.of(record).filter(|(_, state)| *state == "active");
    let finding = |(at, _): (Entry<'w>, _)| {
        let unit = at.get(&FROM_UNIT)?;
        let ending = Org::find(unit, world)?.ending()?;
        let ops: Vec<OpId> = at.ops(&APPROVED_ON).collect();
        let finding = Finding::advisory(&UNIT_ENDED, record, at.path())
            .between(ConflictValue::each(record, &ops, KEEP.name, world))
            .between(ConflictValue::each(record, &at.ops(&FROM_UNIT).collect::<Vec<_>>(), END.name, world))
            .also(ending.decision)
            .meanwhile("lapsing")
            .settled_by(at.get(&HOST_SEAT).or(record.view.owners.first().copied()))
            .naming([unit])
            .says(
                "“{0}”的兼职委员 {1} 所在的“{2}”已终结。",
                "The unit of {1}, a part-time member in {0:?}, has ended: {2:?}.",
                &[record.title().into(), PART_TIME.told(&at, world.seats()), title(unit, world)],
            );
        Some(finding)
    };
    stands.filter_map(finding).collect()
}

fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let Some(entry) = PART_TIME.entry_at(&conflict.field) else { return Ok(()) };
    let ended = if chosen.choice() == END.name { ENDED_ON.with(planner.today()) } else { ENDED_ON.cleared() };
    planner.put_parts(conflict.subject, entry, [ended]);
    Ok(())
}
