//! The cases, one file each. Every one makes what it needs, measures, and says its floor.

pub mod bootstrap;
pub mod catchup;
pub mod county;
pub mod ingest;
pub mod live;
pub mod reconnect;
pub mod village;

use std::path::Path;

use crate::place::Place;
use crate::site::{Dial, Site};

pub const CORES: u32 = 2;

/// A county node with so many members, and the place: seat nodes 1 and 2 are mirrors of the county.
pub async fn full_county(members: usize, directory: &Path) -> (Place, Site, u64) {
    let place = Place::new(|place| vec![(1, place.county.clone()), (2, place.county.clone())]);
    let county = place.members(members);
    let site = Site::start(&place, 1, directory, Dial::default()).await;
    for org in &county.orgs {
        site.execute([org.request()], 1).await;
    }
    site.execute(county.members().map(|member| member.request(true)), 1_024).await;
    let records = (county.orgs.len() + members) as u64;
    site.wait_for_records(records).await;
    (place, site, records)
}
