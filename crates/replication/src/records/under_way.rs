//! What the work under way makes of records, and what they were before it.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::id::{RecordId, SeatId};
use heliu_record::scope::Scope;
use heliu_storage::Listed;
use heliu_trust::admission::Leaf;

use super::open::Open;
use super::sums::Counted;
use crate::effect::LinkId;

/// What the work under way makes of records. They stay open until it is durable.
#[derive(Default)]
pub(super) struct UnderWay {
    pub touched: BTreeMap<RecordId, Before>,
    /// Asked for, and not in the store.
    pub absent: BTreeSet<RecordId>,
    /// The link that a touched record's leaves came by.
    pub came_by: BTreeMap<RecordId, LinkId>,
    /// Records with leaves that their fold does not know yet.
    pub unfolded: BTreeSet<RecordId>,
    /// Records with a leaf that was in doubt and is for this program to judge after all, until they are judged again.
    pub believed: BTreeSet<RecordId>,
}

impl UnderWay {
    pub fn touch(&mut self, open: &Open) {
        self.touched.entry(open.id()).or_insert_with(|| Before::of(open));
    }

    /// A leaf comes into the feed that its record is about to be offered.
    pub fn file(&mut self, leaf: &Leaf, open: &mut Open) {
        open.note(leaf, None);
        // While nobody shares the history, it grows in place.
        open.record = None;
        self.unfolded.insert(open.id());
    }
}

/// A touched record as it was before the work under way.
pub(crate) struct Before {
    /// None: this node had never held it.
    pub counted: Option<Counted>,
    pub scope: Scope,
    pub signal: [u8; 8],
    /// None: not known, so they are written.
    pub refs: Option<BTreeSet<RecordId>>,
    /// With whom it was listed; none: not known.
    pub listed: Option<BTreeSet<SeatId>>,
    /// By which it was listed.
    pub view: Vec<u8>,
}

impl Before {
    pub(super) fn of(open: &Open) -> Self {
        Before {
            counted: open.is_stored.then(|| open.counted()),
            scope: open.row.scope.clone(),
            signal: open.row.signal,
            refs: Some(open.record.as_ref().map(|r| r.view.refs.clone()).unwrap_or_default()),
            listed: Some(if open.is_stored { Listed::owners(&open.row) } else { BTreeSet::new() }),
            view: open.row.view.clone(),
        }
    }

    /// Of a record that is mended: whoever looks at it looks again, and what it refers to is written, and where it is listed.
    pub(super) fn spoilt(open: &Open) -> Self {
        Before { signal: open.row.signal.map(|byte| !byte), refs: None, listed: None, ..Before::of(open) }
    }
}
