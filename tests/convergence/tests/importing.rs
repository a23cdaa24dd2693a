//! Rows of files: ids that follow from what they say, which only the county's nodes reckon.

use std::collections::BTreeMap;

use convergence::story::Story;
use heliu_record::command::{CommandId, Request, drawn};
use heliu_record::date::Date;
use heliu_record::hash::hash16;
use heliu_record::id::{Preimage, RecordId};
use heliu_record::sight::Sight;
use heliu_replication::{Input, Reply, Trial};

/// The id that a program gives the command of a row, when what it made was erased so many times. The program is public.
fn id_of(name: &str, erased: u8) -> CommandId {
    CommandId(hash16("a row", &[name.as_bytes(), &[erased]]))
}

pub(crate) fn give(story: &mut Story, at: &str, branch: RecordId, name: &str, erased: u8, is_guessable: bool) -> Reply {
    order(story, at, branch, name, erased, is_guessable, Trial::No)
}

/// As [`give`], and nothing is written.
fn try_out(story: &mut Story, at: &str, branch: RecordId, name: &str) -> Reply {
    order(story, at, branch, name, 0, true, Trial::Planned)
}

fn order(
    story: &mut Story,
    at: &str,
    branch: RecordId,
    name: &str,
    erased: u8,
    is_guessable: bool,
    trial: Trial,
) -> Reply {
    let arguments = [("name", name.to_owned()), ("branch", branch.to_string())];
    let request = Request {
        id: id_of(name, erased),
        name: "member.register".to_owned(),
        subject: None,
        arguments: arguments.map(|(name, value)| (name.to_owned(), value)).into(),
        who: "clerk".to_owned(),
        reason: "members.csv".to_owned(),
        on_behalf: None,
    };
    let (role, today, sight) = ("write".to_owned(), Date::constant(2026, 3, 1), Sight::WHOLE);
    story.at(at).put(|ticket| Input::Execute { ticket, request, is_guessable, trial, role, today, sight })
}

pub(crate) fn made(reply: Reply) -> RecordId {
    match reply {
        Reply::Done(done) => done.result["record"].parse().expect("an id"),
        other => panic!("it was not made: {other:?}"),
    }
}

pub(crate) fn code(reply: Reply) -> &'static str {
    match reply {
        Reply::Refused(refusal) => refusal.code,
        other => panic!("it was not refused: {other:?}"),
    }
}

/// The county's first node may be one that never ran: then another begins the secret, after a while.
fn come_to_ids(story: &mut Story) {
    story.world.run_for(200_000);
    story.run_until_quiet();
}

/// A village with a branch, and its superiors, who have been linked.
pub(crate) fn village(seed: u64) -> (Story, RecordId) {
    let mut story = Story::of(seed, &["C", "T1", "V11"]);
    let seat = story.seat("V11");
    let branch = story.at("V11").makes("org.create", &[("name", "村支部"), ("seat", &seat)]);
    story.run_until_quiet();
    come_to_ids(&mut story);
    (story, branch)
}

#[test]
fn ids_of_imported_records_cannot_be_found_by_trying_names() {
    let (mut story, branch) = village(21);
    let birth = story.world.machines[story.world.machine("V11")].seat;
    let names: Vec<String> = (0..192).map(|number| format!("王{number}")).collect();
    let guess = |name: &str| {
        let key = drawn(&id_of(name, 0), 1).to_vec();
        Preimage { kind: "member".to_owned(), birth, key }.id()
    };
    let guesses: BTreeMap<RecordId, &String> = names.iter().map(|name| (guess(name), name)).collect();
    let shown = made(give(&mut story, "V11", branch, "王7", 0, false));
    assert!(guesses.contains_key(&shown), "so it would be, if the id said it");
    let hidden = made(give(&mut story, "V11", branch, "王100", 0, true));
    assert!(!guesses.contains_key(&hidden));
    story.run_until_quiet();
    // Given again, here or at another node, it makes no second one.
    assert_eq!(made(give(&mut story, "V11", branch, "王100", 0, true)), hidden);
    assert_eq!(code(give(&mut story, "T1", branch, "王100", 0, true)), "already_made");
    story.run_until_quiet();
    let members = story.at("C").view(branch);
    assert!(members.is_object(), "{members}");
    story.ends_well();
}

#[test]
fn what_was_erased_can_be_imported_anew_and_not_by_accident() {
    let (mut story, branch) = village(22);
    let first = made(give(&mut story, "V11", branch, "王红", 0, true));
    story.run_until_quiet();
    story.at("T1").erases(first);
    story.run_until_quiet();
    for at in ["V11", "T1"] {
        assert_eq!(code(give(&mut story, at, branch, "王红", 0, true)), "erased", "{at}");
    }
    let second = made(give(&mut story, "V11", branch, "王红", 1, true));
    assert_ne!(second, first);
    story.run_until_quiet();
    assert_eq!(story.at("C").view(second)["name"], "王红");
    assert_eq!(made(give(&mut story, "V11", branch, "王红", 1, true)), second);
    story.ends_well();
}

/// A county that loses its disk hears the secret from those below, and imports what it imported before under the same ids.
#[test]
fn a_county_that_lost_its_disk_goes_on_with_the_same_secret() {
    let (mut story, branch) = village(23);
    let before = made(give(&mut story, "C", branch, "王红", 0, true));
    story.run_until_quiet();
    crate::sealing::lose_disk(&mut story, "C");
    story.run_until_quiet();
    assert_eq!(code(give(&mut story, "C", branch, "王红", 0, true)), "already_made");
    assert_eq!(story.at("C").view(before)["name"], "王红");
    story.ends_well();
}

#[test]
fn a_village_that_was_never_linked_is_told_what_to_do_before_it_imports() {
    let mut story = Story::of(24, &["C", "T1", "V11"]);
    // Its disk is empty, and nobody is there.
    story.cut(&["T1"], &["V11"]);
    crate::sealing::lose_disk(&mut story, "V11");
    story.wait();
    let seat = story.seat("V11");
    let branch = story.at("V11").makes("org.create", &[("name", "村支部"), ("seat", &seat)]);
    let Reply::Refused(refusal) = give(&mut story, "V11", branch, "王红", 0, true) else {
        panic!("it has no secret")
    };
    assert_eq!(refusal.code, "no_secret_of_ids");
    // What would become of the file it can say all the same.
    assert!(
        matches!(try_out(&mut story, "V11", branch, "王红"), Reply::Done(_)),
        "it is registered, if it is imported"
    );
    assert!(refusal.next.zh.contains("heliu status") && refusal.next.zh.contains("可在上级的节点上办理"));
    assert!(refusal.next.en.contains("heliu status") && refusal.next.en.contains("at a node of the superior"));
    // So it is: what the superior imports comes with the link.
    let township = story.seat("T1");
    let there = story.at("T1").makes("org.create", &[("name", "镇支部"), ("seat", &township)]);
    let imported = made(give(&mut story, "T1", there, "李明", 0, true));
    assert_eq!(story.at("T1").view(imported)["name"], "李明");
    story.heal();
    story.run_until_quiet();
    come_to_ids(&mut story);
    made(give(&mut story, "V11", branch, "王红", 0, true));
    story.run_until_quiet();
    story.ends_well();
}

/// A file is given to it again before anybody is there. The county's seat has two nodes, and either may have begun the secret:
/// another one would make a second member of each row, and bring back who was erased.
#[test]
fn one_of_two_county_nodes_that_lost_its_disk_imports_nothing_before_it_has_heard_from_anybody() {
    let (mut story, branch) = village(25);
    let before = made(give(&mut story, "C", branch, "王红", 0, true));
    story.run_until_quiet();
    story.cut(&["C"], &["T1"]);
    crate::sealing::lose_disk(&mut story, "C");
    story.wait();
    let seat = story.seat("C");
    let own = story.at("C").makes("org.create", &[("name", "县直支部"), ("seat", &seat)]);
    assert_eq!(code(give(&mut story, "C", own, "李明", 0, true)), "no_secret_of_ids");
    story.heal();
    story.run_until_quiet();
    assert_eq!(code(give(&mut story, "C", branch, "王红", 0, true)), "already_made");
    assert_eq!(story.at("C").view(before)["name"], "王红");
    story.ends_well();
}
