//! What an organisation's record may hold, and what it says.

use heliu_record::prelude::*;

use crate::words::{ORG, UNIT};

const KINDS: ValueType = ValueType::Choice(&[
    word("village", "村", "village"),
    word("community", "社区", "community"),
    word("institution", "机关", "institution"),
    word("school", "学校", "school"),
    word("hospital", "医院", "hospital"),
    word("enterprise", "企业", "enterprise"),
    word("state_enterprise", "国有企业", "state-owned enterprise"),
    word("zone", "园区", "zone"),
    word("building", "楼宇", "building"),
    word("association", "社会组织", "association"),
    word("industry", "行业", "industry"),
    word("functional", "功能型", "functional"),
    word("network", "网络", "network"),
    word("temporary", "临时", "temporary"),
    word("floating", "流动", "floating"),
    word("out_of_area", "异地", "out of area"),
    word("working_committee", "工作委员会", "working committee"),
]);
const FORMATIONS: ValueType = ValueType::Choice(&[
    word("single", "单独组建", "single"),
    word("joint", "联合组建", "joint"),
    word("attached", "挂靠组建", "attached"),
]);
const BUILDS: ValueType =
    ValueType::Choice(&[word("merged", "合建", "merged"), word("coordinated", "共建", "coordinated")]);
const JOININGS: ValueType = ValueType::Choice(&[
    word("village_village", "村村联建", "village with village"),
    word("village_enterprise", "村企联建", "village with enterprise"),
    word("village_community", "村居联建", "village with community"),
    word("association_led", "协会带建", "led by an association"),
]);

pub(super) static NAME: FieldOf<String> =
    mv("name", name(80), "名称", "name").help("全称", "full name").required().sought();
pub(super) static LIFECYCLE: StateOf = state("lifecycle", &LIFE, "存续状态", "lifecycle")
    .help("批准、整顿、撤销等决定", "decisions: approved, rectifying, dissolved and so on")
    .by(TOWNSHIP)
    .listed();
pub(super) static LEVEL: StateOf = state("org_level", &LEVELS, "层级", "level")
    .help("党小组、党支部、党总支、党委", "group, branch, general branch or committee")
    .by(TOWNSHIP)
    .listed();
pub(super) static ORG_KIND: FieldOf<String> =
    mv("org_kind", KINDS, "类型", "kind").help("建在何处", "where it is built").listed();
pub(super) static FORMATION: FieldOf<String> = mv("formation_mode", FORMATIONS, "组建方式", "formation")
    .help("单独建、联合建、挂靠建", "single, joint or attached");
pub(super) static BUILD: FieldOf<String> = mv("build_mode", BUILDS, "合建/共建", "build mode")
    .help("合建则职能划转,共建则协调指导", "merged hands all functions over; coordinated only guides")
    .by(TOWNSHIP)
    .provisional("coordinated");
pub(super) static JOINING: FieldOf<String> = mv("joint_type", JOININGS, "联建类型", "joint type")
    .help("村村、村企、村居联建或协会带建", "which kinds of unit join");
pub(super) static UNITS: SetOf<String> = set("component_units", UNIT, "组成单位", "component units")
    .help("联合组建的村或单位", "the villages or bodies that it joins")
    .by(TOWNSHIP);
pub(super) static REGION: FieldOf<SeatId> = mv("region", SEAT, "所在区划", "region")
    .help("所在行政区划", "the division where it is")
    .by(Writer::AtLeast(Tier::County));
pub(super) static PARENT: FieldOf<RecordId> = mv("parent_org", ORG, "隶属", "parent")
    .help("上级党组织,由共同上级确定", "the organisation above, set by a common superior")
    .by(Writer::CommonAtLeast(Tier::Township))
    .listed();
pub(super) static GUIDANCE: SetOf<RecordId> = set("guidance_orgs", ORG, "业务指导", "guidance")
    .help("指导而不隶属的组织", "organisations that guide it without being above it")
    .by(TOWNSHIP);
pub(super) static COORDINATOR: FieldOf<RecordId> = mv("coordinator_org", ORG, "共建协调组织", "coordinator")
    .help("共建中协调指导的党总支", "the organisation that coordinates a co-build")
    .by(TOWNSHIP);
pub(super) static PREDECESSORS: SetOf<RecordId> = set("predecessor_ids", ORG, "前身", "predecessors")
    .help("并入本组织的组织", "organisations that were merged into it")
    .by(TOWNSHIP);
pub(super) static SUCCESSORS: EntriesOf =
    entries(TAKEN_OVER, parts![SUCCESSOR], ORG, TOWNSHIP, "承接组织", "successors").named_after(UNIT).help(
        "撤销或并入后,各组成单位的承接组织;all 表示全部",
        "after an ending, who takes over each unit; `all` for the rest",
    );

const TAKEN_OVER: &str = "successors";
/// Who takes over; an entry is named after the unit, or [`ALL_UNITS`].
pub(super) static SUCCESSOR: PartOf<RecordId> =
    part(TAKEN_OVER, "org", ORG, TOWNSHIP, "承接组织", "successor").has_own_rule();
/// The entry of `successors` for units that have none of their own.
pub const ALL_UNITS: &str = "all";

pub(super) static LIFE: StateMachine = StateMachine {
    states: &[
        State::new("proposed", label("拟建", "proposed"), 0, OWNER, &[]),
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

pub(super) static LEVELS: StateMachine = StateMachine {
    states: &[
        State::new("branch", label("党支部", "branch"), 1, OWNER, &["group", "general_branch", "committee"]),
        State::new("group", label("党小组", "group"), 0, OWNER, &["branch"]),
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

/// What people read for a code that a choice or a state of an organisation has.
#[must_use]
pub fn word_of(field: &str, code: &str) -> Option<Label> {
    let words = |value: ValueType| match value {
        ValueType::Choice(words) => words.iter().find(|word| word.name == code).map(|word| word.label),
        _ => None,
    };
    let chosen = [&ORG_KIND, &FORMATION, &BUILD, &JOINING].into_iter().find(|known| known.field.name == field);
    let state = [(&LEVEL, &LEVELS), (&LIFECYCLE, &LIFE)].into_iter().find(|(known, _)| known.field.name == field);
    match (chosen, state) {
        (Some(chosen), _) => words(chosen.field.value),
        (None, Some((_, machine))) => machine.state(code).map(|state| state.label),
        (None, None) => None,
    }
}

/// What an organisation can be built at.
pub fn kinds() -> impl Iterator<Item = &'static Word> {
    let words: &'static [Word] = if let ValueType::Choice(words) = KINDS { words } else { &[] };
    words.iter()
}

#[must_use]
pub fn kind_label(kind: &str) -> Option<Label> {
    word_of(ORG_KIND.field.name, kind)
}
