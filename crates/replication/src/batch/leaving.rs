//! Records that leave this seat: another node says that one has, a superior has proven that it has all of one. And what a new
//! incarnation leaves behind.

use heliu_record::hash::Sum;
use heliu_record::id::RecordId;
use heliu_storage::RecordState;
use heliu_trust::id::Incarnation;

use crate::effect::{LinkId, Moment, Notice};
use crate::journal::Delta;
use crate::parts::Parts;
use crate::records::Open;

/// Another node says that a record is no longer ours. What is held decides; if it does not say so, leaves are missing.
pub(super) fn withdrawn(link: LinkId, record: RecordId, parts: &mut Parts, delta: &mut Delta) {
    let directory = parts.authority.directory();
    let stays =
        |open: &&Open| open.is_present() && open.relay_scope(directory).has_audience(parts.own.seat, directory.seats());
    if parts.records.get(&record).filter(stays).is_none() {
        return;
    }
    // Why is in what was left out.
    if parts.scopes.foreign.is_outside(&record) {
        parts.scopes.foreign.let_in(record);
        parts.records.touch(&record);
    }
    delta.outcome.links.wants.entry(link).or_default().insert(record);
}

/// The bytes of a record that left this seat go; a stub stays.
pub(super) fn let_go(record: RecordId, proven: Sum, parts: &mut Parts, delta: &mut Delta, now: Moment) {
    let has_all = |open: &&Open| matches!(open.row.state, RecordState::Hidden { .. }) && proven == open.held_sum();
    if parts.records.get(&record).filter(has_all).is_none() || parts.records.is_touched(&record) {
        return; // It came back meanwhile, or more of it came, which has to be proven first.
    }
    let actor = parts.journal.writer.actor();
    let own_last = parts.records.drop_bytes(record, actor, now.wall_ms, parts.own.catalogue);
    parts.leaving.let_go(record, own_last);
    delta.transaction.dropped.push(record);
}

/// From here on, this node writes under another incarnation.
pub(super) fn renew(incarnation: Incarnation, parts: &mut Parts, delta: &mut Delta) {
    parts.journal.writer.renew(incarnation);
    parts.leaving.renew();
    parts.records.know_actor(parts.journal.writer.actor(), parts.own.seat);
    delta.transaction.incarnation = Some(incarnation);
    delta.notice(Notice::NewIncarnation(incarnation));
}
