//! Records that one of the ends does not take, because there is too much of their author: it says so, and both leave them out
//! where they compare. The other end keeps them, and nothing of them is acknowledged but that they came.

use std::collections::BTreeSet;

use heliu_record::id::RecordId;

use super::pushing::Push;
use super::{Arrival, Link, Out, Shared};
use crate::frame::{Frame, Outside, limits};
use crate::records::Apart;

/// Records that the other end may leave out on one link. Each is remembered.
const LEFT_OUT_MAX: usize = 65_536;

#[derive(Default)]
pub(super) struct Telling {
    /// Of what is outside here, as it was looked at last.
    version: u64,
    told: BTreeSet<RecordId>,
}

impl Link {
    /// Tells what is outside here and the other end does not know. Goes out before the acknowledgement of the frames that
    /// brought it, so that nobody compares with it in between.
    pub(super) fn tell_what_is_outside(&mut self, shared: &Shared<'_>, out: &mut Out) {
        let Some(peer) = &self.peer else { return };
        if self.telling.version == shared.foreign.version() {
            return;
        }
        let (node, seat, seats) = (peer.node, peer.seat, shared.directory.seats());
        self.telling.version = shared.foreign.version();
        let concerns = shared.foreign.outside().iter().filter(|(_, outside)| outside.concerns(node, seat, seats));
        let now: BTreeSet<RecordId> = concerns.map(|(record, _)| *record).collect();
        let new: Vec<RecordId> = now.difference(&self.telling.told).copied().collect();
        // It is asked for what was not taken before.
        let again: Vec<RecordId> = self.telling.told.difference(&now).copied().collect();
        for records in new.chunks(limits::RECORDS_PER_HAVE) {
            self.send(Frame::Outside(Outside { records: records.to_vec(), no_longer: Vec::new() }), out);
        }
        for no_longer in again.chunks(limits::RECORDS_PER_HAVE) {
            self.send(Frame::Outside(Outside { records: Vec::new(), no_longer: no_longer.to_vec() }), out);
        }
        again.into_iter().for_each(|record| self.sending.push(record, Push::want()));
        self.telling.told = now;
        self.verifying.unsettle();
    }

    pub(super) fn on_outside(&mut self, outside: Outside, shared: &Shared<'_>, out: &mut Out) {
        let known = shared.apart.map_or(0, Apart::named);
        if known + outside.records.len() > LEFT_OUT_MAX {
            return self.protocol_error("more records are left out than can be remembered", out);
        }
        self.verifying.unsettle();
        out.arrivals.push(Arrival::Outside { link: self.id, outside });
    }
}
