//! Where hostile deliveries are made: one record, one incarnation of an enrolled author, and a pen that writes anything.

use std::sync::Arc;

use heliu_record::change::{Change, Container, Draft, Note, OpId, Scalar, hash_of};
use heliu_record::hash::{hash, hash16};
use heliu_record::history::History;
use heliu_record::id::{Actor, ChangeHash, LeafHash, Preimage};
use heliu_record::scope;
use heliu_replication::frame::{DeliveredLeaf, Delivery};
use heliu_trust::commit::{Commit, SignedCommit, leaf_hash, signed_message};
use heliu_trust::id::{CommitId, Incarnation, actor};
use heliu_trust::signature::Signer;

use super::Hostile;
use crate::author::Author;
use crate::chunk::Chunk;

pub struct Desk<'a> {
    pub author: &'a Author,
    pub name: &'static str,
    pub incarnation: Incarnation,
    pub preimage: Arc<Preimage>,
    /// The honest changes so far.
    pub history: History,
    pub seq: u64,
    pub kind_version: u32,
    previous: Option<CommitId>,
    honest: usize,
    pub delivery: Delivery,
}

impl<'a> Desk<'a> {
    /// A new record, and nothing of it.
    #[must_use]
    pub fn empty(author: &'a Author, name: &'static str) -> Self {
        let key = hash16("hostile record", &[name.as_bytes(), &author.run.to_le_bytes()]).to_vec();
        Desk {
            author,
            name,
            incarnation: author.incarnation(name),
            preimage: Arc::new(Preimage { kind: "org".to_owned(), birth: author.seat, key }),
            history: History::new(),
            seq: 0,
            kind_version: 1,
            previous: None,
            honest: 0,
            delivery: Delivery::default(),
        }
    }

    /// A new record with its honest first change.
    #[must_use]
    pub fn new(author: &'a Author, name: &'static str) -> Self {
        let mut desk = Desk::empty(author, name);
        let birth = desk.birth();
        desk.write(&birth);
        desk
    }

    #[must_use]
    pub fn actor(&self) -> Actor {
        actor(&self.author.signer.node(), &self.incarnation)
    }

    #[must_use]
    pub fn birth(&self) -> Change {
        Change::encode(self.birth_draft())
    }

    #[must_use]
    pub fn birth_draft(&self) -> Draft {
        let owner = Scalar::Bytes(self.author.seat.0.to_vec());
        self.draft(vec![
            (Container::Scope, scope::OWNER, owner),
            (Container::Scope, scope::CLASS, "scoped".into()),
            (Container::Mv, "name", self.name.into()),
        ])
    }

    /// Honest puts on top of everything written so far. The time makes it a change of its own.
    #[must_use]
    pub fn draft(&self, puts: Vec<(Container, &str, Scalar)>) -> Draft {
        let nonce = hash("hostile time", &[self.name.as_bytes(), &self.author.run.to_le_bytes()]);
        let seen =
            |container, key| -> Vec<OpId> { self.history.visible(container, key).iter().map(|v| v.id).collect() };
        Draft {
            actor: self.actor(),
            seq: self.history.seq(self.actor()) + 1,
            deps: self.history.heads(),
            start_op: self.history.max_op() + 1,
            time_ms: i64::from_le_bytes([nonce[0], nonce[1], nonce[2], nonce[3], nonce[4], 0, 0, 0]),
            note: Note::default(),
            puts: puts
                .into_iter()
                .map(|(container, key, value)| (container, key.to_owned(), value, seen(container, key)))
                .collect(),
        }
    }

    /// An edit that the owner may make.
    #[must_use]
    pub fn edit(&self) -> Draft {
        self.draft(vec![(Container::Mv, "name", Scalar::Text(format!("{} {}", self.name, self.seq)))])
    }

    /// An honest edit as a chunk, to be spoilt.
    ///
    /// # Panics
    /// Never: a change that was just encoded can be taken apart.
    #[must_use]
    pub fn chunk(&self) -> Chunk {
        Chunk::read(&Change::encode(self.edit()).raw).expect("an encoded change is a chunk")
    }

    /// Signs an honest change as the next commit.
    pub fn write(&mut self, change: &Change) {
        self.sign(&change.raw);
        self.honest += 1;
        self.history.place(Arc::new(change.clone()));
    }

    /// Signs any bytes as the next commit.
    pub fn sign(&mut self, raw: &[u8]) {
        self.sign_with(raw, |_| {});
    }

    /// The same, and spoils the commit before it is signed.
    pub fn sign_with(&mut self, raw: &[u8], spoil: impl FnOnce(&mut Commit)) {
        let mut commit = self.next_commit(raw);
        spoil(&mut commit);
        let signed = signed(commit, &*self.author.signer);
        self.deliver(signed, raw);
    }

    /// The next commit, of one leaf.
    #[must_use]
    pub fn next_commit(&mut self, raw: &[u8]) -> Commit {
        self.seq += 1;
        let leaves = vec![self.leaf(raw, self.seq)];
        Commit {
            realm: self.author.realm,
            author: self.author.signer.node(),
            incarnation: self.incarnation,
            seq: self.seq,
            previous: self.previous,
            versions: self.author.versions.clone(),
            time_ms: 0,
            leaves,
        }
    }

    #[must_use]
    pub fn leaf(&self, raw: &[u8], commit_seq: u64) -> LeafHash {
        // What is no change has no hash; any will do.
        let change = hash_of(raw).unwrap_or_else(|| ChangeHash(hash("no change", &[raw])));
        leaf_hash(&self.preimage.id(), &change, self.kind_version, commit_seq, &self.author.versions)
    }

    pub fn deliver(&mut self, commit: SignedCommit, raw: &[u8]) {
        self.deliver_all(commit, &[raw]);
    }

    /// Changes that one commit signs.
    pub fn deliver_all<C: AsRef<[u8]>>(&mut self, commit: SignedCommit, changes: &[C]) {
        self.previous = Some(commit.id);
        let (commit_at, kind_version) = (self.delivery.commits.len(), self.kind_version);
        self.delivery.commits.push(Arc::new(commit));
        self.delivery.leaves.extend(changes.iter().map(|raw| {
            let (preimage, change) = (Arc::clone(&self.preimage), raw.as_ref().into());
            DeliveredLeaf { preimage, commit: commit_at, kind_version, declared: None, change }
        }));
    }

    #[must_use]
    pub fn done(self, expect_code: &'static str) -> Hostile {
        Hostile { name: self.name, expect_code, honest: self.honest, delivery: self.delivery }
    }
}

/// Signs a commit whether or not it keeps its bounds.
#[must_use]
pub fn signed(commit: Commit, signer: &dyn Signer) -> SignedCommit {
    let id = commit.id();
    let signature = signer.sign(&signed_message(&id));
    SignedCommit { commit, id, signature }
}

/// An honest edit spoilt as a chunk, and signed.
pub fn spoilt(author: &Author, name: &'static str, code: &'static str, spoil: impl FnOnce(&mut Chunk)) -> Hostile {
    let mut desk = Desk::new(author, name);
    let mut chunk = desk.chunk();
    spoil(&mut chunk);
    desk.sign(&chunk.write());
    desk.done(code)
}

/// Honest in form, wrong in what it says.
pub fn misdrafted(author: &Author, name: &'static str, code: &'static str, spoil: impl FnOnce(&mut Draft)) -> Hostile {
    let mut desk = Desk::new(author, name);
    let mut draft = desk.edit();
    spoil(&mut draft);
    desk.sign(&Change::encode(draft).raw);
    desk.done(code)
}

/// Bytes signed as they are.
pub fn raw(
    author: &Author,
    name: &'static str,
    code: &'static str,
    make: impl FnOnce(&Desk<'_>) -> Vec<u8>,
) -> Hostile {
    let mut desk = Desk::new(author, name);
    let bytes = make(&desk);
    desk.sign(&bytes);
    desk.done(code)
}
