//! Organisations are made, joined, merged, guided, ended.

use heliu_record::prelude::*;

use super::fields::{
    ALL_UNITS, BUILD, COORDINATOR, FORMATION, JOINING, LEVEL, LIFECYCLE, NAME, ORG_KIND, PARENT, PREDECESSORS, REGION,
    SUCCESSOR, UNITS,
};
use super::file::{DELEGATED, MERGED_FOR};
use super::kind::KIND;
use super::live::live;
use crate::words::{ORG, ORGANISATION, UNIT};

const FULL_NAME: Argument = required_field(&NAME.field, "全称", "its full name");
const BELONGS: Argument = optional("seat", SEAT, "所属席位", "the seat that it belongs to");
const EFFECTIVE: Argument = optional("effective_on", DATE, "生效日期,默认今日", "from when (default: today)");
const NUMBER: Argument = optional("decision_no", text(60), "文号", "the number of the decision");
const AT_LEVEL: Argument = optional(
    "level",
    ValueType::Choice(&[
        word("group", "党小组", "group"),
        word("branch", "党支部", "branch"),
        word("general_branch", "党总支", "general branch"),
        word("committee", "党委", "committee"),
    ]),
    "层级,默认党支部",
    "its level (default: branch)",
);

pub(super) static COMMANDS: &[Command] = &[
    makes(ORGANISATION, "org.create", "建立党组织", "create an organisation", create)
        .help(
            "乡镇及以上建立即为运行,村级建立为拟建",
            "active when a township or above makes it, proposed when a village does",
        )
        .takes(&[
            FULL_NAME,
            BELONGS,
            AT_LEVEL,
            optional("org_kind", text(20), "类型", "where it is built"),
            optional_field(&PARENT.field, "上级组织", "the organisation above"),
            optional_field(&REGION.field, "所在区划", "the division where it is"),
        ]),
    makes(ORGANISATION, "joint_branch.form", "组建联合党支部", "form a joint branch", form_joint)
        .help(
            "由各单位席位的共同上级所有;一般不超过5个单位",
            "owned by its units' common superior; usually up to 5 units",
        )
        .takes(&[
            FULL_NAME,
            required("units", UNIT, "组成单位", "its units").many(),
            optional("joint_type", text(20), "联建类型", "the kind of joining"),
            BELONGS,
        ]),
    makes(ORGANISATION, "org.merge_build", "合建", "merge organisations", merge_build)
        .help("新建一个组织,原组织并入其中", "makes an organisation that absorbs others")
        .ends(
            "原组织并入新组织而终结,不再接收党员和变更",
            "the organisations that are merged end: they take no more members or changes",
        )
        .takes(&[
            FULL_NAME,
            required("predecessors", ORG, "并入的组织", "the organisations to absorb").many(),
            AT_LEVEL,
            BELONGS,
            EFFECTIVE,
            NUMBER,
            optional_field(&DELEGATED.field, "划转职权", "powers handed over").many(),
            optional_field(&MERGED_FOR.field, "合建事由", "why it is done").many(),
        ]),
    about(ORGANISATION, "org.co_build", "共建", "build together", co_build)
        .help("由本组织协调指导各组织,人员不动", "this organisation coordinates others; no member moves")
        .takes(&[required("orgs", ORG, "参加共建的组织", "the organisations to coordinate").many()]),
    about(ORGANISATION, "org.dissolve", "撤销党组织", "dissolve an organisation", dissolve)
        .help(
            "可指明各组成单位的承接组织,如 单位=组织,all=组织;未指明的,其党员待上级安置",
            "may name who takes over each unit: unit=org, all=org; members of the others wait for a superior to place them",
        )
        .ends(
            "撤销后不再接收党员、资源和变更;没有指明承接组织(successors=…)的,其党员待上级安置",
            "a dissolved organisation takes no more members, resources or changes; members for whom no successor is named (successors=…) wait for a superior to place them",
        )
        .takes(&[optional("successors", text(200), "承接组织", "the successors").many(), EFFECTIVE, NUMBER]),
    about(ORGANISATION, "org.set_parent", "确定隶属", "set the parent", set_parent)
        .help("由两个组织的共同上级确定,不得成环", "by a common superior of both; never a cycle")
        .takes(&[required_field(&PARENT.field, "上级组织", "the organisation above")]),
];
fn create(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let owner = planner.seat_argument("seat").unwrap_or(planner.seat());
    let parent = planner.record_argument("parent_org").map(|id| live(planner, id)).transpose()?;
    let org = begin(planner, owner);
    planner.check_field(&ORG_KIND.field)?;
    planner.copy(org, fields![ORG_KIND, REGION]);
    if let Some(parent) = parent {
        planner.set(org, &PARENT, parent.id);
    }
    Ok(())
}

fn form_joint(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let units = seats_of_units(planner)?;
    if units.len() < 2 {
        return Err(Refusal::missing(planner.named("units"), &Explanation::new("至少两个单位", "at least two units")));
    }
    planner.check_field(&JOINING.field)?;
    let owner = joint_owner(planner, units.iter().map(|(_, seat)| *seat));
    let org = begin(planner, owner);
    planner.set(org, &FORMATION, "joint");
    planner.copy(org, fields![JOINING]);
    for (unit, seat) in units {
        planner.add(org, &UNITS, unit);
        planner.add_participant(org, seat);
    }
    Ok(())
}

fn merge_build(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let ids = planner.list("predecessors").filter_map(|id| id.parse().ok());
    let old: Vec<&Record> = ids.map(|id| live(planner, id)).collect::<Result<_, _>>()?;
    let owner = joint_owner(planner, old.iter().flat_map(|org| org.view.owners.iter().copied()));
    let org = begin(planner, owner);
    planner.set(org, &BUILD, "merged");
    for old in old {
        planner.add(org, &PREDECESSORS, old.id);
        for seat in &old.view.owners {
            planner.add(org, &UNITS, seat.to_string());
            planner.add_participant(org, *seat);
        }
        planner.decide(old, LIFECYCLE.field.name, "absorbed")?;
        planner.put_parts(old.id, ALL_UNITS, [SUCCESSOR.with(org)]);
    }
    for set in [&DELEGATED, &MERGED_FOR] {
        for named in planner.list(set.field.name) {
            let element = set.field.value.parse_key(named, planner.world().seats());
            let element = element.ok_or_else(|| Refusal::bad_value(&set.field, named, set.field.value))?;
            if let Some(file) = planner.file_of_new(&KIND, org) {
                planner.add(file, set, element);
            }
        }
    }
    Ok(())
}

fn co_build(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let coordinator = planner.subject()?;
    live(planner, coordinator.id)?;
    for id in planner.list("orgs").filter_map(|id| id.parse().ok()) {
        let org = live(planner, id)?;
        planner.set(org.id, &BUILD, "coordinated");
        planner.set(org.id, &COORDINATOR, coordinator.id);
    }
    Ok(())
}

fn dissolve(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let org = planner.subject()?;
    live(planner, org.id)?;
    planner.decide(org, LIFECYCLE.field.name, "dissolved")?;
    for pair in planner.list("successors") {
        let bad = || Refusal::bad_value(planner.named("successors"), pair, ORG);
        let (unit, successor) = pair.split_once('=').ok_or_else(bad)?;
        let successor: RecordId = successor.trim().parse().map_err(|_| bad())?;
        let unit = match unit.trim() {
            ALL_UNITS => ALL_UNITS.to_owned(),
            unit => UNIT.parse_key(unit, planner.world().seats()).ok_or_else(bad)?,
        };
        planner.put_parts(org.id, &unit, [SUCCESSOR.with(successor)]);
    }
    Ok(())
}

fn set_parent(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let org = planner.subject()?;
    live(planner, org.id)?;
    let parent = live(planner, planner.need_record("parent_org")?)?;
    planner.set(org.id, &PARENT, parent.id);
    Ok(())
}

/// A new organisation with its name, level and lifecycle.
fn begin(planner: &mut Planner<'_>, owner: SeatId) -> RecordId {
    let org = planner.create(&KIND, owner);
    planner.copy(org, fields![NAME]);
    if let Some(level) = planner.choice("level").filter(|level| *level != "branch") {
        planner.begin_as(org, &LEVEL, level);
    }
    // Founding needs a township or above; a village proposes.
    let seat = planner.world().seats().get(planner.seat());
    if seat.is_some_and(|seat| seat.tier <= Tier::Township) {
        planner.begin_as(org, &LIFECYCLE, "active");
    }
    org
}

/// A joint organisation belongs to the lowest seat above all its units, unless another is named.
fn joint_owner(planner: &Planner<'_>, seats: impl Iterator<Item = SeatId>) -> SeatId {
    let named = planner.seat_argument("seat");
    named.or_else(|| planner.world().seats().common_superior(seats)).unwrap_or(planner.seat())
}

/// The seats that units stand for: themselves, or the owners of the organisations.
fn seats_of_units(planner: &Planner<'_>) -> Result<Vec<(String, SeatId)>, Refusal> {
    let seats = planner.world().seats();
    let stands_for = |unit: &str| {
        let bad = || Refusal::bad_value(planner.named("units"), unit, UNIT);
        let unit = UNIT.parse_key(unit, seats).ok_or_else(bad)?;
        match (unit.parse(), unit.parse()) {
            (Ok(seat), _) => Ok((unit, seat)),
            (_, Ok(org)) => Ok((unit, planner.owner_of(live(planner, org)?))),
            _ => Err(bad()),
        }
    };
    planner.list("units").map(stands_for).collect()
}
