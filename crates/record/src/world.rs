//! What rules and commands read: the records that a node holds, without knowing how it holds them.

use crate::id::{Actor, RecordId, SeatId};
use crate::seats::Seats;
use crate::view::Record;

/// The records that a node holds, as rules and commands read them. A record may be missing, because it is out of the
/// node's scope or not loaded yet: what needs it then yields nothing.
pub trait World {
    fn record(&self, id: RecordId) -> Option<&Record>;
    fn seats(&self) -> &Seats;
    /// Records that point to this one.
    fn referring(&self, target: RecordId) -> Vec<RecordId>;
    /// The seat of the node that an actor is an incarnation of.
    fn seat_of(&self, actor: Actor) -> Option<SeatId>;
}
