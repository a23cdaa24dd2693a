//! Two mirrors of one county, and a damaged image of one of them: what the node does with it, and whether its neighbour
//! mends it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use heliu_catalogue::catalogue;
use heliu_node::{Anchor, Node, NodeHandle, Options, Retry, Upstream};
use heliu_record::command::{CommandId, Request};
use heliu_record::hash::hash;
use heliu_record::id::RecordId;
use heliu_record::seats::{Seat, Tier};
use heliu_storage::{ListQuery, RecordState, Store, StoreId};
use heliu_storage_sqlite::SqliteStore;
use heliu_trust::directory::{Directory, Item, SignedEntry};
use heliu_trust::ed25519::{Ed25519, Ed25519Key};
use heliu_trust::id::{Incarnation, realm_id, seat_id};
use heliu_trust::seal::SealingSecret;
use heliu_trust::signature::Signer as _;

pub const VICTIM: &str = "victim";
pub const NEIGHBOUR: &str = "neighbour";
const COUNTY: &str = "371726000000";
/// What is not mended by then is not mended.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn key(name: &str) -> Arc<Ed25519Key> {
    Arc::new(Ed25519Key::from_seed(hash("tampered node", &[name.as_bytes()])))
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has random bytes");
    bytes
}

fn realm() -> (Anchor, SignedEntry) {
    let (root, issuer) = (key("root"), key("issuer"));
    let realm = realm_id(&root.public_key(), "tampered");
    let anchor = Anchor { realm, root: root.public_key() };
    let (code, name) = (COUNTY.to_owned(), "测试县".to_owned());
    let seat = Seat { id: seat_id(&realm, COUNTY), code, name, parent: None, tier: Tier::County };
    let sealing = |name: &str| SealingSecret::from_seed(hash("tampered sealing", &[name.as_bytes()])).public();
    let enrol = |name: &str| Item::enrol(&*key(name), seat_id(&realm, COUNTY), sealing(name), Vec::new());
    let items = vec![Item::Seat(seat), Item::Issuer { key: issuer.public_key() }, enrol(VICTIM), enrol(NEIGHBOUR)];
    let entry = Directory::new(realm, anchor.root).draft(items, 0, &[&*root]).expect("a directory");
    (anchor, entry)
}

/// A running node on a store in a folder.
pub struct Place {
    pub node: NodeHandle,
    pub store: Arc<dyn Store>,
}

impl Place {
    /// Or why it does not start.
    pub async fn start(name: &str, folder: &Path, peer: Option<SocketAddr>) -> Result<Place, String> {
        let (anchor, entry) = realm();
        let options = heliu_storage_sqlite::Options::new(StoreId(random()), Incarnation(random()));
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(folder, options).await.map_err(|error| error.to_string())?);
        let mut options =
            Options::new(catalogue(), key(name), Arc::new(Ed25519), anchor, SocketAddr::from(([127, 0, 0, 1], 0)));
        options.directory = vec![entry];
        options.peers = peer.into_iter().map(|address| Upstream::at([address.to_string()])).collect();
        options.retry = Retry { first: Duration::from_millis(20), max: Duration::from_millis(200) };
        options.tick = Duration::from_millis(20);
        options.patrol_round = Duration::ZERO;
        let node = Node::start(options, Arc::clone(&store)).await.map_err(|error| error.to_string())?;
        Ok(Place { node, store })
    }

    pub async fn does(
        &self,
        name: &str,
        subject: Option<RecordId>,
        arguments: &[(&str, &str)],
    ) -> Result<RecordId, String> {
        let request = Request {
            id: CommandId(random()),
            name: name.to_owned(),
            subject,
            arguments: arguments.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            who: "clerk".to_owned(),
            reason: "a test".to_owned(),
            on_behalf: None,
        };
        let executed = self.node.execute(request).await.map_err(|error| error.to_string())?;
        let made = executed.done.result.get("record").and_then(|id| id.parse().ok());
        made.or(subject).ok_or_else(|| "no record".to_owned())
    }

    /// What people see, record by record; an error where the store says that it is damaged.
    pub async fn views(&self) -> Result<BTreeMap<RecordId, String>, String> {
        let page = self.store.list(&ListQuery { limit: 1_000, ..ListQuery::default() }).await;
        let page = page.map_err(|error| error.to_string())?;
        if let Some(row) = page.damaged.first() {
            return Err(row.detail.clone());
        }
        let present = page.rows.into_iter().filter(|row| row.state == RecordState::Present);
        Ok(present.map(|row| (row.id, String::from_utf8_lossy(&row.view).into_owned())).collect())
    }

    async fn is_verified(&self) -> bool {
        let links = self.node.links().await.unwrap_or_default();
        links.first().is_some_and(|link| link.verified_ms.is_some() && link.lag_items == Some(0))
    }

    /// Every way in which it tells its operators that something is wrong.
    pub async fn complaints(&self) -> String {
        let mut told = Vec::new();
        match self.store.quarantine(100).await {
            Ok(rows) => told.extend(rows.into_iter().map(|row| format!("{}: {}", row.code, row.reason))),
            Err(error) => told.push(error.to_string()),
        }
        match self.node.status().await {
            Ok(status) => told.extend(status.read_only.map(|why| why.to_string())),
            Err(error) => told.push(error.to_string()),
        }
        for link in self.node.links().await.unwrap_or_default() {
            told.extend(link.last_error.map(|(error, _)| error));
        }
        told.join("; ")
    }

    /// Whether it ended as it should, without a panic.
    pub async fn stop(self) -> Result<(), String> {
        let ended = self.node.shutdown().await.map_err(|error| error.to_string());
        // A store that is damaged may not be able to tidy up.
        let _ = self.store.close().await;
        ended
    }
}

/// Both nodes with the same records, at rest, as files.
pub struct Images {
    pub victim: tempfile::TempDir,
    pub neighbour: tempfile::TempDir,
    pub records: Vec<RecordId>,
}

impl Images {
    pub async fn make() -> Images {
        let (victim, neighbour) = (folder(), folder());
        let b = Place::start(NEIGHBOUR, neighbour.path(), None).await.expect("it starts");
        let a = Place::start(VICTIM, victim.path(), Some(b.node.address())).await.expect("it starts");
        let mut records = Vec::new();
        let branch = a.does("org.create", None, &[("name", "测试支部"), ("level", "branch")]).await.expect("a branch");
        records.push(branch);
        for number in 0..8 {
            let (name, branch) = (format!("测试甲{number}"), branch.to_string());
            let arguments = [
                ("name", name.as_str()),
                ("branch", branch.as_str()),
                ("joined_on", "2001-07-01"),
                ("full_on", "2002-07-01"),
                ("admitted_on", "2001-07-01"),
            ];
            records.push(a.does("member.register", None, &arguments).await.expect("a member"));
        }
        equal(&a, &b).await.expect("they become equal");
        for record in &records {
            b.does("record.set", Some(*record), &[("field", "name"), ("value", "测试乙")]).await.expect("an edit");
        }
        equal(&a, &b).await.expect("they become equal");
        a.stop().await.expect("it stops");
        b.stop().await.expect("it stops");
        Images { victim, neighbour, records }
    }
}

pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::copy(from.join("heliu.db"), to.join("heliu.db")).expect("the image is there");
}

/// Waits until both show the same and have proven to hold the same; or what differs.
async fn equal(a: &Place, b: &Place) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        let (here, there) = (a.views().await, b.views().await.expect("it is whole"));
        let is_same = here.as_ref() == Ok(&there);
        if is_same && a.is_verified().await && a.views().await.as_ref() == Ok(&there) {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            let differ = match here {
                Err(error) => error,
                Ok(here) => {
                    let differ = there.iter().filter(|(id, view)| here.get(id) != Some(view)).count();
                    let more = here.keys().filter(|id| !there.contains_key(id)).count();
                    let verified = a.is_verified().await;
                    format!("{differ} of {} views differ, {more} more, verified {verified}", there.len())
                }
            };
            return Err(format!("{differ}; {}", a.complaints().await));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until it tells its operators of damage; or what it says instead.
async fn tells(place: &Place) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        let said = place.complaints().await;
        if said.contains("store.damaged") {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            return Err(format!("it tells of no damage: {said}"));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether a damaged image shows what it showed before, and tells of it, without anybody to ask.
pub async fn alone(images: &Images, damaged: &Path) -> Result<(), String> {
    let whole = folder();
    copy(images.victim.path(), whole.path());
    let before = Place::start(VICTIM, whole.path(), None).await?;
    let shown = before.views().await?;
    before.stop().await?;
    let place = Place::start(VICTIM, damaged, None).await?;
    tells(&place).await?;
    let begun = Instant::now();
    while place.views().await.as_ref() != Ok(&shown) {
        if begun.elapsed() > PATIENCE {
            return Err(format!("it shows {:?}", place.views().await));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    place.stop().await
}

/// What became of a damaged node beside a whole one.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did not start, and said why.
    Refused(String),
    /// All is as at the neighbour, and what it said of it.
    Healed(String),
    /// Not so, and what it said of it.
    Ill(String),
}

/// Starts a damaged image beside its neighbour, which then edits every record, so that nothing stays unread.
pub async fn live_with(images: &Images, damaged: &Path, is_to_be_told: bool) -> Outcome {
    let whole = folder();
    copy(images.neighbour.path(), whole.path());
    let b = Place::start(NEIGHBOUR, whole.path(), None).await.expect("it is whole");
    let before = b.views().await.expect("it is whole");
    let a = match Place::start(VICTIM, damaged, Some(b.node.address())).await {
        Ok(a) => a,
        Err(why) => {
            b.stop().await.expect("it is whole");
            return Outcome::Refused(why);
        }
    };
    for record in &images.records {
        b.does("record.set", Some(*record), &[("field", "name"), ("value", "测试丙")]).await.expect("it is whole");
    }
    let mut healed = equal(&a, &b).await;
    if healed.is_ok() && is_to_be_told {
        healed = tells(&a).await;
    }
    let after = b.views().await.expect("it is whole");
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "nothing spread");
    for (record, view) in &after {
        assert_eq!(view, &before[record].replace("测试乙", "测试丙"), "nothing spread");
    }
    let said = a.complaints().await;
    let ended = a.stop().await;
    b.stop().await.expect("it is whole");
    ended.expect("it ends as it should");
    match healed {
        Ok(()) => Outcome::Healed(said),
        Err(why) => Outcome::Ill(why),
    }
}
