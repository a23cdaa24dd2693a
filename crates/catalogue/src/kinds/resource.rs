//! 资源: a hall or the like that its owner shares; others ask for it in bookings, and only the owner confirms.

use std::sync::Arc;

use heliu_record::change::{Container, OpId, Scalar};
use heliu_record::derived::Derived;
use heliu_record::history::Visible;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::kind::{Class, EntryState, Field, Kind, Merge, Part, ValueType, Writer, label, word};
use heliu_record::value::{record_of, seat_of};
use heliu_record::view::{Folding, object};
use serde_json::{Map, Value};

use crate::commands::resource::confirmed_once;
use crate::kinds::org::ORG;
use crate::kinds::word;

const ASKER: Writer = Writer::Party("for_seat");

/// What it can be.
pub const SORTS: ValueType = ValueType::Choice(&[
    word("hall", "会场", "hall"),
    word("room", "房间", "room"),
    word("ground", "场地", "ground"),
    word("equipment", "设备", "equipment"),
    word("teacher", "师资", "teacher"),
    word("service", "服务", "service"),
]);

pub static KIND: Kind = Kind {
    name: word::RESOURCE.name,
    version: 1,
    class: Class::Scoped,
    label: word::RESOURCE.label,
    help: label("会场、活动室等可共享的资源", "a hall, a room or the like that can be shared"),
    earlier: &[],
    own: &[
        Field::new(
            "name",
            Merge::Mv,
            ValueType::Text(80),
            Writer::Owner,
            label("名称", "name"),
            label("名称", "what it is called"),
        )
        .required(),
        Field::new(
            "owner_org",
            Merge::Mv,
            ORG,
            Writer::Owner,
            label("所属组织", "owner"),
            label("谁的资源", "whose it is"),
        )
        .required(),
        Field::new(
            "resource_kind",
            Merge::Lww,
            SORTS,
            Writer::Owner,
            label("类型", "kind"),
            label("会场、房间、场地、设备、师资、服务", "what sort of thing it is"),
        ),
        Field::new(
            "capacity",
            Merge::Lww,
            ValueType::Int,
            Writer::Owner,
            label("容量", "capacity"),
            label("可容纳人数", "how many people it holds"),
        ),
        Field::new(
            "open_hours",
            Merge::Lww,
            ValueType::Text(120),
            Writer::Owner,
            label("开放时间", "open hours"),
            label("何时可用", "when it can be used"),
        ),
        Field::new(
            "withdrawn",
            Merge::Lww,
            ValueType::Date,
            Writer::Owner,
            label("收回日期", "withdrawn"),
            label("不再共享的日期", "since when it is no longer shared"),
        ),
        Field::new(
            "bookings",
            Merge::Entries(&[
                Part::new("for_seat", ValueType::Seat, ASKER, label("申请席位", "for seat")),
                Part::new("for_org", ORG, ASKER, label("申请组织", "for organisation")),
                Part::new("alliance", ValueType::Record(word::ALLIANCE), ASKER, label("所属联盟", "alliance")),
                Part::new("requested_on", ValueType::Date, ASKER, label("申请日期", "requested on")),
                Part::new("use_on", ValueType::Date, ASKER, label("使用日期", "use on")),
                Part::new("confirmed", ValueType::Date, Writer::Owner, label("确认日期", "confirmed")),
                Part::new("declined", ValueType::Text(200), Writer::Owner, label("谢绝原因", "declined")),
                Part::new("used", ValueType::Date, Writer::Owner, label("已使用", "used")),
            ]),
            ORG,
            ASKER,
            label("预约", "bookings"),
            label("他人申请,所有者确认", "others ask, the owner confirms"),
        )
        .states(BOOKING_STATES),
    ],
    derived: &[],
    hard_rules: &[confirmed_once],
    read,
};

/// As [`Booking::state`] names them.
static BOOKING_STATES: &[EntryState] = &[
    EntryState::by("requested_on", "requested", "待确认", "requested"),
    EntryState::by("confirmed", "confirmed", "已确认", "confirmed").from(&["requested", "confirmed"]),
    EntryState::by("declined", "declined", "已谢绝", "declined").from(&[
        "requested",
        "confirmed",
        "needs_owner_reconfirm",
        "owner_left",
    ]),
    EntryState::by("used", "used", "已使用", "used").from(&["confirmed", "needs_owner_reconfirm"]),
    EntryState::derived("needs_owner_reconfirm", "待所有者重新确认", "needs the owner's confirmation again"),
    EntryState::derived("owner_left", "所有者已收回", "owner has left"),
];

/// What rules read of a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    pub owner_org: Option<RecordId>,
    pub withdrawn: Option<String>,
    /// The puts that say so.
    pub withdrawn_ops: Vec<OpId>,
    pub bookings: Vec<Booking>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booking {
    pub entry: String,
    pub for_seat: Option<SeatId>,
    pub for_org: Option<RecordId>,
    pub alliance: Option<RecordId>,
    pub use_on: Option<String>,
    pub confirmed: bool,
    pub declined: bool,
    pub used: bool,
    /// Confirmed by somebody who knew that the resource is withdrawn.
    pub kept: bool,
    /// The puts of the request and of its confirmation.
    pub ops: Vec<OpId>,
}

impl Booking {
    /// Whether somebody still counts on it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.declined && !self.used
    }

    fn state(&self, withdrawn: bool) -> &'static str {
        match self {
            _ if self.used => "used",
            _ if self.declined => "declined",
            _ if self.confirmed && withdrawn && !self.kept => "needs_owner_reconfirm",
            _ if self.kept => "confirmed",
            _ if withdrawn => "owner_left",
            _ if self.confirmed => "confirmed",
            _ => "requested",
        }
    }
}

impl Resource {}

impl Derived for Resource {
    fn annotate(&self, json: &mut Map<String, Value>) {
        for booking in &self.bookings {
            if let Some(entry) = object(json, "bookings").and_then(|all| object(all, &booking.entry)) {
                entry.insert("state".to_owned(), booking.state(self.withdrawn.is_some()).into());
            }
        }
    }

    fn entry_state(&self, field: &str, entry: &str) -> Option<&'static str> {
        let booking = self.bookings.iter().find(|booking| field == "bookings" && booking.entry == entry)?;
        Some(booking.state(self.withdrawn.is_some()))
    }

    fn waits_for(&self, seat: SeatId) -> bool {
        self.bookings.iter().any(|booking| booking.is_open() && booking.for_seat == Some(seat))
    }
}

fn read(folding: &Folding<'_>) -> Arc<dyn Derived> {
    let history = folding.history;
    let withdrawn = history.visible(Container::Lww, "withdrawn");
    let mut bookings: Vec<Booking> = Vec::new();
    let mut resource = Resource {
        owner_org: history.value(Container::Mv, "owner_org").and_then(record_of),
        withdrawn: withdrawn.last().and_then(|v| v.value.as_text()).map(str::to_owned),
        withdrawn_ops: withdrawn.iter().map(|v| v.id).collect(),
        bookings: Vec::new(),
    };
    for (key, values) in history.under(Container::Slot, "bookings") {
        let Some((entry, part)) = key.split_once('/') else { continue };
        if bookings.last().is_none_or(|b| b.entry != entry) {
            bookings.push(Booking { entry: entry.to_owned(), ..Booking::default() });
        }
        let Some(booking) = bookings.last_mut() else { continue };
        let value = values.last().map_or(&Scalar::Null, |v| &v.value);
        let is_set = values.iter().any(|v| v.value != Scalar::Null);
        match part {
            "for_seat" => booking.for_seat = seat_of(value),
            "for_org" => booking.for_org = record_of(value),
            "alliance" => booking.alliance = record_of(value),
            "use_on" => booking.use_on = value.as_text().map(str::to_owned),
            "confirmed" => {
                booking.confirmed = is_set;
                let knew = |at: &Visible| {
                    let seen = |withdrawal: &OpId| history.has_seen(at.id, *withdrawal);
                    at.value != Scalar::Null && resource.withdrawn_ops.iter().all(seen)
                };
                booking.kept = resource.withdrawn.is_some() && values.iter().any(knew);
            }
            "declined" => booking.declined = is_set,
            "used" => booking.used = is_set,
            _ => {}
        }
        if matches!(part, "for_seat" | "confirmed") {
            booking.ops.extend(values.iter().map(|v| v.id));
        }
    }
    resource.bookings = bookings;
    Arc::new(resource)
}
