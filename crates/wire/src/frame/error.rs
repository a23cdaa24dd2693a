//! Why a message is no frame: one variant for each way.

use heliu_record::codec::DecodeError;

use crate::leaves::DeliveryError;

/// Why bytes of a peer are no frame of this wire version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{what} has {found} bytes, where {expected} were due")]
    Size { what: &'static str, expected: &'static str, found: usize },
    #[error("more than {max} {what} in one frame")]
    TooMany { what: &'static str, max: usize },
    #[error("{0} are not in order, or some are there twice")]
    Order(&'static str),
    #[error("{what} is longer than {max} bytes")]
    TooLong { what: &'static str, max: usize },
    #[error("a directory entry cannot be read: {0}")]
    Directory(DecodeError),
    #[error("the last known commit cannot be read: {0}")]
    KnownCommit(DecodeError),
    #[error("a delivery cannot be read: {0}")]
    Delivery(#[from] DeliveryError),
}
