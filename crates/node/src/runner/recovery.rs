//! When the store takes no writes: the engine that failed with it is given up, reads go on, commands and links are
//! refused, and a new engine is begun from the store as soon as that takes a write.

use std::sync::Arc;
use std::time::Duration;

use heliu_replication::Engine;
use heliu_replication::frame::{Refuse, RefuseCode};
use heliu_storage::StoreError;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::health::Health;
use super::{Done, Running};
use crate::error::StartError;

/// Without failure for so long, the next failure is a new one, and trying again begins with a short wait.
const STEADY: Duration = Duration::from_secs(60);

impl Running {
    /// The engine has failed with its store: reads go on, writes wait for a new engine.
    pub(super) fn failed(&mut self, error: StoreError) {
        if let Health::Well { since } = self.health
            && since.elapsed() >= STEADY
        {
            self.backoff.reset();
        }
        // Store work that is still under way was asked for by the engine that has failed.
        self.jobs = JoinSet::new();
        let ends = std::mem::take(&mut self.ends);
        for (link, end) in ends {
            self.verifying.gone(link);
            end.close(Refuse { code: RefuseCode::StoreFailed, reason: error.to_string() });
        }
        self.run.read_only.send_replace(Some(error.reason()));
        self.waiting.fail(&error);
        let retry_at = Some(Instant::now() + self.backoff.delay());
        self.health = Health::Failed { error, retry_at };
    }

    pub(super) fn retry_at(&self) -> Option<Instant> {
        match &self.health {
            Health::Failed { retry_at, .. } if self.stop_at.is_none() => *retry_at,
            Health::Failed { .. } | Health::Well { .. } => None,
        }
    }

    pub(super) fn begin_again(&mut self) {
        let Health::Failed { error, retry_at } = &mut self.health else { return };
        *retry_at = None;
        let (store, beginner, failed) = (Arc::clone(&self.run.store), self.run.beginner.clone(), error.clone());
        self.jobs.spawn(async move {
            let begun = beginner.begin(&store, &[], Some(&failed)).await;
            Done::Begun(begun.map(|(engine, _)| Box::new(engine)))
        });
    }

    pub(super) fn begun(&mut self, begun: Result<Box<Engine>, StartError>) {
        match begun {
            Ok(engine) => {
                self.run.engine = *engine;
                self.health = Health::Well { since: Instant::now() };
                self.run.read_only.send_replace(None);
                self.publish_directory();
                tracing::info!("the store takes writes again; links are dialled again");
            }
            Err(why) => {
                let delay = self.backoff.delay();
                tracing::warn!(%why, retry_in_ms = delay.as_millis(), "the store still takes no writes");
                if let Health::Failed { retry_at, .. } = &mut self.health {
                    *retry_at = Some(Instant::now() + delay);
                }
            }
        }
    }
}
