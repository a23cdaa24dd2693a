//! What follows for an audience from the directory and from what is said of its keys: who reads, whether this node does, and
//! with which key it seals. All records of an audience ask the same, so it is worked out once, until either is another one.

use std::collections::BTreeMap;
use std::sync::Arc;

use heliu_record::id::SeatId;
use heliu_record::sealed::KeyId;
use heliu_trust::directory::Directory;
use heliu_trust::grant::Recipient;
use heliu_trust::id::{DirectoryVersion, NodeId};
use heliu_trust::seal::AudienceKey;
use heliu_trust::signature::SealingKey;

/// Of more audiences than these nothing is remembered: each takes about a KiB.
const AUDIENCES_MAX: usize = 8_192;

/// Those who may read, with what keys are wrapped to for each.
pub(crate) type Readers = BTreeMap<Recipient, SealingKey>;

/// An audience, as a directory has it.
pub(crate) struct Audience {
    pub readers: Readers,
    /// Whether the seat that asks reads.
    pub may_read: bool,
    /// The node that begins the audience's first key.
    pub begins: Option<NodeId>,
    /// See [`Directory::readers_left_at`].
    pub left_at: u64,
}

impl Audience {
    /// Of what this owner seals, for a node of this seat.
    fn of(owner: SeatId, seat: SeatId, directory: &Directory) -> Self {
        let seats = directory.seats().readers(&[owner].into());
        let nodes = seats.iter().flat_map(|seat| directory.live_nodes_of(*seat));
        let nodes = nodes.map(|info| (Recipient::Node(info.node), info.sealing));
        let escrow = directory.escrow().map(|key| (Recipient::Escrow(key), key));
        let first = |seat: &SeatId| directory.live_nodes_of(*seat).map(|info| info.node).min();
        Audience {
            readers: nodes.chain(escrow).collect(),
            may_read: seats.contains(&seat),
            begins: first(&owner).or_else(|| seats.iter().find_map(first)),
            left_at: directory.readers_left_at(&seats),
        }
    }

    pub fn is_read_by(&self, node: NodeId) -> bool {
        self.readers.contains_key(&Recipient::Node(node))
    }
}

/// The key that an audience seals with, as far as it was looked for: none if there is none.
pub(crate) type Current = Option<(KeyId, AudienceKey)>;

/// What is known of audiences, by one version of the directory.
#[derive(Default)]
pub(crate) struct Known {
    by: DirectoryVersion,
    audiences: BTreeMap<SeatId, Arc<Audience>>,
    current: BTreeMap<SeatId, Current>,
    /// How many were worked out.
    #[cfg(test)]
    pub worked_out: usize,
}

impl Known {
    /// A directory is asked: what follows of another one is forgotten. Its head says all that is in it, fences as well.
    pub fn ask(&mut self, directory: &Directory) {
        if self.by != directory.head() || self.audiences.len() > AUDIENCES_MAX {
            self.by = directory.head();
            self.audiences.clear();
            self.current.clear();
        }
    }

    /// An audience of the directory that is asked.
    pub fn audience(&mut self, owner: SeatId, seat: SeatId, directory: &Directory) -> Arc<Audience> {
        let work_out = || {
            #[cfg(test)]
            {
                self.worked_out += 1;
            }
            Arc::new(Audience::of(owner, seat, directory))
        };
        self.audiences.entry(owner).or_insert_with(work_out).clone()
    }

    /// None: it was not looked for yet.
    pub fn current(&self, audience: SeatId) -> Option<Current> {
        self.current.get(&audience).cloned()
    }

    pub fn note_current(&mut self, audience: SeatId, current: Current) {
        self.current.insert(audience, current);
    }

    /// Something else is said of an audience's keys, or another one is open.
    pub fn keys_changed(&mut self, audience: SeatId) {
        self.current.remove(&audience);
    }
}

#[cfg(test)]
mod tests {
    use heliu_trust::audience::{Keys as Said, Purpose};
    use heliu_trust::directory::{Fence, Item};
    use heliu_trust::signature::Signer as _;
    use heliu_trust::simulated::{Cheap, CheapKey};

    use crate::keys::Keys;
    use crate::tests::world::{TOWNSHIP, VILLAGE, directory, key, own, sealing, seat};

    use super::*;

    #[test]
    fn who_reads_is_worked_out_once_until_somebody_is_fenced() {
        let mut directory = directory();
        let (own, village) = (own(TOWNSHIP, &directory), seat(VILLAGE, &directory));
        let mut keys = Keys::new(Some(Arc::new(sealing(TOWNSHIP))), &directory, []);
        let has = |keys: &mut Keys, directory: &Directory| {
            let audience = keys.locksmith(&own, directory).audience(village);
            [VILLAGE, TOWNSHIP].map(|at| audience.readers.contains_key(&Recipient::Node(key(at).node())))
        };
        for _ in 0..10 {
            assert_eq!(has(&mut keys, &directory), [true, true]);
            assert!(!keys.locksmith(&own, &directory).begins(village), "the village's own node does");
        }
        assert_eq!(keys.audiences.known.worked_out, 1, "for all of its records");
        let fence = Item::Fence(Fence::new(key(VILLAGE).node(), Vec::new(), Vec::new()));
        let entry = directory.draft(vec![fence], 0, &[&CheapKey([1; 32])]).expect("it is drawn up well");
        directory.append(&entry, &Cheap).expect("it follows");
        assert_eq!(has(&mut keys, &directory), [false, true]);
        assert!(keys.locksmith(&own, &directory).begins(village), "nobody below is left");
        assert_eq!(keys.audiences.known.worked_out, 2);
    }

    #[test]
    fn the_key_to_seal_with_is_another_one_as_soon_as_that_is_said() {
        let directory = directory();
        let (own, village) = (own(TOWNSHIP, &directory), seat(VILLAGE, &directory));
        let mut keys = Keys::new(Some(Arc::new(sealing(TOWNSHIP))), &directory, []);
        let current = |keys: &mut Keys| keys.locksmith(&own, &directory).current(village).map(|(id, _)| id);
        assert_eq!(current(&mut keys), None);
        let key_of = |byte| AudienceKey::begin(&[byte; 32], &village, directory.head());
        let say = |keys: &mut Keys, byte, purpose| {
            let readers = keys.locksmith(&own, &directory).audience(village);
            let by = key(VILLAGE).node();
            let wraps = Said::give((&own.realm, village), &by, &key_of(byte), &readers.readers);
            for said in Said::cut(village, purpose, wraps) {
                keys.audiences.hear(by, &said, false);
            }
        };
        say(&mut keys, 1, Purpose::Sealing);
        assert_eq!(current(&mut keys), Some(key_of(1).id(&village)));
        say(&mut keys, 1, Purpose::Reading);
        assert_eq!(current(&mut keys), None, "its writer takes it out of use");
        say(&mut keys, 2, Purpose::Sealing);
        assert_eq!(current(&mut keys), Some(key_of(2).id(&village)));
        keys.audiences.forget(village, []);
        assert_eq!(current(&mut keys), None, "what was said is gone");
    }
}
