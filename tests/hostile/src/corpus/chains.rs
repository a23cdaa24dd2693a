//! Changes that read well and do not follow: from their predecessors, from their author's own, or from anything at all.

use std::sync::Arc;

use heliu_record::change::{Change, Container, Draft, OpId, Scalar, genesis};
use heliu_record::history::History;
use heliu_record::id::{Actor, ChangeHash, Preimage, SeatId};
use heliu_trust::id::CommitId;

use super::Hostile;
use super::desk::{Desk, misdrafted, signed};
use crate::author::Author;

pub fn all(author: &Author) -> Vec<Hostile> {
    vec![
        // Measured: automerge panics.
        misdrafted(author, "seq gap", "refused.seq", |draft| draft.seq += 3),
        misdrafted(author, "seq again", "excluded.fork", |draft| draft.seq = 1),
        // Measured: applies `Ok`, and what is saved then does not load.
        misdrafted(author, "low start_op", "refused.start-op", |draft| draft.start_op = 1),
        misdrafted(author, "start_op too high", "refused.start-op", |draft| draft.start_op += 1),
        misdrafted(author, "dangling pred", "refused.dangling", |draft| {
            draft.puts[0].3 = vec![OpId { counter: 3, actor: Actor([0xdd; 16]) }];
        }),
        misdrafted(author, "pred of another key", "refused.dangling", |draft| {
            let class = OpId { counter: 8, actor: draft.actor };
            draft.puts.push((Container::Mv, "org_kind".to_owned(), "village".into(), vec![class]));
        }),
        misdrafted(author, "pred that it makes itself", "refused.dangling", |draft| {
            let own = OpId { counter: draft.start_op, actor: draft.actor };
            draft.puts[0].3 = vec![own];
        }),
        misdrafted(author, "key written twice", "leaf.operation", |draft| {
            let again = draft.puts[0].clone();
            draft.puts.push(again);
        }),
        misdrafted(author, "a dep that another implies", "refused.predecessors", |draft| {
            draft.deps.push(*genesis());
            draft.deps.sort_unstable();
        }),
        misdrafted(author, "own previous change left out", "refused.seq", |draft| {
            draft.deps = vec![*genesis()];
            draft.puts[0].3.clear();
        }),
        orphan(author),
        many_orphans(author),
        sixty_four_deps(author),
        built_on_refused(author),
        duplicate_seq(author),
        no_owner(author),
        a_record_of_others(author),
        two_long_branches(author),
    ]
}

/// automerge keeps what waits without bound.
fn orphan(author: &Author) -> Hostile {
    misdrafted(author, "orphan", "waiting", |draft| draft.deps = vec![ChangeHash([0xee; 32])])
}

fn many_orphans(author: &Author) -> Hostile {
    let mut desk = Desk::empty(author, "orphans by the hundred");
    for number in 1..=64u8 {
        let deps = vec![ChangeHash([number; 32])];
        desk.sign(&Change::encode(Draft { deps, seq: u64::from(number), ..desk.edit() }).raw);
    }
    desk.done("waiting")
}

fn sixty_four_deps(author: &Author) -> Hostile {
    misdrafted(author, "64 unknown deps", "waiting", |draft| {
        draft.deps = (1..=64).map(|byte| ChangeHash([byte; 32])).collect();
    })
}

fn built_on_refused(author: &Author) -> Hostile {
    let mut desk = Desk::new(author, "built on a refused change");
    let refused = Change::encode(Draft { start_op: 1_000, ..desk.edit() });
    desk.sign(&refused.raw);
    desk.history.place(Arc::new(refused));
    desk.sign(&Change::encode(desk.edit()).raw);
    desk.done("refused.predecessor")
}

/// Measured: automerge refuses the whole batch, and the honest changes in it too.
fn duplicate_seq(author: &Author) -> Hostile {
    let mut desk = Desk::new(author, "duplicate (actor, seq)");
    let (one, other) = (desk.edit(), Draft { time_ms: 1, ..desk.edit() });
    desk.write(&Change::encode(one));
    desk.sign(&Change::encode(other).raw);
    desk.done("excluded.fork")
}

fn no_owner(author: &Author) -> Hostile {
    let mut desk = Desk::empty(author, "first change without an owner");
    desk.sign(&Change::encode(desk.edit()).raw);
    desk.done("refused.authority")
}

fn a_record_of_others(author: &Author) -> Hostile {
    let mut desk = Desk::empty(author, "record born elsewhere");
    let birth = SeatId([0x77; 16]);
    desk.preimage = Arc::new(Preimage { birth, ..(*desk.preimage).clone() });
    desk.sign(&desk.birth().raw);
    desk.done("refused.authority")
}

/// Two incarnations that never hear of each other, in turn: each change is judged at its own predecessors, which are not
/// all that is held. As many as 64 KiB hold.
fn two_long_branches(author: &Author) -> Hostile {
    const CHANGES: u64 = 200;
    let mut desk = Desk::new(author, "two long branches");
    let birth: Vec<_> = desk.history.changes().cloned().collect();
    let mut branches = ["one", "other"].map(|name| {
        let mut history = History::new();
        birth.iter().for_each(|change| history.place(Arc::clone(change)));
        (author.incarnation(name), history, 0u64)
    });
    for number in 0..CHANGES {
        let turn = usize::from(number % 2 == 1);
        let (incarnation, history, seq) = &mut branches[turn];
        std::mem::swap(&mut desk.history, history);
        desk.incarnation = *incarnation;
        let value = Scalar::Text(number.to_string());
        let change = Change::encode(desk.draft(vec![(Container::Mv, "name", value)]));
        *seq += 1;
        let mut commit = desk.next_commit(&change.raw);
        (commit.seq, commit.leaves) = (*seq, vec![desk.leaf(&change.raw, *seq)]);
        commit.previous = (*seq > 1).then_some(CommitId([0; 32]));
        let signed = signed(commit, &*author.signer);
        desk.deliver(signed, &change.raw);
        desk.history.place(Arc::new(change));
        std::mem::swap(&mut desk.history, history);
    }
    desk.done("admitted")
}
