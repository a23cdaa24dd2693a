//! Two programs that declare a kind differently under one version.

use std::sync::LazyLock;

use heliu_record::gate::KindDigest;
use heliu_record::prelude::*;
use heliu_storage::LeafStatus;

use super::world::{COUNTY, TOWNSHIP, VILLAGE, World};
use crate::Notice;
use crate::serving::WANTS;

static BY_OWNER: FieldOf<String> = mv("name", text(40), "名称", "name").required();
static BY_VILLAGE: FieldOf<String> = mv("name", text(40), "名称", "name").required().by(Writer::AtLeast(Tier::Village));

const fn note(own: &'static [&'static Field]) -> Kind {
    Kind::scoped(word("note", "便条", "note"), 1, "便条", "a note").with(own)
}

static ONE_KIND: Kind = note(fields![BY_OWNER]);
static OTHER_KIND: Kind = note(fields![BY_VILLAGE]);
static ONE_SECTION: Section = section(&[&ONE_KIND], &[], &[], &[], &[]);
static OTHER_SECTION: Section = section(&[&OTHER_KIND], &[], &[], &[], &[]);

/// Both let the same people write; what they say of it is different all the same.
fn one() -> &'static Catalogue {
    static ONE: LazyLock<Catalogue> = LazyLock::new(|| of(&ONE_SECTION));
    &ONE
}

fn other() -> &'static Catalogue {
    static OTHER: LazyLock<Catalogue> = LazyLock::new(|| of(&OTHER_SECTION));
    &OTHER
}

/// Of a program that knows no kind.
pub fn none() -> &'static Catalogue {
    static NONE: LazyLock<Catalogue> = LazyLock::new(|| of(&section(&[], &[], &[], &[], &[])));
    &NONE
}

fn of(section: &Section) -> Catalogue {
    Catalogue::new(&[section]).expect("it is well made")
}

fn note_of(world: &mut World, at: usize, name: &str) -> RecordId {
    let seat = world.seat(VILLAGE).to_string();
    world.execute(at, "record.create", None, &[("kind", "note"), ("name", name), ("seat", &seat)])
}

/// What became of the leaves of a record, at each node.
fn statuses(world: &World, record: RecordId) -> [Vec<LeafStatus>; 3] {
    [VILLAGE, TOWNSHIP, COUNTY].map(|at| world.leaves(at, record).iter().map(|leaf| leaf.status).collect())
}

const HELD: LeafStatus = LeafStatus::Held;
const TAKEN: LeafStatus = LeafStatus::Admitted;

/// Nobody says that the program is defective, and nobody reconciles what is the same.
fn assert_quiet(world: &World) {
    let is_loud = |notice: &Notice| {
        matches!(notice, Notice::JudgedDifferently { .. } | Notice::SumsDiffer { .. } | Notice::Damaged { .. })
    };
    let loud: Vec<_> = world.notices.iter().filter(|(_, notice)| is_loud(notice)).collect();
    assert!(loud.is_empty(), "{loud:?}");
}

fn alarms(world: &World, at: usize, code: &str) -> Vec<String> {
    let alarms = world.engine(at).alarms();
    alarms.into_iter().filter(|alarm| alarm.code == code).map(|alarm| alarm.subject).collect()
}

/// By whom, of those that it is linked with.
fn alarmed(world: &World, at: usize) -> Vec<String> {
    alarms(world, at, "kinds_differ")
}

/// For which kinds it holds what its program declares otherwise.
fn holds(world: &World, at: usize) -> Vec<String> {
    alarms(world, at, "unjudged")
}

fn line(world: &mut World) {
    world.connect(VILLAGE, TOWNSHIP);
    world.connect(TOWNSHIP, COUNTY);
    world.pass(10);
}

#[test]
fn what_another_declaration_is_to_judge_is_held_and_passed_on_to_who_has_that_declaration() {
    let mut world = World::new([one(), other(), one()]);
    world.connect(VILLAGE, TOWNSHIP);
    world.connect(TOWNSHIP, COUNTY);
    let record = note_of(&mut world, VILLAGE, "井");
    assert_eq!(statuses(&world, record), [[TAKEN], [HELD], [TAKEN]]);
    assert_eq!(world.view(TOWNSHIP, record), "", "nothing of it is shown where it is not judged");
    assert!(world.view(COUNTY, record).contains('井'));

    let greeted = |at| {
        let notices = world.notices.iter().filter(move |(node, _)| *node == at);
        notices.filter(|(_, notice)| matches!(notice, Notice::KindsDiffer { .. })).count()
    };
    assert_eq!([VILLAGE, TOWNSHIP, COUNTY].map(greeted), [1, 2, 1]);
    let [village, township, county] = [VILLAGE, TOWNSHIP, COUNTY].map(|at| world.node(at).to_string());
    assert_eq!(alarmed(&world, VILLAGE), [&*township]);
    assert_eq!(alarmed(&world, TOWNSHIP), [village, county]);
    let alarm = world.engine(VILLAGE).alarms().remove(0);
    assert!(alarm.what.zh.contains("便条(第 1 版)") && alarm.what.en.contains("note (version 1)"), "{alarm:?}");

    // The township gets the program that the others have, and judges what it had to hold.
    world.restart(TOWNSHIP, one());
    world.connect(VILLAGE, TOWNSHIP);
    world.connect(TOWNSHIP, COUNTY);
    world.pass(10);
    assert_eq!(statuses(&world, record), [[TAKEN], [TAKEN], [TAKEN]]);
    assert!(world.view(TOWNSHIP, record).contains('井'));
    assert!([VILLAGE, TOWNSHIP, COUNTY].iter().all(|at| alarmed(&world, *at).is_empty()));
    assert_quiet(&world);
}

#[test]
fn whoever_is_put_right_has_all_that_was_held_of_him_judged_wherever_it_went() {
    let mut world = World::new([one(), other(), other()]);
    world.connect(VILLAGE, TOWNSHIP);
    world.connect(TOWNSHIP, COUNTY);
    let record = note_of(&mut world, VILLAGE, "井");
    assert_eq!(statuses(&world, record), [[TAKEN], [HELD], [HELD]], "whoever passed it on");
    // A record that is held is no reason for a restart to forget that.
    world.restart(COUNTY, other());
    world.connect(TOWNSHIP, COUNTY);
    world.pass(10);
    assert_eq!(statuses(&world, record), [[TAKEN], [HELD], [HELD]]);

    world.restart(VILLAGE, other());
    world.connect(VILLAGE, TOWNSHIP);
    world.pass(10);
    assert_eq!(statuses(&world, record), [[TAKEN], [TAKEN], [TAKEN]]);
    assert_eq!(world.leaves(COUNTY, record)[0].declared, None);
    assert!(world.view(COUNTY, record).contains('井'));
    assert_quiet(&world);
}

/// What is judged at one end of a link and held at the other for want of the kind is no defect; nor is what it is to be judged
/// by lost on its way through.
#[test]
fn a_township_that_does_not_know_the_kind_passes_it_on_with_the_declaration_that_is_to_judge_it() {
    for (county, becomes) in [(one(), TAKEN), (other(), HELD)] {
        let mut world = World::new([one(), none(), county]);
        world.connect(VILLAGE, TOWNSHIP);
        world.connect(TOWNSHIP, COUNTY);
        let record = note_of(&mut world, VILLAGE, "井");
        world.pass(70);
        assert_eq!(statuses(&world, record), [[TAKEN], [HELD], [becomes]]);
        assert!(alarmed(&world, TOWNSHIP).is_empty());
        assert_quiet(&world);
    }
}

/// It says in its hello what it likes: that concerns what it vouches for itself.
#[test]
fn a_village_that_lies_about_its_kinds_holds_up_nothing_that_others_bring() {
    let mut world = World::new([one(), other(), other()]);
    world.connect(VILLAGE, TOWNSHIP);
    world.connect(TOWNSHIP, COUNTY);
    let record = note_of(&mut world, COUNTY, "渠");
    assert_eq!(statuses(&world, record), [[HELD], [TAKEN], [TAKEN]], "the village holds it, and no one else");
    let later = world.execute(TOWNSHIP, "record.set", Some(record), &[("field", "name"), ("value", "长渠")]);
    assert_eq!(later, record);
    assert_eq!(statuses(&world, record), [vec![HELD; 2], vec![TAKEN; 2], vec![TAKEN; 2]]);
    // What comes back by the village was never its to vouch for.
    world.restart(TOWNSHIP, other());
    world.connect(VILLAGE, TOWNSHIP);
    world.pass(10);
    assert_eq!(statuses(&world, record), [vec![HELD; 2], vec![TAKEN; 2], vec![TAKEN; 2]]);
    assert_quiet(&world);
}

#[test]
fn whoever_is_put_right_is_heard_beyond_a_township_that_does_not_know_the_kind() {
    let mut world = World::new([one(), none(), other()]);
    line(&mut world);
    let record = note_of(&mut world, VILLAGE, "井");
    assert_eq!(statuses(&world, record), [[TAKEN], [HELD], [HELD]]);
    assert_eq!(holds(&world, COUNTY), ["note"], "no neighbour of the county declares it otherwise");
    assert!(holds(&world, TOWNSHIP).is_empty(), "it is only older");
    world.restart(COUNTY, other());
    assert_eq!(holds(&world, COUNTY), ["note"], "linked or not");
    let alarm = world.engine(COUNTY).alarms().remove(0);
    assert!(alarm.what.zh.contains("便条") && alarm.next.en.contains("heliu fence"), "{alarm:?}");

    world.restart(VILLAGE, other());
    line(&mut world);
    assert_eq!(statuses(&world, record), [[TAKEN], [HELD], [TAKEN]]);
    assert!(world.view(COUNTY, record).contains('井'));
    assert!(holds(&world, COUNTY).is_empty());
    assert_quiet(&world);
}

/// It reconnects first after the township's disk broke, and says of all that it has a declaration which nobody has.
#[test]
fn a_lie_about_a_leaf_stands_until_anybody_else_brings_it_and_never_again() {
    let mut world = World::new([other(), none(), other()]);
    line(&mut world);
    let record = note_of(&mut world, COUNTY, "渠");
    assert_eq!(statuses(&world, record), [[TAKEN], [HELD], [TAKEN]]);

    world.lose_store(TOWNSHIP);
    world.liar = Some((VILLAGE, |leaf| leaf.declared = Some(KindDigest([9; 32]))));
    world.connect(VILLAGE, TOWNSHIP);
    world.pass(10);
    assert_eq!(world.leaves(TOWNSHIP, record)[0].declared, Some(KindDigest([9; 32])));
    world.connect(TOWNSHIP, COUNTY);
    world.pass(10);
    let said = world.leaves(TOWNSHIP, record);
    assert_eq!(said[0].declared, None, "the county says something else");
    // It may say so again and again.
    world.disconnect(VILLAGE);
    line(&mut world);
    assert_eq!(world.leaves(TOWNSHIP, record), said, "and nothing moves any more");

    world.liar = None;
    world.lose_store(VILLAGE);
    line(&mut world);
    assert_eq!(statuses(&world, record), [[TAKEN], [HELD], [TAKEN]], "a newcomer judges it");
    assert_quiet(&world);
}

#[test]
fn what_comes_without_a_word_is_judged_whether_it_comes_first_or_last() {
    for village_first in [true, false] {
        let mut world = World::new([one(), other(), none()]);
        // As a program does that says of nothing by which declaration it goes.
        world.liar = Some((COUNTY, |leaf| leaf.declared = None));
        world.connect(VILLAGE, COUNTY);
        let record = note_of(&mut world, VILLAGE, "井");
        assert_eq!(world.leaves(COUNTY, record).len(), 1);
        if village_first {
            world.connect(VILLAGE, TOWNSHIP);
            world.pass(10);
            assert_eq!(world.leaves(TOWNSHIP, record)[0].status, HELD);
            world.connect(TOWNSHIP, COUNTY);
        } else {
            world.connect(TOWNSHIP, COUNTY);
            world.pass(10);
            world.connect(VILLAGE, TOWNSHIP);
        }
        world.pass(10);
        assert_eq!(world.leaves(TOWNSHIP, record)[0].status, TAKEN, "the village first: {village_first}");
    }
}

#[test]
fn what_a_dead_machine_wrote_by_its_own_declaration_is_judged_when_the_county_fences_it() {
    let mut world = World::new([one(), other(), other()]);
    line(&mut world);
    let record = note_of(&mut world, VILLAGE, "井");
    assert_eq!(statuses(&world, record), [[TAKEN], [HELD], [HELD]]);
    world.disconnect(VILLAGE);
    world.restart(TOWNSHIP, other());
    world.connect(TOWNSHIP, COUNTY);
    assert!([TOWNSHIP, COUNTY].iter().all(|at| holds(&world, *at) == ["note"]), "nobody is left to vouch");

    world.fence(VILLAGE);
    assert_eq!(statuses(&world, record), [[TAKEN], [TAKEN], [TAKEN]]);
    assert!([TOWNSHIP, COUNTY].iter().all(|at| holds(&world, *at).is_empty()));
    // And what is built on it counts.
    world.execute(COUNTY, "record.set", Some(record), &[("field", "name"), ("value", "古井")]);
    world.pass(10);
    assert!(world.view(TOWNSHIP, record).contains("古井"));
    // So it is for a successor that gets it from them, and for one that starts again.
    world.restart(COUNTY, other());
    world.lose_store(TOWNSHIP);
    world.connect(TOWNSHIP, COUNTY);
    world.pass(10);
    assert!(world.view(TOWNSHIP, record).contains("古井") && holds(&world, TOWNSHIP).is_empty());
    assert_quiet(&world);
}

#[test]
fn a_version_that_one_end_has_skipped_is_held_there_and_told_at_both_until_it_learns_it() {
    static FIRST: &[&Field] = fields![BY_OWNER];
    static SECOND_KIND: Kind = Kind { version: 2, ..ONE_KIND }.earlier(&[Earlier::scoped(1, FIRST)]);
    static THIRD_KIND: Kind = Kind { version: 3, ..ONE_KIND }.earlier(&[Earlier::scoped(1, FIRST)]);
    static ALL_KIND: Kind =
        Kind { version: 3, ..ONE_KIND }.earlier(&[Earlier::scoped(1, FIRST), Earlier::scoped(2, FIRST)]);
    static SECTIONS: [Section; 3] = [
        section(&[&SECOND_KIND], &[], &[], &[], &[]),
        section(&[&THIRD_KIND], &[], &[], &[], &[]),
        section(&[&ALL_KIND], &[], &[], &[], &[]),
    ];
    static CATALOGUES: LazyLock<[Catalogue; 3]> = LazyLock::new(|| [0, 1, 2].map(|at| of(&SECTIONS[at])));
    let [second, third, all] = &*CATALOGUES;
    let mut world = World::new([second, third, second]);
    line(&mut world);
    let record = note_of(&mut world, VILLAGE, "井");
    assert_eq!(statuses(&world, record), [[TAKEN], [HELD], [TAKEN]], "and not refused");
    assert_eq!(holds(&world, TOWNSHIP), ["note"]);
    let [village, township, county] = [VILLAGE, TOWNSHIP, COUNTY].map(|at| world.node(at).to_string());
    assert_eq!(alarmed(&world, VILLAGE), [&*township]);
    assert_eq!(alarmed(&world, TOWNSHIP), [village, county]);

    world.restart(TOWNSHIP, all);
    line(&mut world);
    assert_eq!(statuses(&world, record), [[TAKEN], [TAKEN], [TAKEN]]);
    assert!([VILLAGE, TOWNSHIP, COUNTY].iter().all(|at| alarmed(&world, *at).is_empty()), "the third is only newer");
    assert!(holds(&world, TOWNSHIP).is_empty());
    assert_quiet(&world);
}

#[test]
fn a_program_that_learns_a_kind_judges_what_was_held_for_it_before_it_compares_anything() {
    let mut world = World::new([one(), none(), one()]);
    line(&mut world);
    let records = ["井", "渠", "桥"].map(|name| note_of(&mut world, VILLAGE, name));
    let link = |world: &World| world.engine(TOWNSHIP).links().iter().map(|link| link.held_only).collect::<Vec<_>>();
    assert_eq!(link(&world), [true, true], "what the others made of it was not compared");
    world.restart(TOWNSHIP, one());
    line(&mut world);
    for record in records {
        assert_eq!(statuses(&world, record), [[TAKEN], [TAKEN], [TAKEN]], "long before its turn in a patrol");
    }
    assert_eq!(link(&world), [false, false]);
    assert_quiet(&world);
}

#[test]
fn a_program_that_is_replaced_by_one_that_holds_for_another_reason_finds_no_damage() {
    let mut world = World::new([one(), none(), one()]);
    line(&mut world);
    let record = note_of(&mut world, VILLAGE, "井");
    for (program, held) in [(other(), &["note"][..]), (none(), &[]), (other(), &["note"])] {
        world.restart(TOWNSHIP, program);
        line(&mut world);
        world.pass(70); // It goes on its patrol.
        assert_eq!(world.leaves(TOWNSHIP, record)[0].status, HELD);
        assert_eq!(holds(&world, TOWNSHIP), held);
    }
    assert_quiet(&world);
}

/// More than one greeting asks about, for ever in doubt, and with them some of whoever is put right.
#[test]
fn records_that_stay_in_doubt_keep_no_others_from_being_asked_about() {
    let mut world = World::new([one(), other(), one()]);
    line(&mut world);
    for number in 0..3 * WANTS {
        note_of(&mut world, COUNTY, &format!("县 {number}"));
    }
    let ours = ["井", "渠", "桥", "路"].map(|name| note_of(&mut world, VILLAGE, name));
    world.disconnect(COUNTY);
    world.restart(VILLAGE, other());
    let mut greetings = 0;
    while ours.iter().any(|record| world.leaves(TOWNSHIP, *record)[0].status == HELD) {
        assert!(greetings < 40, "{greetings} greetings");
        world.disconnect(VILLAGE);
        world.connect(VILLAGE, TOWNSHIP);
        greetings += 1;
    }
    assert!(greetings > 1, "not all are asked for at once");
}
