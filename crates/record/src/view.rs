//! What a record says: its history folded by its kind into plain values, for people, downstream systems and rules.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::change::{Container, Scalar};
use crate::decision;
use crate::derived::{Derived, Folding, Plain, as_type};
use crate::entry::Entry;
use crate::hash::hash;
use crate::history::{History, SHOWN, Visible, shown};
use crate::id::{Preimage, RecordId, SeatId};
use crate::kind::{ENTRY_NUMBER, ENTRY_STATE, Field, Kind, Merge, ValueType, Word};
use crate::scope::{Scope, is_in};
use crate::sealed;
use crate::seats::Seats;
use crate::value::to_json;

/// The plain result of folding a record. The same changes give the same view, in whatever order they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub record: RecordId,
    pub kind: String,
    /// Never empty: a record that nobody says he owns is its birth seat's.
    pub owners: BTreeSet<SeatId>,
    pub seats: BTreeSet<SeatId>,
    pub public: bool,
    /// The fields by name: sets as lists, entries as objects by entry. Of concurrent values the provisional one, beside
    /// `<field>_concurrent` with all, or, of very many, the first and `<field>_concurrent_count`.
    pub json: Value,
    /// Records that this one points to.
    pub refs: BTreeSet<RecordId>,
    /// Changes when something changes that the rules of *other* records read here.
    pub signal: [u8; 8],
}

impl View {
    /// As a store keeps it: what is there for rules is left out.
    #[must_use]
    pub fn stored(record: RecordId, kind: &str, scope: &Scope, json: &[u8]) -> Self {
        View {
            record,
            kind: kind.to_owned(),
            owners: scope.owners.clone(),
            seats: scope.seats.clone(),
            public: scope.public,
            json: serde_json::from_slice(json).unwrap_or_default(),
            refs: BTreeSet::new(),
            signal: [0; 8],
        }
    }

    /// Owners and those who take part.
    pub fn named(&self) -> impl Iterator<Item = SeatId> + '_ {
        self.owners.iter().chain(&self.seats).copied()
    }

    /// What it says in a place that holds a text; empty: nothing.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.json.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The name that people know the record by, or its short id.
    #[must_use]
    pub fn title(&self) -> String {
        match self.text("name") {
            "" => self.record.short(),
            name => name.to_owned(),
        }
    }
}

/// A sealed field of a record that says something.
#[derive(Clone, Debug)]
pub struct SealedPlace {
    /// What the values are sealed to, beside the record: the field's key.
    pub path: String,
    pub field: &'static Field,
    /// Every visible value, the one that the view shows last. More than one: they are concurrent.
    pub values: Vec<Vec<u8>>,
}

/// A record that is open: its history and what it says.
#[derive(Clone, Debug)]
pub struct Record {
    pub id: RecordId,
    pub preimage: Preimage,
    pub history: Arc<History>,
    pub view: View,
    /// What its kind makes of it; [`Record::read_as`] gives it as its type.
    pub derived: Arc<dyn Derived>,
    kind: Option<&'static Kind>,
}

impl Record {
    #[must_use]
    /// `kind` is that of the preimage; none: this version does not know it, and only the scope can be read.
    pub fn fold(
        kind: Option<&'static Kind>,
        preimage: Preimage,
        history: impl Into<Arc<History>>,
        seats: &Seats,
    ) -> Self {
        let history = history.into();
        let mut scope = Scope::of(&*history);
        if scope.owners.is_empty() {
            scope.owners.insert(preimage.birth);
        }
        let folding = Folding { preimage: &preimage, history: &history, scope: &scope, seats };
        let id = preimage.id();
        let mut json = Map::new();
        let mut refs = BTreeSet::new();
        let derived: Arc<dyn Derived> = match kind {
            Some(kind) => {
                let derived = (kind.read)(&folding);
                fold_fields(kind, &history, &mut json, &mut refs);
                fold_entry_states(kind, &*derived, &history, &mut json);
                derived.annotate(&mut json);
                derived
            }
            None => Arc::new(Plain),
        };
        let signal = kind.map_or([0; 8], |kind| signal(kind, &history, &scope));
        let view = View {
            record: id,
            kind: preimage.kind.clone(),
            owners: scope.owners,
            seats: scope.seats,
            public: scope.public,
            json: Value::Object(json),
            refs,
            signal,
        };
        Record { id, preimage, history, view, derived, kind }
    }

    #[must_use]
    pub fn kind(&self) -> Option<&'static Kind> {
        self.kind
    }

    #[must_use]
    pub fn is_a(&self, kind: Word) -> bool {
        self.kind.is_some_and(|known| known.name == kind.name)
    }

    /// What its kind makes of it, if that is of this type.
    #[must_use]
    pub fn read_as<T: Derived>(&self) -> Option<&T> {
        as_type(&*self.derived)
    }

    /// Whether an entry still waits for a seat, which therefore has to go on seeing the record.
    #[must_use]
    pub fn waits_for(&self, seat: SeatId) -> bool {
        let waiting = self.kind.into_iter().flat_map(Kind::fields).filter_map(|field| Some((field, field.waits_for?)));
        waiting.into_iter().any(|(field, part)| {
            let names = |at: &Entry<'_>| at.value(part).and_then(Scalar::as_seat) == Some(seat);
            let is_open = |at: &Entry<'_>| field.state_of(at, &*self.derived).is_some_and(|state| state.open);
            Entry::all(&self.history, field.name).iter().any(|at| names(at) && is_open(at))
        })
    }

    /// The sealed fields that say something now: what a reader opens.
    #[must_use]
    pub fn sealed_places(&self) -> Vec<SealedPlace> {
        let fields = self.kind.into_iter().flat_map(Kind::fields).filter(|field| field.sealed);
        let place = |field: &'static Field| {
            let visible = self.history.visible(field.merge.container(), field.name).iter();
            let bytes = visible.filter_map(|at| at.value.as_bytes()).filter(|bytes| sealed::key_of(bytes).is_some());
            let values: Vec<Vec<u8>> = bytes.map(<[u8]>::to_vec).collect();
            (!values.is_empty()).then(|| SealedPlace { path: field.name.to_owned(), field, values })
        };
        fields.filter_map(place).collect()
    }

    /// The name that people know the record by, or its short id.
    #[must_use]
    pub fn title(&self) -> String {
        self.view.title()
    }
}

/// Of what the rules of other records read here, and whose the record is.
fn signal(kind: &Kind, history: &History, scope: &Scope) -> [u8; 8] {
    let mut short = [0; 8];
    if kind.read_by_others.is_empty() {
        return short;
    }
    let mut read: Vec<u8> = Vec::with_capacity(512);
    for field in kind.read_by_others {
        let is_its = |key: &str| key.len() == field.name.len() || key.as_bytes()[field.name.len()] == b'/';
        for (key, values) in history.keys(field.merge.container(), field.name).filter(|(key, _)| is_its(key)) {
            read.extend_from_slice(key.as_bytes());
            for at in values {
                read.extend_from_slice(&at.id.counter.to_le_bytes());
                read.extend_from_slice(&at.id.actor.0);
            }
        }
    }
    if read.is_empty() {
        return short;
    }
    let owners: Vec<u8> = scope.owners.iter().flat_map(|owner| owner.0).collect();
    short.copy_from_slice(&hash("heliu signal 1", &[&read, &owners])[..8]);
    short
}

/// What each entry of a workflow is now.
fn fold_entry_states(kind: &Kind, derived: &dyn Derived, history: &History, json: &mut Map<String, Value>) {
    for field in kind.fields().filter(|field| !field.states.is_empty()) {
        let Some(entries) = json.get_mut(field.name).and_then(Value::as_object_mut) else { continue };
        for (at, number) in Entry::numbered(history, field.name).into_iter().zip(1u64..) {
            if let (Some(state), Some(Value::Object(parts))) = (field.state_of(&at, derived), entries.get_mut(at.name))
            {
                parts.insert(ENTRY_STATE.name.to_owned(), state.word.name.into());
                parts.insert(ENTRY_NUMBER.name.to_owned(), number.into());
            }
        }
    }
}

/// The plain fields. Only what is there is visited, so a sparse record costs little.
fn fold_fields(kind: &Kind, history: &History, json: &mut Map<String, Value>, refs: &mut BTreeSet<RecordId>) {
    for container in [Container::Mv, Container::Lww, Container::Aws, Container::Slot, Container::Log] {
        for (key, values) in history.keys(container, "") {
            let (name, rest) = key.split_once('/').unwrap_or((key, ""));
            if let Some(field) = kind.field(name).filter(|f| f.merge.container() == container) {
                fold_key(field, rest, values, json, refs);
            }
        }
    }
    for field in kind.fields() {
        if let Merge::State(machine) = field.merge {
            let standing = decision::fold(machine, history, field.name);
            json.insert(field.name.to_owned(), standing.state.name.into());
            if !standing.since.is_empty() {
                json.insert(format!("{}_since", field.name), standing.since.into());
            }
        }
    }
}

fn fold_key(
    field: &Field,
    rest: &str,
    values: &[Visible],
    json: &mut Map<String, Value>,
    refs: &mut BTreeSet<RecordId>,
) {
    match field.merge {
        Merge::Lww => {
            refer(field.value, values, refs);
            put(json, field.name, provisional(field, values));
        }
        Merge::Mv => {
            refer(field.value, values, refs);
            put(json, field.name, provisional(field, values));
            concurrent(json, field.name, values);
        }
        Merge::Aws if values.iter().any(|v| is_in(&v.value)) => {
            if matches!(field.value, ValueType::Record(_) | ValueType::Unit(_)) {
                refs.extend(rest.parse::<RecordId>().ok());
            }
            if let Value::Array(elements) = json.entry(field.name).or_insert_with(|| Value::Array(Vec::new())) {
                elements.push(rest.into());
            }
        }
        Merge::Slot(_) | Merge::Entries(_) => {
            let Some((entry, name)) = rest.split_once('/') else { return };
            let Some(part) = field.part(name) else { return };
            refer(part.value, values, refs);
            if let Some(entry) = object(json, field.name).and_then(|entries| object(entries, entry)) {
                put(entry, name, values.last().map_or(&Scalar::Null, |v| &v.value));
                concurrent(entry, name, values);
            }
        }
        Merge::Log => {
            if let Some(entries) = object(json, field.name) {
                put(entries, rest, values.last().map_or(&Scalar::Null, |v| &v.value));
            }
        }
        // Out of the set; and states are folded as a whole.
        Merge::Aws | Merge::State(_) => {}
    }
}

/// Of several values the one to show: the field's harmless one if it is among them, else automerge's.
fn provisional<'v>(field: &Field, values: &'v [Visible]) -> &'v Scalar {
    let safe = field.provisional.and_then(|safe| values.iter().find(|v| v.value.as_text() == Some(safe)));
    safe.or(values.last()).map_or(&Scalar::Null, |v| &v.value)
}

fn put(json: &mut Map<String, Value>, name: &str, value: &Scalar) {
    if *value != Scalar::Null {
        json.insert(name.to_owned(), to_json(value));
    }
}

fn concurrent(json: &mut Map<String, Value>, name: &str, values: &[Visible]) {
    if values.len() > 1 {
        let distinct: BTreeSet<&Scalar> = shown(values).map(|v| &v.value).collect();
        if distinct.len() > 1 {
            json.insert(format!("{name}_concurrent"), distinct.into_iter().map(to_json).collect());
        }
        if values.len() > SHOWN {
            json.insert(format!("{name}_concurrent_count"), values.len().into());
        }
    }
}

fn refer(value: ValueType, values: &[Visible], refs: &mut BTreeSet<RecordId>) {
    if matches!(value, ValueType::Record(_) | ValueType::Unit(_)) {
        refs.extend(shown(values).filter_map(|v| v.value.as_record()));
    }
}

/// The object under a name, made if there is none.
pub fn object<'j>(json: &'j mut Map<String, Value>, name: &str) -> Option<&'j mut Map<String, Value>> {
    json.entry(name).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
}
