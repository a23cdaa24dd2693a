//! From hello to running: who is there, whose directory is shorter, and how far each end has the other's feed.

use std::collections::BTreeSet;
use std::sync::Arc;

use heliu_record::id::RecordId;
use heliu_storage::Cursor;
use heliu_trust::admission::check_commits;
use heliu_trust::commit::SignedCommit;

use super::pushing::Push;
use super::{Arrival, Heard, Link, Out, Peer, Phase, Shared};
use crate::effect::Notice;
use crate::frame::{Frame, Hello, RefuseCode, WIRE_VERSIONS, Welcome};

pub(super) fn hello(shared: &Shared<'_>) -> Hello {
    Hello {
        realm: shared.realm,
        node: shared.node,
        store: shared.meta.store,
        incarnation: shared.incarnation(),
        versions: (*WIRE_VERSIONS.start(), *WIRE_VERSIONS.end()),
        directory_len: shared.directory.len(),
        directory_head: shared.directory.head(),
        kinds: shared.kinds.clone(),
        program: shared.program.to_owned(),
        now_ms: Some(shared.now.wall_ms),
    }
}

/// Whether a commit that the other end says is ours is one that this incarnation has not written.
fn contradicts(claimed: &SignedCommit, shared: &Shared<'_>) -> bool {
    let commit = &claimed.commit;
    commit.author != shared.node
        || (commit.incarnation == shared.incarnation()
            && shared
                .last_commit
                .is_none_or(|(last, id)| commit.seq > last || (commit.seq == last && claimed.id != id)))
}

/// A new incarnation is remembered by everybody for good, so it is not had for the asking: only our signature proves that
/// we have written something. That works once for each commit that was lost, since then the incarnation is another one.
fn is_proven(claimed: &SignedCommit, shared: &Shared<'_>) -> bool {
    let is_signed = || check_commits(&[claimed], shared.directory, shared.verifier) == [Ok(())];
    claimed.commit.author == shared.node && is_signed()
}

impl Link {
    pub(super) fn on_hello(&mut self, hello: Hello, shared: &Shared<'_>, out: &mut Out) {
        let refusal = if hello.realm != shared.realm {
            let reason =
                format!("this node is of realm {}, the other of {}", shared.realm.short(), hello.realm.short());
            Some((RefuseCode::OtherRealm, reason))
        } else if let Some(proven) = self.proven.filter(|proven| *proven != hello.node) {
            let (says, is) = (hello.node.short(), proven.short());
            Some((
                RefuseCode::WrongIdentity,
                format!("the other end says that it is node {says}, and has proven to be {is}"),
            ))
        } else if hello.store == shared.meta.store && hello.incarnation == shared.incarnation() {
            Some((RefuseCode::Itself, "this address leads back to the same node: check the addresses".to_owned()))
        } else if hello.versions.0 > *WIRE_VERSIONS.end() || hello.versions.1 < *WIRE_VERSIONS.start() {
            let reason = format!(
                "this node speaks wire versions {} to {}, the other {} to {}: upgrade the older of the two",
                WIRE_VERSIONS.start(),
                WIRE_VERSIONS.end(),
                hello.versions.0,
                hello.versions.1
            );
            Some((RefuseCode::NoCommonVersion, reason))
        } else {
            None
        };
        if let Some((code, reason)) = refusal {
            return self.refuse(code, reason, out);
        }
        let seat = shared.directory.node(hello.node).map_or(shared.seat, |n| n.seat);
        let (node, directory_len) = (hello.node, hello.directory_len);
        let tick_ms = shared.now.tick_ms;
        let heard = Heard { since_tick: tick_ms, last_tick: tick_ms };
        self.peer = Some(Peer { node, seat, hello, directory_len, welcome: None, heard });
        self.phase = Phase::Directory;
        self.settle_directory(shared, out);
    }

    /// What the store knows of the other end.
    pub fn on_peer(
        &mut self,
        cursor: Option<Cursor>,
        last_commit: Option<Arc<SignedCommit>>,
        wants: BTreeSet<RecordId>,
        shared: &Shared<'_>,
        out: &mut Out,
    ) {
        if self.phase != Phase::LookingUp {
            return;
        }
        self.receiving.begin(cursor.map_or(0, |c| c.position));
        wants.into_iter().for_each(|record| self.sending.push(record, Push::want()));
        self.send(
            Frame::Welcome(Welcome { cursor, known_of_you: last_commit, statements: self.statements_sum(shared) }),
            out,
        );
        self.phase = Phase::Welcoming;
        self.run_if_welcomed(shared, out);
    }

    pub(super) fn on_welcome(&mut self, welcome: Welcome, shared: &Shared<'_>, out: &mut Out) {
        if let Some(peer) = &mut self.peer {
            peer.welcome = Some(welcome);
        }
        self.run_if_welcomed(shared, out);
    }

    fn run_if_welcomed(&mut self, shared: &Shared<'_>, out: &mut Out) {
        if self.phase != Phase::Welcoming {
            return; // Theirs may come while ours is still being looked up: it stays.
        }
        let Some(welcome) = self.peer.as_mut().and_then(|p| p.welcome.take()) else { return };
        self.phase = Phase::Running;
        if self.differing(shared).next().is_some() {
            self.notice(|link, peer| Notice::KindsDiffer { link, peer }, out);
        }
        let claimed = welcome.known_of_you.filter(|claimed| contradicts(claimed, shared));
        let rolled_back = claimed.as_ref().is_some_and(|claimed| is_proven(claimed, shared));
        if rolled_back {
            out.arrivals.push(Arrival::RolledBack);
        } else if claimed.is_some()
            && let Some(peer) = self.peer_node()
        {
            out.arrivals.push(Arrival::FalseClaim { peer });
            self.notice(|link, peer| Notice::FalseClaim { link, peer }, out);
        }
        let from = match welcome.cursor {
            Some(cursor) if shared.meta.honours(&cursor) => Some(cursor.position),
            None if shared.meta.head == 0 => Some(0),
            _ => None,
        };
        self.sending.begin(from.unwrap_or(0));
        if from.is_none() || rolled_back {
            self.reconcile_soon(out);
        }
        self.tell_what_is_outside(shared, out);
        self.compare_statements(welcome.statements, self.dialer, shared, out);
        self.pump(shared, out);
    }
}
