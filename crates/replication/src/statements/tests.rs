//! Which statements are kept, and what two ends say to each other of them.

use heliu_record::seats::{Seat, Tier};
use heliu_trust::audience::{self, KEYS_PER_AUTHOR_MAX, KeyWrap, Purpose};
use heliu_trust::audit::AuditHead;
use heliu_trust::directory::Item;
use heliu_trust::grant::Recipient;
use heliu_trust::id::{realm_id, seat_id};
use heliu_trust::seal::{KeyId, SealingSecret};
use heliu_trust::signature::Signer;
use heliu_trust::simulated::{Cheap, CheapKey};
use heliu_trust::statement::Statement;

use super::*;

const NODES: [CheapKey; 3] = [CheapKey([2; 32]), CheapKey([3; 32]), CheapKey([4; 32])];
const CODES: [&str; 3] = ["371726000000", "371726001000", "371726002000"];

fn seat(at: usize) -> SeatId {
    seat_id(&realm_id(&CheapKey([1; 32]).public_key(), "test"), CODES[at])
}

/// A county and two townships, with a node each.
fn directory() -> Directory {
    let root = CheapKey([1; 32]);
    let mut directory = Directory::new(realm_id(&root.public_key(), "test"), root.public_key());
    let entered = |at: usize| {
        let (code, parent) = (CODES[at].to_owned(), (at > 0).then(|| seat(0)));
        let tier = if at > 0 { Tier::Township } else { Tier::County };
        Item::Seat(Seat { id: seat(at), name: code.clone(), code, parent, tier })
    };
    let enrolled =
        |at: usize| Item::enrol(&NODES[at], seat(at), SealingSecret::from_seed([7; 32]).public(), Vec::new());
    let items = (0..3).map(entered).chain([Item::Issuer { key: root.public_key() }]).chain((0..3).map(enrolled));
    let entry = directory.draft(items.collect(), 0, &[&root]).expect("it is drawn up well");
    directory.append(&entry, &Cheap).expect("it follows");
    directory
}

fn preimage(key: u8) -> Preimage {
    Preimage { kind: "member".to_owned(), birth: seat(1), key: vec![key] }
}

fn says(author: usize, time_ms: i64, body: Body) -> Arc<SignedStatement> {
    let realm = realm_id(&CheapKey([1; 32]).public_key(), "test");
    let statement = Statement { realm, author: NODES[author].node(), time_ms, body };
    Arc::new(SignedStatement::sign(statement, &NODES[author]))
}

fn tombstone(time_ms: i64, key: u8) -> Arc<SignedStatement> {
    says(0, time_ms, Body::Tombstone { preimage: preimage(key), reason: None })
}

fn head(seq: u64, hash: u8) -> Arc<SignedStatement> {
    says(1, 0, Body::AuditHead(AuditHead { seq, hash: [hash; 32] }))
}

/// What is left of statements taken in this order.
fn left(statements: &[Arc<SignedStatement>]) -> BTreeSet<[u8; 32]> {
    let mut all = Statements::default();
    for signed in statements {
        all.take(signed, &directory());
    }
    assert_eq!(all.slots.values().map(BTreeSet::len).sum::<usize>(), all.by_meaning.len());
    all.by_meaning.into_keys().collect()
}

#[test]
fn what_is_kept_does_not_depend_on_what_came_first() {
    let record = preimage(1).id();
    let said = [
        tombstone(5, 1),
        tombstone(9, 1),
        tombstone(-3, 2),
        says(1, 7, Body::Erased { record }),
        says(1, 6, Body::Erased { record }),
        says(2, 8, Body::Erased { record }),
        head(3, 1),
        head(5, 1),
        head(5, 2),
        head(5, 3),
        head(4, 1),
    ];
    let kept = left(&said);
    for turn in 0..said.len() {
        let mut turned = said.to_vec();
        turned.rotate_left(turn);
        assert_eq!(left(&turned), kept);
        turned.reverse();
        assert_eq!(left(&turned), kept);
    }
    let is_kept = |at: usize| kept.contains(&said[at].statement.meaning());
    assert!(is_kept(0) && is_kept(2) && is_kept(4) && is_kept(5));
    assert_eq!(kept.len(), 6, "one tombstone of an author for a record, and one receipt of each");
    assert_eq!((6..11).filter(|at| is_kept(*at)).count(), 2, "two heads of one length accuse");
    assert!(!is_kept(6) && !is_kept(10), "shorter ones say nothing more");
}

fn keys(author: usize, key: u8) -> Arc<SignedStatement> {
    let (key, to) = (KeyId([key; 16]), Recipient::Node(NODES[1].node()));
    let wraps = vec![KeyWrap { key, to, proof: [2; 16], wrapped: vec![1; 81] }];
    says(author, 0, Body::Keys(audience::Keys { audience: seat(1), purpose: Purpose::Sealing, wraps }))
}

/// The county says more of a township's keys than anybody has a use for.
#[test]
fn a_flood_of_keys_of_an_audience_leaves_the_same_ones_everywhere_and_pushes_out_nobody_elses() {
    let own = keys(1, 200);
    let mut flood: Vec<_> = (0..150).map(|key| keys(0, key)).chain([Arc::clone(&own)]).collect();
    let kept = left(&flood);
    flood.reverse();
    assert_eq!(left(&flood), kept);
    assert_eq!((kept.len(), kept.contains(&own.statement.meaning())), (KEYS_PER_AUTHOR_MAX + 1, true));
    let mut all = Statements::default();
    flood.iter().for_each(|signed| {
        all.take(signed, &directory());
    });
    let room = |author: usize, of| all.room_for_keys(NODES[author].node(), seat(of));
    assert_eq!([room(0, 1), room(1, 1), room(0, 2)], [0, KEYS_PER_AUTHOR_MAX - 1, KEYS_PER_AUTHOR_MAX]);
    assert_eq!(all.keys_of(seat(1)).count(), KEYS_PER_AUTHOR_MAX + 1);
}

/// A county that erases without end, also what never was, and a township's confirmations of it.
#[test]
fn a_flood_of_tombstones_leaves_the_same_ones_everywhere_and_those_of_others_alone() {
    let other = says(1, 0, Body::Tombstone { preimage: preimage(7), reason: None });
    let again = |key| says(0, 0, Body::Tombstone { preimage: preimage(key), reason: Some([key; 32]) });
    let flood: Vec<_> = (0..100).flat_map(|key| [tombstone(0, key), again(key)]).chain([Arc::clone(&other)]).collect();
    let confirmed = |key| says(1, 0, Body::Erased { record: preimage(key).id() });
    let directory = directory();
    let take = |flood: &[Arc<SignedStatement>]| {
        let mut all = Statements { tombstones_max: 20, ..Statements::default() };
        let mut rows = BTreeSet::new();
        for signed in flood {
            let confirmations = signed.statement.erases().into_iter().map(|record| says(1, 0, Body::Erased { record }));
            for signed in [Arc::clone(signed)].into_iter().chain(confirmations) {
                // As a batch does: it comes again with the tombstone.
                if matches!(signed.statement.body, Body::Erased { record } if !all.is_erased(record)) {
                    continue;
                }
                let taken = all.take(&signed, &directory);
                rows.extend(taken.is_kept.then_some(signed.hash));
                taken.dropped.iter().for_each(|gone| assert!(rows.remove(gone), "what goes was there"));
            }
        }
        let kept: BTreeSet<[u8; 32]> = all.by_meaning.keys().copied().collect();
        assert_eq!(rows.len(), kept.len(), "the store has what is here");
        assert_eq!(all.slots.values().map(BTreeSet::len).sum::<usize>(), kept.len());
        assert!(all.orphans().is_empty(), "nothing is said of the erasure of what is back");
        assert!(!all.has_room_for_tombstone(NODES[0].node()) && all.has_room_for_tombstone(NODES[1].node()));
        let erased = (0..100).filter(|key| all.is_erased(preimage(*key).id())).count();
        assert!(erased == 20 || erased == 21, "{erased}");
        assert!(all.is_erased(preimage(7).id()) && all.contains(&confirmed(7)));
        kept
    };
    let kept = take(&flood);
    for turn in [1, 50, 131] {
        let mut turned = flood.clone();
        turned.rotate_left(turn);
        assert_eq!(take(&turned), kept);
        turned.reverse();
        assert_eq!(take(&turned), kept);
    }
}

#[test]
fn what_is_said_twice_at_two_times_is_one_statement() {
    let record = preimage(1).id();
    let heads = [5, 9, -3].map(|time| says(1, time, Body::AuditHead(AuditHead { seq: 3, hash: [1; 32] })));
    let receipts = [5, 9, -3].map(|time| says(1, time, Body::Erased { record }));
    let stones = [5, 9, -3].map(|time| tombstone(time, 1));
    for [first, later, earlier] in [heads, receipts, stones] {
        let mut statements = Statements::default();
        assert!(statements.take(&first, &directory()).is_kept);
        for again in [later, earlier] {
            assert!(statements.contains(&again));
            assert_eq!(
                statements.take(&again, &directory()),
                Taken::default(),
                "nobody is accused, and nothing written"
            );
        }
    }
}

#[test]
fn two_heads_of_one_length_accuse_whoever_told_them() {
    let mut statements = Statements::default();
    assert!(!statements.take(&head(3, 1), &directory()).accuses);
    assert!(!statements.take(&head(5, 1), &directory()).accuses);
    let taken = statements.take(&head(5, 2), &directory());
    assert!(taken.accuses && taken.is_kept && taken.dropped.is_empty());
    assert_eq!(statements.audit_head(NODES[1].node()), 5);
}

#[test]
fn a_tombstone_that_goes_gives_the_record_back() {
    let mut statements = Statements::default();
    let (one, record) = (tombstone(5, 1), preimage(1).id());
    statements.take(&one, &directory());
    statements.take(&says(1, 7, Body::Erased { record }), &directory());
    assert!(statements.is_erased(record) && statements.has_confirmed(record, NODES[1].node()));
    statements.remove(&one);
    assert!(!statements.is_erased(record));
    assert_eq!(statements.orphans().len(), 1, "what was said of it hangs in the air");
}

/// Two ends exchange a list and what follows from it, as often as it takes.
fn exchange(one: &mut Statements, other: &mut Statements) -> usize {
    let directory = directory();
    let seats = directory.seats();
    let (a, b) = (seat(0), seat(1));
    let mut from = [0; 8];
    for round in 0..10 {
        if one.sum(a, b, seats) == other.sum(b, a, seats) {
            return round;
        }
        let have = one.list(from, a, b, seats);
        let answer = other.list(have[0], b, a, seats);
        let is_part = have.len() >= limits::STATEMENTS_PER_HAVE;
        from = have.last().copied().filter(|_| is_part).unwrap_or_default();
        let lacks = (other.lacking(&have, b, a, seats), one.lacking(&answer, a, b, seats));
        for (lacking, to) in [(lacks.0, &mut *one), (lacks.1, &mut *other)] {
            for bytes in lacking {
                to.take(&Arc::new(SignedStatement::decode(&bytes).expect("it is read")), &directory);
            }
            to.settle();
        }
    }
    panic!("they never agree");
}

#[test]
fn ends_agree_after_one_exchange_and_each_hears_what_is_for_it() {
    let directory = directory();
    let (mut one, mut other) = (Statements::default(), Statements::default());
    one.take(&tombstone(5, 1), &directory);
    one.take(&says(2, 7, Body::Erased { record: preimage(1).id() }), &directory);
    other.take(&tombstone(6, 2), &directory);
    other.take(&head(3, 1), &directory);
    assert!(one.list([0; 8], seat(0), seat(1), directory.seats()).len() == 1, "what is not durable is not told");
    one.settle();
    other.settle();
    assert_eq!(exchange(&mut one, &mut other), 1);
    assert_eq!(
        (one.by_meaning.len(), other.by_meaning.len()),
        (4, 3),
        "another township's receipt is not for this one"
    );
}

#[test]
fn more_than_a_list_can_hold_is_exchanged_in_parts() {
    let directory = directory();
    let (mut one, mut other) = (Statements::default(), Statements::default());
    let stone = |n: u32| {
        let preimage = Preimage { key: n.to_le_bytes().to_vec(), ..preimage(0) };
        says(0, 0, Body::Tombstone { preimage, reason: None })
    };
    for n in 0..9_000 {
        let stone = stone(n);
        if n % 97 != 1 {
            one.take(&stone, &directory);
        }
        if n % 97 != 2 {
            other.take(&stone, &directory);
        }
    }
    one.settle();
    other.settle();
    assert!((2..=4).contains(&exchange(&mut one, &mut other)));
    assert_eq!(one.by_meaning.len(), 9_000);
}
