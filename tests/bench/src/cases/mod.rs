//! The cases, one file each. Every one makes what it needs, measures, and says its floor.

pub mod bootstrap;
pub mod catchup;
pub mod county;
pub mod hostile;
pub mod ingest;
pub mod live;
pub mod reconnect;
pub mod village;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use heliu_catalogue::synthetic::{SyntheticMember, SyntheticOrg};
use heliu_node::status::LinkReport;
use heliu_record::command::Request;
use tempfile::TempDir;

use crate::place::{Place, Wire};
use crate::site::{Dial, Site};

pub const CORES: u32 = 2;

/// A program of this workspace, built beside this one, of the code as it is now.
pub fn built(package: &str) -> PathBuf {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let built = Command::new(cargo).args(["build", "--quiet", "--release", "-p", package]).status();
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
        let register = |member: SyntheticMember| {
            let mut request = member.request(true);
            let contact = self.sealed.then(|| ("contact".to_owned(), member.contact()));
            request.arguments.extend(contact);
            request
        };
        (county.orgs.iter().map(SyntheticOrg::request).collect(), county.members().map(register).collect())
    }
}

/// A county node with such a load, the place (seat nodes 1 and 2 are mirrors of the county), the number of records, and the
/// head of the feed.
pub async fn full_county(wire: Wire, load: Load, directory: &Path) -> (Place, Site, u64, u64) {
    let place = Place::new(wire, |place| vec![(1, place.county.clone()), (2, place.county.clone())]);
    let (orgs, members) = load.commands(&place);
    let records = (orgs.len() + members.len()) as u64;
    let site = Site::start(&place, 1, directory, Dial::default()).await;
    site.execute(orgs, 1).await;
    site.execute(members, 1_024).await;
    let head = site.head().await;
    assert!(head >= records, "each record has a leaf at least");
    (place, site, records, head)
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

    /// The mirror comes back, until it is proven equal: the link then, and the seconds it took. Ends both.
    pub async fn rejoin(self) -> (LinkReport, f64) {
        let start = Instant::now();
        let sink = Site::start(&self.place, 2, self.mirror.path(), self.dial).await;
        let link = sink.wait_until_verified().await;
        let seconds = start.elapsed().as_secs_f64();
        sink.stop().await;
        self.source.stop().await;
        (link, seconds)
    }
}
