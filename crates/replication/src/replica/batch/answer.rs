//! The answer to a command as it is stored beside it, to be given again. It is as large as what the command wrote, and no
//! larger: a leaf and a record for each change, and their commits.

use heliu_record::codec::{DecodeError, Reader, Writer};
use heliu_record::id::{LeafHash, RecordId};
use heliu_trust::id::CommitId;

use crate::effect::Done;

pub(super) fn encode(done: &Done) -> Vec<u8> {
    let mut out = Writer::default();
    out.varint(done.result.len() as u64);
    done.result.iter().for_each(|(name, id)| {
        out.text(name).text(id);
    });
    ids(&mut out, done.leaves.iter().map(|leaf| &leaf.0));
    ids(&mut out, done.commits.iter().map(|commit| &commit.0));
    ids(&mut out, done.affected.iter().map(|record| &record.0));
    out.0
}

/// The answer as of then, marked as given again.
pub(super) fn decode(bytes: &[u8]) -> Option<Done> {
    let mut reader = Reader(bytes);
    let count = reader.count("ids", usize::MAX, 2).ok()?;
    let mut text = || reader.text("an id", 1_024).map(str::to_owned);
    let result = (0..count).map(|_| Ok((text()?, text()?))).collect::<Result<_, DecodeError>>().ok()?;
    let leaves = read_ids(&mut reader)?.into_iter().map(LeafHash).collect();
    let commits = read_ids(&mut reader)?.into_iter().map(CommitId).collect();
    let affected = read_ids(&mut reader)?.into_iter().map(RecordId).collect();
    reader.end().ok()?;
    Some(Done { result, leaves, commits, affected, again: true })
}

fn ids<'a, const N: usize>(out: &mut Writer, ids: impl ExactSizeIterator<Item = &'a [u8; N]>) {
    out.varint(ids.len() as u64);
    ids.for_each(|id| {
        out.fixed(id);
    });
}

fn read_ids<const N: usize>(reader: &mut Reader<'_>) -> Option<Vec<[u8; N]>> {
    let count = reader.count("ids", usize::MAX, N).ok()?;
    (0..count).map(|_| reader.fixed().ok()).collect()
}
