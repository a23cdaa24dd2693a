//! Two programs that declare a kind differently under one version.

use std::sync::LazyLock;

use heliu_record::prelude::*;
use heliu_storage::LeafStatus;

use super::world::{COUNTY, TOWNSHIP, VILLAGE, World};
use crate::Notice;

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

fn alarmed(world: &World, at: usize) -> Vec<String> {
    let alarms = world.engine(at).alarms();
    alarms.into_iter().filter(|alarm| alarm.code == "kinds_differ").map(|alarm| alarm.subject).collect()
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
