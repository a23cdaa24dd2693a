//! What somebody decides about an author outside of this seat's line; see [`Foreign`](crate::records::Foreign).

use heliu_record::id::SeatId;

use crate::effect::{AuditEvent, Done, ForeignAction, Moment, Reply, Ticket};
use crate::journal::Delta;
use crate::parts::Parts;
use crate::records::{in_line, of_this_line};

pub(super) fn decide(
    ticket: Ticket,
    seat: SeatId,
    action: ForeignAction,
    event: AuditEvent,
    parts: &mut Parts,
    delta: &mut Delta,
    now: Moment,
) {
    let seats = parts.authority.seats();
    if in_line(parts.own.seat, seat, seats) {
        return delta.refuse(ticket, of_this_line(&seats.name(seat)));
    }
    delta.transaction.declined.push((seat, action == ForeignAction::Decline));
    match action {
        ForeignAction::Decline => parts.scopes.foreign.decline(seat),
        ForeignAction::Accept => {
            let again = parts.scopes.foreign.accept(seat);
            again.iter().for_each(|record| parts.records.touch(record));
        }
    }
    delta.audit(event, now.wall_ms);
    delta.reply(ticket, Reply::Done(Done::default()));
}
