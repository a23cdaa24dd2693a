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

use heliu_node::status::LinkReport;
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

/// A county node with so many members, and the place: seat nodes 1 and 2 are mirrors of the county.
pub async fn full_county(wire: Wire, members: usize, directory: &Path) -> (Place, Site, u64) {
    let place = Place::new(wire, |place| vec![(1, place.county.clone()), (2, place.county.clone())]);
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
        let (place, source, records) = full_county(wire, members, home.path()).await;
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
