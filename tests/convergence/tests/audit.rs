//! The audit log: every command and every look at what is sealed is a row of one chain, whose head goes up.

use convergence::story::Story;
use convergence::world::disk::{Disk, ready};
use convergence::world::office::signed;
use heliu_replication::{AuditEvent, Input, QuarantineAction, Reply, Ticket};
use heliu_storage::ReadDirectory as _;
use heliu_trust::directory::Item;
use heliu_trust::statement::Body;

const CONTACT: &str = "13800001234";

#[test]
fn each_command_and_each_reveal_is_a_row_and_none_holds_what_was_read() {
    let mut story = Story::of(1, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    assert_eq!(story.at("V11").audit().len(), 2, "an organisation and a member");
    story.at("V11").refuses("bad_value", "record.set", Some(member), &[("field", "birth_date"), ("value", "x")]);
    assert_eq!(story.at("V11").audit().len(), 2, "what was refused did not happen");
    assert_eq!(story.at("V11").reveals(member, "contact").0, [CONTACT]);
    let event = AuditEvent { who: "operator".to_owned(), action: "token.mint".to_owned(), ..AuditEvent::default() };
    let reply = story.at("V11").put(|ticket| Input::Audit { ticket, event });
    assert!(matches!(reply, Reply::Done(_)));
    let rows = story.at("V11").audit();
    let actions: Vec<&str> = rows.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(actions, ["org.create", "member.register", "record.reveal", "token.mint"]);
    let reveal = &rows[2];
    assert_eq!((reveal.who.as_str(), reveal.role.as_str(), reveal.detail.as_str()), ("clerk", "read", "回访"));
    assert_eq!(reveal.subject, member.to_string());
    assert!(!format!("{rows:?}").contains(CONTACT));
    story.run_until_quiet();
    story.ends_well();
}

#[test]
fn the_chain_goes_on_over_a_crash_and_its_head_arrives_at_the_county() {
    let mut story = Story::of(2, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    let village = story.world.machine("V11");
    story.world.crash(village);
    story.world.start(village);
    story.run_until_quiet();
    story.at("V11").done("record.set", Some(member), &[("field", "name"), ("value", "测试乙")]);
    assert_eq!(story.at("V11").audit().len(), 3);
    story.wait();
    story.run_until_quiet();
    let head = story.world.machines[village].engine.as_ref().expect("it runs").audit_head();
    let author = story.world.machines[village].node();
    for (name, hears) in [("T1", true), ("C", true)] {
        let machine = &story.world.machines[story.world.machine(name)];
        let engine = machine.engine.as_ref().expect("it runs");
        let told = engine.statements().any(|signed| {
            signed.statement.author == author && matches!(signed.statement.body, Body::AuditHead(told) if told == head)
        });
        assert_eq!(told, hears, "{name}");
    }
    story.ends_well();
}

#[test]
fn an_erasure_is_a_row_where_it_was_asked_for_and_where_it_was_done() {
    let mut story = Story::of(3, &["C", "T1", "V11"]);
    let member = story.member("V11", CONTACT);
    story.run_until_quiet();
    story.at("T1").erases(member);
    story.run_until_quiet();
    let last = |story: &mut Story, name: &str| story.at(name).audit().pop().expect("a row");
    let asked = last(&mut story, "T1");
    assert_eq!(
        (asked.action.as_str(), asked.role.as_str(), asked.detail.as_str()),
        ("record.erase", "registry", "所请")
    );
    let done = last(&mut story, "V11");
    assert_eq!((done.action.as_str(), done.subject), ("record.erased", member.to_string()));
    story.ends_well();
}

/// Something is ordered of a machine, which crashes as soon as its disk shows that it was done. What was done is in the
/// audit log then, though nobody was answered.
fn is_audited_at_once(
    story: &mut Story,
    name: &str,
    order: impl FnOnce(Ticket) -> Input,
    action: &str,
    is_done: impl Fn(&Disk) -> bool,
) {
    let machine = story.world.machine(name);
    let ticket = Ticket(story.world.next_ticket());
    assert!(!is_done(&story.world.machines[machine].disk));
    story.world.feed_input(machine, order(ticket));
    for _ in 0..1_000 {
        if is_done(&story.world.machines[machine].disk) {
            break;
        }
        story.world.run_for(1);
    }
    story.world.crash(machine);
    assert!(is_done(&story.world.machines[machine].disk), "{action}");
    let last = story.at(name).audit().pop();
    assert_eq!(last.map(|row| row.action).as_deref(), Some(action));
    story.world.start(machine);
    story.wait();
}

#[test]
fn what_administrators_do_is_in_the_log_when_it_is_done_whenever_the_machine_crashes() {
    let mut story = Story::of(4, &["C", "T1", "V11"]);
    story.run_until_quiet();
    let entries = |disk: &Disk| ready(disk.store.directory()).expect("it is read").len();
    let (county, village) = (story.world.machine("C"), story.world.machine("V11"));
    let node = story.world.machines[village].node();

    let before = entries(&story.world.machines[county].disk);
    let items = vec![Item::Delegate { seat: story.world.county.seat("T1"), active: true }];
    let draft = |ticket| Input::Draft { ticket, items, event: signed("delegate") };
    is_audited_at_once(&mut story, "C", draft, "delegate", |disk| entries(disk) > before);

    let before = entries(&story.world.machines[county].disk);
    let entry = story.world.county.grow(&["T2"]);
    let append = |ticket| Input::Extend { ticket, entries: vec![entry], event: Some(signed("directory.append")) };
    is_audited_at_once(&mut story, "C", append, "directory.append", |disk| entries(disk) > before);

    story.world.hand_over_junk(county, 1);
    story.wait();
    let row = story.world.machines[county].disk.quarantined().pop().expect("junk came");
    let (action, event) = (QuarantineAction::Drop, signed("quarantine.drop"));
    let decide = |ticket| Input::Quarantine { ticket, id: row.id, action, event };
    is_audited_at_once(&mut story, "C", decide, "quarantine.drop", |disk| disk.quarantined().is_empty());

    let before = entries(&story.world.machines[county].disk);
    let fence = |ticket| Input::FenceOf { ticket, node, nothing: false, excluded: Vec::new(), event: signed("fence") };
    is_audited_at_once(&mut story, "C", fence, "fence", |disk| entries(disk) > before);
}

#[test]
fn entries_that_are_taken_before_one_that_is_not_good_are_in_the_log() {
    let mut story = Story::of(5, &["C"]);
    let good = story.world.county.grow(&["T1"]);
    let mut bad = story.world.county.grow(&["T2"]);
    bad.signatures.clear();
    let rows = story.at("C").audit().len();
    let entries = vec![good, bad.clone()];
    let reply = story.at("C").put(|ticket| Input::Extend { ticket, entries, event: Some(signed("directory.append")) });
    assert!(matches!(reply, Reply::BadEntries(_)), "{reply:?}");
    assert_eq!(story.at("C").audit().len(), rows + 1);
    let reply = story.at("C").put(|ticket| Input::Extend { ticket, entries: vec![bad], event: Some(signed("again")) });
    assert!(matches!(reply, Reply::BadEntries(_)), "{reply:?}");
    assert_eq!(story.at("C").audit().len(), rows + 1, "what was refused did not happen");
}
