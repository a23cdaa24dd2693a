//! What of a kind decides verdicts, under one of its versions: a leaf is judged by the version that it cites, so what a later
//! version changes re-judges nothing that stands. And its digest, by which two nodes see whether they declare the same.
//!
//! What has no version, and so may never change for leaves that stand:
//! - [`COMMON`], the fields of every kind: they are in each digest, of earlier versions too, which cannot keep them as they were.
//! - Who may write the scope of a record, in `schema`: it is in no digest.
//! - Code that says which entries are open ([`Gate::read`]): it is in no digest, and versions that share it change together.
//!   Whoever changes it keeps a copy for the earlier versions.

use std::sync::Arc;

use crate::codec::Encoder;
use crate::derived::{Derived, Folding};
use crate::hash::{hash, hash16};
use crate::kind::{COMMON, Class, Field, Kind, Merge, Part, State, StateMachine, ValueType, Writer};

/// A kind as it decides under one version.
#[derive(Clone, Copy, Debug)]
pub struct Gate {
    pub kind: &'static str,
    pub version: u32,
    pub class: Class,
    own: &'static [&'static Field],
    /// Says which entries are open. Code has no digest: whoever changes it keeps the old one with the earlier version.
    pub read: fn(&Folding<'_>) -> Arc<dyn Derived>,
}

/// What two nodes compare: who declares something else under the same version judges differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KindDigest(pub [u8; 32]);

/// Kinds and their versions in one catalogue, and bytes in a kind's name: what other nodes take in a hello.
pub const DECLARATIONS_MAX: usize = 256;
pub const KIND_BYTES_MAX: usize = 64;

/// The digests of kinds by name and version, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    list: Vec<(Box<str>, u32, KindDigest)>,
    stamp: Stamp,
}

/// All digests of a program, in short: one that has another stamp may judge what this one could not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(pub [u8; 8]);

impl Default for Digests {
    fn default() -> Self {
        Digests::in_order(Vec::new())
    }
}

impl Digests {
    /// None: they are not in order, or one is there twice.
    #[must_use]
    pub fn new(list: Vec<(Box<str>, u32, KindDigest)>) -> Option<Self> {
        let is_sorted = list.is_sorted_by(|one, next| (&one.0, one.1) < (&next.0, next.1));
        is_sorted.then(|| Digests::in_order(list))
    }

    fn in_order(list: Vec<(Box<str>, u32, KindDigest)>) -> Self {
        let mut bytes = Encoder::default();
        for (kind, version, digest) in &list {
            bytes.text(kind).varint((*version).into()).fixed(&digest.0);
        }
        let [stamp @ .., _, _, _, _, _, _, _, _] = hash16("heliu kinds 1", &[&bytes.0]);
        Digests { list, stamp: Stamp(stamp) }
    }

    pub(crate) fn of(kinds: &[&'static Kind]) -> Self {
        let gates = kinds.iter().flat_map(|kind| kind.gates());
        let mut list: Vec<_> = gates.map(|gate| (gate.kind.into(), gate.version, gate.digest())).collect();
        list.sort();
        Digests::in_order(list)
    }

    #[must_use]
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    #[must_use]
    pub fn get(&self, kind: &str, version: u32) -> Option<KindDigest> {
        let at = self.list.binary_search_by(|(name, at, _)| (&**name, *at).cmp(&(kind, version))).ok()?;
        Some(self.list[at].2)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, u32, KindDigest)> {
        self.list.iter().map(|(kind, version, digest)| (&**kind, *version, *digest))
    }

    /// Whether a version of a kind is declared that comes after this one.
    fn has_later(&self, kind: &str, version: u32) -> bool {
        self.iter().any(|(other, later, _)| other == kind && later > version)
    }

    /// The kinds and versions that both declare, each in another way; and those that one does not declare although it
    /// declares a later one.
    pub fn differing<'a>(&'a self, other: &'a Digests) -> impl Iterator<Item = (&'a str, u32)> {
        let is_missing = |at: &Digests, kind, version| at.get(kind, version).is_none() && at.has_later(kind, version);
        let differs = move |(kind, version, digest)| match other.get(kind, version) {
            Some(theirs) => theirs != digest,
            None => other.has_later(kind, version),
        };
        let own = self.iter().filter(move |declared| differs(*declared));
        let theirs = other.iter().filter(move |(kind, version, _)| is_missing(self, kind, *version));
        own.chain(theirs).map(|(kind, version, _)| (kind, version))
    }
}

impl Kind {
    /// As leaves are judged that are written now.
    #[must_use]
    pub fn gate(&self) -> Gate {
        Gate { kind: self.name, version: self.version, class: self.class, own: self.own, read: self.read }
    }

    /// As leaves are judged that cite this version; none: no version of this program has declared it.
    #[must_use]
    pub fn at(&self, version: u32) -> Option<Gate> {
        if version == self.version {
            return Some(self.gate());
        }
        let earlier = self.earlier.iter().find(|earlier| earlier.version == version)?;
        Some(Gate { kind: self.name, version, class: earlier.class, own: earlier.own, read: earlier.read })
    }

    /// Under every version that is declared, the oldest first.
    pub fn gates(&self) -> impl Iterator<Item = Gate> {
        self.earlier.iter().filter_map(|earlier| self.at(earlier.version)).chain([self.gate()])
    }
}

impl Gate {
    /// The kind's own fields under this version, then those of every kind.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> {
        self.own.iter().copied().chain(COMMON)
    }

    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields().find(|field| field.name == name)
    }

    /// Over what decides verdicts, and nothing else: not over words for people, nor over the order of declarations.
    #[must_use]
    pub fn digest(&self) -> KindDigest {
        let mut bytes = Encoder::default();
        bytes.text(self.class.name());
        list(&mut bytes, self.fields(), |field| field.name, write_field);
        KindDigest(hash("heliu kind 1", &[self.kind.as_bytes(), &self.version.to_le_bytes(), &bytes.0]))
    }
}

/// In the order of names, framed.
fn list<'t, T: 't>(
    bytes: &mut Encoder,
    items: impl Iterator<Item = &'t T>,
    name: fn(&T) -> &'static str,
    write: fn(&mut Encoder, &T),
) {
    let mut items: Vec<&T> = items.collect();
    items.sort_by_key(|item| name(item));
    bytes.varint(items.len() as u64);
    for item in items {
        bytes.text(name(item));
        write(bytes, item);
    }
}

// What is taken apart without `..`: whoever adds to a declaration says here whether it decides.

fn write_field(bytes: &mut Encoder, field: &Field) {
    let Field {
        name: _,
        merge,
        value,
        writer,
        sealed,
        required: _,
        provisional: _,
        label: _,
        help: _,
        states: _,
        noun: _,
        asked_for: _,
        begun_by: _,
        told_by: _,
        waits_for: _,
        named_after: _,
        listing: _,
    } = field;
    bytes.text(merge.name()).u8((*sealed).into());
    write_value(bytes, *value);
    write_writer(bytes, *writer);
    match merge {
        Merge::Slot(parts) | Merge::Entries(parts) => list(bytes, parts.iter().copied(), |part| part.name, write_part),
        Merge::State(machine @ StateMachine { states }) => {
            list(bytes.text(machine.initial().name), states.iter(), |state| state.name, write_state);
        }
        Merge::Lww | Merge::Mv | Merge::Aws | Merge::Log => {}
    }
}

fn write_part(bytes: &mut Encoder, part: &Part) {
    let Part { of: _, name: _, value, writer, closed_by, takes_ownership, label: _, words: _, has_own_rule: _ } = part;
    write_value(bytes, *value);
    write_writer(bytes, *writer);
    list(bytes, closed_by.iter(), |name| *name, |_, _| {});
    list(bytes, takes_ownership.iter(), |name| *name, |_, _| {});
}

fn write_state(bytes: &mut Encoder, state: &State) {
    let State { name: _, label: _, from, writer, rank, ending, between: _, over_any, means: _ } = state;
    bytes.u8(*rank).u8((*ending).into());
    write_writer(bytes, *writer);
    if *over_any {
        list(bytes, from.iter(), |name| *name, |_, _| {});
    }
}

fn write_value(bytes: &mut Encoder, value: ValueType) {
    match value {
        // In what spelling and within what bounds people may type it is judged where they type it.
        ValueType::Text(max) | ValueType::Name(max) | ValueType::Number(max) => bytes.text("text").varint(max as u64),
        ValueType::Date | ValueType::Past | ValueType::Birth => bytes.text("date"),
        // What is counted is bound where it is typed.
        ValueType::Int | ValueType::Count => bytes.text("int"),
        ValueType::Bool => bytes.text("bool"),
        ValueType::Seat => bytes.text("seat"),
        ValueType::Record(kind) => bytes.text("record").text(kind.name),
        ValueType::Unit(kind) => bytes.text("unit").text(kind.name),
        ValueType::Choice(words) => {
            list(bytes.text("choice"), words.iter(), |word| word.name, |_, _| {});
            bytes
        }
    };
}

fn write_writer(bytes: &mut Encoder, writer: Writer) {
    match writer {
        Writer::Creator => bytes.text("creator"),
        Writer::Owner => bytes.text("owner"),
        Writer::AtLeast(tier) => bytes.text("at-least").text(tier.name()),
        Writer::CommonSuperior => bytes.text("common-superior"),
        Writer::CommonAtLeast(tier) => bytes.text("common-at-least").text(tier.name()),
        Writer::Itself => bytes.text("itself"),
        Writer::Party(part) => bytes.text("party").text(part),
        Writer::Audience => bytes.text("audience"),
    };
}
