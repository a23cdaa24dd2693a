//! A village, its township and their county: each an engine on a store in memory, and links that carry everything at once.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use futures::FutureExt;
use heliu_record::catalogue::Catalogue;
use heliu_record::command::{CommandId, Request};
use heliu_record::date::Date;
use heliu_record::hash::hash16;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::seats::{Seat, Tier};
use heliu_record::sight::Sight;
use heliu_storage::memory::MemoryStore;
use heliu_storage::{LeafRow, ReadCommits as _, ReadMeta as _, ReadRecords as _, StoreId};
use heliu_trust::directory::{Directory, Item};
use heliu_trust::id::{Incarnation, NodeId, realm_id, seat_id};
use heliu_trust::seal::SealingSecret;
use heliu_trust::signature::Signer;
use heliu_trust::simulated::{Cheap, CheapKey};

use crate::effect::{AuditEvent, Trial};
use crate::frame::{DeliveredLeaf, Frame};
use crate::own::Own;
use crate::serving::{carry_out, count};
use crate::{Config, Effect, Engine, Input, LinkId, Moment, Notice, Reply, Start, Ticket};

pub const VILLAGE: usize = 0;
pub const TOWNSHIP: usize = 1;
pub const COUNTY: usize = 2;

struct Node {
    engine: Engine,
    store: MemoryStore,
    catalogue: &'static Catalogue,
    lives: u8,
}

/// What is made of each leaf that is sent.
type Lie = fn(&mut DeliveredLeaf);

pub struct World {
    directory: Directory,
    nodes: Vec<Node>,
    /// Where what an end of a link sends arrives.
    lines: BTreeMap<(usize, LinkId), (usize, LinkId)>,
    links: u64,
    tick_ms: u64,
    tickets: u64,
    /// A node whose links carry other words of leaves than it says.
    pub liar: Option<(usize, Lie)>,
    pub notices: Vec<(usize, Notice)>,
    pub replies: Vec<Reply>,
}

fn ready<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().expect("a memory store answers at once")
}

pub fn key(node: usize) -> CheapKey {
    CheapKey([u8::try_from(node).expect("few") + 10; 32])
}

/// What a node opens what is sealed for it with.
pub fn sealing(node: usize) -> SealingSecret {
    SealingSecret::from_seed(key(node).0)
}

/// What a node is, by a directory; its program declares no kinds.
pub fn own(node: usize, directory: &Directory) -> Own {
    let (signer, verifier) = (Arc::new(key(node)), Arc::new(Cheap));
    let (realm, seat) = (directory.realm(), seat(node, directory));
    Own { realm, node: key(node).node(), seat, catalogue: super::kinds::none(), signer, verifier }
}

/// The seat that a node is of, by a directory.
pub fn seat(node: usize, directory: &Directory) -> SeatId {
    directory.node(key(node).node()).expect("it is enrolled").seat
}

/// As it is founded: the seats, a node at each, and the issuer.
pub fn directory() -> Directory {
    let issuer = CheapKey([1; 32]);
    let realm = realm_id(&issuer.public_key(), "test");
    let codes = ["371726101201", "371726101000", "371726000000"];
    let seats = codes.map(|code| seat_id(&realm, code));
    let seat = |at: usize, parent: Option<usize>, tier| {
        let code = codes[at].to_owned();
        Item::Seat(Seat { id: seats[at], name: code.clone(), code, parent: parent.map(|at| seats[at]), tier })
    };
    let node = |at: usize| Item::enrol(&key(at), seats[at], sealing(at).public(), Vec::new());
    let mut directory = Directory::new(realm, issuer.public_key());
    let items = vec![
        seat(COUNTY, None, Tier::County),
        seat(TOWNSHIP, Some(COUNTY), Tier::Township),
        seat(VILLAGE, Some(TOWNSHIP), Tier::Village),
        node(COUNTY),
        node(TOWNSHIP),
        node(VILLAGE),
        Item::Issuer { key: issuer.public_key() },
    ];
    let entry = directory.draft(items, 0, &[&issuer]).expect("it is drawn up well");
    directory.append(&entry, &Cheap).expect("it follows");
    directory
}

impl World {
    /// Each with the content that its program was built with; no links yet.
    pub fn new(catalogues: [&'static Catalogue; 3]) -> Self {
        let directory = directory();
        let node = |(at, catalogue): (usize, &'static Catalogue)| {
            let byte = u8::try_from(at).expect("few") + 1;
            let store = MemoryStore::open(StoreId([byte; 16]), Incarnation([byte; 16]));
            Node { engine: engine(at, &store, catalogue, &directory), store, catalogue, lives: 0 }
        };
        let nodes = catalogues.into_iter().enumerate().map(node).collect();
        World {
            directory,
            nodes,
            lines: BTreeMap::new(),
            links: 0,
            tick_ms: 0,
            tickets: 0,
            liar: None,
            notices: Vec::new(),
            replies: Vec::new(),
        }
    }

    pub fn node(&self, at: usize) -> NodeId {
        key(at).node()
    }

    pub fn seat(&self, at: usize) -> SeatId {
        self.directory.node(self.node(at)).expect("it is enrolled").seat
    }

    pub fn engine(&self, at: usize) -> &Engine {
        &self.nodes[at].engine
    }

    /// The lower end dials.
    pub fn connect(&mut self, lower: usize, upper: usize) {
        self.links += 1;
        let link = LinkId(self.links);
        self.lines.insert((lower, link), (upper, link));
        self.lines.insert((upper, link), (lower, link));
        let up = |at: usize, dialer, peer| (at, Input::LinkUp { link, dialer, peer: Some(key(peer).node()) });
        self.run([up(upper, false, lower), up(lower, true, upper)].into());
        self.pass(4);
    }

    /// Its program ends, and another that was built with this content begins on its store. Links are to be made again.
    pub fn restart(&mut self, at: usize, catalogue: &'static Catalogue) {
        self.disconnect(at);
        let node = &mut self.nodes[at];
        node.lives += 1;
        let incarnation = Incarnation(hash16("another life", &[&key(at).0, &[node.lives]]));
        node.store.reopen(incarnation).expect("it opens again");
        node.catalogue = catalogue;
        node.engine = engine(at, &node.store, catalogue, &self.directory);
    }

    /// Its disk breaks, and the program that it has begins on an empty one.
    pub fn lose_store(&mut self, at: usize) {
        self.disconnect(at);
        let node = &mut self.nodes[at];
        node.lives += 1;
        let fresh = hash16("another disk", &[&key(at).0, &[node.lives]]);
        node.store = MemoryStore::open(StoreId(fresh), Incarnation(fresh));
        node.engine = engine(at, &node.store, node.catalogue, &self.directory);
    }

    /// The county enters it into the directory that a node is fenced, with all that is known of it.
    pub fn fence(&mut self, fenced: usize) {
        let event = AuditEvent { who: "the county".to_owned(), ..AuditEvent::default() };
        self.tickets += 1;
        let (ticket, node) = (Ticket(self.tickets), self.node(fenced));
        let order = Input::FenceOf { ticket, node, nothing: false, excluded: Vec::new(), event };
        self.run([(COUNTY, order)].into());
        let Some(Reply::Drafted { entered: true, .. }) = self.replies.pop() else { panic!("{:?}", self.replies) };
        self.directory = self.engine(COUNTY).directory().clone();
        self.pass(10);
    }

    pub fn disconnect(&mut self, at: usize) {
        let ends: Vec<_> =
            self.lines.iter().filter(|(one, other)| one.0 == at || other.0 == at).map(|(one, _)| *one).collect();
        for (end, link) in ends {
            self.lines.remove(&(end, link));
            self.run([(end, Input::LinkDown { link })].into());
        }
    }

    /// Seconds go by.
    pub fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.tick_ms += 1_000;
            self.run((0..self.nodes.len()).map(|at| (at, Input::Tick)).collect());
        }
    }

    /// Somebody at a node gives a command. Returns the record that it made, if it made one.
    pub fn execute(
        &mut self,
        at: usize,
        name: &str,
        subject: Option<RecordId>,
        arguments: &[(&str, &str)],
    ) -> RecordId {
        self.tickets += 1;
        let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let id = CommandId(hash16("a command", &[&self.tickets.to_le_bytes()]));
        let (name, who, reason) = (name.to_owned(), "a clerk".to_owned(), String::new());
        let request = Request { id, name, subject, arguments, who, reason, on_behalf: None };
        let (ticket, today) = (Ticket(self.tickets), Date::constant(2026, 7, 1));
        let order = Input::Execute {
            ticket,
            request,
            is_guessable: false,
            trial: Trial::No,
            role: String::new(),
            today,
            sight: Sight::default(),
        };
        self.run([(at, order)].into());
        self.pass(3);
        let Some(Reply::Done(done)) = self.replies.pop() else { panic!("it was not done: {:?}", self.replies) };
        done.affected[0]
    }

    /// The leaves of a record as a node has stored them.
    pub fn leaves(&self, at: usize, record: RecordId) -> Vec<LeafRow> {
        ready(self.nodes[at].store.load(&[record]))
            .expect("reads")
            .into_iter()
            .flat_map(|loaded| loaded.leaves)
            .collect()
    }

    /// What a node's row says.
    pub fn view(&self, at: usize, record: RecordId) -> String {
        let row = ready(self.nodes[at].store.record(record)).expect("reads").expect("it is here");
        String::from_utf8(row.view).expect("it is text")
    }

    fn run(&mut self, mut inputs: VecDeque<(usize, Input)>) {
        while let Some((at, input)) = inputs.pop_front() {
            let now = Moment { tick_ms: self.tick_ms, wall_ms: 0 };
            for effect in self.nodes[at].engine.handle(input, now) {
                inputs.extend(self.carry_out(at, effect));
            }
        }
    }

    fn carry_out(&mut self, at: usize, effect: Effect) -> Option<(usize, Input)> {
        let store = &self.nodes[at].store;
        let input = match effect {
            Effect::Send { link, mut frame } => {
                if let (Some((liar, lies)), Frame::Leaves(leaves)) = (self.liar, &mut frame)
                    && liar == at
                {
                    leaves.delivery.leaves.iter_mut().for_each(lies);
                }
                let (other, link) = *self.lines.get(&(at, link))?;
                return Some((other, Input::Frame { link, frame }));
            }
            Effect::Close { link, .. } => {
                let (other, link) = self.lines.remove(&(at, link))?;
                self.lines.remove(&(other, link));
                return Some((other, Input::LinkDown { link }));
            }
            Effect::Notice(notice) => {
                self.notices.push((at, notice));
                return None;
            }
            Effect::Reply { reply, .. } => {
                self.replies.push(reply);
                return None;
            }
            effect => ready(carry_out(store, effect))?,
        };
        Some((at, input))
    }
}

fn engine(at: usize, store: &MemoryStore, catalogue: &'static Catalogue, directory: &Directory) -> Engine {
    let key = key(at);
    let seat = directory.node(key.node()).expect("it is enrolled").seat;
    let meta = ready(store.meta()).expect("reads");
    let keys = (Arc::new(key) as Arc<dyn Signer>, Arc::new(Cheap) as _);
    let config = Config::new(catalogue);
    let mut start = Start::new(key.node(), seat, directory.clone(), meta, keys, [7; 32], &config);
    ready(count(&mut start, store, false)).expect("it reads");
    let last = ready(store.last_commit(key.node())).expect("reads");
    start.unjudged = ready(store.unjudged(None, usize::MAX)).expect("reads");
    start.last_commit = last.map(|(_, _, id)| id);
    start.sealing = Some(Arc::new(sealing(at)));
    start.issuer = (at == COUNTY).then(|| Arc::new(CheapKey([1; 32])) as _);
    Engine::new(config, start)
}
