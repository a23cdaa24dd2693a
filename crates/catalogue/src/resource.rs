//! 资源: a hall or the like that its owner shares; others ask for it in bookings, and only the owner confirms.
//! WITHDRAWN_RESOURCE_BOOKED: somebody counts on one that its owner withdrew, or whose owner left the alliance.
//! DOUBLE_CONFIRMATION: two nodes of the owner, neither knowing of the other, each confirmed a booking for one day.

use std::collections::BTreeMap;

use heliu_record::prelude::*;

use crate::alliance::has_left;
use crate::org::{found, live};
use crate::words::{ALLIANCE, ORG, RESOURCE};

const ASKER: Writer = Writer::Party("for_seat");
pub const SORTS: ValueType = ValueType::Choice(&[
    word("hall", "会场", "hall"),
    word("room", "房间", "room"),
    word("ground", "场地", "ground"),
    word("equipment", "设备", "equipment"),
    word("teacher", "师资", "teacher"),
    word("service", "服务", "service"),
]);

static NAME: FieldOf<String> =
    mv("name", name(80), "名称", "name").help("名称", "what it is called").required().sought();
static OWNER_ORG: FieldOf<RecordId> =
    mv("owner_org", ORG, "所属组织", "owning organisation").help("谁的资源", "whose it is").required().listed();
static SORT: FieldOf<String> = mv("resource_kind", SORTS, "类型", "sort")
    .help("会场、房间、场地、设备、师资、服务", "what sort of thing it is")
    .listed();
static CAPACITY: FieldOf<i64> =
    mv("capacity", COUNT, "容量", "capacity").help("可容纳人数", "how many people it holds");
static OPEN_HOURS: FieldOf<String> =
    lww("open_hours", text(120), "开放时间", "open hours").help("何时可用", "when it can be used");
pub static WITHDRAWN: FieldOf<String> =
    mv("withdrawn", PAST, "收回日期", "withdrawn").help("不再共享的日期", "since when it is no longer shared");
static BOOKINGS: EntriesOf = entries(BOOKING, PARTS, ORG, ASKER, "预约", "bookings")
    .help("他人申请,所有者确认", "others ask, the owner confirms")
    .called(word("booking", "预约", "booking"), "booking.request")
    .asked_for("预约编号或序号,唯一时可省", "the booking, or its number; not needed if there is one")
    .told_by(parts![FOR_SEAT, USE_ON])
    .states(STATES)
    .waits_for(&FOR_SEAT);

/// What people read for a sort of resource.
#[must_use]
pub fn sort_label(sort: &str) -> Option<Label> {
    let ValueType::Choice(words) = SORTS else { return None };
    words.iter().find(|word| word.name == sort).map(|word| word.label)
}

const BOOKING: &str = "bookings";
const NO_CAUSE: Word = word("declined", "未写明", "no cause given");
const OTHER_KEPT: Word = word("other_kept", "当日已确认给其他单位", "that day is another's");
const OWNER_LEFT: Word = word("owner_left", "所有者已收回", "withdrawn by its owner");
static FOR_SEAT: PartOf<SeatId> = part(BOOKING, "for_seat", SEAT, ASKER, "申请席位", "for seat");
static FOR_ORG: PartOf<RecordId> = part(BOOKING, "for_org", ORG, ASKER, "申请组织", "for organisation");
static WITHIN: PartOf<RecordId> = part(BOOKING, "alliance", record(ALLIANCE), ASKER, "所属联盟", "alliance");
static ASKED: PartOf<String> = part(BOOKING, "requested_on", PAST, ASKER, "申请日期", "requested on");
static USE_ON: PartOf<String> = part(BOOKING, "use_on", DATE, ASKER, "使用日期", "use on");
static CONFIRMED: PartOf<String> = part(BOOKING, "confirmed", PAST, OWNER, "确认日期", "confirmed");
static DECLINED: PartOf<String> =
    part(BOOKING, "declined", text(200), OWNER, "谢绝原因", "declined").says(&[NO_CAUSE, OWNER_LEFT, OTHER_KEPT]);
static USED: PartOf<String> = part(BOOKING, "used", PAST, OWNER, "已使用", "used");
static TAKEN_BACK: PartOf<String> = part(BOOKING, "withdrawn", PAST, ASKER, "撤销日期", "withdrawn");
static PARTS: &[&Part] = parts![FOR_SEAT, FOR_ORG, WITHIN, ASKED, USE_ON, CONFIRMED, DECLINED, TAKEN_BACK, USED];
static STATES: &[EntryState] = &[
    led_by(&ASKED.part, &[], "requested", "待确认", "requested"),
    led_by(&CONFIRMED.part, OPEN, "confirmed", "已确认", "confirmed")
        .never_while(|at| WITHDRAWN.has_value(at.history), &NOT_CONFIRMED)
        .once_for(&USE_ON.part, &TWICE),
    led_by(&DECLINED.part, OPEN, "declined", "已谢绝", "declined").over(),
    // Who does not need it any more has the last word, whatever the owner says meanwhile.
    led_by(&TAKEN_BACK.part, OPEN, "withdrawn", "已撤销", "withdrawn").over(),
    led_by(&USED.part, &["confirmed", "needs_owner_reconfirm"], "used", "已使用", "used").over(),
    follows("needs_owner_reconfirm", "待所有者重新确认", "needs the owner's confirmation again")
        // Who confirmed it with the withdrawal before his eyes keeps it.
        .instead_of("confirmed", |at| WITHDRAWN.has_value(at.history) && !at.is_set_knowing(&CONFIRMED, &WITHDRAWN)),
    follows("owner_left", "所有者已收回", "withdrawn by its owner")
        .instead_of("requested", |at| WITHDRAWN.has_value(at.history)),
];
const OPEN: &[&str] = &["requested", "confirmed", "needs_owner_reconfirm", "owner_left"];

static KIND: Kind =
    Kind::scoped(RESOURCE, 1, "会场、活动室等可共享的资源", "a hall, a room or the like that can be shared")
        .with(fields![NAME, OWNER_ORG, SORT, CAPACITY, OPEN_HOURS, WITHDRAWN, BOOKINGS]);
pub static SECTION: Section =
    section(&[&KIND], COMMANDS, &[RULE, DOUBLE_RULE], &[SETTLER, DOUBLE_SETTLER], &[&GONE, &NOT_CONFIRMED, &TWICE]);

static COMMANDS: &[Command] = &[
    makes(RESOURCE, "resource.offer", "提供资源", "offer a resource", |p| found(p, &KIND, "owner_org").map(drop))
        .help("登记一项可共享的资源", "registers a hall or the like that can be shared")
        .takes(&[
            required_field(&NAME.field, "名称", "its name"),
            required_field(&OWNER_ORG.field, "所属组织", "whose it is"),
            optional_field(&SORT.field, "类型", "its kind"),
            optional_field(&CAPACITY.field, "可容纳人数", "how many people it holds"),
            optional_field(&OPEN_HOURS.field, "开放时间", "when it can be used"),
        ]),
    about(RESOURCE, "resource.withdraw", "收回资源", "withdraw a resource", |p| p.set_today(&WITHDRAWN))
        .help("不再共享;已有预约由所有者处置", "no longer shared; open bookings are for its owner to settle")
        .ends(
            "不能再申请或确认;未办结的预约由所有者逐一处置",
            "nothing more is booked; its owner settles each booking",
        ),
    about(RESOURCE, "booking.request", "申请预约", "ask for a booking", request)
        .help("向所有者申请使用", "asks the owner for its use")
        .takes(&[
            required("org", ORG, "申请组织", "the organisation that asks"),
            optional("alliance", record(ALLIANCE), "所属联盟", "the alliance"),
            optional("use_on", DATE, "使用日期", "the day of use"),
        ]),
    about(RESOURCE, "booking.confirm", "确认预约", "confirm a booking", |p| p.lead(&CONFIRMED, p.today()))
        .help("只有所有者可以确认;同日不可重复确认", "only the owner may; never two on one day")
        .takes(&[entry_of(&BOOKINGS.field)]),
    about(RESOURCE, "booking.decline", "谢绝预约", "decline a booking", |p| {
        p.lead(&DECLINED, p.text("cause").unwrap_or(NO_CAUSE.name))
    })
    .help("由所有者谢绝", "by the owner")
    .takes(&[entry_of(&BOOKINGS.field), optional("cause", text(200), "原因", "the cause")]),
    about(RESOURCE, "booking.withdraw", "撤销预约", "withdraw a booking", |p| p.lead(&TAKEN_BACK, p.today()))
        .help("由申请者撤销,不再使用", "by who asked for it, and needs it no more")
        .takes(&[entry_of(&BOOKINGS.field)]),
    about(RESOURCE, "booking.use", "登记使用", "note that it was used", |p| {
        p.lead(&USED, p.text_or_today("used_on"))
    })
    .help("由所有者在使用后登记", "by the owner, afterwards")
    .takes(&[entry_of(&BOOKINGS.field), optional("used_on", PAST, "使用日期,默认今日", "when (default: today)")]),
];
static GONE: Message = message("resource_withdrawn")
    .what("“{0}”已收回。", "{0:?} is withdrawn.")
    .why("所有者不再共享它。", "Its owner no longer shares it.")
    .next("请改约其他资源。", "Ask for another resource.");
static NOT_CONFIRMED: Message = message("resource_withdrawn")
    .what("“{0}”已收回,不能再确认预约。", "{0:?} is withdrawn: no booking of it is confirmed.")
    .why("收回后不再共享。", "What is withdrawn is no longer shared.")
    .next("请用 booking.decline 谢绝,或在冲突中选定保留。", "Use booking.decline, or keep it in the conflict.");
static TWICE: Message = message("double_confirmation")
    .what("“{0}”当日已确认给另一预约:{1}({2})。", "{0:?} is confirmed for another booking on that day: {1} ({2}).")
    .why("同一资源同日不能确认两次。", "Nothing is confirmed twice for one day.")
    .next("请谢绝其中一个,或改期。", "Decline one, or choose another day.");

fn request(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let resource = planner.subject()?;
    check_shared(resource)?;
    let org = live(planner, planner.need_record("org")?)?;
    let (seat, today) = (planner.owner_of(org), planner.today());
    let entry = planner.entry_of(seat);
    planner.put_parts(resource.id, &entry, [FOR_SEAT.with(seat), FOR_ORG.with(org.id), ASKED.with(today)]);
    planner.fill_parts(resource.id, &entry, parts![WITHIN, USE_ON]);
    Ok(())
}

fn check_shared(resource: &Record) -> Result<(), Refusal> {
    if WITHDRAWN.has_value(&resource.history) { Err(GONE.about(&[resource.title().into()])) } else { Ok(()) }
}

const BOOKED: Word = word("WITHDRAWN_RESOURCE_BOOKED", "已收回的资源仍有预约", "withdrawn resource booked");
const RULE: Rule = rule(RESOURCE, &[BOOKED], find).help(
    "资源已收回或所有者已退出联盟,但仍有预约;由所有者确认保留或谢绝",
    "the resource was withdrawn or its owner left the alliance, and a booking is open; its owner keeps or declines it",
);
const SETTLER: Settler =
    settler(BOOKED.name, settle).choices(&[word("keep", "保留", "keep"), word("decline", "谢绝", "decline")]);

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let owner = OWNER_ORG.read(&record.history);
    let alliance = |at: &Entry<'_>| at.get(&WITHIN).and_then(|alliance| world.record(alliance));
    let has_left = |at: &Entry<'_>| alliance(at).zip(owner).is_some_and(|(at, owner)| has_left(&at.history, owner));
    let withdrawals = if WITHDRAWN.has_value(&record.history) { WITHDRAWN.ops(&record.history) } else { Vec::new() };
    let over = BOOKINGS.of(record).filter(|(at, state)| match *state {
        "requested" | "confirmed" => withdrawals.is_empty() && has_left(at),
        state => matches!(state, "needs_owner_reconfirm" | "owner_left"),
    });
    let finding = |(at, _): (Entry<'_>, _)| {
        let state = if at.is_set(&CONFIRMED) { "needs_owner_reconfirm" } else { "owner_left" };
        let (asker, ops) = (at.get(&FOR_ORG), at.ops(&CONFIRMED).chain(at.ops(&FOR_SEAT)).collect::<Vec<_>>());
        Finding::advisory(&BOOKED, record, at.path())
            .between(ConflictValue::each(record, &ops, "keep", world))
            .between(ConflictValue::each(record, ops.last(), "decline", world))
            // Withdrawing again is another disagreement.
            .also(withdrawals.iter().copied())
            .meanwhile(state)
            .settled_by(record.view.owners.first().copied())
            .naming(asker)
            .says(
                "“{0}”已不再共享,而“{1}”还有预约({3}):{2}。",
                "{0:?} is no longer shared, and {1:?} has a booking ({3}): {2}.",
                &[record.title().into(), title(asker, world), BOOKINGS.say(state), BOOKINGS.told(&at, world.seats())],
            )
    };
    over.map(finding).collect()
}

/// Either is written. Where only the owner left the alliance, keeping is the settlement itself.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let (subject, entry) = (planner.load(conflict.subject)?, BOOKINGS.entry_at(&conflict.field).unwrap_or_default());
    if chosen.choice() == "decline" {
        planner.put_parts(subject.id, entry, [DECLINED.with(OWNER_LEFT.name)]);
        return Ok(());
    }
    if WITHDRAWN.has_value(&subject.history) {
        planner.put_parts(subject.id, entry, [CONFIRMED.with(planner.today())]);
    }
    takes_back(planner, subject, entry);
    Ok(())
}

const DOUBLE: Word = word("DOUBLE_CONFIRMATION", "同日重复确认", "confirmed twice for one day");

const DOUBLE_RULE: Rule = rule(RESOURCE, &[DOUBLE], find_double).help(
    "所有者的两处互不知情地确认了同一日的两个预约;由所有者选定保留哪一个",
    "two nodes of the owner each confirmed a booking for one day; the owner chooses the one to keep",
);
const DOUBLE_SETTLER: Settler = settler(DOUBLE.name, settle_double);

fn find_double<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let mut by_day: BTreeMap<String, Vec<Entry<'w>>> = BTreeMap::new();
    for (at, _) in BOOKINGS.of(record).filter(|(_, state)| *state == "confirmed") {
        if let Some(day) = at.get(&USE_ON) {
            by_day.entry(day).or_default().push(at);
        }
    }
    let finding = |(day, bookings): (String, Vec<Entry<'w>>)| {
        let asker = |at: &Entry<'_>| title(at.get(&FOR_ORG), world);
        let values = bookings.iter().flat_map(|at| {
            let told = format!("{} ({})", asker(at).zh, at.short());
            at.ops(&CONFIRMED).map(move |op| ConflictValue::of(record, op, Some(told.clone().into()), world))
        });
        Finding::hard(&DOUBLE, record, BOOKINGS.field.name)
            .between(values)
            .settled_by(record.view.owners.first().copied())
            .naming(bookings.iter().filter_map(|at| at.get(&FOR_ORG)))
            .says(
                "“{0}”{1} 确认给了几个预约:{2}。请选定保留哪一个。",
                "{0:?} is confirmed for several bookings on {1}: {2}. Choose the one to keep.",
                &[record.title().into(), (&*day).into(), listed(bookings.iter().map(asker))],
            )
    };
    by_day.into_iter().filter(|(_, bookings)| bookings.len() > 1).map(finding).collect()
}

/// The chosen booking is kept, and the others of that day are declined.
fn settle_double(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let subject = planner.load(conflict.subject)?;
    let confirmed = |at: &Entry<'_>, value: &ConflictValue| at.ops(&CONFIRMED).any(|op| op == value.op_id());
    for at in BOOKINGS.read(&subject.history) {
        let is_one = conflict.values.iter().any(|value| confirmed(&at, value));
        if is_one && !confirmed(&at, chosen) {
            planner.put_parts(subject.id, at.name, [DECLINED.with(OTHER_KEPT.name)]);
        } else if is_one {
            takes_back(planner, subject, at.name);
        }
    }
    Ok(())
}

/// Who chose otherwise before had it declined.
fn takes_back(planner: &mut Planner<'_>, resource: &Record, entry: &str) {
    if BOOKINGS.find(&resource.history, entry).is_some_and(|at| at.is_set(&DECLINED)) {
        planner.put_parts(resource.id, entry, [DECLINED.cleared()]);
    }
}
