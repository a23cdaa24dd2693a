//! The smallest world: two nodes and one record.

use convergence::world::{Habits, World};

#[test]
fn one_record_goes_from_a_township_to_its_county() {
    let mut world = World::new(1, &["C", "T1"], Habits::default(), true);
    world.machines[1].upstreams = vec![0];
    world.start_all();
    let mut request = world.request("org.create", None);
    request.arguments.insert("name".to_owned(), "党委".to_owned());
    world.ask(1, request);
    let healing = world.run_until_quiet(60_000);
    println!("{}", world.trace.words().join("\n"));
    assert!(healing.is_ok(), "{healing:?}");
    assert_eq!(world.machines[0].disk.present().len(), 1);
    let found = convergence::invariants::check(&world);
    assert!(found.is_empty(), "{found:?}");
}
