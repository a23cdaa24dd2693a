//! What happened, as two hashes and, if somebody wants to read it, as words. The exact hash holds everything that was sent
//! and made durable; the shape leaves out whatever wall-clock time could reach: contents, and so hashes of contents.

use heliu_replication::frame::{Frame, RangeContent};
use heliu_storage::{FeedEntry, Transaction};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Digest(u64);

impl Digest {
    fn take(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
}

pub struct Trace {
    exact: Digest,
    shape: Digest,
    words: Option<Vec<String>>,
}

/// The hashes of a whole schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    pub exact: u64,
    pub shape: u64,
}

impl Trace {
    #[must_use]
    pub fn new(with_words: bool) -> Self {
        Trace { exact: Digest(1), shape: Digest(2), words: with_words.then(Vec::new) }
    }

    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint { exact: self.exact.0, shape: self.shape.0 }
    }

    pub fn say(&mut self, now: u64, words: impl FnOnce() -> String) {
        if let Some(all) = &mut self.words {
            all.push(format!("{:>8.3} s  {}", seconds(now), words()));
        }
    }

    #[must_use]
    pub fn words(&self) -> &[String] {
        self.words.as_deref().unwrap_or_default()
    }

    /// Something at a machine, as numbers that no clock has touched.
    pub fn note(&mut self, now: u64, machine: usize, what: u64, how_much: u64) {
        for number in [now, machine as u64, what, how_much] {
            self.exact.take(number);
            self.shape.take(number);
        }
    }

    pub fn frame(&mut self, now: u64, machine: usize, frame: &Frame) {
        let (kind, count) = match frame {
            Frame::Hello(hello) => (1, hello.directory_len),
            Frame::Refuse(why) => (2, why.code as u64),
            Frame::Directory(entries) => (3, entries.len() as u64),
            Frame::Welcome(welcome) => (4, welcome.cursor.map_or(0, |c| c.position + 1)),
            Frame::Reconcile(message) => (5, message.ranges.len() as u64 * 8 + message.turn as u64),
            Frame::Possession(of) => (17, of.records.iter().map(|of| 1 + of.hashes.len() as u64).sum()),
            Frame::Have(have) => (6, have.records.iter().map(|(_, leaves)| 1 + leaves.len() as u64).sum()),
            Frame::Leaves(leaves) => {
                (7, (leaves.delivery.leaves.len() + leaves.delivery.grants.len() + leaves.withdrawn.len()) as u64)
            }
            Frame::Ack { sequence } => (8, *sequence),
            Frame::Refused(leaves) => (9, leaves.len() as u64),
            Frame::Checkpoint(checkpoint) => (11, checkpoint.mine * 1_000 + checkpoint.yours),
            Frame::Verdict(verdict) => (12, *verdict as u64),
            Frame::Unknown | Frame::Clock(_) => (13, 0),
            Frame::Outside(outside) => (18, (outside.records.len() + outside.no_longer.len()) as u64),
            Frame::Statements(statements) => (14, (statements.have.len() + statements.statements.len()) as u64),
            Frame::Join(request) => (15, request.len() as u64),
            Frame::JoinRefused(refused) => (16, refused.code.len() as u64),
        };
        self.note(now, machine, kind, count);
        match frame {
            Frame::Leaves(leaves) => leaves.delivery.leaves.iter().for_each(|leaf| self.bytes(&leaf.change)),
            Frame::Checkpoint(checkpoint) => self.bytes(&checkpoint.sums.held.0),
            Frame::Reconcile(message) => {
                for range in &message.ranges {
                    if let RangeContent::Fingerprint { sum, .. } = &range.content {
                        self.bytes(&sum.0);
                    }
                }
            }
            _ => {}
        }
    }

    pub fn applied(&mut self, now: u64, machine: usize, transaction: &Transaction) {
        self.note(now, machine, 20, transaction.feed.len() as u64);
        self.note(now, machine, 21, transaction.conflicts_opened.len() as u64);
        for entry in &transaction.feed {
            if let FeedEntry::Leaf(row) = entry {
                self.exact.take(row.status as u64);
                self.shape.take(row.status as u64);
                self.bytes(&row.change);
            }
        }
        for row in &transaction.records {
            self.bytes(&row.held.0);
            self.bytes(&row.view);
        }
    }

    /// A few of the bytes: automerge puts a checksum at the beginning of a change.
    fn bytes(&mut self, bytes: &[u8]) {
        self.exact.take(bytes.len() as u64);
        for chunk in bytes.chunks(8).take(3) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.exact.take(u64::from_le_bytes(word));
        }
    }
}

/// Simulated milliseconds as seconds, for people.
#[expect(clippy::cast_precision_loss, reason = "a schedule is minutes long")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}
