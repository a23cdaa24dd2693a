//! A county to try things with: organisations for every seat, and members that nobody can take for people.
//! The same seats, seed and number give the same county.

use std::collections::BTreeMap;

use heliu_record::change::{Container, Scalar};
use heliu_record::command::{CommandId, RecordWrite, Request, Write, WriteValue, drawn};
use heliu_record::hash::hash16;
use heliu_record::id::{Preimage, RecordId, SeatId};
use heliu_record::scope::{CLASS, OWNER};
use heliu_record::seats::{Seat, Seats, Tier};

/// A small generator (splitmix64): enough to be uneven, nothing secret.
#[derive(Clone, Debug)]
pub struct SplitMix(pub u64);

impl SplitMix {
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `bound - 1`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64().checked_rem(bound).unwrap_or(0)
    }
}

#[derive(Clone, Debug)]
pub struct County {
    seed: u64,
    /// Each after its parent: the county's committee, the townships', the villages' branches.
    pub orgs: Vec<SyntheticOrg>,
    villages: Vec<Village>,
}

#[derive(Clone, Debug)]
struct Village {
    seat: SeatId,
    code: String,
    branch: RecordId,
    /// Members of the village's branches before this one: numbers go on.
    before: usize,
    members: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntheticOrg {
    /// The id of the command that makes it; the record's key is the first one drawn from it.
    pub command: CommandId,
    pub seat: SeatId,
    pub name: String,
    pub level: &'static str,
    pub kind: Option<&'static str>,
    pub parent: Option<RecordId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntheticMember {
    /// As in [`SyntheticOrg`].
    pub command: CommandId,
    pub seat: SeatId,
    pub branch: RecordId,
    pub name: String,
    pub member_no: String,
    pub joined_on: String,
    /// None while on probation.
    pub full_on: Option<String>,
    pub stage: &'static str,
}

/// Organisations for every seat of the tree and exactly `members` members in its villages.
#[must_use]
pub fn county(seats: &Seats, seed: u64, members: usize) -> County {
    populated(seats, seed, seats.len(), members)
}

/// As [`county`], with so many organisations: those that are more than there are seats are further branches of the villages.
#[must_use]
pub fn populated(seats: &Seats, seed: u64, orgs: usize, members: usize) -> County {
    let mut rng = SplitMix(seed);
    let mut county = County { seed, orgs: Vec::new(), villages: Vec::new() };
    let mut committees: BTreeMap<SeatId, RecordId> = BTreeMap::new();
    // By their codes: ids follow from the realm's key, and the same seed makes the same county in every realm.
    let mut by_code: Vec<&Seat> = seats.iter().collect();
    by_code.sort_by(|a, b| a.code.cmp(&b.code));
    let of_tier = |tier: Tier| by_code.iter().copied().filter(move |s| s.tier == tier);
    for seat in of_tier(Tier::City).chain(of_tier(Tier::County)).chain(of_tier(Tier::Township)) {
        let parent = seat.parent.and_then(|p| committees.get(&p)).copied();
        let org = county.org(seat, 1, "党委", "committee", None, parent);
        committees.insert(seat.id, org);
    }
    let villages: Vec<&Seat> = of_tier(Tier::Village).collect();
    let further = orgs.saturating_sub(seats.len());
    let branches: Vec<(&Seat, usize)> = (0..)
        .zip(&villages)
        .flat_map(|(i, seat)| {
            let here = 1 + further / villages.len() + usize::from(i < further % villages.len());
            (1..=here).map(move |number| (*seat, number))
        })
        .collect();
    let mut numbered = 0;
    for ((seat, number), members) in branches.iter().zip(sizes(branches.len(), members, &mut rng)) {
        let (suffix, level) = level_of(members, &mut rng);
        let parent = seat.parent.and_then(|p| committees.get(&p)).copied();
        let branch = county.org(seat, *number, suffix, level, Some("village"), parent);
        let before = if *number == 1 { 0 } else { numbered };
        county.villages.push(Village { seat: seat.id, code: seat.code.clone(), branch, before, members });
        numbered = before + members;
    }
    county
}

impl County {
    /// The `number`th of its seat, from 1.
    fn org(
        &mut self,
        seat: &Seat,
        number: usize,
        suffix: &str,
        level: &'static str,
        kind: Option<&'static str>,
        parent: Option<RecordId>,
    ) -> RecordId {
        let (seed, place) = (self.seed.to_le_bytes(), number.to_le_bytes());
        let mut which: Vec<&[u8]> = vec![&seed, &seat.id.0];
        let mut name = format!("{}{suffix}", seat.name);
        if number > 1 {
            which.push(&place);
            name = format!("{}第{number}{suffix}", seat.name);
        }
        let command = CommandId(hash16("heliu synthetic org", &which));
        let org = SyntheticOrg { command, seat: seat.id, name, level, kind, parent };
        let id = org.id();
        self.orgs.push(org);
        id
    }

    /// The members, village by village.
    pub fn members(&self) -> impl Iterator<Item = SyntheticMember> + '_ {
        self.villages
            .iter()
            .flat_map(move |village| (1..=village.members).map(move |n| self.member(village, village.before + n)))
    }

    fn member(&self, village: &Village, number: usize) -> SyntheticMember {
        const STEMS: [char; 10] = ['甲', '乙', '丙', '丁', '戊', '己', '庚', '辛', '壬', '癸'];
        let command = CommandId(hash16(
            "heliu synthetic member",
            &[&self.seed.to_le_bytes(), &village.seat.0, &number.to_le_bytes()],
        ));
        // By the code, as above: what the person is like is the same in every realm, and only ids are not.
        let place = [&self.seed.to_le_bytes()[..], village.code.as_bytes(), &number.to_le_bytes()];
        let key = hash16("heliu synthetic person", &place);
        let mut rng = SplitMix(u64::from_le_bytes([key[0], key[1], key[2], key[3], key[4], key[5], key[6], key[7]]));
        let stem = STEMS[usize::from(key[8]) % STEMS.len()];
        // One in fifty is on probation.
        let probationary = rng.below(50) == 0;
        let year = if probationary { 2025 } else { 1965 + rng.below(59) };
        let day = format!("{:02}-{:02}", 1 + rng.below(12), 1 + rng.below(28));
        SyntheticMember {
            command,
            seat: village.seat,
            branch: village.branch,
            name: format!("测试{stem}{number:04}"),
            member_no: format!("{}-{number:04}", village.code),
            joined_on: format!("{year}-{day}"),
            full_on: (!probationary).then(|| format!("{}-{day}", year + 1)),
            stage: if probationary { "probationary" } else { "full" },
        }
    }
}

impl SyntheticOrg {
    #[must_use]
    pub fn preimage(&self) -> Preimage {
        Preimage { kind: "org".to_owned(), birth: self.seat, key: drawn(&self.command, 1).to_vec() }
    }

    #[must_use]
    pub fn id(&self) -> RecordId {
        self.preimage().id()
    }

    /// The command that makes it, given by a seat above; the parent must be there.
    #[must_use]
    pub fn request(&self) -> Request {
        let mut arguments = BTreeMap::from([
            ("name".to_owned(), self.name.clone()),
            ("seat".to_owned(), self.seat.to_string()),
            ("level".to_owned(), self.level.to_owned()),
        ]);
        arguments.extend(self.kind.map(|kind| ("org_kind".to_owned(), kind.to_owned())));
        arguments.extend(self.parent.map(|parent| ("parent_org".to_owned(), parent.to_string())));
        request("org.create", self.command, arguments)
    }
}

impl SyntheticMember {
    #[must_use]
    pub fn preimage(&self) -> Preimage {
        Preimage { kind: "member".to_owned(), birth: self.seat, key: drawn(&self.command, 1).to_vec() }
    }

    #[must_use]
    pub fn id(&self) -> RecordId {
        self.preimage().id()
    }

    /// The command that registers the member at a township or above; the branch must be there.
    #[must_use]
    pub fn request(&self, numbered: bool) -> Request {
        let mut arguments = BTreeMap::from([
            ("name".to_owned(), self.name.clone()),
            ("branch".to_owned(), self.branch.to_string()),
            ("seat".to_owned(), self.seat.to_string()),
            ("joined_on".to_owned(), self.joined_on.clone()),
            ("admitted_on".to_owned(), self.joined_on.clone()),
            ("stage".to_owned(), self.stage.to_owned()),
        ]);
        arguments.extend(self.full_on.clone().map(|day| ("full_on".to_owned(), day)));
        if numbered {
            arguments.insert("member_no".to_owned(), self.member_no.clone());
        }
        request("member.register", self.command, arguments)
    }

    /// What a village says of the member by itself: that waits for approval.
    #[must_use]
    pub fn request_of_village(&self) -> Request {
        let mut request = self.request(false);
        request.arguments.retain(|argument, _| !["stage", "full_on"].contains(&argument.as_str()));
        request
    }

    /// A telephone number of no country, for those who try sealing: the command does not give it.
    #[must_use]
    pub fn contact(&self) -> String {
        let digits = hash16("synthetic contact", &[&self.command.0])
            .iter()
            .fold(0u64, |n, byte| n.wrapping_mul(31).wrapping_add(u64::from(*byte)));
        format!("000{:08}", digits % 100_000_000)
    }

    /// What that command writes, where no branch is at hand to plan it against: for load generators.
    #[must_use]
    pub fn write(&self) -> RecordWrite {
        let put =
            |container, key: &str, value| Write { container, key: key.to_owned(), value: WriteValue::Value(value) };
        let mut writes = vec![
            put(Container::Scope, CLASS, Scalar::from("scoped")),
            put(Container::Scope, OWNER, Scalar::Bytes(self.seat.0.to_vec())),
            put(Container::Mv, "name", Scalar::from(self.name.as_str())),
            put(Container::Mv, "joined_on", Scalar::from(self.joined_on.as_str())),
        ];
        writes.extend(self.full_on.as_deref().map(|day| put(Container::Mv, "full_on", Scalar::from(day))));
        writes.push(put(Container::Lww, "birth_branch", Scalar::Bytes(self.branch.0.to_vec())));
        writes.push(put(Container::Log, "stage/0", Scalar::from(self.stage)));
        RecordWrite { record: self.id(), create: Some(self.preimage()), writes }
    }
}

fn request(name: &str, id: CommandId, arguments: BTreeMap<String, String>) -> Request {
    let (who, reason) = ("synthetic".to_owned(), "a county to try things with".to_owned());
    Request { id, name: name.to_owned(), subject: None, arguments, who, reason, on_behalf: None }
}

/// Sizes of villages: uneven in three bands like those of Lianyungang, summing exactly to `members`, none of exactly 50.
fn sizes(villages: usize, members: usize, rng: &mut SplitMix) -> Vec<usize> {
    if villages == 0 {
        return Vec::new();
    }
    let weights: Vec<usize> = (0..villages)
        .map(|_| {
            let (low, span) = match rng.below(1_427) {
                0..267 => (20, 30),
                267..1_222 => (50, 50),
                _ => (100, 150),
            };
            usize::try_from(low + rng.below(span)).unwrap_or(50)
        })
        .collect();
    let total: usize = weights.iter().sum();
    let mut sizes: Vec<usize> = weights.iter().map(|w| w * members / total).collect();
    let rest = members - sizes.iter().sum::<usize>();
    sizes.iter_mut().take(rest).for_each(|size| *size += 1);
    // A branch of exactly 50 is neither small nor large: it gives one member to a village that can take one.
    while let Some(from) = sizes.iter().position(|s| *s == 50) {
        let Some(to) = (0..villages).find(|&i| i != from && sizes[i] != 49) else { break };
        sizes[from] -= 1;
        sizes[to] += 1;
    }
    sizes
}

/// Of Lianyungang's 1,160 villages above 50, 587 had become general branches and 13 committees.
fn level_of(members: usize, rng: &mut SplitMix) -> (&'static str, &'static str) {
    let (upgraded, committee) = (rng.below(1_147) < 587, rng.below(205) < 13);
    match members {
        100.. if committee => ("党委", "committee"),
        51.. if upgraded => ("党总支", "general_branch"),
        _ => ("党支部", "branch"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::county_seats;

    #[test]
    fn a_county_has_exactly_its_members_and_no_branch_of_fifty() {
        let seats = county_seats(17, 23);
        for seed in 0..5 {
            let made = county(&seats, seed, 22_000);
            assert_eq!(made.orgs.len(), 1 + 17 + 17 * 23);
            assert_eq!(made.members().count(), 22_000);
            assert!(made.villages.iter().all(|v| v.members != 50));
            for (org, village) in made.orgs[18..].iter().zip(&made.villages) {
                assert!(org.level == "branch" || village.members > 50, "{} with {}", org.level, village.members);
            }
        }
    }

    #[test]
    fn a_city_has_more_organisations_than_seats_and_no_two_members_with_one_number() {
        let seats = county_seats(2, 3);
        let made = populated(&seats, 1, 30, 500);
        assert_eq!(made.orgs.len(), 30);
        let orgs: BTreeMap<RecordId, &str> = made.orgs.iter().map(|org| (org.id(), org.name.as_str())).collect();
        assert_eq!(orgs.len(), 30);
        let numbers: BTreeMap<String, RecordId> = made.members().map(|m| (m.member_no.clone(), m.branch)).collect();
        let ids: BTreeMap<RecordId, SeatId> = made.members().map(|member| (member.id(), member.seat)).collect();
        assert_eq!((numbers.len(), ids.len()), (500, 500));
        assert!(numbers.values().all(|branch| orgs.contains_key(branch)));
    }

    #[test]
    fn a_seed_gives_the_same_county() {
        let seats = county_seats(2, 3);
        let [a, b, c] = [7, 7, 8].map(|seed| county(&seats, seed, 100));
        assert_eq!(a.orgs, b.orgs);
        assert!(a.members().eq(b.members()));
        assert!(a.members().ne(c.members()));
    }
}
