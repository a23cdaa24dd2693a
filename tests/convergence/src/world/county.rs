//! The seats of a small county, their nodes' keys, and the directory that says so.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use heliu_record::hash::hash;
use heliu_record::id::SeatId;
use heliu_record::seats::{Seat, Tier};
use heliu_trust::commit::SignedCommit;
use heliu_trust::directory::{Directory, Item, SignedEntry};
use heliu_trust::id::{DirectoryVersion, NodeId, RealmId, realm_id, seat_id};
use heliu_trust::seal::SealingSecret;
use heliu_trust::signature::Signer;
use heliu_trust::simulated::{Cheap, CheapKey};

/// What is entered into the directory of a county that exists already, if anything is: each in one entry.
pub const TO_COME: [&[&str]; 3] = [&["V19"], &["V29"], &["T9", "V91"]];

pub const REALM_NAME: &str = "simulated";

/// A node of the county, whether it runs or not.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// `C`, `T1`, `V12`; a second node of the seat has a mark: `C'`.
    pub name: String,
    pub seat: SeatId,
    pub key: CheapKey,
}

impl Enrolled {
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.key.node()
    }
}

pub struct County {
    pub realm: RealmId,
    /// The realm's offline key, which its founder has in a safe.
    pub root: CheapKey,
    pub issuer: CheapKey,
    seed: u64,
    pub enrolled: Vec<Enrolled>,
    /// Parent of each seat, as the reference model reads the tree.
    pub parents: BTreeMap<SeatId, Option<SeatId>>,
    pub names: BTreeMap<SeatId, String>,
    /// Every directory that somebody may hold, by its head: after each entry, on each side of a fork.
    states: BTreeMap<DirectoryVersion, Directory>,
    /// The one that counts.
    newest: DirectoryVersion,
    /// A node, and the one that the directory takes it for.
    mistaken: Option<(String, String)>,
}

impl County {
    /// A county with its seats and nodes by name: `C`, `T1`, `V11` below `T1`, and mirrors such as `T1'`.
    #[must_use]
    pub fn new(seed: u64, names: &[&str]) -> Self {
        let (root, issuer) = (CheapKey(hash("simulated root", &[&seed.to_le_bytes()])), first_issuer(seed));
        let realm = realm_id(&root.public_key(), REALM_NAME);
        let newest = DirectoryVersion::EMPTY;
        let states = BTreeMap::from([(newest, Directory::new(realm, root.public_key()))]);
        let (parents, labels) = (BTreeMap::new(), BTreeMap::new());
        let (enrolled, mistaken) = (Vec::new(), None);
        let mut county =
            County { realm, root, issuer, seed, enrolled, parents, names: labels, states, newest, mistaken };
        if !names.is_empty() {
            county.grow(names);
        }
        county
    }

    /// A county whose directory says of one node that it is of another's seat.
    #[must_use]
    pub fn where_one_passes_for_another(seed: u64, names: &[&str], one: &str, another: &str) -> Self {
        let mut county = County::new(seed, &[]);
        county.mistaken = Some((one.to_owned(), another.to_owned()));
        county.grow(&[names, &[super::scribe::NAME]].concat());
        county
    }

    /// What the realm keeps offline to open what is sealed. It stays the same when the issuer is replaced.
    #[must_use]
    pub fn escrow(&self) -> SealingSecret {
        sealing_of("the escrow")
    }

    /// One entry more: seats and nodes that are new. Returns the entry for whoever is to hear of it.
    pub fn grow(&mut self, names: &[&str]) -> SignedEntry {
        let mut items = Vec::new();
        let mut nodes = Vec::new();
        for name in names {
            let seat = self.seat(name);
            if !self.parents.contains_key(&seat) {
                items.push(Item::Seat(self.enter(name, seat)));
            }
            let key = CheapKey(hash("simulated key", &[&self.seed.to_le_bytes(), name.as_bytes()]));
            let taken_for =
                self.mistaken.as_ref().filter(|(one, _)| one == name).map(|(_, another)| self.seat(another));
            let entered = taken_for.unwrap_or(seat);
            nodes.push(Item::enrol(&key, entered, sealing_of(name).public(), Vec::new()));
            self.enrolled.push(Enrolled { name: (*name).to_owned(), seat, key });
        }
        items.extend(nodes);
        let by_root = self.directory().is_empty();
        if by_root {
            items.push(Item::Issuer { key: self.issuer.public_key() });
            items.push(Item::Escrow { key: self.escrow().public() });
        }
        let signer = if by_root { self.root } else { self.issuer };
        let entry = self.directory().draft(items, 0, &[&signer]).expect("the county's entries are drawn up well");
        self.learn(&entry);
        entry
    }

    /// One entry more: seats that have no node yet.
    pub fn found(&mut self, names: &[&str]) -> SignedEntry {
        let seats = names.iter().map(|name| Item::Seat(self.enter(name, self.seat(name)))).collect();
        let entry = self.directory().draft(seats, 0, &[&self.issuer]).expect("the county's entries are drawn up well");
        self.learn(&entry);
        entry
    }

    /// The directories that follow from an entry which somebody has stored. One that replaces others replaces the newest.
    pub fn learn(&mut self, entry: &SignedEntry) {
        let Some(before) = self.states.get(&entry.entry.previous) else { return };
        if self.states.contains_key(&entry.version) {
            return;
        }
        let mut directory = before.clone();
        directory.append(entry, &Cheap).expect("what was stored follows");
        let resolves = entry.entry.items.iter().any(|item| matches!(item, Item::Resolve { .. }));
        if resolves || entry.entry.previous == self.newest {
            self.newest = entry.version;
        }
        self.states.insert(entry.version, directory);
    }

    /// A machine that is not enrolled yet, for a seat that may be.
    pub fn hire(&mut self, name: &str) -> Enrolled {
        let key = CheapKey(hash("simulated key", &[&self.seed.to_le_bytes(), name.as_bytes()]));
        let enrolled = Enrolled { name: name.to_owned(), seat: self.seat(name), key };
        self.enrolled.push(enrolled.clone());
        enrolled
    }

    /// A seat that is to be entered.
    pub fn plan(&mut self, name: &str) -> Seat {
        self.enter(name, self.seat(name))
    }

    fn enter(&mut self, name: &str, seat: SeatId) -> Seat {
        let (tier, above) = match name.as_bytes() {
            [b'C', ..] => (Tier::County, None),
            [b'T', ..] => (Tier::Township, Some("C".to_owned())),
            [_, township, ..] => (Tier::Village, Some(format!("T{}", char::from(*township)))),
            _ => (Tier::Village, None),
        };
        let parent = above.map(|above| self.seat(&above));
        self.parents.insert(seat, parent);
        let plain = name.trim_end_matches('\'').to_owned();
        self.names.insert(seat, plain.clone());
        Seat { id: seat, code: code_of(name), name: plain, parent, tier }
    }

    /// The seat behind a name; a mirror's is the one that it mirrors.
    #[must_use]
    pub fn seat(&self, name: &str) -> SeatId {
        seat_id(&self.realm, &code_of(name))
    }

    /// The newest directory.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        self.directory_of(self.newest)
    }

    /// The directory as whoever holds this version has it.
    #[must_use]
    pub fn directory_of(&self, head: DirectoryVersion) -> &Directory {
        self.states.get(&head).unwrap_or_else(|| panic!("nobody has directory {}", head.short()))
    }

    /// The directory as it was after so many of its entries, or all.
    #[must_use]
    pub fn directory_after(&self, entries: usize) -> &Directory {
        let entry = self.directory().entries_from(0).iter().take(entries).next_back();
        self.directory_of(entry.map_or(DirectoryVersion::EMPTY, |entry| entry.version))
    }

    /// Place in the log of the version that a commit cites.
    #[must_use]
    pub fn place_of(&self, signed: &SignedCommit) -> u64 {
        let cited = signed.commit.versions.iter().find_map(|(_, version)| self.directory().index_of(*version));
        cited.unwrap_or(0)
    }

    /// A seat and all above it.
    pub fn upward(&self, seat: SeatId) -> impl Iterator<Item = SeatId> + '_ {
        std::iter::successors(Some(seat), |at| self.parents.get(at).copied().flatten())
    }

    #[must_use]
    pub fn name_of(&self, seat: SeatId) -> String {
        self.names.get(&seat).cloned().unwrap_or_else(|| seat.short())
    }
}

/// What the node of this name opens with what is sealed for it; a second process of it has the same. It is the same in all
/// counties, so that the curve is not walked for each node of each schedule.
#[must_use]
pub fn sealing_of(name: &str) -> SealingSecret {
    static KNOWN: Mutex<BTreeMap<String, SealingSecret>> = Mutex::new(BTreeMap::new());
    let name = name.trim_end_matches('*');
    let make = || {
        let secret = SealingSecret::from_seed(hash("simulated sealing key", &[name.as_bytes()]));
        let _known_from_now_on = secret.public();
        secret
    };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(name.to_owned()).or_insert_with(make).clone()
}

fn first_issuer(seed: u64) -> CheapKey {
    CheapKey(hash("simulated issuer", &[&seed.to_le_bytes()]))
}

fn code_of(name: &str) -> String {
    // The township's digit, then the village's number.
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    let (township, village) = digits.split_at(digits.len().min(1));
    let number = |digits: &str| digits.parse().unwrap_or(0u32);
    format!("371726{:03}{:03}", number(township), number(village))
}
