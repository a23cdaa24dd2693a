//! `long`: what one more leaf costs in a record that has 10,000, beside one in a record that has ten: in a chain, and in two
//! branches that neither of two offices knew of the other's. Engines alone, on stores in memory: what a store takes is the same
//! for each leaf.

use heliu_catalogue::synthetic::SyntheticOrg;
use heliu_record::command::CommandId;
use heliu_record::id::RecordId;
use heliu_replication::LinkId;

use super::catchup::rename;
use crate::driver::{Driver, connect, memory};
use crate::place::{Place, Wire};
use crate::report::Report;
use crate::site::random;
use crate::usage::Processor;

const SHORT: usize = 10;
const LONG: usize = 10_000;
/// Leaves that are measured.
const MEASURED: usize = 2_000;
const COUNTY: u8 = 1;
const TOWNSHIP: u8 = 10;

pub fn run() -> Report {
    let place = Place::new(Wire::Plain, |place| {
        vec![(u32::from(COUNTY), place.top.clone()), (u32::from(TOWNSHIP), place.townships[0].clone())]
    });
    let (short, long) = (chain(&place, SHORT), chain(&place, LONG));
    let (apart, long_apart) = (branches(&place, SHORT, LONG / SHORT), branches(&place, LONG, 1));
    let mut report = Report::new("long");
    report
        .figure("cpu_us_per_leaf_in_a_chain_of_10000", long)
        .figure("cpu_us_per_leaf_in_two_branches_of_5000", long_apart)
        .floor("cpu_us_per_leaf_in_a_chain_of_10", short)
        .floor("cpu_us_per_leaf_in_two_branches_of_5", apart)
        .figure("branches_ratio", long_apart / apart)
        .ratio(long / short)
        .target("<= 2x the cost in a record of 10, in a chain", long <= 2.0 * short)
        .target("<= 2x the cost in a record of 10, in two branches", long_apart <= 2.0 * apart);
    report
}

/// Microseconds of the processor for one more edit in records that have so many.
fn chain(place: &Place, length: usize) -> f64 {
    let mut county = Driver::new(memory(COUNTY), place.directory.clone(), u32::from(COUNTY), false);
    let edited = (MEASURED / length).max(1);
    let orgs = found(&mut county, place, edited);
    for org in &orgs {
        (0..length).for_each(|_| county.execute([rename(*org)]));
    }
    let edits: Vec<_> = (0..MEASURED).map(|n| rename(orgs[n % edited])).collect();
    let processor = Processor::here();
    edits.into_iter().for_each(|edit| county.execute([edit]));
    processor.seconds() * 1e6 / MEASURED as f64
}

/// Microseconds of the processor for each leaf that two offices tell each other, which have edited records in turn, half and half, without a
/// link.
fn branches(place: &Place, length: usize, records: usize) -> f64 {
    let of = |number: u8| Driver::new(memory(number), place.directory.clone(), u32::from(number), false);
    let (mut county, mut township) = (of(COUNTY), of(TOWNSHIP));
    let orgs = found(&mut township, place, records);
    connect(&mut township, &mut county, LinkId(1));
    for org in &orgs {
        for office in [&mut county, &mut township] {
            (0..length / 2).for_each(|_| office.execute([rename(*org)]));
        }
    }
    let processor = Processor::here();
    connect(&mut township, &mut county, LinkId(2));
    processor.seconds() * 1e6 / (length * records) as f64
}

/// So many branches of one township's.
fn found(office: &mut Driver, place: &Place, count: usize) -> Vec<RecordId> {
    let orgs: Vec<SyntheticOrg> =
        place.members(1).orgs.into_iter().filter(|org| org.seat == place.townships[0].id).collect();
    let org = orgs.first().expect("the township has a committee");
    let named = |n: usize| {
        let (command, name) = (CommandId(random()), format!("支部{n}"));
        SyntheticOrg { command, name, parent: None, level: "branch", ..org.clone() }
    };
    (0..count)
        .map(|n| {
            let org = named(n);
            office.execute([org.request()]);
            org.id()
        })
        .collect()
}
