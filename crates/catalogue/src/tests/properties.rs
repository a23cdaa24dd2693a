//! Properties on random histories: our merge is automerge's, order of delivery does not matter, bytes are safe to read.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::sync::Arc;

use automerge::legacy::{Key, ObjectId, Op as ExpandedOp, OpId as ExpandedOpId, OpType};
use automerge::transaction::CommitOptions;
use automerge::{ActorId, AutoCommit, ExpandedChange, ObjType, ReadDoc, ScalarValue, Value};
use heliu_record::change::{Change, Container, Draft, Note, OpId, Scalar, ShapeError, genesis_change};
use heliu_record::history::History;
use heliu_record::id::{Actor, ChangeHash, Preimage};
use heliu_record::world::World;
use proptest::prelude::*;

use super::world::{Node, nodes};

/// One step of a writer: what it writes, and whom it hears first.
#[derive(Clone, Debug)]
struct Step {
    writer: usize,
    hears: usize,
    container: usize,
    keys: Vec<usize>,
    blind: bool,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..3usize, 0..4usize, 0..6usize, proptest::collection::vec(0..4usize, 1..4), any::<bool>());
    let step = step.prop_map(|(writer, hears, container, keys, blind)| Step { writer, hears, container, keys, blind });
    proptest::collection::vec(step, 1..24)
}

/// What a change may say, seldom or often: values of each sort, runs of equal things, values of others that it replaces.
fn drafts() -> impl Strategy<Value = Draft> {
    let scalar = prop_oneof![
        Just(Scalar::Null),
        any::<bool>().prop_map(Scalar::Bool),
        prop_oneof![-2..3i64, any::<i64>(), Just(i64::MIN), Just(i64::MAX), (-66..66i64)].prop_map(Scalar::Int),
        "[ab甲]{0,3}".prop_map(Scalar::Text),
        proptest::collection::vec(any::<u8>(), 0..200).prop_map(Scalar::Bytes),
    ];
    let actor = || (0..4u8).prop_map(|n| if n == 0 { Actor(*b"heliu genesis v1") } else { Actor([n; 16]) });
    let id = (prop_oneof![1..9u64, 1..0x7fff_ffffu64], actor()).prop_map(|(counter, actor)| OpId { counter, actor });
    let put = (0..6usize, 0..50usize, scalar, proptest::collection::btree_set(id, 0..4));
    let puts = proptest::collection::vec((put, 1..4usize), 1..6);
    let note = ("[a甲]{0,3}", "[b]{0,2}", "[c\n]{0,3}");
    let deps = proptest::collection::btree_set(any::<[u8; 32]>(), 1..3);
    let numbers = (prop_oneof![1..200u64, 1..u64::MAX], 7..0x7fff_ffffu64, -(1i64 << 53)..1i64 << 53);
    (puts, actor(), deps, numbers, note).prop_map(|(puts, actor, deps, (seq, start_op, time_ms), note)| {
        let mut keys = BTreeSet::new();
        let puts = puts.into_iter().flat_map(|((container, key, value, replaces), times)| {
            (0..times).map(move |n| (container, key + n, value.clone(), replaces.clone()))
        });
        let puts = puts.filter(|(container, key, ..)| keys.insert((*container, *key)));
        let puts = puts.map(|(container, key, value, replaces)| {
            (Container::ALL[container], format!("k{key}"), value, replaces.into_iter().collect())
        });
        let (command, who, reason) = note;
        Draft {
            actor,
            seq,
            deps: deps.into_iter().map(ChangeHash).collect(),
            start_op,
            time_ms,
            note: Note { who, command, reason, on_behalf: None },
            puts: puts.collect(),
        }
    })
}

/// The same change, written by automerge.
fn by_automerge(draft: &Draft) -> automerge::Change {
    let id = |id: &OpId| ExpandedOpId(id.counter, ActorId::from(id.actor.0));
    let operations = draft.puts.iter().map(|(container, key, value, replaces)| ExpandedOp {
        action: OpType::Put(match value {
            Scalar::Null => ScalarValue::Null,
            Scalar::Bool(boolean) => ScalarValue::Boolean(*boolean),
            Scalar::Int(int) => ScalarValue::Int(*int),
            Scalar::Text(text) => ScalarValue::Str(text.as_str().into()),
            Scalar::Bytes(bytes) => ScalarValue::Bytes(bytes.clone()),
        }),
        obj: ObjectId::Id(ExpandedOpId(*container as u64, ActorId::from(*b"heliu genesis v1"))),
        key: Key::Map(key.as_str().into()),
        pred: replaces.iter().map(id).collect::<Vec<_>>().into(),
        insert: false,
    });
    let Note { who, command, reason, .. } = &draft.note;
    automerge::Change::from(ExpandedChange {
        operations: operations.collect(),
        actor_id: ActorId::from(draft.actor.0),
        hash: None,
        seq: draft.seq,
        start_op: NonZeroU64::new(draft.start_op).expect("operations are counted from one"),
        time: draft.time_ms,
        message: Some(format!("{command}\n{who}\n{reason}")),
        deps: draft.deps.iter().map(|dep| automerge::ChangeHash(dep.0)).collect(),
        extra_bytes: Vec::new(),
        author: None,
    })
}

/// Three writers that write and hear of each other as the steps say; what all of them wrote, causally ordered.
fn write(steps: &[Step]) -> Vec<Arc<Change>> {
    let mut histories = [History::new(), History::new(), History::new()];
    let mut all = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        if let Some(other) = histories.get(step.hears).cloned() {
            other.changes().for_each(|c| histories[step.writer].place(Arc::clone(c)));
        }
        let history = &mut histories[step.writer];
        let container = Container::ALL[step.container];
        let mut keys = BTreeSet::new();
        let puts = step.keys.iter().filter(|key| keys.insert(**key)).map(|key| {
            let key = format!("k{key}");
            let seen = if step.blind { &[] } else { history.visible(container, &key) };
            (container, key, Scalar::Int(number as i64), seen.iter().map(|v| v.id).collect::<Vec<_>>())
        });
        let actor = Actor([step.writer as u8 + 1; 16]);
        let draft = Draft {
            actor,
            seq: history.seq(actor) + 1,
            deps: history.heads(),
            start_op: history.max_op() + 1,
            time_ms: 0,
            note: Note::default(),
            puts: puts.collect(),
        };
        let change = Arc::new(Change::encode(draft));
        assert_eq!(history.now().check_follows(&change), Ok(()));
        history.place(Arc::clone(&change));
        all.push(change);
    }
    all
}

fn registers(history: &History) -> BTreeMap<(Container, String), Vec<(OpId, Scalar)>> {
    let keys = Container::ALL.into_iter().flat_map(|c| history.keys(c, "").map(move |(key, values)| (c, key, values)));
    keys.map(|(c, key, values)| ((c, key.to_owned()), values.iter().map(|v| (v.id, v.value.clone())).collect()))
        .collect()
}

/// Some of the changes with all before them, from the beginning.
fn alone(changes: &[Arc<Change>], last: &[ChangeHash]) -> History {
    let mut wanted: BTreeSet<ChangeHash> = last.iter().copied().collect();
    for change in changes.iter().rev() {
        if wanted.contains(&change.hash) {
            wanted.extend(&change.deps);
        }
    }
    let mut history = History::new();
    changes.iter().filter(|change| wanted.contains(&change.hash)).for_each(|change| history.place(Arc::clone(change)));
    history
}

/// Another order in which each change still comes after its predecessors.
fn shuffled(changes: &[Arc<Change>], mut picks: impl FnMut(usize) -> usize) -> History {
    let mut history = History::new();
    let mut waiting: Vec<&Arc<Change>> = changes.iter().collect();
    while !waiting.is_empty() {
        let ready: Vec<usize> = (0..waiting.len()).filter(|&i| history.at(&waiting[i].deps).is_ok()).collect();
        let change = waiting.remove(ready[picks(ready.len())]);
        history.place(Arc::clone(change));
    }
    history
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn our_merge_is_automerges(steps in steps()) {
        let changes = write(&steps);
        let mut history = History::new();
        changes.iter().for_each(|c| history.place(Arc::clone(c)));
        let raw = changes.iter().map(|c| automerge::Change::from_bytes(c.raw.to_vec()).expect("a change"));
        let mut document = AutoCommit::new();
        document.apply_changes(std::iter::once(genesis_change()).chain(raw)).expect("automerge takes them");
        let mut keys = 0;
        for container in Container::ALL {
            let (value, object) = document.get(automerge::ROOT, container.name()).expect("read").expect("a container");
            prop_assert!(matches!(value, Value::Object(ObjType::Map)));
            prop_assert_eq!(document.keys(&object).count(), history.keys(container, "").count());
            for (key, values) in history.keys(container, "") {
                let all = document.get_all(&object, key).expect("read");
                let theirs: BTreeSet<i64> = all.iter().filter_map(|(v, _)| v.as_i64()).collect();
                let ours: BTreeSet<i64> = values.iter().filter_map(|v| v.value.as_int()).collect();
                prop_assert_eq!(&theirs, &ours, "the same values");
                let winner = document.get(&object, key).expect("read").and_then(|(v, _)| v.as_i64());
                prop_assert_eq!(winner, values.last().and_then(|v| v.value.as_int()), "the same one last");
                keys += 1;
            }
        }
        prop_assert!(keys > 0);
    }

    #[test]
    fn order_of_delivery_does_not_matter(steps in steps(), seed: u64) {
        let changes = write(&steps);
        let mut rng = crate::synthetic::SplitMix(seed);
        let again = shuffled(&changes, |n| usize::try_from(rng.below(n as u64)).expect("small"));
        let history = shuffled(&changes, |_| 0);
        prop_assert_eq!(registers(&history), registers(&again));
        prop_assert_eq!(history.heads(), again.heads());
        prop_assert_eq!(history.max_op(), again.max_op());
        for change in &changes {
            prop_assert_eq!(history.at(&change.deps).expect("held").check_follows(change), Ok(()));
            prop_assert_eq!(again.at(&change.deps).expect("held").check_follows(change), Ok(()));
        }
    }

    #[test]
    fn the_past_of_any_changes_is_what_they_alone_with_all_before_them_add_up_to(steps in steps(), seed: u64) {
        let changes = write(&steps);
        let mut rng = crate::synthetic::SplitMix(seed);
        let whole = shuffled(&changes, |n| usize::try_from(rng.below(n as u64)).expect("small"));
        for (number, one) in changes.iter().enumerate() {
            let other = &changes[rng.below(number as u64 + 1) as usize];
            for deps in [one.deps.clone(), vec![one.hash], vec![one.hash, other.hash]] {
                let past = whole.at(&deps).expect("held");
                let alone = alone(&changes, &deps);
                for container in Container::ALL {
                    for (key, values) in past.keys(container, "") {
                        prop_assert_eq!(&*values, alone.visible(container, key));
                        prop_assert_eq!(&*past.visible(container, key), &*values);
                    }
                    prop_assert!(alone.keys(container, "").all(|(key, _)| !past.visible(container, key).is_empty()));
                }
                prop_assert_eq!(registers(&past.to_history()), registers(&alone));
                prop_assert_eq!((past.max_op(), past.is_empty()), (alone.max_op(), alone.is_empty()));
                for change in &changes {
                    prop_assert_eq!(past.contains(&change.hash), alone.get(&change.hash).is_some());
                    prop_assert_eq!(past.seq(change.actor), alone.seq(change.actor));
                    prop_assert_eq!(past.check_follows(change), alone.now().check_follows(change));
                }
            }
        }
    }

    #[test]
    fn every_value_that_was_written_under_a_key_is_told_those_that_are_replaced_too(steps in steps()) {
        let changes = write(&steps);
        let mut history = History::new();
        changes.iter().for_each(|change| history.place(Arc::clone(change)));
        for container in Container::ALL {
            for key in ["k0", "k1", "k2", "k3", "none"] {
                let puts = changes.iter().flat_map(|change| &change.puts);
                let puts = puts.filter(|put| put.container == container && put.key == key);
                let mut expected: Vec<_> = puts.map(|put| (put.id, put.value.clone())).collect();
                expected.sort_unstable();
                let written = history.written(container, key).into_iter().map(|at| (at.id, at.value));
                prop_assert_eq!(written.collect::<Vec<_>>(), expected);
            }
        }
    }

    #[test]
    fn what_was_encoded_parses_back(steps in steps()) {
        for change in write(&steps) {
            prop_assert_eq!(&Change::parse(&change.raw).expect("our own bytes"), &*change);
        }
    }

    #[test]
    fn a_change_has_the_bytes_that_automerge_gives_it(draft in drafts()) {
        let theirs = by_automerge(&draft);
        let change = Change::encode(draft);
        prop_assert_eq!((&*change.raw, change.hash.0), (theirs.raw_bytes(), theirs.hash().0));
        prop_assert_eq!(Change::parse(&change.raw), Ok(change));
    }

    #[test]
    fn changed_bytes_are_refused_or_read_and_never_panic(steps in steps(), at: usize, byte: u8, cut in 0..400usize, fix: bool) {
        let raw = write(&steps).last().expect("one").raw.to_vec();
        let mut hostile = raw.clone();
        let index = at % hostile.len();
        hostile[index] ^= byte.max(1);
        if cut < hostile.len() / 4 {
            hostile.truncate(cut);
        }
        if fix && hostile.len() > 8 {
            // With a checksum that fits, so that the parser goes on to what we changed.
            let sum = <sha2::Sha256 as sha2::Digest>::digest(&hostile[8..]);
            hostile[4..8].copy_from_slice(&sum[..4]);
        }
        // What we read, automerge reads too, and as the same change; and would have written it so.
        if let Ok(change) = Change::parse(&hostile) {
            let theirs = automerge::Change::from_bytes(hostile).expect("automerge reads it");
            let again = automerge::Change::from(theirs.decode());
            prop_assert_eq!(&*change.raw, again.raw_bytes());
            prop_assert_eq!((theirs.hash().0, theirs.seq(), theirs.len()), (change.hash.0, change.seq, change.puts.len()));
        }
    }

    #[test]
    fn nodes_that_hold_the_same_see_the_same(choices in proptest::collection::vec((0..3usize, 0..6usize, 0..3usize), 1..14), seed: u64) {
        let mut all = nodes(["C", "T1", "T2"]);
        let orgs = ["V11", "V12", "V21"].map(|v| all[0].does("org.create", None, &[("name", v), ("seat", &all[0].seat_named(v))]));
        let m = all[0].does("member.register", None, &[("name", "测试甲0001"), ("branch", &orgs[0].to_string())]);
        let [county, rest @ ..] = &mut all;
        rest.iter_mut().for_each(|node| node.hears(county));
        for (who, what, which) in choices {
            let org = orgs[which];
            let (node, text) = (&mut all[who], org.to_string());
            // Some of these are refused; what is not must converge.
            let _ = match what {
                0 => node.ask("member.transfer.issue", Some(m), &[("to_org", &text)]),
                1 => node.ask("member.transfer.receive", Some(m), &[]),
                2 => node.ask("record.set", Some(m), &[("field", "name"), ("value", &text[..6])]),
                3 => node.ask("org.set_parent", Some(org), &[("parent_org", &orgs[(which + 1) % 3].to_string())]),
                4 => node.ask("org.dissolve", Some(org), &[("successors", &format!("all={}", orgs[(which + 1) % 3]))]),
                _ => node.ask("member.reassign", Some(m), &[("to_org", &text)]),
            };
            let heard = seed.rotate_left(which as u32) as usize % 3;
            if heard != who && what % 2 == 0 {
                let other = std::mem::replace(&mut all[heard], nodes(["C"]).into_iter().next().expect("one"));
                all[who].hears(&other);
                all[heard] = other;
            }
        }
        let mut rng = crate::synthetic::SplitMix(seed);
        let known: BTreeMap<_, (Preimage, BTreeMap<_, Arc<Change>>)> = all.iter().flat_map(|n| n.records.values()).fold(
            BTreeMap::new(),
            |mut known, record| {
                let (_, changes) = known.entry(record.id).or_insert_with(|| (record.preimage.clone(), BTreeMap::new()));
                changes.extend(record.history.changes().map(|c| (c.hash, Arc::clone(c))));
                known
            },
        );
        let mut rebuilt: Vec<Node> = nodes(["C", "C"]).into_iter().collect();
        for node in &mut rebuilt {
            let mut records: Vec<_> = known.values().collect();
            while !records.is_empty() {
                let pick = usize::try_from(rng.below(records.len() as u64)).expect("small");
                let (preimage, changes) = records.swap_remove(pick);
                let changes: Vec<_> = changes.values().cloned().collect();
                let history = shuffled(&changes, |n| usize::try_from(rng.below(n as u64)).expect("small"));
                let changes: Vec<_> = history.changes().cloned().collect();
                node.take(preimage, &changes);
            }
        }
        let [a, b] = &rebuilt[..] else { unreachable!("two") };
        for (id, record) in &a.records {
            prop_assert_eq!(&record.view, &b.record(*id).expect("held").view);
        }
        prop_assert_eq!(&a.open, &b.open);
    }
}

#[test]
fn a_scalar_of_a_type_that_we_do_not_use_is_refused() {
    let written = |value: ScalarValue| {
        let mut document = AutoCommit::new();
        document.apply_changes([genesis_change()]).expect("genesis");
        let (_, object) = document.get(automerge::ROOT, "lww").expect("read").expect("a container");
        automerge::transaction::Transactable::put(&mut document, &object, "x", value).expect("put");
        document.commit_with(CommitOptions::default().with_message("\n\n").with_time(0));
        Change::parse(document.get_last_local_change().expect("a change").raw_bytes())
    };
    let change = written(ScalarValue::Int(3)).expect("an automerge tool writes what we read");
    assert_eq!(change.puts[0].value, Scalar::Int(3));
    for other in [ScalarValue::F64(1.5), ScalarValue::Uint(3), ScalarValue::Timestamp(3), ScalarValue::counter(3)] {
        assert!(matches!(written(other.clone()), Err(ShapeError::Operation(_))), "{other:?}");
    }
}
