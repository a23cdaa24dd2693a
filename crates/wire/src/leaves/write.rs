//! A delivery as bytes. The form, in order; numbers are LEB128, and *near* means the distance to a prediction:
//!
//! 1. format; tables: kinds, birth seats, authors (realm, node, incarnation);
//! 2. preimages, each once: kinds, seats, key lengths, then keys;
//! 3. commits, a column for each part, so that what repeats stands together: author, seq (near that author's last one),
//!    previous commit (none, spelled out, or how many commits before in this frame), versions (or: as before), time (near
//!    the last one), number of leaves, signature;
//! 4. leaves, in columns again: preimage (near the first that was not used yet), commit (near the last leaf's), place in
//!    the commit (near the next one; or none), kind version, form of the change, its length, and its bytes;
//! 5. the hashes of those leaves of the commits that have no change in this frame;
//! 6. grants, in columns: preimage (near the one after the last grant's), length, and bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use heliu_record::change::hash_of;
use heliu_record::codec::Encoder;
use heliu_record::id::{Actor, ChangeHash, Preimage, RecordId, SeatId};
use heliu_replication::frame::{DeliveredGrant, DeliveredLeaf, Delivery};
use heliu_trust::commit::SignedCommit;
use heliu_trust::id::{CommitId, Incarnation, NodeId, RealmId, actor};

use super::chunk::{Form, shorten};
use super::numbers::{FORMAT, distance, number};

pub fn delivery(delivery: &Delivery) -> Vec<u8> {
    let commits: Vec<&SignedCommit> = delivery.commits.iter().map(Arc::as_ref).collect();
    let preimages = Table::of(preimages_of(delivery));
    let authors = Table::of(commits.iter().copied().map(author));
    let actors: Vec<Actor> = authors.items.iter().map(|(_, node, incarnation)| actor(node, incarnation)).collect();
    let records: Vec<RecordId> = preimages.items.iter().map(|preimage| preimage.id()).collect();
    let hashes: Vec<Option<ChangeHash>> = delivery.leaves.iter().map(|leaf| hash_of(&leaf.change)).collect();
    let places = places(delivery, &hashes, |leaf| &records[preimages.index(&leaf.preimage.as_ref())]);

    let mut out = Encoder::default();
    out.u8(FORMAT);
    write_preimages(&mut out, &preimages, &authors.items);
    write_commits(&mut out, &commits, &authors);
    write_leaves(&mut out, &delivery.leaves, &preimages, &places);
    let actor_of = |leaf: &DeliveredLeaf| Some(&actors[authors.index(&author(commits.get(leaf.commit)?))]);
    write_changes(&mut out, &delivery.leaves, &hashes, actor_of);
    for (commit, taken) in commits.iter().zip(&places.taken) {
        for (leaf, _) in commit.commit.leaves.iter().zip(taken).filter(|(_, taken)| !**taken) {
            out.fixed(&leaf.0);
        }
    }
    write_grants(&mut out, &delivery.grants, &preimages);
    out.0
}

fn preimages_of(delivery: &Delivery) -> impl Iterator<Item = &Preimage> {
    let of_leaves = delivery.leaves.iter().map(|leaf| leaf.preimage.as_ref());
    of_leaves.chain(delivery.grants.iter().map(|grant| grant.preimage.as_ref()))
}

type Author = (RealmId, NodeId, Incarnation);

fn author(commit: &SignedCommit) -> Author {
    (commit.commit.realm, commit.commit.author, commit.commit.incarnation)
}

/// Distinct things in the order of their first use.
struct Table<T> {
    items: Vec<T>,
    at: BTreeMap<T, usize>,
}

impl<T: Ord + Copy> Table<T> {
    fn of(all: impl Iterator<Item = T>) -> Self {
        let mut table = Table { items: Vec::new(), at: BTreeMap::new() };
        for item in all {
            table.at.entry(item).or_insert_with(|| {
                table.items.push(item);
                table.items.len() - 1
            });
        }
        table
    }

    /// Of something that is in the table.
    fn index(&self, item: &T) -> usize {
        self.at[item]
    }
}

/// Which leaf of its commit each delivered leaf is, and which leaves of the commits are therefore known.
struct Places {
    of_leaves: Vec<Option<usize>>,
    taken: Vec<Vec<bool>>,
}

fn places<'a>(
    delivery: &Delivery,
    hashes: &[Option<ChangeHash>],
    record: impl Fn(&DeliveredLeaf) -> &'a RecordId,
) -> Places {
    let mut taken: Vec<Vec<bool>> = delivery.commits.iter().map(|c| vec![false; c.commit.leaves.len()]).collect();
    let mut place = |leaf: &DeliveredLeaf, change: &Option<ChangeHash>| {
        let commit = &delivery.commits.get(leaf.commit)?.commit;
        let hash = commit.leaf_hash(record(leaf), change.as_ref()?, leaf.kind_version);
        let place = commit.leaves.iter().position(|of_commit| *of_commit == hash)?;
        let taken = taken[leaf.commit].get_mut(place).filter(|taken| !**taken)?;
        *taken = true;
        Some(place)
    };
    Places { of_leaves: delivery.leaves.iter().zip(hashes).map(|(leaf, hash)| place(leaf, hash)).collect(), taken }
}

fn write_preimages(out: &mut Encoder, preimages: &Table<&Preimage>, authors: &[Author]) {
    let kinds: Table<&str> = Table::of(preimages.items.iter().map(|preimage| preimage.kind.as_str()));
    let births: Table<SeatId> = Table::of(preimages.items.iter().map(|preimage| preimage.birth));
    out.varint(number(kinds.items.len()));
    for kind in &kinds.items {
        out.text(kind);
    }
    out.varint(number(births.items.len()));
    for seat in &births.items {
        out.fixed(&seat.0);
    }
    out.varint(number(authors.len()));
    for (realm, node, incarnation) in authors {
        out.fixed(&realm.0).fixed(&node.0).fixed(&incarnation.0);
    }
    out.varint(number(preimages.items.len()));
    for preimage in &preimages.items {
        out.varint(number(kinds.index(&preimage.kind.as_str())));
    }
    for preimage in &preimages.items {
        out.varint(number(births.index(&preimage.birth)));
    }
    for preimage in &preimages.items {
        out.varint(number(preimage.key.len()));
    }
    for preimage in &preimages.items {
        out.fixed(&preimage.key);
    }
}

fn write_commits(out: &mut Encoder, commits: &[&SignedCommit], authors: &Table<Author>) {
    out.varint(number(commits.len()));
    for commit in commits {
        out.varint(number(authors.index(&author(commit))));
    }

    let mut seqs = vec![0u64; authors.items.len()];
    for commit in commits {
        let last = &mut seqs[authors.index(&author(commit))];
        out.varint(distance(commit.commit.seq, last.wrapping_add(1)));
        *last = commit.commit.seq;
    }

    let mut known: BTreeMap<CommitId, usize> = BTreeMap::new();
    for (index, commit) in commits.iter().enumerate() {
        match &commit.commit.previous {
            None => out.varint(0),
            Some(previous) => match known.get(previous) {
                Some(at) => out.varint(1 + number(index - at)),
                None => out.varint(1).fixed(&previous.0),
            },
        };
        known.insert(commit.id, index);
    }

    let mut before: &[_] = &[];
    for commit in commits {
        let versions = commit.commit.versions.as_slice();
        if std::mem::replace(&mut before, versions) == versions {
            out.varint(0);
            continue;
        }
        out.varint(number(versions.len()));
        for (county, version) in versions {
            out.fixed(&county.0).fixed(&version.0);
        }
    }

    let mut time = 0u64;
    for commit in commits {
        let last = std::mem::replace(&mut time, commit.commit.time_ms.cast_unsigned());
        out.varint(distance(time, last));
    }
    for commit in commits {
        out.varint(number(commit.commit.leaves.len()));
    }
    for commit in commits {
        out.fixed(&commit.signature.0);
    }
}

fn write_leaves(out: &mut Encoder, leaves: &[DeliveredLeaf], preimages: &Table<&Preimage>, places: &Places) {
    out.varint(number(leaves.len()));

    let mut unused = 0;
    for leaf in leaves {
        let index = preimages.index(&leaf.preimage.as_ref());
        out.varint(distance(number(index), number(unused)));
        unused = unused.max(index + 1);
    }

    let mut commit = 0;
    for leaf in leaves {
        let last = std::mem::replace(&mut commit, leaf.commit);
        out.varint(distance(number(leaf.commit), number(last)));
    }

    let mut expected = (0, 0);
    for (leaf, place) in leaves.iter().zip(&places.of_leaves) {
        if expected.0 != leaf.commit {
            expected = (leaf.commit, 0);
        }
        match place {
            None => out.varint(0),
            Some(place) => {
                let near = distance(number(*place), number(expected.1));
                expected.1 = place + 1;
                out.varint(1 + near)
            }
        };
    }
    for leaf in leaves {
        out.varint(leaf.kind_version.into());
    }
}

fn write_changes<'a>(
    out: &mut Encoder,
    leaves: &[DeliveredLeaf],
    hashes: &[Option<ChangeHash>],
    actor: impl Fn(&DeliveredLeaf) -> Option<&'a Actor>,
) {
    let shortened: Vec<(Form, [&[u8]; 2])> =
        leaves.iter().zip(hashes).map(|(leaf, hash)| shorten(&leaf.change, hash.as_ref(), actor(leaf))).collect();
    for (form, _) in &shortened {
        out.u8(*form as u8);
    }
    for (_, [head, tail]) in &shortened {
        out.varint(number(head.len() + tail.len()));
    }
    for (_, [head, tail]) in &shortened {
        out.fixed(head).fixed(tail);
    }
}

fn write_grants(out: &mut Encoder, grants: &[DeliveredGrant], preimages: &Table<&Preimage>) {
    out.varint(number(grants.len()));
    let mut next = 0;
    for grant in grants {
        let index = preimages.index(&grant.preimage.as_ref());
        out.varint(distance(number(index), number(next)));
        next = index + 1;
    }
    for grant in grants {
        out.varint(number(grant.grant.len()));
    }
    for grant in grants {
        out.fixed(&grant.grant);
    }
}
