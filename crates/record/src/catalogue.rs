//! The content that the mechanism works with: kinds, commands and rules, as one value that is handed down from `main`.
//! What of it hangs together is checked when it is made.

use std::collections::{BTreeMap, BTreeSet};

use crate::command::request::HIDDEN_CHARACTER;
use crate::command::write::TOO_LARGE;
use crate::command::{
    Asker, Command, Declared, HardRule, Plan, Planner, Request, Settler, Subject, generic, misnamed, refusal, settle,
    typed, unfit,
};
use crate::conflict::{Conflict, Explanation};
use crate::gate::{DECLARATIONS_MAX, Digests, Gate, KIND_BYTES_MAX};
use crate::id::{RecordId, SeatId};
use crate::kind::{Field, Kind, Label, Listing, Merge, ValueType, Word};
use crate::ledger::Ledger;
use crate::listing::{self, LISTED_CHARS_MAX};
use crate::message::{Message, Refusal};
use crate::naming::{kind_called, kind_of};
use crate::rule::Rule;
use crate::sight::Seen;
use crate::world::World;
use crate::{diverged_decision, diverged_field, diverged_part};

/// What one file of the content declares: as a rule a kind, with what belongs to it.
#[derive(Debug)]
pub struct Section {
    pub kinds: &'static [&'static Kind],
    pub commands: &'static [Command],
    pub rules: &'static [Rule],
    pub settlers: &'static [Settler],
    pub messages: &'static [&'static Message],
    /// Of records of its kinds.
    pub hard_rules: &'static [HardRule],
    /// Who stands in for a seat on a day, as its records say. One section says it, or none.
    pub deputy_of: Option<DeputyOf>,
    pub ledgers: &'static [Ledger],
}

/// The deputy of a seat on a day.
pub type DeputyOf = fn(&dyn World, SeatId, &str) -> Option<SeatId>;

impl Section {
    #[must_use]
    pub const fn ledgers(self, ledgers: &'static [Ledger]) -> Self {
        Section { ledgers, ..self }
    }

    #[must_use]
    pub const fn hard_rules(self, hard_rules: &'static [HardRule]) -> Self {
        Section { hard_rules, ..self }
    }

    #[must_use]
    pub const fn deputies(self, deputy_of: DeputyOf) -> Self {
        Section { deputy_of: Some(deputy_of), ..self }
    }
}

#[must_use]
pub const fn section(
    kinds: &'static [&'static Kind],
    commands: &'static [Command],
    rules: &'static [Rule],
    settlers: &'static [Settler],
    messages: &'static [&'static Message],
) -> Section {
    Section { kinds, commands, rules, settlers, messages, hard_rules: &[], deputy_of: None, ledgers: &[] }
}

/// Everything that a version of the program knows of records.
#[derive(Debug)]
pub struct Catalogue {
    kinds: Vec<&'static Kind>,
    commands: Vec<&'static Command>,
    rules: Vec<&'static Rule>,
    settlers: Vec<&'static Settler>,
    messages: Vec<&'static Message>,
    /// By the name of the kind.
    hard_rules: BTreeMap<&'static str, &'static [HardRule]>,
    deputy_of: Option<DeputyOf>,
    ledgers: Vec<&'static Ledger>,
    digests: Digests,
}

/// Why kinds, commands and rules do not make a catalogue: a mistake of whoever declared them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    #[error("{0:?} is declared twice")]
    Twice(String),
    #[error("{at} names {name:?}, which is not declared")]
    Unknown { at: String, name: String },
    #[error("the versions of {0:?} do not ascend to its own")]
    Versions(&'static str),
    #[error("{0:?} has too long a name, or one version too many: other nodes take no hello that is longer")]
    TooMuch(String),
}

impl Catalogue {
    /// What is for any kind ([`generic`], [`settle`], [`diverged_field`] and its like) is part of every catalogue, after the commands of the
    /// content and before its rules.
    pub fn new(sections: &[&Section]) -> Result<Self, CatalogueError> {
        let commands = sections.iter().flat_map(|section| section.commands);
        let rules = sections.iter().flat_map(|section| section.rules);
        let settlers = sections.iter().flat_map(|section| section.settlers);
        let messages = sections.iter().flat_map(|section| section.messages).copied();
        let hard_rules =
            sections.iter().flat_map(|section| section.kinds.iter().map(|kind| (kind.name, section.hard_rules)));
        let kinds: Vec<&'static Kind> = sections.iter().flat_map(|section| section.kinds).copied().collect();
        let catalogue = Catalogue {
            digests: Digests::of(&kinds),
            kinds,
            commands: commands.chain(settle::COMMANDS).chain(generic::COMMANDS).collect(),
            rules: [&diverged_field::RULE, &diverged_part::RULE, &diverged_decision::RULE]
                .into_iter()
                .chain(rules)
                .collect(),
            settlers: [&diverged_field::SETTLER, &diverged_part::SETTLER, &diverged_decision::SETTLER]
                .into_iter()
                .chain(settlers)
                .collect(),
            messages: own_messages().chain(messages).collect(),
            hard_rules: hard_rules.collect(),
            deputy_of: sections.iter().find_map(|section| section.deputy_of),
            ledgers: sections.iter().flat_map(|section| section.ledgers).collect(),
        };
        catalogue.check()?;
        Ok(catalogue)
    }

    /// Plans a command: what it writes, or why not. `world` is all that is here; the command sees of it what its asker may.
    pub fn plan(&self, request: &Request, asker: &Asker, world: &dyn World) -> Result<Plan, Refusal> {
        let known = || self.commands().map(|command| command.name);
        let command = self.command(&request.name);
        let command = command.ok_or_else(|| Refusal::unknown_command(&request.name, known()))?;
        let request = request.normal()?;
        self.check_deputy(asker, world)?;
        let seen = Seen::new(world, &asker.sight);
        let mut planner = Planner::new(command, self, &request, asker, &seen, world);
        planner.check_subject()?;
        planner.check_arguments()?;
        (command.run)(&mut planner)?;
        planner.finish()
    }

    /// Whoever acts in the name of another seat stands in for it: it has no node and this is the nearest that has one, or its
    /// records say so. What he may write is judged as for that seat; admission asks no more than whether he is above it.
    fn check_deputy(&self, asker: &Asker, world: &dyn World) -> Result<(), Refusal> {
        let Some(deputy) = asker.deputy else { return Ok(()) };
        let seats = world.seats();
        let is_above = deputy.seat != asker.seat && seats.is_at_or_above(deputy.seat, asker.seat);
        let is_named = || self.deputy_of.and_then(|of| of(world, asker.seat, &asker.today)) == Some(deputy.seat);
        if is_above && (deputy.keeper == deputy.seat || is_named()) {
            return Ok(());
        }
        Err(Refusal::no_deputy(&seats.name(deputy.seat), &seats.name(asker.seat)))
    }

    /// In the order in which help lists them.
    pub fn kinds(&self) -> impl Iterator<Item = &'static Kind> {
        self.kinds.iter().copied()
    }

    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&'static Kind> {
        kind_of(&self.kinds, name)
    }

    /// What decides verdicts, by kind and version, for other nodes to compare with theirs.
    #[must_use]
    pub fn digests(&self) -> &Digests {
        &self.digests
    }

    /// Another one: other things are listed of records.
    #[must_use]
    pub fn listing_stamp(&self) -> [u8; 16] {
        listing::stamp(self.kinds())
    }

    /// The kind of this code, or of this name in either language.
    #[must_use]
    pub fn kind_called(&self, text: &str) -> Option<&'static Kind> {
        kind_called(&self.kinds, text)
    }

    /// What people read for a kind; one that this version does not know has its code alone.
    #[must_use]
    pub fn say_kind(&self, name: &str) -> Explanation {
        self.kind(name).map_or_else(|| Explanation::new(name, name), |kind| kind.label.into())
    }

    /// What people read for a path, whichever kind has it.
    #[must_use]
    pub fn say_path(&self, path: &str) -> Option<Explanation> {
        self.kinds().find_map(|kind| kind.say_path(path))
    }

    /// In the order in which help lists them.
    pub fn commands(&self) -> impl Iterator<Item = &'static Command> {
        self.commands.iter().copied()
    }

    #[must_use]
    pub fn command(&self, name: &str) -> Option<&'static Command> {
        self.commands().find(|command| command.name == name)
    }

    pub fn rules(&self) -> impl Iterator<Item = &'static Rule> {
        self.rules.iter().copied()
    }

    /// The rule that yields conflicts of this kind.
    #[must_use]
    pub fn rule_of(&self, finding: &str) -> Option<&'static Rule> {
        self.rules().find(|rule| rule.finds.iter().any(|word| word.name == finding))
    }

    /// In the order in which help lists them.
    pub fn ledgers(&self) -> impl Iterator<Item = &'static Ledger> {
        self.ledgers.iter().copied()
    }

    /// The ledger of this code, or of this name in either language.
    #[must_use]
    pub fn ledger(&self, text: &str) -> Option<&'static Ledger> {
        self.ledgers().find(|ledger| ledger.word.name == text || ledger.word.label.is(text))
    }

    /// The open conflicts that have a record as an anchor.
    #[must_use]
    pub fn conflicts(&self, record: RecordId, world: &dyn World) -> Vec<Conflict> {
        let found = world.record(record).into_iter().flat_map(|record| {
            let rules = self.rules().filter(|rule| rule.of.is_none_or(|kind| record.is_a(kind)));
            rules.flat_map(move |rule| (rule.find)(record, world))
        });
        found.filter_map(|finding| finding.conclude(world)).collect()
    }

    /// What a choice in such a conflict brings about.
    #[must_use]
    pub fn settler(&self, finding: &str) -> Option<&'static Settler> {
        self.settlers.iter().copied().find(|settler| settler.of == finding)
    }

    /// Everything that a rule may find.
    pub fn findings(&self) -> impl Iterator<Item = &'static Word> {
        self.rules().flat_map(|rule| rule.finds)
    }

    /// What a finding is in general, for who may not see every record that its explanation names.
    #[must_use]
    pub fn in_general(&self, finding: &str) -> Option<Explanation> {
        let Label { zh, en } = self.rule_of(finding)?.help;
        Some(Explanation::new(format!("{zh}。"), format!("{en}.")))
    }

    fn check(&self) -> Result<(), CatalogueError> {
        if let Some((kind, ..)) = self.digests.iter().nth(DECLARATIONS_MAX) {
            return Err(CatalogueError::TooMuch(kind.to_owned()));
        }
        let findings = self.findings().map(|word| word.name);
        unique("", self.kinds().map(|k| k.name))?;
        unique("", self.commands().map(|c| c.name).chain(findings))?;
        unique("", self.ledgers().map(|ledger| ledger.word.name))?;
        unique("", self.settlers.iter().map(|settler| settler.of))?;
        let is_found = |settler: &&Settler| self.findings().any(|word| word.name == settler.of);
        self.settlers.iter().try_for_each(|settler| self.check_known("a settler", settler.of, is_found(settler)))?;
        for message in &self.messages {
            let is_whole = message.texts().all(|text| !text.is_empty());
            self.check_known(message.code, "one of its texts", is_whole)?;
            let has_no_gap = message.places().into_iter().eq(0..message.places().len());
            self.check_known(message.code, "a place before one that it has", has_no_gap)?;
        }
        self.kinds().try_for_each(|kind| self.check_kind(kind))?;
        for command in self.commands() {
            unique(command.name, command.arguments.iter().map(|argument| argument.name))?;
            command.arguments.iter().try_for_each(|argument| self.check_value(command.name, argument.value))?;
            if let Subject::Of(kind) = command.subject {
                self.check_value(command.name, ValueType::Record(kind))?;
            }
        }
        Ok(())
    }

    fn check_kind(&self, kind: &Kind) -> Result<(), CatalogueError> {
        let versions: Vec<u32> = kind.gates().map(|gate| gate.version).collect();
        if versions[0] == 0 || !versions.is_sorted_by(|one, next| one < next) {
            return Err(CatalogueError::Versions(kind.name));
        }
        if kind.name.len() > KIND_BYTES_MAX {
            return Err(CatalogueError::TooMuch(kind.name.to_owned()));
        }
        self.check_listing(kind)?;
        kind.gates().try_for_each(|gate| self.check_gate(gate))
    }

    /// What is to be listed can be: one value, open, and short enough to be kept whole.
    fn check_listing(&self, kind: &Kind) -> Result<(), CatalogueError> {
        let asked = kind.own.iter().filter(|field| field.listing != Listing::None);
        asked.copied().try_for_each(|field| {
            let is_short = !matches!(field.value, ValueType::Text(chars) if chars > LISTED_CHARS_MAX);
            let is_state = matches!(field.merge, Merge::State(_));
            let can = kind.column(field.name).is_some() && (is_short || is_state);
            self.check_known(kind.name, &format!("{} as a column", field.name), can)
        })
    }

    fn check_gate(&self, gate: Gate) -> Result<(), CatalogueError> {
        unique(gate.kind, gate.fields().map(|field| field.name))?;
        for field in gate.fields() {
            let at = format!("{}/{}", gate.kind, field.name);
            self.check_value(&at, field.value)?;
            self.check_parts(&at, field)?;
            self.check_entry_states(&at, field)?;
            if let Merge::State(machine) = field.merge {
                unique(&at, machine.states.iter().map(|state| state.name))?;
                let from = machine.states.iter().flat_map(|state| state.from);
                from.copied().try_for_each(|name| self.check_known(&at, name, machine.state(name).is_some()))?;
            }
        }
        Ok(())
    }

    fn check_parts(&self, at: &str, field: &Field) -> Result<(), CatalogueError> {
        unique(at, field.parts().iter().map(|part| part.name))?;
        for part in field.parts() {
            self.check_value(at, part.value)?;
            self.check_known(at, part.of, part.of == field.name)?;
            let mut named = part.closed_by.iter().chain(&part.takes_ownership);
            named.try_for_each(|name| self.check_known(at, name, field.part(name).is_some()))?;
        }
        Ok(())
    }

    fn check_entry_states(&self, at: &str, field: &Field) -> Result<(), CatalogueError> {
        unique(at, field.states.iter().map(|state| state.word.name))?;
        for state in field.states {
            state.by.iter().try_for_each(|name| self.check_known(at, name, field.part(name).is_some()))?;
            let mut others = state.from.iter().copied().chain(state.instead_of.map(|(other, _)| other));
            others.try_for_each(|name| self.check_known(at, name, field.entry_state(name).is_some()))?;
        }
        Ok(())
    }

    fn check_value(&self, at: &str, value: ValueType) -> Result<(), CatalogueError> {
        match value {
            ValueType::Record(kind) | ValueType::Unit(kind) => {
                self.check_known(at, kind.name, self.kind(kind.name).is_some_and(|known| known.label == kind.label))
            }
            _ => Ok(()),
        }
    }

    fn check_known(&self, at: &str, name: &str, is_known: bool) -> Result<(), CatalogueError> {
        let unknown = || CatalogueError::Unknown { at: at.to_owned(), name: name.to_owned() };
        if is_known { Ok(()) } else { Err(unknown()) }
    }
}

impl Declared for Catalogue {
    fn kinds(&self) -> &[&'static Kind] {
        &self.kinds
    }

    fn hard_rules(&self, kind: &str) -> &[HardRule] {
        self.hard_rules.get(kind).copied().unwrap_or_default()
    }

    fn conflicts(&self, record: RecordId, world: &dyn World) -> Vec<Conflict> {
        self.conflicts(record, world)
    }

    fn settler(&self, finding: &str) -> Option<&'static Settler> {
        self.settler(finding)
    }

    fn say_finding(&self, finding: &str) -> Explanation {
        let known = self.findings().find(|word| word.name == finding);
        known.map_or_else(|| finding.into(), |word| word.label.into())
    }

    fn say_choice(&self, conflict: &Conflict, choice: &str) -> Explanation {
        let choices = self.settler(&conflict.kind).map_or(&[][..], |settler| settler.choices);
        let own = choices.iter().find(|word| word.name == choice).map(|word| word.label.into());
        let of_field = || self.kinds().find_map(|kind| kind.say_value(&conflict.field, choice));
        own.or_else(of_field).unwrap_or_else(|| choice.into())
    }
}

/// The messages of the mechanism itself.
fn own_messages() -> impl Iterator<Item = &'static Message> {
    let own: &[&Message] = &[&HIDDEN_CHARACTER, &TOO_LARGE];
    let rooms = [
        refusal::MESSAGES,
        misnamed::MESSAGES,
        typed::MESSAGES,
        unfit::MESSAGES,
        generic::MESSAGES,
        settle::MESSAGES,
        own,
    ];
    rooms.into_iter().flatten().copied()
}

fn unique(at: &str, names: impl Iterator<Item = &'static str>) -> Result<(), CatalogueError> {
    let mut seen = BTreeSet::new();
    match names.into_iter().find(|name| !seen.insert(*name)) {
        Some(name) => Err(CatalogueError::Twice(format!("{at} {name}").trim_start().to_owned())),
        None => Ok(()),
    }
}
