//! The connections that read. A few, each opened when it is first needed: a process may have hundreds of stores, and each
//! connection is a thread.
//!
//! Not sqlx's pool: that starts a task and pings the connection each time one is given back.

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};

use crate::fault::Fault;
use crate::writer::closed;

pub struct Readers {
    options: SqliteConnectOptions,
    slots: Box<[Mutex<Slot>]>,
}

enum Slot {
    Unused,
    Open(SqliteConnection),
    Closed,
}

/// A connection for one read.
pub struct Reader<'a>(MutexGuard<'a, Slot>);

impl Readers {
    pub fn new(options: SqliteConnectOptions, count: u32) -> Self {
        Readers { options, slots: (0..count.max(1)).map(|_| Mutex::new(Slot::Unused)).collect() }
    }

    /// The first connection that is free; if none is, the first that becomes so.
    pub async fn get(&self) -> Result<Reader<'_>, Fault> {
        let free = self.slots.iter().find_map(|slot| slot.try_lock().ok());
        let mut slot = match free {
            Some(slot) => slot,
            None => {
                let waits: Vec<_> = self.slots.iter().map(|slot| Box::pin(slot.lock())).collect();
                futures::future::select_all(waits).await.0
            }
        };
        match *slot {
            Slot::Open(_) => {}
            Slot::Unused => *slot = Slot::Open(self.options.connect().await?),
            Slot::Closed => return Err(closed()),
        }
        Ok(Reader(slot))
    }

    pub async fn close(&self) -> Result<(), Fault> {
        for slot in &self.slots {
            let slot = std::mem::replace(&mut *slot.lock().await, Slot::Closed);
            if let Slot::Open(connection) = slot {
                sqlx::Connection::close(connection).await?;
            }
        }
        Ok(())
    }
}

impl Reader<'_> {
    pub fn connection(&mut self) -> Result<&mut SqliteConnection, Fault> {
        match &mut *self.0 {
            Slot::Open(connection) => Ok(connection),
            Slot::Unused | Slot::Closed => Err(closed()),
        }
    }
}
