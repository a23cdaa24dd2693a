//! Commands that were carried out, in this batch or before: who asks the same again gets the same answer, and an answer has
//! the ids of its commits once these are signed.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::command::{CommandId, Request};
use heliu_record::id::LeafHash;
use heliu_storage::StoreError;
use heliu_trust::id::CommitId;

use super::answer::{self, Asked, DigestKey};
use crate::effect::{Done, LoadReply, LoadRequest, Reply, Ticket};
use crate::layers::Layers;

pub(crate) struct Answers {
    /// What remembered answers say of their questions with.
    key: DigestKey,
    /// Looked up in the store for the work under way.
    looked_up: BTreeMap<CommandId, Option<Vec<u8>>>,
    /// What commands of this batch did, and, until it is sealed, those of the one before: the store may have been asked before
    /// it had them.
    carried_out: Layers<BTreeMap<CommandId, (Asked, Done)>>,
    /// Who is told of it: once more, if it was asked for again meanwhile.
    waiting: Vec<(Ticket, CommandId, bool)>,
}

/// Whether a command was carried out before.
pub(crate) enum Before {
    /// It is to be carried out; what it asks for.
    No(Asked),
    /// In this batch: whoever asks is answered with the other.
    Now,
    Answered(Reply),
}

/// What is stored of commands, and what those are told who asked for them.
pub(crate) struct Given {
    pub rows: Vec<(CommandId, Vec<u8>)>,
    pub replies: Vec<(Ticket, Reply)>,
}

impl Answers {
    pub fn new(key: DigestKey) -> Self {
        Answers { key, looked_up: BTreeMap::new(), carried_out: Layers::default(), waiting: Vec::new() }
    }

    pub fn is_looked_up(&self, id: &CommandId) -> bool {
        self.looked_up.contains_key(id)
    }

    /// What the store answered.
    pub fn loaded(&mut self, asked: &LoadRequest, reply: &mut LoadReply) {
        self.looked_up.extend(asked.commands.iter().map(|id| (*id, None)));
        self.looked_up.extend(std::mem::take(&mut reply.commands).into_iter().map(|(id, answer)| (id, Some(answer))));
    }

    /// Whether a command was carried out before; if it was in this batch, whoever asks waits for that answer.
    pub fn before(&mut self, ticket: Ticket, request: &Request) -> Before {
        let (id, asked) = (request.id, self.key.digest(request));
        let reused = || Before::Answered(Reply::Refused(answer::reused(id)));
        if let Some((before, _)) = self.carried_out.get(&id) {
            if asked.differs_from(before) {
                return reused();
            }
            self.waiting.push((ticket, id, true));
            return Before::Now;
        }
        if let Some((before, done)) = self.carried_out.sealed().get(&id) {
            let again = || Before::Answered(Reply::Done(Done { again: true, ..done.clone() }));
            return if asked.differs_from(before) { reused() } else { again() };
        }
        let Some(Some(stored)) = self.looked_up.get(&id) else { return Before::No(asked) };
        match answer::decode(stored) {
            Some((_, before)) if asked.differs_from(&before) => reused(),
            Some((done, _)) => Before::Answered(Reply::Done(done)),
            None => {
                Before::Answered(Reply::StoreFailed(StoreError::Damaged { what: "an answer", detail: id.to_string() }))
            }
        }
    }

    pub fn carried_out(&mut self, ticket: Ticket, id: CommandId, asked: Asked, done: Done) {
        self.carried_out.insert(id, (asked, done));
        self.waiting.push((ticket, id, false));
    }

    /// The commits of this batch are signed: what is stored of each command, and who is told what.
    pub fn seal(&mut self, commit_of: &BTreeMap<LeafHash, CommitId>) -> Given {
        let mut rows = Vec::with_capacity(self.carried_out.len());
        for (id, (asked, done)) in &mut *self.carried_out {
            done.commits = done.leaves.iter().filter_map(|leaf| commit_of.get(leaf).copied()).collect();
            let mut seen = BTreeSet::new();
            done.commits.retain(|commit| seen.insert(*commit));
            rows.push((*id, answer::encode(done, asked)));
        }
        let mut replies = Vec::with_capacity(self.waiting.len());
        for (ticket, id, again) in std::mem::take(&mut self.waiting) {
            if let Some((_, done)) = self.carried_out.get(&id) {
                replies.push((ticket, Reply::Done(Done { again, ..done.clone() })));
            }
        }
        self.looked_up.clear();
        self.carried_out.seal();
        Given { rows, replies }
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn request(name: &str) -> Request {
        Request {
            id: CommandId([1; 16]),
            name: name.to_owned(),
            subject: None,
            arguments: BTreeMap::new(),
            who: String::new(),
            reason: String::new(),
            on_behalf: None,
        }
    }

    #[test]
    fn a_command_that_is_repeated_while_the_first_is_in_flight_is_carried_out_once_whatever_the_store_said() {
        let mut answers = Answers::new(DigestKey(Zeroizing::new([0; 32])));
        let Before::No(asked) = answers.before(Ticket(1), &request("org.create")) else { panic!("it is the first") };
        answers.carried_out(Ticket(1), CommandId([1; 16]), asked, Done::default());
        assert_eq!(answers.seal(&BTreeMap::new()).rows.len(), 1);
        // The store was asked before it had the first.
        let commands = LoadRequest { commands: [CommandId([1; 16])].into(), ..LoadRequest::default() };
        answers.loaded(&commands, &mut LoadReply::default());
        let again = answers.before(Ticket(2), &request("org.create"));
        assert!(matches!(again, Before::Answered(Reply::Done(Done { again: true, .. }))));
        let other = answers.before(Ticket(3), &request("org.dissolve"));
        assert!(matches!(other, Before::Answered(Reply::Refused(refusal)) if refusal.code == "command_id_reused"));
        answers.seal(&BTreeMap::new());
        assert!(!answers.is_looked_up(&CommandId([1; 16])), "by the next batch the store has it, and is asked");
    }
}
