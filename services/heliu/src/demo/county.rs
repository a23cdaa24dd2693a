//! The county as the story sees it: its places by seat, what was acknowledged, and when everything has arrived.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::stream::{FuturesUnordered, StreamExt as _};
use heliu_node::status::{LinkReport, LinkRole};
use heliu_record::command::{CommandId, Request};
use heliu_record::hash::hash16;
use heliu_record::id::{LeafHash, RecordId, SeatId};
use heliu_record::seats::Seat;
use heliu_replication::effect::Done;
use heliu_storage::{LeafRow, LeafStatus, RecordState};

use super::ask::{Ask, Fault};
use super::place::{Place, is_live};
use super::words::Teller;
use crate::text::tr;

const POLL: Duration = Duration::from_millis(40);
/// Nothing in the demo takes this long unless it is stuck.
const PATIENCE: Duration = Duration::from_secs(180);

/// The organisations and members of the county by seat, as they were registered.
#[derive(Default)]
pub struct Roll {
    pub committees: BTreeMap<SeatId, RecordId>,
    pub branches: BTreeMap<SeatId, RecordId>,
    pub members: BTreeMap<SeatId, Vec<RecordId>>,
}

pub struct County {
    /// Superiors before their subordinates; the county first.
    pub places: Vec<Place>,
    by_seat: BTreeMap<SeatId, usize>,
    seed: u64,
    asked: AtomicU64,
    acked: Mutex<BTreeSet<LeafHash>>,
    /// Seats whose link to their superior is cut.
    cut: Mutex<BTreeSet<SeatId>>,
}

impl County {
    pub fn new(places: Vec<Place>, seed: u64) -> Self {
        let by_seat = places.iter().enumerate().map(|(index, place)| (place.seat.id, index)).collect();
        let (acked, cut) = (Mutex::default(), Mutex::default());
        County { places, by_seat, seed, asked: AtomicU64::new(0), acked, cut }
    }

    /// The county's own place.
    pub fn top(&self) -> &Place {
        &self.places[0]
    }

    pub fn at(&self, seat: SeatId) -> &Place {
        self.by_seat.get(&seat).map_or(self.top(), |index| &self.places[*index])
    }

    pub fn name(&self, seat: SeatId) -> &str {
        &self.at(seat).seat.name
    }

    pub fn seats(&self) -> impl Iterator<Item = &Seat> {
        self.places.iter().map(|place| &place.seat)
    }

    /// Gives a command at a seat's node; what it answers is remembered as acknowledged. If it is about a record, the leaves are those
    /// of that one: what a command writes besides is for others.
    pub async fn ask(&self, seat: SeatId, ask: Ask) -> Result<Done, Fault> {
        let subject = ask.subject();
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let id = hash16("heliu demo command", &[&self.seed.to_le_bytes(), &number.to_le_bytes()]);
        let mut done = self.give(seat, ask.request(CommandId(id), format!("{}文书", self.name(seat)))).await?;
        if let Some(record) = subject {
            let loaded = self.at(seat).store.load(&[record]).await?;
            let own: BTreeSet<LeafHash> = loaded.iter().flat_map(|of| &of.leaves).map(|row| row.hash).collect();
            done.leaves.retain(|leaf| own.contains(leaf));
        }
        Ok(done)
    }

    pub async fn give(&self, seat: SeatId, request: Request) -> Result<Done, Fault> {
        let done = self.at(seat).execute(request).await?.done;
        self.acked.lock().unwrap_or_else(PoisonError::into_inner).extend(&done.leaves);
        Ok(done)
    }

    /// Gives a command that makes a record; its id.
    pub async fn make(&self, seat: SeatId, ask: Ask) -> Result<RecordId, Fault> {
        let done = self.ask(seat, ask).await?;
        made(&done, self.name(seat))
    }

    pub fn acked(&self) -> BTreeSet<LeafHash> {
        self.acked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until a record is at a seat with these leaves in its view. A leaf may come before those it builds on.
    pub async fn arrival(&self, seat: SeatId, record: RecordId, leaves: &[LeafHash]) -> Result<(), Fault> {
        let began = Instant::now();
        let store = &self.at(seat).store;
        loop {
            if leaves.is_empty() {
                if store.record(record).await?.is_some_and(|row| !row.waiting && row.state == RecordState::Present) {
                    return Ok(());
                }
            } else if let Some(loaded) = store.load(&[record]).await?.first() {
                let taken = |row: &LeafRow, leaf| row.hash == leaf && row.status == LeafStatus::Admitted;
                if leaves.iter().all(|leaf| loaded.leaves.iter().any(|row| taken(row, *leaf))) {
                    return Ok(());
                }
            }
            if began.elapsed() > PATIENCE {
                let what = format!("record {} has not reached {}", record.short(), self.name(seat));
                return Err(Fault::Stuck { what, seconds: PATIENCE.as_secs() });
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Cuts these seats off from their superiors, or lets them through again.
    pub fn set_cut(&self, seats: &BTreeSet<SeatId>, is_cut: bool) {
        for gate in seats.iter().filter_map(|seat| self.at(*seat).gate.as_ref()) {
            gate.set_open(!is_cut);
        }
        let mut cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        *cut = if is_cut { seats.clone() } else { BTreeSet::new() };
    }

    fn cut_seats(&self) -> BTreeSet<SeatId> {
        self.cut.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn heads(&self) -> Result<u64, Fault> {
        let mut sum = 0;
        for place in &self.places {
            sum += place.store.meta().await?.head;
        }
        Ok(sum)
    }

    /// Waits until nothing moves any more on the links that are up. The progress is that of the county's own feed.
    pub async fn quiet(&self, teller: &Teller, what: &str, expected: u64) -> Result<(), Fault> {
        let began = Instant::now();
        let mut before = self.heads().await?;
        loop {
            tokio::time::sleep(POLL * 3).await;
            let top = self.top().store.meta().await?.head;
            teller.progress(what, top.min(expected), expected);
            let now = self.heads().await?;
            if now == before && self.all_in_step().await? && self.heads().await? == now {
                return Ok(());
            }
            before = now;
            if began.elapsed() > PATIENCE {
                let what = self.behind(5).await?.join("; ");
                return Err(Fault::Stuck { what: format!("links are behind ({what})"), seconds: PATIENCE.as_secs() });
            }
        }
    }

    async fn all_in_step(&self) -> Result<bool, Fault> {
        Ok(self.behind(1).await?.is_empty())
    }

    /// Links that should be up and where something is behind, as either end sees it; at most so many, in words.
    async fn behind(&self, most: usize) -> Result<Vec<String>, Fault> {
        let cut = self.cut_seats();
        let mut found = Vec::new();
        for place in &self.places {
            let links = place.links().await?;
            let up = links.iter().filter(|link| link.role == LinkRole::Parent && is_live(link)).count();
            let has_up = place.seat.parent.is_some() && !cut.contains(&place.seat.id);
            if has_up && up == 0 {
                let state = links.iter().find(|link| link.role == LinkRole::Parent);
                found.push(format!("{} ↑ {}", place.seat.name, state.map_or_else(String::new, describe)));
            }
            // A subordinate that is not cut is here, and is live.
            let below = |link: &&LinkReport| link.role == LinkRole::Child;
            let open = |link: &&LinkReport| link.peer_seat.is_none_or(|seat| !cut.contains(&seat));
            let late = links.iter().filter(below).filter(open).filter(|link| !is_live(link));
            found.extend(late.map(|link| {
                let peer = link.peer_seat.map_or("?", |seat| self.name(seat));
                format!("{} ↓ {peer} {}", place.seat.name, describe(link))
            }));
            if found.len() >= most {
                break;
            }
        }
        found.truncate(most);
        Ok(found)
    }

    /// Has every link verified now; how many were found equal, and how many there are.
    pub async fn verify(&self, teller: &Teller) -> Result<(u64, u64), Fault> {
        let linked = self.places.iter().filter_map(|place| Some((place, self.at(place.seat.parent?))));
        let mut asked: FuturesUnordered<_> =
            linked.map(|(place, superior)| place.verify(&superior.seat.code)).collect();
        let total = asked.len() as u64;
        let (mut equal, mut done) = (0, 0);
        while let Some(verified) = asked.next().await {
            done += 1;
            equal += u64::from(verified?);
            teller.progress(&tr!("正在核验链路", "verifying links"), done, total);
        }
        Ok((equal, total))
    }
}

fn describe(link: &LinkReport) -> String {
    let error = link.last_error.as_ref().map(|(error, _)| error.as_str()).unwrap_or_default();
    let late = link.lag_items.map_or_else(|| "?".to_owned(), |items| items.to_string());
    format!("{:?}, {late} items late {error}", link.state)
}

/// The record that a command made.
pub fn made(done: &Done, place: &str) -> Result<RecordId, Fault> {
    let record = done.result.get("record").and_then(|id| id.parse().ok());
    record.ok_or_else(|| Fault::Node { place: place.to_owned(), error: "no record was made".to_owned() })
}
