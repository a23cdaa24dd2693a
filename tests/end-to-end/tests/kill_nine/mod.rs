//! People write at every tier while nodes are `kill -9`ed at random and come back. Afterwards every acknowledged change is
//! at every node that is entitled to it, once, and at no other.
//!
//! `HELIU_E2E_SEED=n HELIU_E2E_SECONDS=m` choose another run. Who is killed when follows from the seed; what else
//! happens meanwhile, the machine decides.

mod clerk;
mod ledger;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clerk::{Clerk, Office};
use end_to_end::command_line::heliu;
use end_to_end::desk::Desk;
use end_to_end::patience::{until, until_ok};
use end_to_end::process::NodeProcess;
use end_to_end::realm::Realm;
use end_to_end::seats::{code, covers};
use heliu_catalogue::synthetic::SplitMix;

/// `V22` is kept by no node: its township does its business.
const SEATS: [&str; 7] = ["C", "T1", "T2", "V11", "V12", "V21", "-V22"];
const VILLAGES: [&str; 4] = ["V11", "V12", "V21", "V22"];
const CLERKS_PER_NODE: u64 = 2;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_change_is_missing_at_any_entitled_seat() {
    let (seed, seconds) = (setting("HELIU_E2E_SEED", 20_261), setting("HELIU_E2E_SECONDS", 20));
    println!("seed {seed}, {seconds} s; repeat it with HELIU_E2E_SEED={seed}");
    let realm = Realm::init(&SEATS).await;
    let mut nodes: BTreeMap<&'static str, NodeProcess> = BTreeMap::new();
    let mut desks: BTreeMap<&'static str, Desk> = BTreeMap::new();
    for name in realm.names() {
        let (node, desk) = realm.start(name).await;
        nodes.insert(name, node);
        desks.insert(name, desk);
    }
    let branches = found_branches(&realm, &desks).await;
    let office = Office::open(branches);

    let clerks: Vec<_> = desks
        .iter()
        .flat_map(|(name, desk)| (0..CLERKS_PER_NODE).map(move |number| (*name, desk.clone(), number)))
        .map(|(name, desk, number)| {
            let seed = seed ^ (number << 32) ^ code(name).parse::<u64>().expect("digits");
            tokio::spawn(Clerk::new(name, desk, office.clone(), seed).works())
        })
        .collect();
    let kills = strike(&realm, &mut nodes, seed, Duration::from_secs(seconds)).await;
    office.close();
    for clerk in clerks {
        clerk.await.expect("clerks do not give up");
    }

    let began = Instant::now();
    come_to_rest(&realm, &desks).await;
    let ledger = office.ledger().clone();
    ledger.holds_everywhere(&desks).await;
    println!("{kills} kills; {ledger}; equal and compared after {:.1} s", began.elapsed().as_secs_f32());
    assert!(kills >= seconds / 4 && ledger.acknowledged() > 100, "the run was too quiet to show anything");
}

/// A branch for each village, known to everybody who may know it.
async fn found_branches(realm: &Realm, desks: &BTreeMap<&'static str, Desk>) -> BTreeMap<&'static str, String> {
    let (regions, dir) = (realm.regions(), realm.dir("C"));
    let import = ["import", "orgs", regions.to_str().expect("plain"), "--dir", &dir];
    let _ = heliu(&import).await.exits(0).answers("7 created");
    let mut branches = BTreeMap::new();
    for org in desks["C"].list("org").await {
        let seat = org.owners.first().map(|seat| seat.code.clone()).unwrap_or_default();
        if let Some(village) = VILLAGES.iter().find(|village| code(village) == seat) {
            branches.insert(*village, org.id);
        }
    }
    for (village, branch) in &branches {
        for (name, desk) in desks.iter().filter(|(name, _)| covers(name, &code(village))) {
            until(&format!("the branch of {village} is at {name}"), async || desk.record(branch).await.is_some()).await;
        }
    }
    branches
}

/// Kills a node every now and then and starts it again a while later; at the end all of them run.
async fn strike(realm: &Realm, nodes: &mut BTreeMap<&'static str, NodeProcess>, seed: u64, length: Duration) -> u64 {
    let mut dice = SplitMix(seed);
    let names: Vec<&'static str> = nodes.keys().copied().collect();
    let began = Instant::now();
    let mut due: BTreeMap<&'static str, Instant> = BTreeMap::new();
    let mut kills = 0;
    while began.elapsed() < length {
        tokio::time::sleep(Duration::from_millis(200 + dice.below(600))).await;
        let victim = names[usize::try_from(dice.below(names.len() as u64)).unwrap_or(0)];
        let away = Duration::from_millis(dice.below(2_000));
        // It may be killed while it starts, too.
        if !due.contains_key(victim) && due.len() < 3 {
            nodes.get_mut(victim).expect("it is named").kill_nine().await;
            kills += 1;
            due.insert(victim, Instant::now() + away);
        }
        let back: Vec<&'static str> =
            due.iter().filter(|(_, at)| **at <= Instant::now()).map(|(name, _)| *name).collect();
        for name in back {
            due.remove(name);
            nodes.insert(name, realm.spawn(name));
        }
    }
    for name in due.into_keys() {
        nodes.insert(name, realm.spawn(name));
    }
    for (name, node) in nodes {
        println!("{name} is up at {}", node.is_up().await.client.address());
    }
    kills
}

/// Every link is there and proven equal, by the API and by the command that an operator uses.
async fn come_to_rest(realm: &Realm, desks: &BTreeMap<&'static str, Desk>) {
    let at_rest = until_ok(async || {
        for (name, links) in [("C", 2), ("T1", 3), ("T2", 2)] {
            let up = desks[name].client.links().await.map_err(|error| error.to_string())?.len();
            let unequal = desks[name].unequal().await.map_err(|error| error.to_string())?;
            if up != links || !unequal.is_empty() {
                return Err(format!("{name} has {up} of {links} links, and unequal are {unequal:?}"));
            }
        }
        Ok(())
    });
    if let Err(why) = at_rest.await {
        panic!("the nodes do not come to rest: {why}");
    }
    for (name, links) in [("C", 2), ("T1", 3), ("T2", 2)] {
        let verified = heliu(&["verify", "--dir", &realm.dir(name)]).await.exits(0);
        let _ = verified.answers(&format!("{links} of {links} link(s) equal"));
    }
}
