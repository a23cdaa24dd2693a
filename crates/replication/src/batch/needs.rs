//! What a batch has to look up before its work can be done.

use std::collections::BTreeSet;

use heliu_record::change::genesis;

use super::deriving::Conflicts;
use crate::effect::{ForeignAction, LoadRequest};
use crate::journal::{Order, Work};
use crate::parts::Parts;

/// What the waiting work is sure to need, and is not here.
pub(super) fn needs<'w>(
    works: impl IntoIterator<Item = &'w Work>,
    conflicts: &Conflicts,
    parts: &Parts,
) -> LoadRequest {
    let mut needed = LoadRequest::default();
    let mut begun = BTreeSet::new();
    for work in works {
        match work {
            Work::Leaves(incoming) => {
                needed.records.extend(incoming.grants.iter().map(|(signed, _)| signed.grant.record));
                parts.health.evidence.ask(&incoming.commits, &mut needed);
                for (leaf, ..) in &incoming.leaves {
                    needed.records.insert(leaf.record);
                    // A record that begins is new here, as a rule: no conflict hangs on it yet.
                    if leaf.change.deps == [*genesis()] {
                        begun.insert(leaf.record);
                    } else if !begun.contains(&leaf.record) {
                        needed.conflicts_of.insert(leaf.record);
                    }
                }
            }
            Work::LetGo { record, .. }
            | Work::Withdrawn { record, .. }
            | Work::Mend { record }
            | Work::Check { record }
            | Work::Rename { own: record, .. }
            | Work::Reissue { record }
            | Work::LookThrough { record }
            | Work::Erase { record, .. }
            | Work::Reveal { record, .. } => {
                needed.records.insert(*record);
            }
            Work::Statements { statements, .. } => {
                needed.records.extend(statements.iter().filter_map(|signed| signed.statement.erases()));
            }
            Work::Stranded { leaf, .. } => {
                needed.records.extend(parts.stranded.get(leaf).map(|row| row.record));
            }
            Work::Quarantine { id, .. } => match parts.health.quarantine.row(id) {
                None => {
                    needed.quarantined.insert(*id);
                }
                Some(row) => needed.records.extend(row.and_then(|row| row.record)),
            },
            // What is here of them counts again where it is compared.
            Work::Foreign { seat, action: ForeignAction::Accept, .. } => {
                let outside = parts.scopes.foreign.outside_of(*seat);
                needed.records.extend(outside.filter(|(_, outside)| outside.is_here()).map(|(record, _)| *record));
            }
            Work::FenceOf { node, nothing: false, .. } if parts.health.evidence.chains_of(node).is_none() => {
                needed.chains_of.insert(*node);
            }
            Work::Execute(Order { request, .. }) => {
                needed.records.extend(request.subject);
                needed.conflicts_of.extend(request.subject);
                needed.commands.insert(request.id);
            }
            Work::Renew(_)
            | Work::Extend { .. }
            | Work::Join { .. }
            | Work::Draft { .. }
            | Work::FenceOf { .. }
            | Work::Foreign { .. }
            | Work::Audit { .. }
            | Work::TellAuditHead => {}
        }
    }
    needed.records.retain(|id| {
        !parts.records.is_open(id) && !parts.records.is_absent(id) && !parts.health.damage.has_no_row(*id)
    });
    needed.conflicts_of.retain(|id| !conflicts.are_known_of(id));
    needed.commands.retain(|id| !parts.journal.answers.is_looked_up(id));
    needed
}
