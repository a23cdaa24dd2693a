//! Small bytes that say to be large. automerge's own reader believes them.

use flate2::{Compress, Compression, FlushCompress};
use heliu_record::change::genesis;

use super::Hostile;
use super::desk::{raw, spoilt};
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
