//! How far people have come on their way into the Party, and how many wait for an approval.

use heliu_record::ledger::{Books, Ledger, Sheet, SheetColumn, Takes, count_column, ledger};
use heliu_record::prelude::*;

use super::orgs::Orgs;
use super::people::people;
use super::table::{Measures, table};
use crate::homes::Head;

pub(super) const LEDGER: Ledger = ledger(word("development", "发展党员", "development"), run)
    .help(
        "按阶段统计发展对象和预备党员,及待审批的人数",
        "people by stage, up to probation, and how many wait for approval",
    )
    .takes(&[Takes::By, Takes::On]);

/// Each with the column that it counts in.
pub(super) const STAGES: [(&str, usize); 10] = [
    ("applicant", 0),
    ("activist", 1),
    ("candidate", 2),
    ("passed", 3),
    ("probationary", 4),
    ("extended", 5),
    ("passed_full", 6),
    ("passed_extended", 7),
    ("passed_cancelled", 8),
    ("under_review", 9),
];
/// Of these somebody waits for what the committee above says.
pub(super) const WAITING: [&str; 5] = ["passed", "passed_full", "passed_extended", "passed_cancelled", "under_review"];

const MEASURES: Measures<Vec<i64>> = Measures {
    columns: &[
        APPLICANT,
        count_column("activist", "积极分子", "activist"),
        count_column("candidate", "发展对象", "candidate"),
        count_column("passed", "待批接收", "passed, to be approved"),
        count_column("probationary", "预备党员", "probationary"),
        count_column("extended", "延长预备期", "extended"),
        count_column("passed_full", "待批转正", "full membership to be approved"),
        count_column("passed_extended", "待批延长", "extension to be approved"),
        count_column("passed_cancelled", "待批取消", "cancellation to be approved"),
        count_column("under_review", "待复核", "under review"),
        count_column("waiting", "待审批合计", "waiting"),
    ],
    cells: |counts| {
        let of = |at: usize| counts.get(at).copied().unwrap_or_default();
        let waiting = STAGES.iter().filter(|(stage, _)| WAITING.contains(stage)).map(|(_, at)| of(*at)).sum();
        (0..STAGES.len()).map(of).chain([waiting]).collect()
    },
    whole: |counts| counts.iter().sum(),
};
const APPLICANT: SheetColumn = count_column("applicant", "入党申请人", "applicant");

#[expect(clippy::unnecessary_wraps, reason = "other ledgers refuse something")]
fn run(books: &Books<'_>) -> Result<Sheet, Refusal> {
    let orgs = Orgs::of(books);
    let stages = STAGES.map(|(stage, _)| stage);
    let heads: Vec<Head<Vec<i64>>> = people(books, &orgs, &stages, &[])
        .into_iter()
        .filter_map(|alike| {
            let (_, place) = STAGES.iter().find(|(stage, _)| *stage == alike.stage)?;
            let mut tally = vec![0; place + 1];
            tally[*place] = alike.count;
            Some(Head { seat: alike.seat, at: alike.at, tally })
        })
        .collect();
    Ok(table(books, &orgs, &heads, &MEASURES))
}
