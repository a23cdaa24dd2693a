//! From hello to running: who is there, what he claims to know of this node, and from where on he needs its feed.

use heliu_storage::{Cursor, Meta, Position};
use heliu_trust::admission::check_commits;
use heliu_trust::commit::SignedCommit;
use heliu_trust::id::NodeId;

use super::line::Shared;
use crate::frame::{Hello, Refuse, RefuseCode, WIRE_VERSIONS};

pub(super) fn hello(shared: &Shared<'_>) -> Hello {
    Hello {
        realm: shared.own.realm,
        node: shared.own.node,
        store: shared.feed.meta.store,
        incarnation: shared.incarnation(),
        versions: (*WIRE_VERSIONS.start(), *WIRE_VERSIONS.end()),
        directory_len: shared.directory.len(),
        directory_head: shared.directory.head(),
        kinds: shared.kinds.digests.clone(),
        program: shared.program.to_owned(),
        now_ms: Some(shared.now.wall_ms),
    }
}

/// Whether whoever says this hello can be spoken with; `proven` is who it is, as the connection has shown.
pub(super) fn check(hello: &Hello, proven: Option<NodeId>, shared: &Shared<'_>) -> Result<(), Refuse> {
    let refuse = |code, reason| Err(Refuse { code, reason });
    let realm = shared.own.realm;
    if hello.realm != realm {
        let reason = format!("this node is of realm {}, the other of {}", realm.short(), hello.realm.short());
        return refuse(RefuseCode::OtherRealm, reason);
    }
    if let Some(proven) = proven.filter(|proven| *proven != hello.node) {
        let (says, is) = (hello.node.short(), proven.short());
        let reason = format!("the other end says that it is node {says}, and has proven to be {is}");
        return refuse(RefuseCode::WrongIdentity, reason);
    }
    if hello.store == shared.feed.meta.store && hello.incarnation == shared.incarnation() {
        let reason = "this address leads back to the same node: check the addresses".to_owned();
        return refuse(RefuseCode::Itself, reason);
    }
    if hello.versions.0 > *WIRE_VERSIONS.end() || hello.versions.1 < *WIRE_VERSIONS.start() {
        let reason = format!(
            "this node speaks wire versions {} to {}, the other {} to {}: upgrade the older of the two",
            WIRE_VERSIONS.start(),
            WIRE_VERSIONS.end(),
            hello.versions.0,
            hello.versions.1
        );
        return refuse(RefuseCode::NoCommonVersion, reason);
    }
    Ok(())
}

/// What the other end says that this node has written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Claim {
    /// It knows of nothing that is not here.
    Nothing,
    /// It shows this node's signature on what is not here.
    Proven,
    /// It says so, and shows no signature.
    False,
}

/// A new incarnation is remembered by everybody for good, so it is not had for the asking: only our signature proves that
/// we have written something. That works once for each commit that was lost, since then the incarnation is another one.
pub(super) fn claim(known_of_us: Option<&SignedCommit>, shared: &Shared<'_>) -> Claim {
    let Some(claimed) = known_of_us.filter(|claimed| contradicts(claimed, shared)) else { return Claim::Nothing };
    let is_signed = || check_commits(&[claimed], shared.directory, &*shared.own.verifier) == [Ok(())];
    if claimed.commit.author == shared.own.node && is_signed() { Claim::Proven } else { Claim::False }
}

/// Whether a commit that the other end says is ours is one that this incarnation has not written.
fn contradicts(claimed: &SignedCommit, shared: &Shared<'_>) -> bool {
    let commit = &claimed.commit;
    let is_later = |(last, id)| commit.seq > last || (commit.seq == last && claimed.id != id);
    commit.author != shared.own.node
        || (commit.incarnation == shared.incarnation() && shared.feed.last_commit.is_none_or(is_later))
}

/// From where on the other end needs our feed. None: that has to be found out by comparing all.
pub(super) fn from(cursor: Option<Cursor>, meta: &Meta) -> Option<Position> {
    match cursor {
        Some(cursor) if meta.honours(&cursor) => Some(cursor.position),
        None if meta.head == 0 => Some(0),
        _ => None,
    }
}
