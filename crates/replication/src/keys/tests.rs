//! How much of a node's time and room others take with what they say of keys.

use std::sync::Arc;

use heliu_storage::CommandId;
use heliu_trust::audience::{self, KEYS_PER_AUTHOR_MAX, Purpose};
use heliu_trust::grant::Recipient;
use heliu_trust::seal::{AudienceKey, curve_operations};
use heliu_trust::signature::Signer as _;

use super::Keys;
use crate::tests::world::{COUNTY, TOWNSHIP, VILLAGE, directory, key, own, sealing, seat};

#[test]
fn a_county_that_lost_its_disk_begins_the_same_secret_of_ids_from_its_own_again() {
    let directory = directory();
    let own = own(COUNTY, &directory);
    let id_by = |secret: usize| {
        let mut keys = Keys::new(Some(Arc::new(sealing(secret))), &directory, []);
        assert!(keys.begin_ids(true, &own, &directory), "it has heard of none");
        assert!(!keys.begin_ids(true, &own, &directory), "and begins one");
        keys.secret_id(&CommandId([7; 16]), &own, &directory).expect("it has one")
    };
    assert_eq!(id_by(COUNTY), id_by(COUNTY), "what is imported again has the ids that it had");
    assert_ne!(id_by(COUNTY), id_by(TOWNSHIP), "which another node cannot reckon");
}

/// The county says four hundred keys of a village's, each to the township alone, which would have to hand all of them on.
#[test]
fn a_flood_of_keys_is_worked_off_in_turns_and_leaves_half_of_the_room_to_what_is_sealed_with() {
    let directory = directory();
    let (realm, village) = (directory.realm(), seat(VILLAGE, &directory));
    let own = own(TOWNSHIP, &directory);
    let mut keys = Keys::new(Some(Arc::new(sealing(TOWNSHIP))), &directory, []);
    let says = |keys: &mut Keys, by: usize, numbers: std::ops::Range<u16>| {
        let to = (Recipient::Node(own.node), sealing(TOWNSHIP).public());
        let give = |number: u16| {
            let drawn = std::array::from_fn(|at| number.to_le_bytes()[at % 2]);
            let key_of = AudienceKey::begin(&drawn, &village, directory.head());
            audience::Keys::give((&realm, village), &key(by).node(), &key_of, [(&to.0, &to.1)])
        };
        let wraps: Vec<_> = numbers.flat_map(give).collect();
        let ids = wraps.iter().map(|wrap| wrap.key).collect::<Vec<_>>();
        for said in audience::Keys::cut(village, Purpose::Sealing, wraps) {
            keys.audiences.hear(key(by).node(), &said, false);
        }
        ids
    };
    says(&mut keys, COUNTY, 0..400);
    // A few statements short of half of the room.
    let mut room = KEYS_PER_AUTHOR_MAX / 2 + 3;
    let work_off = |keys: &mut Keys, room: &mut usize| {
        let mut handed_on = Vec::new();
        for _ in 0..100 {
            if keys.audiences.take_due().is_empty() {
                return handed_on;
            }
            let (mut turn, before) = (32, curve_operations());
            let said = keys.locksmith(&own, &directory).lacking(village, *room, &mut turn);
            let operations = curve_operations() - before;
            assert!(operations < 200, "{operations} in one turn");
            *room -= said.len();
            for said in said {
                keys.audiences.hear(own.node, &said, true);
                handed_on.extend(said.wraps.into_iter().map(|wrap| wrap.key));
            }
        }
        panic!("it does not end");
    };
    let handed_on = work_off(&mut keys, &mut room);
    assert!((3..=120).contains(&handed_on.len()), "{}", handed_on.len());
    assert_eq!(room, KEYS_PER_AUTHOR_MAX / 2, "they took what they may take");
    assert_eq!(keys.audiences.without_room(), [village].into(), "and it is told");
    // What the village itself says is sealed with, and finds room.
    let honest = says(&mut keys, VILLAGE, 1_000..1_001);
    assert_eq!(work_off(&mut keys, &mut room), honest);
}
