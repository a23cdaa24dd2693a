//! Who the members are: of an organisation, or of a seat.

use heliu_record::ledger::{Books, Cell, Check, Ledger, Line, Sheet, Takes, date_column, ledger, text_column};
use heliu_record::prelude::*;
use heliu_record::view::View;

use super::orgs::Orgs;
use super::people::{Alike, each, people};
use crate::member::{stage_label, stages_of, words_of};
use crate::standing::Standing;

pub(super) const LEDGER: Ledger = ledger(word("roster", "花名册", "roster"), run)
    .help("一个组织(或席位)的党员名单", "the members of an organisation, or of a seat, one by one")
    .takes(&[Takes::On]);

#[expect(clippy::unnecessary_wraps, reason = "other ledgers refuse something")]
fn run(books: &Books<'_>) -> Result<Sheet, Refusal> {
    let orgs = Orgs::of(books);
    let stages = stages_of(&[Standing::Counted, Standing::Suspended]);
    let mut all = each(books, &orgs, &stages);
    all.sort_by_cached_key(|(view, alike)| {
        let seat = books.seats.get(alike.seat).map(|seat| seat.code.clone());
        (seat, alike.at.org().0, heliu_record::collation::sort_key(&view.title()), view.record)
    });
    let counted: i64 = people(books, &orgs, &stages, &[]).iter().map(|alike| alike.count).sum();
    let lines: Vec<Line> = all.iter().map(|(view, alike)| line(view, alike, &orgs)).collect();
    Ok(Sheet {
        columns: vec![
            text_column("name", "姓名", "name"),
            text_column("member_no", "党员编号", "member number"),
            text_column("sex", "性别", "sex"),
            text_column("nation", "民族", "nation"),
            text_column("education", "学历", "education"),
            text_column("stage", "党籍", "stage"),
            date_column("joined_on", "入党日期", "joining date"),
            date_column("full_on", "转正日期", "date of full membership"),
            text_column("org", "所在组织", "organisation"),
            text_column("seat", "席位", "seat"),
        ],
        checks: vec![Check {
            label: label("名单人数与统计人数", "the lines of the roster and the members that are counted"),
            left: i64::try_from(lines.len()).unwrap_or(i64::MAX),
            right: counted,
        }],
        lines,
        ..Sheet::default()
    })
}

fn line(view: &View, alike: &Alike, orgs: &Orgs<'_>) -> Line {
    let text = |name: &str| Cell::text(view.text(name));
    let told = |name: &str| match words_of(name, view.text(name)) {
        Some(label) => Cell::Told(view.text(name).to_owned(), label.into()),
        None => text(name),
    };
    let stage =
        stage_label(alike.stage).map_or(Cell::Nothing, |label| Cell::Told(alike.stage.to_owned(), label.into()));
    let org = match alike.at.org() {
        (Some(org), false) => orgs.cell(org),
        _ => waits(),
    };
    Line::of([
        Cell::record(view),
        text("member_no"),
        told("sex"),
        text("nation"),
        told("education"),
        stage,
        text("joined_on"),
        text("full_on"),
        org,
        Cell::Seat(alike.seat),
    ])
}

pub(super) fn waits() -> Cell {
    Cell::Told("unallocated".to_owned(), Explanation::new("待安置", "unallocated"))
}
