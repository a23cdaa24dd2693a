//! By which declarations of kinds leaves are judged: in a hello, and as tags of leaves. A list has one valid form.

use std::collections::BTreeMap;

use heliu_record::gate::{Digests, KindDigest};
use heliu_replication::frame::{Delivery, limits};

use super::FrameError;
use super::checked::{at_most, bytes, text};
use crate::replication as pb;

pub fn from_digests(kinds: &Digests) -> Vec<pb::KindDeclaration> {
    let declared = |(kind, version, digest): (&str, u32, KindDigest)| pb::KindDeclaration {
        kind: kind.to_owned(),
        version,
        digest: digest.0.to_vec(),
    };
    kinds.iter().map(declared).collect()
}

pub fn to_digests(kinds: Vec<pb::KindDeclaration>) -> Result<Digests, FrameError> {
    at_most("declarations of kinds", kinds.len(), limits::KINDS_PER_HELLO)?;
    let declared = |declared: pb::KindDeclaration| -> Result<_, FrameError> {
        let kind = text("the kind of a declaration", declared.kind, limits::KIND_BYTES)?;
        let digest = bytes("the digest of a declaration", &declared.digest)?;
        Ok((kind.into_boxed_str(), declared.version, KindDigest(digest)))
    };
    let kinds = kinds.into_iter().map(declared).collect::<Result<_, _>>()?;
    Digests::new(kinds).ok_or(FrameError::Order("declarations of kinds"))
}

pub fn from_declared(delivery: &Delivery) -> Vec<pb::DeclaredLeaves> {
    let mut by_digest: BTreeMap<KindDigest, Vec<u32>> = BTreeMap::new();
    for (at, leaf) in (0..).zip(&delivery.leaves) {
        if let Some(digest) = leaf.declared {
            by_digest.entry(digest).or_default().push(at);
        }
    }
    by_digest.into_iter().map(|(digest, leaves)| pb::DeclaredLeaves { digest: digest.0.to_vec(), leaves }).collect()
}

/// Tags the leaves of a frame as it says.
pub fn tag(delivery: &mut Delivery, declared: &[pb::DeclaredLeaves]) -> Result<(), FrameError> {
    const WHAT: &str = "tags of leaves";
    let mut last = None;
    for pb::DeclaredLeaves { digest, leaves } in declared {
        let digest = Some(KindDigest(bytes("the digest of a declaration", digest)?));
        if digest <= last || leaves.is_empty() || !leaves.is_sorted_by(|one, next| one < next) {
            return Err(FrameError::Order(WHAT));
        }
        last = digest;
        for at in leaves {
            let leaf = usize::try_from(*at).ok().and_then(|at| delivery.leaves.get_mut(at));
            let leaf = leaf.ok_or(FrameError::Missing("a leaf that is tagged"))?;
            if std::mem::replace(&mut leaf.declared, digest).is_some() {
                return Err(FrameError::Order(WHAT));
            }
        }
    }
    Ok(())
}
