//! Where members are counted: a merger moves nobody and writes nothing in them, and every sum balances.

use std::collections::BTreeMap;

use heliu_record::id::{RecordId, SeatId};
use heliu_record::world::World;
use proptest::prelude::*;

use super::stories::{branch, hex, member};
use super::world::{Node, meet, meet_all, nodes};
use crate::homes::{Counted, Organisation, Person, RollUps, counted, heads, roll_up};
use crate::org::{Held, projected_parent};

pub(super) fn orgs(node: &Node) -> BTreeMap<RecordId, Organisation> {
    node.records.values().filter_map(|record| Some((record.id, Organisation::of(&record.view)?))).collect()
}

pub(super) fn persons(node: &Node) -> Vec<Person> {
    node.records.values().filter_map(|record| Person::of(&record.view)).collect()
}

pub(super) fn sums(node: &Node) -> RollUps {
    let orgs = orgs(node);
    let sums = roll_up(&heads(&persons(node), &orgs, node.seats()), &orgs, node.seats());
    balances(node, &sums);
    sums
}

/// Both roll-ups give one total, and each place is itself, who waits under it, and those below.
fn balances(node: &Node, sums: &RollUps) {
    let all = |of: fn(&crate::homes::Row) -> i64| sums.by_seat.values().map(of).sum::<i64>();
    assert_eq!(all(|row| row.own.members + row.unallocated.members), sums.total.members, "by seat");
    let by_org: i64 = sums.by_org.values().map(|row| row.own.members + row.unallocated.members).sum();
    assert_eq!(by_org + sums.without_org.members, sums.total.members, "by organisation");
    for (seat, row) in &sums.by_seat {
        let below = node.seats().iter().filter(|at| at.parent == Some(*seat)).filter_map(|at| sums.by_seat.get(&at.id));
        let below: i64 = below.map(|row| row.total.members).sum();
        assert_eq!(row.own.members + row.unallocated.members + below, row.total.members);
    }
}

fn members_at(sums: &RollUps, org: RecordId) -> i64 {
    sums.by_org.get(&org).map_or(0, |row| row.total.members)
}

fn at_seat(node: &Node, sums: &RollUps, seat: &str) -> i64 {
    let seat: SeatId = node.seat_named(seat).parse().expect("a seat");
    sums.by_seat.get(&seat).map_or(0, |row| row.total.members)
}

#[test]
fn a_merger_of_two_branches_opens_no_conflict_and_writes_nothing_in_its_members() {
    let mut all = nodes(["C", "T1", "V11"]);
    let [county, t1, _] = &mut all;
    let [a, b] = ["V11", "V12"].map(|v| branch(county, v, v));
    let people: Vec<RecordId> =
        (0..49).map(|n| member(county, if n < 12 { a } else { b }, &format!("测试甲{n:04}"))).collect();
    t1.hears(county);
    let leaves = |node: &Node| people.iter().map(|m| node.records[m].history.heads()).collect::<Vec<_>>();
    let before = leaves(county);
    let merged = t1.does("org.merge_build", None, &[("name", "合建党总支"), ("predecessors", &format!("{a},{b}"))]);
    meet_all(&mut all);
    let [county, t1, v11] = &all;
    for node in [county, t1, v11] {
        assert!(node.open.is_empty(), "{:?}", node.open);
        assert_eq!(leaves(node), before, "nothing is written in the members");
        let sums = sums(node);
        assert_eq!((members_at(&sums, merged), members_at(&sums, a), members_at(&sums, b)), (49, 0, 0));
        assert_eq!(
            (at_seat(node, &sums, "V11"), at_seat(node, &sums, "V12"), at_seat(node, &sums, "T1")),
            (12, 37, 49)
        );
    }
}

#[test]
fn whoever_is_admitted_after_the_ending_waits_at_the_township_and_the_others_follow() {
    let mut all = nodes(["C", "T1", "V12"]);
    let [county, t1, v2] = &mut all;
    let committee = branch(county, "T1", "镇党委");
    let [b1, b2] = ["V11", "V12"].map(|v| branch(county, v, v));
    t1.hears(county);
    let units = format!("{},{}", t1.seat_named("V11"), t1.seat_named("V12"));
    let joint = t1.does("joint_branch.form", None, &[("name", "联合党支部"), ("units", &units)]);
    t1.does("org.set_parent", Some(joint), &[("parent_org", &hex(committee))]);
    let register = |node: &mut Node, name: &str, seat: &str, day: &str| {
        let seat = node.seat_named(seat);
        let more = [("name", name), ("branch", &*hex(joint)), ("seat", &*seat), ("admitted_on", day)];
        node.does("member.register", None, &more)
    };
    let [one, two] = [("甲", "V11"), ("乙", "V12")].map(|(name, seat)| register(t1, name, seat, "2020-01-01"));
    county.hears(t1);
    v2.hears(t1);
    let successors = format!("{}={b1},{}={b2}", county.seat_named("V11"), county.seat_named("V12"));
    county.does("org.dissolve", Some(joint), &[("effective_on", "2026-03-01"), ("successors", &successors)]);
    t1.today = "2026-03-03".to_owned();
    let late = register(t1, "丙", "V12", "2026-03-03");
    meet_all(&mut all);
    let [county, t1, _] = &mut all;
    let at = |node: &Node, m: RecordId| counted(&Person::of(&node.records[&m].view).expect("a member"), &orgs(node));
    assert_eq!((at(t1, one), at(t1, two)), (Counted::At(b1), Counted::At(b2)));
    assert_eq!(at(t1, late), Counted::PendingReassignment { under: Some(committee) });
    let now = sums(t1);
    let township: SeatId = t1.seat_named("T1").parse().expect("a seat");
    assert_eq!((now.by_seat[&township].unallocated.members, now.total.members), (1, 3));
    assert_eq!((at_seat(t1, &now, "V12"), members_at(&now, committee)), (1, 1), "under the committee, at no village");
    let conflict = t1.conflict("ADD_TO_DISSOLVED_ORG").clone();
    assert_eq!((conflict.subject, t1.open.len()), (late, 1));
    t1.settles(&conflict, &hex(b2));
    assert_eq!(at(t1, late), Counted::At(b2));
    assert_eq!((sums(t1).total.members, sums(county).total.members), (3, 3));
}

#[test]
fn s12_organisations_that_are_above_each_other_add_up_once_at_every_node() {
    let mut all = nodes(["C", "T1", "V11", "V12"]);
    let [county, t1, v11, v12] = &mut all;
    let committee = branch(county, "T1", "镇党委");
    let [village, enterprise, group] =
        [("V11", "村支部"), ("V12", "企业支部"), ("V12", "党小组")].map(|(seat, name)| branch(county, seat, name));
    let under = |node: &mut Node, org: RecordId, parent: RecordId| {
        node.does("org.set_parent", Some(org), &[("parent_org", &hex(parent))]);
    };
    [(village, committee), (enterprise, committee), (group, enterprise)]
        .into_iter()
        .for_each(|(org, parent)| under(county, org, parent));
    for (org, people) in [(village, 3), (enterprise, 2), (group, 1)] {
        for n in 0..people {
            member(county, org, &format!("测试甲{n:04}"));
        }
    }
    t1.hears(county);
    under(t1, enterprise, village);
    under(county, village, enterprise);
    meet(county, t1);
    [v11, v12].into_iter().for_each(|node| node.hears_its_own(county));
    for (node, people) in all.iter().zip([[6, 3, 3, 1], [6, 3, 3, 1], [3, 3, 0, 0], [3, 0, 3, 1]]) {
        assert_eq!(node.conflict("PARENT_CYCLE").anchors.len(), 2, "found wherever organisations are known");
        let sums = sums(node);
        assert_eq!([committee, village, enterprise, group].map(|org| members_at(&sums, org)), people);
        assert_eq!(sums.total.members, people[0]);
    }
}

#[test]
fn a_split_gives_everybody_back_by_origin_without_a_write() {
    let [mut t1] = nodes(["T1"]);
    let [a, b] = ["V11", "V12"].map(|v| branch(&mut t1, v, v));
    let [one, two] = [a, b].map(|home| member(&mut t1, home, "测试甲0001"));
    let merged = t1.does("org.merge_build", None, &[("name", "合建党总支"), ("predecessors", &format!("{a},{b}"))]);
    assert_eq!(members_at(&sums(&t1), merged), 2);
    let before: Vec<_> = [one, two].map(|m| t1.records[&m].history.heads()).into();
    let back = format!("{}={a},{}={b}", t1.seat_named("V11"), t1.seat_named("V12"));
    t1.does("org.dissolve", Some(merged), &[("successors", &back)]);
    for org in [a, b] {
        t1.does("record.decide", Some(org), &[("field", "lifecycle"), ("state", "active")]);
    }
    let sums = sums(&t1);
    assert_eq!((members_at(&sums, a), members_at(&sums, b), sums.total.members), (1, 1, 2));
    assert_eq!([one, two].map(|m| t1.records[&m].history.heads()).to_vec(), before);
    assert!(t1.open.is_empty());
}

#[test]
fn a_member_counts_once_and_the_suspended_and_those_who_are_none_apart() {
    let [mut t1] = nodes(["T1"]);
    let b = branch(&mut t1, "V11", "一村党支部");
    let [one, two, three, four] = [1, 2, 3, 4].map(|n| member(&mut t1, b, &format!("测试甲{n:04}")));
    assert_eq!(sums(&t1).total.members, 4);
    t1.does("member.same_as", Some(one), &[("other", &hex(two))]);
    assert_eq!(sums(&t1).total.members, 3);
    t1.does("record.decide", Some(three), &[("field", "stage"), ("state", "suspended")]);
    t1.does("record.decide", Some(four), &[("field", "stage"), ("state", "deceased")]);
    let now = sums(&t1).total;
    assert_eq!((now.members, now.suspended), (1, 1));
    // Of two records of one person the one that counts does.
    t1.does("record.decide", Some(one), &[("field", "stage"), ("state", "removed")]);
    assert_eq!(sums(&t1).total.members, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_sum_balances_whatever_becomes_of_organisations(
        steps in proptest::collection::vec((0..9usize, 0..5usize, 0..5usize, 0..8usize, any::<bool>()), 1..24),
    ) {
        let [mut county, mut t1, mut v11, mut v21] = nodes(["C", "T1", "V11", "V21"]);
        let [county, t1] = [&mut county, &mut t1];
        // Who joined two records of one person may see both, and a village only its own.
        let all_are_apart = steps.iter().all(|step| step.0 != 5);
        let units = ["V11", "V12"].map(|v| county.seat_named(v)).join(",");
        let homes = ["T1", "V11", "V12", "V13", "V21"].map(|v| branch(county, v, v));
        let people: Vec<RecordId> = (0..8).map(|n| member(county, homes[n % 5], &format!("测试甲{n:04}"))).collect();
        t1.hears(county);
        for (what, one, other, person, at_county) in steps {
            let node = if at_county { &mut *county } else { &mut *t1 };
            let (org, to, person) = (homes[one], hex(homes[other]), people[person]);
            // Some of these are refused.
            let _ = match what {
                0 => node.ask("org.dissolve", Some(org), &[("successors", &format!("all={to}"))]),
                1 => node.ask("org.dissolve", Some(org), &[]),
                2 => node.ask("org.merge_build", None, &[("name", "合建"), ("predecessors", &format!("{org},{to}"))]),
                3 => node.ask("org.set_parent", Some(org), &[("parent_org", &to)]),
                4 => node.ask("member.reassign", Some(person), &[("to_org", &to)]),
                5 => node.ask("member.same_as", Some(person), &[("other", &hex(people[one]))]),
                6 => node.ask("joint_branch.form", None, &[("name", "联合党支部"), ("units", &units)]),
                7 => node.ask("org.co_build", Some(org), &[("orgs", &to)]),
                _ => node.ask("record.decide", Some(org), &[("field", "lifecycle"), ("state", "active")]),
            };
            sums(node);
        }
        meet(county, t1);
        let whole = sums(county);
        prop_assert_eq!(&whole, &sums(t1));
        // What is public is enough: a village says of its people, and of every organisation, what the county says.
        for (village, name) in [(&mut v11, "V11"), (&mut v21, "V21")] {
            village.hears_its_own(county);
            prop_assert!(village.records.len() < county.records.len(), "not all of it is the village's");
            let (here, there) = (orgs(village), orgs(county));
            prop_assert_eq!(&here, &there);
            for org in here.keys() {
                prop_assert_eq!(projected_parent(*org, &Held(village)), projected_parent(*org, &Held(county)));
            }
            for person in persons(village) {
                prop_assert_eq!(counted(&person, &here), counted(&person, &there));
            }
            let (own, seat) = (sums(village), village.seat);
            if all_are_apart {
                prop_assert_eq!(own.by_seat.get(&seat), whole.by_seat.get(&seat), "{}", name);
            }
        }
    }
}
