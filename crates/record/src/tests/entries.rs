//! What entries are follows from what their field declares.

use std::sync::Arc;

use super::toy::{VILLAGE, change, preimage, seats};
use crate::catalogue::{Catalogue, CatalogueError};
use crate::history::History;
use crate::prelude::*;

const VISIT: &str = "visits";
static PLANNED: PartOf<String> = part(VISIT, "planned", DATE, OWNER, "计划日期", "planned");
static PAID: PartOf<String> = part(VISIT, "paid", DATE, OWNER, "走访日期", "paid");
static VISITS: EntriesOf = entries(VISIT, parts![PLANNED, PAID], DATE, OWNER, "走访", "visits").states(&[
    led_by(&PLANNED.part, &[], "planned", "已计划", "planned"),
    led_by(&PAID.part, &["planned"], "paid", "已走访", "paid").over(),
    follows("moved_away", "已搬走", "moved away").instead_of("planned", |at| AWAY.has_value(at.history)),
]);
static AWAY: FieldOf<String> = lww("away", DATE, "搬走日期", "away since");
static HOUSE: Kind = house().with(fields![AWAY, VISITS]);

fn state(history: &History) -> Json {
    let record = Record::fold(Some(&HOUSE), preimage(), history.clone(), &seats());
    record.view.json["visits"]["1"]["state"].clone()
}

#[test]
fn an_entry_is_in_the_last_state_that_its_parts_led_to_unless_another_stands_in_its_place() {
    let mut history = History::new();
    let mut writes = |field: &Field, key: String, value: &str| {
        let value = if value.is_empty() { Scalar::Null } else { value.into() };
        let put = change(VILLAGE, &history, vec![(field.merge.container(), key, value)]);
        history.place(Arc::new(put));
        state(&history)
    };
    assert_eq!(writes(&VISITS.field, PLANNED.part.key("1"), "2026-03-01"), "planned");
    assert_eq!(writes(&AWAY.field, "away".to_owned(), "2026-03-02"), "moved_away", "nobody is there to be visited");
    assert_eq!(
        writes(&VISITS.field, PAID.part.key("1"), "2026-03-03"),
        "paid",
        "it stands in the place of a plan alone"
    );
    assert_eq!(writes(&AWAY.field, "away".to_owned(), "2026-03-04"), "paid");
}

#[test]
fn a_part_that_another_field_lists_and_a_state_in_place_of_none_are_no_catalogue() {
    static OTHERS: EntriesOf = entries("calls", parts![PAID], DATE, OWNER, "来电", "calls");
    static LISTS_ANOTHERS: Kind = house().with(fields![OTHERS]);
    static IN_PLACE_OF_NONE: EntriesOf = entries(VISIT, parts![PLANNED], DATE, OWNER, "走访", "visits")
        .states(&[follows("moved_away", "已搬走", "moved away").instead_of("plannd", |_| true)]);
    static STANDS_NOWHERE: Kind = house().with(fields![IN_PLACE_OF_NONE]);
    static SECTIONS: [Section; 3] = [declares(&[&HOUSE]), declares(&[&LISTS_ANOTHERS]), declares(&[&STANDS_NOWHERE])];
    let [good, listed, nowhere] = &SECTIONS;
    let unknown = |at: &str, name: &str| CatalogueError::Unknown { at: at.to_owned(), name: name.to_owned() };
    assert!(Catalogue::new(&[good]).is_ok());
    assert_eq!(Catalogue::new(&[listed]).err(), Some(unknown("house/calls", VISIT)));
    assert_eq!(Catalogue::new(&[nowhere]).err(), Some(unknown("house/visits", "plannd")));
}

const fn house() -> Kind {
    Kind::scoped(word("house", "住户", "house"), 1, "住户", "a house")
}

const fn declares(kinds: &'static [&'static Kind]) -> Section {
    section(kinds, &[], &[], &[], &[])
}
