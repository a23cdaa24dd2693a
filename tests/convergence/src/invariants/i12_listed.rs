//! I12: what people find, sort and count by is what the rows of records say. Whatever crashed, was restored, handed on, withdrawn
//! or erased: what a store lists is what would be listed of its rows now, and of nobody else.

use std::collections::BTreeMap;

use heliu_record::listing::Order;
use heliu_storage::listing::{EVERY, SHARED};
use heliu_storage::{Listed, RecordRow};

use super::{Scene, Violation};

pub fn check(scene: &Scene<'_>, found: &mut Vec<Violation>) {
    for (machine, holding) in &scene.holdings {
        let store = &scene.world.machines[*machine].disk.store;
        let mut due: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for record in holding.records.values() {
            let row: &RecordRow = &record.row;
            let kind = heliu_catalogue::catalogue().kind(&row.preimage.kind);
            let owners = Listed::owners(row);
            let shared = if owners.len() > 1 { SHARED } else { &[] };
            for owner in &owners {
                let mut put = |column: &str, order: Order, said: Vec<u8>| {
                    let name = (row.preimage.kind.clone(), *owner, column.to_owned());
                    due.entry(name).or_default().insert(row.id, (order, said));
                };
                put(EVERY, Order::Bytes, shared.to_vec());
                for cell in kind.map(|kind| kind.cells_stored(&row.view)).unwrap_or_default() {
                    put(cell.column, cell.order, cell.said);
                }
            }
        }
        let listed = store.listed();
        let differing = due.iter().find(|(name, column)| listed.get(*name) != Some(*column)).map(|(name, _)| name);
        if let Some(name) = differing.or_else(|| listed.keys().find(|name| !due.contains_key(*name))) {
            let what = format!("{}: what is listed under {name:?} is not what its records say", scene.name(*machine));
            found.push(Violation::new("I12", what));
        }
    }
}
