//! Resources and bookings: offered and withdrawn by their owner, asked for by others, confirmed by the owner alone.

use crate::commands::org::live;
use crate::kinds::org::ORG;
use crate::kinds::resource::{Booking, KIND, Resource, SORTS};
use crate::kinds::word;
use heliu_record::change::{Container, Scalar};
use heliu_record::command::Planner;
use heliu_record::command::RecordWrite;
use heliu_record::command::Refusal;
use heliu_record::command::WriteValue;
use heliu_record::command::{Argument, Command, Makes, Subject};
use heliu_record::kind::{ValueType, label};
use heliu_record::view::Record;

const BOOKING: Argument = Argument::optional(
    "booking",
    ValueType::Text(64),
    label("预约编号或序号,唯一时可省", "the booking, or its number; not needed if there is one"),
);
/// Shorter beginnings of ids are mistaken too easily.
const ID_DIGITS_MIN: usize = 8;
/// Of more open bookings only the first are listed.
const LISTED: usize = 20;

pub static COMMANDS: &[Command] = &[
    Command {
        name: "resource.offer",
        label: label("提供资源", "offer a resource"),
        help: label("登记一项可共享的资源", "registers a hall or the like that can be shared"),
        subject: Subject::None,
        makes: Makes::Kind(word::RESOURCE),
        arguments: &[
            Argument::required("name", ValueType::Text(80), label("名称", "its name")),
            Argument::required("owner_org", ORG, label("所属组织", "whose it is")),
            Argument::optional("resource_kind", SORTS, label("类型", "its kind")),
            Argument::optional("capacity", ValueType::Int, label("可容纳人数", "how many people it holds")),
            Argument::optional("open_hours", ValueType::Text(120), label("开放时间", "when it can be used")),
        ],
        takes_fields: false,
        run: offer,
    },
    Command {
        name: "resource.withdraw",
        label: label("收回资源", "withdraw a resource"),
        help: label("不再共享;已有预约由所有者处置", "no longer shared; open bookings are for its owner to settle"),
        subject: Subject::Of(word::RESOURCE),
        makes: Makes::Nothing,
        arguments: &[],
        takes_fields: false,
        run: withdraw,
    },
    Command {
        name: "booking.request",
        label: label("申请预约", "ask for a booking"),
        help: label("向所有者申请使用", "asks the owner for its use"),
        subject: Subject::Of(word::RESOURCE),
        makes: Makes::Nothing,
        arguments: &[
            Argument::required("org", ORG, label("申请组织", "the organisation that asks")),
            Argument::optional("alliance", ValueType::Record(word::ALLIANCE), label("所属联盟", "the alliance")),
            Argument::optional("use_on", ValueType::Date, label("使用日期", "the day of use")),
        ],
        takes_fields: false,
        run: request,
    },
    Command {
        name: "booking.confirm",
        label: label("确认预约", "confirm a booking"),
        help: label("只有所有者可以确认;同日不可重复确认", "only the owner may; never two on one day"),
        subject: Subject::Of(word::RESOURCE),
        makes: Makes::Nothing,
        arguments: &[BOOKING],
        takes_fields: false,
        run: confirm,
    },
    Command {
        name: "booking.decline",
        label: label("谢绝预约", "decline a booking"),
        help: label("由所有者谢绝", "by the owner"),
        subject: Subject::Of(word::RESOURCE),
        makes: Makes::Nothing,
        arguments: &[BOOKING, Argument::optional("cause", ValueType::Text(200), label("原因", "the cause"))],
        takes_fields: false,
        run: decline,
    },
];

fn offer(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let org = live(planner, planner.need_record("owner_org")?)?;
    let owner = planner.owner_of(org);
    let resource = planner.create(&KIND, owner);
    for name in ["name", "owner_org", "resource_kind", "capacity", "open_hours"] {
        planner.put_argument(resource, &KIND, name);
    }
    Ok(())
}

fn withdraw(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let record = planner.subject()?.id;
    let today = planner.today();
    planner.put(record, Container::Lww, "withdrawn", today);
    Ok(())
}

fn request(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (record, resource) = subject(planner)?;
    if resource.withdrawn.is_some() {
        return Err(withdrawn(record));
    }
    let org = live(planner, planner.need_record("org")?)?;
    let seat = planner.owner_of(org);
    let alliance = planner.record_argument("alliance");
    let use_on = planner.text("use_on");
    let today = planner.today();
    let entry = planner.entry_of(seat);
    let mut part =
        |name: &str, value: Scalar| planner.put(record.id, Container::Slot, format!("bookings/{entry}/{name}"), value);
    part("for_seat", Scalar::Bytes(seat.0.to_vec()));
    part("for_org", Scalar::Bytes(org.id.0.to_vec()));
    part("requested_on", today);
    if let Some(alliance) = alliance {
        part("alliance", Scalar::Bytes(alliance.0.to_vec()));
    }
    if let Some(use_on) = use_on {
        part("use_on", Scalar::from(use_on));
    }
    Ok(())
}

fn confirm(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (record, resource) = subject(planner)?;
    let booking =
        open_booking(planner, record, resource, |b| b.is_open() && (!b.confirmed || resource.withdrawn.is_some()))?;
    let today = planner.today();
    planner.put(record.id, Container::Slot, format!("bookings/{}/confirmed", booking.entry), today);
    Ok(())
}

fn decline(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (record, resource) = subject(planner)?;
    let booking = open_booking(planner, record, resource, Booking::is_open)?;
    let cause = planner.text("cause").unwrap_or("declined");
    planner.put(record.id, Container::Slot, format!("bookings/{}/declined", booking.entry), Scalar::from(cause));
    Ok(())
}

fn subject<'a>(planner: &Planner<'a>) -> Result<(&'a Record, &'a Resource), Refusal> {
    let record = planner.subject()?;
    let resource = record.read_as::<Resource>().ok_or_else(|| Refusal::wrong_kind(record, word::RESOURCE))?;
    Ok((record, resource))
}

/// The booking that is meant: by its id or a beginning of that, by its number among those that are open, or the only one.
fn open_booking<'a>(
    planner: &Planner<'a>,
    record: &Record,
    resource: &'a Resource,
    is_due: impl Fn(&Booking) -> bool,
) -> Result<&'a Booking, Refusal> {
    let due: Vec<&Booking> = resource.bookings.iter().filter(|booking| is_due(booking)).collect();
    let Some(named) = planner.text("booking") else {
        return match due[..] {
            [only] => Ok(only),
            _ => Err(which_booking(planner, record, &due, None)),
        };
    };
    // Whoever names one may confirm it once more.
    if let Some(booking) = resource.bookings.iter().find(|b| b.entry == named && b.is_open()) {
        return Ok(booking);
    }
    let numbered = named.parse::<usize>().ok().and_then(|number| due.get(number.checked_sub(1)?).copied());
    let begins = |b: &&&Booking| named.len() >= ID_DIGITS_MIN && own_part(b).starts_with(named);
    let mut begun = due.iter().filter(begins);
    match (numbered, begun.next(), begun.next()) {
        (Some(booking), ..) => Ok(booking),
        (None, Some(booking), None) => Ok(booking),
        _ => Err(which_booking(planner, record, &due, Some(named))),
    }
}

/// Of an entry's name what comes after the seat that asked.
fn own_part(booking: &Booking) -> &str {
    booking.entry.split_once('-').map_or(&booking.entry, |(_, own)| own)
}

fn which_booking(planner: &Planner<'_>, record: &Record, due: &[&Booking], named: Option<&str>) -> Refusal {
    let (title, count) = (record.title(), due.len());
    let what = match named {
        Some(named) => {
            (format!("“{title}”没有未决的预约 {named}。"), format!("{title:?} has no open booking {named}."))
        }
        None if due.is_empty() => (format!("“{title}”没有未决的预约。"), format!("{title:?} has no open booking.")),
        None => ("请写明是哪一个预约。".to_owned(), format!("Which booking of {title:?}?")),
    };
    if due.is_empty() {
        return Refusal::new(
            "no_booking",
            what,
            ("没有人申请,或都已办结。", "Nobody has asked, or all were dealt with."),
            ("无需办理。", "Nothing needs to be done."),
        );
    }
    let seats = planner.world().seats();
    let listed = due.iter().zip(1..).take(LISTED).map(|(booking, number)| {
        let seat = booking.for_seat.map(|seat| seats.name(seat)).unwrap_or_default();
        let day = booking.use_on.as_deref().unwrap_or_default();
        let own: String = own_part(booking).chars().take(ID_DIGITS_MIN).collect();
        format!("{number}. {seat} {day} ({own})")
    });
    let listed = listed.collect::<Vec<_>>().join("; ");
    let zh = format!("未决的有 {count} 个:{listed}。请写 booking=序号。");
    let en = format!("Open: {count}: {listed}. Give booking=NUMBER.");
    let code = if named.is_some() { "no_booking" } else { "which_booking" };
    Refusal::new(
        code,
        what,
        ("不止一个,或写的不是其中之一。", "There are several, or what is given is none of them."),
        (&zh, &en),
    )
}

pub(super) fn withdrawn(record: &Record) -> Refusal {
    Refusal::new(
        "resource_withdrawn",
        (format!("“{}”已收回。", record.title()), format!("{:?} is withdrawn.", record.title())),
        ("所有者不再共享它。", "Its owner no longer shares it."),
        ("请改约其他资源。", "Ask for another resource."),
    )
}

/// Whatever confirms a booking, it can be confirmed.
pub(crate) fn confirmed_once(planner: &Planner<'_>, write: &RecordWrite) -> Result<(), Refusal> {
    let Some(resource) = planner.world().record(write.record) else { return Ok(()) };
    for put in write.writes.iter().filter(|put| put.value != WriteValue::Value(Scalar::Null)) {
        let confirmed = put.key.strip_prefix("bookings/").and_then(|rest| rest.strip_suffix("/confirmed"));
        if let Some(entry) = confirmed {
            check_confirmed(resource, entry)?;
        }
    }
    Ok(())
}

/// What is withdrawn is not confirmed, and nothing is confirmed twice for one day.
fn check_confirmed(record: &Record, entry: &str) -> Result<(), Refusal> {
    let Some(resource) = record.read_as::<Resource>() else { return Ok(()) };
    if resource.withdrawn.is_some() {
        return Err(withdrawn(record));
    }
    let use_on = resource.bookings.iter().find(|b| b.entry == entry).and_then(|b| b.use_on.as_deref());
    let Some(day) = use_on.filter(|day| !day.is_empty()) else { return Ok(()) };
    let mut others = resource.bookings.iter().filter(|b| b.entry != entry && b.confirmed && b.is_open());
    match others.find(|other| other.use_on.as_deref() == Some(day)) {
        Some(other) => Err(Refusal::new(
            "double_confirmation",
            (
                format!("“{}”当日已确认给预约 {}。", record.title(), other.entry),
                format!("{:?} is confirmed for booking {} that day.", record.title(), other.entry),
            ),
            ("同一资源同日不能确认两次。", "A resource is not confirmed twice for one day."),
            ("请谢绝其中一个,或改期。", "Decline one of them, or choose another day."),
        )),
        None => Ok(()),
    }
}
