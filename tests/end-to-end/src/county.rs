//! A county whose nodes run in this process, each on its own SQLite store, with real gRPC between them through gates that
//! a story can shut. What is true of every story after its links are back is in [`County::agrees`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use heliu_catalogue::catalogue;
use heliu_client::records::{Record, RecordState};
use heliu_client::{Access, Pinned};
use heliu_node::access::{Grant, Role};
use heliu_node::status::{LinkState, Outcome};
use heliu_node::{Anchor, Node, NodeHandle, Options, Retry, Security, Tls, Upstream};
use heliu_record::catalogue::Catalogue;
use heliu_record::hash::hash;
use heliu_record::seats::{Seat, Tier};
use heliu_storage::{Store, StoreId};
use heliu_storage_sqlite::SqliteStore;
use heliu_trust::directory::{Directory, Item, SignedEntry};
use heliu_trust::ed25519::{Ed25519, Ed25519Key};
use heliu_trust::id::{Incarnation, realm_id, seat_id};
use heliu_trust::seal::SealingSecret;
use heliu_trust::signature::Signer as _;
use tempfile::TempDir;

use crate::command_line::{Said, heliu};
use crate::desk::Desk;
use crate::gate::Gate;
use crate::patience::until_ok;
use crate::seats::{code, covers, plain, superior, title};

const VERIFY: Duration = Duration::from_secs(5);

pub struct County {
    places: BTreeMap<&'static str, Place>,
    folder: TempDir,
}

struct Place {
    node: NodeHandle,
    store: Arc<dyn Store>,
    desk: Desk,
    access: Access,
    /// To the node that it dials.
    up: Option<(Gate, NodeHandle)>,
}

impl County {
    /// Starts nodes, each with the one that it dials: `("C", ""), ("C'", "C"), ("T1", "C'")` are a county with a mirror, and
    /// a township that reaches it through the mirror. Seats between or beside them have none.
    pub async fn start(links: &[(&'static str, &'static str)], other_seats: &[&str]) -> Self {
        Self::start_knowing(links, other_seats, |_| catalogue()).await
    }

    /// As [`County::start`], of nodes that each know what a catalogue of theirs declares.
    pub async fn start_knowing(
        links: &[(&'static str, &'static str)],
        other_seats: &[&str],
        knows: impl Fn(&str) -> &'static Catalogue,
    ) -> Self {
        let folder = tempfile::Builder::new().prefix("heliu-county-").tempdir().expect("a temporary directory");
        let issuer = key("issuer");
        let realm = realm_id(&issuer.public_key(), "stories");
        let anchor = Anchor { realm, root: issuer.public_key() };
        let names: Vec<&str> = links.iter().map(|(name, _)| *name).collect();
        let entry = directory(&anchor, &issuer, &names, other_seats);
        let mut places: BTreeMap<&'static str, Place> = BTreeMap::new();
        for (name, upper) in links {
            let up = match places.get(upper) {
                Some(upper) => Some((Gate::before(upper.node.address()).await, upper.node.clone())),
                None => None,
            };
            let dialled = up.iter().map(|(gate, _)| Upstream::at([gate.address().to_string()])).collect();
            let is_mirror = plain(name) == plain(upper);
            let (upstreams, peers) = if is_mirror { (Vec::new(), dialled) } else { (dialled, Vec::new()) };
            let listen = "127.0.0.1:0".parse().expect("an address");
            let options = Options {
                directory: vec![entry.clone()],
                upstreams,
                peers,
                tick: Duration::from_millis(100),
                retry: Retry { first: Duration::from_millis(20), max: Duration::from_millis(200) },
                sealing: Some(Arc::new(sealing(name))),
                ..Options::new(knows(name), Arc::new(key(name)), Arc::new(Ed25519), anchor, listen)
            };
            let own = folder.path().join(name);
            std::fs::create_dir_all(&own).expect("the directory is ours");
            let (options, token) = secured(options, &own);
            let store = heliu_storage_sqlite::Options::new(StoreId(random()), Incarnation(random()));
            let store = SqliteStore::open(&own, store).await.expect("an empty store opens");
            let store: Arc<dyn Store> = Arc::new(store);
            let node = Node::start(options, Arc::clone(&store)).await.expect("the node starts");
            let access = Access {
                addresses: vec![node.address().to_string()],
                pinned: Some(Pinned { realm, node: node.node() }),
                token: Some(token),
            };
            let desk = Desk::open(&access).await.expect("the node answers");
            places.insert(name, Place { node, store, desk, access, up });
        }
        let county = County { places, folder };
        county.is_quiet().await;
        county
    }

    /// Runs the built command line against a node, in English, and reads what it says.
    pub async fn says(&self, name: &str, words: &[&str]) -> Said {
        let access = self.folder.path().join(name).join("access.toml");
        if !access.exists() {
            self.places[name].access.write(&access).expect("the directory is ours");
        }
        let access = access.to_str().expect("temporary paths are plain");
        heliu(&[words, &["--access", access]].concat()).await
    }

    /// The desk at a node.
    #[must_use]
    pub fn at(&self, name: &str) -> &Desk {
        &self.places[name].desk
    }

    /// A branch of a seat, made at the county and known wherever it should be.
    pub async fn branch(&self, seat: &str, name: &str) -> String {
        let branch = self.at("C").makes("org.create", &[("name", name), ("seat", &code(seat))]).await;
        self.is_quiet().await;
        branch
    }

    /// Cuts a node off from the one that it dials.
    pub fn cut(&self, name: &str) {
        self.gate(name).set_open(false);
    }

    /// All links come back, and everything has arrived everywhere.
    pub async fn heals(&self) {
        self.places.values().filter_map(|place| place.up.as_ref()).for_each(|(gate, _)| gate.set_open(true));
        self.is_quiet().await;
    }

    fn gate(&self, name: &str) -> &Gate {
        &self.places[name].up.as_ref().expect("it dials somebody").0
    }

    /// Waits until all links that are not cut are verified equal, and nothing has moved meanwhile.
    ///
    /// # Panics
    /// If that does not come true.
    pub async fn is_quiet(&self) {
        let quiet = until_ok(async || {
            let before = self.heads().await;
            for (name, place) in &self.places {
                place.is_equal_with_its_superior().await.map_err(|why| format!("{name}: {why}"))?;
            }
            if self.heads().await == before { Ok(()) } else { Err("something still moves".to_owned()) }
        });
        if let Err(why) = quiet.await {
            panic!("the county does not come to rest: {why}");
        }
    }

    async fn heads(&self) -> Vec<u64> {
        let mut heads = Vec::new();
        for place in self.places.values() {
            heads.push(place.store.meta().await.expect("the store answers").head);
        }
        heads
    }

    /// What is true after every story, in whatever order things came: all nodes that are in a record's audience hold
    /// it and nobody else does, they see the same of it, and the same conflicts by the same ids.
    ///
    /// # Panics
    /// If it is not.
    pub async fn agrees(&self) {
        let mut copies: BTreeMap<String, BTreeMap<&str, Record>> = BTreeMap::new();
        let mut conflicts: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (name, place) in &self.places {
            for record in place.desk.list("").await {
                copies.entry(record.id.clone()).or_default().insert(name, record);
            }
            for conflict in place.desk.conflicts().await {
                conflicts.entry(conflict.id).or_default().insert(name);
            }
        }
        for (id, held) in &copies {
            let (_, first) = held.first_key_value().expect("somebody holds it");
            let expected: BTreeSet<&str> = self.audience(first);
            assert_eq!(held.keys().copied().collect::<BTreeSet<_>>(), expected, "who holds {} {id}", first.kind);
            for (name, record) in held {
                assert_eq!(record.state(), RecordState::Present);
                assert_eq!(record.view_json, first.view_json, "{name} sees another {} {id}", first.kind);
                assert_eq!(record.conflicts, first.conflicts, "{name} sees other conflicts of {} {id}", first.kind);
                assert!(!record.waiting, "{name} lacks something of {} {id}", first.kind);
            }
        }
        for (id, seen) in &conflicts {
            let about: BTreeSet<&str> = copies
                .values()
                .filter(|held| held.values().any(|record| record.conflicts.contains(id)))
                .flat_map(|held| held.keys().copied())
                .collect();
            assert_eq!(*seen, about, "who sees conflict {id}");
        }
    }

    /// The nodes whose seats take part, or are above one that does.
    fn audience(&self, record: &Record) -> BTreeSet<&str> {
        let named = || record.owners.iter().chain(&record.participants);
        let is_in = |name: &&str| record.public || named().any(|seat| covers(name, &seat.code));
        self.places.keys().copied().filter(is_in).collect()
    }

    /// The nodes that see an open conflict, by its id.
    pub async fn who_sees(&self, conflict: &str) -> Vec<&'static str> {
        let mut names = Vec::new();
        for (name, place) in &self.places {
            if place.desk.conflicts().await.iter().any(|open| open.id == conflict) {
                names.push(*name);
            }
        }
        names
    }

    /// Whether nobody sees any conflict.
    pub async fn is_settled(&self) -> bool {
        for place in self.places.values() {
            if !place.desk.conflicts().await.is_empty() {
                return false;
            }
        }
        true
    }

    /// Stops every node in an orderly way.
    pub async fn ends(self) {
        for place in self.places.values() {
            place.node.shutdown().await.expect("it stops in time");
            place.store.close().await.expect("the store closes");
        }
    }
}

impl Place {
    async fn is_equal_with_its_superior(&self) -> Result<(), String> {
        let Some((_, upper)) = self.up.as_ref().filter(|(gate, _)| gate.is_open()) else { return Ok(()) };
        for (node, other) in [(&self.node, upper), (upper, &self.node)] {
            let links = node.links().await.map_err(|error| error.to_string())?;
            let link = links.iter().find(|link| link.peer == Some(other.node()));
            match link.map(|link| link.state) {
                Some(LinkState::Live) => {}
                state => return Err(format!("its link is {state:?}")),
            }
        }
        let verdicts = self.node.verify(&upper.node().to_string(), VERIFY).await.map_err(|error| error.to_string())?;
        match verdicts.iter().find(|verdict| verdict.outcome != Outcome::Equal) {
            None if !verdicts.is_empty() => Ok(()),
            other => Err(format!("it is not equal: {other:?}")),
        }
    }
}

fn key(name: &str) -> Ed25519Key {
    Ed25519Key::from_seed(hash("end-to-end node", &[name.as_bytes()]))
}

fn sealing(name: &str) -> SealingSecret {
    SealingSecret::from_seed(hash("end-to-end sealing", &[name.as_bytes()]))
}

/// With TLS, and a token that may do everything.
fn secured(options: Options, folder: &Path) -> (Options, String) {
    let tls = Tls::in_dir(folder);
    let grant = Grant { name: "clerk".to_owned(), roles: Role::ALL.to_vec(), ..Grant::default() };
    let token = heliu_node::access::create(&tls.access, grant, catalogue()).expect("the directory is ours");
    (Options { security: Security::Tls(tls), ..options }, token.to_string())
}

/// One entry: all seats that are named, those above them, and the nodes.
fn directory(anchor: &Anchor, issuer: &Ed25519Key, names: &[&str], other_seats: &[&str]) -> SignedEntry {
    let mut all = BTreeSet::new();
    for name in names.iter().chain(other_seats) {
        all.extend(std::iter::successors(Some(plain(name).to_owned()), |at| superior(at)));
    }
    let id = |name: &str| seat_id(&anchor.realm, &code(name));
    let seat = |name: &String| {
        let tier = match &name[..1] {
            "C" => Tier::County,
            "T" => Tier::Township,
            _ => Tier::Village,
        };
        let parent = superior(name).map(|superior| id(&superior));
        Item::Seat(Seat { id: id(name), code: code(name), name: title(name), parent, tier })
    };
    let node = |name: &&str| {
        let key = key(name);
        Item::enrol(&key, id(name), sealing(name).public(), Vec::new())
    };
    let named = Item::Issuer { key: issuer.public_key() };
    let items = all.iter().map(seat).chain(names.iter().map(node)).chain([named]).collect();
    Directory::new(anchor.realm, anchor.root).draft(items, 0, &[issuer]).expect("the entry is drawn up well")
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}
