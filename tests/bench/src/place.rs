//! The place where the cases play: a realm with its seats, keys for the nodes that a case runs, and synthetic members.

use std::sync::Arc;

use heliu_record::seats::{Seat, Tier};
use heliu_record::synthetic::{County, county};
use heliu_trust::directory::{Directory, Item};
use heliu_trust::ed25519::{Ed25519, Ed25519Key};
use heliu_trust::id::realm_id;
use heliu_trust::region;
use heliu_trust::signature::{SealingKey, Signer};

pub const REGIONS: &[u8] = include_bytes!("../../../crates/trust/data/regions/371726.csv");

pub struct Place {
    pub directory: Directory,
    pub county: Seat,
    pub townships: Vec<Seat>,
    pub villages: Vec<Seat>,
}

/// A key by number: the same number is the same node.
pub fn key(number: u32) -> Arc<dyn Signer> {
    let mut seed = [0x5a; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    Arc::new(Ed25519Key::from_seed(seed))
}

impl Place {
    /// The default county, with a node for each (key number, seat) that `nodes` chooses.
    pub fn new(nodes: impl Fn(&Place) -> Vec<(u32, Seat)>) -> Self {
        let issuer = key(u32::MAX);
        let realm = realm_id(&issuer.public_key(), "bench");
        let seats = region::parse(&realm, REGIONS).expect("the default county is well formed");
        let of = |tier: Tier| seats.iter().filter(|s| s.tier == tier).cloned().collect::<Vec<_>>();
        let county = of(Tier::County).remove(0);
        let mut place = Place {
            directory: Directory::new(realm, issuer.public_key()),
            county,
            townships: of(Tier::Township),
            villages: of(Tier::Village),
        };
        let mut items: Vec<Item> = seats.into_iter().map(Item::Seat).collect();
        items.extend(nodes(&place).into_iter().map(|(number, seat)| {
            let key = key(number);
            Item::enrol(&*key, seat.id, SealingKey(key.public_key().0), Vec::new())
        }));
        items.push(Item::Issuer { key: issuer.public_key() });
        let entry = place.directory.draft(items, 0, &[&*issuer]).expect("the first entry is valid");
        place.directory.append(&entry, &Ed25519).expect("the first entry follows from nothing");
        place
    }

    pub fn members(&self, members: usize) -> County {
        county(self.directory.seats(), 1, members)
    }
}
