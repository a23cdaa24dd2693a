//! A directory of which two sides were signed: it is noticed, it grows no more, and the root decides.

use convergence::story::Story;
use heliu_replication::Reply;
use heliu_trust::directory::{Directory, Item};
use heliu_trust::id::DirectoryVersion;

/// Two county nodes with the issuer's key that do not know of each other, each with a township, have each entered something
/// else.
fn forked(seed: u64) -> Story {
    let mut story = Story::of(seed, &["C", "C'", "T1", "T2"]);
    let [one, two, first, second] = ["C", "C'", "T1", "T2"].map(|name| story.world.machine(name));
    story.world.machines[first].upstreams = vec![one];
    story.world.machines[second].upstreams = vec![two];
    story.world.machines[two].issuer = Some(story.world.county.issuer);
    for machine in [two, first, second] {
        story.world.crash(machine);
        story.world.start(machine);
    }
    story.run_until_quiet();
    story.cut(&["C", "T1"], &["C'", "T2"]);
    for (machine, seat) in [(one, "V11"), (two, "V21")] {
        let seat = story.world.county.plan(seat);
        let reply = story.world.draft(machine, vec![Item::Seat(seat)]);
        assert!(matches!(reply, Reply::Drafted { entered: true, .. }), "{reply:?}");
    }
    story.wait();
    story
}

fn codes(story: &Story, name: &str) -> Vec<&'static str> {
    story.alarms(name).into_iter().map(|(code, _)| code).collect()
}

fn head(story: &Story, name: &str) -> DirectoryVersion {
    directory(story, name).head()
}

fn directory<'s>(story: &'s Story, name: &str) -> &'s Directory {
    let machine = &story.world.machines[story.world.machine(name)];
    machine.engine.as_ref().expect("it runs").directory()
}

#[test]
fn a_fork_is_noticed_everywhere_stops_growth_and_is_resolved_by_the_root() {
    for seed in 1..=4 {
        let mut story = forked(seed);
        story.heal();
        story.wait();
        for name in ["C", "C'", "T1", "T2"] {
            assert_eq!(codes(&story, name), ["directory_forked"], "{name}\n{}", story.words());
        }
        assert_ne!(head(&story, "C"), head(&story, "C'"));
        let county = story.world.machine("C");
        let seat = story.world.county.plan("V12");
        let reply = story.world.draft(county, vec![Item::Seat(seat)]);
        assert!(matches!(reply, Reply::Refused(refusal) if refusal.code == "directory_forked"));
        // Records go on between those who have one directory.
        let seat = story.seat("T1");
        let org = story.at("T1").makes("org.create", &[("name", "支部"), ("seat", &seat)]);
        story.wait();
        assert_eq!(story.at("C").view(org)["name"], "支部");
        // A process that begins again hears of it from its neighbours.
        let township = story.world.machine("T1");
        story.world.crash(township);
        story.world.start(township);
        story.wait();
        assert_eq!(codes(&story, "T1"), ["directory_forked"]);

        // The root gives up both sides, and enters what was good of them again.
        let (given_up, root) = (head(&story, "C"), story.world.county.root);
        let stands = directory(&story, "C'").clone();
        let items = [story.world.county.plan("V11"), story.world.county.plan("V21")].map(Item::Seat).to_vec();
        let entry = stands.draft_resolve(stands.len() - 1, [given_up].into(), items, 0, &root);
        let two = story.world.machine("C'");
        assert!(matches!(story.world.enter(two, entry.expect("the root may")), Reply::Done(_)));
        story.run_until_quiet();
        for name in ["C", "C'", "T1", "T2"] {
            assert_eq!(head(&story, name), head(&story, "C'"), "{name}");
            assert!(codes(&story, name).is_empty(), "{name}: {:?}", story.alarms(name));
        }
        assert_eq!(story.everywhere(org).len(), 4, "what was written by the side that was given up is good");
        story.ends_well();
    }
}

#[test]
fn the_root_can_begin_again_from_before_the_fork_and_who_is_asleep_hears_it_when_it_wakes() {
    for seed in 5..=8 {
        let mut story = forked(seed);
        let asleep = story.world.machine("T1");
        let seat = story.seat("T1");
        let org = story.at("T1").makes("org.create", &[("name", "支部"), ("seat", &seat)]);
        story.wait();
        story.world.crash(asleep);
        story.heal();
        story.wait();
        let (county, root) = (story.world.machine("C"), story.world.county.root);
        let other = head(&story, "C'");
        let ours = directory(&story, "C").clone();
        let items = [story.world.county.plan("V11"), story.world.county.plan("V21")].map(Item::Seat).to_vec();
        let entry = ours.draft_resolve(ours.len() - 1, [other].into(), items, 0, &root).expect("the root may");
        assert!(matches!(story.world.enter(county, entry), Reply::Done(_)));
        story.wait();
        assert_eq!(head(&story, "C"), head(&story, "T2"), "{}", story.words());
        story.world.start(asleep);
        story.run_until_quiet();
        for name in ["C", "C'", "T1", "T2"] {
            assert_eq!(head(&story, name), head(&story, "C"), "{name}");
            assert!(codes(&story, name).is_empty(), "{name}: {:?}", story.alarms(name));
        }
        assert_eq!(story.everywhere(org).len(), 4, "it is public");
        story.ends_well();
    }
}
