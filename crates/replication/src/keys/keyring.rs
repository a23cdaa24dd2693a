//! Keys of sealed fields: which key opens what, the grants of an open record, and what is still to be done so that whoever
//! may read a record can. Any node that can open a key hands it on to those who may read and cannot; a key that it cannot
//! open, it carries. Which records to look through when the directory lets somebody new read is in [`rewrap`](super::rewrap).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::command::Refusal;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::kind::Kind;
use heliu_record::sealed::{self, KeyId, Plaintext};
use heliu_record::value::to_json;
use heliu_record::view::{Record, SealedPlace};
use heliu_trust::audience::{AudienceKeys, KEY_WRAPS_MAX, KeyWrap, Keys, Purpose};
use heliu_trust::directory::Directory;
use heliu_trust::grant::{Keyring, Recipient, SignedGrant, Which, grant, hand_over};
use heliu_trust::id::{NodeId, RealmId};
use heliu_trust::seal::{self, AudienceKey, RecordKey, SealingSecret};
use heliu_trust::signature::{SealingKey, Signer};

use super::audiences::{Audiences, Wait};
use super::readers::{Audience, Current, Readers};
use crate::effect::Revealed;
use crate::records::Open;

/// So many keys of a record that its values give one name are handed on: an honest writer has one, and what a node hands on
/// takes its own room among the record's grants.
const KEYS_OF_A_NAME_MAX: usize = 8;

/// Who opens what is sealed.
pub(crate) struct Opener<'a> {
    pub realm: RealmId,
    pub me: Recipient,
    /// None: it opens nothing.
    pub secret: Option<&'a SealingSecret>,
    pub audiences: &'a mut Audiences,
}

/// What this node works on keys with.
pub(crate) struct Locksmith<'a> {
    pub opener: Opener<'a>,
    pub node: NodeId,
    pub seat: SeatId,
    pub signer: &'a dyn Signer,
    pub directory: &'a Directory,
}

impl Opener<'_> {
    pub fn audience_key(&mut self, audience: SeatId, key: KeyId) -> Option<AudienceKey> {
        self.audiences.open(&self.realm, (audience, key), self.me, self.secret?)
    }

    /// The keys of a record with which values are sealed that name `named`: derived, handed over to an audience, or given to
    /// this reader alone; and whether some of these values open with none of them. An honest writer seals with the one that
    /// follows from the name. Another may seal with any: so each that opens something is one, and hides no other.
    fn record_keys(
        &mut self,
        record: RecordId,
        places: &[SealedPlace],
        keyring: &Keyring,
        named: KeyId,
    ) -> (Vec<RecordKey>, bool) {
        let values = |place| naming(place, named).map(|value| (&place.path, value));
        let mut locked: Vec<(&String, &Vec<u8>)> = places.iter().flat_map(values).collect();
        let mut keys = Vec::new();
        let mut opens = |key: RecordKey| {
            let before = locked.len();
            locked.retain(|(path, value)| seal::open(&key, &record, path, value).is_none());
            if locked.len() < before {
                keys.push(key);
            }
            locked.is_empty()
        };
        let derived = self.under(named).map(|(audience, key)| key.of_record(&audience, &record));
        let mut is_done = derived.is_some_and(&mut opens);
        for key in keyring.keys(named) {
            if is_done {
                break;
            }
            is_done = self.given(record, keyring, (named, key)).is_some_and(&mut opens);
        }
        (keys, !is_done)
    }

    /// A key of a record that somebody gave to those who have an audience's, or to this reader alone.
    fn given(&mut self, record: RecordId, keyring: &Keyring, which: Which) -> Option<RecordKey> {
        let realm = self.realm;
        for under in keyring.wrapped_for(which).filter_map(audience_of) {
            let opened = self.under(under);
            let handed = opened.and_then(|(_, key)| keyring.handed_over((&realm, &record), which, (under, &key)));
            if handed.is_some() {
                return handed;
            }
        }
        keyring.open((&realm, &record), which, self.me, self.secret?)
    }

    /// A key of any audience, and of which.
    fn under(&mut self, key: KeyId) -> Option<(SeatId, AudienceKey)> {
        let audiences = self.audiences.audiences_of(key);
        audiences.into_iter().find_map(|audience| Some((audience, self.audience_key(audience, key)?)))
    }

    /// What is sealed in a record, as far as it can be opened.
    pub fn reveal(&mut self, record: &Record, keyring: &Keyring) -> Vec<Revealed> {
        let places = record.sealed_places();
        let opened: BTreeMap<KeyId, Vec<RecordKey>> = named_keys(&places)
            .into_iter()
            .map(|named| (named, self.record_keys(record.id, &places, keyring, named).0))
            .collect();
        let unlock = |path: &str, value: &[u8]| {
            let keys = opened.get(&sealed::key_of(value)?)?;
            let text = keys.iter().find_map(|key| seal::open(key, &record.id, path, value))?;
            Plaintext::decode(&text).ok()
        };
        let one = |place: &SealedPlace| {
            // What was sealed alike apart is one value; the last is the one that the view shows.
            let is_last = |(at, value): &(usize, &Vec<u8>)| !place.values[at + 1..].contains(value);
            let values = place.values.iter().enumerate().filter(is_last).map(|(_, value)| value);
            let opened: Vec<_> = values.map(|value| unlock(&place.path, value)).collect();
            let locked = opened.iter().filter(|value| value.is_none()).count();
            let values = opened.into_iter().flatten().map(|value| in_words(&value)).collect();
            Revealed { field: place.path.clone(), values, locked: u32::try_from(locked).unwrap_or(u32::MAX) }
        };
        places.iter().map(one).collect()
    }
}

/// What is to be done so that whoever may read a record can.
#[derive(Default)]
pub(crate) struct Todo {
    /// What this node can give, made.
    pub grants: Vec<SignedGrant>,
    /// Audiences that are to have a key, made by this node.
    pub to_begin: BTreeSet<SeatId>,
    /// What others have to give.
    pub waits: BTreeSet<Wait>,
}

impl Todo {
    /// Whether there is something for this node to do.
    pub fn is_something(&self) -> bool {
        !self.grants.is_empty() || !self.to_begin.is_empty()
    }
}

impl Locksmith<'_> {
    /// Who reads what this owner seals.
    pub fn audience(&mut self, owner: SeatId) -> Arc<Audience> {
        self.opener.audiences.known.audience(owner, self.seat, self.directory)
    }

    /// What is sealed in a record, as far as this node can open it.
    pub fn reveal(&mut self, open: &Open) -> Vec<Revealed> {
        let reveal = |record| self.opener.reveal(record, open.grants.keyring());
        open.record.as_ref().map(reveal).unwrap_or_default()
    }

    /// Whether this node reads what this owner seals, and can.
    pub fn reads(&mut self, owner: SeatId) -> bool {
        self.opener.secret.is_some() && self.audience(owner).may_read
    }

    /// The key with which this node seals for an audience that it is of. Of several that were begun apart all choose the
    /// same.
    pub fn current(&mut self, audience: SeatId) -> Current {
        if let Some(current) = self.opener.audiences.known.current(audience) {
            return current;
        }
        let of = self.audience(audience);
        let said = self.opener.audiences.keys().to_seal_with(audience, &|node| of.is_read_by(node));
        let current = said.into_iter().find_map(|id| {
            let key = self.opener.audience_key(audience, id)?;
            (self.purpose(audience, &key) == Some(Purpose::Sealing)).then_some((id, key))
        });
        self.opener.audiences.known.note_current(audience, current.clone());
        current
    }

    /// What an audience's key is for now. Nothing is sealed with one that was begun by a directory since which a reader was
    /// taken away: that is so whatever this node has heard of the key, and from whom. None: it was begun by a directory
    /// that is not here yet.
    fn purpose(&mut self, audience: SeatId, key: &AudienceKey) -> Option<Purpose> {
        let of = self.audience(audience);
        let begun_at = self.directory.index_of(key.begun())?;
        let keys = self.opener.audiences.keys();
        let is_good = begun_at >= of.left_at && keys.is_meant_for_sealing(audience, key, &|node| of.is_read_by(node));
        Some(if is_good { Purpose::Sealing } else { Purpose::Reading })
    }

    /// Whether this node begins an audience's first key before anybody seals anything. So those who are of it have
    /// one key when they part, and what they seal apart is alike if it is the same.
    pub fn begins(&mut self, audience: SeatId) -> bool {
        self.reads(audience) && self.audience(audience).begins == Some(self.node) && self.may_grant()
    }

    /// What is to be done for a record. `drawn` is a key of its own that was drawn in this batch; `proves` also finds
    /// wraps that open nothing.
    pub fn todo(&mut self, open: &Open, drawn: Option<&(KeyId, RecordKey)>, proves: bool) -> Todo {
        let mut todo = Todo::default();
        let Some(record) = open.record.as_ref().filter(|record| has_sealed_fields(record)) else { return todo };
        let places = record.sealed_places();
        for key in named_keys(&places) {
            let mut known: Option<(Vec<RecordKey>, bool)> = None;
            for owner in record.view.owners.iter().copied() {
                let (reads, may_read) = (self.reads(owner), self.audience(owner).may_read);
                let is_of = self.opener.audiences.has(owner, key);
                let opens = is_of && reads && self.opener.audience_key(owner, key).is_some();
                if opens {
                    self.opener.audiences.note_worth(key);
                }
                // What there is no room to hand on as the audience's, is handed on record by record.
                if is_of && (!reads || opens) && !self.opener.audiences.is_kept_back(owner, key) {
                    continue;
                }
                let (keys, is_locked) = known.get_or_insert_with(|| {
                    let of_drawn = drawn.filter(|(named, _)| *named == key).map(|(_, key)| key.clone());
                    match of_drawn {
                        Some(drawn) => (vec![drawn], false),
                        None => self.opener.record_keys(open.id(), &places, open.grants.keyring(), key),
                    }
                });
                if self.may_grant() {
                    for known in keys.iter().take(KEYS_OF_A_NAME_MAX) {
                        self.give(open, (key, known), owner, reads, proves, &mut todo);
                    }
                }
                if *is_locked && (may_read || self.had(record)) {
                    todo.waits.insert(Wait { key, owner, is_reader: may_read });
                }
            }
        }
        for owner in record.view.owners.iter().copied() {
            let waits = todo.waits.iter().any(|wait| wait.owner == owner);
            if !waits && self.begins(owner) && self.current(owner).is_none() {
                todo.to_begin.insert(owner);
            }
        }
        todo
    }

    /// What an owner's readers lack of a record's key that was sealed for others.
    fn give(
        &mut self,
        open: &Open,
        (named, key): (KeyId, &RecordKey),
        owner: SeatId,
        reads: bool,
        proves: bool,
        todo: &mut Todo,
    ) {
        let (realm, record, keyring) = (self.opener.realm, open.id(), open.grants.keyring());
        let which = (named, key.id(&record));
        let current = self.current(owner).filter(|(id, _)| !self.opener.audiences.is_kept_back(owner, *id));
        if reads && let Some((audience, under)) = current {
            let mut keys: Vec<KeyId> = keyring.wrapped_for(which).filter_map(audience_of).collect();
            keys.retain(|under| self.opener.audiences.has(owner, *under));
            let is_handed = keys.into_iter().any(|under| {
                let opened = self.opener.audience_key(owner, under);
                opened.is_some_and(|opened| keyring.handed_over((&realm, &record), which, (under, &opened)).is_some())
            });
            if !is_handed {
                todo.grants.push(hand_over(realm, record, (named, key), (audience, &under), self.signer));
            }
            return;
        }
        if reads {
            todo.to_begin.insert(owner);
        }
        let audience = self.audience(owner);
        let wrapped: BTreeSet<Recipient> = keyring.wrapped_for(which).collect();
        let lacks = |to: Recipient, sealing: &SealingKey| {
            let is_shut = || proves && keyring.opens_for((&realm, &record), (named, key), to, sealing) == Some(false);
            to != self.opener.me && (!wrapped.contains(&to) || is_shut())
        };
        let lacking = audience.readers.iter().filter(|(to, sealing)| lacks(**to, sealing));
        let to: Readers = lacking.map(|(to, sealing)| (*to, *sealing)).collect();
        todo.grants.extend(grant(realm, record, (named, key), &to, self.signer));
    }

    /// Keys of audiences that this node has and some reader lacks, or has in vain, wrapped: as many as there is room for, and
    /// as `turn` allows. What only those say who were fenced, or nobody any more, is said to all readers again: whoever said
    /// it may push it out. What is sealed with, or is known to be named by a value, comes first; for the rest there is half
    /// of the room, since any node of the line can say any number of keys.
    pub fn lacking(&mut self, audience: SeatId, room: usize, turn: &mut usize) -> Vec<Keys> {
        if !self.may_grant() || !self.reads(audience) {
            return Vec::new();
        }
        let (realm, of) = (self.opener.realm, self.audience(audience));
        let (mut sealing, mut reading): (Vec<KeyWrap>, Vec<KeyWrap>) = (Vec::new(), Vec::new());
        for id in self.opener.audiences.worthy_first(audience) {
            if *turn == 0 {
                self.opener.audiences.look_at(audience);
                break;
            }
            if !self.opener.audiences.was_tried(audience, id) {
                *turn -= 1;
            }
            let Some(key) = self.opener.audience_key(audience, id) else { continue };
            let Some(purpose) = self.purpose(audience, &key) else { continue };
            let keys = self.opener.audiences.keys();
            let mut lacks = keys.lacking(audience, id, &of.readers);
            let is_in_doubt = !self.opener.audiences.proven.contains(&(audience, id));
            if keys.holders(audience, &key).all(|(by, _)| self.directory.is_fenced(by)) {
                lacks.extend(of.readers.keys());
            } else if is_in_doubt {
                *turn = turn.saturating_sub(1);
                lacks.extend(keys.shut_out(&realm, audience, &key, &of.readers));
            }
            let is_meant = |(by, reads_only): (NodeId, bool)| !reads_only && of.is_read_by(by);
            let is_worthy = purpose == Purpose::Sealing || keys.holders(audience, &key).any(is_meant);
            if is_worthy {
                self.opener.audiences.note_worth(id);
            }
            if lacks.is_empty() {
                self.opener.audiences.handed_on(audience, id);
                continue;
            }
            let to = of.readers.iter().filter(|(to, _)| lacks.contains(to));
            let (mut sealing_more, mut reading_more) = (sealing.len(), reading.len());
            *if purpose == Purpose::Sealing { &mut sealing_more } else { &mut reading_more } += lacks.len();
            let takes = sealing_more.div_ceil(KEY_WRAPS_MAX) + reading_more.div_ceil(KEY_WRAPS_MAX);
            if takes > self.opener.audiences.room_for(id, room) {
                self.opener.audiences.keep_back(audience, id);
                continue;
            }
            *turn = turn.saturating_sub(1);
            let given = Keys::give((&realm, audience), &self.node, &key, to);
            if purpose == Purpose::Sealing { &mut sealing } else { &mut reading }.extend(given);
            self.opener.audiences.handed_on(audience, id);
        }
        let mut said = Keys::cut(audience, Purpose::Sealing, sealing);
        said.extend(Keys::cut(audience, Purpose::Reading, reading));
        said
    }

    /// The secret of all nodes, if it is here.
    pub fn id_key(&mut self) -> Option<AudienceKey> {
        let directory = self.directory;
        let height = |seat: SeatId| directory.seats().upward(seat).count();
        // Whoever is further up decides, and nobody who was fenced against somebody who was not.
        let rank = |by: NodeId| {
            let height = directory.node(by).map_or(usize::MAX, |info| height(info.seat));
            (directory.is_fenced(by), height)
        };
        let Opener { realm, me, secret, audiences } = &mut self.opener;
        audiences.id_key(realm, *me, (*secret)?, &rank)
    }

    /// Whether this node may begin the secret of all nodes: one of the county's.
    pub fn may_begin_ids(&self) -> bool {
        self.directory.county() == Some(self.seat) && self.may_grant() && self.opener.secret.is_some()
    }

    /// The secret of all nodes for those below who lack it, as far as nobody between has to give it to them. Whoever gives it
    /// is among those who get it, so that a node that loses its disk hears it from those below.
    pub fn lacking_ids(&mut self) -> Vec<Keys> {
        let Some(key) = self.id_key().filter(|_| self.may_grant()) else { return Vec::new() };
        let (realm, seats) = (self.opener.realm, self.directory.seats());
        let has_nodes = |seat: &SeatId| self.directory.live_nodes_of(*seat).next().is_some();
        let nodes_of =
            |seat: SeatId| self.directory.live_nodes_of(seat).map(|info| (Recipient::Node(info.node), info.sealing));
        let of_others: BTreeSet<SeatId> = self.directory.nodes().map(|info| info.seat).collect();
        let gives =
            |seat: &SeatId| *seat == self.seat || seats.upward(*seat).skip(1).find(has_nodes) == Some(self.seat);
        let counts = |by: NodeId| !self.directory.is_fenced(by);
        let mut said = Vec::new();
        for seat in of_others.into_iter().filter(gives) {
            let nodes: BTreeMap<Recipient, SealingKey> = nodes_of(seat).chain(nodes_of(self.seat)).collect();
            let lacks = self.opener.audiences.lacking_ids(&realm, seat, &key, &nodes, &counts);
            let to = nodes.iter().filter(|(to, _)| lacks.contains(to));
            said.extend(Keys::cut(seat, Purpose::Ids, Keys::give_ids((&realm, seat), &self.node, &key, to)));
        }
        said
    }

    /// Whether this seat could read the record, once.
    fn had(&self, record: &Record) -> bool {
        let named = heliu_record::scope::Scope::of(&*record.history).seats;
        self.opener.secret.is_some() && self.directory.seats().readers(&named).contains(&self.seat)
    }

    /// Whether this node's seat is at or above another.
    pub fn is_above(&self, seat: SeatId) -> bool {
        self.directory.seats().is_at_or_above(self.seat, seat)
    }

    /// What a node signs that the directory does not have, nobody takes.
    pub fn may_grant(&self) -> bool {
        self.directory.node(self.node).is_some() && !self.directory.is_fenced(self.node)
    }
}

/// What is sealed in a record, as far as whoever has this secret can open it with these grants and keys of audiences.
pub fn reveal(
    realm: &RealmId,
    record: &Record,
    keyring: &Keyring,
    keys: AudienceKeys,
    me: Recipient,
    secret: &SealingSecret,
) -> Vec<Revealed> {
    let mut audiences = Audiences::with(keys);
    let mut opener = Opener { realm: *realm, me, secret: Some(secret), audiences: &mut audiences };
    opener.reveal(record, keyring)
}

fn has_sealed_fields(record: &Record) -> bool {
    record.kind().into_iter().flat_map(Kind::fields).any(|field| field.sealed)
}

/// The values of a place that name a key.
fn naming(place: &SealedPlace, named: KeyId) -> impl Iterator<Item = &Vec<u8>> {
    place.values.iter().filter(move |value| sealed::key_of(value) == Some(named))
}

fn audience_of(to: Recipient) -> Option<KeyId> {
    if let Recipient::Audience(key) = to { Some(key) } else { None }
}

fn named_keys(places: &[SealedPlace]) -> BTreeSet<KeyId> {
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
