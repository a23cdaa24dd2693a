//! What each check of the gate costs for an honest change, beside what it would cost to let automerge say the same.

use std::hint::black_box;
use std::time::Instant;

use heliu_catalogue::catalogue;
use heliu_record::change::{Change, Container, Draft, Scalar, genesis_change, hash_of};
use heliu_record::history::History;
use heliu_trust::admission::{Leaf, Leaves, check_commits};
use heliu_trust::ed25519::Ed25519;

use crate::author::{County, VILLAGE};
use crate::corpus::Desk;

const TIMES: u32 = 2_000;

/// Microseconds of one, over many.
fn micros(mut work: impl FnMut()) -> f64 {
    let begun = Instant::now();
    for _ in 0..TIMES {
        work();
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES)
}

/// By name. The change is a record's first, with eight puts.
#[must_use]
pub fn measure() -> Vec<(&'static str, f64)> {
    let county = County::new();
    let author = county.author(VILLAGE, 1);
    let mut desk = Desk::empty(&author, "profile");
    let birth = desk.birth_draft();
    let fields = ["org_kind", "formation_mode", "joint_type"].into_iter().zip(["village", "single", "village_village"]);
    let more = fields.map(|(key, value)| (Container::Mv, key.to_owned(), Scalar::from(value), Vec::new()));
    let puts = birth.puts.iter().cloned().chain(more).collect();
    let change = Change::encode(Draft { puts, ..birth });
    desk.write(&change);
    let (raw, commit, record) = (&change.raw, &desk.delivery.commits[0], desk.preimage.id());
    let sixty_four = vec![commit.clone(); 64];
    let draft = || Draft {
        actor: change.actor,
        seq: change.seq,
        deps: change.deps.clone(),
        start_op: change.start_op,
        time_ms: change.time_ms,
        note: change.note.clone(),
        puts: change.puts.iter().map(|p| (p.container, p.key.clone(), p.value.clone(), p.replaces.clone())).collect(),
    };
    let leaf = Leaf::open(commit, &record, 1, raw, &county.directory);
    vec![
        (
            "signature of a commit, alone",
            micros(|| drop(check_commits(std::slice::from_ref(commit), &county.directory, &Ed25519))),
        ),
        (
            "signature of a commit, of 64 together",
            micros(|| drop(check_commits(&sixty_four, &county.directory, &Ed25519))) / 64.0,
        ),
        (
            "hash",
            micros(|| {
                black_box(hash_of(raw));
            }),
        ),
        ("read within the limits", micros(|| drop(black_box(change.check_limits())))),
        ("write again", micros(|| drop(black_box(Change::encode(draft()))))),
        ("parse: read, write again, compare", micros(|| drop(black_box(Change::parse(raw))))),
        (
            "place, schema and authority",
            micros(|| {
                let mut leaves = Leaves::new((*desk.preimage).clone(), catalogue().kind(&desk.preimage.kind));
                leaf.iter().for_each(|leaf| drop(leaves.offer(leaf.clone(), &county.directory)));
            }),
        ),
        ("instead: automerge applies, saves, loads", micros(|| drop(black_box(by_automerge(&desk.history))))),
    ]
}

fn by_automerge(history: &History) -> Option<automerge::AutoCommit> {
    let mut document = automerge::AutoCommit::new();
    let changes = history.changes().filter_map(|c| automerge::Change::from_bytes(c.raw.to_vec()).ok());
    document.apply_changes(std::iter::once(genesis_change()).chain(changes)).ok()?;
    automerge::AutoCommit::load(&document.save()).ok()
}
