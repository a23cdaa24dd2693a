//! 资源: a hall or the like that its owner shares; others ask for it in bookings, and only the owner confirms.

use heliu_record::prelude::*;

use crate::org::{found, live};
use crate::words::{ALLIANCE, ORG, RESOURCE};

const ASKER: Writer = Writer::Party("for_seat");
const SORTS: ValueType = ValueType::Choice(&[
    word("hall", "会场", "hall"),
    word("room", "房间", "room"),
    word("ground", "场地", "ground"),
    word("equipment", "设备", "equipment"),
    word("teacher", "师资", "teacher"),
    word("service", "服务", "service"),
]);

static NAME: FieldOf<String> = mv("name", text(80), "名称", "name").help("名称", "what it is called").required();
pub static OWNER_ORG: FieldOf<RecordId> =
    mv("owner_org", ORG, "所属组织", "owner").help("谁的资源", "whose it is").required();
static SORT: FieldOf<String> =
    lww("resource_kind", SORTS, "类型", "kind").help("会场、房间、场地、设备、师资、服务", "what sort of thing it is");
static CAPACITY: FieldOf<i64> = lww("capacity", INT, "容量", "capacity").help("可容纳人数", "how many people it holds");
static OPEN_HOURS: FieldOf<String> =
    lww("open_hours", text(120), "开放时间", "open hours").help("何时可用", "when it can be used");
pub static WITHDRAWN: FieldOf<String> =
    lww("withdrawn", DATE, "收回日期", "withdrawn").help("不再共享的日期", "since when it is no longer shared");
pub static BOOKINGS: EntriesOf<Booking> = entries(PARTS, ORG, ASKER, "预约", "bookings")
    .help("他人申请,所有者确认", "others ask, the owner confirms")
    .called(word("booking", "预约", "booking"), "booking.request")
    .told_by(parts![FOR_SEAT, USE_ON])
    .states(STATES)
    .waits_for(&FOR_SEAT);

pub static FOR_SEAT: PartOf<Booking, SeatId> = part("for_seat", SEAT, ASKER, "申请席位", "for seat");
pub static FOR_ORG: PartOf<Booking, RecordId> = part("for_org", ORG, ASKER, "申请组织", "for organisation");
pub static WITHIN: PartOf<Booking, RecordId> = part("alliance", record(ALLIANCE), ASKER, "所属联盟", "alliance");
static ASKED: PartOf<Booking, String> = part("requested_on", DATE, ASKER, "申请日期", "requested on");
static USE_ON: PartOf<Booking, String> = part("use_on", DATE, ASKER, "使用日期", "use on");
pub static CONFIRMED: PartOf<Booking, String> = part("confirmed", DATE, OWNER, "确认日期", "confirmed");
pub static DECLINED: PartOf<Booking, String> = part("declined", text(200), OWNER, "谢绝原因", "declined");
static USED: PartOf<Booking, String> = part("used", DATE, OWNER, "已使用", "used");
static PARTS: &[&Part] = parts![FOR_SEAT, FOR_ORG, WITHIN, ASKED, USE_ON, CONFIRMED, DECLINED, USED];
static STATES: &[EntryState] = &[
    led_by(&ASKED.part, &[], "requested", "待确认", "requested"),
    led_by(&CONFIRMED.part, OPEN, "confirmed", "已确认", "confirmed"),
    led_by(&DECLINED.part, OPEN, "declined", "已谢绝", "declined").over(),
    led_by(&USED.part, &["confirmed", "needs_owner_reconfirm"], "used", "已使用", "used").over(),
    follows("needs_owner_reconfirm", "待所有者重新确认", "needs the owner's confirmation again"),
    follows("owner_left", "所有者已收回", "owner has left"),
];
const OPEN: &[&str] = &["requested", "confirmed", "needs_owner_reconfirm", "owner_left"];

pub enum Booking {}
impl Entry for Booking {
    const FIELD: &'static str = "bookings";

    fn state(_: &dyn Derived, at: &EntryOf<'_, Self>) -> &'static str {
        let is_withdrawn = WITHDRAWN.read(at.history).is_some();
        match at.is_set(&CONFIRMED) {
            _ if at.is_set(&USED) => "used",
            _ if at.is_set(&DECLINED) => "declined",
            // Who confirmed it with the withdrawal before his eyes keeps it.
            true if is_withdrawn && !at.is_set_knowing(&CONFIRMED, &WITHDRAWN.ops(at.history)) => {
                "needs_owner_reconfirm"
            }
            false if is_withdrawn => "owner_left",
            true => "confirmed",
            false => "requested",
        }
    }
}

static KIND: Kind =
    Kind::scoped(RESOURCE, 1, "会场、活动室等可共享的资源", "a hall, a room or the like that can be shared")
        .with(fields![NAME, OWNER_ORG, SORT, CAPACITY, OPEN_HOURS, WITHDRAWN, BOOKINGS]);
pub static SECTION: Section = section(&[&KIND], COMMANDS, &[], &[], &[&GONE, &TWICE]).hard_rules(&[confirmed_once]);

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
    about(RESOURCE, "resource.withdraw", "收回资源", "withdraw a resource", |p| {
        p.set_subject(&WITHDRAWN, p.today())
    })
    .help("不再共享;已有预约由所有者处置", "no longer shared; open bookings are for its owner to settle"),
    about(RESOURCE, "booking.request", "申请预约", "ask for a booking", request)
        .help("向所有者申请使用", "asks the owner for its use")
        .takes(&[
            required("org", ORG, "申请组织", "the organisation that asks"),
            optional("alliance", record(ALLIANCE), "所属联盟", "the alliance"),
            optional("use_on", DATE, "使用日期", "the day of use"),
        ]),
    about(RESOURCE, "booking.confirm", "确认预约", "confirm a booking", |p| {
        p.lead(&BOOKINGS, &CONFIRMED, p.today())
    })
    .help("只有所有者可以确认;同日不可重复确认", "only the owner may; never two on one day")
    .takes(&[BOOKING]),
    about(RESOURCE, "booking.decline", "谢绝预约", "decline a booking", |p| {
        p.lead(&BOOKINGS, &DECLINED, p.text("cause").unwrap_or("declined"))
    })
    .help("由所有者谢绝", "by the owner")
    .takes(&[BOOKING, optional("cause", text(200), "原因", "the cause")]),
];
const BOOKING: Argument = optional(
    "booking",
    text(64),
    "预约编号或序号,唯一时可省",
    "the booking, or its number; not needed if there is one",
);
static GONE: Message = message(
    "resource_withdrawn",
    ["“{0}”已收回。", "所有者不再共享它。", "请改约其他资源。"],
    ["{0:?} is withdrawn.", "Its owner no longer shares it.", "Ask for another resource."],
);
static TWICE: Message = message(
    "double_confirmation",
    ["“{0}”当日已确认给{1}。", "同一资源同日不能确认两次。", "请谢绝其中一个,或改期。"],
    ["{0:?} is confirmed for {1}.", "Nothing is confirmed twice for one day.", "Decline one, or choose another day."],
);

fn request(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let resource = planner.subject()?;
    is_shared(resource)?;
    let org = live(planner, planner.need_record("org")?)?;
    let seat = planner.owner_of(org);
    let entry = planner.entry_of(seat);
    planner.put_part(resource.id, &FOR_SEAT, &entry, seat);
    planner.put_part(resource.id, &FOR_ORG, &entry, org.id);
    planner.put_part(resource.id, &ASKED, &entry, planner.today());
    planner.fill_parts(resource.id, &BOOKINGS, &entry, parts![WITHIN, USE_ON]);
    Ok(())
}

fn is_shared(resource: &Record) -> Result<(), Refusal> {
    WITHDRAWN.read(&resource.history).map_or(Ok(()), |_| Err(GONE.about(&[resource.title().into()])))
}

/// Whatever confirms a booking: what is withdrawn is not confirmed, and nothing is confirmed twice for one day.
fn confirmed_once(planner: &Planner<'_>, write: &RecordWrite) -> Result<(), Refusal> {
    let Some(resource) = planner.world().record(write.record) else { return Ok(()) };
    for entry in write.entries_with(&CONFIRMED) {
        is_shared(resource)?;
        let day = BOOKINGS.of(resource).find(|(at, _)| at.name == entry).and_then(|(at, _)| at.get(&USE_ON));
        let is_same = |at: &EntryOf<'_, Booking>| at.name != entry && day.is_some() && at.get(&USE_ON) == day;
        if let Some((other, _)) = BOOKINGS.of(resource).find(|(at, state)| *state == "confirmed" && is_same(at)) {
            let told = BOOKINGS.told(&other, planner.world().seats());
            return Err(TWICE.about(&[resource.title().into(), told.into()]));
        }
    }
    Ok(())
}
