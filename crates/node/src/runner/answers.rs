//! Who waits for what: commands and directory entries under way.

use std::collections::BTreeMap;

use heliu_replication::effect::{Reply, Ticket};
use heliu_storage::StoreError;

use crate::error::{ExecuteError, ExtendError};
use crate::inbox::Answer;
use crate::status::Executed;

#[derive(Default)]
pub(super) struct Waiting {
    drawn: u64,
    waiting: BTreeMap<Ticket, Waiter>,
}

enum Waiter {
    Execute(Answer<Executed, ExecuteError>),
    Extend(Answer<(), ExtendError>),
}

impl Waiting {
    pub fn execute(&mut self, answer: Answer<Executed, ExecuteError>) -> Ticket {
        self.add(Waiter::Execute(answer))
    }

    pub fn extend(&mut self, answer: Answer<(), ExtendError>) -> Ticket {
        self.add(Waiter::Extend(answer))
    }

    fn add(&mut self, waiter: Waiter) -> Ticket {
        self.drawn += 1;
        let ticket = Ticket(self.drawn);
        self.waiting.insert(ticket, waiter);
        ticket
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// An answer that nobody waits for any more is none: whoever asked has gone.
    pub fn reply(&mut self, ticket: Ticket, reply: Reply) {
        match self.waiting.remove(&ticket) {
            Some(Waiter::Execute(answer)) => {
                let reply = match reply {
                    Reply::Done(done) => Ok(Executed { done }),
                    Reply::Refused(refusal) => Err(ExecuteError::Refused(refusal)),
                    Reply::StoreFailed(error) => Err(ExecuteError::StoreFailed(error)),
                    Reply::BadEntries(_) => Err(ExecuteError::Stopped), // Not an answer to a command.
                };
                let _ = answer.send(reply);
            }
            Some(Waiter::Extend(answer)) => {
                let reply = match reply {
                    Reply::Done(_) => Ok(()),
                    Reply::BadEntries(why) => Err(ExtendError::BadEntries(why)),
                    Reply::StoreFailed(error) => Err(ExtendError::StoreFailed(error)),
                    Reply::Refused(refusal) => Err(ExtendError::BadEntries(refusal.to_string())),
                };
                let _ = answer.send(reply);
            }
            None => {}
        }
    }

    /// Whatever the engine could not answer itself when it failed.
    pub fn fail(&mut self, error: &StoreError) {
        for ticket in self.waiting.keys().copied().collect::<Vec<_>>() {
            self.reply(ticket, Reply::StoreFailed(error.clone()));
        }
    }
}
