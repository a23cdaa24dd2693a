//! How many connections a node has at once. A connection that has not shown who is behind it waits in the lobby: its
//! handshake is not finished, or neither an enrolled node nor an access token has come over it yet. The lobby has places of
//! its own. When they are full, a newcomer takes the place of the oldest connection from whichever address has most there:
//! whoever floods pushes out connections of his own, and who comes with a single one is served. A connection that has shown
//! who is behind it leaves the lobby, and nobody pushes it out.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

pub(crate) struct Lobby {
    /// How many connections may wait in the lobby.
    room: usize,
    /// How many connections may be admitted.
    seats: usize,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    next: u64,
    /// Connections in the lobby by the address that they come from, the oldest first.
    waiting: BTreeMap<IpAddr, BTreeMap<u64, Guest>>,
    /// The number of connections in the lobby, over all addresses.
    waits: usize,
    admitted: BTreeMap<u64, Guest>,
    is_closed: bool,
}

/// An entry of the book. When it is dropped, its connection sees that `_line` is gone and hangs up.
struct Guest {
    address: SocketAddr,
    has_link: bool,
    _line: oneshot::Sender<Infallible>,
}

/// A connection's place in the book, which ends when the ticket is dropped.
pub(crate) struct Ticket {
    pass: Pass,
    /// Ends when the connection is to be hung up.
    pub cut: oneshot::Receiver<Infallible>,
}

/// What a call knows of its connection's place.
#[derive(Clone)]
pub(crate) struct Pass {
    lobby: Arc<Lobby>,
    id: u64,
    source: IpAddr,
}

impl Lobby {
    pub fn new(room: usize, seats: usize) -> Arc<Self> {
        Arc::new(Lobby { room, seats, book: Mutex::default() })
    }

    /// A place for a newcomer, and who had to go for it.
    pub fn enter(self: &Arc<Self>, address: SocketAddr) -> (Ticket, Option<SocketAddr>) {
        let (line, cut) = oneshot::channel();
        let source = source(address.ip());
        let mut book = self.lock();
        let id = book.next;
        book.next += 1;
        let evicted = book.wait(id, source, Guest { address, has_link: false, _line: line }, self.room);
        (Ticket { pass: Pass { lobby: Arc::clone(self), id, source }, cut }, evicted)
    }

    /// Hangs up on one connection of the lobby, for when the system has no more file handles to give.
    pub fn make_room(&self) -> Option<SocketAddr> {
        self.lock().evict()
    }

    /// Hangs up on everybody, and on whoever still comes.
    pub fn close(&self) {
        let mut book = self.lock();
        *book = Book { next: book.next, is_closed: true, ..Book::default() };
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    pub fn pass(&self) -> Pass {
        self.pass.clone()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.pass.hang_up();
    }
}

impl Pass {
    /// The connection has shown who it is. False: so many have that there is no room for one more, and it stays where it is.
    pub fn admit(&self) -> bool {
        let mut book = self.lobby.lock();
        if book.admitted.contains_key(&self.id) {
            return true;
        }
        if book.admitted.len() >= self.lobby.seats {
            return false;
        }
        // A connection that has been hung up on already is in neither list.
        if let Some(guest) = book.leave(self.id, self.source) {
            book.admitted.insert(self.id, guest);
        }
        true
    }

    /// What the connection was admitted for is over. It waits again.
    pub fn dismiss(&self) {
        let mut book = self.lobby.lock();
        if let Some(guest) = book.admitted.remove(&self.id) {
            book.wait(self.id, self.source, guest, self.lobby.room);
        }
    }

    /// Where the connection comes from: of one machine with many addresses, always the same.
    pub fn source(&self) -> IpAddr {
        self.source
    }

    /// It has shown who it is or not, it goes.
    pub fn hang_up(&self) {
        let mut book = self.lobby.lock();
        if book.admitted.remove(&self.id).is_none() {
            book.leave(self.id, self.source);
        }
    }

    /// Somebody whom the directory does not know (yet) opens a link: it gets one, and no more.
    pub fn open_link(&self) -> bool {
        let mut book = self.lobby.lock();
        let guest = book.waiting.get_mut(&self.source).and_then(|guests| guests.get_mut(&self.id));
        guest.is_some_and(|guest| !std::mem::replace(&mut guest.has_link, true))
    }
}

impl Book {
    fn wait(&mut self, id: u64, source: IpAddr, guest: Guest, room: usize) -> Option<SocketAddr> {
        if self.is_closed {
            return None;
        }
        let evicted = if self.waits >= room { self.evict() } else { None };
        self.waiting.entry(source).or_default().insert(id, Guest { has_link: false, ..guest });
        self.waits += 1;
        evicted
    }

    fn leave(&mut self, id: u64, source: IpAddr) -> Option<Guest> {
        let guests = self.waiting.get_mut(&source)?;
        let left = guests.remove(&id)?;
        if guests.is_empty() {
            self.waiting.remove(&source);
        }
        self.waits -= 1;
        Some(left)
    }

    /// The oldest goes, of whoever has most.
    fn evict(&mut self) -> Option<SocketAddr> {
        let oldest = |guests: &BTreeMap<u64, Guest>| guests.keys().next().copied().unwrap_or(u64::MAX);
        let most = self.waiting.iter().max_by_key(|(_, guests)| (guests.len(), std::cmp::Reverse(oldest(guests))))?;
        let (source, id) = (*most.0, oldest(most.1));
        self.leave(id, source).map(|guest| guest.address)
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

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;

    fn at(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().expect("an address"), 1)
    }

    fn is_cut(ticket: &mut Ticket) -> bool {
        ticket.cut.try_recv() == Err(TryRecvError::Closed)
    }

    #[test]
    fn whoever_floods_pushes_out_its_own_and_nothing_is_left_behind() {
        let lobby = Lobby::new(4, 1);
        let mut honest = lobby.enter(at("192.0.2.1")).0;
        // One machine has many addresses.
        let mut flood: Vec<Ticket> = (1..20).map(|n| lobby.enter(at(&format!("2001:db8::{n}"))).0).collect();
        assert!(!is_cut(&mut honest));
        assert_eq!(flood.iter_mut().map(is_cut).filter(|cut| !cut).count(), 3, "the room is full");
        assert!(!is_cut(flood.last_mut().expect("it came")), "the newest are there");
        drop((honest, flood));
        assert!(lobby.lock().waiting.is_empty() && lobby.lock().waits == 0);
    }

    #[test]
    fn of_many_with_one_each_the_oldest_goes() {
        let lobby = Lobby::new(2, 1);
        let mut came: Vec<Ticket> = (1..=3).map(|n| lobby.enter(at(&format!("192.0.2.{n}"))).0).collect();
        assert_eq!(came.iter_mut().map(is_cut).collect::<Vec<_>>(), [true, false, false]);
        assert!(lobby.make_room().is_some());
        assert!(is_cut(&mut came[1]));
    }

    #[test]
    fn who_has_shown_who_it_is_is_pushed_out_by_nobody_until_it_is_dismissed() {
        let lobby = Lobby::new(1, 1);
        let (mut first, mut second) = (lobby.enter(at("192.0.2.1")).0, None);
        assert!(first.pass().admit() && first.pass().admit());
        for _ in 0..3 {
            second = Some(lobby.enter(at("192.0.2.2")).0);
        }
        let mut second = second.expect("it came");
        assert!(!is_cut(&mut first) && !second.pass().admit(), "there is one seat");
        assert!(second.pass().open_link() && !second.pass().open_link());
        first.pass().dismiss();
        assert!(is_cut(&mut second) && !is_cut(&mut first), "it waits in the place of another");
        lobby.close();
        let mut late = lobby.enter(at("192.0.2.3")).0;
        assert!(is_cut(&mut first) && is_cut(&mut late));
    }
}
