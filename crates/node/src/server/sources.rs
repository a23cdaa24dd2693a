//! Connections that have not been secured yet, per address they come from, so that one address cannot take all turns.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(super) struct Sources {
    known: Arc<Mutex<BTreeMap<IpAddr, Source>>>,
    turns: usize,
    unproven: usize,
}

struct Source {
    turns: Arc<Semaphore>,
    open: usize,
}

/// A connection of a source, until this is dropped.
pub(super) struct Ticket {
    known: Arc<Mutex<BTreeMap<IpAddr, Source>>>,
    source: IpAddr,
    turns: Arc<Semaphore>,
}

impl Sources {
    /// Of one source, `turns` handshakes go on at once, and `unproven` connections wait or are in one.
    pub fn new(turns: usize, unproven: usize) -> Self {
        Sources { known: Arc::default(), turns, unproven }
    }

    /// None: this source has too many already.
    pub fn enter(&self, address: IpAddr) -> Option<Ticket> {
        let source = source(address);
        let mut known = lock(&self.known);
        let entry =
            known.entry(source).or_insert_with(|| Source { turns: Arc::new(Semaphore::new(self.turns)), open: 0 });
        if entry.open >= self.unproven {
            return None;
        }
        entry.open += 1;
        Some(Ticket { known: Arc::clone(&self.known), source, turns: Arc::clone(&entry.turns) })
    }
}

impl Ticket {
    /// Waits for a turn.
    pub async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut known = lock(&self.known);
        if let Some(entry) = known.get_mut(&self.source) {
            entry.open -= 1;
            if entry.open == 0 {
                known.remove(&self.source);
            }
        }
    }
}

/// Who has one IPv6 address has its whole /64.
fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

fn lock(known: &Mutex<BTreeMap<IpAddr, Source>>) -> MutexGuard<'_, BTreeMap<IpAddr, Source>> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_is_limited_and_nothing_of_it_is_left_behind() {
        let sources = Sources::new(1, 2);
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let first = sources.enter(address("2001:db8::1")).expect("there is room");
        let second = sources.enter(address("2001:db8::2")).expect("there is room");
        assert!(sources.enter(address("2001:db8::3")).is_none(), "one machine has many addresses");
        assert!(sources.enter(address("192.0.2.1")).is_some());
        drop((first, second));
        assert!(lock(&sources.known).is_empty());
    }
}
