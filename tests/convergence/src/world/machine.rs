//! A process of a node: its disk, its engine while it runs, its clock, and what its clients still wait for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_catalogue::catalogue;
use heliu_record::command::{CommandId, Request};
use heliu_record::date::Date;
use heliu_record::id::SeatId;
use heliu_replication::effect::Done;
use heliu_replication::serving::count;
use heliu_replication::{Config, Engine, LEAVES_ENOUGH, LinkId, Moment, SCOPES_MAX, Start, Ticket};
use heliu_storage::{
    ReadAudit as _, ReadCommits as _, ReadDirectory as _, ReadQuarantine as _, ReadRecords as _, ReadStatements as _,
    ReadStranded as _,
};
use heliu_trust::directory::Directory;
use heliu_trust::id::{Incarnation, NodeId};
use heliu_trust::signature::{Signer, Verifier};
use heliu_trust::simulated::{Cheap, CheapKey};
use jiff::{Timestamp, tz};

use super::county::sealing_of;
use super::disk::{Disk, ready};
use super::wire::{Side, WireId};

/// 2026-03-01, when every simulated clock that is right begins.
pub const BEGIN_MS: i64 = 1_772_323_200_000;

/// Why a machine has a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It dialled one of its upstream addresses.
    Up,
    /// It dialled a mirror.
    Peer(usize),
    /// It was dialled.
    Down,
}

pub struct Held {
    pub wire: WireId,
    pub side: Side,
    pub role: Role,
}

/// A whole machine as it was at a moment, memory included as far as it matters: the incarnation and the random state.
pub struct Backup {
    pub disk: Disk,
    pub seed: [u8; 32],
}

pub struct Machine {
    pub name: String,
    pub seat: SeatId,
    pub key: CheapKey,
    /// The issuer's, where that is kept.
    pub issuer: Option<CheapKey>,
    pub disk: Disk,
    pub engine: Option<Engine>,
    /// Of the engine that runs, or ran last.
    pub seed: [u8; 32],
    /// Rises whenever a process begins or ends; what belongs to another life comes to nothing.
    pub life: u64,
    /// When something durable last changed here, or the engine last heard of such a change.
    pub moved_at: u64,
    /// The engine has not heard yet of what was made durable last.
    pub has_moved: bool,
    /// A transaction is in flight: the engine has not heard yet what became of it.
    pub is_applying: bool,
    /// How wrong the wall clock is.
    pub skew_ms: i64,
    /// How wrong the day is that it shows to people. It is what commands say, so it stays as it is where clocks are put right to see
    /// that nothing goes by them.
    pub calendar_ms: i64,
    /// People at it go by that day, whatever it is.
    pub is_believed: bool,
    pub upstreams: Vec<usize>,
    pub peers: Vec<usize>,
    pub next_upstream: usize,
    pub links: BTreeMap<LinkId, Held>,
    pub asked: BTreeMap<Ticket, Request>,
    /// Commands whose answer was lost with a process: their askers try again.
    pub unanswered: Vec<Request>,
    /// What commands were answered with, by this disk.
    pub answered: BTreeMap<CommandId, Done>,
    pub backup: Option<Backup>,
    /// Somebody took it away for good, or nobody talks to it any more: no promise is about it.
    pub is_retired: bool,
    /// Whether memory was rolled back at some time: then (actor, seq) may come twice.
    pub was_rolled_back: bool,
    /// Somebody has it in hand who does not keep the rules.
    pub is_hostile: bool,
    /// What its engine believes of signatures.
    pub verifier: Arc<dyn Verifier>,
    /// Of incarnations, all that this process and its disk ever had.
    pub incarnations: BTreeSet<Incarnation>,
}

impl Machine {
    #[must_use]
    pub fn new(name: String, seat: SeatId, key: CheapKey, disk: Disk) -> Self {
        Machine {
            name,
            seat,
            key,
            issuer: None,
            disk,
            engine: None,
            seed: [0; 32],
            life: 0,
            moved_at: 0,
            has_moved: false,
            is_applying: false,
            skew_ms: 0,
            calendar_ms: 0,
            is_believed: false,
            upstreams: Vec::new(),
            peers: Vec::new(),
            next_upstream: 0,
            links: BTreeMap::new(),
            asked: BTreeMap::new(),
            unanswered: Vec::new(),
            answered: BTreeMap::new(),
            backup: None,
            is_retired: false,
            was_rolled_back: false,
            is_hostile: false,
            verifier: Arc::new(Cheap),
            incarnations: BTreeSet::new(),
        }
    }

    #[must_use]
    pub fn node(&self) -> NodeId {
        self.key.node()
    }

    #[must_use]
    pub fn runs(&self) -> bool {
        self.engine.is_some()
    }

    #[must_use]
    pub fn moment(&self, now: u64) -> Moment {
        Moment { tick_ms: now, wall_ms: BEGIN_MS + now.cast_signed() + self.skew_ms }
    }

    /// The civil day in the realm's time zone that this machine shows, as the real shell hands it over. Where people see that it is
    /// behind, it is not before the last day that they type: what has not come yet is refused at its author.
    #[must_use]
    pub fn today(&self, now: u64) -> Date {
        let wall_ms = BEGIN_MS + now.cast_signed() + self.calendar_ms;
        let at = Timestamp::from_millisecond(wall_ms).expect("no clock is wrong by millennia");
        let day = tz::offset(8).to_datetime(at).date();
        if self.is_believed { day } else { day.max(Date::constant(2026, 4, 1)) }
    }

    /// Begins a process as the real shell does: the incarnation is durable already, and what the store has is told.
    pub fn begin(&mut self, directory: Directory, seed: [u8; 32], (open_max, foreign_max): (usize, u64)) {
        let meta = self.disk.meta();
        self.incarnations.extend(meta.incarnations.iter().map(|(incarnation, _)| *incarnation));
        let keys: (Arc<dyn Signer>, Arc<dyn Verifier>) = (Arc::new(self.key), Arc::clone(&self.verifier));
        // Some begin with room for few scopes, so that what has none is met too.
        let scopes_max = if seed[0].is_multiple_of(4) { 2 } else { SCOPES_MAX };
        // And some go on at once with little.
        let leaves_enough = [1, 24, LEAVES_ENOUGH][usize::from(seed[1] % 3)];
        let config =
            Config { open_max, foreign_max, scopes_max, leaves_enough, patrol_round_ms: 0, ..Config::new(catalogue()) };
        let mut start = Start::new(self.node(), self.seat, directory, meta, keys, seed, &config);
        let store = &self.disk.store;
        ready(count(&mut start, store, false)).expect("a memory store can be read");
        start.last_commit = ready(store.last_commit(self.node())).expect("reads").map(|(_, _, commit)| commit);
        start.hidden = ready(store.hidden(u64::MAX)).expect("reads");
        start.statements = ready(store.statements()).expect("reads");
        start.audit_head = ready(store.audit_head()).expect("reads");
        start.sealing = Some(Arc::new(sealing_of(&self.name)));
        start.declined = ready(store.declined()).expect("it reads");
        start.unjudged = ready(store.unjudged(None, usize::MAX)).expect("reads");
        start.stranded = ready(store.stranded(usize::MAX)).expect("reads");
        start.issuer = self.issuer.map(|key| Arc::new(key) as Arc<dyn Signer>);
        start.quarantined = ready(store.quarantine_len()).expect("reads");
        self.seed = seed;
        self.life += 1;
        self.engine = Some(Engine::new(config, start));
    }

    /// The process ends, with everything that it had in memory.
    pub fn end(&mut self) {
        self.engine = None;
        self.is_applying = false;
        self.life += 1;
        self.unanswered.extend(std::mem::take(&mut self.asked).into_values());
        self.links.clear();
    }

    /// The link that it dialled for a role, if there is one.
    #[must_use]
    pub fn link_for(&self, role: Role) -> Option<LinkId> {
        self.links.iter().find(|(_, held)| held.role == role).map(|(link, _)| *link)
    }
}
