//! How a plan collects what it writes: records that are begun, fields, entries, decisions.

use super::Planner;
use crate::change::{Container, Scalar};
use crate::command::argument::Ends;
use crate::command::write::{RecordWrite, Write, WriteValue};
use crate::decision::{self, Decision};
use crate::id::{Preimage, RecordId, SeatId, to_hex};
use crate::kind::{Field, Kind, Merge};
use crate::message::Refusal;
use crate::scope::{CLASS, OWNER, SEAT, seat_key};
use crate::sealed::Plaintext;
use crate::view::Record;

impl Planner<'_> {
    /// Begins a new record of a kind, owned by `birth`.
    pub fn create(&mut self, kind: &'static Kind, birth: SeatId) -> RecordId {
        let preimage = Preimage { kind: kind.name.to_owned(), birth, key: self.draw().to_vec() };
        // The same command may have made it already, at another node: whoever carries this out looks and refuses.
        let _ = self.world.record(preimage.id());
        self.begin(kind, preimage)
    }

    /// The record of a kind of which a seat has only one, whose id everybody can tell; it is begun if there is none.
    pub fn the_only(&mut self, kind: &'static Kind, preimage: Preimage) -> RecordId {
        match self.world.record(preimage.id()) {
            Some(record) => record.id,
            None => self.begin(kind, preimage),
        }
    }

    /// The file of a record, begun with the first that is written in it, for those whose the record is and who take part in it. None: it
    /// is of a kind that has none.
    pub fn file_of(&mut self, record: &Record) -> Option<RecordId> {
        let kind = record.kind()?.file?;
        let participants = record.view.seats.iter().copied().collect::<Vec<_>>();
        let file = self.begin_file(kind, &record.preimage, self.owner_of(record), &participants);
        Some(file)
    }

    /// As [`Planner::file_of`], of a record that the same plan makes.
    pub fn file_of_new(&mut self, kind: &'static Kind, record: RecordId) -> Option<RecordId> {
        let write = self.writes.iter().find(|write| write.record == record)?;
        let preimage = write.create.clone()?;
        let seats = write.writes.iter().filter(|put| put.value == WriteValue::Member(true));
        let seats = seats.filter_map(|put| put.key.strip_prefix(SEAT)?.parse().ok()).collect::<Vec<_>>();
        Some(self.begin_file(kind.file?, &preimage, preimage.birth, &seats))
    }

    /// Two nodes that begin it apart make one record.
    fn begin_file(&mut self, kind: &'static Kind, of: &Preimage, owner: SeatId, seats: &[SeatId]) -> RecordId {
        let preimage = of.file(kind.name);
        let file = preimage.id();
        if self.world.record(file).is_none() && !self.writes.iter().any(|write| write.record == file) {
            self.open(kind, preimage, owner);
            for seat in seats {
                self.put_member(file, Container::Scope, seat_key(*seat), true);
            }
        }
        file
    }

    /// As [`Planner::the_only`], of a record that the command keeps by itself, beside what it is asked for: whoever may give the command
    /// need not be shown it, and its answer does not name it.
    pub fn beside(&mut self, kind: &'static Kind, preimage: Preimage) -> RecordId {
        let id = preimage.id();
        if !self.beside.contains(&id) {
            self.beside.push(id);
            if self.whole.record(id).is_none() {
                self.begin_unnamed(kind, preimage);
            }
        }
        id
    }

    fn begin(&mut self, kind: &'static Kind, preimage: Preimage) -> RecordId {
        let id = self.begin_unnamed(kind, preimage);
        self.result.insert("record".to_owned(), id.to_string());
        id
    }

    fn begin_unnamed(&mut self, kind: &'static Kind, preimage: Preimage) -> RecordId {
        let birth = preimage.birth;
        self.open(kind, preimage, birth)
    }

    fn open(&mut self, kind: &'static Kind, preimage: Preimage, owner: SeatId) -> RecordId {
        let id = preimage.id();
        self.writes.push(RecordWrite { record: id, create: Some(preimage), writes: Vec::new() });
        self.put(id, Container::Scope, CLASS.to_owned(), Scalar::from(kind.class.name()));
        self.put_owner(id, owner);
        id
    }

    pub fn put(&mut self, record: RecordId, container: Container, key: impl Into<String>, value: Scalar) {
        self.write(record, Write { container, key: key.into(), value: WriteValue::Value(value) });
    }

    /// Says whose a record is from now on.
    pub fn put_owner(&mut self, record: RecordId, owner: SeatId) {
        self.put(record, Container::Scope, OWNER, Scalar::Bytes(owner.0.to_vec()));
    }

    /// Puts an element into a set, or takes it out.
    pub fn put_member(&mut self, record: RecordId, container: Container, key: impl Into<String>, present: bool) {
        self.write(record, Write { container, key: key.into(), value: WriteValue::Member(present) });
    }

    /// Shares a record with a seat, unless it has it anyway.
    pub fn add_participant(&mut self, record: RecordId, seat: SeatId) {
        let has = self.world.record(record).is_some_and(|r| r.view.seats.contains(&seat));
        if !has {
            self.put_member(record, Container::Scope, seat_key(seat), true);
        }
    }

    /// Writes a field that is one value; a sealed one is to be sealed. Clearing a field is no secret.
    pub fn put_field(&mut self, record: RecordId, field: &Field, value: Scalar) {
        let value = match value {
            value if field.sealed && value != Scalar::Null => WriteValue::ToSeal(Plaintext(value)),
            value => WriteValue::Value(value),
        };
        self.write(record, Write { container: field.merge.container(), key: field.name.to_owned(), value });
    }

    /// The first decision about a record has a short name of its own: it is there once in every record.
    pub(in crate::command) fn put_first_state(&mut self, record: RecordId, field: &Field, state: &str) {
        self.put(record, field.merge.container(), format!("{}/0", field.name), Scalar::from(state));
    }

    /// Takes a decision that supersedes those that stand, if the state may be reached from the present one: from the day and under
    /// the number that the command's arguments `effective_on` and `decision_no` say.
    pub fn decide(&mut self, record: &Record, field: &str, state: &str) -> Result<(), Refusal> {
        let (effective_on, number) = (self.text_or_today("effective_on"), self.text("decision_no").unwrap_or_default());
        let kind = self.kind_of(record)?;
        let Some((field, Merge::State(machine))) = kind.field_called(field).map(|f| (f.name, f.merge)) else {
            return Err(Refusal::wrong_field(kind, field));
        };
        let standing = decision::fold(machine, &record.history, field);
        let target = machine.state_called(state).ok_or_else(|| Refusal::unknown_state(state, machine))?;
        debug_assert!(
            !target.ending || self.command.ends != Ends::Nothing,
            "{} leads to the end {:?} and does not say so",
            self.command.name,
            target.name
        );
        if !target.from.contains(&standing.state.name) {
            return Err(Refusal::transition(record, standing.state, target, machine));
        }
        let text = Decision { state: target.name, effective_on, number, cites: standing.open }.to_text();
        if let Some(field) = kind.field(field) {
            self.put_decision(record.id, field, text);
        }
        Ok(())
    }

    /// Appends a decision as it is written.
    pub(crate) fn put_decision(&mut self, record: RecordId, field: &Field, text: String) {
        let entry = to_hex(&self.draw());
        self.put(record, field.merge.container(), format!("{}/{entry}", field.name), Scalar::Text(text));
    }

    pub(in crate::command) fn write(&mut self, record: RecordId, write: Write) {
        let index = self.writes.iter().position(|w| w.record == record).unwrap_or_else(|| {
            self.writes.push(RecordWrite { record, create: None, writes: Vec::new() });
            self.writes.len() - 1
        });
        let writes = &mut self.writes[index].writes;
        // A change writes a key once.
        match writes.iter_mut().find(|w| w.container == write.container && w.key == write.key) {
            Some(same) => *same = write,
            None => writes.push(write),
        }
    }
}
