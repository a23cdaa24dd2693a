//! Alliances with who takes part, and resources with what is booked of them.

use heliu_record::ledger::{Books, Cell, Ledger, Line, Sheet, count_column, date_column, ledger, text_column};
use heliu_record::prelude::*;
use heliu_record::view::View;

use super::orgs::Orgs;
use crate::words::{ALLIANCE, RESOURCE};

pub(super) const ALLIANCES: Ledger = ledger(word("alliances", "联盟台账", "alliances"), alliances)
    .help("联盟及其成员单位、共享资源和兼职委员", "alliances, who takes part, what they share");
pub(super) const RESOURCES: Ledger = ledger(word("resources", "资源台账", "resources"), resources)
    .help("可共享的资源和预约情况", "what can be shared, and what is booked of it");

/// Whether somebody of the place that is asked for owns it or takes part.
fn is_in(view: &View, books: &Books<'_>) -> bool {
    view.named().any(|seat| books.has_seat(seat))
}

fn org_cell(view: &View, field: &str, orgs: &Orgs<'_>) -> Cell {
    view.text(field).parse().map_or(Cell::Nothing, |org| orgs.cell(org))
}

fn entries<'v>(view: &'v View, field: &str) -> impl Iterator<Item = &'v Map<String, Json>> {
    view.json.get(field).and_then(Json::as_object).into_iter().flatten().filter_map(|(_, entry)| entry.as_object())
}

fn in_state(view: &View, field: &str, state: &str) -> i64 {
    let is_it = |entry: &&Map<String, Json>| entry.get("state").and_then(Json::as_str) == Some(state);
    i64::try_from(entries(view, field).filter(is_it).count()).unwrap_or(i64::MAX)
}

#[expect(clippy::unnecessary_wraps, reason = "other ledgers refuse something")]
fn alliances(books: &Books<'_>) -> Result<Sheet, Refusal> {
    let orgs = Orgs::of(books);
    let line = |view: &View| {
        let list = |field: &str| view.json.get(field).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let present = list("present").iter().filter_map(Json::as_str).filter_map(|id| id.parse().ok());
        let names: Vec<String> = present.map(|org| orgs.title(org)).collect();
        Line::of([
            Cell::record(view),
            org_cell(view, "convenor", &orgs),
            Cell::Count(i64::try_from(names.len()).unwrap_or(i64::MAX)),
            Cell::text(names.join("、")),
            Cell::Count(i64::try_from(list("resources").len()).unwrap_or(i64::MAX)),
            Cell::Count(in_state(view, "part_time", "active")),
        ])
    };
    let all = books.rows(ALLIANCE, Vec::new()).iter().filter(|view| is_in(view, books));
    Ok(Sheet {
        columns: vec![
            text_column("alliance", "联盟", "alliance"),
            text_column("convenor", "召集组织", "convenor"),
            count_column("participants", "成员单位数", "participants"),
            text_column("participant_names", "成员单位", "participants by name"),
            count_column("resources", "共享资源", "shared resources"),
            count_column("part_time", "兼职委员", "part-time members"),
        ],
        lines: all.map(line).collect(),
        ..Sheet::default()
    })
}

#[expect(clippy::unnecessary_wraps, reason = "other ledgers refuse something")]
fn resources(books: &Books<'_>) -> Result<Sheet, Refusal> {
    let orgs = Orgs::of(books);
    let line = |view: &View| {
        let capacity = view.json.get("capacity").and_then(Json::as_i64);
        let open = in_state(view, "bookings", "requested")
            + in_state(view, "bookings", "needs_owner_reconfirm")
            + in_state(view, "bookings", "owner_left");
        Line::of([
            Cell::record(view),
            org_cell(view, "owner_org", &orgs),
            crate::resource::sort_label(view.text("resource_kind"))
                .map_or(Cell::Nothing, |label| Cell::Told(view.text("resource_kind").to_owned(), label.into())),
            capacity.map_or(Cell::Nothing, Cell::Count),
            Cell::text(view.text("open_hours")),
            Cell::text(view.text("withdrawn")),
            Cell::Count(open),
            Cell::Count(in_state(view, "bookings", "confirmed")),
        ])
    };
    let all = books.rows(RESOURCE, Vec::new()).iter().filter(|view| is_in(view, books));
    Ok(Sheet {
        columns: vec![
            text_column("resource", "资源", "resource"),
            text_column("owner", "所属组织", "owner"),
            text_column("sort", "类型", "sort"),
            count_column("capacity", "容量", "capacity"),
            text_column("open_hours", "开放时间", "open hours"),
            date_column("withdrawn", "收回日期", "withdrawn"),
            count_column("waiting", "待处置预约", "bookings to be settled"),
            count_column("confirmed", "已确认预约", "confirmed bookings"),
        ],
        lines: all.map(line).collect(),
        ..Sheet::default()
    })
}
