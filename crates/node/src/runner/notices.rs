//! What the engine finds worth telling, as log lines that an operator understands: what, why, what to do. What the other end
//! of a link can cause is told as often as [`crate::told`] allows.

use heliu_record::reason::Facts;
use heliu_replication::frame::{Refuse, RefuseCode};
use heliu_replication::{LinkId, Notice};
use heliu_trust::id::NodeId;

use super::Running;
use crate::told::Source;

impl Running {
    pub(super) fn notice(&mut self, notice: &Notice) {
        self.verifying.notice(notice);
        if let Notice::LinkClosed { link, peer, why } = notice {
            self.note_refused(*link, *peer, why);
        }
        if !self.claim_line_of(notice) {
            return;
        }
        match notice {
            Notice::LinkVerified { link, peer, held_only: true } => tracing::debug!(
                link = link.0,
                peer = %self.name(*peer),
                "both ends hold the same, proven; what they make of it is not compared, for they declare kinds otherwise"
            ),
            Notice::LinkVerified { link, peer, .. } => {
                tracing::debug!(link = link.0, peer = %self.name(*peer), "both ends hold the same, proven");
            }
            Notice::SumsDiffer { link, peer } => {
                let peer = self.name(*peer);
                tracing::warn!(link = link.0, %peer, "the ends hold different records; they are being reconciled");
            }
            Notice::JudgedDifferently { link, peer } => tracing::error!(
                link = link.0,
                peer = %self.name(*peer),
                "both ends hold the same changes and judge them differently: this is a defect, please report it with the \
                 versions of both programs (heliu peers shows them)"
            ),
            Notice::KindsDiffer { link, peer } => tracing::warn!(
                link = link.0,
                peer = %self.name(*peer),
                "the two programs declare kinds of records differently under one version: what comes from there of them is held \
                 (heliu status names them); upgrade one of the two"
            ),
            Notice::Reconciled { link, peer, pushed, differing } => {
                tracing::info!(link = link.0, peer = %self.name(*peer), pushed, differing, "reconciled");
            }
            Notice::RefusedHere { link, count, first } => tracing::warn!(
                link = link.0,
                count,
                first,
                "changes that came were refused and put into quarantine: heliu quarantine list shows them"
            ),
            Notice::RefusedThere { link, count, first } => tracing::warn!(
                link = link.0,
                count,
                first,
                "the other end refused changes that were sent to it: its operators see them in its quarantine"
            ),
            Notice::LinkClosed { link, peer, why } => {
                let peer = peer.map(|peer| self.name(peer)).unwrap_or_default();
                match why.code {
                    RefuseCode::ShuttingDown => tracing::info!(link = link.0, %peer, "the other end shuts down"),
                    code => tracing::warn!(
                        link = link.0,
                        %peer,
                        ?code,
                        reason = why.reason,
                        todo = todo(code),
                        "link refused"
                    ),
                }
            }
            Notice::DirectoryForked { index } => tracing::error!(
                index,
                "there are two signed entries for one place of the directory: it grows no more here until the root has \
                 decided; the issuer's key may be stolen (heliu alarms)"
            ),
            Notice::Equivocation { author, seq } => tracing::error!(
                node = %self.name(*author),
                seq,
                "a node signed two different commits for one place: its machine was rolled back as a whole, or somebody \
                 else has its key; the evidence goes up to the county"
            ),
            Notice::Stranded { record, count } => tracing::warn!(
                record = %record.short(),
                count,
                "edits of this node lost what they stood on; they are made again where that undoes nothing (heliu stranded \
                 list shows the rest)"
            ),
            Notice::FalseClaim { link, peer } => tracing::warn!(
                link = link.0,
                peer = %self.name(*peer),
                "the other end says that this node has written what it has not, and cannot show its signature: it is not \
                 believed (heliu alarms)"
            ),
            Notice::NewIncarnation(incarnation) => tracing::warn!(
                incarnation = incarnation.short(),
                "this store had been rolled back or copied, and goes on under a new incarnation; nothing is lost. If two \
                 machines run with this node's key, stop one of them"
            ),
            Notice::Erased { record, by } => tracing::info!(
                record = %record.short(),
                by = %self.name(*by),
                "a record was erased here, as its superior says; the receipt goes up"
            ),
            Notice::AuditForked { author, seq } => tracing::error!(
                node = %self.name(*author),
                seq,
                "two different audit logs of one length were reported by this node: its store was copied, or its log was \
                 written anew"
            ),
            Notice::StatementRefused { link, count, code, reason } => {
                tracing::warn!(
                    link = link.0,
                    count,
                    code,
                    reason,
                    "statements that came do not hold, and are not kept"
                );
            }
            Notice::Damaged { record, why } => tracing::error!(
                record = %record.short(),
                why,
                "a record is damaged in this node's store and set aside; the others go on. A node that has it brings it \
                 again by itself; if none has, restore this node's store from a backup. Check the disk"
            ),
            Notice::SumsCorrected { scopes } => tracing::warn!(
                scopes,
                "what this node had counted of its records was not what its store holds, and was counted anew; links are \
                 compared again by themselves. If this comes again without damage to the disk, please report it"
            ),
            Notice::StoreFailed(error) => {
                tracing::error!(%error, "the store takes no writes: reads go on, commands and links are refused");
            }
        }
    }

    /// Whether a line may be written because of a link; it is counted otherwise.
    pub(super) fn claim_line(&self, link: LinkId, peer: Option<NodeId>, kind: &'static str) -> bool {
        // By address where no certificate proves the node: in development mode a peer may give another id with each hello.
        let end = self.ends.get(&link).map(|end| Source::of_link(end.peer, &end.address));
        let source = end.or_else(|| peer.map(Source::Node)).unwrap_or(Source::Others);
        self.run.inner.told.claim(source, kind)
    }

    fn claim_line_of(&self, notice: &Notice) -> bool {
        let told = |node: NodeId, kind| self.run.inner.told.claim(Source::Node(node), kind);
        match notice {
            Notice::SumsDiffer { link, peer } => self.claim_line(*link, Some(*peer), "sums differ"),
            Notice::JudgedDifferently { link, peer } => self.claim_line(*link, Some(*peer), "judged differently"),
            Notice::KindsDiffer { link, peer } => self.claim_line(*link, Some(*peer), "kinds differ"),
            Notice::Reconciled { link, peer, .. } => self.claim_line(*link, Some(*peer), "reconciled"),
            Notice::RefusedHere { link, .. } => self.claim_line(*link, None, "refused here"),
            Notice::RefusedThere { link, .. } => self.claim_line(*link, None, "refused there"),
            Notice::StatementRefused { link, .. } => self.claim_line(*link, None, "statement refused"),
            Notice::FalseClaim { link, peer } => self.claim_line(*link, Some(*peer), "false claim"),
            Notice::LinkClosed { link, peer, .. } => self.claim_line(*link, *peer, "link refused"),
            Notice::Equivocation { author, .. } => told(*author, "equivocation"),
            Notice::AuditForked { author, .. } => told(*author, "audit log forked"),
            Notice::Erased { by, .. } => told(*by, "erased"),
            // By whose leaves is not known here: all of them share these lines.
            Notice::Stranded { .. } => self.run.inner.told.claim(Source::Others, "stranded"),
            Notice::NewIncarnation(_) => self.run.inner.told.claim(Source::Others, "new incarnation"),
            // Once in the life of a process, for whoever wants to see it, or about this node's own disk.
            Notice::DirectoryForked { .. }
            | Notice::LinkVerified { .. }
            | Notice::Damaged { .. }
            | Notice::SumsCorrected { .. }
            | Notice::StoreFailed(_) => true,
        }
    }

    /// A node that dialled in and was refused for who it is, among those that were not let in. What a link of this end's own
    /// making came to is shown with the link.
    fn note_refused(&self, link: LinkId, peer: Option<NodeId>, why: &Refuse) {
        let (directory, inner) = (self.run.engine.directory(), &self.run.inner);
        let Some(peer) = peer else { return };
        let code = match why.code {
            RefuseCode::Fenced if directory.is_fenced(peer) => "fenced",
            RefuseCode::UnknownNode if directory.node(peer).is_none() => "unknown_node",
            _ => return,
        };
        let end = self.ends.get(&link).filter(|end| !end.dialer);
        if let Some(address) = end.and_then(|end| end.address.parse().ok()) {
            inner.connections.refused.note(address, (code, Facts::none()), &why.reason, Some(peer));
        }
    }

    /// Seat and short id: names of places, not of people.
    fn name(&self, node: NodeId) -> String {
        let directory = self.run.engine.directory();
        match directory.node(node) {
            Some(info) => format!("{} {}", directory.seats().name(info.seat), node.short()),
            None => node.short(),
        }
    }
}

fn todo(code: RefuseCode) -> &'static str {
    match code {
        RefuseCode::OtherRealm => "check the address: it leads to another county's realm",
        RefuseCode::UnknownNode => "enrol the node in the county's directory; it is tried again by itself",
        RefuseCode::NoCommonVersion => "upgrade the older of the two programs",
        RefuseCode::DirectoryForked => "two different directories were signed: the county's administrator must decide",
        RefuseCode::Protocol => "if it comes again, report it with the versions of both programs",
        RefuseCode::Itself => "remove this node's own address from its upstreams and peers",
        RefuseCode::ShuttingDown => "nothing",
        RefuseCode::Fenced => "the county has fenced the node: ask there, and join anew",
        RefuseCode::WrongIdentity => "check the address and the node's key: another node answers there",
        RefuseCode::StoreFailed => "make space or repair the disk where it says; it goes on by itself",
    }
}
