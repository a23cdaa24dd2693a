//! A simulated world: machines with engines and disks, connections between them, one clock, one queue of what is due.
//!
//! The world carries out effects as the real shell does, each after a delay, so that a crash can fall between an effect,
//! its durability and its completion. Nothing here decides what is right; it only notes what an engine must never do
//! (answer before it is durable, send beyond its window) in [`World::broken`].

pub mod clerk;
pub mod county;
pub mod disk;
mod faults;
mod groups;
pub mod hostile;
pub mod machine;
mod network;
pub mod office;
pub mod scribe;
mod shell;
pub mod trace;
mod visit;
pub mod wire;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use heliu_record::command::{CommandId, Request};
use heliu_record::id::{RecordId, SeatId};
use heliu_record::sight::Sight;
use heliu_replication::frame::{Delivery, Frame};
use heliu_replication::{Effect, Input, Reply, Ticket, Trial};
use heliu_storage::StoreId;
use heliu_storage::memory::MemoryStore;
use heliu_trust::id::Incarnation;

use serde::{Deserialize, Serialize};

use crate::chance::{Chance, Matter, Stream};
use crate::dice::Dice;
use crate::invariants::Violation;
use crate::reference::Ledger;
use crate::tally::Tally;
use county::County;
use disk::Disk;
use hostile::Hostile;
use machine::Machine;
use trace::Trace;
use visit::Visit;
use wire::{Side, Wire, WireId};

/// How this world's machines and lines behave; drawn once per schedule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Habits {
    /// Latency of a frame, from the best to the worst line.
    pub frame_ms: (u64, u64),
    /// What the disk takes for an effect.
    pub store_ms: (u64, u64),
    pub redial_ms: (u64, u64),
    /// Leaves frames, in percent, that carry something which was delivered before.
    pub duplicates: u64,
    /// Answered commands, in percent, that are asked for again.
    pub repeats: u64,
    /// Records that an engine keeps open: few, so that they are closed and opened again.
    #[serde(default = "few")]
    pub open_max: usize,
    /// What an author may have at a seat that is none of its line.
    #[serde(default = "usual")]
    pub foreign_max: u64,
    /// How often engines hear that time has passed. About a second in life; more where a year has to pass.
    #[serde(default = "second")]
    pub tick_ms: u64,
    /// Engines work on a batch while the transaction of the one before is in flight, as they do in life. If not, they have one
    /// batch at a time; what is promised is the same.
    #[serde(default)]
    pub pipelined: bool,
    /// How many in a hundred of the moments at which a batch looks something up beside a transaction in flight are the last of
    /// the process.
    #[serde(default)]
    pub strikes: u64,
}

fn second() -> u64 {
    1_000
}

fn few() -> usize {
    12
}

fn usual() -> u64 {
    heliu_replication::FOREIGN_MAX
}

impl Default for Habits {
    fn default() -> Self {
        Habits {
            frame_ms: (1, 40),
            store_ms: (0, 8),
            redial_ms: (100, 1_500),
            duplicates: 20,
            repeats: 10,
            open_max: few(),
            foreign_max: usual(),
            tick_ms: second(),
            pipelined: true,
            strikes: 0,
        }
    }
}

/// How long a link has to verify by itself what moved, before somebody asks it to.
const ASKED_AFTER_MS: u64 = 4_000;

pub(crate) enum Event {
    /// The store does what an effect says.
    Carry {
        machine: usize,
        life: u64,
        effect: Effect,
    },
    /// The engine hears of it.
    Answer {
        machine: usize,
        life: u64,
        input: Input,
    },
    Deliver {
        wire: WireId,
        to: Side,
        frame: Frame,
    },
    Down {
        wire: WireId,
        to: Side,
    },
    Tick {
        machine: usize,
        life: u64,
    },
    Dial {
        machine: usize,
        life: u64,
        role: machine::Role,
    },
    Start {
        machine: usize,
    },
    /// One of the hostile does something.
    Mischief {
        hostile: usize,
        dice: u64,
    },
}

pub struct World {
    pub now: u64,
    /// Numbers everything that is drawn or due, in order.
    sequence: u64,
    /// Boxed, because the map moves what it holds.
    queue: BTreeMap<(u64, u64), Box<Event>>,
    pub county: County,
    pub machines: Vec<Machine>,
    wires: BTreeMap<WireId, Wire>,
    visits: BTreeMap<WireId, Visit>,
    scribe_chain: scribe::Chain,
    /// Those who do not keep the rules.
    pub hostile: Vec<Hostile>,
    /// Records that hostile hands of a seat were told of.
    pub disclosed: BTreeMap<SeatId, BTreeSet<RecordId>>,
    /// Records of which hostile hands gave something to a machine.
    pub handed: BTreeMap<usize, BTreeSet<RecordId>>,
    /// Whether all entries of the directory were given to the county's node.
    pub published: bool,
    /// The county's administrator hands them in again whenever his node begins: it may have failed to keep them.
    pub hands_in_again: bool,
    pub habits: Habits,
    /// Whether nodes hold what they have against its leaves, a few records a second. It takes the simulator longer than
    /// all else.
    pub patrols: bool,
    /// Whether a story has damaged a disk.
    pub is_spoilt: bool,
    pub chance: Chance,
    /// Pairs of machines, the lower index first, that cannot reach each other.
    pub cut: BTreeSet<(usize, usize)>,
    /// What was sent to each machine and by whom, for replays.
    delivered: BTreeMap<usize, VecDeque<(usize, Delivery)>>,
    pub ledger: Ledger,
    pub trace: Trace,
    pub tally: Tally,
    /// What was typed to be sealed.
    pub secrets: BTreeSet<String>,
    /// Answers of commands asked for by name, for stories and schedules.
    pub replies: BTreeMap<Ticket, Reply>,
    pub broken: Vec<Violation>,
}

impl World {
    /// A world with the named nodes, none of which runs yet.
    #[must_use]
    pub fn new(seed: u64, names: &[&str], habits: Habits, with_words: bool) -> Self {
        let county = County::new(seed, &[names, &[scribe::NAME]].concat());
        World::in_county(Chance::new(seed), county, names.len(), habits, with_words)
    }

    /// A world with the first so many nodes of a county.
    #[must_use]
    pub fn in_county(chance: Chance, county: County, nodes: usize, habits: Habits, with_words: bool) -> Self {
        let mut world = World {
            now: 0,
            sequence: 0,
            queue: BTreeMap::new(),
            county,
            machines: Vec::new(),
            wires: BTreeMap::new(),
            visits: BTreeMap::new(),
            hostile: Vec::new(),
            disclosed: BTreeMap::new(),
            handed: BTreeMap::new(),
            scribe_chain: scribe::Chain::default(),
            published: true,
            hands_in_again: false,
            habits,
            patrols: false,
            is_spoilt: false,
            chance,
            cut: BTreeSet::new(),
            delivered: BTreeMap::new(),
            ledger: Ledger::default(),
            trace: Trace::new(with_words),
            tally: Tally::default(),
            secrets: BTreeSet::new(),
            replies: BTreeMap::new(),
            broken: Vec::new(),
        };
        for index in 0..nodes {
            world.install(index, 1);
        }
        world
    }

    /// A new, empty disk for an enrolled node, with the first so many entries of the directory.
    pub fn install(&mut self, enrolled: usize, entries: u64) -> usize {
        let node = self.county.enrolled[enrolled].clone();
        let disk = self.empty_disk(self.machines.len(), entries);
        let mut machine = Machine::new(node.name, node.seat, node.key, disk);
        // The county's administrator keeps the issuer's key at its first node.
        machine.issuer = (machine.name == "C").then_some(self.county.issuer);
        self.machines.push(machine);
        self.machines.len() - 1
    }

    /// A disk that nothing is on but the first so many entries of the directory.
    fn empty_disk(&mut self, machine: usize, entries: u64) -> Disk {
        let names = Stream::of(Matter::Names, machine);
        let store = MemoryStore::open(StoreId(self.chance.bytes(names)), Incarnation(self.chance.bytes(names)));
        let mut disk = Disk::new(store);
        let directory = self.county.directory();
        let known = directory.entries_from(0).iter().take(usize::try_from(entries).unwrap_or(0));
        let directory = known.map(|entry| entry.encode()).collect();
        let first = heliu_storage::Transaction { directory, ..Default::default() };
        disk.apply(&first).expect("an empty store takes the directory");
        disk
    }

    /// The machine of this name; of clones the first.
    #[must_use]
    pub fn machine(&self, name: &str) -> usize {
        self.machines.iter().position(|m| m.name == name).unwrap_or_else(|| panic!("there is no machine {name}"))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    pub(crate) fn due(&mut self, at: u64, event: Event) -> wire::Due {
        let key = (at.max(self.now), self.next());
        self.queue.insert(key, Box::new(event));
        key
    }

    fn delay(&mut self, stream: Stream, (low, high): (u64, u64)) -> u64 {
        self.chance.between(stream, low, high)
    }

    /// Goes on until a moment; what is due then has happened.
    pub fn run_until(&mut self, end: u64) {
        while let Some(entry) = self.queue.first_entry()
            && entry.key().0 <= end
        {
            let ((at, _), event) = entry.remove_entry();
            self.now = at;
            self.happen(*event);
        }
        self.now = self.now.max(end);
    }

    pub fn run_for(&mut self, ms: u64) {
        self.run_until(self.now + ms);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Carry { machine, life, effect } => {
                if self.machines[machine].life == life {
                    self.carry(machine, effect);
                }
            }
            Event::Answer { machine, life, input } => {
                if self.machines[machine].life == life {
                    let at = &mut self.machines[machine];
                    if matches!(input, Input::Applied(_)) {
                        at.is_applying = false;
                        if std::mem::take(&mut at.has_moved) {
                            at.moved_at = self.now;
                        }
                    }
                    self.feed(machine, input);
                }
            }
            Event::Deliver { wire, to, frame } => self.deliver(wire, to, frame),
            Event::Down { wire, to } => self.hung_up(wire, to),
            Event::Tick { machine, life } => {
                if self.machines[machine].life == life {
                    self.feed(machine, Input::Tick);
                    self.due(self.now + self.habits.tick_ms, Event::Tick { machine, life });
                }
            }
            Event::Dial { machine, life, role } => {
                if self.machines[machine].life == life {
                    self.dial(machine, role);
                }
            }
            Event::Start { machine } => self.start(machine),
            Event::Mischief { hostile, dice } => self.mischief(hostile, &mut Dice::new(dice)),
        }
    }

    pub fn next_ticket(&mut self) -> u64 {
        self.next()
    }

    /// For what no person asks for: the administrator's directory entries, a wish to verify.
    pub fn feed_input(&mut self, machine: usize, input: Input) {
        self.feed(machine, input);
    }

    /// Hands an input to an engine and does what it wants done.
    pub(crate) fn feed(&mut self, machine: usize, input: Input) {
        let at = &mut self.machines[machine];
        let moment = at.moment(self.now);
        let Some(engine) = &mut at.engine else { return };
        let effects = engine.handle(input, moment);
        for effect in effects {
            self.effect(machine, effect);
        }
        if self.machines[machine].engine.as_ref().is_some_and(|engine| engine.failed().is_some()) {
            self.tally.store_failures += 1;
            self.crash_for_a_while(machine);
        }
    }

    /// Asks a running machine for a command. The answer will be in [`World::replies`].
    pub fn ask(&mut self, machine: usize, request: Request) -> Ticket {
        let ticket = Ticket(self.next());
        let name = &self.machines[machine].name;
        self.trace.say(self.now, || format!("{name}: asked for {}", words_of(&request)));
        self.secrets.extend(to_be_sealed(&request).map(|(_, value)| value.clone()).filter(|text| text.len() > 9));
        self.machines[machine].asked.insert(ticket, request.clone());
        let today = self.machines[machine].today(self.now);
        let (role, sight) = ("write".to_owned(), Sight::WHOLE);
        self.feed(
            machine,
            Input::Execute { ticket, request, is_guessable: false, trial: Trial::No, role, today, sight },
        );
        ticket
    }

    pub fn request(&mut self, name: &str, subject: Option<heliu_record::id::RecordId>) -> Request {
        let id = CommandId(self.chance.bytes(Stream::of(Matter::Ids, 0)));
        let (who, reason) = ("clerk".to_owned(), String::new());
        Request { id, name: name.to_owned(), subject, arguments: BTreeMap::new(), who, reason, on_behalf: None }
    }

    /// What moves in the scope of a link is verified soon, without being asked. For whatever else moved at its ends it
    /// takes its time; somebody who wants to know asks.
    fn verify_what_rests(&mut self) {
        let mut stale = Vec::new();
        for (index, machine) in self.machines.iter().enumerate() {
            let links = machine.engine.iter().flat_map(heliu_replication::Engine::links);
            for link in links.filter(|link| link.phase == "in step") {
                let moved = self.moved_at(index, &link);
                if link.verified_at.is_some_and(|at| at < moved) && moved + ASKED_AFTER_MS < self.now {
                    stale.push((index, link.link));
                }
            }
        }
        for (machine, link) in stale {
            self.feed(machine, Input::Verify { link });
        }
    }

    /// Runs until it is quiet; how long that took, or what is still restless at the end.
    pub fn run_until_quiet(&mut self, limit_ms: u64) -> Result<u64, String> {
        let begin = self.now;
        while self.now < begin + limit_ms {
            self.run_for(250);
            if self.is_quiet() {
                return Ok(self.now - begin);
            }
            if self.now % 1_000 < 250 {
                self.verify_what_rests();
            }
        }
        Err(self.unrest().unwrap_or_default())
    }

    #[must_use]
    pub fn was_rolled_back(&self, machine: usize) -> bool {
        self.machines[machine].was_rolled_back
    }
}

/// The fields of members that are sealed.
pub const SEALED_FIELDS: [&str; 3] = ["contact", "birth_date", "person_digest"];

/// What of a command's arguments is to be sealed.
fn to_be_sealed(request: &Request) -> impl Iterator<Item = (&String, &String)> {
    let is_sealed = |name: &str| SEALED_FIELDS.contains(&name);
    let sets = request.arguments.get("field").is_some_and(|field| is_sealed(field));
    request.arguments.iter().filter(move |(name, _)| is_sealed(name) || (sets && name.as_str() == "value"))
}

/// A record as the stories of failures name it.
#[must_use]
pub fn words_of_record(preimage: &heliu_record::id::Preimage) -> String {
    format!("{} {}", preimage.kind, preimage.id().short())
}

pub(crate) fn words_of(request: &Request) -> String {
    let mut words = request.name.clone();
    if let Some(subject) = request.subject {
        words.push_str(&format!(" {}", subject.short()));
    }
    for (name, value) in &request.arguments {
        if to_be_sealed(request).any(|(sealed, _)| sealed == name) {
            words.push_str(&format!(" {name}=(sealed)"));
            continue;
        }
        let value: String = value.chars().take(24).collect();
        words.push_str(&format!(" {name}={value}"));
    }
    words
}
