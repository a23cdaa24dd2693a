//! Nodes that are not what they say: stolen keys, copies, two faces. What they wrote is kept out, the honest lose nothing,
//! and people hear of it.

use convergence::story::Story;
use convergence::world::World;
use convergence::world::office::{DAY_MS, signed};
use heliu_record::id::RecordId;
use heliu_replication::{Input, Reply, StrandedAction, Ticket};
use heliu_storage::{LeafStatus, ReadStatements as _, ReadStranded as _, StrandedState};
use heliu_trust::directory::{Fence, Item};
use heliu_trust::signature::Signer;
use heliu_trust::simulated::CheapKey;
use heliu_trust::statement::{Body, SignedStatement};

use convergence::world::county::sealing_of;
use convergence::world::disk::ready;

fn set(story: &mut Story, at: &str, record: RecordId, field: &str, value: &str) {
    story.at(at).done("record.set", Some(record), &[("field", field), ("value", value)]);
}

fn codes(story: &Story, name: &str) -> Vec<&'static str> {
    story.alarms(name).into_iter().map(|(code, _)| code).collect()
}

/// The key of a village's node was stolen, with its disk. The township, cut off from the county, takes what the thief
/// writes, and builds upon it, while the county fences the node. Returns the org that they wrote to.
fn stolen_village(seed: u64) -> (Story, RecordId) {
    let mut story = Story::of(seed, &["C", "T1", "V11"]);
    let org = story.at("V11").makes("org.create", &[("name", "支部")]);
    story.run_until_quiet();
    let village = story.world.machine("V11");
    let (node, thief) = (story.world.machines[village].node(), story.world.clone_machine(village));
    story.world.retire(village);
    story.cut(&["C"], &["T1"]);
    // A month back, as if it had been written before anybody noticed.
    story.world.skew(thief, -30 * DAY_MS, false);
    set(&mut story, "V11*", org, "name", "假支部");
    story.wait();
    set(&mut story, "T1", org, "name", "镇改支部");
    set(&mut story, "T1", org, "org_kind", "village");
    story.wait();
    assert_eq!(story.at("T1").view(org)["name"], "镇改支部", "nobody has told the township");
    let county = story.world.machine("C");
    let reply = story.world.fence(county, node);
    assert!(matches!(reply, Reply::Drafted { entered: true, .. }), "{reply:?}");
    (story, org)
}

#[test]
fn fenced_node_returns_after_30_days() {
    for seed in 1..=4 {
        let (mut story, org) = stolen_village(seed);
        assert_eq!(story.at("C").view(org)["name"], "支部");
        story.heal();
        story.wait();
        assert_eq!(codes(&story, "V11*")[0], "fenced", "the thief hears why, as its operator would");
        story.at("V11*").refuses("fenced", "org.create", None, &[("name", "支部")]);
        let thief = story.world.machine("V11*");
        story.world.retire(thief);
        story.run_until_quiet();
        // What the village wrote before it was robbed stays, what the thief wrote goes, what the township wrote is back.
        for (name, view) in story.everywhere(org) {
            assert_eq!((&view["name"], &view["org_kind"]), (&"镇改支部".into(), &"village".into()), "{name}");
        }
        assert_eq!(story.stranded("T1"), 0, "nothing is left to people");
        let held = story.world.machines[story.world.machine("C")].disk.load(org).expect("it is here");
        let excluded = held.leaves.iter().filter(|leaf| leaf.status == LeafStatus::Excluded).count();
        assert_eq!(excluded, 3, "the thief's, and the township's two upon it");
        story.ends_well();

        // The seat goes on with a new machine and a new key.
        let (county, township) = (story.world.machine("C"), story.world.machine("T1"));
        let (token, anew) = (story.world.mint(county, "V11", DAY_MS), story.world.county.hire("V11'"));
        let ticket = story.world.ask_to_join(county, World::join_request(&token, &anew));
        assert!(matches!(story.world.answer(ticket), Reply::Joined));
        story.world.move_in("V11'", township);
        story.run_until_quiet();
        set(&mut story, "V11'", org, "name", "新支部");
        story.run_until_quiet();
        assert!(codes(&story, "C").is_empty(), "a fenced node is no second one: {:?}", story.alarms("C"));
        story.ends_well();
    }
}

#[test]
fn an_honest_edit_that_would_undo_another_is_left_to_people() {
    for (seed, action) in [(5, StrandedAction::Reissue), (6, StrandedAction::Discard)] {
        let mut story = Story::of(seed, &["C", "T1", "V11"]);
        let org = story.at("V11").makes("org.create", &[("name", "支部")]);
        story.run_until_quiet();
        let [county, township, village] = ["C", "T1", "V11"].map(|name| story.world.machine(name));
        let node = story.world.machines[village].node();
        story.cut(&["C"], &["T1"]);
        // The county and a thief at the village's machine write the same field, and the township writes upon the latter.
        set(&mut story, "C", org, "name", "县改支部");
        let forged = story.at("V11").done("record.set", Some(org), &[("field", "name"), ("value", "假支部")]);
        story.wait();
        set(&mut story, "T1", org, "name", "镇改支部");
        set(&mut story, "T1", org, "org_kind", "village");
        story.heal();
        story.run_until_quiet();
        // By now all know all of it, so what the thief wrote has to be excluded by name.
        let ticket = Ticket(story.world.next_ticket());
        let fence = Input::FenceOf { ticket, node, nothing: false, excluded: forged.leaves, event: signed("fence") };
        story.world.feed_input(county, fence);
        assert!(matches!(story.world.answer(ticket), Reply::Drafted { entered: true, .. }));
        story.wait();
        story.world.retire(village);
        story.run_until_quiet();
        for (name, view) in story.everywhere(org) {
            assert_eq!((&view["name"], &view["org_kind"]), (&"县改支部".into(), &"village".into()), "{name}");
        }
        let stranded = story.world.stranded(township);
        assert_eq!(stranded.len(), 1, "{}", story.words());
        assert_eq!((stranded[0].record, stranded[0].reason.as_str()), (org, "edit.overwritten\npath=name"));
        assert_eq!(codes(&story, "T1"), ["stranded_edits"]);
        // It is still so when the process begins again.
        story.world.crash(township);
        story.world.start(township);
        story.run_until_quiet();
        assert_eq!(codes(&story, "T1"), ["stranded_edits"]);
        let leaf = stranded[0].leaf;
        let decide = |story: &mut Story| {
            let ticket = Ticket(story.world.next_ticket());
            story.world.feed_input(township, Input::Stranded { ticket, leaf, action, event: signed("stranded") });
            story.world.answer(ticket)
        };
        let reply = decide(&mut story);
        assert!(matches!(reply, Reply::Done(_)), "{reply:?}");
        story.run_until_quiet();
        let expected = if action == StrandedAction::Reissue { "镇改支部" } else { "县改支部" };
        assert_eq!(story.at("C").view(org)["name"], expected);
        let store = &story.world.machines[township].disk.store;
        let row = ready(store.stranded_one(leaf)).expect("it reads").expect("it is kept");
        assert_eq!(row.state == StrandedState::Discarded, action == StrandedAction::Discard);
        assert!(codes(&story, "T1").is_empty());
        assert!(matches!(decide(&mut story), Reply::Refused(refusal) if refusal.code == "no_stranded"));
        let rows = story.at("T1").audit().into_iter().filter(|row| row.action == "stranded").count();
        assert_eq!(rows, 1, "the log has what was done, and not what was refused");
        story.ends_well();
    }
}

#[test]
fn stolen_issuer_enrols_a_second_node_on_a_populated_seat() {
    let mut story = Story::of(7, &["C", "T1", "V11"]);
    let org = story.at("V11").makes("org.create", &[("name", "支部")]);
    story.run_until_quiet();
    let (county, township) = (story.world.machine("C"), story.world.machine("T1"));
    let (thief, issuer, root) = (story.world.county.hire("V11'"), story.world.county.issuer, story.world.county.root);
    let enrol = Item::enrol(&thief.key, thief.seat, sealing_of(&thief.name).public(), Vec::new());
    let entry = story.world.county.directory().draft(vec![enrol], 0, &[&issuer]).expect("the key is right");
    // It comes by whatever way, here by the thief's own connection to the township.
    assert!(matches!(story.world.enter(township, entry), Reply::Done(_)));
    story.run_until_quiet();
    for name in ["V11", "T1", "C"] {
        assert_eq!(codes(&story, name), ["second_node"], "{name}");
    }
    story.world.move_in("V11'", township);
    story.run_until_quiet();
    set(&mut story, "V11'", org, "name", "假支部");
    story.run_until_quiet();

    let new_issuer = CheapKey([0x1d; 32]);
    let fence = Fence::new(thief.node(), Vec::new(), Vec::new());
    let items = vec![Item::Issuer { key: new_issuer.public_key() }, Item::Fence(fence)];
    let entry = story.world.county.directory().draft(items, 0, &[&root]).expect("the root may");
    assert!(matches!(story.world.enter(county, entry), Reply::Done(_)));
    story.wait();
    let (machine, node) = (story.world.machine("V11'"), thief.node());
    story.world.retire(machine);
    story.run_until_quiet();
    for (name, view) in story.everywhere(org) {
        assert_eq!(view["name"], "支部", "{name}");
        assert!(codes(&story, &name).is_empty(), "{name}: {:?}", story.alarms(&name));
    }
    // The stolen key is worth nothing any more.
    let enrol = Item::Addresses { node, addresses: vec!["https://example.org".to_owned()] };
    assert!(story.world.county.directory().draft(vec![enrol.clone()], 0, &[&issuer]).is_err());
    let reply = story.world.draft(county, vec![enrol]);
    assert!(matches!(reply, Reply::Refused(refusal) if refusal.code == "no_issuer"));
    story.ends_well();
}

#[test]
fn a_node_with_two_faces_is_shown_with_both_to_the_county() {
    let mut story = Story::of(8, &["C", "T1", "V11"]);
    let org = story.at("V11").makes("org.create", &[("name", "支部")]);
    story.run_until_quiet();
    let township = story.world.machine("T1");
    story.world.back_up(township);
    set(&mut story, "T1", org, "org_kind", "village");
    story.wait();
    story.cut(&["T1"], &["C", "V11"]);
    story.world.roll_back(township);
    set(&mut story, "T1", org, "org_kind", "enterprise");
    story.heal();
    story.run_until_quiet();
    let node = story.world.machines[township].node();
    for name in ["C", "V11"] {
        assert_eq!(story.alarms(name), [("equivocation", node.to_string())], "{name}");
    }
    let county = story.world.machine("C");
    let rows = ready(story.world.machines[county].disk.store.statements()).expect("it reads");
    let evidence = rows.iter().filter_map(|row| SignedStatement::decode(&row.bytes).ok());
    let bodies: Vec<Body> = evidence.map(|signed| signed.statement.body).collect();
    assert!(bodies.iter().any(|body| matches!(body, Body::Evidence { .. })), "{bodies:?}");
    // It is known for good.
    story.world.crash(county);
    story.world.start(county);
    story.run_until_quiet();
    assert_eq!(story.alarms("C"), [("equivocation", node.to_string())]);
    story.ends_well();
}

#[test]
fn cloned_node() {
    let mut story = Story::of(9, &["C", "T1", "V11"]);
    let org = story.at("V11").makes("org.create", &[("name", "支部")]);
    story.run_until_quiet();
    assert!(codes(&story, "T1").is_empty());
    let village = story.world.machine("V11");
    let (node, twin) = (story.world.machines[village].node(), story.world.clone_machine(village));
    story.run_until_quiet();
    set(&mut story, "V11*", org, "name", "一支部");
    set(&mut story, "V11", org, "org_kind", "village");
    story.wait();
    for (name, view) in story.everywhere(org) {
        assert_eq!((&view["name"], &view["org_kind"]), (&"一支部".into(), &"village".into()), "{name}");
    }
    // The copy knows the incarnation that the original goes on with as its own; the others tell.
    for name in ["T1", "V11"] {
        // And their two audit logs tell, once both have said how far theirs goes.
        let alarms: Vec<_> = story.alarms(name).into_iter().filter(|(code, _)| *code != "audit_forked").collect();
        assert_eq!(alarms, [("twin", node.to_string())], "{name}");
    }
    story.world.retire(twin);
    story.run_until_quiet();
    let left: Vec<_> = codes(&story, "T1").into_iter().filter(|code| *code != "audit_forked").collect();
    assert!(left.is_empty(), "it is over with the twin; that its logs differed stays told until a longer one comes");
    story.ends_well();
}

#[test]
fn what_was_quarantined_is_judged_again_or_let_go() {
    use heliu_replication::QuarantineAction::{Drop, Requeue};
    let mut story = Story::of(10, &["C", "T1"]);
    let township = story.world.machine("T1");
    story.world.hand_over_junk(township, 2);
    story.wait();
    let rows = story.world.machines[township].disk.quarantined();
    assert_eq!(rows.len(), 2);
    let mut answers = Vec::new();
    for (row, action) in rows.iter().zip([Requeue, Drop]).chain([(&rows[0], Drop)]) {
        let ticket = Ticket(story.world.next_ticket());
        story.world.feed_input(township, Input::Quarantine { ticket, id: row.id, action, event: signed("quarantine") });
        answers.push(story.world.answer(ticket));
    }
    assert!(matches!(&answers[0], Reply::Requeued(code) if code == "awaited"), "{answers:?}");
    assert!(matches!(&answers[1], Reply::Done(_)), "{answers:?}");
    assert!(matches!(&answers[2], Reply::Refused(refusal) if refusal.code == "not_in_quarantine"), "{answers:?}");
    assert!(story.world.machines[township].disk.quarantined().is_empty());
    assert_eq!(story.at("T1").audit().len(), 2, "the log has what was done, and not what was refused");
    story.ends_well();
}
