//! The part that looks after what is amiss: what the store cannot give back ([`damage`]), what is looked at in turn without
//! anybody asking ([`patrol`]), what was refused and is kept to be looked at ([`quarantine`]), who signs two things for one
//! place or writes in this node's name ([`evidence`]). It finds and remembers; what follows is written and said by others.

mod damage;
mod evidence;
mod patrol;
mod quarantine;

use heliu_record::id::RecordId;

use crate::durable::Durable;

pub(crate) use damage::{Damage, Lost, refusal as damaged};
pub(crate) use evidence::Evidence;
pub(crate) use patrol::Patrol;
pub(crate) use quarantine::{Quarantine, id_of, kept, not_in_quarantine, refused};

pub(crate) struct Health {
    pub damage: Damage,
    pub patrol: Patrol,
    pub quarantine: Quarantine,
    pub evidence: Evidence,
}

impl Health {
    pub fn new(quarantined: u64, round_ms: u64, begin_after: RecordId) -> Self {
        Health {
            damage: Damage::default(),
            patrol: Patrol::new(round_ms, begin_after),
            quarantine: Quarantine::beside(quarantined),
            evidence: Evidence::default(),
        }
    }

    pub fn seal(&mut self) {
        self.evidence.seal();
    }

    pub fn applied(&mut self, durable: &Durable) {
        self.patrol.applied(durable);
        self.quarantine.applied(durable);
    }
}
