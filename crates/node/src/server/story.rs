//! The history of a record as it is told: in the order in which authors knew of each other, whatever came first here, and each value with
//! those that it took the place of. A long record is told in parts, each ordered by itself.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use heliu_api::records as pb;
use heliu_record::change::{Change, Container, OpId, Scalar};
use heliu_record::decision::Decision;
use heliu_record::id::{LeafHash, RecordId};
use heliu_storage::{Budget, LeafRow, Read, StoreError};
use heliu_trust::directory::Directory;
use heliu_wire::messages;

use super::pages::Page;
use super::words::change;

/// So many bytes of changes are ordered together.
const PART_BYTES: usize = 16 << 20;
/// Leaves of one read.
const READ: usize = 1_000;
/// Of the values that one takes the place of.
const REPLACED: usize = 8;

/// What was told last: the position after which its part begins, and its place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    part: u64,
    last: Option<Place>,
}

/// Where a change stands: whoever knew of another has a later first operation.
type Place = (u64, LeafHash);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            Some((first, leaf)) => write!(f, "{}.{first}.{leaf}", self.part),
            None => write!(f, "{}", self.part),
        }
    }
}

impl FromStr for Told {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let part = parts.next().ok_or(())?.parse().map_err(drop)?;
        let last = match (parts.next(), parts.next(), parts.next()) {
            (None, None, None) => None,
            (Some(first), Some(leaf), None) => Some((first.parse().map_err(drop)?, leaf.parse().map_err(drop)?)),
            _ => return Err(()),
        };
        Ok(Told { part, last })
    }
}

/// The leaves of a part of a record, as they were read.
pub(super) struct Part {
    told: Told,
    leaves: Vec<LeafRow>,
    /// The position after which the next part begins.
    next: Option<u64>,
}

/// Reads the part that goes on after what was told.
pub(super) async fn read(store: &dyn Read, id: RecordId, told: Option<Told>) -> Result<Part, StoreError> {
    let told = told.unwrap_or(Told { part: 0, last: None });
    let (mut leaves, mut bytes, mut at, mut more): (Vec<LeafRow>, usize, u64, bool) = (Vec::new(), 0, told.part, true);
    while more && bytes < PART_BYTES {
        let budget = Budget { entries: READ, bytes: PART_BYTES - bytes };
        let (read, goes_on) = store.history(id, at, budget).await?;
        let Some(last) = read.last() else { break };
        (at, more) = (last.position, goes_on);
        bytes += read.iter().map(|leaf| leaf.change.len()).sum::<usize>().max(1);
        leaves.extend(read);
    }
    Ok(Part { told, leaves, next: more.then_some(at) })
}

impl Part {
    /// A page of it, and after what the next one goes on. `is_decision`: whether a field is a log of decisions.
    pub fn page(
        self,
        mut page: Page<pb::Change>,
        directory: &Directory,
        is_decision: impl Fn(&str) -> bool,
    ) -> (Vec<pb::Change>, Option<Told>) {
        let Part { told, leaves, next } = self;
        // One that cannot be read stands last: nobody can say what its author knew.
        let parsed = leaves.into_iter().map(|leaf| {
            let parsed = Change::parse(&leaf.change).ok();
            ((parsed.as_ref().map_or(u64::MAX, |change| change.start_op), leaf.hash), leaf, parsed)
        });
        let mut all: Vec<(Place, LeafRow, Option<Change>)> = parsed.collect();
        all.sort_by_key(|(place, ..)| *place);
        let before = Before::of(all.iter().filter_map(|(_, _, change)| change.as_ref()));
        let mut last = None;
        let rest = all.iter().filter(|(place, ..)| told.last.is_none_or(|told| *place > told));
        for (place, leaf, parsed) in rest {
            let mut shown = change(leaf, directory);
            if let Some(parsed) = parsed {
                for (shown, put) in shown.puts.iter_mut().zip(&parsed.puts) {
                    let replaced = before.replaced(put, &is_decision);
                    shown.replaced = replaced.into_iter().take(REPLACED).map(messages::value).collect();
                }
            }
            if !page.take(shown) {
                return (page.into_items(), Some(Told { last, ..told }));
            }
            last = Some(*place);
        }
        (page.into_items(), next.map(|part| Told { part, last: None }))
    }
}

/// What stood before, as far as it is in the same part.
struct Before<'c> {
    by_op: BTreeMap<OpId, &'c Scalar>,
    decisions: BTreeMap<&'c str, Vec<&'c Scalar>>,
}

impl<'c> Before<'c> {
    fn of(changes: impl Iterator<Item = &'c Change>) -> Self {
        let mut before = Before { by_op: BTreeMap::new(), decisions: BTreeMap::new() };
        for put in changes.flat_map(|change| &change.puts) {
            before.by_op.insert(put.id, &put.value);
            if put.container == Container::Log {
                before.decisions.entry(&put.key).or_default().push(&put.value);
            }
        }
        before
    }

    fn replaced(&self, put: &heliu_record::change::Put, is_decision: impl Fn(&str) -> bool) -> Vec<&'c Scalar> {
        let field = put.key.split('/').next().unwrap_or_default();
        if put.container == Container::Log && is_decision(field) {
            let decision = put.value.as_text().and_then(Decision::parse).unwrap_or_default();
            let cited = decision.cites.iter().filter_map(|cited| self.decisions.get(&*format!("{field}/{cited}")));
            return cited.flatten().copied().collect();
        }
        put.replaces.iter().filter_map(|op| self.by_op.get(op).copied()).collect()
    }
}
