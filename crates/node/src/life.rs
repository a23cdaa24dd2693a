//! How a node's life goes on: it runs, it is asked to stop, it has stopped. Every task of a node has a copy of this.

use tokio::sync::watch;

use crate::error::ShutdownError;

#[derive(Clone)]
pub(crate) struct Life(watch::Sender<Stage>);

#[derive(Clone, Debug)]
enum Stage {
    Running,
    /// No more commands, connections and links.
    Stopping,
    Stopped(Result<(), ShutdownError>),
}

impl Life {
    pub fn begin() -> Self {
        Life(watch::Sender::new(Stage::Running))
    }

    /// Asks the node to stop.
    pub fn stop(&self) {
        self.0.send_if_modified(|stage| {
            let running = matches!(stage, Stage::Running);
            if running {
                *stage = Stage::Stopping;
            }
            running
        });
    }

    /// The node has stopped.
    pub fn end(&self, how: Result<(), ShutdownError>) {
        self.0.send_replace(Stage::Stopped(how));
    }

    pub fn is_running(&self) -> bool {
        matches!(*self.0.borrow(), Stage::Running)
    }

    /// Returns as soon as a shutdown begins.
    pub async fn stopping(&self) {
        // The sender is part of `self`: it cannot be gone.
        let _ = self.0.subscribe().wait_for(|stage| !matches!(stage, Stage::Running)).await;
    }

    /// Returns when the node has stopped, and how.
    pub async fn stopped(&self) -> Result<(), ShutdownError> {
        let mut stage = self.0.subscribe();
        let ended = stage.wait_for(|stage| matches!(stage, Stage::Stopped(_))).await;
        match ended.as_deref() {
            Ok(Stage::Stopped(how)) => how.clone(),
            Ok(Stage::Running | Stage::Stopping) | Err(_) => Ok(()),
        }
    }
}
