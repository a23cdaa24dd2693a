//! What two ends compare, from and to protobuf: ranges, lists of leaves, questions of possession, checkpoints and verdicts.

use heliu_record::hash::Sum;
use heliu_record::id::RecordId;
use heliu_replication::frame::{
    Checkpoint, Compared, Frame, Have, Outside, Possession, PossessionRecord, PossessionTurn, Range, RangeContent,
    Reconcile, Sums, Turn, Verdict, limits,
};
use heliu_trust::id::DirectoryVersion;

use super::FrameError;
use super::checked::{at_most, bytes, entries};
use crate::replication as pb;

impl From<&Range> for pb::Range {
    fn from(range: &Range) -> Self {
        let content = match &range.content {
            RangeContent::Fingerprint { count, sum } => {
                pb::range::Content::Fingerprint(pb::Fingerprint { count: *count, sum: sum.0.to_vec() })
            }
            RangeContent::Items(items) => {
                pb::range::Content::Items(items.iter().flat_map(|(id, sum)| [id.0, sum.0]).flatten().collect())
            }
            RangeContent::Missing(ids) => pb::range::Content::Missing(ids.iter().flat_map(|id| id.0).collect()),
        };
        pb::Range {
            from: range.from.0.to_vec(),
            to: range.to.as_ref().map(|to| to.0.to_vec()).unwrap_or_default(),
            content: Some(content),
        }
    }
}

impl From<&Reconcile> for pb::Reconcile {
    fn from(reconcile: &Reconcile) -> Self {
        let turn = match reconcile.turn {
            Turn::Begin => pb::Turn::Begin,
            Turn::Question => pb::Turn::Question,
            Turn::Part => pb::Turn::Part,
            Turn::Answer => pb::Turn::Answer,
            Turn::Done => pb::Turn::Done,
        };
        let compared = match reconcile.compared {
            Compared::Scopes => pb::Compared::Scopes,
            Compared::Records => pb::Compared::Records,
        };
        let ranges = reconcile.ranges.iter().map(Into::into).collect();
        pb::Reconcile { turn: turn.into(), compared: compared.into(), ranges }
    }
}

pub(super) fn to_reconcile(reconcile: pb::Reconcile) -> Result<Frame, FrameError> {
    let turn = match reconcile.turn() {
        pb::Turn::Begin => Turn::Begin,
        pb::Turn::Question => Turn::Question,
        pb::Turn::Part => Turn::Part,
        pb::Turn::Answer => Turn::Answer,
        pb::Turn::Done => Turn::Done,
        pb::Turn::Unspecified => return Ok(Frame::Unknown),
    };
    let compared = match reconcile.compared() {
        pb::Compared::Scopes => Compared::Scopes,
        pb::Compared::Records => Compared::Records,
        pb::Compared::Unspecified => return Ok(Frame::Unknown),
    };
    at_most("ranges", reconcile.ranges.len(), limits::RANGES_PER_FRAME)?;
    let mut left = limits::ITEMS_PER_FRAME;
    let ranges = reconcile.ranges.into_iter().map(|range| to_range(range, &mut left)).collect::<Result<_, _>>()?;
    Ok(Frame::Reconcile(Reconcile { turn, compared, ranges }))
}

/// `left` is how many items the frame may still have.
fn to_range(range: pb::Range, left: &mut usize) -> Result<Range, FrameError> {
    let content = match range.content.ok_or(FrameError::Missing("the content of a range"))? {
        pb::range::Content::Fingerprint(fingerprint) => {
            RangeContent::Fingerprint { count: fingerprint.count, sum: Sum(bytes("a sum", &fingerprint.sum)?) }
        }
        pb::range::Content::Items(items) => {
            let pairs = entries::<64>("items", &items, left, limits::ITEMS_PER_FRAME)?;
            let pair =
                |pair: &[u8; 64]| Ok((RecordId(bytes("an id", &pair[..32])?), Sum(bytes("a sum", &pair[32..])?)));
            RangeContent::Items(pairs.iter().map(pair).collect::<Result<_, FrameError>>()?)
        }
        pb::range::Content::Missing(ids) => RangeContent::Missing(
            entries::<32>("missing records", &ids, left, limits::ITEMS_PER_FRAME)?
                .iter()
                .map(|id| RecordId(*id))
                .collect(),
        ),
    };
    let to = if range.to.is_empty() { None } else { Some(RecordId(bytes("the end of a range", &range.to)?)) };
    Ok(Range { from: RecordId(bytes("the start of a range", &range.from)?), to, content })
}

impl From<&Outside> for pb::Outside {
    fn from(outside: &Outside) -> Self {
        let ids = |records: &[RecordId]| records.iter().flat_map(|record| record.0).collect();
        pb::Outside { records: ids(&outside.records), no_longer: ids(&outside.no_longer) }
    }
}

impl TryFrom<pb::Outside> for Outside {
    type Error = FrameError;

    fn try_from(outside: pb::Outside) -> Result<Self, Self::Error> {
        let mut left = limits::RECORDS_PER_HAVE;
        let mut ids = |ids: &[u8]| -> Result<Vec<RecordId>, FrameError> {
            let ids = entries::<32>("records", ids, &mut left, limits::RECORDS_PER_HAVE)?;
            Ok(ids.iter().map(|id| RecordId(*id)).collect())
        };
        Ok(Outside { records: ids(&outside.records)?, no_longer: ids(&outside.no_longer)? })
    }
}

impl From<&Have> for pb::Have {
    fn from(have: &Have) -> Self {
        let record = |(record, leaves): &(RecordId, Vec<[u8; 8]>)| pb::HaveRecord {
            record: record.0.to_vec(),
            leaves: leaves.concat(),
        };
        pb::Have { records: have.records.iter().map(record).collect(), reply: have.reply }
    }
}

impl TryFrom<pb::Have> for Have {
    type Error = FrameError;

    fn try_from(have: pb::Have) -> Result<Self, Self::Error> {
        at_most("records", have.records.len(), limits::RECORDS_PER_HAVE)?;
        let mut left = limits::LEAVES_PER_HAVE;
        let mut record = |record: pb::HaveRecord| -> Result<_, FrameError> {
            let leaves = entries::<8>("leaves", &record.leaves, &mut left, limits::LEAVES_PER_HAVE)?;
            Ok((RecordId(bytes("a record id", &record.record)?), leaves.to_vec()))
        };
        Ok(Have { records: have.records.into_iter().map(&mut record).collect::<Result<_, _>>()?, reply: have.reply })
    }
}

impl From<&Possession> for pb::Possession {
    fn from(possession: &Possession) -> Self {
        let turn = match possession.turn {
            PossessionTurn::Asked => pb::PossessionTurn::Asked,
            PossessionTurn::Answered => pb::PossessionTurn::Answered,
        };
        let record = |of: &PossessionRecord| pb::PossessionRecord {
            record: of.record.0.to_vec(),
            hashes: of.hashes.concat(),
            covered: of.covered,
        };
        pb::Possession { turn: turn.into(), records: possession.records.iter().map(record).collect() }
    }
}

pub(super) fn to_possession(possession: pb::Possession) -> Result<Frame, FrameError> {
    let turn = match possession.turn() {
        pb::PossessionTurn::Asked => PossessionTurn::Asked,
        pb::PossessionTurn::Answered => PossessionTurn::Answered,
        pb::PossessionTurn::Unspecified => return Ok(Frame::Unknown),
    };
    at_most("records", possession.records.len(), limits::RECORDS_PER_HAVE)?;
    let mut left = limits::HASHES_PER_POSSESSION;
    let mut record = |of: pb::PossessionRecord| -> Result<_, FrameError> {
        let hashes = entries::<32>("hashes", &of.hashes, &mut left, limits::HASHES_PER_POSSESSION)?.to_vec();
        at_most("hashes of a record", hashes.len(), limits::HASHES_PER_RECORD)?;
        Ok(PossessionRecord { record: RecordId(bytes("a record id", &of.record)?), hashes, covered: of.covered })
    };
    let records = possession.records.into_iter().map(&mut record).collect::<Result<_, _>>()?;
    Ok(Frame::Possession(Possession { turn, records }))
}

impl From<&Checkpoint> for pb::Checkpoint {
    fn from(checkpoint: &Checkpoint) -> Self {
        let Checkpoint { mine, yours, sums, statements, directory } = checkpoint;
        pb::Checkpoint {
            mine: *mine,
            yours: *yours,
            records: sums.records,
            held: sums.held.0.to_vec(),
            admitted: sums.admitted.0.to_vec(),
            statements: statements.0.to_vec(),
            directory: directory.0.to_vec(),
        }
    }
}

impl TryFrom<pb::Checkpoint> for Checkpoint {
    type Error = FrameError;

    fn try_from(checkpoint: pb::Checkpoint) -> Result<Self, Self::Error> {
        let sums = Sums {
            records: checkpoint.records,
            held: Sum(bytes("the sum of held leaves", &checkpoint.held)?),
            admitted: Sum(bytes("the sum of admitted leaves", &checkpoint.admitted)?),
        };
        let statements = Sum(bytes("the sum of statements", &checkpoint.statements)?);
        let directory = DirectoryVersion(bytes("the directory's version", &checkpoint.directory)?);
        Ok(Checkpoint { mine: checkpoint.mine, yours: checkpoint.yours, sums, statements, directory })
    }
}

impl From<Verdict> for pb::Comparison {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Equal => pb::Comparison::Equal,
            Verdict::HeldEqual => pb::Comparison::HeldEqual,
            Verdict::JudgedDifferently => pb::Comparison::JudgedDifferently,
            Verdict::Different => pb::Comparison::Different,
            Verdict::MovedOn => pb::Comparison::MovedOn,
        }
    }
}

pub(super) fn to_verdict(verdict: pb::Verdict) -> Option<Verdict> {
    match verdict.comparison() {
        pb::Comparison::Equal => Some(Verdict::Equal),
        pb::Comparison::HeldEqual => Some(Verdict::HeldEqual),
        pb::Comparison::JudgedDifferently => Some(Verdict::JudgedDifferently),
        pb::Comparison::Different => Some(Verdict::Different),
        pb::Comparison::MovedOn => Some(Verdict::MovedOn),
        pb::Comparison::Unspecified => None,
    }
}
