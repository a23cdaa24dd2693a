//! What a link does when it reconciles: [`Reconciling`](super::reconciling::Reconciling) says what is found to differ, and here that
//! is sent.

use heliu_storage::ScanItem;

use super::line::{Out, Shared};
use super::pushing::Push;
use super::reconciling::{Finished, Found, Turned, Wanted};
use super::{Goes, Link};
use crate::effect::Notice;
use crate::frame::{Reconcile, Refuse};

impl Link {
    pub(super) fn reconcile(&mut self, out: &mut Out) {
        let scans = self.reconciling.begin(&self.line, out);
        self.verifying.unsettle_if(scans);
    }

    pub(super) fn on_reconcile(&mut self, message: Reconcile, shared: &Shared<'_>, out: &mut Out) -> Goes {
        match self.reconciling.hear(message, &self.line, out)? {
            Turned::Begun(scans) => self.verifying.unsettle_if(scans),
            Turned::Found(found) => {
                self.push_found(found, shared);
                self.pump(shared, out);
            }
        }
        Ok(())
    }

    fn push_found(&mut self, Found { lacking, differing }: Found, shared: &Shared<'_>) {
        self.sending.push(differing.into_iter().map(|record| (record, Push::compare())).collect());
        if let Some(lacking) = lacking {
            self.sending.push_whole(lacking, shared.head());
        }
    }

    /// What a reconciliation has to know next of all that is here, if it waits for that.
    pub fn wanted(&self) -> Option<&Wanted> {
        self.reconciling.wanted().filter(|_| self.line.is_running())
    }

    /// What each scope comes to, for a reconciliation that wants to know it: nothing is under way.
    pub fn on_scopes(&mut self, shared: &Shared<'_>, out: &mut Out) {
        if self.line.is_running() {
            let begins = self.reconciling.is_beginning();
            let found = self.reconciling.scopes(shared.compared.kept.rows(), &self.line, shared, out);
            self.looked(begins, found, shared, out);
        }
    }

    /// Rows of the store, for a reconciliation that wants them: nothing is under way.
    pub fn on_scanned(&mut self, items: &[ScanItem], shared: &Shared<'_>, out: &mut Out) {
        if self.line.is_running() {
            let begins = self.reconciling.is_beginning();
            let found = self.reconciling.scanned(items, &self.line, shared, out);
            self.looked(begins, found, shared, out);
        }
    }

    fn looked(&mut self, begins: bool, found: Option<Result<Found, Refuse>>, shared: &Shared<'_>, out: &mut Out) {
        if begins {
            self.sending.allow_parting_again();
        }
        match found {
            Some(Ok(found)) => self.push_found(found, shared),
            Some(Err(why)) => self.line.refuse(why, out),
            None => {}
        }
        self.pump(shared, out);
    }

    /// Nothing is left to push: perhaps the reconciliation is over.
    pub(super) fn finish_reconciling(&mut self, shared: &Shared<'_>, out: &mut Out) {
        let has_pushed = self.sending.has_pushed();
        let Some(Finished { at, pushed, differing }) = self.reconciling.finish(has_pushed, &self.line, out) else {
            return;
        };
        self.sending.jump_to(at, &self.line, out);
        self.line.notice(|link, peer| Notice::Reconciled { link, peer, pushed, differing }, out);
        self.pump(shared, out);
    }

    /// Reconciles if the sums differ and it is time.
    pub(super) fn mend_soon(&mut self, out: &mut Out) {
        if self.verifying.take_turn_to_reconcile() {
            self.reconciling.sums_differ();
            self.reconcile(out);
        }
    }
}
