//! Keys of sealed fields: the grants of an open record, who is to be able to read it, and the wraps that are still to be
//! made. Any node that can open a data key wraps it for those who may read and cannot; a key that it cannot open, it
//! carries. Which records to look through when the directory lets somebody new read is in [`sweep`](super::sweep).
//!
//! Data keys live no longer than the batch that uses them; what is kept is what is wrapped.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::command::Refusal;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::sealed::{self, KeyId, Plaintext};
use heliu_record::value::to_json;
use heliu_record::view::{Record, SealedPlace};
use heliu_trust::directory::Directory;
use heliu_trust::grant::{Keyring, Recipient, SignedGrant, grant};
use heliu_trust::id::{NodeId, RealmId};
use heliu_trust::seal::{self, DataKey, SealingSecret};
use heliu_trust::signature::{SealingKey, Signer};

use crate::effect::Revealed;
use crate::records::Open;

/// What this node works on keys with.
pub(crate) struct Locksmith<'a> {
    pub realm: RealmId,
    pub node: NodeId,
    /// None: it opens nothing.
    pub secret: Option<&'a SealingSecret>,
    pub signer: &'a dyn Signer,
    pub directory: &'a Directory,
}

/// Wraps that are to be made and are not.
pub(crate) type Pending = BTreeSet<(Recipient, KeyId)>;

impl Locksmith<'_> {
    /// A key of the record that this node can open. One that a fenced node was given seals nothing new.
    pub fn known_key(&self, open: &Open) -> Option<DataKey> {
        let (keyring, me, secret) = (open.grants.keyring(), Recipient::Node(self.node), self.secret?);
        let fenced: BTreeSet<KeyId> =
            self.directory.fences().flat_map(|fence| keyring.keys_for(Recipient::Node(fence.node))).collect();
        let keys = keyring.keys_for(me).filter(|key| !fenced.contains(key));
        keys.into_iter().find_map(|key| keyring.open(&self.realm, &open.id(), key, me, secret))
    }

    /// Who may read what is sealed in a record of these owners, with what a key is wrapped to for each.
    pub fn readers(&self, owners: &BTreeSet<SeatId>) -> BTreeMap<Recipient, SealingKey> {
        let seats = self.directory.seats().readers(owners);
        let nodes = seats.iter().flat_map(|seat| self.directory.live_nodes_of(*seat));
        let nodes = nodes.map(|info| (Recipient::Node(info.node), info.sealing));
        let escrow = self.directory.escrow().map(|key| (Recipient::Escrow(key), key));
        nodes.chain(escrow).collect()
    }

    /// Whether there is anybody who may read, and whose key somebody can hold.
    pub fn can_be_read(&self, key: &DataKey, owners: &BTreeSet<SeatId>) -> bool {
        let can_hold = |sealing: &SealingKey| seal::wrap(key, sealing, &[]).is_some();
        self.readers(owners).values().any(can_hold)
    }

    /// The wraps that nobody has made yet of the keys that the record's values name.
    pub fn missing(&self, open: &Open) -> Pending {
        let Some(record) = &open.record else { return Pending::new() };
        let named = named_keys(record);
        if named.is_empty() {
            return Pending::new();
        }
        let entitled = self.readers(&record.view.owners).into_keys().collect();
        open.grants.keyring().missing(&named, &entitled)
    }

    /// The wraps that are held and open nothing: of keys that this node has, for whomever; of others, its own.
    pub fn shut(&self, open: &Open) -> Pending {
        let (Some(record), Some(secret)) = (&open.record, self.secret) else { return Pending::new() };
        let (id, keyring, me) = (open.id(), open.grants.keyring(), self.me());
        let readers = self.readers(&record.view.owners);
        let mut shut = Pending::new();
        for key in named_keys(record) {
            if let Some(data_key) = keyring.open(&self.realm, &id, key, me, secret) {
                let is_shut = |(to, sealing): &(&Recipient, &SealingKey)| {
                    **to != me && keyring.opens_for(&self.realm, &id, &data_key, **to, sealing) == Some(false)
                };
                shut.extend(readers.iter().filter(is_shut).map(|(to, _)| (*to, key)));
            } else if readers.contains_key(&me) && keyring.keys_for(me).any(|own| own == key) {
                shut.insert((me, key));
            }
        }
        shut
    }

    /// Whether this node is to make some of these.
    pub fn can_make(&self, open: &Open, missing: &Pending) -> bool {
        self.may_grant()
            && missing.iter().any(|(_, key)| open.grants.keyring().keys_for(self.me()).any(|own| own == *key))
    }

    /// Makes those of the missing wraps that it can, of keys that it holds or that were drawn in this batch. The grants are
    /// not filed yet; what still nobody has is left in `missing`.
    pub fn wrap(&self, open: &Open, drawn: Option<&DataKey>, missing: &mut Pending) -> Vec<SignedGrant> {
        let (Some(record), true) = (&open.record, self.may_grant()) else { return Vec::new() };
        let id = open.id();
        let readers = self.readers(&record.view.owners);
        let keys: BTreeSet<KeyId> = missing.iter().map(|(_, key)| *key).collect();
        let mut grants = Vec::new();
        for key in keys {
            let drawn = drawn.filter(|drawn| drawn.id(&id) == key).cloned();
            let held = || open.grants.keyring().open(&self.realm, &id, key, self.me(), self.secret?);
            let Some(data_key) = drawn.or_else(held) else { continue };
            let lack = missing.iter().filter(|(_, of)| *of == key).map(|(to, _)| *to);
            let to = lack.filter_map(|to| Some((to, *readers.get(&to)?))).collect();
            grants.extend(grant(self.realm, id, &data_key, &to, self.signer));
        }
        for SignedGrant { grant, .. } in &grants {
            for (to, _) in &grant.wraps {
                missing.remove(&(*to, grant.key));
            }
        }
        grants
    }

    /// Whether this node has the key of any of these, and so is to wrap it.
    pub fn can_open_again(&self, shut: &Pending) -> bool {
        self.may_grant() && shut.iter().any(|(to, _)| *to != self.me())
    }

    /// What is sealed in a record, as far as this node can open it.
    pub fn reveal(&self, open: &Open) -> Vec<Revealed> {
        let Some(record) = &open.record else { return Vec::new() };
        reveal(&self.realm, record, open.grants.keyring(), self.me(), self.secret)
    }

    fn me(&self) -> Recipient {
        Recipient::Node(self.node)
    }

    /// What a node signs that the directory does not have, nobody takes.
    fn may_grant(&self) -> bool {
        self.directory.node(self.node).is_some() && !self.directory.is_fenced(self.node)
    }
}

/// What is sealed in a record, as far as whoever has this secret can open it with these grants.
pub fn reveal(
    realm: &RealmId,
    record: &Record,
    keyring: &Keyring,
    me: Recipient,
    secret: Option<&SealingSecret>,
) -> Vec<Revealed> {
    let id = record.id;
    let mut keys: BTreeMap<KeyId, Option<DataKey>> = BTreeMap::new();
    let mut unlock = |path: &str, value: &[u8]| {
        let key = sealed::key_of(value)?;
        let open = || keyring.open(realm, &id, key, me, secret?);
        let key = keys.entry(key).or_insert_with(open).as_ref()?;
        Plaintext::decode(&seal::open(key, &id, path, value)?).ok()
    };
    let one = |place: SealedPlace| {
        let opened: Vec<_> = place.values.iter().map(|value| unlock(&place.path, value)).collect();
        let locked = opened.iter().filter(|value| value.is_none()).count();
        let values = opened.into_iter().flatten().map(|value| in_words(&value)).collect();
        Revealed { field: place.path, values, locked: u32::try_from(locked).unwrap_or(u32::MAX) }
    };
    record.sealed_places().into_iter().map(one).collect()
}

fn named_keys(record: &Record) -> BTreeSet<KeyId> {
    let places = record.sealed_places();
    places.iter().flat_map(|place| &place.values).filter_map(|value| sealed::key_of(value)).collect()
}

fn in_words(plaintext: &Plaintext) -> String {
    let json = to_json(&plaintext.0);
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

/// What would be sealed now, nobody could ever open.
pub(crate) fn nobody_to_read(record: RecordId) -> Refusal {
    Refusal::new(
        "cannot_seal",
        (
            format!("记录 {} 没有任何可阅读密封内容的节点。", record.short()),
            format!("No node can read what is sealed in record {}.", record.short()),
        ),
        (
            "其归属席位及其基层党委均无在册节点,也没有托管密钥。",
            "Neither its owners nor their committees have a node, and the realm has no escrow key.",
        ),
        ("请先登记一个节点,或由根密钥设立托管密钥。", "Enrol a node there first, or have the root name an escrow key."),
    )
}
