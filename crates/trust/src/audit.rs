//! The audit log: who did what, when, in a chain of hashes, so that an edit of any row shows. It never holds what was
//! read or written, only that it was.

use std::collections::BTreeMap;

use heliu_record::codec::{DecodeError, Encoder, Reader};
use heliu_record::hash::hash;

/// No text of a row is longer.
pub const TEXT_BYTES_MAX: usize = 2 * 1024;

/// One row. `seq` counts from 1 without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub seq: u64,
    pub time_ms: i64,
    /// The person or program, as it made itself known.
    pub who: String,
    /// By which right: `read`, `write`, `operate`, `audit`, `registry`.
    pub role: String,
    pub action: String,
    /// What the deed was done to: a record, a node, a seat, by its id.
    pub subject: String,
    pub detail: String,
}

impl AuditEntry {
    /// What is hashed: every field, and each in one way only.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.varint(self.seq).i64(self.time_ms);
        for text in [&self.who, &self.role, &self.action, &self.subject, &self.detail] {
            out.text(text);
        }
        out.0
    }

    /// Reads what [`AuditEntry::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader(bytes);
        let (seq, time_ms) = (reader.varint()?, reader.i64()?);
        let mut text = |what| reader.text(what, TEXT_BYTES_MAX).map(str::to_owned);
        let (who, role) = (text("who acted")?, text("a role")?);
        let (action, subject, detail) = (text("an action")?, text("a subject")?, text("a detail")?);
        reader.end()?;
        Ok(AuditEntry { seq, time_ms, who, role, action, subject, detail })
    }

    /// The hash that is kept with the row.
    #[must_use]
    pub fn hash(&self, previous: &[u8; 32]) -> [u8; 32] {
        hash("heliu audit 1", &[previous, &self.encode()])
    }
}

/// A place in the chain: the last row's number, and its hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditHead {
    pub seq: u64,
    pub hash: [u8; 32],
}

impl AuditHead {
    /// Before the first row.
    pub const START: AuditHead = AuditHead { seq: 0, hash: [0; 32] };

    /// The head after one more row.
    #[must_use]
    pub fn after(&self, entry: &AuditEntry) -> AuditHead {
        AuditHead { seq: entry.seq, hash: entry.hash(&self.hash) }
    }
}

/// The first row at which the chain is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("row {seq}: {what}")]
pub struct AuditError {
    pub seq: u64,
    pub what: AuditFault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditFault {
    /// Taken out, put in, or moved.
    #[error("another row is in its place")]
    Order,
    /// This row, or the hash of the row before, was edited.
    #[error("its hash does not match")]
    Hash,
    /// The chain fits together, but it is not the one whose head was reported: it was written anew.
    #[error("its hash is not the one that was reported")]
    Rewritten,
    #[error("it was reported, and is not there any more")]
    CutOff,
}

impl AuditFault {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            AuditFault::Order => "audit.order",
            AuditFault::Hash => "audit.hash",
            AuditFault::Rewritten => "audit.rewritten",
            AuditFault::CutOff => "audit.cut-off",
        }
    }
}

/// Goes through rows with the hashes kept beside them, from just after `from` to the end. `reported` are heads that were
/// told to others before, by their number; those before `from` cannot be judged.
pub fn verify(
    chain: impl IntoIterator<Item = (AuditEntry, [u8; 32])>,
    from: AuditHead,
    reported: &BTreeMap<u64, [u8; 32]>,
) -> Result<AuditHead, AuditError> {
    let mut head = from;
    check_reported(&head, reported)?;
    for (entry, kept) in chain {
        let seq = head.seq.saturating_add(1);
        if entry.seq != seq {
            return Err(AuditError { seq, what: AuditFault::Order });
        }
        head = head.after(&entry);
        if head.hash != kept {
            return Err(AuditError { seq, what: AuditFault::Hash });
        }
        check_reported(&head, reported)?;
    }
    match reported.range(head.seq.saturating_add(1)..).next() {
        Some((seq, _)) => Err(AuditError { seq: *seq, what: AuditFault::CutOff }),
        None => Ok(head),
    }
}

fn check_reported(head: &AuditHead, reported: &BTreeMap<u64, [u8; 32]>) -> Result<(), AuditError> {
    match reported.get(&head.seq) {
        Some(told) if *told != head.hash => Err(AuditError { seq: head.seq, what: AuditFault::Rewritten }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Row = (AuditEntry, [u8; 32]);

    fn chain(entries: impl IntoIterator<Item = AuditEntry>) -> Vec<Row> {
        let mut head = AuditHead::START;
        let row = |entry: AuditEntry| {
            head = head.after(&entry);
            (entry, head.hash)
        };
        entries.into_iter().map(row).collect()
    }

    fn entries(count: u64) -> Vec<AuditEntry> {
        let entry = |seq: u64| AuditEntry {
            seq,
            time_ms: seq.cast_signed() * 1_000,
            who: format!("clerk{}", seq % 3),
            role: "read".to_owned(),
            action: "reveal".to_owned(),
            subject: format!("{seq:064x}"),
            detail: String::new(),
        };
        (1..=count).map(entry).collect()
    }

    fn rows(count: u64) -> Vec<Row> {
        chain(entries(count))
    }

    fn fault(rows: Vec<Row>, reported: &[(u64, [u8; 32])]) -> Result<u64, (u64, AuditFault)> {
        let reported = reported.iter().copied().collect();
        let verdict = verify(rows, AuditHead::START, &reported);
        verdict.map(|head| head.seq).map_err(|error| (error.seq, error.what))
    }

    #[test]
    fn a_row_is_read_as_it_was_written() {
        for entry in entries(3) {
            assert_eq!(AuditEntry::decode(&entry.encode()), Ok(entry.clone()));
            let cut = entry.encode();
            assert!(AuditEntry::decode(&cut[..cut.len() - 1]).is_err());
        }
    }

    #[test]
    fn an_untouched_chain_is_found_so_from_any_place_on() {
        let all = rows(9);
        assert_eq!(fault(Vec::new(), &[]), Ok(0));
        assert_eq!(fault(all.clone(), &[(4, all[3].1), (9, all[8].1)]), Ok(9));
        let from = AuditHead { seq: 5, hash: all[4].1 };
        let earlier = [(2, [0; 32]), (5, all[4].1)].into();
        assert_eq!(verify(all[5..].to_vec(), from, &earlier), Ok(AuditHead { seq: 9, hash: all[8].1 }));
    }

    #[test]
    fn a_row_edited_taken_out_or_moved_is_found() {
        let mut edited = rows(9);
        edited[4].0.who = "nobody".to_owned();
        assert_eq!(fault(edited.clone(), &[]), Err((5, AuditFault::Hash)));
        edited[4].1 = edited[4].0.hash(&edited[3].1);
        assert_eq!(fault(edited, &[]), Err((6, AuditFault::Hash)), "its hash mended, the next row tells");
        let mut without = rows(9);
        without.remove(4);
        assert_eq!(fault(without.clone(), &[]), Err((5, AuditFault::Order)));
        (5..).zip(&mut without[4..]).for_each(|(seq, row)| row.0.seq = seq);
        assert_eq!(fault(without, &[]), Err((5, AuditFault::Hash)));
        let mut moved = rows(9);
        moved.swap(2, 3);
        assert_eq!(fault(moved, &[]), Err((3, AuditFault::Order)));
    }

    /// Whoever holds the file can make a whole new chain; what he has told upward before gives him away.
    #[test]
    fn a_chain_written_anew_or_cut_off_does_not_hold_the_reported_head() {
        let told = (7, rows(9)[6].1);
        let mut anew = entries(9);
        anew[2].who = "nobody".to_owned();
        let anew = chain(anew);
        assert_eq!(fault(anew.clone(), &[]), Ok(9));
        assert_eq!(fault(anew, &[told]), Err((7, AuditFault::Rewritten)));
        assert_eq!(fault(rows(6), &[told]), Err((7, AuditFault::CutOff)));
    }

    /// Stored hashes: whoever changes what is hashed makes every log look edited.
    #[test]
    fn the_hash_does_not_change() {
        assert_eq!(
            heliu_record::id::to_hex(&rows(3)[2].1),
            "43221d30d42ace6f79cd456d3644ff52946a9f595423cabe692b58f39e96a9f0"
        );
    }

    proptest! {
        #[test]
        fn no_edit_of_any_field_goes_unseen(at in 0usize..8, field in 0u8..7, text in "[a-z]{1,4}") {
            let mut all = rows(8);
            let before = all.clone();
            let entry = &mut all[at].0;
            match field {
                0 => entry.time_ms += 1,
                1 => entry.who.push_str(&text),
                2 => entry.role.push_str(&text),
                3 => entry.action.push_str(&text),
                4 => entry.subject.push_str(&text),
                // From one field to the next.
                5 => entry.detail = entry.subject.split_off(3),
                _ => all[at].1[0] ^= 1,
            }
            prop_assert_ne!(&all, &before);
            prop_assert!(fault(all, &[]).is_err());
        }
    }
}
