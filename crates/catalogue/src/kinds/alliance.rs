//! 联盟: organisations of several seats that share resources and people. Each seat writes its own participation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::change::{Container, Scalar};
use heliu_record::derived::Derived;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::kind::DerivedPart;
use heliu_record::kind::{Class, Field, Kind, Merge, Part, ValueType, Writer, label, word};
use heliu_record::scope::is_in;
use heliu_record::value::record_of;
use heliu_record::view::{Folding, object};
use serde_json::{Map, Value};

use crate::kinds::org::ORG;
use crate::kinds::word;

const HOST: Writer = Writer::Party("host_seat");

/// What it can be.
pub const FORMS: ValueType = ValueType::Choice(&[
    word("council", "理事会", "council"),
    word("league", "联盟", "league"),
    word("joint_meeting", "联席会", "joint meeting"),
]);

pub static KIND: Kind = Kind {
    name: word::ALLIANCE.name,
    version: 1,
    class: Class::Scoped,
    label: word::ALLIANCE.label,
    help: label("区域共建理事会、党建联盟、联席会", "a council, league or joint meeting of organisations"),
    earlier: &[],
    own: &[
        Field::new(
            "name",
            Merge::Mv,
            ValueType::Text(80),
            Writer::Owner,
            label("名称", "name"),
            label("全称", "full name"),
        )
        .required(),
        Field::new(
            "alliance_kind",
            Merge::Lww,
            FORMS,
            Writer::Owner,
            label("形式", "kind"),
            label("理事会、联盟、联席会", "council, league or joint meeting"),
        ),
        Field::new(
            "convenor",
            Merge::Mv,
            ORG,
            Writer::Owner,
            label("召集组织", "convenor"),
            label("负责召集的组织", "the organisation that convenes it"),
        ),
        Field::new(
            "participants",
            Merge::Slot(&[
                Part::new("org", ORG, Writer::Itself, label("组织", "organisation")),
                Part::new("joined_on", ValueType::Date, Writer::Itself, label("加入日期", "joined on")),
                Part::new("left_on", ValueType::Date, Writer::Itself, label("退出日期", "left on")),
            ]),
            ORG,
            Writer::Itself,
            label("成员单位", "participants"),
            label("各席位自己填写", "each seat writes its own"),
        ),
        Field::new(
            "part_time",
            Merge::Entries(&[
                Part::new("host_seat", ValueType::Seat, HOST, label("接收席位", "host seat")),
                Part::new("host", ORG, HOST, label("接收组织", "host")),
                Part::new("person", ValueType::Record(word::MEMBER), HOST, label("人员", "person")),
                Part::new("from_unit", ORG, HOST, label("所在单位", "from unit")),
                Part::new("term", ValueType::Text(40), HOST, label("任期", "term")),
            ]),
            ORG,
            HOST,
            label("兼职委员", "part-time members"),
            label("不改变组织关系", "their affiliation does not change"),
        ),
        Field::new(
            "resources",
            Merge::Aws,
            ValueType::Record(word::RESOURCE),
            Writer::Audience,
            label("共享资源", "shared resources"),
            label("成员单位提供的场所等", "halls and the like that participants offer"),
        ),
    ],
    derived: &[
        DerivedPart::new("present", label("现有成员单位", "present participants"), &[]),
        DerivedPart::new(
            "part_time/state",
            label("状态", "state"),
            &[word("active", "有效", "active"), word("lapsing", "所在单位已退出", "unit has left")],
        ),
    ],
    hard_rules: &[],
    read,
};

/// What rules read of an alliance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alliance {
    pub participants: BTreeMap<SeatId, Participant>,
    pub resources: BTreeSet<RecordId>,
    /// Part-time members by entry, with the unit that they come from.
    pub part_time: BTreeMap<String, RecordId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Participant {
    pub org: Option<RecordId>,
    pub left_on: Option<String>,
}

impl Alliance {
    /// Whether an organisation was in and has left.
    #[must_use]
    pub fn has_left(&self, org: RecordId) -> bool {
        let mut terms = self.participants.values().filter(|p| p.org == Some(org)).peekable();
        terms.peek().is_some() && terms.all(|p| p.left_on.is_some())
    }
}

impl Derived for Alliance {
    fn annotate(&self, json: &mut Map<String, Value>) {
        let present = self.participants.iter().filter(|(_, p)| p.org.is_some() && p.left_on.is_none());
        json.insert("present".to_owned(), present.map(|(seat, _)| Value::String(seat.to_string())).collect());
        for (entry, unit) in &self.part_time {
            let state = if self.has_left(*unit) { "lapsing" } else { "active" };
            if let Some(entry) = object(json, "part_time").and_then(|all| object(all, entry)) {
                entry.insert("state".to_owned(), state.into());
            }
        }
    }

    fn signal(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for (seat, participant) in &self.participants {
            bytes.extend_from_slice(&seat.0);
            bytes.extend_from_slice(&participant.org.map_or([0; 32], |o| o.0));
            bytes.extend_from_slice(participant.left_on.as_deref().unwrap_or_default().as_bytes());
        }
        Some(bytes)
    }
}

fn read(folding: &Folding<'_>) -> Arc<dyn Derived> {
    let mut alliance = Alliance::default();
    for (key, values) in folding.history.under(Container::Slot, "participants") {
        let Some((Ok(seat), part)) = key.split_once('/').map(|(seat, part)| (seat.parse(), part)) else { continue };
        let value = values.last().map_or(&Scalar::Null, |v| &v.value);
        let participant: &mut Participant = alliance.participants.entry(seat).or_default();
        match part {
            "org" => participant.org = record_of(value),
            "left_on" => participant.left_on = value.as_text().map(str::to_owned),
            _ => {}
        }
    }
    for (element, values) in folding.history.under(Container::Aws, "resources") {
        if values.iter().any(|v| is_in(&v.value)) {
            alliance.resources.extend(element.parse::<RecordId>().ok());
        }
    }
    for (key, values) in folding.history.under(Container::Slot, "part_time") {
        if let Some(entry) = key.strip_suffix("/from_unit")
            && let Some(unit) = values.last().and_then(|v| record_of(&v.value))
        {
            alliance.part_time.insert(entry.to_owned(), unit);
        }
    }
    Arc::new(alliance)
}
