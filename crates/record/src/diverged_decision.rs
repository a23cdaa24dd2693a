//! DIVERGED_DECISION: two decided without seeing each other, and neither decision could have followed the other. Which one stands until
//! somebody chooses, the states say: the higher one, or what is declared to stand between the two.

use std::collections::BTreeSet;

use crate::command::plan::{Planner, Settler, settler};
use crate::conflict::{Conflict, ConflictValue};
use crate::decision::{self, Decision};
use crate::id::SeatId;
use crate::kind::{Field, Kind, Merge, StateMachine, Word, word};
use crate::message::Refusal;
use crate::rule::{Finding, Rule, listed, rule_of_any};
use crate::view::Record;
use crate::world::World;

const DIVERGED: Word = word("DIVERGED_DECISION", "决定不一", "decisions disagree");

pub static RULE: Rule = rule_of_any(&[DIVERGED], find).help(
    "两方互不知情地作了相反的决定;由双方的共同上级选定其一",
    "two decided differently without seeing each other; their common superior chooses",
);
pub static SETTLER: Settler = settler(DIVERGED.name, settle);

fn find<'w>(record: &'w Record, world: &'w dyn World) -> Vec<Finding<'w>> {
    let fields = record.kind().into_iter().flat_map(Kind::fields);
    let of_states = fields.filter_map(|field| match field.merge {
        Merge::State(machine) => Some((field, machine)),
        _ => None,
    });
    of_states.filter_map(|(field, machine)| finding(record, world, field, machine)).collect()
}

fn finding<'w>(
    record: &'w Record,
    world: &'w dyn World,
    field: &'static Field,
    machine: &'static StateMachine,
) -> Option<Finding<'w>> {
    let standing = decision::fold(machine, &record.history, field.name);
    let against = standing.against.clone();
    if against.is_empty() {
        return None;
    }
    let value =
        |(op, state): &(_, &'static crate::kind::State)| ConflictValue::of(record, *op, Some(state.name.into()), world);
    let values: Vec<ConflictValue> = against.iter().map(value).collect();
    let writers: BTreeSet<SeatId> = values.iter().filter_map(|value| value.seat).collect();
    let parties = if writers.is_empty() { record.view.owners.clone() } else { writers };
    let said = listed(against.iter().map(|(_, state)| state.label));
    let is_between = against.iter().all(|(_, state)| state.name != standing.state.name);
    let finding = if is_between {
        Finding::hard(&DIVERGED, record, field.name)
    } else {
        Finding::advisory(&DIVERGED, record, field.name)
    };
    let finding = finding
        .between(values)
        .meanwhile(standing.state.name)
        .settled_by(world.seats().common_superior(parties))
        .says(
            "对“{0}”的{1}有互不知情的不同决定:{2}。在选定之前为“{3}”。",
            "{0:?} was decided upon differently ({1}) by two who did not know of each other: {2}. Until one is chosen it is: {3}.",
            &[record.title().into(), field.label.into(), said, standing.state.label.into()],
        );
    Some(finding)
}

/// The chosen decision is taken once more, in place of all that stand.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let subject = planner.load(conflict.subject)?;
    let field = subject.kind().and_then(|kind| kind.field(&conflict.field));
    let Some((field, Merge::State(machine))) = field.map(|field| (field, field.merge)) else { return Ok(()) };
    let open = decision::fold(machine, &subject.history, field.name).open;
    let taken = chosen.written(subject).and_then(|put| Decision::parse(put.value.as_text()?)).unwrap_or_default();
    let text = Decision { cites: open, ..taken }.to_text();
    planner.put_decision(subject.id, field, text);
    Ok(())
}
