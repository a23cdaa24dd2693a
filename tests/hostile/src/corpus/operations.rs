//! Operations that no record has: other actions, other objects, values of nobody's type. And operations that fit no field.

use heliu_record::change::{Change, Container, Draft, OpId, Scalar};
use heliu_record::id::Actor;

use super::Hostile;
use super::desk::{Desk, misdrafted, raw, spoilt};
use crate::author::Author;
use crate::chunk::{column, run, sleb, uleb};

pub fn all(author: &Author) -> Vec<Hostile> {
    let mut all = actions(author);
    all.extend(objects(author));
    all.extend(values(author));
    all.extend(too_much(author));
    all.extend(fields(author));
    all
}

/// automerge's numbers: make a map, delete, make a list, increment, make a text, make a table, mark.
fn actions(author: &Author) -> Vec<Hostile> {
    let action = |name, number: u64| {
        spoilt(author, name, "leaf.operation", |chunk| *chunk.column(column::ACTION) = run(1, &uleb(number)))
    };
    vec![
        action("makes a map", 0),
        action("makes a list", 2),
        action("deletes", 3),
        action("makes a text", 4),
        action("increments", 5),
        action("makes a table", 6),
        action("marks", 7),
        action("an action of nobody", 4_000_000_000),
        // Measured: applies `Ok`, and what is saved then does not load.
        spoilt(author, "deletes without pred", "leaf.operation", |chunk| {
            *chunk.column(column::ACTION) = run(1, &[3]);
            chunk.columns.retain(|(spec, _)| *spec < column::REPLACES_COUNT);
        }),
        spoilt(author, "inserts", "leaf.operation", |chunk| *chunk.column(column::INSERT) = [0, 1].to_vec()),
        spoilt(author, "writes an element of a list", "leaf.operation", |chunk| {
            chunk.columns.retain(|(spec, _)| *spec != column::KEY);
            *chunk.column(0x11) = run(1, &[0]);
            *chunk.column(0x13) = run(1, &[1]);
        }),
    ]
}

fn objects(author: &Author) -> Vec<Hostile> {
    vec![
        // Measured: automerge panics.
        spoilt(author, "operation on an unknown object", "leaf.operation", |chunk| {
            *chunk.column(column::OBJECT_COUNTER) = run(1, &uleb(7_777));
        }),
        spoilt(author, "operation on an object of its own", "leaf.operation", |chunk| {
            *chunk.column(column::OBJECT_ACTOR) = run(1, &[0]);
        }),
        spoilt(author, "operation at the root", "leaf.operation", |chunk| {
            chunk.columns.retain(|(spec, _)| !matches!(*spec, column::OBJECT_ACTOR | column::OBJECT_COUNTER));
        }),
        // Measured: automerge panics.
        spoilt(author, "bad actor index", "leaf.operation", |chunk| {
            *chunk.column(column::OBJECT_ACTOR) = run(1, &uleb(99));
        }),
        spoilt(author, "actor index beyond 2^63", "leaf.operation", |chunk| {
            *chunk.column(column::OBJECT_ACTOR) = run(1, &uleb(u64::MAX));
        }),
        spoilt(author, "replaces by a bad actor index", "leaf.operation", |chunk| {
            *chunk.column(column::REPLACES_ACTOR) = run(1, &uleb(99));
        }),
        spoilt(author, "replaces a negative counter", "leaf.operation", |chunk| {
            *chunk.column(column::REPLACES_COUNTER) = run(1, &sleb(-5));
        }),
        spoilt(author, "replaces beyond the largest counter", "leaf.operation", |chunk| {
            *chunk.column(column::REPLACES_COUNT) = run(1, &[2]);
            *chunk.column(column::REPLACES_ACTOR) = run(2, &[0]);
            *chunk.column(column::REPLACES_COUNTER) = run(2, &sleb(i64::MAX));
        }),
        // Found here: it encodes, and automerge panics when it reads it again.
        misdrafted(author, "replaces counter 2^40", "leaf.operation", |draft| {
            let actor = draft.actor;
            draft.puts[0].3 = vec![OpId { counter: 1 << 40, actor }];
        }),
    ]
}

fn value(author: &Author, name: &'static str, code: &'static str, meta: u64, bytes: &[u8]) -> Hostile {
    spoilt(author, name, code, |chunk| {
        *chunk.column(column::VALUE_META) = run(1, &uleb((bytes.len() as u64) << 4 | meta));
        *chunk.column(column::VALUE) = bytes.to_vec();
    })
}

fn values(author: &Author) -> Vec<Hostile> {
    vec![
        value(author, "unsigned number", "leaf.operation", 3, &[3]),
        value(author, "float", "leaf.operation", 5, &1.5f64.to_le_bytes()),
        value(author, "counter", "leaf.operation", 8, &[3]),
        value(author, "timestamp", "leaf.operation", 9, &[3]),
        value(author, "value of no type", "leaf.operation", 15, &[3]),
        value(author, "true with bytes", "leaf.operation", 2, &[3]),
        value(author, "text that is not UTF-8", "leaf.unreadable", 6, &[0xff, 0xfe]),
        value(author, "padded number", "leaf.not-canonical", 4, &[0x83, 0x00]),
        value(author, "number of 12 bytes", "leaf.unreadable", 4, &[0xff; 12]),
        value(author, "value too long", "leaf.exceeds", 6, &[b'v'; 20_000]),
        spoilt(author, "value longer than there is", "leaf.unreadable", |chunk| {
            *chunk.column(column::VALUE_META) = run(1, &uleb(16_000 << 4 | 7));
        }),
    ]
}

fn too_much(author: &Author) -> Vec<Hostile> {
    let puts = |count: usize| {
        move |desk: &Desk<'_>| {
            let puts = (0..count).map(|i| (Container::Mv, format!("{i}"), Scalar::Null, Vec::new())).collect();
            Change::encode(Draft { puts, ..desk.edit() }).raw.to_vec()
        }
    };
    let replacing = |count: u64| {
        move |draft: &mut Draft| {
            draft.puts[0].3 = (1..=count).map(|counter| OpId { counter, actor: Actor([1; 16]) }).collect();
        }
    };
    // Far apart and each another's, so that no two of them share a byte.
    let id = |put: u64, i: u64| OpId { counter: 1 + i * 20_000_000 + put * 7_919, actor: other(i, put) };
    let replacing_each = |count: u64| {
        move |desk: &Desk<'_>| {
            let ids = |put| (0..count).map(|i| id(put, i)).collect();
            let puts = (0..79).map(|put| (Container::Mv, format!("{put}"), Scalar::Null, ids(put))).collect();
            Change::encode(Draft { puts, ..desk.edit() }).raw.to_vec()
        }
    };
    vec![
        raw(author, "5,001 operations", "leaf.exceeds", puts(5_001)),
        raw(author, "1,001 operations", "leaf.exceeds", puts(1_001)),
        raw(author, "1,000 operations on no field", "refused.authority", puts(1_000)),
        raw(author, "no operation", "leaf.exceeds", |desk| {
            let mut chunk = desk.chunk();
            chunk.columns.clear();
            chunk.write()
        }),
        misdrafted(author, "replaces 65 values", "leaf.exceeds", replacing(65)),
        misdrafted(author, "replaces 64 values of nobody", "refused.dangling", replacing(64)),
        misdrafted(author, "key too long", "leaf.unreadable", |draft| draft.puts[0].1 = "k".repeat(201)),
        misdrafted(author, "empty key", "leaf.exceeds", |draft| draft.puts[0].1.clear()),
        raw(author, "64 KB of keys", "refused.authority", |desk| {
            let puts = (0..400).map(|i| (Container::Log, format!("{i:0>150}"), Scalar::Null, Vec::new())).collect();
            Change::encode(Draft { puts, ..desk.edit() }).raw.to_vec()
        }),
        raw(author, "550 replaced values", "refused.dangling", replacing_each(7)),
        raw(author, "4,000 replaced values", "leaf.exceeds", replacing_each(50)),
    ]
}

/// One of two hundred actors.
fn other(i: u64, put: u64) -> Actor {
    Actor([((i * 37 + put * 11) % 200).to_le_bytes()[0]; 16])
}

fn fields(author: &Author) -> Vec<Hostile> {
    let put = |name, put: (Container, &str, Scalar)| {
        raw(author, name, "refused.authority", |desk| Change::encode(desk.draft(vec![put])).raw.to_vec())
    };
    let seat = |byte| Scalar::Bytes(vec![byte; 16]);
    vec![
        put("field of no kind", (Container::Lww, "no_such_field", Scalar::Null)),
        put("field in another container", (Container::Lww, "name", "x".into())),
        put("number where a text is due", (Container::Mv, "name", Scalar::Int(i64::MIN))),
        put("name longer than the field", (Container::Mv, "name", Scalar::Text("长".repeat(5_000)))),
        put("path of too many parts", (Container::Aws, "component_units/a/b/c", Scalar::Null)),
        put("owner that is no seat", (Container::Scope, "owner", Scalar::Bytes(vec![1; 15]))),
        put("owner given to a stranger", (Container::Scope, "owner", seat(3))),
        put("class of nobody", (Container::Scope, "class", "secret".into())),
        put("decision above its tier", (Container::Log, "lifecycle/1", "dissolved".into())),
        put("control characters as a key", (Container::Mv, "name\u{0}\u{1b}[2J", "x".into())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_honest_edit_has_every_column_that_is_spoilt_here() {
        let county = crate::author::County::new();
        let author = county.author(crate::author::VILLAGE, 1);
        let chunk = Desk::new(&author, "x").chunk();
        let specs: Vec<u64> = chunk.columns.iter().map(|(spec, _)| *spec).collect();
        for spec in [column::OBJECT_ACTOR, column::KEY, column::INSERT, column::REPLACES_COUNTER, column::VALUE] {
            assert!(specs.contains(&spec), "{spec:x} of {specs:x?}");
        }
    }
}
