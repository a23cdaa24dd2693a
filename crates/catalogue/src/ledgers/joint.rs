//! Joint and co-built organisations, with their units and how many members they have.

use heliu_record::ledger::{Books, Cell, Ledger, Line, Sheet, Takes, count_column, ledger, text_column};
use heliu_record::prelude::*;
use heliu_record::view::View;

use super::orgs::Orgs;
use super::people::{heads, people};
use crate::homes::roll_up;
use crate::member::stages_of;
use crate::org::word_of;
use crate::standing::Standing;

pub(super) const LEDGER: Ledger = ledger(word("joint", "联合与共建组织", "joint organisations"), run)
    .help("联合组建、合建、共建的党组织及其组成单位", "joint, merged and co-built organisations with their units")
    .takes(&[Takes::On]);

#[expect(clippy::unnecessary_wraps, reason = "other ledgers refuse something")]
fn run(books: &Books<'_>) -> Result<Sheet, Refusal> {
    let orgs = Orgs::of(books);
    let all = people(books, &orgs, &stages_of(&[Standing::Counted]), &[]);
    let sums = roll_up(&heads(&all), &orgs, books.seats);
    let partial = orgs.partial(books);
    let lines = orgs.in_order(books).into_iter().filter(|(org, _)| !orgs.has_ended(*org)).filter_map(|(org, _)| {
        let view = orgs.views.get(&org).filter(|view| is_joint(view))?;
        let units = units(view);
        let members = sums.by_org.get(&org).map_or(0, |row| row.total.members);
        let names = units.iter().map(|unit| unit_name(unit, books, &orgs)).collect::<Vec<_>>().join("、");
        let coordinator = view.text("coordinator_org").parse().ok();
        let cells = [
            orgs.cell(org),
            told(view, "org_level"),
            told(view, "formation_mode"),
            told(view, "build_mode"),
            told(view, "joint_type"),
            Cell::Count(i64::try_from(units.len()).unwrap_or(i64::MAX)),
            Cell::text(names),
            coordinator.map_or(Cell::Nothing, |org| orgs.cell(org)),
            Cell::Count(members),
        ];
        Some(Line { cells: cells.into(), depth: 0, is_partial: partial.contains(&org) })
    });
    Ok(Sheet {
        columns: vec![
            text_column("org", "组织", "organisation"),
            text_column("level", "层级", "level"),
            text_column("formation", "组建方式", "formation"),
            text_column("build", "合建/共建", "build mode"),
            text_column("joint_type", "联建类型", "joint type"),
            count_column("units", "单位数", "units"),
            text_column("unit_names", "组成单位", "units by name"),
            text_column("coordinator", "协调组织", "coordinator"),
            count_column("members", "党员数", "members"),
        ],
        lines: lines.collect(),
        ..Sheet::default()
    })
}

pub(super) fn is_joint(view: &View) -> bool {
    view.text("formation_mode") == "joint" || !view.text("build_mode").is_empty() || !units(view).is_empty()
}

/// The seats or organisations that it joins.
pub(super) fn units(view: &View) -> Vec<&str> {
    let units = view.json.get("component_units").and_then(Json::as_array);
    units.into_iter().flatten().filter_map(Json::as_str).collect()
}

fn unit_name(unit: &str, books: &Books<'_>, orgs: &Orgs<'_>) -> String {
    match (unit.parse::<SeatId>(), unit.parse::<RecordId>()) {
        (Ok(seat), _) => books.seats.name(seat),
        (_, Ok(org)) => orgs.title(org),
        _ => unit.to_owned(),
    }
}

fn told(view: &View, field: &str) -> Cell {
    match word_of(field, view.text(field)) {
        Some(label) => Cell::Told(view.text(field).to_owned(), label.into()),
        None => Cell::text(view.text(field)),
    }
}
