//! The part that keeps the audit log: each row in the transaction of what it tells, in one chain; and when its head is told
//! to the superiors. What is to be told comes as an [`AuditEvent`]; the row that it becomes is for whoever asks to write.

use heliu_storage::AuditRow;
use heliu_trust::audit::{AuditEntry, AuditHead, TEXT_BYTES_MAX};

use crate::durable::Durable;
use crate::effect::{AuditEvent, Moment};

/// How often the head is told at most, while a process runs.
const TELL_MS: u64 = 24 * 60 * 60 * 1_000;
/// How soon after its start, if the log has grown since it was told last.
const TELL_FIRST_MS: u64 = 10_000;

pub(crate) struct Audit {
    /// With the rows of the work under way.
    head: AuditHead,
    durable: AuditHead,
    /// The last head that this node told.
    told: u64,
    /// When the next may be told; none before the first tick.
    next_at: Option<u64>,
}

impl Audit {
    pub fn new(head: Option<(u64, [u8; 32])>, told: u64) -> Self {
        let head = head.map_or(AuditHead::START, |(seq, hash)| AuditHead { seq, hash });
        Audit { head, durable: head, told, next_at: None }
    }

    /// As far as it is durable.
    pub fn durable(&self) -> AuditHead {
        self.durable
    }

    pub fn applied(&mut self, _: &Durable) {
        self.durable = self.head;
    }

    /// The next row.
    pub fn row(&mut self, event: AuditEvent, time_ms: i64) -> AuditRow {
        let AuditEvent { who, role, action, subject, detail } = event;
        let [who, role, action, subject, detail] = [who, role, action, subject, detail].map(bounded);
        let entry = AuditEntry { seq: self.head.seq + 1, time_ms, who, role, action, subject, detail };
        self.head = self.head.after(&entry);
        AuditRow { seq: entry.seq, time_ms, encoded: entry.encode(), hash: self.head.hash }
    }

    /// Whether it is time to tell how far the log goes; then the next time is a while from now.
    pub fn take_turn_to_tell(&mut self, now: Moment) -> bool {
        let next_at = *self.next_at.get_or_insert(now.tick_ms + TELL_FIRST_MS);
        let is_due = now.tick_ms >= next_at && self.head.seq != self.told;
        if is_due {
            self.next_at = Some(now.tick_ms + TELL_MS);
        }
        is_due
    }

    /// The head, to be told.
    pub fn tell(&mut self) -> AuditHead {
        self.told = self.head.seq;
        self.head
    }
}

/// Cut to what a row may hold.
fn bounded(mut text: String) -> String {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use heliu_trust::audit::verify;

    use super::*;

    fn event(detail: &str) -> AuditEvent {
        AuditEvent { who: "clerk".to_owned(), detail: detail.to_owned(), ..AuditEvent::default() }
    }

    #[test]
    fn rows_make_one_chain_across_starts_and_long_texts_are_cut() {
        let mut log = Audit::new(None, 0);
        let mut rows = vec![log.row(event("one"), 1), log.row(event(&"长".repeat(1_000)), 2)];
        let mut log = Audit::new(Some((2, rows[1].hash)), 0);
        rows.push(log.row(event("three"), 3));
        let chain = rows.iter().map(|row| (AuditEntry::decode(&row.encoded).expect("it is read"), row.hash));
        assert_ne!(verify(chain.clone(), AuditHead::START, &BTreeMap::new()), Ok(log.durable()), "not yet");
        log.applied(&Durable::said(Ok(())).expect("it is"));
        assert_eq!(verify(chain, AuditHead::START, &BTreeMap::new()), Ok(log.durable()));
        assert_eq!(AuditEntry::decode(&rows[1].encoded).map(|entry| entry.detail.len()), Ok(2_046));
    }

    #[test]
    fn the_head_is_told_soon_after_a_start_with_news_and_then_daily() {
        let at = |tick_ms| Moment { tick_ms, wall_ms: 0 };
        let mut log = Audit::new(Some((5, [1; 32])), 5);
        assert!(!log.take_turn_to_tell(at(1_000)) && !log.take_turn_to_tell(at(60_000)), "no news");
        log.row(event(""), 0);
        assert!(log.take_turn_to_tell(at(61_000)));
        assert_eq!(log.tell().seq, 6);
        log.row(event(""), 0);
        assert!(!log.take_turn_to_tell(at(62_000)) && !log.take_turn_to_tell(at(TELL_MS)));
        assert!(log.take_turn_to_tell(at(61_000 + TELL_MS)));
    }
}
