//! Rules over records: what a rule is, and what all of them need. A rule is content, but for the one on fields of any kind.
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
use crate::schema::settle_key;
use crate::seats::Tier;
use crate::view::Record;
use crate::world::World;

pub mod diverged_field;

/// A rule as data: what it finds, and how a choice settles it.
#[derive(Debug)]
pub struct Rule {
    /// The kinds of conflict that it yields.
    pub finds: &'static [Word],
    pub help: Label,
    /// Whether settling may name another record than those that disagree.
    pub takes_any_record: bool,
    /// The values to choose from, where they are no values of the field.
    pub choices: &'static [Word],
    pub derive: fn(&Record, &dyn World, &mut Vec<Conflict>),
    pub settle: Settle,
}

/// Writes what follows from choosing a value, beside the settlement entry itself.
pub type Settle = fn(&mut Planner<'_>, &Conflict, &ConflictValue) -> Result<(), Refusal>;

/// The open conflicts that have this record as an anchor.
#[must_use]
pub fn derive(record: RecordId, world: &dyn World) -> Vec<Conflict> {
    let mut found = Vec::new();
    if let Some(record) = world.record(record) {
        world.catalogue().rules().for_each(|rule| (rule.derive)(record, world, &mut found));
    }
    found
}

/// What a rule says of a conflict; [`Finding::conclude`] adds what follows.
pub struct Finding {
    pub kind: &'static str,
    pub severity: Severity,
    pub field: String,
    /// What disagrees; the id is made of it.
    pub values: Vec<ConflictValue>,
    /// Operations that are no choice, but without which this would be another disagreement; they are part of the id too.
    pub also: Vec<OpId>,
    pub provisional: serde_json::Value,
    pub resolver: Option<SeatId>,
    pub anchors: BTreeSet<RecordId>,
    pub explanation: Explanation,
    /// Records beside the anchors that the explanation names.
    pub quotes: BTreeSet<RecordId>,
}

impl Finding {
    /// The conflict, unless it was settled in the subject by a seat that may.
    #[must_use]
    pub fn conclude(self, subject: &Record, world: &dyn World) -> Option<Conflict> {
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
#[must_use]
pub fn resolver(record: &Record, others: impl IntoIterator<Item = SeatId>, world: &dyn World) -> Option<SeatId> {
    let seats = world.seats();
    let lowest = seats.common_superior(named(record).chain(others))?;
    seats.upward(lowest).find(|at| seats.get(*at).is_some_and(|s| s.tier <= Tier::Township))
}

pub fn named(record: &Record) -> impl Iterator<Item = SeatId> + '_ {
    record.view.owners.iter().chain(&record.view.seats).copied()
}

/// Names in one sentence, in Chinese and in English: of many the first, and how many more there are.
#[must_use]
pub fn listed(names: impl IntoIterator<Item = String>) -> (String, String) {
    const NAMED: usize = 8;
    let mut names = names.into_iter();
    let first = names.by_ref().take(NAMED).collect::<Vec<_>>().join(" / ");
    match names.count() {
        0 => (first.clone(), first),
        more => (format!("{first},另有 {more} 个"), format!("{first} and {more} more")),
    }
}

/// The title of a record, if it is here.
#[must_use]
pub fn title(id: RecordId, world: &dyn World) -> String {
    world.record(id).map_or_else(|| id.short(), Record::title)
}
