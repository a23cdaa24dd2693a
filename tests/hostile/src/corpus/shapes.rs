//! Bytes that are not the one encoding of a change, or not of a change at all.

use automerge::{AutoCommit, ROOT, transaction::Transactable};
use heliu_record::change::{Change, Container, Scalar};

use super::Hostile;
use super::desk::{misdrafted, raw, spoilt};
use crate::author::Author;
use crate::chunk::{CHANGE, DOCUMENT, column, frame, run, sleb, uleb, with_right_checksum};

pub fn all(author: &Author) -> Vec<Hostile> {
    let mut all = vec![document(author), document_type(author), wrong_checksum(author)];
    all.extend(numbers(author));
    all.extend(lists(author));
    all.extend(columns(author));
    all
}

/// A whole document where a change is due: automerge loads it, with all that is in it.
fn document(author: &Author) -> Hostile {
    raw(author, "document instead of a change", "leaf.not-a-change", |_| {
        let mut document = AutoCommit::new();
        let _ = document.put(ROOT, "x", 1);
        document.save()
    })
}

fn document_type(author: &Author) -> Hostile {
    raw(author, "change that says to be a document", "leaf.not-a-change", |desk| frame(DOCUMENT, &desk.chunk().body()))
}

/// `Change::from_bytes` of automerge does not look at it; what is saved then will not load.
fn wrong_checksum(author: &Author) -> Hostile {
    raw(author, "wrong checksum", "leaf.not-canonical", |desk| {
        let mut raw = desk.chunk().write();
        raw[5] ^= 1;
        raw
    })
}

fn numbers(author: &Author) -> Vec<Hostile> {
    vec![
        raw(author, "padded seq", "leaf.unreadable", |desk| {
            let chunk = desk.chunk();
            let before = 1 + 32 * chunk.deps.len() + 17;
            let body = chunk.body();
            // Two, in two bytes.
            frame(CHANGE, &[&body[..before], &[0x82, 0x00], &body[before + 1..]].concat())
        }),
        raw(author, "padded length", "leaf.unreadable", |desk| {
            let (body, head) = (desk.chunk().body(), frame(CHANGE, &[]));
            let mut len = uleb(body.len() as u64);
            len.last_mut().into_iter().for_each(|last| *last |= 0x80);
            len.push(0);
            with_right_checksum([&head[..head.len() - 1], &len, &body].concat())
        }),
        raw(author, "bytes behind the change", "leaf.unreadable", |desk| [&desk.chunk().write()[..], b"more"].concat()),
        raw(author, "cut in the middle", "leaf.unreadable", |desk| {
            let raw = desk.chunk().write();
            raw[..raw.len() / 2].to_vec()
        }),
        raw(author, "empty", "leaf.not-a-change", |_| Vec::new()),
        misdrafted(author, "start_op near u32::MAX", "leaf.exceeds", |draft| draft.start_op = u64::from(u32::MAX) - 1),
        misdrafted(author, "start_op at the half of u32", "refused.start-op", |draft| {
            draft.start_op = u64::from(u32::MAX / 2);
        }),
        spoilt(author, "start_op beyond 2^63", "leaf.exceeds", |chunk| chunk.start_op = u64::MAX),
        spoilt(author, "seq beyond 2^63", "refused.seq", |chunk| chunk.seq = u64::MAX >> 1),
        // Found here: two of them in one record, and automerge panics when it puts their times into a column.
        misdrafted(author, "a time of no year", "leaf.exceeds", |draft| draft.time_ms = i64::MIN),
        misdrafted(author, "a time at the end of all years", "leaf.exceeds", |draft| draft.time_ms = i64::MAX),
        spoilt(author, "start_op 0", "leaf.exceeds", |chunk| chunk.start_op = 0),
        spoilt(author, "seq 0", "leaf.exceeds", |chunk| chunk.seq = 0),
    ]
}

fn lists(author: &Author) -> Vec<Hostile> {
    let actors = |chunk: &mut crate::chunk::Chunk| {
        // One more than it names, in order: automerge panics when it applies it.
        chunk.others.push(vec![0xff; 16]);
    };
    vec![
        spoilt(author, "declared and unused actor", "leaf.not-canonical", actors),
        spoilt(author, "actor declared twice", "leaf.not-canonical", |chunk| {
            let twice = chunk.others[0].clone();
            chunk.others.insert(0, twice);
            *chunk.column(column::OBJECT_ACTOR) = run(1, &[2]);
        }),
        spoilt(author, "actors by the hundred", "leaf.unreadable", |chunk| {
            chunk.others.extend((0..300u16).map(|i| [&i.to_be_bytes()[..], &[7; 14]].concat()));
        }),
        spoilt(author, "actor of 15 bytes", "leaf.exceeds", |chunk| {
            chunk.actor.pop();
        }),
        spoilt(author, "actor of 4 KB", "leaf.unreadable", |chunk| chunk.actor = vec![7; 4096]),
        spoilt(author, "extra bytes", "leaf.exceeds", |chunk| chunk.extra = vec![0; 1000]),
        spoilt(author, "message too long", "leaf.exceeds", |chunk| chunk.message = vec![b'a'; 50_000]),
        spoilt(author, "message not UTF-8", "leaf.exceeds", |chunk| chunk.message = vec![0xff; 3]),
        spoilt(author, "message of one line", "leaf.not-canonical", |chunk| chunk.message = b"x".to_vec()),
        spoilt(author, "dep named twice", "leaf.exceeds", |chunk| chunk.deps = vec![chunk.deps[0]; 2]),
        spoilt(author, "deps out of order", "leaf.exceeds", |chunk| chunk.deps = vec![[9; 32], [8; 32]]),
        spoilt(author, "no deps", "leaf.exceeds", |chunk| chunk.deps.clear()),
        spoilt(author, "deps by the thousand", "leaf.exceeds", |chunk| {
            chunk.deps = (0..1_900u16).map(|i| std::array::from_fn(|at| i.to_be_bytes()[at % 2])).collect();
            chunk.deps.sort_unstable();
        }),
    ]
}

fn columns(author: &Author) -> Vec<Hostile> {
    vec![
        spoilt(author, "columns out of order", "leaf.not-canonical", |chunk| chunk.columns.reverse()),
        spoilt(author, "column twice", "leaf.not-canonical", |chunk| {
            let twice = chunk.columns[0].clone();
            chunk.columns.insert(0, twice);
        }),
        spoilt(author, "empty unknown column", "leaf.not-canonical", |chunk| {
            chunk.columns.push((0xa6, Vec::new()));
        }),
        spoilt(author, "extra column", "leaf.operation", |chunk| chunk.columns.push((0x66, run(1, &[1])))),
        spoilt(author, "column of a later version", "leaf.operation", |chunk| {
            chunk.columns.push((u64::from(u32::MAX) * 3, run(1, &[1])));
        }),
        spoilt(author, "columns by the hundred", "leaf.unreadable", |chunk| {
            chunk.columns.extend((0..200u64).map(|i| (0x1000 + i * 16, vec![1, 1])));
        }),
        raw(author, "run in two pieces", "leaf.not-canonical", |desk| {
            let puts = (0..4).map(|i| (Container::Mv, format!("k{i}"), Scalar::Null, Vec::new())).collect();
            let change = Change::encode(heliu_record::change::Draft { puts, ..desk.edit() });
            let mut chunk = crate::chunk::Chunk::read(&change.raw).unwrap_or_default();
            *chunk.column(column::ACTION) = [run(2, &[1]), run(2, &[1])].concat();
            chunk.write()
        }),
        spoilt(author, "list of one for a run of one", "leaf.not-canonical", |chunk| {
            // The shortest form of a single value is the list; the run of one is another.
            let action = chunk.column(column::ACTION);
            *action = if *action == run(1, &[1]) { run(-1, &[1]) } else { run(1, &[1]) };
        }),
        spoilt(author, "empty run", "leaf.not-canonical", |chunk| {
            chunk.column(column::ACTION).extend([sleb(0), uleb(0)].concat());
        }),
        spoilt(author, "value bytes left over", "leaf.unreadable", |chunk| chunk.column(column::VALUE).extend(b"more")),
        spoilt(author, "column longer than the change", "leaf.unreadable", |chunk| {
            chunk.columns.push((column::REPLACES_COUNTER + 0x100, Vec::new()));
            chunk.extra = vec![0xff; 40];
            chunk.columns.iter_mut().for_each(|(_, bytes)| bytes.truncate(1));
        }),
    ]
}
