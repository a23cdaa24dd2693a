//! Erasure: what a superior takes away goes everywhere and stays away, and each node says that it is done.

use convergence::story::Story;
use heliu_replication::Reply;
use heliu_storage::ReadFeed as _;

const CONTACT: &str = "13800001234";

fn code(reply: &Reply) -> &'static str {
    match reply {
        Reply::Refused(refusal) => refusal.code,
        other => panic!("it should be refused: {other:?}"),
    }
}

#[test]
fn an_erased_record_goes_everywhere_also_where_it_was_offline_and_the_receipt_says_who_is_silent() {
    let mut story = Story::of(1, &["C", "T1", "V11", "V12"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    assert_eq!(code(&story.at("V11").erase(member)), "no_superior", "nobody erases his own");
    story.cut(&["T1"], &["V11"]);
    story.at("T1").erases(member);
    story.wait();
    assert_eq!(story.has_something_of(member), ["V11"]);
    let (receipt, confirmed, silent) = story.receipt("C", member).expect("it is erased");
    assert_eq!((confirmed, silent), (names(&["C", "T1", "V12"]), names(&["C~", "V11"])));
    assert_eq!(receipt.preimage.kind, "member");
    let (receipt, _, silent) = story.receipt("T1", member).expect("it is erased");
    assert_eq!((silent, receipt.elsewhere), (names(&["V11"]), 2), "a township hears of its own");
    // The village edits meanwhile what is not there any more.
    let leaf = story.at("V11").done("record.set", Some(member), &[("field", "name"), ("value", "测试乙")]).leaves[0];
    story.heal();
    story.run_until_quiet();
    assert!(story.has_something_of(member).is_empty());
    assert!(story.world.machines.iter().all(|machine| !machine.disk.holds(&member, &leaf)));
    assert_eq!(story.receipt("C", member).expect("it is erased").2, names(&["C~"]), "who never runs is silent");
    story.at("V11").refuses("erased", "record.set", Some(member), &[("field", "name"), ("value", "测试丙")]);
    assert_eq!(code(&story.at("C").erase(member)), "erased");
    story.ends_well();
}

#[test]
fn what_a_village_writes_that_has_not_heard_of_it_is_dropped_and_acknowledged() {
    let mut story = Story::of(2, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    let refused = story.world.tally.refused_leaves;
    story.at("C").erases(member);
    story.at("V11").done("record.set", Some(member), &[("field", "contact"), ("value", "13900005678")]);
    story.run_until_quiet();
    assert!(story.has_something_of(member).is_empty());
    assert_eq!(story.world.tally.refused_leaves, refused, "it is no fault");
    story.ends_well();
}

#[test]
fn a_copy_from_before_erases_again_and_says_so() {
    let mut story = Story::of(3, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    let village = story.world.machine("V11");
    story.world.back_up(village);
    story.at("T1").erases(member);
    story.run_until_quiet();
    assert!(story.world.restore(village));
    assert_eq!(story.has_something_of(member), ["V11"], "the copy has it");
    story.run_until_quiet();
    assert!(story.has_something_of(member).is_empty());
    assert_eq!(story.receipt("C", member).expect("it is erased").1, names(&["C", "T1", "V11"]));
    story.ends_well();
}

#[test]
fn nothing_takes_the_place_of_an_erased_record_with_a_natural_key() {
    let mut story = Story::of(4, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    let request = {
        let mut request = story.world.request("org.create", None);
        request.arguments = [("name".to_owned(), "党委".to_owned())].into();
        request
    };
    // A command that is given again makes the same record, by its id; here its answer is lost with the disk.
    let county = story.world.machine("C");
    let ticket = story.world.ask(county, request.clone());
    story.run_until_quiet();
    let Some(Reply::Done(done)) = story.world.replies.get(&ticket).cloned() else { panic!("it is made") };
    let org = done.affected[0];
    story.at("C").erases(org);
    story.at("C").erases(member);
    story.run_until_quiet();
    let mirror = story.world.machine("T1");
    let own = story.seat("C");
    let mut again = request;
    again.arguments.insert("seat".to_owned(), own);
    let ticket = story.world.ask(mirror, again);
    story.world.run_for(5_000);
    let reply = story.world.replies.get(&ticket).expect("it is answered");
    assert!(matches!(reply, Reply::Refused(_)), "{reply:?}");
    assert!(story.has_something_of(org).is_empty());
    story.ends_well();
}

#[test]
fn statements_that_a_broken_line_lost_arrive_by_comparing() {
    for seed in 5..12 {
        let mut story = Story::of(seed, &["C", "T1", "V11", "V12", "T2"]);
        let members = [story.member("V11", CONTACT), story.member("V12", CONTACT)];
        story.run_until_quiet();
        story.world.habits.frame_ms = (100, 600);
        story.at("C").erases(members[0]);
        story.at("T1").erases(members[1]);
        // Whatever is under way is lost, again and again.
        for _ in 0..6 {
            for wire in story.world.wires() {
                story.world.break_wire(wire);
            }
            story.world.run_for(400);
        }
        story.run_until_quiet();
        for member in members {
            assert!(story.has_something_of(member).is_empty());
            assert_eq!(story.receipt("C", member).expect("it is erased").2, names(&["C~"]));
        }
        story.ends_well();
    }
}

#[test]
fn what_was_erased_is_in_no_table_any_more() {
    let mut story = Story::of(13, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    story.at("T1").erases(member);
    story.run_until_quiet();
    for machine in &story.world.machines {
        let store = &machine.disk.store;
        let feed = futures::executor::block_on(
            store.feed(0, heliu_storage::Budget { entries: usize::MAX, bytes: usize::MAX }),
        );
        let of = feed.expect("it is read").items.into_iter().filter(|item| item.entry.record() == member);
        assert!(of.map(|item| item.entry).all(|entry| matches!(entry, heliu_storage::FeedEntry::Rescope { .. })));
        assert!(machine.disk.row(member).is_none_or(|row| row.view.is_empty()), "{}", machine.name);
    }
    story.ends_well();
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
