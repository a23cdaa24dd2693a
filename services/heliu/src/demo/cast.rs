//! Who plays which part of the story: chosen from whatever county it is, so that the parts do not get in each other's way.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::id::SeatId;
use heliu_record::seats::{Seat, Tier};

/// Villages that lose their link for no other reason than that it happens.
const OFFLINE: usize = 20;

/// S1: the first member of a village is moved to two places at once.
#[derive(Clone, Copy)]
pub struct Double {
    pub home: SeatId,
    /// The township that is cut off, and the village in it that receives the member.
    pub township: SeatId,
    pub near: SeatId,
    /// The village elsewhere to which the county sends the member.
    pub far: SeatId,
}

/// S2: a joint branch is dissolved while one of its units admits somebody.
pub struct Joint {
    pub township: SeatId,
    pub units: [SeatId; 2],
}

/// S4: an alliance whose hall is booked while its owner leaves.
#[derive(Clone, Copy)]
pub struct League {
    pub convenor: SeatId,
    pub other: SeatId,
    pub owner: SeatId,
}

/// S12: two organisations, each put under the other.
pub struct Cycle {
    pub township: SeatId,
    pub village: SeatId,
}

/// Two clerks correct the name of the first member of a village.
pub struct Name {
    pub township: SeatId,
    pub village: SeatId,
}

pub struct Cast {
    pub double: Option<Double>,
    pub joint: Option<Joint>,
    pub league: Option<League>,
    pub cycle: Option<Cycle>,
    pub name: Option<Name>,
    /// Seats that lose the link to their superior.
    pub cut: BTreeSet<SeatId>,
}

/// Villages with members that have no part yet, by township; the township with most of them first.
struct Pool {
    townships: Vec<SeatId>,
    villages: BTreeMap<SeatId, Vec<SeatId>>,
}

impl Pool {
    fn new(seats: &[Seat], members: impl Fn(SeatId) -> usize) -> Self {
        let mut villages: BTreeMap<SeatId, Vec<SeatId>> = BTreeMap::new();
        for seat in seats.iter().filter(|seat| seat.tier == Tier::Village) {
            if let Some(parent) = seat.parent.filter(|_| members(seat.id) > 0) {
                villages.entry(parent).or_default().push(seat.id);
            }
        }
        // In the order of the file, which is the same in every run; seats' ids are not.
        let mut townships: Vec<SeatId> =
            seats.iter().map(|seat| seat.id).filter(|seat| villages.contains_key(seat)).collect();
        townships.sort_by_key(|township| std::cmp::Reverse(villages[township].len()));
        Pool { townships, villages }
    }

    /// The township at this place of the order; going round if there are fewer.
    fn township(&self, index: usize) -> Option<SeatId> {
        self.townships.get(index.checked_rem(self.townships.len())?).copied()
    }

    fn take(&mut self, township: SeatId) -> Option<SeatId> {
        self.villages.get_mut(&township)?.pop()
    }

    /// A free village of the township at this place, or of the next that has one.
    fn take_near(&mut self, index: usize) -> Option<(SeatId, SeatId)> {
        (0..self.townships.len()).find_map(|step| {
            let township = self.township(index + step)?;
            Some((township, self.take(township)?))
        })
    }
}

impl Cast {
    /// For a county with so many members in each village. A part that the county is too small for is left out.
    pub fn choose(seats: &[Seat], members: impl Fn(SeatId) -> usize) -> Self {
        let mut pool = Pool::new(seats, members);
        let mut cut = BTreeSet::new();

        let double = (|| {
            let (township, elsewhere) = (pool.township(0)?, pool.township(1)?);
            let (home, near) = (pool.take(township)?, pool.take(township)?);
            let far = (elsewhere != township).then(|| pool.take(elsewhere)).flatten()?;
            cut.insert(township);
            Some(Double { home, township, near, far })
        })();
        // Not the township of the county's letter: that one stays in touch.
        let cycle = (|| {
            let township = pool.township(if pool.townships.len() > 2 { 2 } else { 0 })?;
            let village = pool.take(township)?;
            cut.insert(township);
            Some(Cycle { township, village })
        })();
        let joint = (|| {
            let township = pool.township(if pool.townships.len() > 3 { 3 } else { 1 })?;
            let units = [pool.take(township)?, pool.take(township)?];
            cut.insert(units[1]);
            Some(Joint { township, units })
        })();
        let league = (|| {
            let [(_, convenor), (_, other), (_, owner)] = [pool.take_near(4)?, pool.take_near(5)?, pool.take_near(6)?];
            cut.insert(owner);
            Some(League { convenor, other, owner })
        })();
        let name = (|| {
            let (township, village) = pool.take_near(7)?;
            cut.insert(village);
            Some(Name { township, village })
        })();
        // Enough others that every township keeps most of its villages.
        let all: usize = pool.villages.values().map(Vec::len).sum();
        for index in 0..OFFLINE.min(all / 4) {
            cut.extend(pool.take_near(8 + index).map(|(_, village)| village));
        }
        Cast { double, joint, league, cycle, name, cut }
    }
}
