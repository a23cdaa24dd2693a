//! The cases, one file each. Every one makes what it needs, measures, and says its floor.

pub mod bootstrap;
pub mod catchup;
pub mod city;
pub mod county;
pub mod hostile;
pub mod import;
pub mod ingest;
pub mod ledger;
pub mod live;
pub mod long;
pub mod query;
pub mod reconnect;
pub mod start;
pub mod village;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use heliu_catalogue::synthetic::{SyntheticMember, SyntheticOrg};
use heliu_client::Client;
use heliu_node::status::LinkReport;
use heliu_record::command::Request;
use tempfile::TempDir;

use crate::place::{Place, Region, Wire};
use crate::report::Report;
use crate::site::{Dial, Site};
use crate::usage::Processor;

pub const CORES: u32 = 2;
/// Commands under way when a case makes what it begins with.
pub const AT_ONCE: usize = 1_024;
/// The size to which growth is measured from.
const COUNTY: usize = 22_000;
/// And to which.
const LARGE: usize = 300_000;

/// The size that a case has, and the larger one at which it shows its growth, if it is to.
pub fn sizes(records: usize, growth: bool) -> (usize, Option<usize>) {
    if records > COUNTY { (COUNTY, Some(records)) } else { (records, growth.then_some(LARGE)) }
}

/// A program of this workspace, built beside this one, in its profile and of the code as it is now.
pub fn built(package: &str) -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let profile = (!cfg!(debug_assertions)).then_some("--release");
    let built = Command::new(cargo).args(["build", "--quiet", "-p", package]).args(profile).status();
    assert!(built.is_ok_and(|status| status.success()), "{package} builds");
    std::env::current_exe().expect("this program has a path").with_file_name(package)
}

/// What a county has in a case.
#[derive(Clone, Copy)]
pub struct Load {
    pub members: usize,
    /// Each member has a sealed telephone number, and so a grant of the key to it.
    pub sealed: bool,
}

impl Load {
    /// The commands that make its organisations, and then those that make its members.
    pub fn commands(self, place: &Place) -> (Vec<Request>, Vec<Request>) {
        let county = place.members(self.members);
        let members = county.members().map(|member| self.register(&member)).collect();
        (county.orgs.iter().map(SyntheticOrg::request).collect(), members)
    }

    fn register(self, member: &SyntheticMember) -> Request {
        let mut request = member.request(true);
        request.arguments.extend(self.sealed.then(|| ("contact".to_owned(), member.contact())));
        request
    }
}

/// A county node with such a load, the place (seat nodes 1 and 2 are mirrors of the county), the number of records, and the
/// head of the feed.
pub async fn full_county(wire: Wire, load: Load, directory: &Path) -> (Place, Site, u64, u64) {
    let place = Place::mirrored(Region::County, wire);
    let county = place.members(load.members);
    let site = Site::start(&place, 1, directory, Dial::default()).await;
    found(&site, &county.orgs).await;
    // One after the other, since those of a city would take the memory of a machine.
    site.execute(county.members().map(|member| load.register(&member)), AT_ONCE).await;
    let records = (county.orgs.len() + load.members) as u64;
    let head = site.head().await;
    assert!(head >= records, "each record has a leaf at least");
    (place, site, records, head)
}

/// Members of a large city, for what clerks ask.
const CITY: usize = 686_000;

/// A case about what clerks ask: with so many members and, with `growth`, with those of a city too.
pub async fn for_clerks(
    name: &'static str,
    members: usize,
    growth: bool,
    measure: impl AsyncFn(usize, &str, &mut Report),
) -> Report {
    let mut report = Report::new(name);
    measure(members, "", &mut report).await;
    if growth {
        measure(CITY, "large_", &mut report).await;
    }
    report
}

/// A county node that begins again with what it has, and a program that asks it.
pub async fn begun_again(place: &Place, directory: &Path) -> (Site, Client) {
    let mut access = place.access(1, directory);
    let site = Site::start(place, 1, directory, Dial::default()).await;
    access.addresses = vec![site.address()];
    (site, Client::open(&access).await.expect("it answers"))
}

/// Makes organisations: one after the other those above others, then the villages' branches, many at once.
pub async fn found(site: &Site, orgs: &[SyntheticOrg]) {
    let (branches, committees): (Vec<&SyntheticOrg>, Vec<_>) = orgs.iter().partition(|org| org.kind.is_some());
    site.execute(committees.into_iter().map(SyntheticOrg::request), 1).await;
    site.execute(branches.into_iter().map(SyntheticOrg::request), AT_ONCE).await;
}

/// A full county whose mirror has everything, proven equal, and is away.
pub struct Apart {
    pub place: Place,
    pub source: Site,
    pub records: u64,
    dial: Dial,
    mirror: TempDir,
    _source: TempDir,
}

impl Apart {
    pub async fn with(wire: Wire, members: usize) -> Apart {
        let (home, mirror) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
        let load = Load { members, sealed: false };
        let (place, source, records, _) = full_county(wire, load, home.path()).await;
        let dial = Dial { peer: Some(source.address()), ..Dial::default() };
        let sink = Site::start(&place, 2, mirror.path(), dial.clone()).await;
        sink.wait_for_records(records).await;
        sink.wait_until_verified().await;
        sink.stop().await;
        Apart { place, source, records, dial, mirror, _source: home }
    }

    /// The mirror comes back, until it is proven equal: the link then, the seconds it took, and those of the processor at both.
    /// Ends both.
    pub async fn rejoin(self) -> (LinkReport, f64, f64) {
        let (start, processor) = (Instant::now(), Processor::here());
        let sink = Site::start(&self.place, 2, self.mirror.path(), self.dial).await;
        let link = sink.wait_until_verified().await;
        let (seconds, processor) = (start.elapsed().as_secs_f64(), processor.seconds());
        sink.stop().await;
        self.source.stop().await;
        (link, seconds, processor)
    }
}
