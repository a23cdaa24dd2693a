//! What one connection, or one caller, may have at once of answers that it does not take; how it is used is in `unread`.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::bounds::{Bounds, STREAMS_PER_CALLER, STREAMS_PER_CONNECTION};

pub(crate) struct Share {
    /// Bytes.
    pub room: Arc<Semaphore>,
    pub streams: Arc<Semaphore>,
}

impl Share {
    pub fn of_connection(bounds: &Bounds) -> Arc<Self> {
        Share::new(bounds.unread_of_connection, STREAMS_PER_CONNECTION)
    }

    pub fn of_caller(bounds: &Bounds) -> Arc<Self> {
        Share::new(bounds.unread_of_caller, STREAMS_PER_CALLER)
    }

    fn new(bytes: usize, streams: usize) -> Arc<Self> {
        Arc::new(Share { room: Arc::new(Semaphore::new(bytes)), streams: Arc::new(Semaphore::new(streams)) })
    }
}
