//! 党组织: a branch, a general branch, a committee, wherever it is built. Ending one is a decision, never a deletion.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::change::{Container, OpId, Scalar};
use heliu_record::command::Refusal;
use heliu_record::conflict::Explanation;
use heliu_record::decision;
use heliu_record::derived::Derived;
use heliu_record::history::Visible;
use heliu_record::id::RecordId;
use heliu_record::kind::{Class, Field, Kind, Merge, Part, State, StateMachine, ValueType, Writer, label, word};
use heliu_record::scope::is_in;
use heliu_record::seats::Tier;
use heliu_record::value::record_of;
use heliu_record::view::Folding;
use heliu_record::view::Record;

use crate::commands::org::parent_is_above;
use crate::kinds::word;

const TOWNSHIP: Writer = Writer::AtLeast(Tier::Township);
/// A field that names an organisation.
pub const ORG: ValueType = ValueType::Record(word::ORG);
/// A field that names a seat or an organisation.
pub const UNIT: ValueType = ValueType::Unit(word::ORG);

pub static KIND: Kind = Kind {
    name: word::ORG.name,
    version: 1,
    class: Class::Scoped,
    label: word::ORG.label,
    help: label(
        "党支部、党总支、党委、党小组及其联建形式",
        "a branch, general branch, committee or group, alone or joint",
    ),
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
            "lifecycle",
            Merge::State(&LIFECYCLE),
            ValueType::Text(500),
            TOWNSHIP,
            label("存续状态", "lifecycle"),
            label("批准、整顿、撤销等决定", "decisions: approved, rectifying, dissolved and so on"),
        ),
        Field::new(
            "org_level",
            Merge::State(&LEVEL),
            ValueType::Text(500),
            TOWNSHIP,
            label("层级", "level"),
            label("党小组、党支部、党总支、党委", "group, branch, general branch or committee"),
        ),
        Field::new(
            "org_kind",
            Merge::Lww,
            ValueType::Choice(&[
                word("village", "村", "village"),
                word("community", "社区", "community"),
                word("enterprise", "企业", "enterprise"),
                word("association", "社会组织", "association"),
                word("industry", "行业", "industry"),
                word("functional", "功能型", "functional"),
                word("network", "网络", "network"),
                word("temporary", "临时", "temporary"),
                word("floating", "流动", "floating"),
                word("out_of_area", "异地", "out of area"),
            ]),
            Writer::Owner,
            label("类型", "kind"),
            label("建在何处", "where it is built"),
        ),
        Field::new(
            "formation_mode",
            Merge::Lww,
            ValueType::Choice(&[
                word("single", "单独组建", "single"),
                word("joint", "联合组建", "joint"),
                word("attached", "挂靠组建", "attached"),
            ]),
            Writer::Owner,
            label("组建方式", "formation"),
            label("单独建、联合建、挂靠建", "single, joint or attached"),
        ),
        Field::new(
            "build_mode",
            Merge::Mv,
            ValueType::Choice(&[word("merged", "合建", "merged"), word("coordinated", "共建", "coordinated")]),
            TOWNSHIP,
            label("合建/共建", "build mode"),
            label("合建则职能划转,共建则协调指导", "merged hands all functions over; coordinated only guides"),
        )
        .provisional("coordinated"),
        Field::new(
            "joint_type",
            Merge::Lww,
            ValueType::Choice(&[
                word("village_village", "村村联建", "village with village"),
                word("village_enterprise", "村企联建", "village with enterprise"),
                word("village_community", "村居联建", "village with community"),
                word("association_led", "协会带建", "led by an association"),
            ]),
            Writer::Owner,
            label("联建类型", "joint type"),
            label("村村、村企、村居联建或协会带建", "which kinds of unit join"),
        ),
        Field::new(
            "component_units",
            Merge::Aws,
            UNIT,
            TOWNSHIP,
            label("组成单位", "component units"),
            label("联合组建的村或单位", "the villages or bodies that it joins"),
        ),
        Field::new(
            "region",
            Merge::Lww,
            ValueType::Seat,
            Writer::AtLeast(Tier::County),
            label("所在区划", "region"),
            label("所在行政区划", "the division where it is"),
        ),
        Field::new(
            "parent_org",
            Merge::Mv,
            ORG,
            Writer::CommonAtLeast(Tier::Township),
            label("隶属", "parent"),
            label("上级党组织,由共同上级确定", "the organisation above, set by a common superior"),
        ),
        Field::new(
            "guidance_orgs",
            Merge::Aws,
            ORG,
            TOWNSHIP,
            label("业务指导", "guidance"),
            label("指导而不隶属的组织", "organisations that guide it without being above it"),
        ),
        Field::new(
            "coordinator_org",
            Merge::Mv,
            ORG,
            TOWNSHIP,
            label("共建协调组织", "coordinator"),
            label("共建中协调指导的党总支", "the organisation that coordinates a co-build"),
        ),
        Field::new(
            "predecessor_ids",
            Merge::Aws,
            ORG,
            TOWNSHIP,
            label("前身", "predecessors"),
            label("并入本组织的组织", "organisations that were merged into it"),
        ),
        Field::new(
            "successors",
            Merge::Entries(&[Part::new("org", ORG, TOWNSHIP, label("承接组织", "successor"))]),
            ORG,
            TOWNSHIP,
            label("承接组织", "successors"),
            label(
                "撤销或并入后,各组成单位的承接组织;all 表示全部",
                "after an ending, who takes over each unit; `all` for the rest",
            ),
        ),
    ],
    derived: &[],
    hard_rules: &[parent_is_above],
    read,
};

static LIFECYCLE: StateMachine = StateMachine {
    states: &[
        State::new("proposed", label("拟建", "proposed"), 0, Writer::Owner, &[]),
        State::new("approved", label("已批准", "approved"), 1, TOWNSHIP, &["proposed"]),
        State::new(
            "active",
            label("运行", "active"),
            2,
            TOWNSHIP,
            &["proposed", "approved", "rectifying", "absorbed", "dissolved"],
        ),
        State::new("rectifying", label("整顿", "rectifying"), 3, TOWNSHIP, &["active"]),
        State::new("absorbed", label("并入", "absorbed"), 4, TOWNSHIP, &["active", "rectifying"]).ending().means(
            "并入后本组织不再接收党员和变更,由承接组织接续",
            "an absorbed organisation takes no more members or changes; its successor goes on",
        ),
        State::new(
            "dissolved",
            label("撤销", "dissolved"),
            5,
            TOWNSHIP,
            &["proposed", "approved", "active", "rectifying"],
        )
        .ending()
        .means(
            "撤销后本组织不再接收党员和变更;承接组织请用 org.dissolve 指明",
            "a dissolved organisation takes no more members or changes; org.dissolve names who takes over",
        ),
        State::new("terminated", label("终止", "terminated"), 5, TOWNSHIP, &["active", "rectifying"])
            .ending()
            .means("终止后本组织不再接收党员和变更", "a terminated organisation takes no more members or changes"),
    ],
};

static LEVEL: StateMachine = StateMachine {
    states: &[
        State::new("branch", label("党支部", "branch"), 1, Writer::Owner, &["group", "general_branch", "committee"]),
        State::new("group", label("党小组", "group"), 0, Writer::Owner, &["branch"]),
        State::new("general_branch", label("党总支", "general branch"), 2, TOWNSHIP, &["branch", "committee"]),
        State::new(
            "committee",
            label("党委", "committee"),
            3,
            Writer::AtLeast(Tier::County),
            &["branch", "general_branch"],
        ),
    ],
};

/// What rules read of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Org {
    pub name: String,
    pub lifecycle: &'static str,
    /// From when its lifecycle counts; empty if nobody said.
    pub since: String,
    pub ended: bool,
    /// The decision that its lifecycle stands on.
    pub decision: Option<OpId>,
    /// Visible parents; the last is the provisional one.
    pub parents: Vec<(OpId, Option<RecordId>)>,
    /// Elements of `component_units`.
    pub units: BTreeSet<String>,
    /// Who takes over, by unit or `all`.
    pub successors: BTreeMap<String, RecordId>,
}

impl Org {
    #[must_use]
    pub fn parent(&self) -> Option<RecordId> {
        self.parents.last().and_then(|(_, parent)| *parent)
    }

    /// Who takes over the members of a unit.
    #[must_use]
    pub fn successor(&self, unit: &str) -> Option<RecordId> {
        self.successors.get(unit).or_else(|| self.successors.get(ALL_UNITS)).copied()
    }
}

/// Nothing is added to an organisation that has ended.
#[must_use]
pub fn org_ended(record: &Record, org: &Org) -> Refusal {
    let next = match org.successors.values().next() {
        Some(successor) => Explanation::new(
            format!("请改用承接组织 {},或由上级决定恢复。", successor.short()),
            format!("Use its successor {}, or have a superior decide to reopen it.", successor.short()),
        ),
        None => Explanation::new(
            "请先由上级指定承接组织,或决定恢复。",
            "Have a superior name a successor first, or decide to reopen it.",
        ),
    };
    Refusal {
        code: "org_ended",
        what: {
            let state = record.kind().and_then(|kind| kind.say_value("lifecycle", org.lifecycle));
            let state = state.unwrap_or_else(|| Explanation::new("终结", "ended"));
            let (zh_since, en_since) = match org.since.as_str() {
                "" => (String::new(), String::new()),
                since => (format!("自{since}起"), format!(" since {since}")),
            };
            Explanation::new(
                format!("“{}”{zh_since}已终结({})。", record.title(), state.zh),
                format!("{:?} has ended{en_since} ({}).", record.title(), state.en),
            )
        },
        why: Explanation::new("终结的组织不再接收人员或变更。", "Nothing is added to an organisation that has ended."),
        next,
    }
}

/// The key of `successors` for units that have none of their own.
pub const ALL_UNITS: &str = "all";

impl Derived for Org {
    fn signal(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(128);
        for text in [self.lifecycle, &self.since, &self.name] {
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(0);
        }
        for op in self.decision.iter().chain(self.parents.iter().map(|(op, _)| op)) {
            bytes.extend_from_slice(&op.counter.to_le_bytes());
            bytes.extend_from_slice(&op.actor.0);
        }
        for (_, parent) in &self.parents {
            bytes.extend_from_slice(&parent.map_or([0; 32], |p| p.0));
        }
        for (unit, successor) in &self.successors {
            bytes.extend_from_slice(unit.as_bytes());
            bytes.extend_from_slice(&successor.0);
        }
        self.units.iter().for_each(|unit| bytes.extend_from_slice(unit.as_bytes()));
        Some(bytes)
    }

    fn refuse(&self, record: &Record, field: &str) -> Option<Refusal> {
        (self.ended && field != "successors").then(|| org_ended(record, self))
    }
}

fn read(folding: &Folding<'_>) -> Arc<dyn Derived> {
    let history = folding.history;
    let lifecycle = decision::fold(&LIFECYCLE, history, "lifecycle");
    let parent = |v: &Visible| (v.id, record_of(&v.value));
    let units =
        history.under(Container::Aws, "component_units").filter(|(_, values)| values.iter().any(|v| is_in(&v.value)));
    let successors = history.under(Container::Slot, "successors").filter_map(|(key, values)| {
        Some((key.strip_suffix("/org")?.to_owned(), values.last().and_then(|v| record_of(&v.value))?))
    });
    Arc::new(Org {
        name: history.value(Container::Mv, "name").and_then(Scalar::as_text).unwrap_or_default().to_owned(),
        lifecycle: lifecycle.state.name,
        since: lifecycle.since.to_owned(),
        ended: lifecycle.state.ending,
        decision: lifecycle.op,
        parents: history.visible(Container::Mv, "parent_org").iter().map(parent).collect(),
        units: units.map(|(unit, _)| unit.to_owned()).collect(),
        successors: successors.collect(),
    })
}
