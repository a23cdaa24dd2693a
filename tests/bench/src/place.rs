//! The place where the cases play: a realm with its root, issuer and seats, keys for the nodes that a case runs, and
//! synthetic members.

use std::path::Path;
use std::sync::Arc;

use heliu_client::{Access, Pinned};
use heliu_node::access::{self, Grant, Role};
use heliu_node::{Security, Tls};

use heliu_catalogue::catalogue;
use heliu_catalogue::synthetic::{County, county};
use heliu_record::seats::{Seat, Tier};
use heliu_trust::directory::{Directory, Item};
use heliu_trust::ed25519::{Ed25519, Ed25519Key};
use heliu_trust::id::realm_id;
use heliu_trust::region;
use heliu_trust::seal::SealingSecret;
use heliu_trust::signature::Signer;

pub const REGIONS: &[u8] = include_bytes!("../../../crates/trust/data/regions/371726.csv");

/// How nodes, and programs, reach a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// As in production: TLS 1.3, nodes with certificates, programs with access tokens.
    Tls,
    /// Development mode, to see what the other costs.
    Plain,
}

pub struct Place {
    pub wire: Wire,
    pub directory: Directory,
    pub county: Seat,
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
        let (root, issuer) = (key(u32::MAX), key(u32::MAX - 1));
        let realm = realm_id(&root.public_key(), "bench");
        let seats = region::parse(&realm, REGIONS).expect("the default county is well formed");
        let of = |tier: Tier| seats.iter().filter(|s| s.tier == tier).cloned().collect::<Vec<_>>();
        let county = of(Tier::County).remove(0);
        let mut place = Place {
            wire,
            directory: Directory::new(realm, root.public_key()),
            county,
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
        county(self.directory.seats(), 1, members)
    }
}
