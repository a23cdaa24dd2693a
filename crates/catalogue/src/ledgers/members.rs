//! How many members there are: full, probationary, suspended apart; each person once.

use heliu_record::ledger::{Books, Ledger, Sheet, SheetColumn, Takes, count_column, ledger};
use heliu_record::prelude::*;

use super::orgs::Orgs;
use super::people::{heads, people};
use super::table::{Measures, table};
use crate::homes::Tally;
use crate::member::stages_of;
use crate::standing::Standing;

pub(super) const LEDGER: Ledger = ledger(word("members", "党员统计", "members"), run)
    .help(
        "按席位或按组织统计党员,正式、预备分列,停止党籍的另计;每人只算一次",
        "members by seat or by organisation, full and probationary, suspended apart; each person once",
    )
    .takes(&[Takes::By, Takes::On]);

const FULL: SheetColumn = count_column("full", "正式党员", "full");
const PROBATIONARY: SheetColumn = count_column("probationary", "预备党员", "probationary");
const SUSPENDED: SheetColumn = count_column("suspended", "停止党籍", "suspended");
const MEASURES: Measures<Tally> = Measures {
    columns: &[FULL, PROBATIONARY, SUSPENDED],
    cells: |tally| vec![tally.full, tally.probationary(), tally.suspended],
    whole: |tally| tally.members,
};

#[expect(clippy::unnecessary_wraps, reason = "other ledgers refuse something")]
fn run(books: &Books<'_>) -> Result<Sheet, Refusal> {
    let orgs = Orgs::of(books);
    let all = people(books, &orgs, &stages_of(&[Standing::Counted, Standing::Suspended]), &[]);
    Ok(table(books, &orgs, &heads(&all), &MEASURES))
}
