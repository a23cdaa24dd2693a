//! Rules over records: what a rule is, and what all of them need. A rule is content, but for the one on fields of any kind.
//!
//! The contract with whoever stores what is found: `derive(a)` yields a conflict for each of its anchors `a`. So after
//! a commit, derive for the records that it touched and, where a touched record's `signal` changed, for those that
//! refer to it; a stored conflict with an anchor among them that was not yielded again is over. A rule therefore reads its
//! anchors and the records that they point to, no further. A new version of the directory can change who settles: then
//! derive for all.

use std::collections::BTreeSet;

use crate::change::{Container, OpId};
use crate::conflict::{Conflict, ConflictId, ConflictValue, Explanation, Severity};
use crate::id::{RecordId, SeatId};
use crate::kind::{Label, Word, label};
use crate::message::fill;
use crate::seats::Tier;
use crate::view::Record;
use crate::world::World;

/// A rule as data: what it finds. It writes nothing; a [`Settler`] does when somebody has chosen.
#[derive(Debug)]
pub struct Rule {
    /// The kind of record that it looks at; none: any.
    pub of: Option<Word>,
    /// The kinds of conflict that it yields.
    pub finds: &'static [Word],
    pub help: Label,
    pub find: Find,
}

/// What a rule has to say of a record.
pub type Find = for<'w> fn(&'w Record, &'w dyn World) -> Vec<Finding<'w>>;

#[must_use]
pub const fn rule(of: Word, finds: &'static [Word], find: Find) -> Rule {
    Rule { of: Some(of), ..rule_of_any(finds, find) }
}

/// As [`rule`], of records of any kind.
#[must_use]
pub const fn rule_of_any(finds: &'static [Word], find: Find) -> Rule {
    Rule { of: None, finds, help: label("", ""), find }
}

impl Rule {
    /// What it finds, in general.
    #[must_use]
    pub const fn help(self, zh: &'static str, en: &'static str) -> Self {
        Rule { help: label(zh, en), ..self }
    }
}

/// What a rule says of a conflict; concluding adds what follows.
#[derive(Debug)]
pub struct Finding<'w> {
    conflict: Conflict,
    subject: &'w Record,
    also: Vec<OpId>,
}

impl<'w> Finding<'w> {
    /// In a record, about a field of it, or about what is written as one.
    #[must_use]
    pub fn hard(kind: &Word, subject: &'w Record, field: impl Into<String>) -> Self {
        Finding::new(kind, Severity::Hard, subject, field.into())
    }

    /// As [`Finding::hard`], of something that nobody needs to settle at once.
    #[must_use]
    pub fn advisory(kind: &Word, subject: &'w Record, field: impl Into<String>) -> Self {
        Finding::new(kind, Severity::Advisory, subject, field.into())
    }

    fn new(kind: &Word, severity: Severity, subject: &'w Record, field: String) -> Self {
        let conflict = Conflict {
            id: ConflictId::of(kind.name, subject.id, &BTreeSet::new()),
            kind: kind.name.to_owned(),
            severity,
            subject: subject.id,
            field,
            values: Vec::new(),
            provisional: serde_json::Value::Null,
            resolver: None,
            anchors: BTreeSet::from([subject.id]),
            explanation: Explanation::new("", ""),
            quotes: BTreeSet::new(),
        };
        Finding { conflict, subject, also: Vec::new() }
    }

    /// What disagrees, and what people choose among. The conflict's id is made of it.
    #[must_use]
    pub fn between(mut self, values: impl IntoIterator<Item = ConflictValue>) -> Self {
        self.conflict.values.extend(values);
        self
    }

    /// Operations that are no choice, but without which this would be another disagreement; they are part of the id too.
    #[must_use]
    pub fn also(mut self, ops: impl IntoIterator<Item = OpId>) -> Self {
        self.also.extend(ops);
        self
    }

    /// What is shown until it is settled.
    #[must_use]
    pub fn meanwhile(mut self, provisional: impl Into<serde_json::Value>) -> Self {
        self.conflict.provisional = provisional.into();
        self
    }

    /// By the lowest seat, of a township or above, over everybody that the subject names and these.
    #[must_use]
    pub fn settled_above(self, others: impl IntoIterator<Item = SeatId>, world: &dyn World) -> Self {
        let resolver = resolver(self.subject, others, world);
        self.settled_by(resolver)
    }

    /// By this seat or a superior of it; none: by the word of each party.
    #[must_use]
    pub fn settled_by(mut self, resolver: Option<SeatId>) -> Self {
        self.conflict.resolver = resolver;
        self
    }

    /// The records that it is derived from beside the subject.
    #[must_use]
    pub fn anchored_in(mut self, records: impl IntoIterator<Item = RecordId>) -> Self {
        self.conflict.anchors.extend(records);
        self
    }

    /// Records beside the anchors that the explanation names.
    #[must_use]
    pub fn naming(mut self, records: impl IntoIterator<Item = RecordId>) -> Self {
        self.conflict.quotes.extend(records);
        self
    }

    /// The explanation, with names in its places as in a message.
    #[must_use]
    pub fn says(mut self, zh: &'static str, en: &'static str, names: &[Explanation]) -> Self {
        self.conflict.explanation = fill(label(zh, en), names);
        self
    }

    /// The conflict, unless it was settled in the subject by a seat that may.
    pub(crate) fn conclude(self, world: &dyn World) -> Option<Conflict> {
        let Finding { mut conflict, subject, also } = self;
        let ops: BTreeSet<OpId> = conflict.values.iter().map(ConflictValue::op_id).chain(also).collect();
        conflict.id = ConflictId::of(&conflict.kind, subject.id, &ops);
        (!is_settled(conflict.id, subject, conflict.resolver, world)).then_some(conflict)
    }
}

fn is_settled(id: ConflictId, subject: &Record, resolver: Option<SeatId>, world: &dyn World) -> bool {
    let settlements = subject.history.visible(Container::Log, &id.settle_key());
    let by = |above: SeatId| {
        let seats = settlements.iter().filter_map(|settlement| world.seat_of(settlement.id.actor));
        seats.into_iter().any(|seat| world.seats().is_at_or_above(seat, above))
    };
    match resolver {
        Some(resolver) => by(resolver),
        // Without a common superior it takes the word of each party.
        None => {
            let mut parties = subject.view.named().filter(|party| world.seats().get(*party).is_some()).peekable();
            parties.peek().is_some() && parties.all(by)
        }
    }
}

/// Who decides about a record: the lowest seat, of a township or above, over everybody that the record names and `others`.
fn resolver(record: &Record, others: impl IntoIterator<Item = SeatId>, world: &dyn World) -> Option<SeatId> {
    let seats = world.seats();
    let lowest = seats.common_superior(record.view.named().chain(others))?;
    seats.upward(lowest).find(|at| seats.get(*at).is_some_and(|s| s.tier <= Tier::Township))
}

/// Names in one sentence: of many the first, and how many more there are.
#[must_use]
pub fn listed(names: impl IntoIterator<Item = impl Into<Explanation>>) -> Explanation {
    let names: Vec<_> = names.into_iter().collect();
    listed_of(names.len(), names)
}

/// As [`listed`], where not all of so many are given.
#[must_use]
pub fn listed_of(total: usize, names: impl IntoIterator<Item = impl Into<Explanation>>) -> Explanation {
    const NAMED: usize = 8;
    let first = names.into_iter().take(NAMED).map(Into::into);
    let (zh, en): (Vec<_>, Vec<_>) = first.map(|Explanation { zh, en }| (zh, en)).unzip();
    let (told, zh, en) = (zh.len(), zh.join(" / "), en.join(" / "));
    match total.saturating_sub(told) {
        0 => Explanation::new(zh, en),
        more => Explanation::new(format!("{zh},另有 {more} 个"), format!("{en} and {more} more")),
    }
}

/// The title of a record, or its short id if it is not here; of none, nothing.
#[must_use]
pub fn title(id: impl Into<Option<RecordId>>, world: &dyn World) -> Explanation {
    let titled = |id: RecordId| world.record(id).map_or_else(|| id.short(), Record::title);
    id.into().map(titled).unwrap_or_default().into()
}
