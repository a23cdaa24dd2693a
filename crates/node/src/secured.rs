//! What a node outside of development mode has, its certificate and its access list, and the task that looks every few
//! seconds whether their files have changed, and whether the certificate has to be renewed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::access::Doors;
use crate::certificate::Certificate;
use crate::life::Life;
use crate::stamp::Stamp;

const WARN_BEFORE_MS: i64 = 30 * 24 * 60 * 60 * 1000;
const WARN_AGAIN: Duration = Duration::from_secs(24 * 60 * 60);
/// A renewal that failed is tried again after so long; sooner while the certificate lets nobody in.
const RENEW_AGAIN: Duration = Duration::from_secs(60 * 60);
const RENEW_INVALID_AGAIN: Duration = Duration::from_secs(60);
/// More often would be a busy loop.
const LOOK_MIN: Duration = Duration::from_millis(10);

#[derive(Clone)]
pub(crate) struct Secured {
    pub certificate: Arc<Certificate>,
    pub doors: Arc<Doors>,
}

/// Until the node stops.
pub(crate) async fn watch(secured: Secured, life: Life) {
    let mut every = tokio::time::interval(secured.certificate.files.reload.max(LOOK_MIN));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut watcher = Watcher::new(secured);
    loop {
        tokio::select! {
            () = life.stopping() => return,
            _ = every.tick() => {}
        }
        // Disks may be slow; this thread has links to serve.
        let span = tracing::Span::current();
        let looked = tokio::task::spawn_blocking(move || {
            span.in_scope(|| watcher.look());
            watcher
        });
        match looked.await {
            Ok(back) => watcher = back,
            Err(error) => {
                tracing::error!(%error, "certificate and access list are not watched any more: restart the node");
                return;
            }
        }
    }
}

struct Watcher {
    certificate: Arc<Certificate>,
    doors: Arc<Doors>,
    pair: Files,
    access: Files,
    warned: Option<Instant>,
    tried: Option<Instant>,
}

impl Watcher {
    fn new(Secured { certificate, doors }: Secured) -> Self {
        let pair = Files::new(certificate.begun.clone());
        let access = Files::new(doors.begun.clone());
        Watcher { certificate, doors, pair, access, warned: None, tried: None }
    }

    fn look(&mut self) {
        self.look_at_certificate();
        self.look_at_access();
        self.keep_valid();
    }

    /// What was wrong with the files may be over without a change of theirs: a right, a disk, the clock.
    fn look_at_certificate(&mut self) {
        let (is_new, before) = (self.pair.changed(self.certificate.stamp()), self.certificate.problems());
        if !is_new && !self.certificate.is_to_be_read_again() {
            return;
        }
        match self.certificate.reload() {
            Ok(()) => {
                // The node may have made a new certificate, so the files may hold another than the one somebody put there.
                self.pair = Files::new(self.certificate.stamp());
                tracing::info!(
                    not_after_ms = self.certificate.not_after_ms(),
                    "a new certificate is in use for new connections"
                );
            }
            Err(why) if is_new || self.certificate.problems() != before => tracing::error!(
                %why,
                "the new certificate and key are not taken, the old ones stay: make others (heliu rotate)"
            ),
            Err(_) => {}
        }
    }

    fn look_at_access(&mut self) {
        let (is_new, before) = (self.access.changed(self.doors.stamp()), self.doors.problem());
        if !is_new && before.is_none() {
            return;
        }
        match self.doors.reload() {
            Ok(tokens) => tracing::info!(tokens, "a new access list is in use"),
            Err(why) if is_new || self.doors.problem() != before => {
                tracing::error!(%why, "the new access list is not taken, the old one stays: correct it");
            }
            Err(_) => {}
        }
    }

    /// By the clock as it is set now, whatever it said before: it may have been put right, or back.
    fn keep_valid(&mut self) {
        let again = |at: Option<Instant>, after| at.is_none_or(|at| at.elapsed() >= after);
        let after = if self.certificate.is_valid() { RENEW_AGAIN } else { RENEW_INVALID_AGAIN };
        if !self.certificate.is_due() {
            self.tried = None;
            self.certificate.forget_renewal();
        } else if again(self.tried, after) {
            self.tried = Some(Instant::now());
            match self.certificate.renew() {
                Ok(()) => {
                    self.tried = None;
                    self.pair = Files::new(self.certificate.stamp());
                    tracing::info!(not_after_ms = self.certificate.not_after_ms(), "the certificate has been renewed");
                }
                Err(why) => tracing::error!(%why, "the certificate could not be renewed; it is tried again"),
            }
        }
        let left = self.certificate.left_ms();
        if left >= WARN_BEFORE_MS {
            self.warned = None;
        } else if again(self.warned, WARN_AGAIN) {
            self.warned = Some(Instant::now());
            let days = left / (24 * 60 * 60 * 1000);
            tracing::warn!(
                days,
                "this node's certificate expires soon, or has; then no other node takes it: run heliu rotate, or give the \
                 node write access to its directory"
            );
        }
    }
}

/// Files that are taken when they have not changed for one look: one who writes two of them is not caught between.
struct Files {
    taken: Stamp,
    seen: Stamp,
}

impl Files {
    fn new(now: Stamp) -> Self {
        Files { taken: now.clone(), seen: now }
    }

    /// Whether there is something new now, at rest.
    fn changed(&mut self, now: Stamp) -> bool {
        let rests = now == self.seen;
        self.seen = now;
        let is_new = rests && self.seen != self.taken;
        if is_new {
            self.taken = self.seen.clone();
        }
        is_new
    }
}
