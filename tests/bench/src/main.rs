//! Every measured figure of the project, each with its floor in the same run.
mod driver;
mod place;

/// As in the shipped binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::time::Instant;
use heliu_replication::LinkId;

fn main() {
    let members: usize = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(22_000);
    let place = place::Place::new(|p| vec![(1, p.county.clone()), (2, p.county.clone())]);
    let county = place.members(members);
    let mut source = driver::Driver::new(driver::memory(1), place.directory.clone(), place::key(1), false);
    let t = Instant::now();
    source.execute(county.orgs.iter().map(|o| o.request()));
    println!("orgs {} in {:?}", county.orgs.len(), t.elapsed());
    let t = Instant::now();
    source.execute(county.members().map(|m| m.request(true)));
    let e = t.elapsed();
    println!("members {members} in {e:?}: {:.1} us each", e.as_secs_f64() * 1e6 / members as f64);
    let mut sink = driver::Driver::new(driver::memory(2), place.directory.clone(), place::key(2), true);
    let t = Instant::now();
    let frames = driver::connect(&mut sink, &mut source, LinkId(1));
    let e = t.elapsed();
    println!("bootstrap in {e:?}: {:.1} us each, {frames} frames, head {}", e.as_secs_f64() * 1e6 / members as f64, sink.engine.meta().head);
    println!("{:?}", sink.engine.links());
}
