//! A delivery from untrusted bytes; the form is described in `write`. Work and memory are in proportion to the bytes.

use std::sync::Arc;

use heliu_record::change::limits::CHANGE_BYTES;
use heliu_record::codec::{DecodeError, Reader};
use heliu_record::id::{Actor, LeafHash, Preimage, RecordId, SeatId};
use heliu_replication::frame::{DeliveredGrant, DeliveredLeaf, Delivery, limits};
use heliu_trust::commit::{Commit, LEAVES_MAX, SignedCommit, VERSIONS_MAX, leaf_hash};
use heliu_trust::id::{CommitId, DirectoryVersion, Incarnation, NodeId, RealmId, actor};
use heliu_trust::signature::Signature;

use super::chunk::{Form, expand};
use super::numbers::{FORMAT, moved, number};

pub fn delivery(bytes: &[u8]) -> Result<Delivery, DecodeError> {
    let mut reader = Reader(bytes);
    if reader.u8()? != FORMAT {
        return invalid("the format of a delivery");
    }
    let (kinds, births) = (read_kinds(&mut reader)?, read_births(&mut reader)?);
    let authors = read_authors(&mut reader)?;
    let preimages = read_preimages(&mut reader, &kinds, &births)?;
    let commits = read_commits(&mut reader, &authors)?;
    let leaves = read_leaves(&mut reader, &preimages, &commits)?;
    let hashes = read_hashes(&mut reader, &commits, &leaves)?;
    let grants = read_grants(&mut reader, &preimages, leaves.len())?;
    reader.end()?;
    let delivered = leaves.into_iter().map(|leaf| DeliveredLeaf {
        declared: None,
        preimage: Arc::clone(&preimages[leaf.preimage].0),
        commit: leaf.commit,
        kind_version: leaf.kind_version,
        change: leaf.change,
    });
    Ok(Delivery { leaves: delivered.collect(), commits: sign(commits, hashes)?, grants })
}

struct Author {
    realm: RealmId,
    node: NodeId,
    incarnation: Incarnation,
    actor: Actor,
}

enum Previous {
    None,
    Known(CommitId),
    /// Index of a commit before it in this frame.
    Here(usize),
}

/// A commit without its leaves.
struct Header<'a> {
    author: &'a Author,
    seq: u64,
    previous: Previous,
    versions: Vec<(SeatId, DirectoryVersion)>,
    time_ms: i64,
    leaves: usize,
    signature: Signature,
}

struct Leaf {
    preimage: usize,
    commit: usize,
    /// Its place in the commit and its hash.
    place: Option<(usize, LeafHash)>,
    kind_version: u32,
    change: Arc<[u8]>,
}

fn read_kinds<'a>(reader: &mut Reader<'a>) -> Result<Vec<&'a str>, DecodeError> {
    let count = reader.count("kinds", limits::LEAVES_PER_FRAME, 1)?;
    column(count, || reader.text("a kind's name", Preimage::KIND_MAX))
}

fn read_births(reader: &mut Reader<'_>) -> Result<Vec<SeatId>, DecodeError> {
    let count = reader.count("birth seats", limits::LEAVES_PER_FRAME, SeatId::LEN)?;
    column(count, || reader.fixed().map(SeatId))
}

fn read_authors(reader: &mut Reader<'_>) -> Result<Vec<Author>, DecodeError> {
    let count = reader.count("authors", limits::LEAVES_PER_FRAME, RealmId::LEN + NodeId::LEN + Incarnation::LEN)?;
    column(count, || {
        let (realm, node, incarnation) =
            (RealmId(reader.fixed()?), NodeId(reader.fixed()?), Incarnation(reader.fixed()?));
        Ok(Author { realm, node, incarnation, actor: actor(&node, &incarnation) })
    })
}

fn read_preimages(
    reader: &mut Reader<'_>,
    kinds: &[&str],
    births: &[SeatId],
) -> Result<Vec<(Arc<Preimage>, RecordId)>, DecodeError> {
    let count = reader.count("preimages", limits::LEAVES_PER_FRAME, 3)?;
    let kinds = column(count, || pick(reader, kinds, "a kind").copied())?;
    let births = column(count, || pick(reader, births, "a birth seat").copied())?;
    let lens = column(count, || reader.varint())?;
    kinds
        .into_iter()
        .zip(births)
        .zip(lens)
        .map(|((kind, birth), len)| {
            let preimage =
                Preimage { kind: kind.to_owned(), birth, key: take(reader, len, Preimage::KEY_MAX)?.to_vec() };
            if !preimage.is_bounded() {
                return invalid("a preimage");
            }
            let id = preimage.id();
            Ok((Arc::new(preimage), id))
        })
        .collect()
}

fn read_commits<'a>(reader: &mut Reader<'_>, authors: &'a [Author]) -> Result<Vec<Header<'a>>, DecodeError> {
    let count = reader.count("commits", limits::LEAVES_PER_FRAME, 6 + 64)?;
    let by: Vec<usize> = column(count, || index(reader, authors.len(), "an author"))?;

    let mut last = vec![0u64; authors.len()];
    let mut authors_of = by.iter();
    let seqs = column(count, || {
        let last = authors_of.next().and_then(|author| last.get_mut(*author)).ok_or(DecodeError::Truncated)?;
        *last = moved(last.wrapping_add(1), reader.varint()?);
        Ok(*last)
    })?;

    let mut at = 0;
    let previous = column(count, || {
        at += 1;
        Ok(match reader.varint()? {
            0 => Previous::None,
            1 => Previous::Known(CommitId(reader.fixed()?)),
            back => {
                let back = usize::try_from(back - 1).ok().and_then(|back| (at - 1usize).checked_sub(back));
                Previous::Here(back.ok_or(DecodeError::Invalid { what: "a previous commit" })?)
            }
        })
    })?;

    let mut before = Vec::new();
    let versions = column(count, || {
        let count = reader.count("directory versions", VERSIONS_MAX, SeatId::LEN + DirectoryVersion::LEN)?;
        if count > 0 {
            before = column(count, || Ok((SeatId(reader.fixed()?), DirectoryVersion(reader.fixed()?))))?;
        }
        Ok(before.clone())
    })?;

    let mut time = 0u64;
    let times = column(count, || {
        time = moved(time, reader.varint()?);
        Ok(time.cast_signed())
    })?;
    let leaves = column(count, || index(reader, LEAVES_MAX + 1, "the number of leaves"))?;
    let signatures = column(count, || reader.fixed().map(Signature))?;

    let columns = by.into_iter().zip(seqs).zip(previous).zip(versions).zip(times).zip(leaves).zip(signatures);
    let headers = columns.map(|((((((by, seq), previous), versions), time_ms), leaves), signature)| Header {
        author: &authors[by],
        seq,
        previous,
        versions,
        time_ms,
        leaves,
        signature,
    });
    Ok(headers.collect())
}

fn read_leaves(
    reader: &mut Reader<'_>,
    preimages: &[(Arc<Preimage>, RecordId)],
    commits: &[Header<'_>],
) -> Result<Vec<Leaf>, DecodeError> {
    let count = reader.count("leaves", limits::LEAVES_PER_FRAME, 6)?;

    let mut unused = 0;
    let of = column(count, || {
        let index = within(moved(number(unused), reader.varint()?), preimages.len(), "a preimage")?;
        unused = unused.max(index + 1);
        Ok(index)
    })?;

    let mut last = 0;
    let by = column(count, || {
        last = within(moved(number(last), reader.varint()?), commits.len(), "a leaf's commit")?;
        Ok(last)
    })?;

    let mut expected = (0, 0);
    let mut commits_of = by.iter();
    let places = column(count, || {
        let commit = *commits_of.next().ok_or(DecodeError::Truncated)?;
        if expected.0 != commit {
            expected = (commit, 0);
        }
        let Some(near) = reader.varint()?.checked_sub(1) else { return Ok(None) };
        let place = within(moved(number(expected.1), near), commits[commit].leaves, "a leaf's place")?;
        expected.1 = place + 1;
        Ok(Some(place))
    })?;

    let kind_versions = column(count, || reader.u32())?;
    let forms = column(count, || Form::from_u8(reader.u8()?).ok_or(DecodeError::Invalid { what: "a change's form" }))?;
    let lens = column(count, || reader.varint())?;

    let columns = of.into_iter().zip(by).zip(places).zip(kind_versions).zip(forms).zip(lens);
    columns
        .map(|(((((preimage, commit), place), kind_version), form), len)| {
            let bytes = take(reader, len, CHANGE_BYTES)?;
            let (change, hash) = expand(form, bytes, &commits[commit].author.actor)
                .filter(|(change, _)| change.len() <= CHANGE_BYTES)
                .ok_or(DecodeError::Invalid { what: "a change" })?;
            let place = match (place, hash) {
                (None, _) => None,
                (Some(place), Some(hash)) => {
                    let Header { seq, versions, .. } = &commits[commit];
                    Some((place, leaf_hash(&preimages[preimage].1, &hash, kind_version, *seq, versions)))
                }
                (Some(_), None) => return invalid("a leaf's place"),
            };
            Ok(Leaf { preimage, commit, place, kind_version, change: change.into() })
        })
        .collect()
}

/// The leaves of each commit: those of the delivered changes, and those that are spelled out.
fn read_hashes(
    reader: &mut Reader<'_>,
    commits: &[Header<'_>],
    leaves: &[Leaf],
) -> Result<Vec<Vec<LeafHash>>, DecodeError> {
    let all: usize = commits.iter().map(|commit| commit.leaves).sum();
    if all.saturating_sub(leaves.len()).saturating_mul(LeafHash::LEN) > reader.0.len() {
        return Err(DecodeError::Truncated);
    }
    let mut places: Vec<Vec<Option<LeafHash>>> = commits.iter().map(|commit| vec![None; commit.leaves]).collect();
    for leaf in leaves {
        let Some((place, hash)) = leaf.place else { continue };
        if places[leaf.commit][place].replace(hash).is_some() {
            return invalid("a leaf's place");
        }
    }
    places
        .into_iter()
        .map(|places| places.into_iter().map(|place| place.map_or_else(|| reader.fixed().map(LeafHash), Ok)).collect())
        .collect()
}

/// Leaves and grants share one limit.
fn read_grants(
    reader: &mut Reader<'_>,
    preimages: &[(Arc<Preimage>, RecordId)],
    leaves: usize,
) -> Result<Vec<DeliveredGrant>, DecodeError> {
    let count = reader.count("grants", limits::LEAVES_PER_FRAME.saturating_sub(leaves), 2)?;
    let mut next = 0;
    let of = column(count, || {
        let index = within(moved(number(next), reader.varint()?), preimages.len(), "a grant's preimage")?;
        next = index + 1;
        Ok(index)
    })?;
    let lens = column(count, || reader.varint())?;
    let grant = |(preimage, len): (usize, u64)| {
        let grant = take(reader, len, limits::GRANT_BYTES)?.into();
        Ok(DeliveredGrant { preimage: Arc::clone(&preimages[preimage].0), grant })
    };
    of.into_iter().zip(lens).map(grant).collect()
}

/// Puts the commits together, in order, because one may need the id of another before it.
fn sign(headers: Vec<Header<'_>>, hashes: Vec<Vec<LeafHash>>) -> Result<Vec<Arc<SignedCommit>>, DecodeError> {
    let mut commits: Vec<Arc<SignedCommit>> = Vec::with_capacity(headers.len());
    for (header, leaves) in headers.into_iter().zip(hashes) {
        let previous = match header.previous {
            Previous::None => None,
            Previous::Known(id) => Some(id),
            Previous::Here(index) => Some(commits[index].id),
        };
        let commit = Commit {
            realm: header.author.realm,
            author: header.author.node,
            incarnation: header.author.incarnation,
            seq: header.seq,
            previous,
            versions: header.versions,
            time_ms: header.time_ms,
            leaves,
        };
        commit.check()?;
        let id = commit.id();
        commits.push(Arc::new(SignedCommit { commit, id, signature: header.signature }));
    }
    Ok(commits)
}

fn column<T>(count: usize, mut read: impl FnMut() -> Result<T, DecodeError>) -> Result<Vec<T>, DecodeError> {
    (0..count).map(|_| read()).collect()
}

fn pick<'a, T>(reader: &mut Reader<'_>, table: &'a [T], what: &'static str) -> Result<&'a T, DecodeError> {
    Ok(&table[index(reader, table.len(), what)?])
}

fn index(reader: &mut Reader<'_>, len: usize, what: &'static str) -> Result<usize, DecodeError> {
    within(reader.varint()?, len, what)
}

fn within(value: u64, len: usize, what: &'static str) -> Result<usize, DecodeError> {
    usize::try_from(value).ok().filter(|index| *index < len).ok_or(DecodeError::Invalid { what })
}

fn take<'a>(reader: &mut Reader<'a>, len: u64, max: usize) -> Result<&'a [u8], DecodeError> {
    let len = usize::try_from(len).ok().filter(|len| *len <= max);
    let len = len.ok_or(DecodeError::TooLong { what: "a key, a change or a grant", max })?;
    let (head, rest) = reader.0.split_at_checked(len).ok_or(DecodeError::Truncated)?;
    reader.0 = rest;
    Ok(head)
}

fn invalid<T>(what: &'static str) -> Result<T, DecodeError> {
    Err(DecodeError::Invalid { what })
}
