//! Who sends hostile things: a node with its key, enrolled like any other, so that what it signs gets as far as it can.
//! And a small county for tests to be hostile in.

use std::sync::Arc;

use heliu_record::hash::{hash, hash16};
use heliu_record::id::SeatId;
use heliu_record::seats::{Seat, Tier};
use heliu_trust::directory::{Directory, Item};
use heliu_trust::ed25519::{Ed25519, Ed25519Key};
use heliu_trust::id::{DirectoryVersion, Incarnation, RealmId, realm_id, seat_id};
use heliu_trust::signature::{SealingKey, Signer};

/// An enrolled node that signs whatever it is asked to.
#[derive(Clone)]
pub struct Author {
    pub realm: RealmId,
    pub seat: SeatId,
    pub signer: Arc<dyn Signer>,
    /// What its commits cite.
    pub versions: Vec<(SeatId, DirectoryVersion)>,
    /// Told apart by this: each run of the corpus has other records and other incarnations.
    pub run: u64,
}

impl Author {
    #[must_use]
    pub fn new(seat: SeatId, signer: Arc<dyn Signer>, directory: &Directory, run: u64) -> Self {
        Author { realm: directory.realm(), seat, signer, versions: directory.versions(), run }
    }

    /// An incarnation for one purpose, so that no two purposes share a chain.
    #[must_use]
    pub fn incarnation(&self, purpose: &str) -> Incarnation {
        Incarnation(hash16("hostile incarnation", &[purpose.as_bytes(), &self.run.to_le_bytes()]))
    }
}

/// A county with one township and two villages below it, each with a node.
pub struct County {
    pub directory: Directory,
    pub realm: RealmId,
}

pub const COUNTY: &str = "371726000000";
pub const TOWNSHIP: &str = "371726101000";
pub const VILLAGE: &str = "371726101201";
pub const STRANGER: &str = "371726101202";

impl County {
    /// # Panics
    /// Never: the one directory that it makes is right.
    #[must_use]
    pub fn new() -> Self {
        let root = key("root");
        let realm = realm_id(&root.public_key(), "hostile");
        let seat = |code: &str, parent: Option<&str>, tier| {
            let parent = parent.map(|code| seat_id(&realm, code));
            Item::Seat(Seat { id: seat_id(&realm, code), code: code.to_owned(), name: code.to_owned(), parent, tier })
        };
        let mut items = vec![
            seat(COUNTY, None, Tier::County),
            seat(TOWNSHIP, Some(COUNTY), Tier::Township),
            seat(VILLAGE, Some(TOWNSHIP), Tier::Village),
            seat(STRANGER, Some(TOWNSHIP), Tier::Village),
        ];
        items.extend([COUNTY, TOWNSHIP, VILLAGE, STRANGER].map(|code| {
            let key = key(code);
            Item::enrol(&key, seat_id(&realm, code), SealingKey(key.public_key().0), Vec::new())
        }));
        items.push(Item::Issuer { key: root.public_key() });
        let mut directory = Directory::new(realm, root.public_key());
        let entry = directory.draft(items, 0, &[&root]).expect("the county can be drafted");
        directory.append(&entry, &Ed25519).expect("the county can be entered");
        County { directory, realm }
    }

    #[must_use]
    pub fn seat(&self, code: &str) -> SeatId {
        seat_id(&self.realm, code)
    }

    /// The node of a seat, by its region code.
    #[must_use]
    pub fn author(&self, code: &str, run: u64) -> Author {
        Author::new(self.seat(code), Arc::new(key(code)), &self.directory, run)
    }
}

impl Default for County {
    fn default() -> Self {
        Self::new()
    }
}

/// The key of a name.
#[must_use]
pub fn key(name: &str) -> Ed25519Key {
    Ed25519Key::from_seed(hash("hostile key", &[name.as_bytes()]))
}
