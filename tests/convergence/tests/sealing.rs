//! Sealed values: who reads them, who carries them, and how whoever is new gets the keys.

use convergence::story::Story;
use heliu_record::id::RecordId;
use heliu_replication::Input;
use heliu_storage::{FeedEntry, GrantHash, GrantRow, RecordRow, Transaction};
use heliu_trust::grant::{Recipient, SignedGrant};

const CONTACT: &str = "13800001234";

fn read(story: &mut Story, name: &str, member: RecordId) -> (Vec<String>, u32) {
    story.at(name).reveals(member, "contact")
}

fn opened(values: &[&str]) -> (Vec<String>, u32) {
    (values.iter().map(|value| (*value).to_owned()).collect(), 0)
}

const LOCKED: (Vec<String>, u32) = (Vec::new(), 1);

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

#[test]
fn two_first_writers_apart_make_two_keys_and_both_values_are_read() {
    let mut story = Story::of(2, &["C", "T1", "V11"]);
    let seat = story.seat("V11");
    let branch = story.at("V11").makes("org.create", &[("name", "村支部"), ("seat", &seat)]);
    let arguments = [("name", "测试甲"), ("branch", &branch.to_string())];
    let member = story.at("V11").makes("member.register", &arguments);
    story.run_until_quiet();
    story.cut(&["T1"], &["V11"]);
    let set = |value| [("field", "contact"), ("value", value)];
    story.at("V11").done("record.set", Some(member), &set("13800001234"));
    story.at("T1").done("record.set", Some(member), &set("13900005678"));
    story.wait();
    story.heal();
    story.run_until_quiet();
    for name in ["V11", "T1"] {
        assert_eq!(read(&mut story, name, member), opened(&["13800001234", "13900005678"]), "{name}");
    }
    assert_eq!(read(&mut story, "C", member).1, 2);
    // Both know both keys now, and go on with one of them.
    story.at("T1").done("record.set", Some(member), &set("13700000000"));
    story.run_until_quiet();
    assert_eq!(read(&mut story, "V11", member), opened(&["13700000000"]));
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

#[test]
fn where_a_member_has_moved_to_they_read_the_contact() {
    let mut story = Story::of(4, &["C", "T1", "V11", "T2", "V21"]);
    let member = story.member("V11", CONTACT);
    let seat = story.seat("V21");
    let new = story.at("V21").makes("org.create", &[("name", "新支部"), ("seat", &seat)]);
    story.run_until_quiet();
    let arguments = [("to_org", new.to_string()), ("to_seat", seat.clone())];
    let arguments: Vec<(&str, &str)> = arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
    story.at("V11").done("member.transfer.issue", Some(member), &arguments);
    story.run_until_quiet();
    story.at("V21").done("member.transfer.receive", Some(member), &[("seat", &seat)]);
    story.run_until_quiet();
    for name in ["V21", "T2", "V11"] {
        assert_eq!(read(&mut story, name, member), opened(&[CONTACT]), "{name}");
    }
    assert_eq!(read(&mut story, "C", member), LOCKED);
    story.ends_well();
}

/// A village's machine with an empty disk; its keys are the old ones or, for a new node, others.
fn replace(story: &mut Story, old: &str, enrolled: usize) -> usize {
    let lost = story.world.machine(old);
    story.world.crash(lost);
    let upstreams = story.world.machines[lost].upstreams.clone();
    let new = story.world.install(enrolled, 1);
    story.world.machines[new].upstreams = upstreams;
    story.world.machines.swap(lost, new);
    story.world.machines.pop();
    story.world.start(lost);
    lost
}

#[test]
fn a_machine_with_a_new_disk_and_its_old_keys_reads_again() {
    let mut story = Story::of(5, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    let enrolled = story.world.county.enrolled.iter().position(|node| node.name == "V11").expect("it is enrolled");
    replace(&mut story, "V11", enrolled);
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
        spoil_wraps(&mut story, name, member);
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

/// A node's process ends, and of the village's grant its disk has another one, in which nothing is for the township.
fn spoil_wraps(story: &mut Story, name: &str, member: RecordId) {
    let township = Recipient::Node(story.world.machines[story.world.machine("T1")].node());
    let village = story.world.machines[story.world.machine("V11")].key;
    let machine = story.world.machine(name);
    story.world.crash(machine);
    let disk = &mut story.world.machines[machine].disk;
    let loaded = disk.load(member).expect("it is here");
    let head = disk.meta().head;
    let leaves = loaded.leaves.into_iter().map(FeedEntry::Leaf);
    let grants = loaded.grants.into_iter().map(|row| {
        let mut grant = SignedGrant::decode(&row.grant).expect("a grant").grant;
        for (_, wrapped) in grant.wraps.iter_mut().filter(|(to, _)| *to == township) {
            wrapped[40] ^= 1;
        }
        let signed = SignedGrant::sign(grant, &village);
        FeedEntry::Grant(GrantRow { hash: GrantHash(signed.hash), grant: signed.encode().into(), ..row })
    });
    let mut feed: Vec<FeedEntry> = leaves.chain(grants).collect();
    let mut held = heliu_record::hash::Sum::default();
    for (entry, next) in feed.iter_mut().zip(head + 1..) {
        match entry {
            FeedEntry::Leaf(row) => {
                row.position = next;
                held.add(&row.hash.0);
            }
            FeedEntry::Grant(row) => {
                row.position = next;
                held.add(&row.hash.0);
            }
            FeedEntry::Rescope { .. } => {}
        }
    }
    let row = RecordRow { held, ..loaded.row };
    let transaction = Transaction { dropped: vec![member], feed, records: vec![row], ..Transaction::default() };
    disk.apply(&transaction).expect("it is taken");
}
