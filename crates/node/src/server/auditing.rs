//! The audit log as it is listed, and the walk along its chain.

use std::collections::BTreeMap;

use heliu_api::administration as pb;
use heliu_record::id::to_hex;
use heliu_record::reason::Reason;
use heliu_storage::{AuditRow, ReadAudit, StoreError};
use heliu_trust::audit::{AuditEntry, AuditFault, AuditHead, verify};
use tonic::Status;

use super::scope::Reach;

/// Rows read at once while the chain is walked.
const PAGE: usize = 1_000;

/// A row that cannot be read is listed by its number: it must not look as if it were not there.
pub(super) fn listed(row: &AuditRow) -> pb::AuditEntry {
    let hash = to_hex(&row.hash);
    let unreadable = || pb::AuditEntry {
        seq: row.seq,
        time_ms: row.time_ms,
        action: "unreadable".to_owned(),
        hash: hash.clone(),
        ..pb::AuditEntry::default()
    };
    AuditEntry::decode(&row.encoded).map_or_else(
        |_| unreadable(),
        |entry| pb::AuditEntry {
            seq: entry.seq,
            time_ms: entry.time_ms,
            who: entry.who,
            role: entry.role,
            action: entry.action,
            subject: entry.subject,
            detail: entry.detail,
            hash: hash.clone(),
        },
    )
}

/// Whether an entry is about something of the bearer's: a record, a node or a seat. Others are for operators.
pub(super) async fn is_for(entry: &pb::AuditEntry, reach: &Reach<'_>) -> Result<bool, Status> {
    if reach.has_named(&entry.subject) {
        return Ok(true);
    }
    match entry.subject.parse() {
        Ok(record) => reach.has_own(record).await,
        Err(_) => Ok(false),
    }
}

/// Walks the whole log in pages, and compares it with the last head that others were told. Every column is compared: the
/// number with its place in the chain, the time with what is hashed, the hash with that of what is hashed.
pub(super) async fn walk(
    store: &dyn ReadAudit,
    told: Option<AuditHead>,
) -> Result<pb::VerifyAuditResponse, StoreError> {
    let told_seq = told.map_or(0, |told| told.seq);
    let mut head = AuditHead::START;
    let found = |head: &AuditHead, broken: Option<(u64, &str)>, told_matches| {
        let (broken_at, problem) = broken.unzip();
        pb::VerifyAuditResponse {
            entries: head.seq,
            head: to_hex(&head.hash),
            broken_at,
            problem: problem.map(|code| (&Reason::new(code)).into()),
            told_seq,
            told_matches,
        }
    };
    loop {
        let rows = store.audit(head.seq, PAGE).await?;
        let Some(last) = rows.last().map(|row| row.seq) else { break };
        let mut chain = Vec::with_capacity(rows.len());
        let mut wrong = None;
        for row in rows {
            let problem = match AuditEntry::decode(&row.encoded) {
                Ok(entry) if entry.time_ms != row.time_ms => "audit.time",
                Ok(entry) => {
                    chain.push((entry, row.hash));
                    continue;
                }
                Err(_) => "audit.unreadable",
            };
            wrong = Some((row.seq, problem));
            break;
        }
        let until = chain.last().map_or(head.seq, |(entry, _)| entry.seq);
        let reported = told.filter(|told| told.seq <= until.min(last)).map(|told| (told.seq, told.hash));
        match verify(chain, head, &reported.into_iter().collect()) {
            Ok(walked) => head = walked,
            Err(error) => {
                // A chain that was written anew fits together; only what others were told gives it away.
                let is_told = error.what == AuditFault::Rewritten;
                return Ok(found(&head, Some((error.seq, error.what.code())), !is_told && told_seq < error.seq));
            }
        }
        if wrong.is_some() {
            return Ok(found(&head, wrong, told_seq <= head.seq));
        }
    }
    match verify(std::iter::empty(), head, &told.iter().map(|told| (told.seq, told.hash)).collect::<BTreeMap<_, _>>()) {
        Ok(_) => Ok(found(&head, None, true)),
        Err(error) => Ok(found(&head, Some((error.seq, error.what.code())), false)),
    }
}

#[cfg(test)]
mod tests {
    use heliu_storage::memory::MemoryStore;
    use heliu_storage::{Store as _, StoreId, Transaction};
    use heliu_trust::id::Incarnation;

    use super::*;

    async fn store(count: u64, edited: Option<u64>) -> (MemoryStore, AuditHead) {
        let store = MemoryStore::open(StoreId([1; 16]), Incarnation([1; 16]));
        let mut head = AuditHead::START;
        let mut audit = Vec::new();
        for seq in 1..=count {
            let mut entry = AuditEntry {
                seq,
                time_ms: 0,
                who: "clerk".to_owned(),
                role: String::new(),
                action: "record.reveal".to_owned(),
                subject: String::new(),
                detail: String::new(),
            };
            head = head.after(&entry);
            if edited == Some(seq) {
                entry.who = "nobody".to_owned();
            }
            audit.push(AuditRow { seq, time_ms: 0, encoded: entry.encode(), hash: head.hash });
        }
        store.apply(&Transaction { audit, ..Transaction::default() }).await.expect("it is taken");
        (store, head)
    }

    #[tokio::test]
    async fn a_long_log_is_walked_in_pages_and_an_edited_row_is_found() {
        let (whole, head) = store(2_500, None).await;
        let walked = walk(&whole, Some(AuditHead { seq: 2_500, ..head })).await.expect("it reads");
        assert_eq!((walked.entries, walked.broken_at, walked.told_matches), (2_500, None, true));
        assert_eq!(walked.head, to_hex(&head.hash));
        let (edited, _) = store(2_500, Some(1_700)).await;
        let walked = walk(&edited, None).await.expect("it reads");
        assert_eq!(walked.broken_at, Some(1_700), "{walked:?}");
    }

    /// The log is listed by what is hashed; who reads the table by hand reads the column.
    #[tokio::test]
    async fn a_time_that_somebody_changed_beside_what_is_hashed_is_found() {
        let entry = |seq| AuditEntry {
            seq,
            time_ms: 7,
            who: "clerk".to_owned(),
            role: String::new(),
            action: "record.reveal".to_owned(),
            subject: String::new(),
            detail: String::new(),
        };
        let mut head = AuditHead::START;
        let row = |seq| {
            head = head.after(&entry(seq));
            let time_ms = if seq == 3 { 8 } else { 7 };
            AuditRow { seq, time_ms, encoded: entry(seq).encode(), hash: head.hash }
        };
        let audit = (1..=4).map(row).collect();
        let store = MemoryStore::open(StoreId([1; 16]), Incarnation([1; 16]));
        store.apply(&Transaction { audit, ..Transaction::default() }).await.expect("it is taken");
        let walked = walk(&store, None).await.expect("it reads");
        let problem = walked.problem.unwrap_or_default().code;
        assert_eq!((walked.broken_at, problem.as_str()), (Some(3), "audit.time"));
    }

    #[tokio::test]
    async fn a_log_that_lacks_what_others_were_told_does_not_match() {
        let (short, head) = store(5, None).await;
        for told in [AuditHead { seq: 9, hash: [9; 32] }, AuditHead { seq: 3, hash: [9; 32] }] {
            let walked = walk(&short, Some(told)).await.expect("it reads");
            assert!(walked.broken_at.is_some() && !walked.told_matches, "{walked:?}");
        }
        assert!(walk(&short, Some(head)).await.expect("it reads").told_matches);
    }
}
