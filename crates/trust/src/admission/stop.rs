//! Why a leaf is not admitted: its status, and what is particular about it.

use heliu_record::history::PlaceError;
use heliu_record::reason::Facts;

use super::{RefusedReason, Status};

/// A status other than admitted, and what is particular about it, for people.
pub(super) struct Stop(pub Status, pub Option<Facts>);

impl From<Status> for Stop {
    fn from(status: Status) -> Self {
        Stop(status, None)
    }
}

impl Stop {
    pub fn refused(reason: RefusedReason, why: Facts) -> Self {
        Stop(Status::Refused(reason), Some(why))
    }

    /// A change that does not follow from its predecessors; one that only came before them waits.
    pub fn of(error: &PlaceError) -> Self {
        let reason = match error {
            PlaceError::Missing(_) => return Status::Waiting.into(),
            PlaceError::Seq { .. } => RefusedReason::Seq,
            PlaceError::StartOp { .. } => RefusedReason::StartOp,
            PlaceError::Dangling(_) => RefusedReason::Dangling,
            PlaceError::Deps => RefusedReason::Predecessors,
        };
        Stop::refused(reason, error.facts())
    }
}
