//! How the directory grows in a batch of its own: by entries that came, by what this node's administrator or new machines
//! ask for if the issuer's key is here, and then what follows for the records: fences and decisions of the root have them
//! judged again, a few at a time, and only those that changed stay open.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::command::Refusal;
use heliu_record::id::{LeafHash, RecordId};
use heliu_record::reason::Facts;
use heliu_trust::directory::{Directory, DirectoryError, Fence, Grown, Item, SignedEntry, limits};
use heliu_trust::id::{NodeId, TokenId};
use heliu_trust::token::{JoinError, JoinRequest, judge_join};

use super::super::enrolment::{JoinAsker, has_joined, is_final, refused};
use super::super::forks::{Fork, NotGrown};
use super::super::open::Open;
use super::super::strangers::Strangers;
use super::super::{By, Replica};
use super::Batch;
use crate::effect::{AuditEvent, Done, LoadReply, LoadRequest, Moment, Notice, Reply, Ticket};

/// Records that are read at once to be judged again.
const CHUNK: usize = 128;

/// Which records the directory's growth has judged again, or looked at.
#[derive(Default)]
pub(super) struct Again {
    /// Records of these are to be looked up; or all.
    authors: BTreeSet<NodeId>,
    everything: bool,
    /// The root decided a fork: seats may have gone.
    replaced: bool,
    queue: BTreeSet<RecordId>,
    /// Their audience changes, whatever else does.
    forced: BTreeSet<RecordId>,
    /// Read for this alone, and so by the new directory.
    fresh: BTreeSet<RecordId>,
}

/// Join requests that this batch enters, all in one entry.
#[derive(Default)]
pub(super) struct Entering {
    items: Vec<Item>,
    nodes: BTreeSet<NodeId>,
    tokens: BTreeMap<TokenId, NodeId>,
    askers: Vec<(JoinAsker, TokenId)>,
}

impl Batch {
    pub(super) fn extend(&mut self, entries: &[SignedEntry], by: By, replica: &mut Replica, now: Moment) {
        if let By::Ticket(ticket, _) = &by
            && let Some(entry) = entries.iter().find(|entry| is_outdated(entry, &replica.directory))
        {
            self.outcome.replies.push((*ticket, Reply::Refused(outdated(entry.entry.index))));
            return;
        }
        let before = replica.directory.head();
        let result = self.grow(entries, replica, now);
        match by {
            By::Link(link) => self.outcome.extended.push((link, result)),
            By::Ticket(ticket, event) => {
                // Entries before one that is not good are taken.
                let has_grown = replica.directory.head() != before;
                if let Some(event) = event.filter(|_| result.is_ok() || has_grown) {
                    self.audit(event, replica, now);
                }
                let done = |()| Reply::Done(Done::default());
                let reply = result.map_or_else(|error| Reply::BadEntries(error.words()), done);
                self.outcome.replies.push((ticket, reply));
            }
        }
    }

    /// Takes entries up to the first that is not good.
    fn grow(&mut self, entries: &[SignedEntry], replica: &mut Replica, now: Moment) -> Result<(), NotGrown> {
        let before = replica.directory.clone();
        let mut from = before.len();
        let mut result = Ok(());
        for entry in entries {
            match grow_by(entry, replica) {
                Ok(Grown::Nothing) => {}
                Ok(grown) => {
                    if let Grown::Replaced { from: cut } = grown {
                        from = from.min(cut);
                        (self.again.everything, self.again.replaced) = (true, true);
                        replica.strangers = Strangers::default();
                        replica.know_actors();
                    }
                    self.follow(entry, replica);
                }
                Err(error) => {
                    if let NotGrown::Forked { index } = error {
                        self.note_fork(index, entry, replica, now);
                    }
                    result = Err(error);
                    break;
                }
            }
        }
        if replica.directory.head() != before.head() {
            let is_replaced = from < before.len();
            let added = replica.directory.entries_from(from).iter();
            self.transaction.directory = added.map(|entry| entry.encode()).collect();
            self.transaction.directory_from = is_replaced.then_some(from);
            self.outcome.replaced_from = is_replaced.then_some(from);
            self.outcome.directory_grew = true;
            if replica.directory.verdicts() != before.verdicts() {
                self.judge_statements(replica);
            }
            replica.audiences.look_again();
            self.grown_from = Some(before);
        }
        result
    }

    /// What an entry that was taken means for this node.
    fn follow(&mut self, entry: &SignedEntry, replica: &mut Replica) {
        for item in &entry.entry.items {
            match item {
                Item::Seat(seat) => {
                    let named = replica.strangers.introduce(seat.id);
                    self.again.forced.extend(&named);
                    self.again.queue.extend(named);
                }
                Item::Node { node, .. } => {
                    replica.learnt.insert(*node);
                }
                Item::Fence(fence) => {
                    self.again.authors.insert(fence.node);
                }
                Item::Resolve { .. } => replica.fork = None,
                _ => {}
            }
        }
    }

    fn note_fork(&mut self, index: u64, other: &SignedEntry, replica: &mut Replica, now: Moment) {
        if replica.fork.is_some() {
            return;
        }
        let Some((ours, theirs)) = replica.directory.evidence(other) else { return };
        replica.fork = Some(Fork { ours: ours.version, theirs: theirs.clone(), since_tick: now.tick_ms });
        self.outcome.forked = Some(theirs);
        self.outcome.notices.push(Notice::DirectoryForked { index });
    }

    /// The entry that the administrator wants, entered if one signature is enough.
    pub(super) fn draft(
        &mut self,
        ticket: Ticket,
        items: &[Item],
        event: AuditEvent,
        replica: &mut Replica,
        now: Moment,
    ) {
        let drafted = self.drafted(items, replica, now);
        if drafted.is_ok() {
            self.audit(event, replica, now);
        }
        let reply = drafted.unwrap_or_else(Reply::Refused);
        self.outcome.replies.push((ticket, reply));
    }

    fn drafted(&mut self, items: &[Item], replica: &mut Replica, now: Moment) -> Result<Reply, Refusal> {
        let issuer = replica.issuer().ok_or_else(no_issuer)?;
        if replica.fork.is_some() {
            return Err(forked());
        }
        let entry = replica.directory.draft(items.to_vec(), now.wall_ms, &[&*issuer]).map_err(|e| not_drawn_up(&e))?;
        let entered = !replica.directory.needs_second(items);
        if entered && let Err(error) = self.grow(std::slice::from_ref(&entry), replica, now) {
            return Err(match error {
                NotGrown::Bad(error) => not_drawn_up(&error),
                _ => forked(),
            });
        }
        Ok(Reply::Drafted { entry: Box::new(entry), entered })
    }

    /// A fence with what is known here of the node as its frontier, or, with `nothing`, without one.
    pub(super) fn fence_of(&self, node: NodeId, nothing: bool, excluded: Vec<LeafHash>) -> Result<Item, Refusal> {
        let known = if nothing { None } else { self.looked.chains.get(&node) };
        let frontier = known.cloned().unwrap_or_default();
        if frontier.len() > limits::FRONTIER {
            return Err(too_many_incarnations(node, frontier.len()));
        }
        Ok(Item::Fence(Fence::new(node, frontier, excluded)))
    }

    /// A machine asks to become a node. Whoever cannot enter it passes it up.
    pub(super) fn join(&mut self, asker: JoinAsker, request: Box<JoinRequest>, replica: &mut Replica, now: Moment) {
        let token = request.token.id;
        let node = request.node(replica.verifier.scheme());
        if has_joined(&replica.directory, token, node) {
            return self.joined(asker);
        }
        let is_issuer = replica.issuer().is_some();
        let refuse = |outcome: &mut super::Outcome, error: JoinError| {
            outcome.join_refused.push((asker, refused(token, error.code(), &error.facts())));
        };
        match judge_join(&request, &replica.directory, now.wall_ms, &*replica.verifier) {
            Err(error) if is_issuer || is_final(&error) => refuse(&mut self.outcome, error),
            _ if !is_issuer => self.outcome.pass_up.push((asker, request)),
            _ if replica.fork.is_some() => {
                self.outcome.join_refused.push((asker, refused(token, "join.forked", &Facts::none())));
            }
            Err(error) => refuse(&mut self.outcome, error),
            Ok(item) => {
                match self.entering.tokens.get(&token) {
                    Some(used) if *used == node => return self.entering.askers.push((asker, token)),
                    Some(used) => return refuse(&mut self.outcome, JoinError::Used { node: *used }),
                    None if self.entering.nodes.contains(&node) => {
                        return refuse(&mut self.outcome, JoinError::NodeTwice(node));
                    }
                    None => {}
                }
                self.entering.items.push(item);
                if replica.directory.needs_second(&self.entering.items) {
                    self.entering.items.pop();
                    return refuse(&mut self.outcome, JoinError::NeedsSecondSignature);
                }
                self.entering.nodes.insert(node);
                self.entering.tokens.insert(token, node);
                self.entering.askers.push((asker, token));
            }
        }
    }

    fn joined(&mut self, asker: JoinAsker) {
        // Others hear it by the directory.
        if let JoinAsker::Ticket(ticket) = asker {
            self.outcome.replies.push((ticket, Reply::Joined));
        }
    }

    /// Enters whoever asked in this batch, in one entry.
    pub(super) fn enter(&mut self, replica: &mut Replica, now: Moment) {
        let Entering { items, askers, .. } = std::mem::take(&mut self.entering);
        let Some(issuer) = replica.issuer().filter(|_| !items.is_empty()) else { return };
        let drafted = replica.directory.draft(items, now.wall_ms, &[&*issuer]).map_err(NotGrown::from);
        match drafted.and_then(|entry| self.grow(&[entry], replica, now)) {
            Ok(()) => askers.into_iter().for_each(|(asker, _)| self.joined(asker)),
            Err(error) => {
                let refusals = askers.into_iter();
                let refused = |token| refused(token, error.join_code(), &Facts::none());
                let refusals = refusals.map(|(asker, token)| (asker, refused(token)));
                self.outcome.join_refused.extend(refusals);
            }
        }
    }

    /// What the store answered of who wrote what.
    pub(super) fn take_authors(&mut self, asked: &LoadRequest, reply: &mut LoadReply) {
        for author in &asked.written_by {
            self.again.authors.remove(author);
        }
        self.again.everything &= !asked.all;
        self.again.queue.extend(std::mem::take(&mut reply.written));
        self.again.queue.extend(std::mem::take(&mut reply.all));
    }

    /// Judges again what the directory's growth concerns. What is missing to go on is returned.
    pub(super) fn judge_again(&mut self, replica: &mut Replica) -> LoadRequest {
        if self.again.everything {
            self.again.authors.clear();
            return LoadRequest { all: true, ..LoadRequest::default() };
        }
        if !self.again.authors.is_empty() {
            return LoadRequest { written_by: self.again.authors.clone(), ..LoadRequest::default() };
        }
        while let Some(record) = self.again.queue.first().copied() {
            if let Some(open) = replica.open.remove(&record) {
                self.again.queue.remove(&record);
                self.judge_record(open, replica);
            } else if self.is_gone(record, replica) {
                self.again.queue.remove(&record);
            } else {
                let is_read = |id: &&RecordId| !replica.open.contains_key(*id) && !self.is_gone(**id, replica);
                let records: BTreeSet<RecordId> =
                    self.again.queue.iter().filter(is_read).take(CHUNK).copied().collect();
                self.again.fresh.extend(&records);
                return LoadRequest { records, ..LoadRequest::default() };
            }
        }
        LoadRequest::default()
    }

    /// There is nothing of it that could be read.
    fn is_gone(&self, record: RecordId, replica: &Replica) -> bool {
        self.looked.absent.contains(&record) || replica.damage.has_no_row(record)
    }

    fn judge_record(&mut self, mut open: Open, replica: &mut Replica) {
        let record = open.id();
        let is_fresh = self.again.fresh.remove(&record);
        if !is_fresh {
            let changed = open.leaves.judge_again(&replica.directory);
            open.restated.extend(changed.into_iter().map(|(leaf, _)| leaf));
        }
        let seats = replica.directory.seats();
        let seats_before = self.grown_from.as_ref().map_or(seats, heliu_trust::directory::Directory::seats);
        let has_moved = self.again.replaced && {
            let now = open.relay_scope(&replica.directory);
            now != open.row.scope || now.audience(seats) != open.row.scope.audience(seats_before)
        };
        if !open.restated.is_empty() || has_moved || self.again.forced.contains(&record) {
            self.touch(&open);
            if is_fresh && let Some(before) = self.touched.get_mut(&record) {
                before.refs = None;
            }
            // While nobody shares the history, it grows in place.
            open.record = None;
            self.unfolded.insert(record);
        } else if self.again.replaced {
            replica.strangers.note(record, &open.row.scope, seats);
        }
        if !is_fresh || self.touched.contains_key(&record) {
            replica.open.insert(record, open);
        }
    }
}

/// Takes an entry, unless nothing new is taken before the root has decided.
fn grow_by(entry: &SignedEntry, replica: &mut Replica) -> Result<Grown, NotGrown> {
    let verifier = Arc::clone(&replica.verifier);
    let directory = &mut replica.directory;
    let is_new = entry.entry.index >= directory.len();
    if is_new && replica.fork.is_some() && !entry.is_signed_by(directory.root()) {
        return Err(NotGrown::Frozen);
    }
    Ok(directory.append(entry, &*verifier)?)
}

/// Whether it was drawn up on an older directory. A person who hands that in has made a slip: it is no evidence of two hands
/// that hold one key, and must not stop everybody. On a link it would be.
fn is_outdated(signed: &SignedEntry, directory: &Directory) -> bool {
    signed.entry.index < directory.len()
        && directory.index_of(signed.version).is_none()
        && !signed.entry.items.iter().any(|item| matches!(item, Item::Resolve { .. }))
}

fn outdated(index: u64) -> Refusal {
    Refusal::new(
        "outdated_entry",
        (
            format!("名录已有别的第 {index} 条,这一条未登记。"),
            format!("The directory has another entry {index} already: this one was not entered."),
        ),
        ("它是按较早的名录拟制的。", "It was drawn up on an older directory."),
        (
            "请取最新的名录(heliu directory save),按它重新拟制、签署。",
            "Get the newest directory (heliu directory save), and draw it up and sign it anew on that.",
        ),
    )
}

fn no_issuer() -> Refusal {
    Refusal::new(
        "no_issuer",
        ("本节点不能签署名录。".to_owned(), "This node cannot sign entries of the directory.".to_owned()),
        (
            "签署密钥不在本节点,或已被根密钥更换。",
            "The issuer's key is not here, or the root has replaced it by another.",
        ),
        (
            "请在县级持有签署密钥的节点办理(配置 issuer_key_file)。",
            "Do it at the county's node that holds the issuer's key (issuer_key_file in its configuration).",
        ),
    )
}

fn forked() -> Refusal {
    Refusal::new(
        "directory_forked",
        ("名录已分叉,暂停增长。".to_owned(), "The directory is forked, and grows no more.".to_owned()),
        ("同一位置有两个签署的条目。", "There are two signed entries for one place."),
        ("请由持有根密钥的人裁决。", "Whoever holds the root key has to decide."),
    )
}

fn not_drawn_up(error: &DirectoryError) -> Refusal {
    let why = error.words();
    Refusal::new(
        error.code(),
        (format!("名录条目无法登记:{}。", why.zh), format!("The entry cannot be made: {}.", why.en)),
        ("它不符合名录的规则。", "It does not keep the directory's rules."),
        (
            "请核对后重试;需要根密钥的事项请用根密钥签署。",
            "Check it. What needs the root's signature is signed offline.",
        ),
    )
}

fn too_many_incarnations(node: NodeId, count: usize) -> Refusal {
    let (short, max) = (node.short(), limits::FRONTIER);
    Refusal::new(
        "frontier_too_long",
        (
            format!("节点 {short} 有 {count} 个写入期,隔离边界最多记录 {max} 个。"),
            format!("Node {short} has written in {count} incarnations; a fence can name {max}."),
        ),
        ("未列出的写入期将全部失效。", "What is not named would not count any more."),
        ("请改用不保留任何内容的隔离,或联系支持。", "Fence it without a frontier, or ask for support."),
    )
}
