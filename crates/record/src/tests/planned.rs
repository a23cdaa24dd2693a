//! A record with one change more, as rules see what somebody is about to write: the same as if it were written, and no copy.

use std::sync::Arc;

use super::toy::{VILLAGE, asked, preimage, seats};
use crate::catalogue::{Catalogue, Section, section};
use crate::change::{Change, Container, Draft, Note, OpId};
use crate::command::{Asker, CommandId, Request};
use crate::history::{History, Visible};
use crate::id::{Actor, ChangeHash};
use crate::prelude::*;
use crate::scope::Scope;
use crate::seats::Seats;
use crate::sight::Sight;

const KEYS: [(Container, &str); 4] = [
    (Container::Mv, "name"),
    (Container::Mv, "place"),
    (Container::Slot, "visits/a/on"),
    (Container::Slot, "visits/b/on"),
];

/// Writes two of the keys, by what is visible at `deps`.
fn change(by: Actor, history: &History, deps: &[ChangeHash], n: usize) -> Arc<Change> {
    let past = history.at(deps).expect("they are here");
    let put = |key: usize| {
        let (container, key) = KEYS[key % KEYS.len()];
        let replaces: Vec<OpId> = past.visible(container, key).iter().map(|at| at.id).collect();
        (container, key.to_owned(), Scalar::Text(format!("{n}")), replaces)
    };
    Arc::new(Change::encode(Draft {
        actor: by,
        seq: past.seq(by) + 1,
        deps: past.heads(),
        start_op: past.max_op() + 1,
        time_ms: 0,
        note: Note::default(),
        puts: vec![put(n), put(n + 1)],
    }))
}

/// Three who write now on top of everything, now only on what they wrote last.
fn quarrel(length: usize) -> History {
    let mut history = asked();
    for n in 0..length {
        let by = Actor([10 + (n * 7 % 3) as u8; 16]);
        let own = history.changes().filter(|change| change.actor == by).map(|change| change.hash).next_back();
        let deps = own.filter(|_| n % 4 > 1).map_or_else(|| history.heads(), |own| vec![own]);
        let next = change(by, &history, &deps, n / 2);
        history.at(&deps).expect("they are here").check_follows(&next).expect("it follows");
        history.place(next);
    }
    history
}

type Keys = Vec<(Container, String, Vec<Visible>)>;

/// All that a history answers.
fn answers(history: &History) -> (Vec<ChangeHash>, [u64; 2], Vec<bool>, Vec<Keys>, Scope) {
    let ops = || history.changes().flat_map(|change| &change.puts).map(|put| put.id);
    let seen = ops().flat_map(|later| ops().map(move |earlier| history.has_seen(later, earlier))).collect();
    let at = |past: &crate::history::Past<'_>| -> Keys {
        let keys =
            |container| past.keys(container, "").map(move |(key, at)| (container, key.to_owned(), at.into_owned()));
        Container::ALL.into_iter().flat_map(keys).collect()
    };
    let pasts = history.changes().map(|change| at(&history.at(&[change.hash]).expect("it is here")));
    let hashes = history.changes().map(|change| change.hash).chain(history.heads());
    let last = history.changes().map(|change| history.seq(change.actor)).sum();
    let whole = Container::ALL.into_iter().flat_map(|container| {
        history.keys(container, "").map(move |(key, at)| (container, key.to_owned(), at.to_vec()))
    });
    let all = pasts.chain([at(&history.now()), whole.collect()]).collect();
    assert!(ops().all(|op| history.change_of(op).is_some_and(|change| history.get(&change.hash) == Some(change))));
    assert_eq!(history.len(), history.changes().count());
    (hashes.collect(), [history.max_op(), last], seen, all, Scope::of(history))
}

#[test]
fn a_history_with_one_change_more_answers_as_if_it_had_been_written() {
    let history = Arc::new(quarrel(24));
    let before = answers(&history);
    let (stranger, known) = (Actor([99; 16]), Actor([10; 16]));
    let own = history.changes().filter(|change| change.actor == known).map(|change| change.hash).next_back();
    let all: Vec<ChangeHash> = history.changes().map(|change| change.hash).collect();
    let pasts = all.iter().map(|hash| (stranger, vec![*hash]));
    for (by, deps) in pasts.chain([(stranger, history.heads()), (known, vec![own.expect("he wrote")])]) {
        let next = change(by, &history, &deps, 3);
        let mut written = (*history).clone();
        written.place(Arc::clone(&next));
        assert_eq!(answers(&history.with(Arc::clone(&next))), answers(&written));
        let again = Arc::new(history.with(next));
        let after = change(Actor([98; 16]), &again, &again.heads(), 5);
        written.place(Arc::clone(&after));
        assert_eq!(answers(&again.with(after)), answers(&written), "and one more");
    }
    assert_eq!(answers(&history), before, "which it leaves as it was");
}

static NAME: FieldOf<String> = mv("name", ValueType::Text(40), "名称", "name");
static PERMIT: Kind = Kind::scoped(word("permit", "许可", "permit"), 1, "一份许可", "a permit").with(fields![NAME]);
static SHARED: Message = message("shared").what("{0}", "{0}").why("-", "-").next("-", "-");

/// Refuses everything, and says how many hold the first change, before and after.
fn counts(_: &Planner<'_>, planned: &Planned<'_>) -> Result<(), Refusal> {
    let first = planned.before.and_then(|before| before.history.changes().next()).expect("it has a history");
    let held = Arc::strong_count(first);
    let name = NAME.read(&planned.after()?.history).expect("it has a name");
    Err(SHARED.about(&[format!("{held} {} {name}", Arc::strong_count(first)).into()]))
}

struct One(Record, Seats);

impl World for One {
    fn record(&self, id: RecordId) -> Option<&Record> {
        Some(&self.0).filter(|record| record.id == id)
    }
    fn seats(&self) -> &Seats {
        &self.1
    }
    fn referring(&self, _: RecordId) -> Vec<RecordId> {
        Vec::new()
    }
    fn seat_of(&self, _: Actor) -> Option<SeatId> {
        None
    }
}

#[test]
fn a_rule_sees_a_long_record_with_what_is_planned_and_nobody_copies_it_for_that() {
    static SECTION: Section = section(&[&PERMIT], &[], &[], &[], &[]).hard_rules(&[counts]);
    let catalogue = Catalogue::new(&[&SECTION]).expect("it hangs together");
    let record = Record::fold(Some(&PERMIT), preimage(), quarrel(200), &seats());
    let request = Request {
        id: CommandId([1; 16]),
        name: "record.set".to_owned(),
        subject: Some(record.id),
        arguments: [("field", "name"), ("value", "井二")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        who: "clerk".to_owned(),
        reason: String::new(),
        on_behalf: None,
    };
    let asker = Asker {
        seat: VILLAGE,
        place: 0,
        deputy: None,
        today: "2026-03-01".to_owned(),
        sight: Sight::WHOLE,
        secret: Ok([7; 16]),
    };
    let refusal = catalogue.plan(&request, &asker, &One(record, seats())).expect_err("the rule says what it saw");
    assert_eq!((refusal.code, &*refusal.what.en), ("shared", "1 1 井二"));
}
