//! Changes and commits made by hand.

use std::sync::Arc;

use heliu_record::change::{Change, Container, Draft, Note, OpId, Scalar};
use heliu_record::history::History;
use heliu_record::id::{Actor, ChangeHash, LeafHash, Preimage, RecordId, SeatId};
use heliu_record::scope::{OWNER, membership, seat_key};
use heliu_replication::frame::{DeliveredLeaf, Delivery};
use heliu_storage::LeafStatus;
use heliu_trust::commit::{Commit, SignedCommit, leaf_hash};
use heliu_trust::id::{CommitId, Incarnation, actor};

use super::World;
use crate::dice::Dice;
use crate::reference::{Claim, Known, in_causal_order};
use crate::world::county::TO_COME;

/// A put before it is one: container, key, value, and whether it overwrites what stands there.
pub(super) type Written = (Container, String, Scalar, bool);

/// Where the next leaf of somebody would stand in a record.
pub(super) struct Place {
    pub preimage: Preimage,
    pub history: History,
}

/// How a commit is drawn up.
pub(super) struct Manner {
    pub incarnation: Incarnation,
    pub seq: u64,
    /// How many entries before the newest the directory version lies that it cites.
    pub back: u64,
    pub time_ms: i64,
}

impl Manner {
    pub fn fresh(dice: &mut Dice) -> Self {
        Manner { incarnation: Incarnation(dice.bytes()), seq: dice.between(1, 4), back: 0, time_ms: 0 }
    }
}

/// Whether records of a kind have a name of which both show that are written apart.
pub(super) fn has_name(kind: &str) -> bool {
    let kind = heliu_catalogue::catalogue().kind(kind);
    kind.and_then(|kind| kind.field("name")).is_some_and(|field| matches!(field.merge, heliu_record::kind::Merge::Mv))
}

impl World {
    /// A record as the hostile hand finds it on its disk, or, now and then, hears of it from elsewhere.
    pub(super) fn place(&self, hostile: usize, dice: &mut Dice) -> Option<Place> {
        let own = self.hostile[hostile].machine;
        let has_nothing = self.machines[own].disk.present().is_empty();
        let source = if has_nothing || dice.chance(25) { dice.index(self.machines.len()) } else { own };
        let rows = self.machines[source].disk.present();
        let row = dice.pick(&rows)?;
        self.place_of(source, row.id)
    }

    pub(super) fn place_of(&self, machine: usize, record: RecordId) -> Option<Place> {
        let loaded = self.machines[machine].disk.load(record)?;
        let admitted = loaded.leaves.iter().filter(|leaf| leaf.status == LeafStatus::Admitted);
        let changes: Vec<Arc<Change>> =
            admitted.filter_map(|leaf| Change::parse(&leaf.change).ok().map(Arc::new)).collect();
        let history = in_causal_order(changes.iter());
        (!history.is_empty()).then(|| Place { preimage: loaded.row.preimage.clone(), history })
    }

    /// Something of the matrix of paths; half of it might be the writer's to write, if the record is.
    pub(super) fn any_write(&self, hostile: usize, preimage: &Preimage, dice: &mut Dice) -> Written {
        let text = |text: &str| Scalar::Text(text.to_owned());
        let own = self.hostile[hostile].seat;
        let other = self.any_seat(dice);
        let bytes = Scalar::Bytes(other.0.to_vec());
        let entry = heliu_record::id::to_hex(&dice.bytes::<16>());
        let mark = |present| membership(present, OpId { counter: dice_free(&entry), actor: Actor([7; 16]) });
        if dice.chance(45) {
            return match dice.below(8) {
                0 => (Container::Scope, "class".to_owned(), text("public"), true),
                1 => (Container::Scope, "class".to_owned(), text("scoped"), true),
                2 => (Container::Scope, OWNER.to_owned(), bytes, true),
                3 => (Container::Scope, OWNER.to_owned(), Scalar::Bytes(own.0.to_vec()), true),
                4 => (Container::Scope, seat_key(other), mark(true), true),
                5 => (Container::Scope, seat_key(own), mark(true), true),
                6 => (Container::Scope, seat_key(other), mark(false), true),
                _ => (Container::Log, format!("settle/{entry}{entry}"), text("1"), false),
            };
        }
        let name = || (Container::Mv, "name".to_owned(), text(&format!("敌{}", &entry[..6])), true);
        match (preimage.kind.as_str(), dice.below(4)) {
            ("org", 0) => (Container::Mv, "org_kind".to_owned(), text("temporary"), true),
            ("org", 1) => (Container::Mv, "region".to_owned(), bytes, true),
            ("org", 2) => (Container::Log, format!("lifecycle/{entry}"), text("rectifying|2026-03-01"), false),
            ("member", 0) => (Container::Mv, "member_no".to_owned(), text("0"), true),
            ("member", 1) => (Container::Log, format!("stage/{entry}"), text("suspended|2026-03-01"), false),
            ("member", 2) => (Container::Slot, format!("moves/{entry}/receipt"), text("1"), true),
            ("alliance", 0) => {
                (Container::Slot, format!("participants/{other}-{}/left_on", &entry[..8]), text("2026-03-01"), true)
            }
            ("alliance", 1) => (Container::Aws, format!("resources/{entry}{entry}"), mark(true), true),
            ("resource", 0) => (Container::Mv, "capacity".to_owned(), Scalar::Int(1), true),
            ("resource", 1) => {
                (Container::Slot, format!("bookings/{other}-{}/confirmed", &entry[..8]), text("2026-03-01"), true)
            }
            (_, 3) => (Container::Lww, "secret".to_owned(), text("1"), true),
            (kind, _) if has_name(kind) => name(),
            _ => (Container::Lww, "secret".to_owned(), text("1"), true),
        }
    }

    pub(super) fn any_seat(&self, dice: &mut Dice) -> SeatId {
        if dice.chance(10) {
            let names = TO_COME[dice.index(TO_COME.len())];
            return self.county.seat(names[0]);
        }
        let seats: Vec<SeatId> = self.county.parents.keys().copied().collect();
        seats[dice.index(seats.len())]
    }

    /// A change on top of a place.
    pub(super) fn draw_up(&self, place: &Place, actor: Actor, writes: Vec<Written>) -> Draft {
        let history = &place.history;
        let puts = writes.into_iter().map(|(container, key, value, overwrites)| {
            let replaces =
                if overwrites { history.visible(container, &key).iter().map(|v| v.id).collect() } else { Vec::new() };
            (container, key, value, replaces)
        });
        Draft {
            actor,
            seq: history.seq(actor) + 1,
            deps: history.heads(),
            start_op: history.max_op().max(heliu_record::change::GENESIS_MAX_OP) + 1,
            time_ms: 0,
            note: Note { who: "hostile".to_owned(), command: "by hand".to_owned(), ..Note::default() },
            puts: puts.collect(),
        }
    }

    /// The first change of a record that nobody has made.
    pub(super) fn made_up(&self, birth: SeatId, dice: &mut Dice) -> (Place, Vec<Written>) {
        let preimage = Preimage { kind: "org".to_owned(), birth, key: dice.bytes::<16>().to_vec() };
        let owner = (Container::Scope, OWNER.to_owned(), Scalar::Bytes(birth.0.to_vec()), false);
        let name = (Container::Mv, "name".to_owned(), Scalar::Text("伪".to_owned()), false);
        (Place { preimage, history: History::new() }, vec![owner, name])
    }

    pub(super) fn actor_of(&self, hostile: usize, manner: &Manner) -> Actor {
        actor(&self.hostile[hostile].node(), &manner.incarnation)
    }

    /// A commit of one leaf, signed with the key at hand, and told to the ledger.
    pub(super) fn commit(
        &mut self,
        hostile: usize,
        preimage: &Preimage,
        change: &Change,
        manner: &Manner,
        claim: Claim,
    ) -> Delivery {
        let record = preimage.id();
        let (signed, leaf) = self.sign(hostile, record, change.hash, manner);
        let at = &self.hostile[hostile];
        let known = Known {
            record,
            preimage: preimage.clone(),
            machine: at.machine,
            author: at.node(),
            seat: at.seat,
            cited: self.county.place_of(&signed),
            incarnation: manner.incarnation,
            commit_seq: manner.seq,
            raw: Arc::clone(&change.raw),
            claim,
            is_acknowledged: false,
            lost_at: None,
        };
        self.ledger.note(leaf, known);
        self.hostile[hostile].incarnations.insert(manner.incarnation);
        delivery(signed, preimage, &change.raw)
    }

    pub(super) fn sign(
        &self,
        hostile: usize,
        record: RecordId,
        change: ChangeHash,
        manner: &Manner,
    ) -> (SignedCommit, LeafHash) {
        let at = &self.hostile[hostile];
        let entries = self.directory_at(at.machine).len().max(at.since);
        let index = entries.saturating_sub(manner.back).max(1);
        let directory = self.county.directory_after(usize::try_from(index).unwrap_or(1));
        let versions = directory.versions();
        let leaf = leaf_hash(&record, &change, 1, manner.seq, &versions);
        let commit = Commit {
            realm: self.county.realm,
            author: at.node(),
            incarnation: manner.incarnation,
            seq: manner.seq,
            previous: (manner.seq > 1).then_some(CommitId([9; 32])),
            versions,
            time_ms: manner.time_ms,
            leaves: vec![leaf],
        };
        (SignedCommit::sign(commit, &at.key), leaf)
    }
}

/// A counter that no put has: the nonce of a mark only has to differ from others.
fn dice_free(entry: &str) -> u64 {
    u64::from_str_radix(&entry[..8], 16).unwrap_or(0)
}

pub(super) fn delivery(signed: SignedCommit, preimage: &Preimage, raw: &Arc<[u8]>) -> Delivery {
    let (preimage, change) = (Arc::new(preimage.clone()), Arc::clone(raw));
    let leaves = vec![DeliveredLeaf { preimage, commit: 0, kind_version: 1, declared: None, change }];
    Delivery { commits: vec![Arc::new(signed)], leaves, ..Delivery::default() }
}
