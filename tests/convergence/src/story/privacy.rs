//! What stories ask about sealed values, erasures and the audit log.

use std::collections::BTreeMap;

use heliu_record::id::RecordId;
use heliu_replication::{Input, Receipt, Reply, Ticket};
use heliu_storage::{ReadAudit as _, RecordState};
use heliu_trust::audit::{AuditEntry, AuditHead, verify};

use super::{At, Story};
use crate::world::disk::ready;

impl Story {
    /// A member of a village's own branch, with a contact.
    pub fn member(&mut self, village: &str, contact: &str) -> RecordId {
        let seat = self.seat(village);
        let branch = self.at(village).makes("org.create", &[("name", "村支部"), ("seat", &seat)]);
        let arguments = [("name", "测试甲"), ("branch", &branch.to_string()), ("contact", contact)];
        self.at(village).makes("member.register", &arguments)
    }

    /// Nodes that have any part of a record, but for the note that it was erased.
    #[must_use]
    pub fn has_something_of(&self, record: RecordId) -> Vec<String> {
        let has = |machine: &&crate::world::machine::Machine| {
            machine.disk.load(record).is_some_and(|held| {
                held.row.state != RecordState::Erased || !held.leaves.is_empty() || !held.grants.is_empty()
            })
        };
        self.world.machines.iter().filter(has).map(|machine| machine.name.clone()).collect()
    }

    /// The receipt as a node has it, with the names of those who have confirmed and of those who are silent.
    #[must_use]
    pub fn receipt(&self, name: &str, record: RecordId) -> Option<(Receipt, Vec<String>, Vec<String>)> {
        let engine = self.world.machines[self.world.machine(name)].engine.as_ref()?;
        let receipt = engine.receipt(record)?;
        let name_of = |node| {
            let enrolled = self.world.county.enrolled.iter().find(|enrolled| enrolled.node() == node);
            enrolled.map_or_else(String::new, |enrolled| enrolled.name.clone())
        };
        let mut confirmed: Vec<String> = receipt.confirmed.iter().map(|(node, _)| name_of(*node)).collect();
        let mut silent: Vec<String> = receipt.silent.iter().map(|node| name_of(*node)).collect();
        confirmed.sort();
        silent.sort();
        Some((receipt, confirmed, silent))
    }

    /// How many records have something sealed that a node may read and cannot.
    #[must_use]
    pub fn pending(&self, name: &str) -> usize {
        let engine = self.world.machines[self.world.machine(name)].engine.as_ref().expect("it runs");
        engine.unread()
    }
}

impl At<'_> {
    /// Hands something over that is no command, and waits for the answer.
    pub fn put(&mut self, input: impl FnOnce(Ticket) -> Input) -> Reply {
        let world = &mut self.story.world;
        let ticket = Ticket(world.next_ticket());
        world.feed_input(self.machine, input(ticket));
        for _ in 0..1_000 {
            if let Some(reply) = world.replies.get(&ticket) {
                return reply.clone();
            }
            world.run_for(5);
        }
        panic!("{}\nit was not answered", self.story.words());
    }

    pub fn erase(&mut self, record: RecordId) -> Reply {
        let (who, role, reason) = ("registrar".to_owned(), "registry".to_owned(), "所请".to_owned());
        self.put(|ticket| Input::Erase { ticket, record, who, role, reason })
    }

    pub fn erases(&mut self, record: RecordId) {
        let reply = self.erase(record);
        assert!(matches!(reply, Reply::Done(_)), "{}\n{reply:?}", self.story.words());
    }

    /// What a sealed field says here, and how many of its values cannot be opened.
    pub fn reveals(&mut self, record: RecordId, field: &str) -> (Vec<String>, u32) {
        let (who, role, why) = ("clerk".to_owned(), "read".to_owned(), "回访".to_owned());
        match self.put(|ticket| Input::Reveal { ticket, record, who, role, why }) {
            Reply::Revealed(all) => {
                let of = all.into_iter().find(|revealed| revealed.field == field);
                of.map_or_else(Default::default, |mut revealed| {
                    revealed.values.sort();
                    (revealed.values, revealed.locked)
                })
            }
            other => panic!("{}\n{other:?}", self.story.words()),
        }
    }

    /// The audit log, whose chain must hold.
    #[must_use]
    pub fn audit(&self) -> Vec<AuditEntry> {
        let store = &self.story.world.machines[self.machine].disk.store;
        let rows = ready(store.audit(0, usize::MAX)).expect("it is read");
        let chain: Vec<_> =
            rows.iter().map(|row| (AuditEntry::decode(&row.encoded).expect("a row is read"), row.hash)).collect();
        verify(chain.clone(), AuditHead::START, &BTreeMap::new()).expect("the chain holds");
        chain.into_iter().map(|(entry, _)| entry).collect()
    }
}
