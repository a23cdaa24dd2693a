//! Sealed values: who reads them, who carries them, and how whoever is new gets the keys.

use convergence::story::Story;
use heliu_record::id::RecordId;
use heliu_replication::{Input, Reply};
use heliu_storage::{StatementRow, Transaction};
use heliu_trust::grant::Recipient;
use heliu_trust::statement::{Body, SignedStatement};

pub(crate) const CONTACT: &str = "13800001234";

pub(crate) fn read(story: &mut Story, name: &str, member: RecordId) -> (Vec<String>, u32) {
    story.at(name).reveals(member, "contact")
}

pub(crate) fn opened(values: &[&str]) -> (Vec<String>, u32) {
    (values.iter().map(|value| (*value).to_owned()).collect(), 0)
}

pub(crate) const LOCKED: (Vec<String>, u32) = (Vec::new(), 1);

#[test]
fn a_contact_is_read_at_the_village_and_its_committee_and_is_ciphertext_above() {
    let mut story = Story::of(1, &["C", "T1", "V11", "V12"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    assert_eq!(read(&mut story, "V11", member), opened(&[CONTACT]));
    assert_eq!(read(&mut story, "T1", member), opened(&[CONTACT]));
    assert_eq!(read(&mut story, "C", member), LOCKED, "the county carries it");
    assert!(story.at("C").view(member)["contact"]["sealed"].is_string());
    story.ends_well();
}

pub(crate) fn set_contact(story: &mut Story, at: &str, member: RecordId, number: &str) {
    story.at(at).done("record.set", Some(member), &[("field", "contact"), ("value", number)]);
}

/// A member of a village whom nobody has asked for a number yet.
fn without_contact(story: &mut Story, village: &str) -> RecordId {
    let seat = story.seat(village);
    let branch = story.at(village).makes("org.create", &[("name", "村支部"), ("seat", &seat)]);
    story.at(village).makes("member.register", &[("name", "测试甲"), ("branch", &branch.to_string())])
}

/// What a sealed field names: the key of an audience.
pub(crate) fn key_at(story: &mut Story, name: &str, member: RecordId) -> String {
    story.at(name).view(member)["contact"]["sealed"].as_str().expect("it is sealed").to_owned()
}

#[test]
fn two_tiers_that_seal_the_same_number_apart_open_no_conflict() {
    let mut story = Story::of(2, &["C", "T1", "V11"]);
    let member = without_contact(&mut story, "V11");
    story.run_until_quiet();
    story.cut(&["T1"], &["V11"]);
    set_contact(&mut story, "V11", member, CONTACT);
    set_contact(&mut story, "T1", member, CONTACT);
    story.wait();
    story.heal();
    story.run_until_quiet();
    for name in ["V11", "T1", "C"] {
        assert_eq!(story.at(name).conflicts(), [], "{name}");
    }
    assert_eq!(read(&mut story, "V11", member), opened(&[CONTACT]));
    // Two numbers are two, and people choose.
    story.cut(&["T1"], &["V11"]);
    set_contact(&mut story, "V11", member, "13900005678");
    set_contact(&mut story, "T1", member, "13700000000");
    story.wait();
    story.heal();
    story.run_until_quiet();
    for name in ["V11", "T1"] {
        let (mut numbers, locked) = read(&mut story, name, member);
        numbers.sort();
        assert_eq!((numbers, locked), opened(&["13700000000", "13900005678"]), "{name}");
    }
    assert_eq!((read(&mut story, "C", member).1, story.at("C").conflicts().len()), (2, 1));
    story.ends_well();
}

/// Both begin a key for the village's audience, apart. Afterwards both have both, and seal with the same one of them.
#[test]
fn two_first_writers_apart_make_two_keys_and_both_values_are_read() {
    let mut story = Story::of(2, &["C", "T1", "V11"]);
    let seat = story.seat("V11");
    let branch = story.at("V11").makes("org.create", &[("name", "村支部"), ("seat", &seat)]);
    story.run_until_quiet();
    story.cut(&["T1"], &["V11"]);
    let members = ["V11", "T1"].map(|name| {
        let arguments = [("name", name), ("branch", &branch.to_string()), ("contact", CONTACT)];
        story.at(name).makes("member.register", &arguments)
    });
    story.wait();
    story.heal();
    story.run_until_quiet();
    assert_ne!(key_at(&mut story, "C", members[0]), key_at(&mut story, "C", members[1]));
    for (name, member) in ["V11", "T1"].into_iter().flat_map(|name| members.map(|member| (name, member))) {
        assert_eq!(read(&mut story, name, member), opened(&[CONTACT]), "{name}");
    }
    story.cut(&["T1"], &["V11"]);
    set_contact(&mut story, "T1", members[0], "13700000000");
    set_contact(&mut story, "V11", members[0], "13700000000");
    story.wait();
    story.heal();
    story.run_until_quiet();
    assert_eq!(read(&mut story, "V11", members[0]), opened(&["13700000000"]));
    assert_eq!(story.at("C").conflicts(), []);
    story.ends_well();
}

/// How many multiplications on the curve all machines do for something, which is done to the end.
fn curve_operations(story: &mut Story, what: impl FnOnce(&mut Story)) -> u64 {
    let before = heliu_trust::seal::curve_operations();
    what(story);
    story.run_until_quiet();
    heliu_trust::seal::curve_operations() - before
}

fn register(story: &mut Story, at: &str, branch: RecordId, count: u32) -> Vec<RecordId> {
    let mut one = |number: u32| {
        let (name, contact) = (format!("测试{number}"), format!("138{number:08}"));
        let arguments = [("name", name.as_str()), ("branch", &branch.to_string()), ("contact", &contact)];
        story.at(at).makes("member.register", &arguments)
    };
    (0..count).map(&mut one).collect()
}

#[test]
fn sealing_and_bootstrapping_take_no_operation_on_the_curve_for_a_record() {
    let mut story = Story::of(11, &["C", "T1", "V11"]);
    let seat = story.seat("V11");
    let branch = story.at("V11").makes("org.create", &[("name", "村支部"), ("seat", &seat)]);
    story.run_until_quiet();
    let mut members = Vec::new();
    for at in ["V11", "T1", "C"] {
        let first = curve_operations(&mut story, |story| members.extend(register(story, at, branch, 1)));
        let more = curve_operations(&mut story, |story| members.extend(register(story, at, branch, 20)));
        assert!(first < 40, "{at}: {first}");
        assert_eq!(more, 0, "{at}");
    }
    // A machine with an empty disk and the old keys gets all of them: it opens the keys of its audience.
    let again = curve_operations(&mut story, |story| lose_disk(story, "V11"));
    assert!(again < 60, "{again}");
    let reading = curve_operations(&mut story, |story| {
        for member in &members {
            let (numbers, locked) = read(story, "V11", *member);
            assert_eq!((numbers.len(), locked), (1, 0));
        }
    });
    assert!(reading < 10, "{reading}");
    story.ends_well();
}

#[test]
fn the_county_writes_what_it_cannot_read_itself() {
    let mut story = Story::of(3, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    story.at("C").done("record.set", Some(member), &[("field", "contact"), ("value", "13900005678")]);
    story.run_until_quiet();
    assert_eq!(read(&mut story, "C", member), LOCKED);
    assert_eq!(read(&mut story, "V11", member), opened(&["13900005678"]));
    story.ends_well();
}

/// What the county wrote comes to later readers too: who reads it hands on the key that it was lent.
#[test]
fn a_new_node_reads_what_a_superior_has_sealed_for_its_seat() {
    let mut story = Story::of(12, &["C", "T1", "V11"]);
    let member = without_contact(&mut story, "V11");
    story.run_until_quiet();
    set_contact(&mut story, "C", member, CONTACT);
    story.run_until_quiet();
    let new = join(&mut story, "V11'");
    story.run_until_quiet();
    assert_eq!(read(&mut story, "V11'", member), opened(&[CONTACT]), "{new}");
    assert_eq!(read(&mut story, "C", member), LOCKED);
    // Nobody else seals with what was lent: the county knows it as long as its process lives.
    set_contact(&mut story, "V11", member, "13900005678");
    story.run_until_quiet();
    let lent = key_at(&mut story, "V11", member);
    set_contact(&mut story, "T1", member, "13700000000");
    story.run_until_quiet();
    assert_eq!(lent, key_at(&mut story, "V11", member), "both seal with the village's own");
    assert_eq!(read(&mut story, "C", member), LOCKED);
    story.ends_well();
}

/// A node more, of the seat in whose name it is, behind the township.
pub(crate) fn join(story: &mut Story, name: &str) -> usize {
    let (county, township) = (story.world.machine("C"), story.world.machine("T1"));
    let entry = story.world.county.grow(&[name]);
    let ticket = heliu_replication::Ticket(story.world.next_ticket());
    story.world.feed_input(county, Input::Extend { ticket, entries: vec![entry], event: None });
    let enrolled = story.world.county.enrolled.len() - 1;
    let new = story.world.install(enrolled, 1);
    story.world.machines[new].upstreams = vec![township];
    story.world.start(new);
    new
}

#[test]
fn a_fence_begins_a_new_epoch_whose_key_the_fenced_node_never_gets() {
    let mut story = Story::of(13, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    join(&mut story, "V11'");
    story.run_until_quiet();
    let before = key_at(&mut story, "V11", member);
    set_contact(&mut story, "T1", member, "13900005678");
    story.run_until_quiet();
    assert_eq!(key_at(&mut story, "V11", member), before, "as long as all who have it may read");
    assert_eq!(read(&mut story, "V11'", member), opened(&["13900005678"]));
    let stolen = story.world.machine("V11'");
    let (county, node) = (story.world.machine("C"), story.world.machines[stolen].node());
    let reply = story.world.fence(county, node);
    assert!(matches!(reply, Reply::Drafted { entered: true, .. }), "{reply:?}");
    story.wait();
    for (at, number) in [("T1", "13700000000"), ("V11", "13600000000")] {
        set_contact(&mut story, at, member, number);
        story.wait();
        let after = key_at(&mut story, at, member);
        assert_ne!(after, before, "{at}");
        assert_eq!(read(&mut story, "T1", member), opened(&[number]));
        let statements = story.world.machines[story.world.machine("T1")].disk.statements();
        let said = statements.iter().filter_map(|row| SignedStatement::decode(&row.bytes).ok());
        let given = said.filter_map(|signed| match signed.statement.body {
            Body::Keys(keys) => Some(keys.wraps),
            _ => None,
        });
        let mut of_this = given.flatten().filter(|wrap| wrap.key.to_string() == after);
        assert!(of_this.clone().next().is_some() && of_this.all(|wrap| wrap.to != Recipient::Node(node)), "{at}");
    }
    story.world.retire(stolen);
    story.run_until_quiet();
    story.ends_well();
}

#[test]
fn a_member_who_has_moved_is_read_at_the_new_home_and_by_nobody_else_new() {
    let mut story = Story::of(14, &["C", "T1", "V11", "V12", "T2", "V21"]);
    let member = story.member("V11", CONTACT);
    let stays = story.member("V11", "13500000000");
    move_to(&mut story, member, "V11", "V21");
    for name in ["V21", "T2", "V11", "T1"] {
        assert_eq!(read(&mut story, name, member), opened(&[CONTACT]), "{name}");
    }
    assert_eq!(read(&mut story, "C", member), LOCKED);
    // What is sealed there from now on, the old home carries as long as it is in the audience.
    set_contact(&mut story, "V21", member, "13900005678");
    story.run_until_quiet();
    for (name, number) in [("V21", opened(&["13900005678"])), ("T2", opened(&["13900005678"])), ("V11", LOCKED)] {
        assert_eq!(read(&mut story, name, member), number, "{name}");
    }
    assert!(story.everywhere(stays).iter().all(|(name, _)| name != "V21"), "the others have not moved");
    story.ends_well();
}

/// The township has the keys of both its villages, and hands over without a thought; so the second village's later node
/// reads what was sealed in the first.
#[test]
fn a_new_node_of_the_new_home_reads_what_was_sealed_at_the_old_one() {
    let mut story = Story::of(15, &["C", "T1", "V11", "V12"]);
    let member = story.member("V11", CONTACT);
    move_to(&mut story, member, "V11", "V12");
    join(&mut story, "V12'");
    story.run_until_quiet();
    for name in ["V12", "T1", "V12'"] {
        assert_eq!(read(&mut story, name, member), opened(&[CONTACT]), "{name}");
    }
    story.ends_well();
}

pub(crate) fn move_to(story: &mut Story, member: RecordId, from: &str, to: &str) {
    let seat = story.seat(to);
    let new = story.at(to).makes("org.create", &[("name", "新支部"), ("seat", &seat)]);
    story.run_until_quiet();
    let arguments = [("to_org", new.to_string()), ("to_seat", seat.clone())];
    let arguments: Vec<(&str, &str)> = arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
    story.at(from).done("member.transfer.issue", Some(member), &arguments);
    story.run_until_quiet();
    story.at(to).done("member.transfer.receive", Some(member), &[("seat", &seat)]);
    story.run_until_quiet();
}

/// A machine with an empty disk takes the place of another, with its keys.
pub(crate) fn lose_disk(story: &mut Story, name: &str) {
    let enrolled = story.world.county.enrolled.iter().position(|node| node.name == name).expect("it is enrolled");
    let lost = story.world.machine(name);
    story.world.crash(lost);
    let upstreams = story.world.machines[lost].upstreams.clone();
    let new = story.world.install(enrolled, 1);
    story.world.machines[new].upstreams = upstreams;
    story.world.machines.swap(lost, new);
    story.world.machines.pop();
    story.world.start(lost);
}

#[test]
fn a_machine_with_a_new_disk_and_its_old_keys_reads_again() {
    let mut story = Story::of(5, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    lose_disk(&mut story, "V11");
    story.run_until_quiet();
    assert_eq!(read(&mut story, "V11", member), opened(&[CONTACT]));
    story.ends_well();
}

#[test]
fn a_new_node_of_the_seat_gets_keys_as_soon_as_a_holder_is_there() {
    let mut story = Story::of(6, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    // Both that could hand on the key are away when the new node comes.
    let [county, township, village] = ["C", "T1", "V11"].map(|name| story.world.machine(name));
    story.world.crash(village);
    story.world.crash(township);
    let entry = story.world.county.grow(&["V11'"]);
    let ticket = heliu_replication::Ticket(story.world.next_ticket());
    story.world.feed_input(county, Input::Extend { ticket, entries: vec![entry], event: None });
    let enrolled = story.world.county.enrolled.len() - 1;
    let new = story.world.install(enrolled, 1);
    story.world.machines[new].upstreams = vec![county];
    story.world.start(new);
    story.world.run_for(30_000);
    assert_eq!(read(&mut story, "V11'", member), LOCKED);
    assert_eq!(story.pending("V11'"), 1, "and it says that it waits");
    story.world.start(township);
    story.world.start(village);
    story.run_until_quiet();
    assert_eq!(read(&mut story, "V11'", member), opened(&[CONTACT]));
    assert_eq!((story.pending("V11'"), story.pending("T1")), (0, 0));
    story.ends_well();
}

#[test]
fn a_value_of_a_wrong_form_is_refused_without_repeating_it() {
    let mut story = Story::of(7, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    let wrong = [("field", "birth_date"), ("value", "1970-02-31")];
    story.at("V11").refuses("bad_value", "record.set", Some(member), &wrong);
    assert!(!story.words().contains("1970-02-31"), "nor does the log of what happened");
    story.run_until_quiet();
    story.ends_well();
}

/// What the township has for a wrap opens nothing, and hides that it has none. Both see that: the township that it cannot
/// read, the village, which has the key, that this is not what it would be.
#[test]
fn a_wrap_that_opens_nothing_is_shown_and_made_anew() {
    let mut story = Story::of(9, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    story.cut(&["T1"], &["V11"]);
    for name in ["C", "T1", "V11"] {
        spoil_wraps(&mut story, name);
    }
    story.world.patrols = true;
    for name in ["T1", "V11"] {
        let machine = story.world.machine(name);
        story.world.start(machine);
    }
    story.wait();
    assert_eq!(read(&mut story, "T1", member), LOCKED);
    assert_eq!(story.pending("T1"), 1, "and it is told");
    story.heal();
    let county = story.world.machine("C");
    story.world.start(county);
    story.wait();
    story.run_until_quiet();
    assert_eq!(read(&mut story, "T1", member), opened(&[CONTACT]));
    assert_eq!((story.pending("T1"), story.pending("V11")), (0, 0));
    story.ends_well();
}

/// A node's process ends, and of what the village said its disk has something else, in which nothing is for the township.
fn spoil_wraps(story: &mut Story, name: &str) {
    let township = Recipient::Node(story.world.machines[story.world.machine("T1")].node());
    let village = story.world.machines[story.world.machine("V11")].key;
    let machine = story.world.machine(name);
    story.world.crash(machine);
    let disk = &mut story.world.machines[machine].disk;
    let mut transaction = Transaction::default();
    for row in disk.statements() {
        let mut statement = SignedStatement::decode(&row.bytes).expect("a statement").statement;
        let Body::Keys(keys) = &mut statement.body else { continue };
        for wrap in keys.wraps.iter_mut().filter(|wrap| wrap.to == township) {
            wrap.wrapped[40] ^= 1;
        }
        let signed = SignedStatement::sign(statement, &village);
        transaction.statements_dropped.push(row.hash);
        transaction.statements.push(StatementRow { hash: signed.hash, bytes: signed.encode(), ..row });
    }
    assert_eq!(transaction.statements.len(), 1);
    disk.apply(&transaction).expect("it is taken");
}
