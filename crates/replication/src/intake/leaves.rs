//! Leaves and grants that links bring are opened before they wait for a batch: signatures and shapes are checked while the
//! disk works.

use std::sync::Arc;

use heliu_record::gate::KindDigest;
use heliu_record::reason::Facts;
use heliu_trust::admission::{CommitError, Leaf, check_commits};
use heliu_trust::directory::Directory;
use heliu_trust::id::NodeId;
use heliu_trust::signature::Verifier;

use super::grants::open_grants;
use crate::effect::{LinkId, Moment};
use crate::frame::Delivery;
use crate::health::{id_of, refused};
use crate::journal::Incoming;

/// A frame of leaves as it came.
pub(crate) struct Came<'a> {
    pub link: LinkId,
    pub from: NodeId,
    pub sequence: u64,
    pub delivery: &'a Delivery,
}

/// Checks signatures and shapes of what came. `vouches` says by which declaration of a kind and version a leaf is to be
/// judged that the link brings, tagged or not. None: the directory here has to catch up before it can be judged.
pub(crate) fn open_leaves(
    came: &Came<'_>,
    vouches: impl Fn(&str, u32, Option<KindDigest>) -> Option<KindDigest>,
    directory: &Directory,
    verifier: &dyn Verifier,
    now: Moment,
) -> Option<Incoming> {
    let Came { link, from, sequence, delivery } = *came;
    let verdicts = check_commits(&delivery.commits, directory, verifier);
    if verdicts.iter().any(|verdict| verdict.as_ref().is_err_and(CommitError::is_held)) {
        return None;
    }
    let mut incoming = Incoming {
        link,
        from,
        sequence,
        commits: delivery
            .commits
            .iter()
            .zip(&verdicts)
            .filter(|(_, v)| v.is_ok())
            .map(|(c, _)| Arc::clone(c))
            .collect(),
        leaves: Vec::with_capacity(delivery.leaves.len()),
        grants: Vec::new(),
        refused: Vec::new(),
        quarantined: Vec::new(),
        cursor: None,
    };
    let refuse = |incoming: &mut Incoming, raw: &[u8], code: &str, facts: &Facts| {
        let (told, row) = refused(id_of(raw), None, from, (code, facts), raw, now.wall_ms);
        incoming.refused.push(told);
        incoming.quarantined.push(row);
    };
    for delivered in &delivery.leaves {
        let (commit, verdict) = (delivery.commits.get(delivered.commit)?, verdicts.get(delivered.commit)?);
        if let Err(error) = verdict {
            refuse(&mut incoming, &delivered.change, error.code(), &error.facts());
        } else if !delivered.preimage.is_bounded() {
            refuse(&mut incoming, &delivered.change, "leaf.preimage", &Facts::none());
        } else {
            let record = delivered.preimage.id();
            match Leaf::open(commit, &record, delivered.kind_version, &delivered.change, directory) {
                Ok(leaf) => {
                    let (preimage, tagged) = (Arc::clone(&delivered.preimage), delivered.declared);
                    let declared = vouches(&preimage.kind, leaf.kind_version, tagged);
                    incoming.leaves.push((leaf, preimage, declared));
                }
                Err(error) => refuse(&mut incoming, &delivered.change, error.code(), &error.facts()),
            }
        }
    }
    for (delivered, opened) in open_grants(&delivery.grants, directory, verifier) {
        match opened {
            Ok(signed) => incoming.grants.push((signed, Arc::clone(&delivered.preimage))),
            // Directory first, as for a commit.
            Err(None) => return None,
            Err(Some((code, facts))) => refuse(&mut incoming, &delivered.grant, code, &facts),
        }
    }
    Some(incoming)
}
