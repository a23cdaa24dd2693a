//! The keys of audiences as this node has them: what was said of them, which it has opened, which it has lent. What is said
//! is kept with the [`statements`](crate::statements); what follows of it is in [`readers`](super::readers) for an audience,
//! in [`keyring`](super::keyring) for records.
//!
//! Opened keys live as long as the process, beside the secret that opens them. What is kept is what is wrapped.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::id::{RecordId, SeatId};
use heliu_record::sealed::KeyId;
use heliu_trust::audience::{AudienceKeys, KEYS_PER_AUTHOR_MAX, Keys, Purpose};
use heliu_trust::grant::Recipient;
use heliu_trust::id::{NodeId, RealmId};
use heliu_trust::seal::{AudienceKey, SealingSecret};
use heliu_trust::signature::SealingKey;

use super::readers::{Known, Readers};

#[derive(Default)]
pub(crate) struct Audiences {
    /// Whoever changes these says so to `known`.
    keys: AudienceKeys,
    /// What follows of them and of the directory.
    pub known: Known,
    /// Whose each is, and the key itself. It stays when what was said of it is gone: whoever said it may have pushed that out.
    opened: BTreeMap<KeyId, (SeatId, AudienceKey)>,
    /// They do not open, by what is held.
    vain: BTreeSet<(SeatId, KeyId)>,
    /// What this process seals with for those whose keys it is not to have. With it they go.
    lent: BTreeMap<SeatId, (AudienceKey, BTreeSet<Recipient>)>,
    /// Audiences whose keys somebody may lack, or have in vain.
    due: BTreeSet<SeatId>,
    /// Keys of which all wraps were found right.
    pub proven: BTreeSet<(SeatId, KeyId)>,
    /// Keys that something was sealed with, as far as this process has seen.
    worthy: BTreeSet<KeyId>,
    /// Keys that somebody lacks, and for which there is no room.
    kept_back: BTreeSet<(SeatId, KeyId)>,
    /// Keys of which something new was said.
    news: BTreeSet<(SeatId, KeyId)>,
    ids: Ids,
}

/// The secret of all nodes.
#[derive(Default)]
struct Ids {
    /// If it was looked for and found.
    key: Option<AudienceKey>,
    /// Something else was said of it since it was looked for.
    is_stale: bool,
    /// Somebody may lack it.
    is_due: bool,
    waited: u32,
    /// To whom, as one of which seat, the right wrap of which secret is held. It is while anything is held.
    proven: BTreeSet<(KeyId, SeatId, Recipient, SealingKey)>,
}

impl Audiences {
    /// For looking at what others have stored.
    pub fn with(keys: AudienceKeys) -> Self {
        Audiences { keys, ..Audiences::default() }
    }

    pub fn of<'k>(said: impl IntoIterator<Item = (NodeId, &'k Keys)>) -> Self {
        let mut audiences = Audiences::default();
        said.into_iter().for_each(|(by, keys)| audiences.keys.add(by, keys));
        audiences.look_again();
        audiences
    }

    pub fn keys(&self) -> &AudienceKeys {
        &self.keys
    }

    /// Something new is said, by this node or by another.
    pub fn hear(&mut self, by: NodeId, keys: &Keys, is_own: bool) {
        self.keys.add(by, keys);
        self.known.keys_changed(keys.audience);
        if keys.purpose == Purpose::Ids {
            if !is_own {
                (self.ids.is_stale, self.ids.is_due) = (true, true);
            }
            return;
        }
        if !is_own {
            self.due.insert(keys.audience);
        }
        for wrap in &keys.wraps {
            let at = (keys.audience, wrap.key);
            if !is_own {
                self.proven.remove(&at);
            }
            self.news.insert(at);
            self.vain.remove(&at);
        }
    }

    /// Some of what was said of an audience is gone, and this is left. What is open here stays, and is said again.
    pub fn forget<'k>(&mut self, audience: SeatId, left: impl IntoIterator<Item = (NodeId, &'k Keys)>) {
        self.keys.forget(audience);
        self.known.keys_changed(audience);
        (self.ids.is_stale, self.ids.is_due) = (true, true);
        self.ids.proven.retain(|(_, seat, ..)| *seat != audience);
        left.into_iter().for_each(|(by, keys)| self.keys.add(by, keys));
        self.due.insert(audience);
        self.vain.retain(|(of, _)| *of != audience);
        self.proven.retain(|(of, _)| *of != audience);
        self.news.extend(self.keys.keys(audience).map(|key| (audience, key)));
    }

    /// Somebody was fenced: what he has given of the secret of all nodes, others give again.
    pub fn somebody_was_fenced(&mut self) {
        self.ids.is_stale = true;
        self.ids.proven.clear();
    }

    /// Some of what was said does not hold any more, and this is left.
    pub fn retell<'k>(&mut self, left: impl IntoIterator<Item = (NodeId, &'k Keys)>) {
        let before = std::mem::take(self);
        let (opened, lent, worthy) = (before.opened, before.lent, before.worthy);
        let ids = Ids { key: before.ids.key, is_stale: true, ..Ids::default() };
        *self = Audiences { opened, lent, ids, worthy, ..Audiences::of(left) };
        self.look_again();
        self.due.extend(self.opened.values().map(|(audience, _)| *audience));
    }

    /// The directory has others who may read.
    pub fn look_again(&mut self) {
        self.ids.is_due = true;
        self.due.extend(self.keys.audiences());
    }

    /// Somebody may lack keys of an audience, or have them in vain.
    pub fn look_at(&mut self, audience: SeatId) {
        self.due.insert(audience);
    }

    /// Something is sealed with a key, or was.
    pub fn note_worth(&mut self, key: KeyId) {
        self.worthy.insert(key);
    }

    /// Whether it is known whether a key opens here.
    pub fn was_tried(&self, audience: SeatId, key: KeyId) -> bool {
        self.opened.contains_key(&key) || self.vain.contains(&(audience, key))
    }

    /// The keys of an audience; first those that something was sealed with.
    pub fn worthy_first(&self, audience: SeatId) -> Vec<KeyId> {
        let (mut first, rest): (Vec<KeyId>, Vec<KeyId>) =
            self.keys_of(audience).into_iter().partition(|key| self.worthy.contains(key));
        first.extend(rest);
        first
    }

    /// Of the room that there is for what this node says of an audience, what a key may take.
    pub fn room_for(&self, key: KeyId, room: usize) -> usize {
        if self.worthy.contains(&key) { room } else { room.saturating_sub(KEYS_PER_AUTHOR_MAX / 2) }
    }

    /// There is no room to say it. What nobody else says either and nothing is known to be sealed with, is let go.
    pub fn keep_back(&mut self, audience: SeatId, key: KeyId) {
        // It was looked at: that is not done again with each turn.
        self.proven.insert((audience, key));
        if self.worthy.contains(&key) || self.keys.has(audience, key) {
            self.kept_back.insert((audience, key));
        } else {
            self.opened.remove(&key);
        }
    }

    /// All have it, or will.
    pub fn handed_on(&mut self, audience: SeatId, key: KeyId) {
        self.proven.insert((audience, key));
        self.kept_back.remove(&(audience, key));
    }

    pub fn is_kept_back(&self, audience: SeatId, key: KeyId) -> bool {
        self.kept_back.contains(&(audience, key))
    }

    /// Audiences of which some reader lacks a key, and this node has no room to say it.
    pub fn without_room(&self) -> BTreeSet<SeatId> {
        self.kept_back.iter().map(|(audience, _)| *audience).collect()
    }

    pub fn has_due(&self) -> bool {
        !self.due.is_empty() || self.ids.is_due
    }

    /// The secret of all nodes. One that is here stays when what was said of it is gone, and is said again.
    pub fn id_key<R: Ord>(
        &mut self,
        realm: &RealmId,
        me: Recipient,
        secret: &SealingSecret,
        rank: &dyn Fn(NodeId) -> R,
    ) -> Option<AudienceKey> {
        if self.ids.key.is_none() || std::mem::take(&mut self.ids.is_stale) {
            self.ids.key = self.keys.open_ids(realm, me, secret, rank).or(self.ids.key.take());
        }
        self.ids.key.clone()
    }

    /// For how many ticks nobody has begun it.
    pub fn wait_for_ids(&mut self) -> u32 {
        self.ids.waited = self.ids.waited.saturating_add(1);
        self.ids.waited
    }

    /// Whether none was found yet.
    pub fn has_no_ids(&self) -> bool {
        self.ids.key.is_none()
    }

    /// There was none: this node begins it. It is said at the end of the next batch.
    pub fn begin_ids(&mut self, key: AudienceKey) {
        (self.ids.key, self.ids.is_due) = (Some(key), true);
    }

    /// Of these nodes of a seat those that have not got this secret. Whether a wrap is the right one takes as long as to make
    /// it, and so is asked once.
    pub fn lacking_ids(
        &mut self,
        realm: &RealmId,
        seat: SeatId,
        key: &AudienceKey,
        nodes: &BTreeMap<Recipient, SealingKey>,
        counts: &dyn Fn(NodeId) -> bool,
    ) -> BTreeSet<Recipient> {
        let id = key.id(&seat);
        let place = |(to, sealing): (&Recipient, &SealingKey)| (id, seat, *to, *sealing);
        let mut in_doubt = nodes.clone();
        in_doubt.retain(|to, sealing| !self.ids.proven.contains(&place((to, sealing))));
        let lacking = self.keys.lacking_ids(realm, seat, key, &in_doubt, counts);
        in_doubt.retain(|to, _| !lacking.contains(to));
        self.ids.proven.extend(in_doubt.iter().map(place));
        lacking
    }

    pub fn take_ids_due(&mut self) -> bool {
        std::mem::take(&mut self.ids.is_due)
    }

    pub fn take_due(&mut self) -> BTreeSet<SeatId> {
        std::mem::take(&mut self.due)
    }

    pub fn take_news(&mut self) -> BTreeSet<(SeatId, KeyId)> {
        std::mem::take(&mut self.news)
    }

    /// A key that this node has made for an audience of its own.
    pub fn made(&mut self, audience: SeatId, key: AudienceKey) {
        self.known.keys_changed(audience);
        self.opened.insert(key.id(&audience), (audience, key));
    }

    /// Whether a key is said to be of an audience, or is known to be.
    pub fn has(&self, audience: SeatId, key: KeyId) -> bool {
        self.keys.has(audience, key) || self.opened.get(&key).is_some_and(|(of, _)| *of == audience)
    }

    /// The audiences that a key may be of: one, if it is open here.
    pub fn audiences_of(&self, key: KeyId) -> Vec<SeatId> {
        self.opened.get(&key).map_or_else(|| self.keys.of(key).collect(), |(of, _)| vec![*of])
    }

    /// The keys of an audience, by their ids: those of which anything is said, and those that are open here.
    pub fn keys_of(&self, audience: SeatId) -> BTreeSet<KeyId> {
        let opened = self.opened.iter().filter(|(_, (of, _))| *of == audience).map(|(key, _)| *key);
        self.keys.keys(audience).chain(opened).collect()
    }

    pub fn open(
        &mut self,
        realm: &RealmId,
        (audience, key): (SeatId, KeyId),
        me: Recipient,
        secret: &SealingSecret,
    ) -> Option<AudienceKey> {
        if let Some((of, opened)) = self.opened.get(&key) {
            return (*of == audience).then(|| opened.clone());
        }
        if self.vain.contains(&(audience, key)) {
            return None;
        }
        let opened = self.keys.open(realm, audience, key, me, secret);
        match &opened {
            Some(opened) => drop(self.opened.insert(key, (audience, opened.clone()))),
            None => drop(self.vain.insert((audience, key))),
        }
        opened
    }

    /// What was lent to an audience, if it still has those readers.
    pub fn lent(&self, audience: SeatId, readers: &Readers) -> Option<AudienceKey> {
        self.lent.get(&audience).filter(|(_, to)| to.iter().eq(readers.keys())).map(|(key, _)| key.clone())
    }

    pub fn lend(&mut self, audience: SeatId, key: AudienceKey, readers: &Readers) {
        self.lent.insert(audience, (key, readers.keys().copied().collect()));
    }
}

/// A value of a record that cannot be opened for want of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wait {
    pub key: KeyId,
    /// For whose readers it is wanted.
    pub owner: SeatId,
    /// Whether this node is one of them. If not, it would hand the key on to them.
    pub is_reader: bool,
}

/// What records wait for, as far as they have been looked at since this process began.
#[derive(Default)]
pub(crate) struct Waits {
    records: BTreeMap<RecordId, BTreeSet<Wait>>,
    by_key: BTreeMap<KeyId, BTreeSet<RecordId>>,
}

impl Waits {
    pub fn note(&mut self, record: RecordId, waits: BTreeSet<Wait>) {
        for wait in &waits {
            self.by_key.entry(wait.key).or_default().insert(record);
        }
        let keys: BTreeSet<KeyId> = waits.iter().map(|wait| wait.key).collect();
        let before = if waits.is_empty() { self.records.remove(&record) } else { self.records.insert(record, waits) };
        for gone in before.iter().flatten().filter(|wait| !keys.contains(&wait.key)) {
            if let Some(records) = self.by_key.get_mut(&gone.key) {
                records.remove(&record);
                if records.is_empty() {
                    self.by_key.remove(&gone.key);
                }
            }
        }
    }

    /// Whether any record waits for a key.
    pub fn are_for(&self, key: KeyId) -> bool {
        self.by_key.contains_key(&key)
    }

    /// Something new is known of a key. What waits for an audience's own is not looked at, if it opens now: nothing is to be
    /// done for it. The rest is.
    pub fn hear(&mut self, audience: SeatId, key: KeyId, opens: bool) -> Vec<RecordId> {
        let mut to_look = Vec::new();
        for record in self.by_key.get(&key).cloned().unwrap_or_default() {
            let waits = self.records.get(&record).cloned().unwrap_or_default();
            let is_answered = |wait: &Wait| opens && wait.key == key && wait.owner == audience && wait.is_reader;
            let left: BTreeSet<Wait> = waits.into_iter().filter(|wait| !is_answered(wait)).collect();
            if left.iter().any(|wait| wait.key == key) {
                to_look.push(record);
            }
            self.note(record, left);
        }
        to_look
    }

    /// Records of which this node may read something and cannot.
    pub fn unread(&self) -> usize {
        self.records.values().filter(|waits| waits.iter().any(|wait| wait.is_reader)).count()
    }
}

#[cfg(test)]
mod tests {
    use heliu_trust::audience::KeyWrap;
    use heliu_trust::id::DirectoryVersion;

    use super::*;

    const REALM: RealmId = RealmId([7; 16]);
    const VILLAGE: SeatId = SeatId([1; 16]);
    const GIVER: NodeId = NodeId([9; 16]);

    fn key_of(byte: u8) -> AudienceKey {
        AudienceKey::begin(&[byte; 32], &VILLAGE, DirectoryVersion::EMPTY)
    }

    fn said(wraps: Vec<KeyWrap>) -> Keys {
        Keys::cut(VILLAGE, Purpose::Ids, wraps).remove(0)
    }

    #[test]
    fn that_a_node_has_got_the_secret_of_ids_is_proven_once_until_something_is_taken_back() {
        let (key, to) = (key_of(5), Recipient::Node(NodeId([2; 16])));
        let nodes = BTreeMap::from([(to, SealingSecret::from_seed([3; 32]).public())]);
        let right = Keys::give_ids((&REALM, VILLAGE), &GIVER, &key, &nodes);
        let wrong = right.iter().map(|wrap| KeyWrap { wrapped: vec![1; 80], ..*wrap }).collect();
        let mut audiences = Audiences::default();
        let lacks = |audiences: &mut Audiences, key: &AudienceKey, nodes: &BTreeMap<Recipient, SealingKey>| {
            !audiences.lacking_ids(&REALM, VILLAGE, key, nodes, &|_| true).is_empty()
        };
        audiences.hear(GIVER, &said(wrong), false);
        assert!(lacks(&mut audiences, &key, &nodes), "what does not open is nothing");
        audiences.hear(GIVER, &said(right), false);
        assert!(!lacks(&mut audiences, &key, &nodes));
        // A look at what is held would find nothing.
        audiences.keys = AudienceKeys::default();
        assert!(!lacks(&mut audiences, &key, &nodes), "it is not looked at again");
        assert!(lacks(&mut audiences, &key_of(6), &nodes), "of another secret nothing is known");
        let elsewhere = BTreeMap::from([(to, SealingSecret::from_seed([4; 32]).public())]);
        assert!(lacks(&mut audiences, &key, &elsewhere), "nor for another key of the node");
        audiences.forget(VILLAGE, []);
        assert!(lacks(&mut audiences, &key, &nodes), "what was said is gone");
    }
}
