//! Audiences: who may read what an owner seals. An audience has a key, given to each of its nodes and to the escrow, from
//! which the keys of all its records follow; and another one since somebody was to read no more. How what is said here
//! travels is [`statement`](crate::statement): a few for a seat, however many records it has.
//!
//! That somebody says that a key is an audience's gives nobody a right: who may read follows from the tree and the directory.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::codec::{DecodeError, Encoder, Reader};
use heliu_record::id::SeatId;

use crate::grant::{Recipient, WRAP_BYTES_MAX};
use crate::id::{NodeId, RealmId};
use crate::seal::{self, AudienceKey, KeyId, Proof, SealingSecret};
use crate::signature::SealingKey;

/// Wraps in one statement; more take more statements.
pub const KEY_WRAPS_MAX: usize = 40;
const PROOF_BYTES: usize = size_of::<Proof>();
/// Statements of one author about the keys of one audience that are kept. Of more, those with the lowest hashes count: then
/// all nodes keep the same ones, and who floods an audience pushes out nobody else's.
pub const KEYS_PER_AUTHOR_MAX: usize = 64;

/// What is said of the keys of one audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The owner seat.
    pub audience: SeatId,
    pub purpose: Purpose,
    /// 1 to [`KEY_WRAPS_MAX`], in order, each once.
    pub wraps: Vec<KeyWrap>,
}

/// What keys are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Records' keys follow, also of what is yet to be sealed.
    Sealing,
    /// Records' keys follow, of what is sealed already: somebody else lent them, or has had them and may read no more.
    Reading,
    /// A secret of all the county's nodes, by which nobody else can reckon ids that follow from what rows say. It is given
    /// from seat to seat, downward; the audience is the one that gets it.
    Ids,
}

/// An audience's key, wrapped to one of those who may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyWrap {
    pub key: KeyId,
    /// A node or the escrow.
    pub to: Recipient,
    /// That the author of the statement has the key; see [`AudienceKey::proof`].
    pub proof: Proof,
    pub wrapped: Vec<u8>,
}

impl Keys {
    pub(crate) fn write(&self, out: &mut Encoder) {
        let purpose = match self.purpose {
            Purpose::Sealing => 0,
            Purpose::Reading => 1,
            Purpose::Ids => 2,
        };
        out.fixed(&self.audience.0).u8(purpose).varint(self.wraps.len() as u64);
        for KeyWrap { key, to, proof, wrapped } in &self.wraps {
            out.fixed(&key.0);
            to.write(out);
            out.fixed(proof).bytes(wrapped);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let audience = SeatId(reader.fixed()?);
        let purpose = match reader.u8()? {
            0 => Purpose::Sealing,
            1 => Purpose::Reading,
            2 => Purpose::Ids,
            _ => return Err(DecodeError::Invalid { what: "what keys are for" }),
        };
        let count = reader.count("wrapped keys", KEY_WRAPS_MAX, KeyId::LEN + 2 + NodeId::LEN + PROOF_BYTES)?;
        let wrap = |reader: &mut Reader<'_>| {
            let (key, to, proof) = (KeyId(reader.fixed()?), Recipient::read(reader)?, reader.fixed()?);
            Ok(KeyWrap { key, to, proof, wrapped: reader.bytes("a wrapped key", WRAP_BYTES_MAX)?.to_vec() })
        };
        let wraps = (0..count).map(|_| wrap(reader)).collect::<Result<Vec<_>, DecodeError>>()?;
        let is_ordered = wraps.is_sorted_by(|a, b| (a.key, a.to) < (b.key, b.to));
        let is_single = wraps.iter().all(|wrap| !matches!(wrap.to, Recipient::Audience(_)));
        if wraps.is_empty() || !is_ordered || !is_single {
            return Err(DecodeError::Invalid { what: "the list of wrapped keys" });
        }
        Ok(Keys { audience, purpose, wraps })
    }

    /// A node gives a key of an audience to some. A recipient whose key nobody can hold is left out.
    pub fn give<'r>(
        place: (&RealmId, SeatId),
        by: &NodeId,
        key: &AudienceKey,
        to: impl IntoIterator<Item = (&'r Recipient, &'r SealingKey)>,
    ) -> Vec<KeyWrap> {
        Keys::wrap(place, by, (READING, key.id(&place.1)), key, to)
    }

    /// As [`Keys::give`], the secret of all nodes.
    pub fn give_ids<'r>(
        place: (&RealmId, SeatId),
        by: &NodeId,
        key: &AudienceKey,
        to: impl IntoIterator<Item = (&'r Recipient, &'r SealingKey)>,
    ) -> Vec<KeyWrap> {
        Keys::wrap(place, by, (NAMING, key.id(&EVERYBODY)), key, to)
    }

    fn wrap<'r>(
        (realm, audience): (&RealmId, SeatId),
        by: &NodeId,
        (what, id): (&str, KeyId),
        key: &AudienceKey,
        to: impl IntoIterator<Item = (&'r Recipient, &'r SealingKey)>,
    ) -> Vec<KeyWrap> {
        let proof = key.proof(&id, by);
        let wrap = |(to, sealing): (&Recipient, &SealingKey)| {
            let wrapped = seal::wrap(key, sealing, &context(what, realm, &audience, &id, *to))?;
            Some(KeyWrap { key: id, to: *to, proof, wrapped })
        };
        to.into_iter().filter_map(wrap).collect()
    }

    /// As many as it takes to say all that.
    #[must_use]
    pub fn cut(audience: SeatId, purpose: Purpose, mut wraps: Vec<KeyWrap>) -> Vec<Keys> {
        wraps.sort_by_key(|wrap| (wrap.key, wrap.to));
        wraps.dedup_by_key(|wrap| (wrap.key, wrap.to));
        wraps.chunks(KEY_WRAPS_MAX).map(|wraps| Keys { audience, purpose, wraps: wraps.to_vec() }).collect()
    }
}

/// Whose the secret of all nodes is: no seat's.
const EVERYBODY: SeatId = SeatId([0; SeatId::LEN]);

/// What is wrapped: what is read with, and what ids are made of.
const READING: &str = "audience";
const NAMING: &str = "ids";

/// What a wrap belongs to: it unwraps for nothing else.
fn context(what: &str, realm: &RealmId, audience: &SeatId, key: &KeyId, to: Recipient) -> Vec<u8> {
    let mut out = Encoder::default();
    out.text(what).fixed(&realm.0).fixed(&audience.0).fixed(&key.0);
    to.write(&mut out);
    out.0
}

/// What is known of one key of an audience.
#[derive(Clone, Debug, Default)]
struct Held {
    /// Who says to have it, whether only to read with, and what is to prove that.
    said: BTreeSet<(NodeId, bool, Proof)>,
    wraps: BTreeMap<Recipient, BTreeSet<Vec<u8>>>,
}

/// The secret of all nodes, wrapped, by whom.
type IdWraps = BTreeMap<Recipient, BTreeSet<(NodeId, Vec<u8>)>>;

/// The keys of audiences, as they are wrapped.
#[derive(Clone, Debug, Default)]
pub struct AudienceKeys {
    audiences: BTreeMap<SeatId, BTreeMap<KeyId, Held>>,
    /// A hostile node can say that another's key is its audience's as well.
    of: BTreeMap<KeyId, BTreeSet<SeatId>>,
    /// The secret of all nodes, or several that were begun apart, as seats got them.
    ids: BTreeMap<SeatId, BTreeMap<KeyId, IdWraps>>,
}

impl AudienceKeys {
    /// Takes what somebody said, checked.
    pub fn add(&mut self, by: NodeId, keys: &Keys) {
        if keys.purpose == Purpose::Ids {
            let ids = self.ids.entry(keys.audience).or_default();
            for KeyWrap { key, to, wrapped, .. } in &keys.wraps {
                ids.entry(*key).or_default().entry(*to).or_default().insert((by, wrapped.clone()));
            }
            return;
        }
        let audience = self.audiences.entry(keys.audience).or_default();
        for KeyWrap { key, to, proof, wrapped } in &keys.wraps {
            let held = audience.entry(*key).or_default();
            held.said.insert((by, keys.purpose == Purpose::Reading, *proof));
            held.wraps.entry(*to).or_default().insert(wrapped.clone());
            self.of.entry(*key).or_default().insert(keys.audience);
        }
    }

    /// Forgets all that was said of an audience.
    pub fn forget(&mut self, audience: SeatId) {
        self.ids.remove(&audience);
        for key in self.audiences.remove(&audience).into_iter().flat_map(BTreeMap::into_keys) {
            if let Some(of) = self.of.get_mut(&key) {
                of.remove(&audience);
                if of.is_empty() {
                    self.of.remove(&key);
                }
            }
        }
    }

    /// Whether a key is said to be of an audience.
    #[must_use]
    pub fn has(&self, audience: SeatId, key: KeyId) -> bool {
        self.audiences.get(&audience).is_some_and(|keys| keys.contains_key(&key))
    }

    /// The audiences that a key is said to be of.
    pub fn of(&self, key: KeyId) -> impl Iterator<Item = SeatId> + '_ {
        self.of.get(&key).into_iter().flatten().copied()
    }

    /// The keys of an audience, by their ids.
    pub fn keys(&self, audience: SeatId) -> impl Iterator<Item = KeyId> + '_ {
        self.audiences.get(&audience).into_iter().flat_map(BTreeMap::keys).copied()
    }

    /// The audiences of which any key is known.
    pub fn audiences(&self) -> impl Iterator<Item = SeatId> + '_ {
        self.audiences.keys().copied()
    }

    /// Those who say to have a key, and have it; and whether they say that it is only to read with. What others say of it
    /// counts for nothing: they may know no more of it than its id.
    pub fn holders(&self, audience: SeatId, key: &AudienceKey) -> impl Iterator<Item = (NodeId, bool)> + '_ {
        let (id, key) = (key.id(&audience), key.clone());
        let held = self.audiences.get(&audience).and_then(|keys| keys.get(&id));
        let said = held.into_iter().flat_map(|held| &held.said);
        said.filter(move |(by, _, proof)| key.proof(&id, by) == *proof).map(|(by, reads_only, _)| (*by, *reads_only))
    }

    /// Whether those who have a key mean something new to be sealed with it: all who say that they have it may read, as far
    /// as they have been heard, and none of them says that it is only to read with. Whether somebody may read no more since
    /// it was begun, the directory says.
    #[must_use]
    pub fn is_meant_for_sealing(&self, audience: SeatId, key: &AudienceKey, reads: &dyn Fn(NodeId) -> bool) -> bool {
        let mut holders = self.holders(audience, key).peekable();
        holders.peek().is_some() && holders.all(|(by, reads_only)| reads(by) && !reads_only)
    }

    /// The keys of an audience of which somebody who reads says, rightly or not, that they are to seal with.
    pub fn to_seal_with(&self, audience: SeatId, reads: &dyn Fn(NodeId) -> bool) -> Vec<KeyId> {
        let is_said = |held: &Held| held.said.iter().any(|(by, reads_only, _)| !reads_only && reads(*by));
        let keys = self.audiences.get(&audience).into_iter().flatten();
        keys.filter(|(_, held)| is_said(held)).map(|(key, _)| *key).collect()
    }

    /// Those readers to whom nobody has wrapped a key.
    #[must_use]
    pub fn lacking(
        &self,
        audience: SeatId,
        key: KeyId,
        readers: &BTreeMap<Recipient, SealingKey>,
    ) -> BTreeSet<Recipient> {
        let held = self.audiences.get(&audience).and_then(|keys| keys.get(&key));
        let has = |to: &&Recipient| held.is_some_and(|held| held.wraps.contains_key(*to));
        readers.keys().filter(|to| !has(to)).copied().collect()
    }

    /// The key, from whichever wrap of it opens. One that does not, or holds another key, is as if it were not there.
    #[must_use]
    pub fn open(
        &self,
        realm: &RealmId,
        audience: SeatId,
        key: KeyId,
        me: Recipient,
        secret: &SealingSecret,
    ) -> Option<AudienceKey> {
        let held = self.audiences.get(&audience)?.get(&key)?.wraps.get(&me)?;
        let context = context(READING, realm, &audience, &key, me);
        let opened = held.iter().filter_map(|wrap| seal::unwrap::<AudienceKey>(secret, &context, wrap));
        opened.into_iter().find(|opened| opened.id(&audience) == key)
    }

    /// The secret of all nodes, as this one finds it in what was given to some seat. Of several all take the same: the one
    /// whose giver ranks first, and of these that of the lowest id.
    #[must_use]
    pub fn open_ids<R: Ord>(
        &self,
        realm: &RealmId,
        me: Recipient,
        secret: &SealingSecret,
        rank: &dyn Fn(NodeId) -> R,
    ) -> Option<AudienceKey> {
        let mut wraps: Vec<(R, KeyId, SeatId, &Vec<u8>)> = Vec::new();
        for (seat, keys) in &self.ids {
            for (key, to) in keys {
                let mine = to.get(&me).into_iter().flatten();
                wraps.extend(mine.map(|(by, wrap)| (rank(*by), *key, *seat, wrap)));
            }
        }
        wraps.sort();
        let open = |(_, key, seat, wrap): (R, KeyId, SeatId, &Vec<u8>)| {
            let context = context(NAMING, realm, &seat, &key, me);
            let opened = seal::unwrap::<AudienceKey>(secret, &context, wrap)?;
            (opened.id(&EVERYBODY) == key).then_some(opened)
        };
        wraps.into_iter().find_map(open)
    }

    /// Of these nodes of a seat those that have not got the secret from anybody who `counts`.
    #[must_use]
    pub fn lacking_ids(
        &self,
        realm: &RealmId,
        seat: SeatId,
        key: &AudienceKey,
        nodes: &BTreeMap<Recipient, SealingKey>,
        counts: &dyn Fn(NodeId) -> bool,
    ) -> BTreeSet<Recipient> {
        let id = key.id(&EVERYBODY);
        let held = self.ids.get(&seat).and_then(|keys| keys.get(&id));
        let has = |(to, sealing): &(&Recipient, &SealingKey)| {
            let wraps = held.and_then(|held| held.get(*to)).into_iter().flatten();
            let mut wraps = wraps.filter(|(by, _)| counts(*by)).map(|(_, wrap)| wrap).peekable();
            wraps.peek().is_some() && {
                let right = seal::wrap(key, sealing, &context(NAMING, realm, &seat, &id, **to));
                right.is_none_or(|right| wraps.any(|wrap| *wrap == right))
            }
        };
        nodes.iter().filter(|node| !has(node)).map(|(to, _)| *to).collect()
    }

    /// Those for whom wraps are held of which none is the right one. Only who has the key can tell.
    #[must_use]
    pub fn shut_out(
        &self,
        realm: &RealmId,
        audience: SeatId,
        key: &AudienceKey,
        readers: &BTreeMap<Recipient, SealingKey>,
    ) -> BTreeSet<Recipient> {
        let id = key.id(&audience);
        let held = self.audiences.get(&audience).and_then(|keys| keys.get(&id));
        let is_shut = |(to, sealing): &(&Recipient, &SealingKey)| {
            let Some(wraps) = held.and_then(|held| held.wraps.get(*to)) else { return false };
            let right = seal::wrap(key, sealing, &context(READING, realm, &audience, &id, **to));
            right.is_some_and(|right| !wraps.contains(&right))
        };
        readers.iter().filter(is_shut).map(|(to, _)| *to).collect()
    }
}

#[cfg(test)]
mod tests;
