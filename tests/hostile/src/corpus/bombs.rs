//! Small bytes that say to be large. automerge's own reader believes them.

use flate2::{Compress, Compression, FlushCompress};
use heliu_record::change::limits::{KEY_BYTES, PUTS, REPLACES};
use heliu_record::change::{Change, Container, Draft, OpId, Scalar, genesis};
use heliu_record::id::{Actor, ChangeHash};
use heliu_trust::commit::LEAVES_MAX;

use super::Hostile;
use super::desk::{Desk, misdrafted, raw, signed, spoilt};
use crate::author::Author;
use crate::chunk::{COMPRESSED, Chunk, column, frame, run, sleb, uleb};

pub fn all(author: &Author) -> Vec<Hostile> {
    vec![
        run_length(author),
        run_of_nothing(author),
        run_of_strings(author),
        run_of_flags(author),
        group(author),
        compressed(author),
        compressed_small(author),
        compressed_column(author),
        deps_by_the_billion(author),
        one_key_a_thousand_times(author),
        flood(author, "flood of long keys", "leaf.operation", 1, (0..PUTS).map(|_| "k".repeat(KEY_BYTES)).collect()),
        flood(author, "flood of replaced values", "leaf.exceeds", REPLACES, (0..62).map(|n| n.to_string()).collect()),
        flood(author, "flood of short keys", "waiting", 1, (0..PUTS).map(|n| n.to_string()).collect()),
    ]
}

/// Measured: 69 bytes, 14.5 s of CPU in automerge. Nothing but a run of 2^40 puts.
fn run_length(author: &Author) -> Hostile {
    raw(author, "run-length bomb", "leaf.exceeds", |desk| {
        let columns = vec![(column::ACTION, run(1 << 40, &[1]))];
        let chunk = Chunk {
            deps: vec![genesis().0],
            actor: desk.actor().0.to_vec(),
            seq: 2,
            start_op: 10,
            columns,
            ..Chunk::default()
        };
        chunk.write()
    })
}

fn run_of_nothing(author: &Author) -> Hostile {
    spoilt(author, "bomb of nulls", "leaf.exceeds", |chunk| {
        *chunk.column(column::ACTION) = [sleb(0), uleb(1 << 60)].concat();
    })
}

fn run_of_strings(author: &Author) -> Hostile {
    spoilt(author, "bomb of keys", "leaf.exceeds", |chunk| {
        let key = [uleb(200), vec![b'k'; 200]].concat();
        *chunk.column(column::KEY) = run(1 << 50, &key);
    })
}

fn run_of_flags(author: &Author) -> Hostile {
    spoilt(author, "bomb of flags", "leaf.operation", |chunk| {
        *chunk.column(column::INSERT) = uleb(1 << 62);
    })
}

/// One put that says to replace 2^62 others.
fn group(author: &Author) -> Hostile {
    spoilt(author, "bomb of replaced values", "leaf.exceeds", |chunk| {
        *chunk.column(column::REPLACES_COUNT) = run(1, &uleb(1 << 62));
        *chunk.column(column::REPLACES_ACTOR) = run(1 << 62, &[0]);
        *chunk.column(column::REPLACES_COUNTER) = run(1 << 62, &[1]);
    })
}

/// Measured: 261 KB take 1.28 GiB in automerge.
fn compressed(author: &Author) -> Hostile {
    raw(author, "261 KB compressed", "leaf.too-long", |_| frame(COMPRESSED, &deflated_zeros(256)))
}

/// As much as fits into a leaf: 60 MiB of nothing.
fn compressed_small(author: &Author) -> Hostile {
    raw(author, "60 KB compressed", "leaf.not-a-change", |_| frame(COMPRESSED, &deflated_zeros(58)))
}

fn compressed_column(author: &Author) -> Hostile {
    spoilt(author, "compressed column", "leaf.operation", |chunk| {
        chunk.columns.push((column::REPLACES_COUNTER | 8, deflated_zeros(1)));
    })
}

fn deps_by_the_billion(author: &Author) -> Hostile {
    raw(author, "deps by the billion", "leaf.exceeds", |desk| {
        let body = desk.chunk().body();
        frame(crate::chunk::CHANGE, &[uleb(1 << 40), body[1..].to_vec()].concat())
    })
}

fn one_key_a_thousand_times(author: &Author) -> Hostile {
    misdrafted(author, "one key a thousand times", "leaf.operation", |draft| {
        draft.puts = vec![draft.puts[0].clone(); PUTS];
    })
}

/// Small changes that take much room once they are read, as many of them as 64 KiB hold, on something that nobody has: so
/// all of them are kept.
fn flood(author: &Author, name: &'static str, code: &'static str, replaced: usize, keys: Vec<String>) -> Hostile {
    const INPUT: usize = 64 * 1024;
    let mut desk = Desk::empty(author, name);
    let nobody = Actor([0xee; 16]);
    let replaces: Vec<OpId> = (0..replaced as u64).map(|number| OpId { counter: 10 + number, actor: nobody }).collect();
    let puts: Vec<_> = keys.into_iter().map(|key| (Container::Lww, key, Scalar::Null, replaces.clone())).collect();
    let mut bytes = 0;
    while bytes < INPUT {
        let mut commit = desk.next_commit(&[]);
        let (mut leaves, mut changes) = (Vec::new(), Vec::new());
        while leaves.len() < LEAVES_MAX && bytes < INPUT {
            let time_ms = i64::try_from(bytes).unwrap_or_default();
            let draft =
                Draft { deps: vec![ChangeHash([0xee; 32])], start_op: 1_000, time_ms, ..desk.draft(Vec::new()) };
            let change = Change::encode(Draft { puts: puts.clone(), ..draft });
            bytes += change.raw.len() + 32;
            leaves.push(desk.leaf(&change.raw, commit.seq));
            changes.push(change.raw);
        }
        leaves.sort();
        commit.leaves = leaves;
        desk.deliver_all(signed(commit, &*author.signer), &changes);
    }
    desk.done(code)
}

/// So many MiB of zeros, deflated, without making them: a block that says one is repeated.
fn deflated_zeros(mib: usize) -> Vec<u8> {
    let zeros = vec![0; 1 << 20];
    let mut block = Vec::with_capacity(16 * 1024);
    let mut compress = Compress::new(Compression::best(), false);
    // A vector takes what fits: it is large enough.
    let _ = compress.compress_vec(&zeros, &mut block, FlushCompress::Full);
    let end = [0x03, 0x00];
    [block.repeat(mib), end.to_vec()].concat()
}

#[cfg(test)]
mod tests {
    use flate2::{Decompress, FlushDecompress, Status};

    use super::*;

    #[test]
    fn the_compressed_bomb_would_go_off() {
        let bomb = deflated_zeros(58);
        assert!((50_000..64_000).contains(&bomb.len()), "{}", bomb.len());
        assert!((240_000..280_000).contains(&deflated_zeros(256).len()));
        let mut unfolded = Vec::with_capacity(59 << 20);
        let done = Decompress::new(false).decompress_vec(&bomb, &mut unfolded, FlushDecompress::Finish);
        assert_eq!((done.expect("it is deflate"), unfolded.len()), (Status::StreamEnd, 58 << 20));
    }
}
