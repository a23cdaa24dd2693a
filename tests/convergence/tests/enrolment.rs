//! How machines become nodes: by a join token, once, through whoever may enrol them, however long the county is away.

use convergence::story::Story;
use convergence::world::World;
use convergence::world::office::DAY_MS;
use heliu_replication::{Reply, Ticket};
use heliu_trust::directory::Item;
use heliu_trust::token::{JoinRequest, JoinToken};

/// A county with a township that may enrol its villages, and a village's seat without a node.
fn county_with_an_empty_seat(seed: u64) -> Story {
    let mut story = Story::of(seed, &["C", "T1", "T2"]);
    let county = story.world.machine("C");
    let entry = story.world.county.found(&["V11"]);
    assert!(matches!(story.world.enter(county, entry), Reply::Done(_)));
    let seat = story.world.county.seat("T1");
    let reply = story.world.draft(county, vec![Item::Delegate { seat, active: true }]);
    assert!(matches!(reply, Reply::Drafted { entered: true, .. }), "{reply:?}");
    story.run_until_quiet();
    story
}

/// The code that a machine hears which asks at a node.
fn refusal(story: &mut Story, at: &str, request: JoinRequest) -> String {
    let machine = story.world.machine(at);
    let ticket = story.world.ask_to_join(machine, request);
    match story.world.answer(ticket) {
        Reply::JoinRefused { code, .. } => code,
        other => panic!("{}\nit should be refused: {other:?}", story.words()),
    }
}

fn mint(story: &mut Story, at: &str, seat: &str) -> JoinToken {
    let machine = story.world.machine(at);
    story.world.mint(machine, seat, DAY_MS)
}

fn heard(story: &Story, ticket: Ticket) -> Option<String> {
    story.world.replies.get(&ticket).map(|reply| match reply {
        Reply::Joined => "joined".to_owned(),
        Reply::JoinRefused { code, .. } => code.clone(),
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_village_is_enrolled_through_its_township_while_the_county_is_away_for_a_while() {
    for seed in 1..=5 {
        let mut story = county_with_an_empty_seat(seed);
        let (township, village) = (story.world.machine("T1"), story.world.county.hire("V11"));
        let token = mint(&mut story, "T1", "V11");
        story.cut(&["C"], &["T1"]);
        let request = World::join_request(&token, &village);
        let asked = story.world.ask_to_join(township, request.clone());
        story.wait();
        assert_eq!(heard(&story, asked), None, "somebody waits");
        story.world.run_for(40_000);
        assert_eq!(heard(&story, asked).as_deref(), Some("join.pending"), "and hears that it takes longer");
        let again = story.world.ask_to_join(township, request);
        // The township's node may be the one that goes down meanwhile; the machine asks again then.
        story.heal();
        story.run_until_quiet();
        assert_eq!(heard(&story, again).as_deref(), Some("joined"), "{}", story.words());
        story.world.move_in("V11", township);
        story.run_until_quiet();
        story.at("V11").makes("org.create", &[("name", "支部")]);
        story.run_until_quiet();
        let known = story.world.county.directory().node(village.node()).expect("it is enrolled").clone();
        let approval = known.approval.expect("with its token");
        assert_eq!((approval.token, approval.minter), (token.id, story.world.machines[township].node()));
        story.ends_well();
    }
}

#[test]
fn a_used_an_expired_and_a_foreign_token_are_refused_with_the_reason_at_the_asker() {
    let mut story = county_with_an_empty_seat(7);
    let (village, other) = (story.world.county.hire("V11"), story.world.county.hire("V11'"));
    let token = mint(&mut story, "T1", "V11");
    let (county, township) = (story.world.machine("C"), story.world.machine("T1"));
    let ticket = story.world.ask_to_join(township, World::join_request(&token, &village));
    assert!(matches!(story.world.answer(ticket), Reply::Joined));
    let ticket = story.world.ask_to_join(township, World::join_request(&token, &village));
    assert!(matches!(story.world.answer(ticket), Reply::Joined), "who asks again hears the same");
    assert_eq!(refusal(&mut story, "T1", World::join_request(&token, &other)), "join.used");

    let expired = story.world.mint(township, "V11", 10);
    story.world.run_for(1_000);
    assert_eq!(refusal(&mut story, "T1", World::join_request(&expired, &other)), "join.expired");

    let abroad = Story::of(8, &["C"]);
    let foreign =
        JoinToken { root: heliu_trust::signature::Signer::public_key(&abroad.world.county.root), ..token.clone() };
    assert_eq!(refusal(&mut story, "C", World::join_request(&foreign, &other)), "join.foreign");

    let revoked = mint(&mut story, "T1", "V11");
    story.world.draft(county, vec![Item::Token { id: revoked.id }]);
    story.run_until_quiet();
    assert_eq!(refusal(&mut story, "T1", World::join_request(&revoked, &other)), "join.revoked");

    // The other township may not, and only the county can say so for sure: the refusal comes back from there.
    let presumed = mint(&mut story, "T2", "V11");
    assert_eq!(refusal(&mut story, "T2", World::join_request(&presumed, &other)), "join.not-allowed");
    let (one, two) = (mint(&mut story, "T1", "V11"), World::join_request(&token, &other));
    let forged = JoinRequest { token: one, ..two };
    assert_eq!(refusal(&mut story, "T1", forged), "join.bad-signature");
    story.ends_well();
}

#[test]
fn many_machines_that_ask_at_once_are_entered_together_and_one_token_takes_one() {
    let mut story = county_with_an_empty_seat(9);
    let county = story.world.machine("C");
    let entry = story.world.county.found(&["V12", "V13", "V14"]);
    story.world.enter(county, entry);
    story.run_until_quiet();
    let names = ["V11", "V12", "V13", "V14"];
    let mut asked = Vec::new();
    for name in names {
        let (machine, rival) = (story.world.county.hire(name), story.world.county.hire(&format!("{name}'")));
        let token = mint(&mut story, "C", name);
        for asker in [machine, rival] {
            asked.push(story.world.ask_to_join(county, World::join_request(&token, &asker)));
        }
    }
    story.run_until_quiet();
    let answers: Vec<_> = asked.iter().map(|ticket| heard(&story, *ticket).expect("it is answered")).collect();
    assert_eq!(answers, ["joined", "join.used"].repeat(names.len()));
    let entries = story.world.county.directory().len();
    assert!(entries < 4 + names.len() as u64, "they share entries: {entries}");
    // Only the county can enter; a township that was not asked by anybody keeps nothing.
    story.ends_well();
}

#[test]
fn with_two_signatures_a_second_node_waits_for_the_cosigner() {
    let mut story = Story::of(10, &["C", "T1"]);
    let (county, root) = (story.world.machine("C"), story.world.county.root);
    let cosigner = heliu_trust::simulated::CheapKey([9; 32]);
    let key = heliu_trust::signature::Signer::public_key(&cosigner);
    let items = vec![Item::Cosigner { key, active: true }, Item::Policy { two_signatures: true }];
    let entry = story.world.county.directory().draft(items, 0, &[&root]).expect("the root may");
    assert!(matches!(story.world.enter(county, entry), Reply::Done(_)));
    let mirror = story.world.county.hire("T1'");
    let token = mint(&mut story, "C", "T1");
    let request = World::join_request(&token, &mirror);
    assert_eq!(refusal(&mut story, "C", request.clone()), "join.needs-second-signature");
    let Reply::Drafted { entry, entered: false } = story.world.draft(county, vec![request.item("simulated")]) else {
        panic!("it takes another signature");
    };
    assert!(matches!(story.world.enter(county, (*entry).clone()), Reply::BadEntries(_)));
    let signed = story.world.county.directory().cosign(&entry, &cosigner).expect("it is as drawn up");
    assert!(matches!(story.world.enter(county, signed), Reply::Done(_)));
    story.run_until_quiet();
    let ticket = story.world.ask_to_join(county, request);
    assert!(matches!(story.world.answer(ticket), Reply::Joined));
    // The seat hears that it has another node now, and so do those above.
    for name in ["T1", "C"] {
        assert_eq!(story.alarms(name).first().map(|(code, _)| *code), Some("second_node"), "{name}");
    }
    story.ends_well();
}
