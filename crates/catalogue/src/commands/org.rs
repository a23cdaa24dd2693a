//! Organisations: made, joined, merged, guided, ended.

use crate::kinds::org::Org;
use crate::kinds::org::UNIT;
use crate::kinds::org::org_ended;
use crate::kinds::org::{ALL_UNITS, KIND, ORG};
use crate::kinds::word;
use crate::rules::parent_cycle::projected_parent;
use heliu_record::change::{Container, Scalar};
use heliu_record::command::Planner;
use heliu_record::command::RecordWrite;
use heliu_record::command::Refusal;
use heliu_record::command::WriteValue;
use heliu_record::command::{Argument, Command, Makes, Subject};
use heliu_record::conflict::Explanation;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::kind::{ValueType, label, word};
use heliu_record::seats::Tier;
use heliu_record::value::record_of;
use heliu_record::value::seat_of;
use heliu_record::view::Record;

const NAME: Argument = Argument::required("name", ValueType::Text(80), label("全称", "its full name"));
const OWNER: Argument = Argument::optional("seat", ValueType::Seat, label("所属席位", "the seat that it belongs to"));
const EFFECTIVE: Argument =
    Argument::optional("effective_on", ValueType::Date, label("生效日期,默认今日", "from when (default: today)"));
const NUMBER: Argument =
    Argument::optional("decision_no", ValueType::Text(60), label("文号", "the number of the decision"));
const LEVEL: Argument = Argument::optional(
    "level",
    ValueType::Choice(&[
        word("group", "党小组", "group"),
        word("branch", "党支部", "branch"),
        word("general_branch", "党总支", "general branch"),
        word("committee", "党委", "committee"),
    ]),
    label("层级,默认党支部", "its level (default: branch)"),
);

pub static COMMANDS: &[Command] = &[
    Command {
        name: "org.create",
        label: label("建立党组织", "create an organisation"),
        help: label(
            "乡镇及以上建立即为运行,村级建立为拟建",
            "active when a township or above makes it, proposed when a village does",
        ),
        subject: Subject::None,
        makes: Makes::Kind(word::ORG),
        arguments: &[
            NAME,
            OWNER,
            LEVEL,
            Argument::optional("org_kind", ValueType::Text(20), label("类型", "where it is built")),
            Argument::optional("parent_org", ORG, label("上级组织", "the organisation above")),
            Argument::optional("region", ValueType::Seat, label("所在区划", "the division where it is")),
        ],
        takes_fields: false,
        run: create,
    },
    Command {
        name: "joint_branch.form",
        label: label("组建联合党支部", "form a joint branch"),
        help: label(
            "由各单位席位的共同上级所有;一般不超过5个单位",
            "owned by its units' common superior; usually up to 5 units",
        ),
        subject: Subject::None,
        makes: Makes::Kind(word::ORG),
        arguments: &[
            NAME,
            Argument::required("units", UNIT, label("组成单位", "its units")).many(),
            Argument::optional("joint_type", ValueType::Text(20), label("联建类型", "the kind of joining")),
            OWNER,
        ],
        takes_fields: false,
        run: form_joint,
    },
    Command {
        name: "org.merge_build",
        label: label("合建", "merge organisations"),
        help: label("新建一个组织,原组织并入其中", "makes an organisation that absorbs others"),
        subject: Subject::None,
        makes: Makes::Kind(word::ORG),
        arguments: &[
            NAME,
            Argument::required("predecessors", ORG, label("并入的组织", "the organisations to absorb")).many(),
            LEVEL,
            OWNER,
            EFFECTIVE,
            NUMBER,
        ],
        takes_fields: false,
        run: merge_build,
    },
    Command {
        name: "org.co_build",
        label: label("共建", "build together"),
        help: label("由本组织协调指导各组织,人员不动", "this organisation coordinates others; no member moves"),
        subject: Subject::Of(word::ORG),
        makes: Makes::Nothing,
        arguments: &[Argument::required("orgs", ORG, label("参加共建的组织", "the organisations to coordinate")).many()],
        takes_fields: false,
        run: co_build,
    },
    Command {
        name: "org.dissolve",
        label: label("撤销党组织", "dissolve an organisation"),
        help: label(
            "须指明各组成单位的承接组织,如 单位=组织,all=组织",
            "names who takes over each unit: unit=org, all=org",
        ),
        subject: Subject::Of(word::ORG),
        makes: Makes::Nothing,
        arguments: &[
            Argument::optional("successors", ValueType::Text(200), label("承接组织", "the successors")).many(),
            EFFECTIVE,
            NUMBER,
        ],
        takes_fields: false,
        run: dissolve,
    },
    Command {
        name: "org.set_parent",
        label: label("确定隶属", "set the parent"),
        help: label("由两个组织的共同上级确定,不得成环", "by a common superior of both; never a cycle"),
        subject: Subject::Of(word::ORG),
        makes: Makes::Nothing,
        arguments: &[Argument::required("parent_org", ORG, label("上级组织", "the organisation above"))],
        takes_fields: false,
        run: set_parent,
    },
];

fn create(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let owner = planner.seat_argument("seat").unwrap_or(planner.seat());
    let parent = planner.record_argument("parent_org").map(|id| live(planner, id)).transpose()?;
    let org = begin(planner, owner);
    for name in ["org_kind", "region"] {
        check_choice(planner, name)?;
        planner.put_argument(org, &KIND, name);
    }
    if let Some(parent) = parent {
        planner.put(org, Container::Mv, "parent_org", Scalar::Bytes(parent.id.0.to_vec()));
    }
    Ok(())
}

fn form_joint(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let units = seats_of_units(planner, planner.list("units"))?;
    if units.len() < 2 {
        return Err(Refusal::missing(planner.named("units"), &Explanation::new("至少两个单位", "at least two units")));
    }
    check_choice(planner, "joint_type")?;
    let owner = joint_owner(planner, units.iter().map(|(_, seat)| *seat));
    let org = begin(planner, owner);
    planner.put(org, Container::Lww, "formation_mode", Scalar::from("joint"));
    planner.put_argument(org, &KIND, "joint_type");
    for (unit, seat) in units {
        planner.put_member(org, Container::Aws, format!("component_units/{unit}"), true);
        planner.add_participant(org, seat);
    }
    Ok(())
}

fn merge_build(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let ids = planner.list("predecessors").filter_map(|id| id.parse().ok());
    let old: Vec<&Record> = ids.map(|id| live(planner, id)).collect::<Result<_, _>>()?;
    let owner = joint_owner(planner, old.iter().flat_map(|org| org.view.owners.iter().copied()));
    let org = begin(planner, owner);
    planner.put(org, Container::Mv, "build_mode", Scalar::from("merged"));
    let (since, number) = (planner.text_or_today("effective_on"), planner.text("decision_no").unwrap_or_default());
    for old in old {
        planner.put_member(org, Container::Aws, format!("predecessor_ids/{}", old.id), true);
        for seat in &old.view.owners {
            planner.put_member(org, Container::Aws, format!("component_units/{seat}"), true);
            planner.add_participant(org, *seat);
        }
        planner.decide(old, "lifecycle", "absorbed", since, number)?;
        name_successor(planner, old.id, ALL_UNITS, org);
    }
    Ok(())
}

fn co_build(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let coordinator = planner.subject()?;
    live(planner, coordinator.id)?;
    for id in planner.list("orgs").filter_map(|id| id.parse().ok()) {
        let org = live(planner, id)?;
        planner.put(org.id, Container::Mv, "build_mode", Scalar::from("coordinated"));
        planner.put(org.id, Container::Mv, "coordinator_org", Scalar::Bytes(coordinator.id.0.to_vec()));
    }
    Ok(())
}

fn dissolve(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let org = planner.subject()?;
    live(planner, org.id)?;
    let (since, number) = (planner.text_or_today("effective_on"), planner.text("decision_no").unwrap_or_default());
    planner.decide(org, "lifecycle", "dissolved", since, number)?;
    for pair in planner.list("successors") {
        let bad = || Refusal::bad_value(planner.named("successors"), pair, ORG);
        let (unit, successor) = pair.split_once('=').ok_or_else(bad)?;
        let successor: RecordId = successor.trim().parse().map_err(|_| bad())?;
        let unit = match unit.trim() {
            ALL_UNITS => ALL_UNITS.to_owned(),
            unit => UNIT.parse_key(unit, planner.world().seats()).ok_or_else(bad)?,
        };
        name_successor(planner, org.id, &unit, successor);
    }
    Ok(())
}

fn set_parent(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let org = planner.subject()?;
    live(planner, org.id)?;
    let parent = live(planner, planner.need_record("parent_org")?)?;
    planner.put(org.id, Container::Mv, "parent_org", Scalar::Bytes(parent.id.0.to_vec()));
    Ok(())
}

/// A new organisation with its name, level and lifecycle.
fn begin(planner: &mut Planner<'_>, owner: SeatId) -> RecordId {
    let org = planner.create(&KIND, owner);
    planner.put_argument(org, &KIND, "name");
    if let Some(level) = planner.choice("level").filter(|level| *level != "branch") {
        planner.put(org, Container::Log, "org_level/0", Scalar::from(level));
    }
    // Founding needs a township or above; a village proposes.
    let seat = planner.world().seats().get(planner.seat());
    if seat.is_some_and(|s| s.tier <= Tier::Township) {
        planner.put(org, Container::Log, "lifecycle/0", Scalar::from("active"));
    }
    org
}

/// A joint organisation belongs to the lowest seat above all its units, unless another is named.
fn joint_owner(planner: &Planner<'_>, seats: impl Iterator<Item = SeatId>) -> SeatId {
    let named = planner.seat_argument("seat");
    named.or_else(|| planner.world().seats().common_superior(seats)).unwrap_or(planner.seat())
}

fn name_successor(planner: &mut Planner<'_>, org: RecordId, unit: &str, successor: RecordId) {
    planner.put(org, Container::Slot, format!("successors/{unit}/org"), Scalar::Bytes(successor.0.to_vec()));
}

fn check_choice(planner: &Planner<'_>, name: &'static str) -> Result<(), Refusal> {
    let (Some(field), Some(text)) = (KIND.field(name), planner.text(name)) else { return Ok(()) };
    match field.value.parse(text, planner.world().seats()) {
        Some(_) => Ok(()),
        None => Err(Refusal::bad_value(field, text, field.value)),
    }
}

/// An organisation that has not ended: nothing is added to one that has.
pub(crate) fn live<'a>(planner: &Planner<'a>, id: RecordId) -> Result<&'a Record, Refusal> {
    let record = planner.load_kind(id, word::ORG)?;
    match record.read_as::<Org>() {
        Some(org) if org.ended => Err(org_ended(record, org)),
        _ => Ok(record),
    }
}

/// The seats that units stand for: themselves, or the owners of the organisations.
fn seats_of_units<'a>(
    planner: &Planner<'a>,
    units: impl Iterator<Item = &'a str>,
) -> Result<Vec<(String, SeatId)>, Refusal> {
    units
        .map(|unit| {
            let value = UNIT.parse(unit, planner.world().seats()).unwrap_or(Scalar::Null);
            match (seat_of(&value), record_of(&value)) {
                (Some(seat), _) => Ok((seat.to_string(), seat)),
                (None, Some(org)) => Ok((org.to_string(), planner.owner_of(live(planner, org)?))),
                (None, None) => Err(Refusal::bad_value(planner.named("units"), unit, UNIT)),
            }
        })
        .collect()
}

/// Longer chains of parents than any county has.
const DEPTH_MAX: usize = 64;

/// Whatever writes a parent, it is above the organisation and allowed to be.
pub(crate) fn parent_is_above(planner: &Planner<'_>, write: &RecordWrite) -> Result<(), Refusal> {
    let parent = write.writes.iter().find(|put| put.container == Container::Mv && put.key == "parent_org");
    let Some(WriteValue::Value(value)) = parent.map(|put| &put.value) else { return Ok(()) };
    let owners = match (&write.create, planner.world().record(write.record)) {
        (Some(preimage), _) => vec![preimage.birth],
        (None, record) => record.iter().flat_map(|r| r.view.owners.iter().copied()).collect(),
    };
    check_parent(planner, write.record, &owners, record_of(value))
}

/// A parent is set by a seat above both organisations, and no organisation is above itself.
fn check_parent(
    planner: &Planner<'_>,
    org: RecordId,
    owners: &[SeatId],
    parent: Option<RecordId>,
) -> Result<(), Refusal> {
    let Some(parent) = parent else { return Ok(()) };
    let parent = live(planner, parent)?;
    let name = planner.world().record(org).map_or_else(|| org.short(), Record::title);
    let mut at = Some(parent.id);
    for _ in 0..DEPTH_MAX {
        if at == Some(org) {
            return Err(Refusal::new(
                "parent_cycle",
                (
                    format!("“{}”已在“{name}”之下。", parent.title()),
                    format!("{:?} is already under {name:?}.", parent.title()),
                ),
                ("组织不能互为上级。", "Organisations cannot be above each other."),
                ("请先调整下级组织的隶属。", "Change the lower one's parent first."),
            ));
        }
        at = at.and_then(|at| projected_parent(at, planner.whole()));
    }
    let (seat, seats) = (planner.seat(), planner.world().seats());
    if !owners.iter().chain(&parent.view.owners).all(|owner| seats.is_at_or_above(seat, *owner)) {
        return Err(Refusal::new(
            "no_authority",
            (
                format!("“{}”不是两个组织的共同上级。", seats.name(seat)),
                format!("{} is not above both.", seats.name(seat)),
            ),
            ("隶属关系由共同上级确定。", "A parent is set by a common superior."),
            ("请由共同的上级席位办理。", "Have it done at a seat above both."),
        ));
    }
    Ok(())
}
