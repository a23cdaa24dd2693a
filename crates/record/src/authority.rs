//! Who may make a change: a pure judgement of its paths against the record at the change's own predecessors and the
//! tree of seats. It never looks at the note, another record or a clock.

use std::collections::BTreeSet;

use crate::change::{Change, Container, Scalar};
use crate::decision::Decision;
use crate::derived::Folding;
use crate::gate::Gate;
use crate::history::{Past, Visible};
use crate::id::{Preimage, SeatId};
use crate::kind::{Field, Label, Merge, State, Writer, label};
use crate::reason::{Fact, Facts};
use crate::schema::{self, Place, SchemaError, Written};
use crate::scope::{OWNER, Scope};
use crate::seats::{Seats, Tier};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error("{author} may not create a record of {birth}: only that seat and its superiors may")]
    Creator { author: String, birth: String },
    #[error("the first change of a record must say that its owner is its birth seat, {birth}")]
    FirstOwner { birth: String },
    #[error("{author} may not write {path:?}: {} may", .who.en)]
    NotWriter { path: String, author: String, who: Label },
    #[error("{path:?} may not be written after {after:?} of the same entry")]
    Closed { path: String, after: &'static str },
    #[error("{path:?} cites a decision, {cited:?}, that its author has not seen")]
    Unseen { path: String, cited: String },
}

impl AuthorityError {
    /// What is particular about this one, for people. It may name a field, but holds no values of the record.
    #[must_use]
    pub fn facts(&self) -> Facts {
        match self {
            AuthorityError::Schema(
                SchemaError::UnknownField { field: path, .. }
                | SchemaError::BadPath { key: path, .. }
                | SchemaError::BadValue { key: path, .. }
                | SchemaError::Overwrites { key: path },
            )
            | AuthorityError::Closed { path, .. }
            | AuthorityError::Unseen { path, .. } => Facts::none().and(Fact::Path, path),
            AuthorityError::NotWriter { path, author, .. } => {
                Facts::none().and(Fact::Path, path).and(Fact::Seat, author)
            }
            AuthorityError::Creator { author, .. } => Facts::none().and(Fact::Seat, author),
            AuthorityError::FirstOwner { birth } => Facts::none().and(Fact::Seat, birth),
        }
    }
}

/// Judges a change by the seat of its author, as the version of the kind decides that it cites. `at` is the record's state at
/// exactly the change's predecessors.
pub fn may(
    author: SeatId,
    change: &Change,
    preimage: &Preimage,
    at: &Past<'_>,
    gate: Gate,
    seats: &Seats,
) -> Result<(), AuthorityError> {
    let written: Vec<Written<'_>> = change.puts.iter().map(Written::from).collect();
    may_write(author, &written, preimage, at, gate, seats)
}

/// As [`may`], for what is not a change yet.
pub fn may_write(
    author: SeatId,
    written: &[Written<'_>],
    preimage: &Preimage,
    at: &Past<'_>,
    gate: Gate,
    seats: &Seats,
) -> Result<(), AuthorityError> {
    let first = at.is_empty();
    let mut scope = Scope::of(at);
    if first {
        check_first(author, written, preimage, seats)?;
        scope.owners.insert(preimage.birth);
    }
    let judge = Judge { author, first, scope, written, preimage, at, gate, seats };
    for put in written {
        let rule = schema::check(gate, *put)?;
        judge.check_open(&rule.place, put.key)?;
        judge.check_cites(&rule.place, put.key)?;
        if !judge.allows_path(&rule.place, rule.writer) {
            let who = describe(rule.writer);
            return Err(AuthorityError::NotWriter { path: put.key.to_owned(), author: seats.name(author), who });
        }
    }
    Ok(())
}

fn check_first(
    author: SeatId,
    written: &[Written<'_>],
    preimage: &Preimage,
    seats: &Seats,
) -> Result<(), AuthorityError> {
    let birth = preimage.birth;
    if !seats.is_at_or_above(author, birth) {
        return Err(AuthorityError::Creator { author: seats.name(author), birth: seats.name(birth) });
    }
    let mut owners = written.iter().filter(|w| w.container == Container::Scope && w.key == OWNER);
    match owners.next() {
        Some(owner) if owner.value.as_seat() == Some(birth) && owners.next().is_none() => Ok(()),
        _ => Err(AuthorityError::FirstOwner { birth: seats.name(birth) }),
    }
}

struct Judge<'a> {
    author: SeatId,
    first: bool,
    /// At the change's predecessors.
    scope: Scope,
    written: &'a [Written<'a>],
    preimage: &'a Preimage,
    at: &'a Past<'a>,
    gate: Gate,
    seats: &'a Seats,
}

impl Judge<'_> {
    fn allows_path(&self, place: &Place<'_>, writer: Writer) -> bool {
        match place {
            // The creator says for whom the record is; `check_first` has seen that the owner is the birth seat.
            Place::Class | Place::Owner(_) | Place::Participant { .. } if self.first => true,
            // A record goes to another seat by its receipt, or by a superior of that seat too: nobody pushes it on others.
            Place::Owner(seat) => (self.allows(writer, None) && self.is_above(*seat)) || self.takes_ownership(*seat),
            // Whoever supersedes a decision must have been able to take it.
            Place::Decision { field, state, decision } => {
                let may = |cited: &State| {
                    (state.over_any && state.from.contains(&cited.name)) || self.allows(cited.writer, None)
                };
                self.allows(writer, None) && self.cited(field, decision).all(may)
            }
            Place::Entry { field, entry, .. } => self.allows(writer, Some((field, Key::Entry(entry)))),
            Place::Slot { field, seat, .. } => self.allows(writer, Some((field, Key::Seat(*seat)))),
            // Two that each made the record may differ in what only its creator writes; a superior says which it is.
            Place::Field(field) if writer == Writer::Creator && self.differs(field) => {
                self.allows(Writer::CommonAtLeast(Tier::Township), None)
            }
            Place::Class | Place::Participant { .. } | Place::Field(_) | Place::Element { .. } | Place::Log { .. } => {
                self.allows(writer, None)
            }
        }
    }

    fn allows(&self, writer: Writer, key: Option<(&Field, Key<'_>)>) -> bool {
        match (writer, key) {
            (Writer::Creator, _) => self.first,
            (Writer::Owner, _) => self.owns(),
            (Writer::AtLeast(tier), _) => self.is_at_least(tier) && self.owns(),
            (Writer::CommonSuperior, _) => self.is_common_superior(),
            (Writer::CommonAtLeast(tier), _) => self.is_at_least(tier) && self.is_common_superior(),
            (Writer::Itself, Some((_, Key::Seat(seat)))) => self.is_above(seat) && self.is_in_audience(),
            (Writer::Party(part), Some((field, Key::Entry(entry)))) => {
                self.is_in_audience() && self.parties(field, entry, part).iter().any(|party| self.acts_for(*party))
            }
            (Writer::Audience, _) => self.is_in_audience(),
            (Writer::Itself | Writer::Party(_), _) => false,
        }
    }

    fn is_above(&self, seat: SeatId) -> bool {
        self.seats.is_at_or_above(self.author, seat)
    }

    fn owns(&self) -> bool {
        self.scope.owners.iter().any(|owner| self.is_above(*owner))
    }

    fn is_at_least(&self, tier: Tier) -> bool {
        self.seats.get(self.author).is_some_and(|s| s.tier <= tier)
    }

    /// A seat that the author's tree does not know is nobody's, and holds nothing up.
    fn is_common_superior(&self) -> bool {
        let mut known = self.scope.named().filter(|named| self.seats.get(*named).is_some());
        self.owns() && known.all(|named| self.is_above(named))
    }

    fn differs(&self, field: &Field) -> bool {
        self.at.visible(field.merge.container(), field.name).len() > 1
    }

    fn is_in_audience(&self) -> bool {
        self.first || self.scope.has_audience(self.author, self.seats)
    }

    fn acts_for(&self, party: SeatId) -> bool {
        let named = || self.scope.owners.contains(&self.author) || self.scope.seats.contains(&self.author);
        self.is_above(party) || (self.seats.is_at_or_above(party, self.author) && named())
    }

    /// The seats that a part of an entry names: before the change, or, of a new entry, in it.
    fn parties(&self, field: &Field, entry: &str, part: &str) -> BTreeSet<SeatId> {
        let key = format!("{}/{entry}/{part}", field.name);
        let before = self.at.visible(Container::Slot, &key);
        if before.is_empty() {
            let named = self.written.iter().filter(|w| w.container == Container::Slot && w.key == key);
            return named.filter_map(|w| w.value.as_seat()).collect();
        }
        before.iter().filter_map(|v| v.value.as_seat()).collect()
    }

    /// The states of the decisions that one supersedes.
    fn cited<'c>(&'c self, field: &'c Field, decision: &'c Decision<'_>) -> impl Iterator<Item = &'static State> + 'c {
        let state_of = |at: &Visible| {
            let Merge::State(machine) = field.merge else { return None };
            machine.state(Decision::parse(at.value.as_text()?)?.state)
        };
        decision.cites.iter().flat_map(move |entry| {
            let cited = self.at.visible(Container::Log, &format!("{}/{entry}", field.name));
            cited.iter().filter_map(state_of).collect::<Vec<_>>()
        })
    }

    /// Only what its author has seen is superseded: of anything else nobody could say whether he may.
    fn check_cites(&self, place: &Place<'_>, path: &str) -> Result<(), AuthorityError> {
        let Place::Decision { field, decision, .. } = place else { return Ok(()) };
        let is_seen = |cited: &&str| !self.at.visible(Container::Log, &format!("{}/{cited}", field.name)).is_empty();
        match decision.cites.iter().find(|cited| !is_seen(cited)) {
            Some(cited) => Err(AuthorityError::Unseen { path: path.to_owned(), cited: (*cited).to_owned() }),
            None => Ok(()),
        }
    }

    /// A part of an entry may be closed by others of the entry that were written before.
    fn check_open(&self, place: &Place<'_>, path: &str) -> Result<(), AuthorityError> {
        let Place::Entry { field, entry, part } = place else { return Ok(()) };
        let written = |after: &&str| {
            let key = format!("{}/{entry}/{after}", field.name);
            self.at.visible(Container::Slot, &key).iter().any(|v| v.value != Scalar::Null)
        };
        match part.closed_by.iter().copied().find(written) {
            Some(after) => Err(AuthorityError::Closed { path: path.to_owned(), after }),
            None => Ok(()),
        }
    }

    /// Whether the change also writes a part that hands the record over to `owner`: the entry is open, and it named that
    /// seat or one above it before, so nobody invites himself.
    fn takes_ownership(&self, owner: SeatId) -> bool {
        self.is_above(owner)
            && self.taking_entries().any(|(field, entry, names)| {
                let key = format!("{}/{entry}/{names}", field.name);
                let named = self.at.visible(Container::Slot, &key);
                let mut named = named.iter().filter_map(|v| v.value.as_seat());
                named.any(|to| self.seats.is_at_or_above(to, owner)) && self.is_open(field, entry)
            })
    }

    fn is_open(&self, field: &Field, entry: &str) -> bool {
        let (preimage, history, scope, seats) = (self.preimage, self.at.to_history(), &self.scope, self.seats);
        (self.gate.read)(&Folding { preimage, history: &history, scope, seats }).is_open(field.name, entry)
    }

    /// Entries of which this change writes a part that takes ownership, with the part that names the seat.
    fn taking_entries(&self) -> impl Iterator<Item = (&'static Field, &str, &'static str)> {
        self.written.iter().filter(|w| w.container == Container::Slot && *w.value != Scalar::Null).filter_map(|w| {
            let Ok(Place::Entry { field, entry, part }) = schema::check(self.gate, *w).map(|rule| rule.place) else {
                return None;
            };
            Some((field, entry, part.takes_ownership?))
        })
    }
}

enum Key<'a> {
    Entry(&'a str),
    Seat(SeatId),
}

/// Who a rule names, for people.
#[must_use]
pub fn describe(writer: Writer) -> Label {
    match writer {
        Writer::Creator => label("仅在建立记录时", "only the change that creates the record"),
        Writer::Owner => label("记录所属席位及其上级", "an owner of the record or a superior of one"),
        Writer::AtLeast(tier) | Writer::CommonAtLeast(tier) => match tier {
            Tier::City => label("市级上级", "a superior at the city"),
            Tier::County => label("县级及以上的上级", "a superior at the county or above"),
            Tier::Township => label("乡镇及以上的上级", "a superior at the township or above"),
            Tier::Village => label("记录所属席位及其上级", "an owner of the record or a superior of one"),
        },
        Writer::CommonSuperior => label("所有相关席位的共同上级", "a seat at or above all owners and participants"),
        Writer::Itself => label("路径所指的席位及其上级", "the seat that the path names, or a superior of it"),
        Writer::Party(_) => label("该事项所指的席位及其上级", "the seat that the entry names, or a superior of it"),
        Writer::Audience => label("有权看到此记录的席位", "a seat that the record is shared with"),
    }
}
