//! Test helpers: a small county with nodes that write one record. The stories are in the tests of each module.

use heliu_record::change::{Change, Container, Draft, Note, OpId, Scalar};
use heliu_record::history::History;
use heliu_record::id::{Actor, ChangeHash, Preimage, SeatId};
use heliu_record::scope;
use heliu_record::seats::{Seat, Tier};

use crate::admission::Leaf;
use crate::commit::{Commit, SignedCommit, leaf_hash};
use crate::directory::{Directory, Item};
use crate::id::{CommitId, DirectoryVersion, Incarnation, RealmId, actor, realm_id, seat_id};
use crate::signature::{SealingKey, Signer};
use crate::simulated::{Cheap, CheapKey};

pub const ROOT: CheapKey = CheapKey([101; 32]);
pub const ISSUER: CheapKey = CheapKey([1; 32]);
pub const COUNTY: Author = Author::new(2, "371726000000");
pub const TOWNSHIP: Author = Author::new(3, "371726101000");
pub const VILLAGE: Author = Author::new(4, "371726101201");
/// In the same township; the record is none of its business.
pub const STRANGER: Author = Author::new(5, "371726101202");

/// A node at one incarnation.
#[derive(Clone, Copy)]
pub struct Author {
    pub key: CheapKey,
    pub code: &'static str,
    pub incarnation: Incarnation,
}

impl Author {
    const fn new(key: u8, code: &'static str) -> Self {
        Author { key: CheapKey([key; 32]), code, incarnation: Incarnation([key; 16]) }
    }

    pub fn restarted(self) -> Self {
        Author { incarnation: Incarnation([self.incarnation.0[0] + 100; 16]), ..self }
    }

    pub fn actor(&self) -> Actor {
        actor(&self.key.node(), &self.incarnation)
    }

    pub fn seat(&self) -> SeatId {
        seat_id(&realm(), self.code)
    }

    fn enrolled(&self) -> Item {
        Item::enrol(&self.key, self.seat(), SealingKey(self.key.0), Vec::new())
    }
}

pub fn realm() -> RealmId {
    realm_id(&ROOT.public_key(), "story")
}

/// Entry 0: the seats and their nodes. Entries 1 and 2: a village more, each.
pub fn directory() -> Directory {
    let seat = |code: &str, parent: Option<&str>, tier| {
        let parent = parent.map(|code| seat_id(&realm(), code));
        Item::Seat(Seat { id: seat_id(&realm(), code), code: code.to_owned(), name: code.to_owned(), parent, tier })
    };
    let village = |code| seat(code, Some(TOWNSHIP.code), Tier::Village);
    let first = vec![
        seat(COUNTY.code, None, Tier::County),
        seat(TOWNSHIP.code, Some(COUNTY.code), Tier::Township),
        village(VILLAGE.code),
        village(STRANGER.code),
        COUNTY.enrolled(),
        TOWNSHIP.enrolled(),
        VILLAGE.enrolled(),
        STRANGER.enrolled(),
        Item::Issuer { key: ISSUER.public_key() },
    ];
    let mut directory = Directory::new(realm(), ROOT.public_key());
    for items in [first, vec![village("371726101203")], vec![village("371726101204")]] {
        let signer = if directory.is_empty() { ROOT } else { ISSUER };
        let entry = directory.draft(items, 0, &[&signer]).expect("drafts");
        directory.append(&entry, &Cheap).expect("appends");
    }
    directory
}

pub fn version(directory: &Directory, index: u64) -> DirectoryVersion {
    directory.entries_from(index)[0].version
}

fn versions(directory: &Directory, index: u64) -> Vec<(SeatId, DirectoryVersion)> {
    vec![(directory.county().expect("has one"), version(directory, index))]
}

/// A record born in the village.
pub fn preimage() -> Preimage {
    Preimage { kind: "org".to_owned(), birth: VILLAGE.seat(), key: vec![1; 16] }
}

/// What a test varies about a leaf.
#[derive(Clone, Copy)]
pub struct How {
    pub commit_seq: u64,
    pub directory_index: u64,
    pub kind_version: u32,
}

pub const PLAIN: How = How { commit_seq: 1, directory_index: 0, kind_version: 1 };

pub fn commit(
    author: &Author,
    leaves: Vec<heliu_record::id::LeafHash>,
    how: How,
    directory: &Directory,
) -> SignedCommit {
    let commit = Commit {
        realm: realm(),
        author: author.key.node(),
        incarnation: author.incarnation,
        seq: how.commit_seq,
        previous: (how.commit_seq > 1).then_some(CommitId([0; 32])),
        versions: versions(directory, how.directory_index),
        time_ms: 0,
        leaves,
    };
    SignedCommit::sign(commit, &author.key)
}

/// The leaf of a change, signed alone and opened from its bytes as a receiver would.
pub fn leaf(author: &Author, change: &Change, how: How, directory: &Directory) -> Leaf {
    let record = preimage().id();
    let versions = versions(directory, how.directory_index);
    let hash = leaf_hash(&record, &change.hash, how.kind_version, how.commit_seq, &versions);
    let commit = commit(author, vec![hash], how, directory);
    Leaf::open(&commit, &record, how.kind_version, &change.raw, directory).expect("opens")
}

/// Changes, in a causal order, as a history; nothing is checked.
pub fn history<'c>(changes: impl IntoIterator<Item = &'c Change>) -> History {
    let mut history = History::new();
    changes.into_iter().for_each(|change| history.place(change.clone().into()));
    history
}

/// A draft of puts on top of `past` that replace what they see.
pub fn draft(author: &Author, past: &History, puts: Vec<(Container, String, Scalar)>) -> Draft {
    let replacing = |container, key: &str| -> Vec<OpId> { past.visible(container, key).iter().map(|v| v.id).collect() };
    Draft {
        actor: author.actor(),
        seq: past.seq(author.actor()) + 1,
        deps: past.heads(),
        start_op: past.max_op() + 1,
        time_ms: 0,
        note: Note::default(),
        puts: puts
            .into_iter()
            .map(|(container, key, value)| {
                let replaces = replacing(container, &key);
                (container, key, value, replaces)
            })
            .collect(),
    }
}

/// The village's first change: the record is its own.
pub fn birth() -> Change {
    let owner = Scalar::Bytes(VILLAGE.seat().0.to_vec());
    let puts = vec![
        (Container::Scope, scope::OWNER.to_owned(), owner),
        (Container::Scope, scope::CLASS.to_owned(), "scoped".into()),
        (Container::Mv, "name".to_owned(), "支部".into()),
    ];
    Change::encode(draft(&VILLAGE, &History::new(), puts))
}

/// An edit that owners and their superiors may make. `nonce` makes it one of its own.
pub fn edit_draft(author: &Author, past: &History, nonce: u64) -> Draft {
    let puts = vec![(Container::Mv, "name".to_owned(), Scalar::Text(format!("支部{nonce}")))];
    Draft { time_ms: nonce.cast_signed(), ..draft(author, past, puts) }
}

pub fn edit(author: &Author, past: &History, nonce: u64) -> Change {
    Change::encode(edit_draft(author, past, nonce))
}

pub const MISSING: ChangeHash = ChangeHash([0xee; 32]);
