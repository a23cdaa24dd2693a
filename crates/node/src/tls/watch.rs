//! Looks every few seconds whether the files of certificate and access list have changed, and whether the certificate has
//! to be renewed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Certificate, Stamp};
use crate::access::Doors;
use crate::clock::wall_ms;
use crate::handle::Inner;

const WARN_BEFORE_MS: i64 = 30 * 24 * 60 * 60 * 1000;
const WARN_AGAIN: Duration = Duration::from_secs(24 * 60 * 60);
/// A renewal that failed is tried again after so long.
const RENEW_AGAIN: Duration = Duration::from_secs(60 * 60);
/// More often would be a busy loop.
const LOOK_MIN: Duration = Duration::from_millis(10);

/// Until the node stops.
pub(crate) async fn watch(inner: Arc<Inner>) {
    let Some(secured) = inner.secured.clone() else { return };
    let mut every = tokio::time::interval(secured.certificate.files.reload.max(LOOK_MIN));
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut watcher = Watcher::new(Arc::clone(&secured.certificate), Arc::clone(&secured.doors));
    loop {
        tokio::select! {
            () = inner.stopping() => return,
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
    fn new(certificate: Arc<Certificate>, doors: Arc<Doors>) -> Self {
        let pair = Files::new(certificate.begun.clone());
        let access = Files::new(doors.begun.clone());
        Watcher { certificate, doors, pair, access, warned: None, tried: None }
    }

    fn look(&mut self) {
        if self.pair.changed(self.certificate.stamp()) {
            match self.certificate.reload() {
                Ok(()) => tracing::info!(
                    not_after_ms = self.certificate.not_after_ms(),
                    "a new certificate is in use for new connections"
                ),
                Err(why) => tracing::error!(
                    %why,
                    "the new certificate and key are not taken, the old ones stay: make others (heliu rotate)"
                ),
            }
        }
        if self.access.changed(self.doors.stamp()) {
            match self.doors.reload() {
                Ok(tokens) => tracing::info!(tokens, "a new access list is in use"),
                Err(why) => tracing::error!(%why, "the new access list is not taken, the old one stays: correct it"),
            }
        }
        self.keep_valid();
    }

    fn keep_valid(&mut self) {
        let now = wall_ms();
        let again = |at: Option<Instant>, after| at.is_none_or(|at| at.elapsed() >= after);
        if self.certificate.current().identity.is_due(now) && again(self.tried, RENEW_AGAIN) {
            self.tried = Some(Instant::now());
            match self.certificate.renew() {
                Ok(()) => {
                    self.tried = None;
                    self.pair = Files::new(self.certificate.stamp());
                    tracing::info!(not_after_ms = self.certificate.not_after_ms(), "the certificate has been renewed");
                }
                Err(why) => tracing::error!(%why, "the certificate could not be renewed; it is tried again in an hour"),
            }
        }
        let left = self.certificate.not_after_ms().saturating_sub(now);
        if left < WARN_BEFORE_MS && again(self.warned, WARN_AGAIN) {
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
