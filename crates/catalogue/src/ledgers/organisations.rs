//! How many organisations there are, by kind and level; those that go on.

use std::collections::BTreeMap;

use heliu_record::ledger::{Books, Cell, Check, Ledger, Line, Sheet, Takes, count_column, ledger, text_column};
use heliu_record::prelude::*;

use super::orgs::Orgs;
use crate::org::{kind_label, kinds};

pub(super) const LEDGER: Ledger = ledger(word("organisations", "党组织统计", "organisations"), run)
    .help("存续的党组织,按类型和层级计数", "organisations that go on, by kind and level")
    .takes(&[Takes::On]);

const LEVELS: [&str; 4] = ["committee", "general_branch", "branch", "group"];

#[expect(clippy::unnecessary_wraps, reason = "other ledgers refuse something")]
fn run(books: &Books<'_>) -> Result<Sheet, Refusal> {
    let orgs = Orgs::of(books);
    // Along the tree, each once, whatever circles its edges make.
    let walked = orgs.in_order(books).into_iter().filter(|(org, _)| !orgs.has_ended(*org)).count();
    let live = orgs.views.iter().filter(|(id, _)| orgs.is_in(**id, books) && !orgs.has_ended(**id));
    let mut counts: BTreeMap<&str, [i64; 4]> = BTreeMap::new();
    let mut total = [0; 4];
    for (_, view) in live {
        let level = LEVELS.iter().position(|level| *level == view.text("org_level")).unwrap_or(2);
        counts.entry(view.text("org_kind")).or_default()[level] += 1;
        total[level] += 1;
    }
    let order = kinds().map(|word| word.name).chain([""]);
    let lines: Vec<Line> = order.filter_map(|kind| Some(line(kind_cell(kind), counts.get(kind)?))).collect();
    let all: i64 = total.iter().sum();
    let told: i64 =
        counts.iter().filter(|(kind, _)| kind.is_empty() || kind_label(kind).is_some()).flat_map(|(_, c)| c).sum();
    Ok(Sheet {
        columns: vec![
            text_column("kind", "类型", "kind"),
            count_column("committee", "党委", "committee"),
            count_column("general_branch", "党总支", "general branch"),
            count_column("branch", "党支部", "branch"),
            count_column("group", "党小组", "group"),
            count_column("total", "合计", "total"),
        ],
        lines,
        total: Some(line(Cell::Nothing, &total)),
        checks: vec![
            Check {
                label: label("沿隶属关系逐个数与合计", "those along the tree, each once, and the total"),
                left: i64::try_from(walked).unwrap_or(i64::MAX),
                right: all,
            },
            Check {
                label: label("各行之和与合计", "the sum of the lines and the total"), left: told, right: all
            },
        ],
        notes: Vec::new(),
    })
}

fn kind_cell(kind: &str) -> Cell {
    match kind_label(kind) {
        Some(label) => Cell::Told(kind.to_owned(), label.into()),
        None => Cell::Told(kind.to_owned(), Explanation::new("(未填)", "(nothing)")),
    }
}

fn line(kind: Cell, counts: &[i64; 4]) -> Line {
    let total = counts.iter().sum();
    Line::of([kind].into_iter().chain(counts.iter().copied().chain([total]).map(Cell::Count)))
}
