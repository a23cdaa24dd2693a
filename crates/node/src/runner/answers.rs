//! Who waits for what: commands and administrators' orders under way.

use std::collections::BTreeMap;

use heliu_replication::effect::{Reply, Ticket};
use heliu_storage::StoreError;
use tokio::sync::OwnedSemaphorePermit;

use crate::error::{ExecuteError, OrderError};
use crate::inbox::Answer;
use crate::status::Executed;

#[derive(Default)]
pub(super) struct Waiting {
    drawn: u64,
    waiting: BTreeMap<Ticket, Waiter>,
}

enum Waiter {
    Execute { answer: Answer<Executed, ExecuteError>, _permit: OwnedSemaphorePermit },
    Order { answer: Answer<Reply, OrderError>, _permit: OwnedSemaphorePermit },
}

impl Waiting {
    pub fn execute(&mut self, answer: Answer<Executed, ExecuteError>, permit: OwnedSemaphorePermit) -> Ticket {
        self.add(Waiter::Execute { answer, _permit: permit })
    }

    pub fn order(&mut self, answer: Answer<Reply, OrderError>, permit: OwnedSemaphorePermit) -> Ticket {
        self.add(Waiter::Order { answer, _permit: permit })
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
            Some(Waiter::Execute { answer, .. }) => {
                let reply = match reply {
                    Reply::Done(done) => Ok(Executed { done }),
                    Reply::Refused(refusal) => Err(ExecuteError::Refused(refusal)),
                    Reply::StoreFailed(error) => Err(ExecuteError::StoreFailed(error)),
                    _ => Err(ExecuteError::Stopped), // Not an answer to a command.
                };
                let _ = answer.send(reply);
            }
            Some(Waiter::Order { answer, .. }) => drop(answer.send(of_order(reply))),
            None => {}
        }
    }

    /// Answers, when the engine has failed, all that it had not answered itself.
    pub fn fail(&mut self, error: &StoreError) {
        for ticket in self.waiting.keys().copied().collect::<Vec<_>>() {
            self.reply(ticket, Reply::StoreFailed(error.clone()));
        }
    }
}

/// Refusals of join requests are replies: they have codes of their own.
fn of_order(reply: Reply) -> Result<Reply, OrderError> {
    match reply {
        Reply::Refused(refusal) => Err(OrderError::Refused(Box::new(refusal))),
        Reply::BadEntries(why) => Err(OrderError::BadEntries(why)),
        Reply::StoreFailed(error) => Err(OrderError::StoreFailed(error)),
        other => Ok(other),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::{Semaphore, oneshot};

    use super::*;

    #[test]
    fn a_command_counts_until_it_is_answered_even_if_its_asker_has_gone() {
        let commands = Arc::new(Semaphore::new(1));
        let mut waiting = Waiting::default();
        let (answer, answered) = oneshot::channel();
        let permit = Arc::clone(&commands).try_acquire_owned().expect("it is the first");
        let ticket = waiting.execute(answer, permit);
        drop(answered);
        assert_eq!(commands.available_permits(), 0);
        waiting.reply(ticket, Reply::StoreFailed(StoreError::Full { path: "here".to_owned() }));
        assert_eq!(commands.available_permits(), 1);
    }
}
