//! Records that one of the ends does not take, because there is too much of their author: it says so, and both leave them out
//! where they compare. The other end keeps them, and nothing of them is acknowledged but that they came.

use std::collections::BTreeSet;

use heliu_record::id::RecordId;

use super::line::{Line, Out, Shared, breach};
use crate::frame::{Frame, Outside, Refuse, limits};
use crate::records::Apart;

/// Records that the other end may leave out on one link. Each is remembered.
const LEFT_OUT_MAX: usize = 65_536;

#[derive(Default)]
pub(super) struct Telling {
    /// Of what is outside here, as it was looked at last.
    version: u64,
    told: BTreeSet<RecordId>,
}

impl Telling {
    /// Tells what is outside here and the other end does not know. Returns what is not outside any more, to be asked for; none
    /// if nothing has changed.
    pub fn tell(&mut self, line: &Line, shared: &Shared<'_>, out: &mut Out) -> Option<Vec<RecordId>> {
        let peer = line.peer.as_ref().filter(|_| self.version != shared.foreign.version())?;
        let (node, seat, seats) = (peer.node, peer.seat, shared.directory.seats());
        self.version = shared.foreign.version();
        let concerns = shared.foreign.outside().iter().filter(|(_, outside)| outside.concerns(node, seat, seats));
        let now: BTreeSet<RecordId> = concerns.map(|(record, _)| *record).collect();
        let new: Vec<RecordId> = now.difference(&self.told).copied().collect();
        let again: Vec<RecordId> = self.told.difference(&now).copied().collect();
        for records in new.chunks(limits::RECORDS_PER_HAVE) {
            line.send(Frame::Outside(Outside { records: records.to_vec(), no_longer: Vec::new() }), out);
        }
        for no_longer in again.chunks(limits::RECORDS_PER_HAVE) {
            line.send(Frame::Outside(Outside { records: Vec::new(), no_longer: no_longer.to_vec() }), out);
        }
        self.told = now;
        Some(again)
    }
}

/// Whether so much more may be left out by the other end.
pub(super) fn check(outside: &Outside, shared: &Shared<'_>) -> Result<(), Refuse> {
    let known = shared.compared.apart.map_or(0, Apart::named);
    if known + outside.records.len() > LEFT_OUT_MAX {
        return Err(breach("more records are left out than can be remembered"));
    }
    Ok(())
}
