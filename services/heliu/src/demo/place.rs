//! One seat of the county in the demo: its node, its store, and the gate in front of its superior if its link is to be cut.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use heliu_client::Access;
use heliu_node::status::{Executed, LinkReport, LinkState, Outcome};
use heliu_node::{ExecuteError, NodeHandle};
use heliu_record::command::Request;
use heliu_record::seats::Seat;
use heliu_storage::Store;

use super::ask::Fault;
use super::gate::Gate;
use crate::failure::Failure;
use crate::layout::LOCAL_ACCESS;

/// How long one verification may take; after that it is asked for again.
const VERIFY: Duration = Duration::from_secs(10);
const VERIFY_TRIES: usize = 3;

pub struct Place {
    pub seat: Seat,
    /// The directory with the node's files, as `heliu node --dir` would take it.
    pub folder: PathBuf,
    pub store: Arc<dyn Store>,
    pub handle: NodeHandle,
    pub gate: Option<Gate>,
}

impl Place {
    pub fn address(&self) -> SocketAddr {
        self.handle.address()
    }

    /// Whoever types `--dir` reaches the port that the node got.
    pub fn keep_access(&self) -> Result<(), Failure> {
        let file = self.folder.join(LOCAL_ACCESS);
        let access = Access::read(&file)?;
        Ok(Access { addresses: vec![self.address().to_string()], ..access }.write(&file)?)
    }

    fn fault(&self, error: &impl ToString) -> Fault {
        Fault::Node { place: self.seat.name.clone(), error: error.to_string() }
    }

    pub async fn execute(&self, request: Request) -> Result<Executed, Fault> {
        let command = request.name.clone();
        self.handle.execute(request).await.map_err(|error| match error {
            ExecuteError::Refused(refusal) => {
                Fault::Refused { place: self.seat.name.clone(), command, refusal: Box::new(refusal) }
            }
            error => self.fault(&error),
        })
    }

    pub async fn links(&self) -> Result<Vec<LinkReport>, Fault> {
        self.handle.links().await.map_err(|error| self.fault(&error))
    }

    /// Compares with the superior's node, which has this region code, at one cut of both feeds.
    pub async fn verify(&self, superior: &str) -> Result<bool, Fault> {
        for _ in 0..VERIFY_TRIES {
            let verdicts = self.handle.verify(superior, VERIFY).await.map_err(|error| self.fault(&error))?;
            match verdicts.first().map(|verdict| verdict.outcome) {
                Some(Outcome::Equal | Outcome::HeldEqual) if verdicts.len() == 1 => return Ok(true),
                // Something moved: the next cut may be a quiet one.
                Some(Outcome::MovedOn | Outcome::TimedOut) => {}
                _ => return Ok(false),
            }
        }
        Ok(false)
    }
}

/// Whether nothing is behind on a link.
pub fn is_live(link: &LinkReport) -> bool {
    link.state == LinkState::Live
}
