//! An engine on a store, driven in this thread: for floors and for making what a case begins with. The real shell is
//! `heliu-node`; whatever is measured end to end uses that one.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::executor::block_on;
use heliu_catalogue::catalogue;
use heliu_record::command::Request;
use heliu_record::date::Date;
use heliu_record::sight::Sight;
use heliu_replication::frame::Frame;
use heliu_replication::serving::carry_out;
use heliu_replication::{Config, Effect, Engine, Input, LinkId, Moment, Reply, Start, Ticket, Trial};
use heliu_storage::memory::MemoryStore;
use heliu_storage::{ReadMeta as _, Store as _, Transaction};
use heliu_trust::directory::Directory;
use heliu_trust::ed25519::Ed25519;

use crate::place::{key, sealing};

const TODAY: Date = Date::constant(2026, 3, 1);

pub struct Driver {
    pub engine: Engine,
    pub store: MemoryStore,
    /// Everything that was made durable, if it is kept.
    pub transactions: Vec<Transaction>,
    keep: bool,
    pub sent: VecDeque<Frame>,
    now: Moment,
}

impl Driver {
    pub fn new(store: MemoryStore, directory: Directory, number: u32, keep: bool) -> Self {
        let key = key(number);
        let meta = block_on(store.meta()).expect("a new store has a meta");
        let node = key.node();
        let seat = directory.node(node).expect("the node is in the directory").seat;
        let config = Config::new(catalogue());
        let mut start = Start::new(node, seat, directory, meta, (key, Arc::new(Ed25519)), [7; 32], &config);
        start.sealing = Some(Arc::new(sealing(number)));
        let engine = Engine::new(config, start);
        Driver { engine, store, transactions: Vec::new(), keep, sent: VecDeque::new(), now: Moment::default() }
    }

    /// Carries out an input and all that follows from it.
    pub fn handle(&mut self, input: Input) -> Vec<Reply> {
        self.handle_all(VecDeque::from([input]))
    }

    /// As [`Driver::handle`], for inputs that come at once.
    fn handle_all(&mut self, mut inputs: VecDeque<Input>) -> Vec<Reply> {
        let mut replies = Vec::new();
        while let Some(input) = inputs.pop_front() {
            for effect in self.engine.handle(input, self.now) {
                match effect {
                    Effect::Apply(transaction) => {
                        let result = block_on(self.store.apply(&transaction));
                        inputs.push_back(Input::Applied(result));
                        if self.keep {
                            self.transactions.push(*transaction);
                        }
                    }
                    Effect::Send { frame, .. } => self.sent.push_back(frame),
                    Effect::Reply { reply, .. } => replies.push(reply),
                    Effect::Close { why, .. } => panic!("the link closed: {why:?}"),
                    Effect::Notice(_) => {}
                    effect => inputs.extend(block_on(carry_out(&self.store, effect))),
                }
            }
        }
        replies
    }

    /// Gives commands; all must be carried out.
    pub fn execute(&mut self, requests: impl IntoIterator<Item = Request>) {
        let inputs = (0..).zip(requests).map(|(i, request)| Input::Execute {
            ticket: Ticket(i),
            request,
            is_guessable: false,
            trial: Trial::No,
            role: String::new(),
            today: TODAY,
            sight: Sight::WHOLE,
        });
        for reply in self.handle_all(inputs.collect()) {
            assert!(matches!(reply, Reply::Done(_)), "a command was not carried out: {reply:?}");
        }
    }
}

/// Hands all frames of one driver to another and back until both are silent.
pub fn connect(dialer: &mut Driver, listener: &mut Driver, link: LinkId) -> usize {
    dialer.handle(Input::LinkUp { link, dialer: true, peer: None });
    listener.handle(Input::LinkUp { link, dialer: false, peer: None });
    let mut frames = 0;
    loop {
        let Some(frame) = dialer.sent.pop_front() else {
            let Some(frame) = listener.sent.pop_front() else { break };
            frames += 1;
            dialer.handle(Input::Frame { link, frame });
            continue;
        };
        frames += 1;
        listener.handle(Input::Frame { link, frame });
    }
    dialer.handle(Input::LinkDown { link });
    listener.handle(Input::LinkDown { link });
    frames
}

pub fn memory(n: u8) -> MemoryStore {
    MemoryStore::open(heliu_storage::StoreId([n; 16]), heliu_trust::id::Incarnation([n; 16]))
}
