//! The least work that a result takes: verify each signature (of commits, and of grants where something is sealed), parse and apply each change with automerge, and make the
//! rows durable. Measured over the very commits, changes and transactions that the case moves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use automerge::{Automerge, Change};
use heliu_record::change::genesis_change;
use heliu_record::history::History;
use heliu_storage::{FeedEntry, Store as _, Transaction};
use heliu_trust::admission::check_commits;
use heliu_trust::commit::SignedCommit;
use heliu_trust::directory::Directory;
use heliu_trust::ed25519::Ed25519;
use heliu_trust::grant::{SignedGrant, check_grants};

use crate::site::random;

pub struct Floor {
    pub verify: Duration,
    pub grants: usize,
    pub verify_grants: Duration,
    pub parse_and_apply: Duration,
    /// The same with the product's own merge, for comparison; it is not part of the floor.
    pub own_parse_and_apply: Duration,
    /// How many leaves share a signature.
    pub leaves_per_commit: f64,
    /// With the rows that the design writes.
    pub rows: Duration,
    /// With two rows for each leaf, their commits, and nothing else.
    pub two_rows: Duration,
}

impl Floor {
    /// `transactions` are those of a node that received everything.
    pub async fn measure(transactions: &[Transaction], directory: &Directory) -> Floor {
        let commits: Vec<Arc<SignedCommit>> = transactions
            .iter()
            .flat_map(|t| &t.commits)
            .map(|row| Arc::new(SignedCommit::decode(&row.encoded).expect("own commits decode")))
            .collect();
        let start = Instant::now();
        for batch in commits.chunks(512) {
            assert!(check_commits(batch, directory, &Ed25519).iter().all(Result::is_ok));
        }
        let verify = start.elapsed();

        let grants: Vec<SignedGrant> = transactions
            .iter()
            .flat_map(|t| &t.feed)
            .filter_map(
                |entry| if let FeedEntry::Grant(row) = entry { SignedGrant::decode(&row.grant).ok() } else { None },
            )
            .collect();
        let start = Instant::now();
        for batch in grants.chunks(512) {
            assert!(check_grants(batch, directory, &Ed25519).iter().all(Result::is_ok));
        }
        let verify_grants = start.elapsed();

        let mut genesis = Automerge::new();
        genesis.apply_changes([genesis_change()]).expect("the genesis applies");
        let changes: Vec<&[u8]> = transactions
            .iter()
            .flat_map(|t| &t.feed)
            .filter_map(|entry| if let FeedEntry::Leaf(row) = entry { Some(&*row.change) } else { None })
            .collect();
        let start = Instant::now();
        for raw in &changes {
            let change = Change::from_bytes(raw.to_vec()).expect("own changes parse");
            let mut document = genesis.clone();
            document.apply_changes([change]).expect("own changes apply");
        }
        let parse_and_apply = start.elapsed();
        let start = Instant::now();
        for raw in &changes {
            let change = heliu_record::change::Change::parse(raw).expect("own changes parse");
            let mut history = History::new();
            history.place(Arc::new(change));
        }
        let own_parse_and_apply = start.elapsed();
        let leaves_per_commit = changes.len() as f64 / commits.len().max(1) as f64;

        let rows = make_durable(transactions).await;
        let bare: Vec<Transaction> = transactions
            .iter()
            .map(|t| Transaction {
                feed: t.feed.clone(),
                records: t.records.clone(),
                commits: t.commits.clone(),
                ..Transaction::default()
            })
            .collect();
        let two_rows = make_durable(&bare).await;
        Floor {
            verify,
            grants: grants.len(),
            verify_grants,
            parse_and_apply,
            own_parse_and_apply,
            leaves_per_commit,
            rows,
            two_rows,
        }
    }

    /// All of it on so many cores, as if it could be spread over them without loss.
    pub fn on_cores(&self, cores: u32, rows: Duration) -> Duration {
        ((self.verify + self.verify_grants + self.parse_and_apply + rows) / cores).max(rows)
    }
}

/// In a store of its own: the time that it takes.
pub async fn make_durable(transactions: &[Transaction]) -> Duration {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let options =
        heliu_storage_sqlite::Options::new(heliu_storage::StoreId(random()), heliu_trust::id::Incarnation(random()));
    let store = heliu_storage_sqlite::SqliteStore::open(directory.path(), options).await.expect("the store opens");
    let start = Instant::now();
    for transaction in transactions {
        store.apply(transaction).await.expect("a transaction is taken");
    }
    let took = start.elapsed();
    store.close().await.expect("the store closes");
    took
}

/// What TLS cannot do without: to encrypt and to decrypt so many bytes once, on one core, with the cipher that nodes
/// choose, in records of the size that it has.
pub fn aead(bytes: u64) -> Duration {
    use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    const RECORD: u64 = 16 * 1024;
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("a key of this length"));
    let mut record = vec![7; usize::try_from(RECORD).unwrap_or_default()];
    let start = Instant::now();
    for number in 0..bytes.div_ceil(RECORD) {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(&number.to_le_bytes());
        let nonce = || Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce(), Aad::empty(), &mut record).expect("a record is short");
        key.open_in_place(nonce(), Aad::empty(), &mut record).expect("it was sealed just now");
        record.truncate(record.len() - AES_256_GCM.tag_len());
    }
    start.elapsed()
}

/// To seal each of these texts once, each with a key of its own.
pub fn seal_each(texts: &[String]) -> Duration {
    use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
    let start = Instant::now();
    for (number, text) in (0u64..).zip(texts) {
        let mut key = [7; 32];
        key[..8].copy_from_slice(&number.to_le_bytes());
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &key).expect("a key of this length"));
        let mut sealed = text.as_bytes().to_vec();
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        key.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed).expect("a text is short");
        std::hint::black_box(&sealed);
    }
    start.elapsed()
}

/// A bare fsync, for cases whose floor is one: the time of one, over so many.
pub fn fsync(times: u32) -> Duration {
    use std::io::Write as _;
    let mut file = tempfile::tempfile().expect("a temporary file");
    let start = Instant::now();
    for _ in 0..times {
        file.write_all(&[7; 4_096]).expect("writing works");
        file.sync_data().expect("syncing works");
    }
    start.elapsed() / times
}
