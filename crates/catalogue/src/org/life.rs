//! Where an organisation stands in its life: folded once, however many members' rules read it.
//! MERGED_AND_COORDINATED: one absorbed it while another, who did not see that, had it coordinated. Until somebody chooses, nothing is
//! taken away from it.

use heliu_record::prelude::*;

use super::fields::{ALL_UNITS, BUILD, LIFECYCLE, ORG_KIND, PARENT, SUCCESSOR, SUCCESSORS, UNITS};
use crate::words::ORGANISATION;

#[derive(Debug)]
pub struct Life {
    pub(super) state: &'static State,
    /// Empty if nobody said.
    pub since: String,
    pub decision: Option<OpId>,
    /// Who absorbed it and who had it coordinated did not know of each other: the puts of the latter.
    coordinated: Vec<OpId>,
    /// The organisations that were above it before, the last one first.
    parents_before: Vec<RecordId>,
}

impl Life {
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.state.ending && self.coordinated.is_empty()
    }
}

/// How an organisation is there.
pub(super) const STANDING: &[Word] = &[
    word("active", "存续", "goes on"),
    word("contested", "并入待裁定", "merger disputed"),
    word("ended", "已终结", "ended"),
];

impl Derived for Life {
    fn annotate(&self, json: &mut Map<String, Json>) {
        let standing = match self.coordinated.is_empty() {
            true if self.state.ending => "ended",
            true => "active",
            false => "contested",
        };
        json.insert("standing".to_owned(), standing.into());
        if !self.parents_before.is_empty() {
            let before = self.parents_before.iter().map(RecordId::to_string);
            json.insert("parents_before".to_owned(), before.map(Json::from).collect());
        }
    }
}

pub(super) fn life(folding: &Folding<'_>) -> Arc<dyn Derived> {
    let history = folding.history;
    let standing = LIFECYCLE.read(history);
    let mut before = parents_written(history);
    let now = PARENT.read(history);
    before.retain(|parent| Some(*parent) != now);
    Arc::new(Life {
        state: standing.state,
        since: standing.since.to_owned(),
        decision: standing.op,
        coordinated: standing.op.filter(|_| standing.state.name == "absorbed").map_or_else(Vec::new, |absorbed| {
            let puts = BUILD.visible(history).iter().filter(|put| put.value.as_text() == Some("coordinated"));
            let apart = |put: &&Visible| !history.has_seen(absorbed, put.id) && !history.has_seen(put.id, absorbed);
            puts.filter(apart).map(|put| put.id).collect()
        }),
        parents_before: before,
    })
}

/// Every parent that was ever written, overwritten ones too, each once; the last one first.
pub(super) fn parents_written(history: &History) -> Vec<RecordId> {
    let written = PARENT.written(history);
    let mut parents: Vec<RecordId> = Vec::new();
    for parent in written.iter().rev().filter_map(|at| Value::of(&at.value)) {
        if !parents.contains(&parent) {
            parents.push(parent);
        }
    }
    parents
}

/// What a record says that is an organisation.
#[derive(Clone, Copy)]
pub struct Org<'r>(pub &'r Record);

impl<'r> Org<'r> {
    #[must_use]
    pub fn of(record: &'r Record) -> Option<Self> {
        record.is_a(ORGANISATION).then_some(Org(record))
    }

    #[must_use]
    pub fn find(id: RecordId, world: &'r dyn World) -> Option<Self> {
        world.record(id).and_then(Org::of)
    }

    /// What its lifecycle stands on, if that is an end.
    #[must_use]
    pub fn ending(self) -> Option<&'r Life> {
        self.0.read_as::<Life>().filter(|life| life.has_ended())
    }

    pub(super) fn parent(self) -> Option<RecordId> {
        PARENT.read(&self.0.history)
    }

    /// Whether it is for those who float, and nobody's home.
    #[must_use]
    pub fn is_floating(self) -> bool {
        ORG_KIND.read(&self.0.history).as_deref() == Some("floating")
    }

    /// Whether a seat is one of those that it joins.
    #[must_use]
    pub fn joins(self, seat: SeatId) -> bool {
        UNITS.read(&self.0.history).any(|unit| unit == seat.to_string())
    }

    /// Who takes over the members of a unit.
    #[must_use]
    pub fn successor(self, unit: &str) -> Option<RecordId> {
        let of = |unit: &str| SUCCESSORS.find(&self.0.history, unit).and_then(|at| at.get(&SUCCESSOR));
        of(unit).or_else(|| of(ALL_UNITS))
    }
}

const CONTESTED: Word = word("MERGED_AND_COORDINATED", "合建与共建并存", "merged and coordinated");
const MERGED: Word = word("merged", "合建", "merged");
const COORDINATED: Word = word("coordinated", "共建", "coordinated");
pub(super) const RULE: Rule = rule(ORGANISATION, &[CONTESTED], find).help(
    "一方将组织并入(合建),另一方不知情而定为共建;裁定前按共建处理,人员不动",
    "one absorbed it and another, who did not see that, had it coordinated; until settled it is coordinated, and nobody moves",
);
pub(super) const SETTLER: Settler = settler(CONTESTED.name, settle).choices(&[MERGED, COORDINATED]);

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let Some(life) = record.read_as::<Life>().filter(|life| !life.coordinated.is_empty()) else { return Vec::new() };
    let finding = Finding::hard(&CONTESTED, record, LIFECYCLE.field.name)
        .between(ConflictValue::each(record, life.decision.as_ref(), MERGED.name, world))
        .between(ConflictValue::each(record, &life.coordinated, COORDINATED.name, world))
        .meanwhile(COORDINATED.name)
        .settled_above(None, world)
        .says(
            "“{0}”一处已并入(合建),另一处定为共建,互不知情。裁定之前按共建处理。",
            "{0:?} was absorbed in one place and coordinated in another, neither knowing of the other. Until settled it is coordinated.",
            &[record.title().into()],
        );
    vec![finding]
}

/// Merged: it is, as whoever knows of both says. Coordinated: it goes on, and nobody takes it over.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let org = planner.load(conflict.subject)?;
    if chosen.choice() == MERGED.name {
        planner.set(org.id, &BUILD, "merged");
        // Unless somebody chose otherwise before, it stands.
        if LIFECYCLE.read(&org.history).state.name != "absorbed" {
            planner.decide_again(org, &LIFECYCLE, "absorbed");
        }
        return Ok(());
    }
    // Who was to take it over is kept: nobody follows from an organisation that goes on.
    planner.set(org.id, &BUILD, "coordinated");
    planner.decide_again(org, &LIFECYCLE, "active");
    Ok(())
}
