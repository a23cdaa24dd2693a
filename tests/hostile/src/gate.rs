//! The gate as the engine uses it, over one delivery and without an engine: what becomes of each of its leaves.

use heliu_catalogue::catalogue;
use std::collections::BTreeMap;

use heliu_record::id::{LeafHash, RecordId};
use heliu_replication::frame::Delivery;
use heliu_trust::admission::{Leaf, Leaves, check_commits};
use heliu_trust::directory::Directory;
use heliu_trust::signature::Verifier;

/// What the gate makes of a delivery.
#[derive(Debug, Default)]
pub struct Judged {
    /// For each delivered leaf its reason code; `admitted` is one.
    pub codes: Vec<&'static str>,
    pub records: BTreeMap<RecordId, Leaves>,
}

/// Judges a delivery as a node does to which nothing else has come.
#[must_use]
pub fn judge(delivery: &Delivery, directory: &Directory, verifier: &dyn Verifier) -> Judged {
    let verdicts = check_commits(&delivery.commits, directory, verifier);
    let mut judged = Judged::default();
    let mut opened: Vec<Result<(RecordId, LeafHash), &'static str>> = Vec::new();
    let mut offered: BTreeMap<RecordId, Vec<Leaf>> = BTreeMap::new();
    for delivered in &delivery.leaves {
        opened.push(match (delivery.commits.get(delivered.commit), verdicts.get(delivered.commit)) {
            (Some(_), Some(Err(error))) => Err(error.code()),
            (Some(_), Some(Ok(()))) if !delivered.preimage.is_bounded() => Err("leaf.preimage"),
            (Some(commit), Some(Ok(()))) => {
                let record = delivered.preimage.id();
                judged.records.entry(record).or_insert_with(|| {
                    Leaves::new((*delivered.preimage).clone(), catalogue().kind(&delivered.preimage.kind))
                });
                Leaf::open(commit, &record, delivered.kind_version, &delivered.change, directory)
                    .map(|leaf| {
                        let hash = leaf.hash;
                        offered.entry(record).or_default().push(leaf);
                        (record, hash)
                    })
                    .map_err(|error| error.code())
            }
            _ => Err("leaf.no-commit"),
        });
    }
    for (record, leaves) in offered {
        if let Some(held) = judged.records.get_mut(&record) {
            held.offer_all(leaves, directory);
        }
    }
    let code = |opened: Result<(RecordId, LeafHash), &'static str>| match opened {
        Err(code) => code,
        Ok((record, leaf)) => {
            judged.records.get(&record).and_then(|held| held.get(&leaf)).map_or("lost", |(_, status)| status.code())
        }
    };
    judged.codes = opened.into_iter().map(code).collect();
    judged
}
