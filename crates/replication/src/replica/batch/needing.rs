//! What a batch has to look up before its work can be done.

use std::collections::BTreeSet;

use heliu_record::change::genesis;

use super::super::{Order, Replica, Work};
use super::Batch;
use crate::effect::{ForeignAction, LoadRequest};

impl Batch {
    /// What the waiting work is sure to need.
    pub(super) fn needed(&self, replica: &Replica) -> LoadRequest {
        let mut needed = LoadRequest::default();
        let mut begun = BTreeSet::new();
        for work in &self.works {
            match work {
                Work::Leaves(incoming) => {
                    needed.records.extend(incoming.grants.iter().map(|(signed, _)| signed.grant.record));
                    self.ask_for_chains(&incoming.commits, replica, &mut needed);
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
                    needed.records.extend(replica.stranded.get(leaf).map(|row| row.record));
                }
                Work::Quarantine { id, .. } => match self.looked.quarantined.get(id) {
                    None => {
                        needed.quarantined.insert(*id);
                    }
                    Some(row) => needed.records.extend(row.as_ref().and_then(|row| row.record)),
                },
                // What is here of them counts again where it is compared.
                Work::Foreign { seat, action: ForeignAction::Accept, .. } => {
                    let outside = replica.foreign.outside_of(*seat);
                    needed.records.extend(outside.filter(|(_, outside)| outside.is_here()).map(|(record, _)| *record));
                }
                Work::FenceOf { node, nothing: false, .. } if !self.looked.chains.contains_key(node) => {
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
                | Work::TellAuditHead
                | Work::KeepKeys => {}
            }
        }
        needed.records.retain(|id| {
            !replica.open.contains_key(id) && !self.looked.absent.contains(id) && !replica.damage.has_no_row(*id)
        });
        needed.conflicts_of.retain(|id| !self.looked.conflicts_of.contains(id));
        needed.commands.retain(|id| !self.looked.commands.contains_key(id));
        needed
    }
}
