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

#[cfg(test)]
mod tests {
    use heliu_record::id::{LeafHash, Preimage};
    use heliu_trust::commit::{Commit, SignedCommit};
    use heliu_trust::id::{DirectoryVersion, Incarnation};
    use heliu_trust::signature::{Signature, Signer as _};
    use heliu_trust::simulated::Cheap;

    use super::*;
    use crate::frame::DeliveredLeaf;
    use crate::tests::world::{TOWNSHIP, directory, key};

    const NOW: Moment = Moment { tick_ms: 0, wall_ms: 0 };

    /// A frame with one leaf of the township's that is none: no change can be read from it.
    fn frame(directory: &Directory, spoil: impl FnOnce(&mut SignedCommit)) -> Delivery {
        let county = directory.seats().iter().find(|seat| seat.parent.is_none()).expect("there is a county").id;
        let commit = Commit {
            realm: directory.realm(),
            author: key(TOWNSHIP).node(),
            incarnation: Incarnation([1; 16]),
            seq: 1,
            previous: None,
            versions: vec![(county, directory.head())],
            time_ms: 0,
            leaves: vec![LeafHash([1; 32])],
        };
        let mut signed = SignedCommit::sign(commit, &key(TOWNSHIP));
        spoil(&mut signed);
        let preimage = Arc::new(Preimage { kind: "org".to_owned(), birth: county, key: vec![1] });
        let change: Arc<[u8]> = vec![0; 8].into();
        let leaf = DeliveredLeaf { preimage, commit: 0, kind_version: 1, declared: None, change };
        Delivery { commits: vec![Arc::new(signed)], leaves: vec![leaf], ..Delivery::default() }
    }

    fn open(delivery: &Delivery, directory: &Directory) -> Option<Incoming> {
        let came = Came { link: LinkId(1), from: key(TOWNSHIP).node(), sequence: 1, delivery };
        open_leaves(&came, |_, _, tagged| tagged, directory, &Cheap, NOW)
    }

    #[test]
    fn what_is_not_signed_by_whom_it_names_goes_no_further_and_is_told_and_kept_to_be_looked_at() {
        let directory = directory();
        let forged = frame(&directory, |signed| signed.signature = Signature([0; 64]));
        let incoming = open(&forged, &directory).expect("it is judged");
        assert!(incoming.commits.is_empty() && incoming.leaves.is_empty());
        let told: Vec<&str> = incoming.refused.iter().map(|refused| refused.code.as_str()).collect();
        assert_eq!((told, incoming.quarantined.len()), (vec!["commit.bad-signature"], 1));
    }

    #[test]
    fn what_has_not_the_shape_of_a_leaf_is_refused_though_it_is_signed() {
        let directory = directory();
        let incoming = open(&frame(&directory, |_| {}), &directory).expect("it is judged");
        assert_eq!((incoming.commits.len(), incoming.leaves.len(), incoming.refused.len()), (1, 0, 1));
    }

    #[test]
    fn what_cites_a_directory_that_is_not_here_is_not_judged_at_all() {
        let directory = directory();
        let ahead = frame(&directory, |signed| {
            let mut commit = signed.commit.clone();
            commit.versions[0].1 = DirectoryVersion([9; 32]);
            *signed = SignedCommit::sign(commit, &key(TOWNSHIP));
        });
        assert!(open(&ahead, &directory).is_none());
    }
}
