//! The proof that a transaction is durable. Acknowledgements, answers, news for links and events come out of what was done
//! for it only by way of this, and nothing makes one but what the store says.

use heliu_storage::{StoreError, Transaction};

pub(crate) struct Durable(());

impl Durable {
    /// What the store answered to a transaction.
    pub fn said(answer: Result<(), StoreError>) -> Result<Self, StoreError> {
        answer.map(Durable)
    }

    /// A transaction in which there is nothing has nothing to wait for.
    pub fn already(transaction: &Transaction) -> Option<Self> {
        transaction.is_empty().then_some(Durable(()))
    }
}
