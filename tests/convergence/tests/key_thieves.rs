//! What somebody makes of the keys of audiences who has stolen a node's key, or is of the line and means harm: statements
//! that no honest node would make, told by the node itself or by one that carries them for it.

use convergence::story::Story;
use heliu_record::change::Scalar;
use heliu_record::id::SeatId;
use heliu_record::sealed::{KeyId, Plaintext};
use heliu_replication::{Input, Reply, Ticket};
use heliu_storage::{StatementRow, Transaction};
use heliu_trust::audience::{KeyWrap, Keys, Purpose};
use heliu_trust::grant::{Recipient, grant};
use heliu_trust::id::{DirectoryVersion, NodeId};
use heliu_trust::seal::{AudienceKey, seal};
use heliu_trust::signature::SealingKey;
use heliu_trust::statement::{Body, SignedStatement, Statement};

use crate::importing::{code, give, made, village};
use crate::sealing::{CONTACT, join, key_at, move_to, opened, read, set_contact};

/// What a node says, or whoever has its key.
fn says(story: &Story, name: &str, keys: Keys) -> SignedStatement {
    let who = story.world.county.enrolled.iter().find(|node| node.name == name).expect("it is enrolled");
    let (realm, author) = (story.world.county.realm, who.node());
    SignedStatement::sign(Statement { realm, author, time_ms: 0, body: Body::Keys(keys) }, &who.key)
}

/// Statements are put on a machine's disk, and it starts with them: so it tells them to others.
fn plant(story: &mut Story, carrier: &str, said: Vec<SignedStatement>) {
    let machine = story.world.machine(carrier);
    story.world.crash(machine);
    let mut transaction = Transaction::default();
    for signed in said {
        let Body::Keys(keys) = &signed.statement.body else { panic!("of keys") };
        let mut subject = [0; 32];
        subject[..SeatId::LEN].copy_from_slice(&keys.audience.0);
        let (author, bytes) = (signed.statement.author, signed.encode());
        let seat = story.world.county.directory().node(author).expect("it is enrolled").seat;
        transaction.statements.push(StatementRow { hash: signed.hash, kind: 5, author, seat, subject, bytes });
    }
    story.world.machines[machine].disk.apply(&transaction).expect("it is taken");
    story.world.start(machine);
}

fn node_of(story: &Story, name: &str) -> NodeId {
    story.world.county.enrolled.iter().find(|node| node.name == name).expect("it is enrolled").node()
}

fn node(story: &Story, name: &str) -> Recipient {
    Recipient::Node(node_of(story, name))
}

/// What keys are wrapped to for a node.
fn sealing(story: &Story, name: &str) -> (Recipient, SealingKey) {
    let node = story.world.machines[story.world.machine(name)].node();
    (Recipient::Node(node), story.world.county.directory().node(node).expect("it is enrolled").sealing)
}

/// What a machine holds of what a node said of an audience's keys.
fn said_by(story: &Story, holder: &str, name: &str) -> Vec<SignedStatement> {
    let author = story.world.machines[story.world.machine(name)].node();
    let rows = story.world.machines[story.world.machine(holder)].disk.statements();
    let said = rows.iter().filter_map(|row| SignedStatement::decode(&row.bytes).ok());
    said.filter(|signed| signed.statement.author == author && matches!(signed.statement.body, Body::Keys(_))).collect()
}

/// So many statements of a node about its own seat's keys that are kept instead of all that it said before: they say nothing.
fn flood(story: &Story, name: &str) -> Vec<SignedStatement> {
    let before = said_by(story, "C", name).iter().map(|signed| signed.statement.meaning()).min();
    let before = before.expect("it has said something");
    let noise = |n: u32| {
        let wrapped = [[7; 77].as_slice(), &n.to_le_bytes()].concat();
        let key = KeyId(std::array::from_fn(|at| n.to_le_bytes()[at % 4]));
        let wraps = vec![KeyWrap { key, to: node(story, name), proof: [0; 16], wrapped }];
        says(story, name, Keys { audience: story.world.county.seat(name), purpose: Purpose::Reading, wraps })
    };
    (0..1_000_000).map(noise).filter(|signed| signed.statement.meaning() < before).take(64).collect()
}

fn fence(story: &mut Story, name: &str) {
    let (county, stolen) = (story.world.machine("C"), story.world.machine(name));
    let node = story.world.machines[stolen].node();
    let reply = story.world.fence(county, node);
    assert!(matches!(reply, Reply::Drafted { entered: true, .. }), "{reply:?}");
    story.wait();
    story.world.retire(stolen);
}

fn restart(story: &mut Story, name: &str) {
    let machine = story.world.machine(name);
    story.world.crash(machine);
    story.world.start(machine);
}

#[test]
fn who_pushes_out_what_a_stolen_village_said_of_its_keys_takes_them_from_nobody_who_reads() {
    let mut story = Story::of(31, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    let (key, honest) = (key_at(&mut story, "C", member), said_by(&story, "C", "V11"));
    let noise = flood(&story, "V11");
    plant(&mut story, "C", noise);
    story.run_until_quiet();
    for holder in ["T1", "V11"] {
        let left = said_by(&story, holder, "V11");
        let kept = honest.iter().filter(|signed| left.contains(signed)).count();
        assert_eq!((left.len(), kept), (64, 0), "{holder}: it is pushed out");
    }
    // Who had read it says it again, in its own name: it outlives the township's process, and a later node gets it.
    restart(&mut story, "T1");
    fence(&mut story, "V11");
    join(&mut story, "V11'");
    story.run_until_quiet();
    for name in ["T1", "V11'"] {
        assert_eq!(read(&mut story, name, member), opened(&[CONTACT]), "{name}");
    }
    let escrow = Recipient::Escrow(story.world.county.escrow().public());
    let said = said_by(&story, "C", "T1").into_iter().filter_map(|signed| match signed.statement.body {
        Body::Keys(keys) => Some(keys.wraps),
        _ => None,
    });
    assert!(said.flatten().any(|wrap| wrap.to == escrow && wrap.key.to_string() == key), "the escrow's wrap too");
    story.ends_well();
}

/// Who gave the key to whom is known from what was said, and that can be pushed out. That it was begun before the fence is in
/// the key.
#[test]
fn a_key_of_before_a_fence_does_not_come_back_when_what_the_fenced_node_said_is_pushed_out() {
    let mut story = Story::of(32, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    let before = key_at(&mut story, "C", member);
    join(&mut story, "V11'");
    story.run_until_quiet();
    assert_eq!(read(&mut story, "V11'", member), opened(&[CONTACT]));
    fence(&mut story, "V11");
    story.run_until_quiet();
    let noise = flood(&story, "V11");
    plant(&mut story, "C", noise);
    story.run_until_quiet();
    restart(&mut story, "V11'");
    restart(&mut story, "T1");
    story.run_until_quiet();
    for (at, number) in [("V11'", "13900005678"), ("T1", "13700000000")] {
        set_contact(&mut story, at, member, number);
        story.run_until_quiet();
        assert_ne!(key_at(&mut story, at, member), before, "{at}");
        assert_eq!(read(&mut story, "T1", member), opened(&[number]));
    }
    story.ends_well();
}

/// The directory is here, and what was said of the keys is not: a link that ended in between, a carrier that keeps it back.
#[test]
fn a_node_that_knows_of_a_fence_and_not_of_what_the_fenced_one_was_given_seals_with_another_key() {
    let mut story = Story::of(33, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    let before = key_at(&mut story, "V11", member);
    story.cut(&["T1"], &["V11"]);
    join(&mut story, "V11'");
    story.wait();
    assert_eq!(read(&mut story, "V11'", member), opened(&[CONTACT]), "the township gave it the key");
    fence(&mut story, "V11'");
    let village = story.world.machine("V11");
    let entries = story.world.county.directory().entries_from(1).iter().map(|entry| (**entry).clone()).collect();
    let ticket = Ticket(story.world.next_ticket());
    story.world.feed_input(village, Input::Extend { ticket, entries, event: None });
    story.world.answer(ticket);
    set_contact(&mut story, "V11", member, "13900005678");
    assert_ne!(key_at(&mut story, "V11", member), before);
    story.heal();
    story.run_until_quiet();
    assert_eq!(read(&mut story, "T1", member), opened(&["13900005678"]));
    story.ends_well();
}

/// A key's id is in each value that is sealed with it: whoever carries values knows it, and no more.
#[test]
fn who_knows_no_more_of_a_key_than_its_id_does_not_end_its_use() {
    let mut story = Story::of(34, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    let before = key_at(&mut story, "C", member);
    let key: KeyId = before.parse().expect("an id");
    let audience = story.world.county.seat("V11");
    let claim = |purpose| {
        let wraps = vec![KeyWrap { key, to: node(&story, "C"), proof: [1; 16], wrapped: vec![1; 113] }];
        says(&story, "C", Keys { audience, purpose, wraps })
    };
    let said = vec![claim(Purpose::Sealing), claim(Purpose::Reading)];
    plant(&mut story, "C", said);
    story.run_until_quiet();
    assert_eq!(said_by(&story, "V11", "C").len(), 2, "it has been heard");
    for at in ["V11", "T1"] {
        set_contact(&mut story, at, member, "13900005678");
        story.run_until_quiet();
        assert_eq!(key_at(&mut story, at, member), before, "{at}");
    }
    story.ends_well();
}

/// A village says that it has the secret of ids, one of its own choice that comes before the county's.
#[test]
fn a_village_that_chooses_a_secret_of_ids_for_its_superiors_brings_back_nobody_who_was_erased() {
    let (mut story, branch) = village(35);
    let first = made(give(&mut story, "C", branch, "王红", 0, true));
    story.run_until_quiet();
    story.at("T1").erases(first);
    story.run_until_quiet();
    assert_eq!(code(give(&mut story, "C", branch, "王红", 0, true)), "erased");
    let audience = story.world.county.seat("V11");
    let chosen = |n: u16| {
        let drawn = std::array::from_fn(|at| n.to_le_bytes()[at % 2]);
        AudienceKey::begin(&drawn, &audience, DirectoryVersion::EMPTY)
    };
    let nobody = SeatId([0; SeatId::LEN]);
    let evil = (0..4_000).map(chosen).min_by_key(|key| key.id(&nobody)).expect("some");
    let (realm, village) = (story.world.county.realm, story.world.machines[story.world.machine("V11")].node());
    let to = ["C", "T1"].map(|name| sealing(&story, name));
    let wraps = Keys::give_ids((&realm, audience), &village, &evil, to.iter().map(|(to, key)| (to, key)));
    let said = Keys::cut(audience, Purpose::Ids, wraps).remove(0);
    let said = says(&story, "V11", said);
    plant(&mut story, "V11", vec![said]);
    story.wait();
    for at in ["C", "T1"] {
        restart(&mut story, at);
        story.wait();
        assert_eq!(code(give(&mut story, at, branch, "王红", 0, true)), "erased", "{at}");
    }
}

/// The county's second node seals with a key of its own, says that it is the village's, and gives it to those to whom the
/// member will move. They have a key of that name then, and so lack another one of it.
#[test]
fn a_value_under_an_honest_ones_name_hides_it_from_nobody_at_the_new_home() {
    const FALSE: &str = "13111111111";
    let mut story = Story::of(36, &["C", "T1", "V11", "T2", "V21"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    let named: KeyId = key_at(&mut story, "C", member).parse().expect("an id");
    let audience = story.world.county.seat("V11");
    let key = AudienceKey::begin(&[9; 32], &audience, DirectoryVersion::EMPTY).of_record(&audience, &member);
    let value = seal(&key, named, &member, "contact", &Plaintext(Scalar::from(FALSE)).encode()).expect("it is short");
    let scribe = story.world.county.enrolled.iter().find(|node| node.name == "C~").expect("it is enrolled").key;
    let to = ["T2", "V21"].map(|name| sealing(&story, name)).into();
    let grants = grant(story.world.county.realm, member, (named, &key), &to, &scribe);
    let village = story.world.machine("V11");
    story.world.forge_sealed(village, member, ("contact", value), &grants);
    story.run_until_quiet();
    assert_eq!(read(&mut story, "V11", member), (vec![CONTACT.to_owned()], 1));
    move_to(&mut story, member, "V11", "V21");
    for name in ["V21", "T2"] {
        let (mut numbers, locked) = read(&mut story, name, member);
        numbers.sort();
        assert_eq!((numbers, locked), opened(&[FALSE, CONTACT]), "{name}");
    }
    story.ends_well();
}

/// Somebody has the key of the county's second node. It says thousands of keys of a village's, some to the village's node
/// alone and some to the township's, so that each hands them on to the others until neither has room to say more.
#[test]
fn who_gives_out_thousands_of_keys_takes_from_later_readers_none_that_is_sealed_with() {
    let mut story = Story::of(37, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    let (audience, realm) = (story.world.county.seat("V11"), story.world.county.realm);
    let (head, scribe) = (story.world.county.directory().head(), node_of(&story, "C~"));
    let mut said = Vec::new();
    for (to, first) in [("V11", 0u16), ("T1", 10_000)] {
        let (to, sealing) = sealing(&story, to);
        let give = |number: u16| {
            let drawn = std::array::from_fn(|at| number.to_le_bytes()[at % 2]);
            Keys::give((&realm, audience), &scribe, &AudienceKey::begin(&drawn, &audience, head), [(&to, &sealing)])
        };
        let wraps = (first..first + 32 * 40).flat_map(give).collect();
        said.extend(Keys::cut(audience, Purpose::Sealing, wraps).into_iter().map(|keys| says(&story, "C~", keys)));
    }
    assert_eq!(said.len(), 64);
    plant(&mut story, "C", said);
    story.run_until_quiet();
    let county = story.world.machine("C");
    let reply = story.world.fence(county, scribe);
    assert!(matches!(reply, Reply::Drafted { entered: true, .. }), "{reply:?}");
    story.run_until_quiet();
    for name in ["V11", "T1"] {
        assert!(said_by(&story, "T1", name).len() <= 40, "{name} has room left");
        assert!(story.alarms(name).iter().any(|(code, _)| *code == "no_room_for_keys"), "{name} tells");
    }
    join(&mut story, "V11'");
    story.run_until_quiet();
    assert_eq!(read(&mut story, "V11'", member), opened(&[CONTACT]));
    assert_eq!(story.pending("V11'"), 0);
    story.ends_well();
}
