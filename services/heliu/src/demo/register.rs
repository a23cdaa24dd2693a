//! The county is filled: committees, branches and members, each by a command at the node whose business it is. A branch
//! is made by its township as soon as the township's committee has come down to it, and a village registers its members
//! as soon as its branch has come.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::try_join_all;
use heliu_catalogue::synthetic::{self, SyntheticMember, SyntheticOrg};
use heliu_record::id::{RecordId, SeatId};
use heliu_record::seats::{Seats, Tier};
use tokio::sync::Semaphore;

use super::ask::Fault;
use super::county::{County, Roll, made};
use super::words::Teller;
use crate::text::tr;

/// Villages that register at the same time.
const VILLAGES: usize = 24;

/// The synthetic county, sorted to who does what.
pub struct Plan {
    committees: BTreeMap<SeatId, SyntheticOrg>,
    /// By the seat of the branch.
    branches: BTreeMap<SeatId, SyntheticOrg>,
    members: BTreeMap<SeatId, Vec<SyntheticMember>>,
    total: u64,
}

impl Plan {
    pub fn new(seats: &Seats, seed: u64, members: usize) -> Self {
        let county = synthetic::county(seats, seed, members);
        let mut by_seat: BTreeMap<SeatId, Vec<SyntheticMember>> = BTreeMap::new();
        for member in county.members() {
            by_seat.entry(member.seat).or_default().push(member);
        }
        let is_village = |org: &SyntheticOrg| seats.get(org.seat).is_some_and(|seat| seat.tier == Tier::Village);
        let total = (county.orgs.len() + by_seat.values().map(Vec::len).sum::<usize>()) as u64;
        let by = |org: SyntheticOrg| (org.seat, org);
        let (branches, committees): (Vec<_>, Vec<_>) = county.orgs.into_iter().partition(is_village);
        Plan {
            committees: committees.into_iter().map(by).collect(),
            branches: branches.into_iter().map(by).collect(),
            members: by_seat,
            total,
        }
    }

    /// Organisations and members.
    pub fn total(&self) -> u64 {
        self.total
    }

    pub fn members_of(&self, village: SeatId) -> usize {
        self.members.get(&village).map_or(0, Vec::len)
    }
}

struct Registering<'a> {
    county: &'a County,
    teller: &'a Teller,
    plan: &'a Plan,
    roll: Mutex<Roll>,
    done: AtomicU64,
    villages: Semaphore,
}

/// Registers everything; returns once every command is acknowledged at the node that it was given to.
pub async fn register(county: &County, plan: &Plan, teller: &Teller) -> Result<Roll, Fault> {
    let registering = Registering {
        county,
        teller,
        plan,
        roll: Mutex::default(),
        done: AtomicU64::new(0),
        villages: Semaphore::new(VILLAGES),
    };
    registering.run().await?;
    registering.roll.into_inner().map_err(|_| Fault::Interrupted)
}

impl Registering<'_> {
    async fn run(&self) -> Result<(), Fault> {
        let top = self.county.top().seat.id;
        let Some(org) = self.plan.committees.get(&top) else { return Ok(()) };
        let committee = self.org(top, org, None).await?;
        let townships = self.plan.committees.keys().copied().filter(|seat| *seat != top);
        try_join_all(townships.map(|seat| self.township(seat, committee))).await?;
        // Villages right under the county are the county's own business.
        let own = self.county.seats().filter(|seat| seat.parent == Some(top)).map(|seat| seat.id);
        try_join_all(own.filter(|seat| self.plan.branches.contains_key(seat)).map(|v| self.village(top, v, committee)))
            .await?;
        Ok(())
    }

    async fn township(&self, seat: SeatId, parent: RecordId) -> Result<(), Fault> {
        let Some(org) = self.plan.committees.get(&seat) else { return Ok(()) };
        let committee = self.org(self.county.top().seat.id, org, Some(parent)).await?;
        self.county.arrival(seat, committee, &[]).await?;
        let villages = self.county.seats().filter(|below| below.parent == Some(seat)).map(|below| below.id);
        try_join_all(villages.map(|village| self.village(seat, village, committee))).await?;
        Ok(())
    }

    async fn village(&self, superior: SeatId, seat: SeatId, parent: RecordId) -> Result<(), Fault> {
        let Some(org) = self.plan.branches.get(&seat) else { return Ok(()) };
        // A village's committee needs the county's word (R3).
        let maker = if org.level == "committee" { self.county.top().seat.id } else { superior };
        let branch = self.org(maker, org, Some(parent)).await?;
        let Ok(_turn) = self.villages.acquire().await else { return Err(Fault::Interrupted) };
        self.county.arrival(seat, branch, &[]).await?;
        let members = self.plan.members.get(&seat).map(Vec::as_slice).unwrap_or_default();
        let registered = try_join_all(members.iter().map(|member| self.member(superior, member, branch))).await?;
        if let Ok(mut roll) = self.roll.lock() {
            roll.members.insert(seat, registered);
        }
        Ok(())
    }

    /// Made by `maker`; ids are drawn by its node, so the parent is the one that is really there.
    async fn org(&self, maker: SeatId, org: &SyntheticOrg, parent: Option<RecordId>) -> Result<RecordId, Fault> {
        let mut request = org.request();
        match parent {
            Some(parent) => request.arguments.insert("parent_org".to_owned(), parent.to_string()),
            None => request.arguments.remove("parent_org"),
        };
        let record = made(&self.county.give(maker, request).await?, self.county.name(maker))?;
        if let Ok(mut roll) = self.roll.lock() {
            let of = if self.plan.branches.contains_key(&org.seat) { &mut roll.branches } else { &mut roll.committees };
            of.insert(org.seat, record);
        }
        self.count();
        Ok(record)
    }

    /// From the roster of who is above the village: a village makes no members by itself.
    async fn member(&self, maker: SeatId, member: &SyntheticMember, branch: RecordId) -> Result<RecordId, Fault> {
        let mut request = member.request(false);
        request.arguments.insert("branch".to_owned(), branch.to_string());
        let record = made(&self.county.give(maker, request).await?, self.county.name(maker))?;
        self.count();
        Ok(record)
    }

    fn count(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.teller.progress(&tr!("已登记", "registered"), done, self.plan.total);
    }
}

#[cfg(test)]
mod tests {
    use heliu_node::region;
    use heliu_trust::id::RealmId;

    use super::*;
    use crate::demo::cast::Cast;

    /// Everything of a plan and of who plays which part, by region codes: a seat's id follows from the realm's key.
    fn told(realm: u8, seed: u64) -> Vec<String> {
        let regions = include_bytes!("../../../../deploy/regions/371726.csv");
        let list = region::parse(&RealmId([realm; 16]), regions).expect("it is ours");
        let mut seats = Seats::default();
        list.iter().for_each(|seat| seats.add(seat.clone()).expect("it is ours"));
        let plan = Plan::new(&seats, seed, 2_000);
        let code = |seat: &SeatId| seats.get(*seat).map(|seat| seat.code.clone()).unwrap_or_default();
        let orgs = plan.committees.iter().chain(&plan.branches);
        let mut told: Vec<String> =
            orgs.map(|(seat, org)| format!("{} {} {}", code(seat), org.name, org.level)).collect();
        let members = plan.members.iter().flat_map(|(seat, members)| members.iter().map(move |member| (seat, member)));
        told.extend(members.map(|(seat, m)| {
            format!("{} {} {} {} {:?} {}", code(seat), m.name, m.member_no, m.joined_on, m.full_on, m.stage)
        }));
        let cast = Cast::choose(&list, |village| plan.members_of(village));
        told.extend(cast.cut.iter().map(|seat| format!("{} is cut off", code(seat))));
        let parts = [
            cast.double.map(|part| vec![part.home, part.township, part.near, part.far]),
            cast.joint.map(|part| vec![part.township, part.units[0], part.units[1]]),
            cast.league.map(|part| vec![part.convenor, part.other, part.owner]),
            cast.cycle.map(|part| vec![part.township, part.village]),
            cast.name.map(|part| vec![part.township, part.village]),
        ];
        let parts =
            parts.into_iter().map(|part| part.unwrap_or_default().iter().map(code).collect::<Vec<_>>().join(", "));
        told.extend(parts.zip(1..).map(|(part, number)| format!("part {number}: {part}")));
        told.sort();
        told
    }

    #[test]
    fn a_county_that_is_founded_twice_from_one_seed_has_the_same_people_and_the_same_story() {
        let (once, twice) = (told(1, 7), told(2, 7));
        let differ: Vec<_> = once.iter().zip(&twice).filter(|(a, b)| a != b).take(5).collect();
        assert!(differ.is_empty() && once.len() == twice.len(), "of {}: {differ:?}", once.len());
        assert_ne!(once, told(1, 8), "another seed is another county");
    }
}
