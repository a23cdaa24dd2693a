//! The place where the cases play: a realm with its root, issuer and seats, keys for the nodes that a case runs, and
//! synthetic members.

use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use heliu_client::{Access, Pinned};
use heliu_node::access::{self, Grant, Role};
use heliu_node::{Security, Tls, region};

use heliu_catalogue::catalogue;
use heliu_catalogue::synthetic::{County, populated};
use heliu_record::id::to_hex;
use heliu_record::seats::{Seat, Tier};
use heliu_trust::directory::{Directory, Item};
use heliu_trust::ed25519::{Ed25519, Ed25519Key};
use heliu_trust::id::{RealmId, realm_id, seat_id};
use heliu_trust::seal::SealingSecret;
use heliu_trust::signature::Signer;

const REALM: &str = "bench";
pub const REGIONS: &[u8] = include_bytes!("../../../deploy/regions/371726.csv");

/// How nodes, and programs, reach a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// As in production: TLS 1.3, nodes with certificates, programs with access tokens.
    Tls,
    /// Development mode, to see what the other costs.
    Plain,
}

/// Which seats there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// The default county.
    County,
    /// A city of counties that are each like the default one.
    City,
}

/// In a city: as many as one directory entry takes the seats of.
const COUNTIES: u32 = 9;

pub struct Place {
    pub wire: Wire,
    pub directory: Directory,
    /// The seat above all others: the county's, or the city's.
    pub top: Seat,
    pub townships: Vec<Seat>,
    pub villages: Vec<Seat>,
}

/// A key by number: the same number is the same node.
pub fn key(number: u32) -> Arc<dyn Signer> {
    Arc::new(Ed25519Key::from_seed(seed(number)))
}

fn seed(number: u32) -> [u8; 32] {
    let mut seed = [0x5a; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    seed
}

/// With which the node of that number opens what is sealed.
pub fn sealing(number: u32) -> SealingSecret {
    SealingSecret::from_seed(seed(number))
}

impl Place {
    /// The default county, with a node for each (key number, seat) that `nodes` chooses.
    pub fn new(wire: Wire, nodes: impl Fn(&Place) -> Vec<(u32, Seat)>) -> Self {
        Place::of(Region::County, wire, nodes)
    }

    /// Two nodes, 1 and 2, that are mirrors of each other at the top of a region.
    pub fn mirrored(region: Region, wire: Wire) -> Self {
        Place::of(region, wire, |place| vec![(1, place.top.clone()), (2, place.top.clone())])
    }

    fn of(region: Region, wire: Wire, nodes: impl Fn(&Place) -> Vec<(u32, Seat)>) -> Self {
        let (root, issuer) = (key(u32::MAX), key(u32::MAX - 1));
        let realm = realm_id(&root.public_key(), REALM);
        let seats = match region {
            Region::County => county(&realm, REGIONS),
            Region::City => city(&realm),
        };
        let of = |tier: Tier| seats.iter().filter(|s| s.tier == tier).cloned().collect::<Vec<_>>();
        let top = seats[0].clone();
        let mut place = Place {
            wire,
            directory: Directory::new(realm, root.public_key()),
            top,
            townships: of(Tier::Township),
            villages: of(Tier::Village),
        };
        let mut items: Vec<Item> = seats.into_iter().map(Item::Seat).collect();
        items.extend(
            nodes(&place)
                .into_iter()
                .map(|(number, seat)| Item::enrol(&*key(number), seat.id, sealing(number).public(), Vec::new())),
        );
        items.push(Item::Issuer { key: issuer.public_key() });
        // Most seats have no node here, and somebody has to be able to read what is sealed there.
        items.push(Item::Escrow { key: sealing(u32::MAX).public() });
        let entry = place.directory.draft(items, 0, &[&*root]).expect("the first entry is valid");
        place.directory.append(&entry, &Ed25519).expect("the first entry follows from nothing");
        place
    }

    /// For a node whose certificate, key and access list are in a directory.
    pub fn security(&self, directory: &Path) -> Security {
        match self.wire {
            Wire::Tls => Security::Tls(Tls::in_dir(directory)),
            Wire::Plain => Security::LoopbackPlain,
        }
    }

    /// What a program with all rights needs to use a node. The node learns the token when it starts.
    pub fn access(&self, number: u32, directory: &Path) -> Access {
        let plain = Access::plain("");
        if self.wire == Wire::Plain {
            return plain;
        }
        let grant = Grant { name: "bench".to_owned(), roles: Role::ALL.to_vec(), ..Grant::default() };
        let token = access::create(&Tls::in_dir(directory).access, grant, catalogue()).expect("the directory is ours");
        let pinned = Pinned { realm: self.directory.realm(), node: key(number).node() };
        Access { pinned: Some(pinned), token: Some(token.to_string()), ..plain }
    }

    pub fn members(&self, members: usize) -> County {
        self.populated(0, members)
    }

    /// With so many organisations, and one for each seat at least.
    pub fn populated(&self, orgs: usize, members: usize) -> County {
        populated(self.directory.seats(), 1, orgs, members)
    }

    /// Makes a directory with a store of this place's into one in which the shipped program runs the node of that number.
    pub fn settle(&self, number: u32, directory: &Path, listen: SocketAddr) {
        for (name, scheme) in [("node.key", "ed25519"), ("sealing.key", "x25519")] {
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(directory.join(name))
                .expect("the directory is ours");
            writeln!(file, "{scheme} {}", to_hex(&seed(number))).expect("a key is written");
        }
        let root = self.directory.root();
        let config =
            format!("listen = \"{listen}\"\ndata_dir = \".\"\n[realm]\nname = \"{REALM}\"\nroot = \"{root}\"\n");
        std::fs::write(directory.join("heliu.toml"), config).expect("the directory is ours");
        let access = Access { addresses: vec![listen.to_string()], ..self.access(number, directory) };
        access.write(&directory.join("local.access")).expect("the directory is ours");
    }
}

fn county(realm: &RealmId, regions: &[u8]) -> Vec<Seat> {
    region::parse(realm, regions).expect("the default county is well formed")
}

/// The same seats once for each county, under codes of its own.
fn city(realm: &RealmId) -> Vec<Seat> {
    let (code, regions) = ("371700000000".to_owned(), String::from_utf8_lossy(REGIONS));
    let id = seat_id(realm, &code);
    let mut seats = vec![Seat { id, code, name: "菏泽市".to_owned(), parent: None, tier: Tier::City }];
    for number in 0..COUNTIES {
        let regions = regions.replace("371726", &format!("3717{:02}", 21 + number));
        let county = county(realm, regions.as_bytes());
        seats.extend(county.into_iter().map(|seat| Seat { parent: seat.parent.or(Some(id)), ..seat }));
    }
    seats
}
