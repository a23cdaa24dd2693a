//! A `heliu node` in a process of its own: started, killed, asked to stop.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use heliu_client::Access;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;

use crate::command_line::command;
use crate::desk::Desk;
use crate::patience::{PATIENCE, until_ok};

pub struct NodeProcess {
    child: Child,
    address: SocketAddr,
    /// For whoever sits at the machine.
    access: PathBuf,
    /// Standard output and standard error; they go on over restarts.
    said: PathBuf,
    log: PathBuf,
}

impl NodeProcess {
    /// Starts a node on its directory, and does not wait for it. `settings` override its configuration.
    #[must_use]
    pub fn spawn(folder: &Path, address: SocketAddr, settings: &[(&str, &str)]) -> Self {
        let shown = folder.to_str().expect("its path is plain");
        NodeProcess::spawn_by(&["node", "--dir", shown], folder, folder, address, settings)
    }

    /// By another command line; what it says goes into a directory that is there already.
    #[must_use]
    pub fn spawn_by(
        arguments: &[&str],
        folder: &Path,
        says_to: &Path,
        address: SocketAddr,
        settings: &[(&str, &str)],
    ) -> Self {
        let (said, log) = (says_to.join("said.txt"), says_to.join("log.txt"));
        let append = |path: &Path| File::options().create(true).append(true).open(path).expect("the directory is ours");
        let mut command = command(arguments);
        // A node that was killed is dialled again within a second, whatever it has been through.
        command.env("HELIU_LINKS_RETRY_SECONDS_MAX", "1").envs(settings.iter().copied());
        command.stdout(append(&said)).stderr(append(&log)).stdin(Stdio::null());
        let child = command.spawn().expect("the binary runs");
        NodeProcess { child, address, access: folder.join("local.access"), said, log }
    }

    /// A desk at it, as soon as it answers.
    ///
    /// # Panics
    /// With its log, if it ends instead.
    pub async fn is_up(&mut self) -> Desk {
        let (address, access) = (self.address, self.access.clone());
        let answers = until_ok(async || {
            let access = Access::read(&access).map_err(|error| error.to_string())?;
            Desk::open(&access).await.map_err(|error| error.to_string())
        });
        let ended = tokio::select! {
            answered = answers => match answered {
                Ok(desk) => return desk,
                Err(why) => format!("does not answer: {why}"),
            },
            ended = self.child.wait() => format!("ended: {}", ended.expect("it is our child")),
        };
        panic!("the node at {address} {ended}\n{}{}", self.said(), self.log())
    }

    /// `kill -9`: it gets no chance to do anything more.
    pub async fn kill_nine(&mut self) {
        self.child.kill().await.expect("it is our child");
    }

    /// SIGTERM: it has time to finish.
    pub async fn stop(&mut self) -> ExitStatus {
        self.stop_by(Signal::TERM).await
    }

    /// By a signal that asks it to end.
    ///
    /// # Panics
    /// With its log, if it goes on.
    pub async fn stop_by(&mut self, signal: Signal) -> ExitStatus {
        if let Some(id) = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            kill_process(id, signal).expect("it is our child");
        }
        self.ends().await
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }

    /// The status that it ended with by itself.
    ///
    /// # Panics
    /// With its log, if it goes on.
    pub async fn ends(&mut self) -> ExitStatus {
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(status) => status.expect("it is our child"),
            Err(_) => panic!("the node at {} should end\n{}{}", self.address, self.said(), self.log()),
        }
    }

    #[must_use]
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.said).unwrap_or_default()
    }

    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}
