//! Rules over records: small named functions, one file each, that find disagreements.
//!
//! The contract with whoever stores what is found: `derive(a)` yields a conflict for each of its anchors `a`. So after
//! a commit, derive for the records that it touched and, where a touched record's `signal` changed, for those that
//! refer to it; a stored conflict with an anchor among them that was not yielded again is over. A rule therefore reads its
//! anchors and the records that they point to, no further. A new version of the directory can change who settles: then
//! derive for all.

use std::collections::BTreeSet;

use crate::change::{Container, OpId};
use crate::command::plan::Planner;
use crate::command::refusal::Refusal;
use crate::conflict::{Conflict, ConflictId, ConflictValue, Explanation, Severity};
use crate::id::{RecordId, SeatId};
use crate::kind::{Label, Word};
use crate::kinds;
use crate::schema::settle_key;
use crate::seats::Tier;
use crate::view::Record;
use crate::world::World;

pub mod add_to_dissolved_org;
pub mod diverged_field;
pub mod multi_home;
pub mod owner_disputed;
pub mod parent_cycle;
pub mod stale_transfer;
pub mod withdrawn_resource_booked;

/// A rule as data: what it finds, and how a choice settles it.
pub struct Rule {
    /// The kinds of conflict that it yields.
    pub finds: &'static [Word],
    pub help: Label,
    /// Whether settling may name another record than those that disagree.
    takes_any_record: bool,
    /// The values to choose from, where they are no values of the field.
    pub choices: &'static [Word],
    derive: fn(&Record, &dyn World, &mut Vec<Conflict>),
    settle: Settle,
}

/// Writes what follows from choosing a value, beside the settlement entry itself.
type Settle = fn(&mut Planner<'_>, &Conflict, &ConflictValue) -> Result<(), Refusal>;

static ALL: [&Rule; 7] = [
    &diverged_field::RULE,
    &multi_home::RULE,
    &owner_disputed::RULE,
    &stale_transfer::RULE,
    &add_to_dissolved_org::RULE,
    &withdrawn_resource_booked::RULE,
    &parent_cycle::RULE,
];

#[must_use]
pub fn all() -> &'static [&'static Rule] {
    &ALL
}

/// The open conflicts that have this record as an anchor.
#[must_use]
pub fn derive(record: RecordId, world: &dyn World) -> Vec<Conflict> {
    let mut found = Vec::new();
    if let Some(record) = world.record(record) {
        ALL.iter().for_each(|rule| (rule.derive)(record, world, &mut found));
    }
    found
}

/// Writes a chosen value's consequences by the rule that found the conflict.
pub(crate) fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    match rule_of(&conflict.kind) {
        Some(rule) => (rule.settle)(planner, conflict, chosen),
        None => Ok(()),
    }
}

/// What a finding is in general, for who may not see every record that its explanation names.
#[must_use]
pub fn in_general(kind: &str) -> Option<Explanation> {
    let rule = rule_of(kind)?;
    Some(Explanation::new(format!("{}。", rule.help.zh), format!("{}.", rule.help.en)))
}

pub(crate) fn takes_any_record(kind: &str) -> bool {
    rule_of(kind).is_some_and(|rule| rule.takes_any_record)
}

fn rule_of(finding: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.finds.iter().any(|word| word.name == finding))
}

/// Everything that a rule may find.
pub fn findings() -> impl Iterator<Item = &'static Word> {
    ALL.iter().flat_map(|rule| rule.finds)
}

/// What people read for the kind of a conflict; one that this version does not know has its code alone.
#[must_use]
pub fn say_finding(name: &str) -> Explanation {
    findings().find(|word| word.name == name).map_or_else(|| Explanation::new(name, name), |word| word.label.into())
}

/// What people read for a value that they may choose.
#[must_use]
pub fn say_choice(conflict: &Conflict, choice: &str) -> Explanation {
    say_choice_of(&conflict.kind, &conflict.field, choice)
}

/// As [`say_choice`], by the conflict's kind and field. Of a field's name, whichever kind of record has it.
#[must_use]
pub fn say_choice_of(finding: &str, field: &str, choice: &str) -> Explanation {
    let choices = rule_of(finding).map_or(&[][..], |rule| rule.choices);
    let own = choices.iter().find(|word| word.name == choice).map(|word| word.label.into());
    let of_field = || kinds::all().iter().find_map(|kind| kind.say_value(field, choice));
    own.or_else(of_field).unwrap_or_else(|| Explanation::new(choice, choice))
}

/// What a rule says of a conflict; [`Finding::conclude`] adds what follows.
struct Finding {
    kind: &'static str,
    severity: Severity,
    field: String,
    /// What disagrees; the id is made of it.
    values: Vec<ConflictValue>,
    /// Operations that are no choice, but without which this would be another disagreement; they are part of the id too.
    also: Vec<OpId>,
    provisional: serde_json::Value,
    resolver: Option<SeatId>,
    anchors: BTreeSet<RecordId>,
    explanation: Explanation,
    /// Records beside the anchors that the explanation names.
    quotes: BTreeSet<RecordId>,
}

impl Finding {
    /// The conflict, unless it was settled in the subject by a seat that may.
    fn conclude(self, subject: &Record, world: &dyn World) -> Option<Conflict> {
        let ops: BTreeSet<OpId> = self.values.iter().map(ConflictValue::op_id).chain(self.also).collect();
        let id = ConflictId::of(self.kind, subject.id, &ops);
        (!is_settled(id, subject, self.resolver, world)).then(|| Conflict {
            id,
            kind: self.kind.to_owned(),
            severity: self.severity,
            subject: subject.id,
            field: self.field,
            values: self.values,
            provisional: self.provisional,
            resolver: self.resolver,
            anchors: self.anchors,
            explanation: self.explanation,
            quotes: self.quotes,
        })
    }
}

fn is_settled(id: ConflictId, subject: &Record, resolver: Option<SeatId>, world: &dyn World) -> bool {
    let settlements = subject.history.visible(Container::Log, &settle_key(&id));
    let by = |above: SeatId| {
        let seats = settlements.iter().filter_map(|settlement| world.seat_of(settlement.id.actor));
        seats.into_iter().any(|seat| world.seats().is_at_or_above(seat, above))
    };
    match resolver {
        Some(resolver) => by(resolver),
        // Without a common superior it takes the word of each party.
        None => {
            let mut parties = named(subject).filter(|party| world.seats().get(*party).is_some()).peekable();
            parties.peek().is_some() && parties.all(by)
        }
    }
}

/// Who decides about a record: the lowest seat, of a township or above, over everybody that the record names and `others`.
fn resolver(record: &Record, others: impl IntoIterator<Item = SeatId>, world: &dyn World) -> Option<SeatId> {
    let seats = world.seats();
    let lowest = seats.common_superior(named(record).chain(others))?;
    seats.upward(lowest).find(|at| seats.get(*at).is_some_and(|s| s.tier <= Tier::Township))
}

fn named(record: &Record) -> impl Iterator<Item = SeatId> + '_ {
    record.view.owners.iter().chain(&record.view.seats).copied()
}

/// Names in one sentence, in Chinese and in English: of many the first, and how many more there are.
fn listed(names: impl IntoIterator<Item = String>) -> (String, String) {
    const NAMED: usize = 8;
    let mut names = names.into_iter();
    let first = names.by_ref().take(NAMED).collect::<Vec<_>>().join(" / ");
    match names.count() {
        0 => (first.clone(), first),
        more => (format!("{first},另有 {more} 个"), format!("{first} and {more} more")),
    }
}

/// The title of a record, if it is here.
fn title(id: RecordId, world: &dyn World) -> String {
    world.record(id).map_or_else(|| id.short(), Record::title)
}
