//! A small county whose nodes hold records, obey commands, and hear of each other's changes when a story says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::authority::may;
use heliu_record::change::{Change, Note};
use heliu_record::command::{Asker, CommandId, Plan, RecordWrite, Refusal, Request};
use heliu_record::conflict::{Conflict, ConflictId};
use heliu_record::hash::hash16;
use heliu_record::history::History;
use heliu_record::id::{Actor, Preimage, RecordId, SeatId};
use heliu_record::seats::{Seat, Seats, Tier};
use heliu_record::sight::Sight;
use heliu_record::view::{Record, View};
use heliu_record::world::World;

use crate::catalogue;
use crate::tests::sealed::seal_as;

/// One county, so many townships, so many villages in each.
pub(crate) fn county_seats(townships: u32, villages: u32) -> Seats {
    let mut seats = Seats::default();
    let mut add = |code: String, name: String, parent: Option<SeatId>, tier: Tier| {
        let id = SeatId(hash16("test seat", &[code.as_bytes()]));
        seats.add(Seat { id, code, name, parent, tier }).expect("a seat");
        id
    };
    let county = add("371726000000".to_owned(), "鄄城县".to_owned(), None, Tier::County);
    for t in 1..=townships {
        let township = add(format!("371726{t:03}000"), format!("{t}镇"), Some(county), Tier::Township);
        for v in 1..=villages {
            add(format!("371726{t:03}{v:03}"), format!("{t}镇{v}村"), Some(township), Tier::Village);
        }
    }
    seats
}

/// `C`, `T1`, `V12`: the county, the first township, its second village.
pub(crate) fn code_of(name: &str) -> String {
    let digits: Vec<u32> = name.chars().filter_map(|c| c.to_digit(10)).collect();
    let at = |i: usize| digits.get(i).copied().unwrap_or(0);
    format!("371726{:03}{:03}", at(0), at(1))
}

pub(crate) struct Node {
    pub seat: SeatId,
    /// Among the nodes of its seat.
    place: u32,
    actor: Actor,
    pub seats: Arc<Seats>,
    pub records: BTreeMap<RecordId, Record>,
    /// What the node stores of conflicts, kept up by the contract of `rules`.
    pub open: BTreeMap<ConflictId, Conflict>,
    pub drawn: u64,
    pub today: String,
    /// What who asks here is shown.
    pub sight: Sight,
}

/// Nodes for the named seats of one county; `T1b` is the second one of the seat `T1`.
pub(crate) fn nodes<const N: usize>(names: [&str; N]) -> [Node; N] {
    let seats = Arc::new(county_seats(4, 4));
    names.map(|name| {
        let seat = seats.by_code(&code_of(name)).expect(name).id;
        let (open, records) = (BTreeMap::new(), BTreeMap::new());
        let today = "2026-03-01".to_owned();
        let place = u32::from(name.ends_with('b'));
        Node {
            seat,
            place,
            actor: actor_at(seat, place),
            seats: Arc::clone(&seats),
            records,
            open,
            drawn: 0,
            today,
            sight: Sight::WHOLE,
        }
    })
}

fn actor_of(seat: SeatId) -> Actor {
    actor_at(seat, 0)
}

/// Of the node at a place among those of a seat.
fn actor_at(seat: SeatId, place: u32) -> Actor {
    let (seat, place): (&[u8], &[u8]) = (&seat.0, &place.to_le_bytes());
    let parts = [seat, place];
    Actor(hash16("test actor", if place == [0; 4] { &parts[..1] } else { &parts }))
}

impl World for Node {
    fn record(&self, id: RecordId) -> Option<&Record> {
        self.records.get(&id)
    }

    fn seats(&self) -> &Seats {
        &self.seats
    }

    fn referring(&self, target: RecordId) -> Vec<RecordId> {
        self.records.values().filter(|r| r.view.refs.contains(&target)).map(|r| r.id).collect()
    }

    fn seat_of(&self, actor: Actor) -> Option<SeatId> {
        let of = |seat: &SeatId| (0..2).any(|place| actor_at(*seat, place) == actor);
        self.seats.iter().map(|s| s.id).find(of)
    }
}

impl Node {
    pub fn seat_named(&self, name: &str) -> String {
        self.seats.by_code(&code_of(name)).expect(name).id.to_string()
    }

    /// The actor of the node at another seat.
    pub fn actor_of(&self, name: &str) -> Actor {
        actor_of(self.seats.by_code(&code_of(name)).expect(name).id)
    }

    /// Asks for a command and carries it out.
    pub fn ask(
        &mut self,
        command: &str,
        subject: Option<RecordId>,
        arguments: &[(&str, &str)],
    ) -> Result<Plan, Refusal> {
        let arguments = arguments.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        self.drawn += 1;
        let id = CommandId(hash16("test command", &[&self.actor.0, &self.drawn.to_le_bytes()]));
        let name = command.to_owned();
        self.ask_request(&Request {
            id,
            name,
            subject,
            arguments,
            who: "clerk".to_owned(),
            reason: String::new(),
            on_behalf: None,
        })
    }

    pub fn ask_request(&mut self, request: &Request) -> Result<Plan, Refusal> {
        let asker = Asker {
            seat: request.on_behalf.unwrap_or(self.seat),
            deputy: None,
            place: self.place,
            today: self.today.clone(),
            sight: self.sight.clone(),
            secret: Ok([7; 16]),
        };
        let plan = catalogue().plan(request, &asker, &*self)?;
        for write in &plan.writes {
            self.write(write, &request.name);
        }
        Ok(plan)
    }

    /// A command that must succeed; the record that it made or was about.
    pub fn does(&mut self, command: &str, subject: Option<RecordId>, arguments: &[(&str, &str)]) -> RecordId {
        let plan = match self.ask(command, subject, arguments) {
            Ok(plan) => plan,
            Err(refusal) => panic!("{command}: {refusal}"),
        };
        plan.result.get("record").map_or_else(|| plan.writes[0].record, |id| id.parse().expect("an id"))
    }

    /// A command that must be refused, with this code.
    pub fn is_refused(
        &mut self,
        code: &str,
        command: &str,
        subject: Option<RecordId>,
        arguments: &[(&str, &str)],
    ) -> Refusal {
        let refusal = self.ask(command, subject, arguments).expect_err(command);
        assert_eq!(refusal.code, code, "{refusal}");
        refusal
    }

    pub fn write(&mut self, write: &RecordWrite, command: &str) {
        self.write_for(write, command, None);
    }

    /// As [`Node::write`], in the name of another seat.
    pub fn write_for(&mut self, write: &RecordWrite, command: &str, on_behalf: Option<SeatId>) {
        let held = self.records.get(&write.record);
        let preimage = write.create.clone().or_else(|| held.map(|r| r.preimage.clone())).expect("a preimage");
        let empty = History::new();
        let history = held.map_or(&empty, |r| &r.history);
        let note = Note { who: "clerk".to_owned(), command: command.to_owned(), on_behalf, ..Note::default() };
        let mut seal = seal_as(self.seat);
        let change = write.change(history, self.actor, 1_000, note, &mut seal).expect("a change within the limits");
        assert_eq!(Change::parse(&change.raw).as_ref(), Ok(&change), "it parses back to itself");
        self.take(&preimage, &[Arc::new(change)]);
    }

    /// Takes changes of one record, judging each as a gate would.
    pub fn take(&mut self, preimage: &Preimage, changes: &[Arc<Change>]) {
        let id = preimage.id();
        let before = self.records.remove(&id);
        let signal = before.as_ref().map(|r| r.view.signal);
        let mut history = before.map_or_else(History::new, |r| Arc::unwrap_or_clone(r.history));
        for change in changes {
            if history.get(&change.hash).is_some() {
                continue;
            }
            let at = history.at(&change.deps).expect("predecessors");
            assert_eq!(at.check_follows(change), Ok(()));
            let (author, kind) =
                (self.seat_of(change.actor).expect("a seat"), catalogue().kind(&preimage.kind).expect("a kind"));
            assert_eq!(may(author, change, preimage, &at, kind.gate(), &self.seats), Ok(()));
            history.place(Arc::clone(change));
        }
        self.records.insert(id, Record::fold(catalogue().kind(&preimage.kind), preimage.clone(), history, &self.seats));
        self.keep_conflicts(id, signal);
    }

    /// As the contract of `rules` says, and then holds the result against deriving everything anew.
    fn keep_conflicts(&mut self, touched: RecordId, signal: Option<[u8; 8]>) {
        let mut anew = BTreeSet::from([touched]);
        if signal != Some(self.records[&touched].view.signal) {
            anew.extend(self.referring(touched));
        }
        let yielded: BTreeMap<ConflictId, Conflict> =
            anew.iter().flat_map(|id| catalogue().conflicts(*id, &*self)).map(|c| (c.id, c)).collect();
        self.open.retain(|_, conflict| conflict.anchors.is_disjoint(&anew));
        self.open.extend(yielded);
        let all: BTreeSet<ConflictId> =
            self.records.keys().flat_map(|id| catalogue().conflicts(*id, self)).map(|c| c.id).collect();
        assert_eq!(self.open.keys().copied().collect::<BTreeSet<_>>(), all, "kept up, and derived anew");
    }

    /// Takes everything that another node holds.
    pub fn hears(&mut self, other: &Node) {
        self.hears_of(other, |_| true);
    }

    /// Takes of what another node holds what its own seat may have, as a link brings it.
    pub fn hears_its_own(&mut self, other: &Node) {
        let (own, seats) = (self.seat, Arc::clone(&self.seats));
        let is_own = |view: &View| view.public || view.named().any(|seat| seats.is_at_or_above(own, seat));
        self.hears_of(other, |record| is_own(&record.view));
    }

    fn hears_of(&mut self, other: &Node, is_taken: impl Fn(&Record) -> bool) {
        for record in other.records.values().filter(|record| is_taken(record)) {
            let changes: Vec<_> = record.history.changes().cloned().collect();
            self.take(&record.preimage, &changes);
        }
    }

    pub fn json(&self, record: RecordId) -> &serde_json::Value {
        &self.records[&record].view.json
    }

    pub fn conflict(&self, kind: &str) -> &Conflict {
        let mut found = self.open.values().filter(|c| c.kind == kind);
        match (found.next(), found.next()) {
            (Some(one), None) => one,
            _ => panic!("one {kind} among {:?}", self.open.values().map(|c| &c.kind).collect::<Vec<_>>()),
        }
    }

    pub fn settles(&mut self, conflict: &Conflict, choice: &str) {
        self.does(
            "conflict.settle",
            Some(conflict.subject),
            &[("conflict", &conflict.id.to_string()), ("choice", choice)],
        );
    }
}

/// The link comes back: both hear of each other, and then agree on every view and every conflict.
pub(crate) fn meet(a: &mut Node, b: &mut Node) {
    let alone = a.records.clone();
    a.hears(b);
    let missing = Node {
        records: alone,
        open: BTreeMap::new(),
        seats: Arc::clone(&a.seats),
        today: String::new(),
        sight: Sight::WHOLE,
        ..*a
    };
    b.hears(&missing);
    let views = |node: &Node| node.records.values().map(|r| r.view.clone()).collect::<Vec<_>>();
    assert_eq!(views(a), views(b), "the same views");
    assert_eq!(a.open, b.open, "the same conflicts");
}

pub(crate) fn meet_all(nodes: &mut [Node]) {
    for _ in 0..2 {
        for i in 1..nodes.len() {
            let (left, right) = nodes.split_at_mut(i);
            meet(&mut left[i - 1], &mut right[0]);
        }
        for i in (1..nodes.len()).rev() {
            let (left, right) = nodes.split_at_mut(i);
            meet(&mut left[i - 1], &mut right[0]);
        }
    }
}
