//! One transaction in flight while the next batch is worked on changes nothing but the time that it takes: whatever the order
//! in which a store does its work, and wherever a process ends, the records, the verdicts, the conflicts and the answers
//! are those of a node that does one thing after the other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use convergence::dice::Dice;
use convergence::world::disk::{Disk, ready};
use convergence::world::machine::Machine;
use convergence::world::{Habits, SEALED_FIELDS, World};
use heliu_record::command::Request;
use heliu_record::date::Date;
use heliu_record::hash::hash16;
use heliu_record::id::RecordId;
use heliu_record::scope::Scope;
use heliu_record::sight::Sight;
use heliu_replication::frame::Frame;
use heliu_replication::serving::carry_out;
use heliu_replication::{Effect, Input, LinkId, Moment, Notice, Reply, Ticket, Trial};
use heliu_storage::{ReadAudit as _, ReadRecords as _, RecordState, ScopeRow, StoreError, Transaction};
use heliu_trust::directory::Directory;
use heliu_trust::id::Incarnation;

const VILLAGE: usize = 0;
const TOWNSHIP: usize = 1;
const NAMES: [&str; 2] = ["V11", "T1"];

/// What a process ends by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Crash,
    WriteFails,
    ReadFails,
    /// What nobody waits for cannot be read.
    LookFails,
}

/// What a store has to do, and what the engine is to hear of it.
enum Due {
    Effect(Effect),
    Answer(Input),
}

struct Desk {
    machine: Machine,
    lives: u8,
    due: Vec<Due>,
    is_applying: bool,
    /// What the other end of the link sent.
    arriving: VecDeque<Frame>,
}

/// What people asked for at a village that is linked to its township, and what became of it.
struct Pair {
    desks: [Desk; 2],
    directory: Directory,
    requests: Vec<Request>,
    given: usize,
    replies: BTreeMap<usize, Reply>,
    link: LinkId,
    dice: Dice,
    is_pipelined: bool,
    /// What its processes are like.
    manner: u8,
    tick_ms: u64,
    /// Look-ups beside a transaction in flight.
    beside: usize,
    ends: usize,
}

/// What is told of a node: everything that does not say in which transaction something came.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    /// By record: whether it is shown, what of it, and the sign of it that others look at.
    rows: BTreeMap<RecordId, (bool, String, [u8; 8])>,
    /// By record: its changes, each with what became of it.
    changes: BTreeMap<RecordId, BTreeMap<Vec<u8>, String>>,
    conflicts: BTreeMap<[u8; 32], Vec<u8>>,
    /// By scope: records and leaves, as they are kept.
    scopes: BTreeMap<Option<Scope>, (u64, u64)>,
    refs: BTreeSet<(RecordId, RecordId)>,
    audit: Vec<Vec<u8>>,
}

/// Where all of it begins: both disks, and what is asked for at the village, each in the light of what is there by then.
struct Beginning {
    world: World,
    disks: [Disk; 2],
    requests: Vec<Request>,
}

fn beginning(seed: u64, is_asked: impl Fn(&Request) -> bool, quarrels: u64) -> Beginning {
    let habits = Habits { pipelined: false, repeats: 0, ..Habits::default() };
    let mut world = World::new(seed, &["C", "T1", "V11"], habits, false);
    let disks = NAMES.map(|name| world.machines[world.machine(name)].disk.copy());
    let village = world.machine(NAMES[VILLAGE]);
    world.start(village);
    let mut dice = Dice::new(seed);
    let seat = world.machines[village].seat.to_string();
    let mut requests: Vec<Request> = Vec::new();
    while requests.len() < 60 {
        let asked = if requests.len() < 3 {
            let mut request = world.request("org.create", None);
            let (name, seat) = (format!("支部{}", requests.len()), seat.clone());
            request.arguments = [("name".to_owned(), name), ("seat".to_owned(), seat)].into();
            Some(request)
        } else {
            world.something_to_ask(village, &mut dice)
        };
        let Some(request) = asked else { continue };
        let is_sealed = |text: &String| SEALED_FIELDS.contains(&text.as_str());
        // What is sealed has keys that are drawn at random.
        if request.arguments.iter().any(|(name, value)| is_sealed(name) || is_sealed(value)) || !is_asked(&request) {
            continue;
        }
        world.ask(village, request.clone());
        world.run_for(100);
        requests.push(request);
        if dice.chance(15) {
            // Somebody presses the button twice, or takes a number that is used.
            let mut again = requests[requests.len() - 1].clone();
            if dice.chance(30) {
                again.arguments.insert("name".to_owned(), "别的".to_owned());
            }
            requests.push(again);
        }
    }
    for number in 0..quarrels {
        quarrel(&mut world, village, number, &mut requests);
    }
    // However little of the rest was carried out, something that was is asked for twice.
    requests.extend(requests.last().filter(|_| quarrels > 0).cloned());
    Beginning { world, disks, requests }
}

/// Two organisations share a hall; that one of them counts on it is at odds with what the other does, and half of the time is not any more in the end.
fn quarrel(world: &mut World, village: usize, number: u64, requests: &mut Vec<Request>) {
    let seat = world.machines[village].seat.to_string();
    let mut made = |name: &str, subject: Option<RecordId>, arguments: &[(&str, &str)]| {
        let mut request = world.request(name, subject);
        let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        request.arguments = arguments.collect();
        let ticket = world.ask(village, request.clone());
        world.run_for(100);
        requests.push(request);
        let Some(Reply::Done(done)) = world.replies.get(&ticket) else {
            panic!("{name}: {:?}", world.replies.get(&ticket))
        };
        done.result.get("record").map(|id| id.parse::<RecordId>().expect("an id"))
    };
    let name = format!("{number}号");
    let mut new = |what: &str, more: &[(&str, &str)]| {
        made(what, None, &[&[("name", name.as_str())], more].concat()).expect("it makes a record")
    };
    let [host, guest] = [1, 2].map(|_| new("org.create", &[("seat", &seat)]));
    let (host_id, guest_id) = (host.to_string(), guest.to_string());
    let league = new("alliance.form", &[("convenor", &guest_id), ("seats", &seat)]);
    let hall = new("resource.offer", &[("owner_org", &host_id)]);
    let league_id = league.to_string();
    made("alliance.join", Some(league), &[("org", &host_id)]);
    made("alliance.add_resource", Some(league), &[("resource", &hall.to_string())]);
    let booking = [("org", guest_id.as_str()), ("use_on", "2026-05-01"), ("alliance", &league_id)];
    made("booking.request", Some(hall), &booking);
    for name in ["alliance.leave", "alliance.join", "alliance.leave", "alliance.join", "alliance.leave"] {
        made(name, Some(league), &[("org", &host_id)]);
    }
    if number.is_multiple_of(2) {
        made("booking.decline", Some(hall), &[]);
    }
}

impl Beginning {
    fn pair(&self, seed: u64, is_pipelined: bool) -> Pair {
        let directory = self.world.county.directory().clone();
        let desk = |at: usize| {
            let Machine { name, seat, key, .. } = &self.world.machines[self.world.machine(NAMES[at])];
            let machine = Machine::new(name.clone(), *seat, *key, self.disks[at].copy());
            Desk { machine, lives: 0, due: Vec::new(), is_applying: false, arriving: VecDeque::new() }
        };
        let mut pair = Pair {
            desks: [VILLAGE, TOWNSHIP].map(desk),
            directory,
            requests: self.requests.clone(),
            given: 0,
            replies: BTreeMap::new(),
            link: LinkId(0),
            dice: Dice::new(seed),
            is_pipelined,
            manner: (seed % 3) as u8,
            tick_ms: 0,
            beside: 0,
            ends: 0,
        };
        [VILLAGE, TOWNSHIP].into_iter().for_each(|at| pair.begin(at));
        pair.connect();
        pair
    }

    /// One request after the other, each answered before the next, and one batch at a time.
    fn one_by_one(&self) -> Pair {
        let mut pair = self.pair(0, false);
        while pair.given < pair.requests.len() {
            pair.give();
            pair.come_to_rest();
        }
        pair.rest();
        pair
    }

    /// In bursts, whatever the store is doing.
    fn at_once(&self, seed: u64, is_pipelined: bool, ends: &[End]) -> Pair {
        let mut pair = self.pair(seed, is_pipelined);
        let mut ends: Vec<End> = ends.to_vec();
        loop {
            if pair.given < pair.requests.len() && pair.dice.chance(30) {
                for _ in 0..pair.dice.between(1, 6) {
                    pair.give();
                }
            } else if !pair.step() && pair.given == pair.requests.len() {
                if pair.replies.len() == pair.requests.len() {
                    break;
                }
                pair.tick();
            }
            let at = pair.dice.index(2);
            let is_at_work = pair.desks[at].is_applying && (!is_pipelined || pair.is_looking_up(at));
            if is_at_work
                && pair.dice.chance(8)
                && let Some(end) = ends.pop()
            {
                pair.strike(at, end);
            }
        }
        pair.rest();
        pair
    }
}

impl Pair {
    fn now(&self) -> Moment {
        Moment { tick_ms: self.tick_ms, wall_ms: 1_772_323_200_000 }
    }

    /// A process begins on its disk.
    fn begin(&mut self, at: usize) {
        let desk = &mut self.desks[at];
        desk.lives += 1;
        let incarnation = Incarnation(hash16("a life", &[&[at as u8, desk.lives]]));
        // A failure that was announced and did not happen yet is over.
        let _ = desk.machine.disk.apply(&Transaction::default());
        desk.machine.disk.store.reopen(incarnation).expect("it opens");
        // With what it calls enough, among others; see [`Machine::begin`].
        let seed = [desk.lives + self.manner; 32];
        desk.machine.begin(self.directory.clone(), seed, (8, u64::MAX));
        (desk.is_applying, desk.due) = (false, Vec::new());
    }

    fn connect(&mut self) {
        self.link = LinkId(self.link.0 + 1);
        self.desks.iter_mut().for_each(|desk| desk.arriving.clear());
        for at in [TOWNSHIP, VILLAGE] {
            self.feed(at, Input::LinkUp { link: self.link, dialer: at == VILLAGE, peer: None });
        }
    }

    fn feed(&mut self, at: usize, input: Input) {
        let (now, is_pipelined) = (self.now(), self.is_pipelined);
        let engine = self.desks[at].machine.engine.as_mut().expect("it runs");
        let effects = engine.handle(input, now);
        let has_failed = engine.failed().is_some();
        for effect in effects {
            match effect {
                Effect::Send { frame, .. } => self.desks[1 - at].arriving.push_back(frame),
                Effect::Reply { reply: Reply::StoreFailed(_), .. } => {}
                Effect::Reply { ticket, reply } => {
                    self.replies.insert(usize::try_from(ticket.0).expect("few"), reply);
                }
                Effect::Notice(notice) => {
                    assert!(!matches!(notice, Notice::SumsCorrected { .. }), "it was counted wrong");
                }
                Effect::Close { why, .. } => assert!(has_failed, "{why:?}"),
                Effect::GoOn if !is_pipelined => {}
                effect => {
                    self.desks[at].is_applying |= matches!(effect, Effect::Apply(_));
                    self.desks[at].due.push(Due::Effect(effect));
                }
            }
        }
        if has_failed {
            assert!(
                self.desks[at].due.iter().all(|due| !is_of_batch(due)),
                "nothing is under way when the next one begins"
            );
            self.end(at);
        }
    }

    fn give(&mut self) {
        let Some(request) = self.requests.get(self.given).cloned() else { return };
        let (ticket, role) = (Ticket(self.given as u64), "write".to_owned());
        self.given += 1;
        let (today, sight) = (Date::constant(2026, 3, 1), Sight::WHOLE);
        self.feed(
            VILLAGE,
            Input::Execute { ticket, request, is_guessable: false, trial: Trial::No, role, today, sight },
        );
    }

    /// Something that is due happens. Returns whether there was anything.
    fn step(&mut self) -> bool {
        let waiting: Vec<usize> =
            self.desks.iter().map(|desk| desk.due.len() + usize::from(!desk.arriving.is_empty())).collect();
        let chosen = self.dice.index(waiting[0] + waiting[1]);
        let (at, which) = if chosen < waiting[0] { (0, chosen) } else { (1, chosen - waiting[0]) };
        if waiting[at] == 0 {
            return false;
        }
        let desk = &mut self.desks[at];
        if which == desk.due.len() {
            let frame = desk.arriving.pop_front().expect("it came");
            self.feed(at, Input::Frame { link: self.link, frame });
            return true;
        }
        let is_write = matches!(desk.due[which], Due::Effect(Effect::Apply(_)) | Due::Answer(Input::Applied(_)));
        if is_write && self.dice.chance(90) {
            return true; // A disk takes its time.
        }
        match desk.due.swap_remove(which) {
            Due::Answer(input) => {
                desk.is_applying &= !matches!(input, Input::Applied(_));
                self.feed(at, input);
            }
            Due::Effect(effect) => {
                self.beside += usize::from(desk.is_applying && matches!(effect, Effect::Load(_)));
                let answer = match effect {
                    Effect::Apply(transaction) => Some(Input::Applied(desk.machine.disk.apply(&transaction))),
                    effect => ready(carry_out(&desk.machine.disk.store, effect)),
                };
                desk.due.extend(answer.map(Due::Answer));
            }
        }
        true
    }

    fn come_to_rest(&mut self) {
        while self.step() {}
    }

    fn tick(&mut self) {
        self.tick_ms += 1_000;
        [VILLAGE, TOWNSHIP].into_iter().for_each(|at| self.feed(at, Input::Tick));
    }

    /// Both have what both are to have.
    fn rest(&mut self) {
        for _ in 0..12 {
            self.come_to_rest();
            self.tick();
        }
        self.come_to_rest();
    }

    fn is_looking_up(&self, at: usize) -> bool {
        let is_load = |due: &Due| matches!(due, Due::Effect(Effect::Load(_)) | Due::Answer(Input::Loaded(_)));
        self.desks[at].due.iter().any(is_load)
    }

    fn strike(&mut self, at: usize, end: End) {
        self.ends += 1;
        let desk = &mut self.desks[at];
        match end {
            End::Crash => self.end(at),
            // If that has been written, the next one is it.
            End::WriteFails => desk.machine.disk.store.fail_next(StoreError::Full { path: "disk".to_owned() }),
            End::LookFails => self.feed(at, Input::CannotRead(unreadable())),
            End::ReadFails => {
                desk.due.retain(|due| !matches!(due, Due::Effect(Effect::Load(_)) | Due::Answer(Input::Loaded(_))));
                self.feed(at, Input::Loaded(Err(unreadable())));
            }
        }
    }

    /// A process is over, and another begins. Whoever has no answer asks again.
    fn end(&mut self, at: usize) {
        self.begin(at);
        self.feed(1 - at, Input::LinkDown { link: self.link });
        self.connect();
        if at == VILLAGE {
            self.given = (0..self.given).find(|asked| !self.replies.contains_key(asked)).unwrap_or(self.given);
        }
    }

    fn told(&self, at: usize) -> Told {
        let disk = &self.desks[at].machine.disk;
        let rows = disk.rows();
        let ids: Vec<RecordId> = rows.iter().map(|row| row.id).collect();
        let changes = ids.iter().map(|id| {
            let leaves = disk.load(*id).into_iter().flat_map(|loaded| loaded.leaves);
            (*id, leaves.map(|leaf| (leaf.change.to_vec(), format!("{:?}", leaf.status))).collect())
        });
        let kept = |row: ScopeRow| (row.scope, (row.tally.records, row.tally.leaves));
        let shown = |state: &RecordState| *state == RecordState::Present;
        let text = |view: &[u8]| String::from_utf8_lossy(view).into_owned();
        Told {
            changes: changes.collect(),
            conflicts: disk.conflicts().into_iter().map(|row| (row.id, row.body)).collect(),
            scopes: ready(disk.store.scopes()).expect("it reads").into_iter().flatten().map(kept).collect(),
            refs: ready(disk.store.referring(&ids)).expect("it reads").into_iter().collect(),
            audit: ready(disk.store.audit(0, usize::MAX))
                .expect("it reads")
                .into_iter()
                .map(|row| row.encoded)
                .collect(),
            rows: rows.iter().map(|row| (row.id, (shown(&row.state), text(&row.view), row.signal))).collect(),
        }
    }

    /// What people were answered, without what says in which transaction it came.
    fn answers(&self) -> BTreeMap<usize, String> {
        let words = |reply: &Reply| match reply {
            Reply::Done(done) => {
                format!("{:?} {:?} {} {}", done.result, done.affected, done.leaves.len(), done.again)
            }
            Reply::Refused(refusal) => refusal.code.to_owned(),
            other => panic!("{other:?}"),
        };
        self.replies.iter().map(|(asked, reply)| (*asked, words(reply))).collect()
    }
}

fn unreadable() -> StoreError {
    StoreError::Io { what: "reading", detail: "a bad sector".to_owned() }
}

fn is_of_batch(due: &Due) -> bool {
    matches!(due, Due::Effect(Effect::Load(_) | Effect::Apply(_)) | Due::Answer(Input::Loaded(_) | Input::Applied(_)))
}

#[test]
fn a_batch_beside_a_transaction_in_flight_comes_to_what_it_comes_to_after_it() {
    for seed in 1..=3 {
        let beginning = beginning(seed, |_| true, 8);
        let expected = beginning.one_by_one();
        let [village, township] = [VILLAGE, TOWNSHIP].map(|at| expected.told(at));
        assert_eq!(village.changes, township.changes, "seed {seed}: what is the village's is its township's");
        assert!(village.conflicts.len() >= 4, "seed {seed}: {:?}", village.conflicts);
        assert!(expected.answers().values().any(|words| words.contains("true")), "seed {seed}: nothing is done twice");
        let mut beside = 0;
        for order in 0..8 {
            let pair = beginning.at_once(100 * seed + order, order > 0, &[]);
            assert!(pair.answers() == expected.answers(), "seed {seed}, order {order}: {:#?}", pair.answers());
            assert_eq!(pair.told(VILLAGE), village, "seed {seed}, order {order}");
            let above = pair.told(TOWNSHIP);
            assert_eq!(
                (&above.rows, &above.changes),
                (&township.rows, &township.changes),
                "seed {seed}, order {order}"
            );
            assert_eq!((above.conflicts, above.refs), (township.conflicts.clone(), township.refs.clone()));
            assert!(order > 0 || pair.beside == 0, "one at a time");
            beside += pair.beside;
        }
        assert!(beside > 60, "seed {seed}: only {beside} look-ups beside a transaction in flight");
    }
}

/// Nothing that names what a process has numbered: the next one numbers otherwise.
fn outlives_a_process(request: &Request) -> bool {
    let lasting = ["org.create", "org.set_parent", "member.register", "member.reassign", "record.set"];
    lasting.contains(&request.name.as_str())
}

#[test]
fn wherever_a_process_ends_every_command_is_carried_out_once_and_both_batches_come_to_what_they_would_have() {
    for seed in 11..=12 {
        let beginning = beginning(seed, outlives_a_process, 0);
        let expected = beginning.one_by_one();
        let told = |pair: &Pair, at: usize| {
            let Told { rows, changes, refs, .. } = pair.told(at);
            let rows: Vec<_> = rows.into_iter().map(|(id, (is_shown, view, _))| (id, is_shown, view)).collect();
            (rows, changes.into_iter().map(|(id, changes)| (id, changes.len())).collect::<Vec<_>>(), refs)
        };
        let (village, township) = (told(&expected, VILLAGE), told(&expected, TOWNSHIP));
        let mut ends = 0;
        for (order, end) in (0..4)
            .flat_map(|order| [End::Crash, End::WriteFails, End::ReadFails, End::LookFails].map(|end| (order, end)))
        {
            let pair = beginning.at_once(100 * seed + order, order > 0, &[end; 4]);
            assert_eq!(told(&pair, VILLAGE), village, "seed {seed}, order {order}, {end:?}");
            assert_eq!(told(&pair, TOWNSHIP), township, "seed {seed}, order {order}, {end:?}");
            ends += pair.ends;
        }
        assert!(ends > 20, "seed {seed}: only {ends} processes ended");
    }
}
