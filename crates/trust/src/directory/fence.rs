//! The fence around a node whose key is no longer trusted: what it committed before stays good, and nothing else.

use heliu_record::codec::{DecodeError, Encoder, Reader};
use heliu_record::id::LeafHash;

use super::limits;
use crate::id::{CommitId, Incarnation, NodeId};

/// The frontier of a fenced node. A later fence of the same node replaces this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    pub node: NodeId,
    /// Per incarnation the seq of its last good commit, and the commit, for who checks the chain; by incarnation, each once.
    /// With an empty frontier nothing of the node is good.
    pub frontier: Vec<(Incarnation, u64, CommitId)>,
    /// Leaves at or below the frontier that are not good either; in order, each once. Leaves and not commits: a thief can
    /// sign one leaf into two commits, and nodes that got different ones would judge that leaf differently.
    pub excluded: Vec<LeafHash>,
}

impl Fence {
    /// A fence with its lists in order.
    #[must_use]
    pub fn new(node: NodeId, mut frontier: Vec<(Incarnation, u64, CommitId)>, mut excluded: Vec<LeafHash>) -> Self {
        frontier.sort_unstable();
        excluded.sort_unstable();
        excluded.dedup();
        Fence { node, frontier, excluded }
    }

    /// Whether a leaf of the fenced node is outside. Its date says nothing: whoever has the key can write any.
    #[must_use]
    pub fn excludes(&self, incarnation: Incarnation, commit_seq: u64, leaf: &LeafHash) -> bool {
        let Ok(at) = self.frontier.binary_search_by_key(&incarnation, |(incarnation, ..)| *incarnation) else {
            return true;
        };
        commit_seq > self.frontier[at].1 || self.excluded.binary_search(leaf).is_ok()
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        if self.frontier.len() > limits::FRONTIER {
            return Err(DecodeError::TooLong { what: "the frontier of a node", max: limits::FRONTIER });
        }
        if self.excluded.len() > limits::EXCLUDED {
            return Err(DecodeError::TooLong { what: "excluded leaves", max: limits::EXCLUDED });
        }
        if !self.frontier.is_sorted_by(|a, b| a.0 < b.0) || self.frontier.iter().any(|(_, seq, _)| *seq == 0) {
            return Err(DecodeError::Invalid { what: "the frontier of a node" });
        }
        if !self.excluded.is_sorted_by(|a, b| a < b) {
            return Err(DecodeError::Invalid { what: "the list of excluded leaves" });
        }
        Ok(())
    }

    pub(super) fn write(&self, out: &mut Encoder) {
        out.fixed(&self.node.0).varint(self.frontier.len() as u64);
        for (incarnation, seq, commit) in &self.frontier {
            out.fixed(&incarnation.0).varint(*seq).fixed(&commit.0);
        }
        out.varint(self.excluded.len() as u64);
        for leaf in &self.excluded {
            out.fixed(&leaf.0);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let node = NodeId(reader.fixed()?);
        let count = reader.count("the frontier of a node", limits::FRONTIER, Incarnation::LEN + 1 + CommitId::LEN)?;
        let last =
            |reader: &mut Reader<'_>| Ok((Incarnation(reader.fixed()?), reader.varint()?, CommitId(reader.fixed()?)));
        let frontier = (0..count).map(|_| last(reader)).collect::<Result<_, DecodeError>>()?;
        let count = reader.count("excluded leaves", limits::EXCLUDED, LeafHash::LEN)?;
        let excluded = (0..count).map(|_| reader.fixed().map(LeafHash)).collect::<Result<_, _>>()?;
        Ok(Fence { node, frontier, excluded })
    }
}
