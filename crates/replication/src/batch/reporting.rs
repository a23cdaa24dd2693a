//! How damage is told: to operators at once, and as a row in quarantine, with what is left of the bytes.

use heliu_record::hash::hash;
use heliu_record::id::RecordId;
use heliu_record::reason::{Fact, Facts};
use heliu_storage::QuarantineRow;

use crate::effect::{Moment, Notice};
use crate::health::kept;
use crate::journal::Delta;

/// A stable code, as the others in quarantine.
pub(super) const CODE: &str = "store.damaged";

/// `why` is for the log, the facts are for people.
pub(super) fn tell(record: RecordId, why: &str, facts: &Facts, delta: &mut Delta, now: Moment) {
    report(hash("heliu damaged 1", &[&record.0, why.as_bytes()]), record, (why, facts), &[], delta, now);
}

pub(super) fn report(
    id: [u8; 32],
    record: RecordId,
    (why, facts): (&str, &Facts),
    bytes: &[u8],
    delta: &mut Delta,
    now: Moment,
) {
    delta.notice(Notice::Damaged { record, why: why.to_owned() });
    delta.transaction.quarantined.push(QuarantineRow {
        id,
        record: Some(record),
        from: None,
        code: CODE.to_owned(),
        reason: facts.to_string(),
        at_ms: now.wall_ms,
        bytes: kept(bytes),
    });
}

/// What of a record is damaged.
pub(super) fn part(what: &str) -> Facts {
    Facts::none().and(Fact::Part, what)
}
