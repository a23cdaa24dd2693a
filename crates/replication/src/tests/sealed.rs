//! Records with a sealed field: what is worked out for all of an audience, and when it is another one.

use std::sync::LazyLock;

use heliu_record::prelude::*;

use super::world::{COUNTY, TOWNSHIP, VILLAGE, World};

static NAME: FieldOf<String> = mv("name", text(40), "名称", "name").required();
static PHONE: FieldOf<String> = mv("phone", text(40), "电话", "phone").sealed();
static PERSON: Kind = Kind::scoped(word("person", "人员", "person"), 1, "人员", "a person").with(fields![NAME, PHONE]);
static SECTION: Section = section(&[&PERSON], &[], &[], &[], &[]);

fn people() -> &'static Catalogue {
    static PEOPLE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::new(&[&SECTION]).expect("it is well made"));
    &PEOPLE
}

/// A person of the village, entered at a node. Returns what its view says of the number.
fn enter(world: &mut World, at: usize, number: usize) -> String {
    let (seat, name, phone) = (world.seat(VILLAGE).to_string(), format!("测试{number}"), format!("1380000{number:04}"));
    let fields = [("kind", "person"), ("name", &*name), ("phone", &*phone), ("seat", &*seat)];
    let record = world.execute(at, "record.create", None, &fields);
    let view: serde_json::Value = serde_json::from_str(&world.view(at, record)).expect("it is JSON");
    view["phone"].to_string()
}

fn county() -> World {
    let mut world = World::new([people(); 3]);
    world.connect(VILLAGE, TOWNSHIP);
    world.connect(TOWNSHIP, COUNTY);
    world
}

#[test]
fn who_reads_is_worked_out_once_for_all_records_of_an_audience() {
    let mut world = county();
    enter(&mut world, VILLAGE, 0);
    let worked_out = |world: &World| [VILLAGE, TOWNSHIP, COUNTY].map(|at| world.engine(at).audiences_worked_out());
    let before = worked_out(&world);
    assert!(before.iter().all(|count| *count > 0), "all of them looked: {before:?}");
    for number in 1..40 {
        enter(&mut world, VILLAGE, number);
    }
    assert_eq!(worked_out(&world), before);
}

#[test]
fn what_is_sealed_after_a_fence_has_another_key_at_once() {
    let mut world = county();
    let before = enter(&mut world, TOWNSHIP, 0);
    assert!(before.contains("sealed"), "{before}");
    assert_eq!(enter(&mut world, TOWNSHIP, 1), before, "one key for all of the audience");
    world.fence(VILLAGE);
    let after = enter(&mut world, TOWNSHIP, 2);
    assert!(after.contains("sealed") && after != before, "{before} {after}");
    assert_eq!(enter(&mut world, TOWNSHIP, 3), after);
}
