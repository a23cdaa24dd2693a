//! What administrators do and new machines ask for: join tokens, requests to join, entries of the directory, fences.

use heliu_replication::{Alarm, AuditEvent, Input, Reply, Ticket};
use heliu_storage::{ReadStranded as _, StrandedRow};
use heliu_trust::directory::{Item, SignedEntry};
use heliu_trust::id::{NodeId, TokenId};
use heliu_trust::token::{JoinRequest, JoinToken};

use super::World;
use super::county::{Enrolled, REALM_NAME, sealing_of};
use super::disk::ready;
use super::machine::BEGIN_MS;
use crate::chance::{Matter, Stream};

/// What the audit log is to say of an act of the administrator's.
#[must_use]
pub fn signed(action: &str) -> AuditEvent {
    AuditEvent { who: "administrator".to_owned(), action: action.to_owned(), ..AuditEvent::default() }
}

/// How long join tokens hold.
pub const DAY_MS: i64 = 86_400_000;

impl World {
    /// A join token that the node of a machine mints for a seat, good for so long.
    pub fn mint(&mut self, machine: usize, seat: &str, valid_ms: i64) -> JoinToken {
        let (at, id) = (&self.machines[machine], TokenId(self.chance.bytes(Stream::of(Matter::Ids, machine))));
        let seat = self.county.seat(seat);
        let expires_ms = BEGIN_MS + self.now.cast_signed() + valid_ms;
        let directory = self.directory_at(machine);
        JoinToken::mint(directory, REALM_NAME, seat, id, expires_ms, Vec::new(), &at.key).expect("the seat is there")
    }

    /// What a new machine asks with.
    #[must_use]
    pub fn join_request(token: &JoinToken, machine: &Enrolled) -> JoinRequest {
        JoinRequest::sign(token.clone(), sealing_of(&machine.name).public(), Vec::new(), &machine.key)
    }

    /// A new machine asks at another.
    pub fn ask_to_join(&mut self, machine: usize, request: JoinRequest) -> Ticket {
        let ticket = Ticket(self.next_ticket());
        self.feed(machine, Input::Join { ticket, request });
        ticket
    }

    /// A machine that has joined begins, with an empty disk and what it was given of the directory.
    pub fn move_in(&mut self, name: &str, upstream: usize) -> usize {
        let enrolled = self.county.enrolled.iter().position(|node| node.name == name).expect("it was hired");
        let machine = self.install(enrolled, 1);
        self.machines[machine].upstreams = vec![upstream];
        self.start(machine);
        machine
    }

    /// The administrator of a machine hands in entries.
    pub fn enter(&mut self, machine: usize, entry: SignedEntry) -> Reply {
        let ticket = Ticket(self.next_ticket());
        self.feed(machine, Input::Extend { ticket, entries: vec![entry], event: Some(signed("directory.append")) });
        self.answer(ticket)
    }

    /// The administrator of a machine that holds the issuer's key wants something in the directory.
    pub fn draft(&mut self, machine: usize, items: Vec<Item>) -> Reply {
        let ticket = Ticket(self.next_ticket());
        self.feed(machine, Input::Draft { ticket, items, event: signed("draft") });
        self.answer(ticket)
    }

    /// A node is fenced, with what a machine knows of it as its frontier.
    pub fn fence(&mut self, machine: usize, node: NodeId) -> Reply {
        let ticket = Ticket(self.next_ticket());
        self.feed(
            machine,
            Input::FenceOf { ticket, node, nothing: false, excluded: Vec::new(), event: signed("fence") },
        );
        self.answer(ticket)
    }

    /// Waits for an answer.
    pub fn answer(&mut self, ticket: Ticket) -> Reply {
        for _ in 0..1_000 {
            if let Some(reply) = self.replies.get(&ticket) {
                return reply.clone();
            }
            self.run_for(5);
        }
        panic!("{}\nnobody answered", self.trace.words().join("\n"));
    }

    #[must_use]
    pub fn alarms(&self, machine: usize) -> Vec<Alarm> {
        self.machines[machine].engine.as_ref().map(heliu_replication::Engine::alarms).unwrap_or_default()
    }

    /// Edits of this node that no longer count and that nobody has decided about.
    #[must_use]
    pub fn stranded(&self, machine: usize) -> Vec<StrandedRow> {
        ready(self.machines[machine].disk.store.stranded(usize::MAX)).expect("a memory store can be read")
    }
}
