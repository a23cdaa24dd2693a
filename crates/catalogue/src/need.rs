//! 需求: what an organisation looks for; others answer, each for itself, and only the one that asked accepts.

use heliu_record::prelude::*;

use crate::org::{found, live};
use crate::resource::SORTS;
use crate::words::{ALLIANCE, NEED, ORG, RESOURCE};

const ANSWERER: Writer = Writer::Party("by_seat");

static NAME: FieldOf<String> =
    mv("name", name(80), "需求", "need").help("需要什么", "what is looked for").required().sought();
static ASKER: FieldOf<RecordId> =
    mv("owner_org", ORG, "提出组织", "organisation").help("谁提出的", "who looks for it").required().listed();
static SORT: FieldOf<String> = mv("resource_kind", SORTS, "类型", "sort")
    .help("会场、师资、服务等", "a hall, a teacher, a service and so on")
    .listed();
static DETAILS: FieldOf<String> =
    lww("details", text(500), "说明", "details").help("数量、时间、要求", "how much, when, what for");
static WANTED_ON: FieldOf<String> =
    mv("wanted_on", DATE, "需要日期", "wanted on").help("何时需要", "the day for which it is wanted").listed();
static WITHIN: FieldOf<RecordId> = mv("alliance", record(ALLIANCE), "所属联盟", "alliance")
    .help("向哪个联盟提出", "the alliance in which it is raised");
static CLOSED: FieldOf<String> =
    mv("closed", PAST, "结束日期", "closed").help("已满足或不再需要", "met, or not needed any more").listed();
static ANSWERS: EntriesOf = entries(ANSWER, PARTS, ORG, ANSWERER, "应答", "answers")
    .help("各组织应答,提出者接受", "others answer, who raised it accepts")
    .called(word("answer", "应答", "answer"), "need.answer")
    .asked_for("应答(唯一时可省)", "the answer, or its number; not needed if there is one")
    .told_by(parts![BY_SEAT])
    .states(&[
        led_by(&OFFERED.part, &[], "offered", "待接受", "offered"),
        led_by(&ACCEPTED.part, OPEN, "accepted", "已接受", "accepted")
            .never_while(|at| CLOSED.has_value(at.history), &IS_CLOSED),
        led_by(&DECLINED.part, OPEN, "declined", "已谢绝", "declined").over(),
        led_by(&MET.part, &["accepted"], "met", "已满足", "met").over(),
        led_by(&TAKEN_BACK.part, OPEN, "withdrawn", "已撤回", "withdrawn").over(),
    ])
    .waits_for(&BY_SEAT);

const ANSWER: &str = "answers";
const OPEN: &[&str] = &["offered", "accepted"];
const NO_CAUSE: Word = word("declined", "未写明", "no cause given");
static BY_SEAT: PartOf<SeatId> = part(ANSWER, "by_seat", SEAT, ANSWERER, "应答席位", "by seat");
static BY_ORG: PartOf<RecordId> = part(ANSWER, "by_org", ORG, ANSWERER, "应答组织", "by organisation");
static WITH: PartOf<RecordId> = part(ANSWER, "resource", record(RESOURCE), ANSWERER, "提供的资源", "resource");
static NOTE: PartOf<String> = part(ANSWER, "note", text(200), ANSWERER, "说明", "note");
static OFFERED: PartOf<String> = part(ANSWER, "offered_on", PAST, ANSWERER, "应答日期", "offered on");
static TAKEN_BACK: PartOf<String> = part(ANSWER, "withdrawn", PAST, ANSWERER, "撤回日期", "withdrawn");
static ACCEPTED: PartOf<String> = part(ANSWER, "accepted", PAST, OWNER, "接受日期", "accepted");
static DECLINED: PartOf<String> = part(ANSWER, "declined", text(200), OWNER, "谢绝原因", "declined").says(&[NO_CAUSE]);
static MET: PartOf<String> = part(ANSWER, "met", PAST, OWNER, "满足日期", "met");
static PARTS: &[&Part] = parts![BY_SEAT, BY_ORG, WITH, NOTE, OFFERED, ACCEPTED, DECLINED, MET, TAKEN_BACK];

static KIND: Kind =
    Kind::scoped(NEED, 1, "群众和组织的需求,供成员单位应答", "what an organisation looks for, for others to answer")
        .with(fields![NAME, ASKER, SORT, DETAILS, WANTED_ON, WITHIN, CLOSED, ANSWERS]);
pub static SECTION: Section = section(&[&KIND], COMMANDS, &[], &[], &[&IS_CLOSED]);

static COMMANDS: &[Command] = &[
    makes(NEED, "need.raise", "提出需求", "raise a need", raise)
        .help("向联盟或各席位提出需求", "in an alliance, or to seats")
        .takes(&[
            required_field(&NAME.field, "需求", "what is looked for"),
            required_field(&ASKER.field, "提出组织", "who looks for it"),
            optional_field(&WITHIN.field, "所属联盟", "the alliance in which it is raised"),
            optional("seats", SEAT, "告知的席位", "seats that are to see it").many(),
            optional_field(&SORT.field, "类型", "what sort of thing"),
            optional_field(&WANTED_ON.field, "需要日期", "the day for which it is wanted"),
            optional_field(&DETAILS.field, "说明", "how much, when, what for"),
        ]),
    about(NEED, "need.answer", "应答需求", "answer a need", answer)
        .help("以自己组织的名义应答,可写明资源", "for one's own organisation, perhaps with a resource")
        .takes(&[
            required("org", ORG, "应答组织", "the organisation that answers"),
            optional("resource", record(RESOURCE), "提供的资源", "the resource that it offers"),
            optional("note", text(200), "说明", "a note"),
        ]),
    about(NEED, "need.accept", "接受应答", "accept an answer", |p| p.lead(&ACCEPTED, p.today()))
        .help("由提出者接受", "by who raised it")
        .takes(&[entry_of(&ANSWERS.field)]),
    about(NEED, "need.decline", "谢绝应答", "decline an answer", |p| {
        p.lead(&DECLINED, p.text("cause").unwrap_or(NO_CAUSE.name))
    })
    .help("由提出者谢绝", "by who raised it")
    .takes(&[entry_of(&ANSWERS.field), optional("cause", text(200), "原因", "the cause")]),
    about(NEED, "need.withdraw_answer", "撤回应答", "take an answer back", |p| p.lead(&TAKEN_BACK, p.today()))
        .help("由应答者撤回", "by who answered")
        .takes(&[entry_of(&ANSWERS.field)]),
    about(NEED, "need.meet", "登记满足", "note that it was met", |p| p.lead(&MET, p.text_or_today("met_on")))
        .help("由提出者登记", "by who raised it")
        .takes(&[entry_of(&ANSWERS.field), optional("met_on", PAST, "满足日期,默认今日", "when (default: today)")]),
    about(NEED, "need.close", "结束需求", "close a need", |p| p.set_today(&CLOSED))
        .help("已满足或不再需要", "it was met, or is not needed any more")
        .ends("不再接受应答", "no answer is accepted any more"),
];
static IS_CLOSED: Message = message("need_closed")
    .what("“{0}”已结束。", "{0:?} is closed.")
    .why("结束后不再应答或接受。", "Nothing is answered or accepted then.")
    .next("仍需要的,请另行提出。", "If it is still wanted, raise it anew.");

fn raise(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let need = found(planner, &KIND, ASKER.field.name)?;
    let alliance = planner.record_argument(WITHIN.field.name);
    let alliance = alliance.map(|alliance| planner.load_kind(alliance, ALLIANCE)).transpose()?;
    let seats: Vec<SeatId> = alliance.into_iter().flat_map(|alliance| alliance.view.named()).collect();
    for seat in seats.into_iter().chain(planner.seats_argument("seats")) {
        planner.add_participant(need, seat);
    }
    Ok(())
}

fn answer(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let need = planner.subject()?;
    if CLOSED.has_value(&need.history) {
        return Err(IS_CLOSED.about(&[need.title().into()]));
    }
    let org = live(planner, planner.need_record("org")?)?;
    let (seat, today) = (planner.owner_of(org), planner.today());
    let entry = planner.entry_of(seat);
    planner.put_parts(need.id, &entry, [BY_SEAT.with(seat), BY_ORG.with(org.id), OFFERED.with(today)]);
    planner.fill_parts(need.id, &entry, parts![WITH, NOTE]);
    Ok(())
}
