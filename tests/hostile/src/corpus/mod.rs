//! Every hostile shape that the design names, each as a delivery that its author signed as well as that can be done, and
//! the reason code that the gate must give it.

mod bombs;
mod chains;
mod commits;
mod desk;
mod frames;
mod honest;
mod operations;
mod shapes;

pub use desk::Desk;
pub use frames::{HostileFrame, code_of, frames, read_frame};
pub use honest::honest;

use heliu_record::change::limits::CHANGE_BYTES;
use heliu_replication::frame::Delivery;

use crate::author::Author;

/// One hostile delivery: its last leaf is what it is about.
#[derive(Clone, Debug)]
pub struct Hostile {
    pub name: &'static str,
    /// What the gate says of the last leaf.
    pub expect_code: &'static str,
    /// So many leaves at the beginning are honest groundwork, and are admitted.
    pub honest: usize,
    pub delivery: Delivery,
}

impl Hostile {
    /// Bytes of hostile input.
    #[must_use]
    pub fn len(&self) -> usize {
        self.delivery.leaves.iter().map(|leaf| leaf.change.len()).sum::<usize>()
            + self.delivery.commits.iter().map(|commit| commit.encode().len()).sum::<usize>()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.delivery.leaves.is_empty()
    }

    /// Whether a frame can carry it. What it cannot carry no honest relay has, and it ends the link of its sender.
    #[must_use]
    pub fn fits_a_frame(&self) -> bool {
        let unread = ["commit.bounds", "leaf.preimage", "commit.wrong-id"];
        !unread.contains(&self.expect_code) && self.delivery.leaves.iter().all(|leaf| leaf.change.len() <= CHANGE_BYTES)
    }

    /// Whether its sender is told to send its directory first, which ends the link: nothing of it can be judged yet.
    #[must_use]
    pub fn is_unjudged(&self) -> bool {
        self.expect_code == "commit.unknown-version"
    }
}

/// The whole corpus, by an enrolled author whose seat keeps records.
#[must_use]
pub fn all(author: &Author) -> Vec<Hostile> {
    [bombs::all(author), shapes::all(author), operations::all(author), chains::all(author), commits::all(author)]
        .concat()
}
