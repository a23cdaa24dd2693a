//! What is told of a file: what becomes of every row, and why.

use serde_json::{Value, json};

use super::fate::{Change, Fate, Planned};
use super::rows::BadRow;
use crate::text::table::Table;
use crate::text::{Say, clean, count, say, spoken, tr};

/// Of more rows of one fate only their lines are told, and of a change or a fault all the same.
const ROWS_SHOWN: usize = 200;

/// How many rows have which fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub refused: u64,
}

impl Counts {
    /// `unread`: faults of rows that could not even be read.
    pub fn of(planned: &[Planned], unread: &[BadRow]) -> Self {
        let count = |is: fn(&Fate) -> bool| planned.iter().filter(|row| is(&row.fate)).count() as u64;
        let mut lines: Vec<u64> = unread.iter().map(|bad| bad.line).collect();
        lines.sort_unstable();
        lines.dedup();
        Counts {
            created: count(|fate| matches!(fate, Fate::Created(_))),
            updated: count(|fate| matches!(fate, Fate::Updated { .. })),
            unchanged: count(|fate| *fate == Fate::Unchanged),
            refused: count(|fate| matches!(fate, Fate::Refused(_))) + lines.len() as u64,
        }
    }

    pub fn rows(&self) -> u64 {
        self.created + self.updated + self.unchanged + self.refused
    }

    pub fn told(&self) -> String {
        let rows = count(self.rows());
        let [created, updated, unchanged, refused] =
            [self.created, self.updated, self.unchanged, self.refused].map(count);
        tr!(
            "共 {rows} 行:新建 {created},更正 {updated},不变 {unchanged},拒绝 {refused}。\n",
            "{rows} rows: {created} created, {updated} updated, {unchanged} unchanged, {refused} refused.\n"
        )
    }
}

/// All faults, in the order of their lines.
pub fn faults<'p>(planned: &'p [Planned], unread: &'p [BadRow]) -> Vec<&'p BadRow> {
    let refused = planned.iter().filter_map(|row| if let Fate::Refused(bad) = &row.fate { Some(bad) } else { None });
    let mut all: Vec<&BadRow> = unread.iter().chain(refused.flatten()).collect();
    all.sort_by_key(|bad| bad.line);
    all
}

/// One line for every row, as long as they are not too many; then one for each run of rows of one fate.
pub fn table(planned: &[Planned], unread: &[BadRow]) -> String {
    let headers = [tr!("行", "line"), tr!("结果", "outcome"), tr!("名称", "name"), tr!("说明", "what")];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).whole(&[0, 1]);
    let is_long = planned.len() > ROWS_SHOWN;
    let mut lines: Vec<(u64, [String; 4])> = Vec::new();
    for bad in unread {
        lines.push((bad.line, [bad.line.to_string(), tr!("拒绝", "refused"), String::new(), clean(bad.why().now())]));
    }
    let mut at = 0;
    while let Some(row) = planned.get(at) {
        let is_plain = |row: &Planned| row.notes.is_empty() && matches!(row.fate, Fate::Created(_) | Fate::Unchanged);
        let same = |other: &&Planned| is_plain(other) && fate(&other.fate) == fate(&row.fate);
        let run = if is_long { planned[at..].iter().take_while(same).count() } else { 0 };
        let last = &planned[at + run.saturating_sub(1)];
        if run > 1 {
            let (from, to, number) = (row.line, last.line, count(run as u64));
            let told = tr!("共 {number} 行", "{number} rows");
            lines.push((from, [format!("{from}-{to}"), fate(&row.fate), String::new(), told]));
        } else {
            lines.push((row.line, [row.line.to_string(), fate(&row.fate), clean(&row.name), why(row)]));
        }
        at += run.max(1);
    }
    lines.sort_by_key(|(line, _)| *line);
    lines.into_iter().for_each(|(_, cells)| table.row(cells));
    table.print()
}

fn fate(fate: &Fate) -> String {
    match fate {
        Fate::Created(_) => tr!("新建", "created"),
        Fate::Updated { .. } => tr!("更正", "updated"),
        Fate::Unchanged => tr!("不变", "unchanged"),
        Fate::Refused(_) => tr!("拒绝", "refused"),
    }
}

fn why(row: &Planned) -> String {
    let mut told: Vec<String> = match &row.fate {
        Fate::Updated { changes, .. } => changes.iter().map(change).collect(),
        Fate::Refused(bad) => bad.iter().map(|bad| clean(bad.why().now())).collect(),
        Fate::Created(_) | Fate::Unchanged => Vec::new(),
    };
    told.extend(row.notes.iter().map(|note| clean(note.now())));
    told.join("; ")
}

fn change(change: &Change) -> String {
    let label = clean(spoken(&change.label));
    if change.sealed {
        return tr!("{label}:已改(密封,不显示)", "{label}: changed (sealed, not shown)");
    }
    let empty = tr!("(空)", "(empty)");
    let [old, new] = [&change.old, &change.new]
        .map(|value| Some(spoken(value)).filter(|text| !text.is_empty()).map_or(empty.clone(), str::to_owned));
    tr!("{label}:{old} → {new}", "{label}: {old} -> {new}")
}

/// For programs.
pub fn row(row: &Planned) -> Value {
    let word = match &row.fate {
        Fate::Created(_) => "created",
        Fate::Updated { .. } => "updated",
        Fate::Unchanged => "unchanged",
        Fate::Refused(_) => "refused",
    };
    let changes = match &row.fate {
        Fate::Updated { changes, .. } => changes.as_slice(),
        _ => &[],
    };
    let change = |change: &Change| {
        let said = |text: &str| (!change.sealed).then(|| text.to_owned());
        json!({"field": change.field, "old": said(&change.old.en), "new": said(&change.new.en), "sealed": change.sealed})
    };
    json!({
        "line": row.line, "outcome": word, "name": row.name, "id": crate::render::given(&row.id),
        "changes": changes.iter().map(change).collect::<Vec<_>>(),
        "notes": row.notes.iter().map(Say::now).collect::<Vec<_>>(),
    })
}

pub fn fault(bad: &BadRow) -> Value {
    json!({"line": bad.line, "column": crate::render::given(&bad.column.0), "reason": bad.reason.now()})
}

/// What was done, where it was not only looked at.
pub fn next() -> Say {
    say!(
        "改正这些行后重新运行;只导入合格的行用 --skip-bad",
        "correct these lines and run it again; --skip-bad imports the others"
    )
}

#[cfg(test)]
mod tests {
    use super::super::sending::Attempt;
    use super::*;

    fn planned(line: u64, fate: Fate) -> Planned {
        Planned { line, name: format!("测试甲{line:04}"), id: String::new(), fate, notes: Vec::new(), doubt: None }
    }

    #[test]
    fn of_a_long_file_every_row_is_in_the_preview_and_no_fault_in_a_run() {
        let created = Fate::Created(Attempt { repetition: 1, erased: 0 });
        let mut rows: Vec<Planned> = (2..=1_001).map(|line| planned(line, created.clone())).collect();
        rows[500].fate = Fate::Refused(vec![BadRow::whole(502, say!("不对", "it is wrong"))]);
        rows[600].fate = Fate::Unchanged;
        let told = table(&rows, &[]);
        for words in ["2-501", "502", "it is wrong", "503-601", "602", "603-1001"] {
            assert!(told.contains(words), "{words} in\n{told}");
        }
        let counts = Counts::of(&rows, &[BadRow::whole(1_002, say!("x", "x")), BadRow::whole(1_002, say!("y", "y"))]);
        assert_eq!(counts, Counts { created: 998, updated: 0, unchanged: 1, refused: 2 });
    }
}
