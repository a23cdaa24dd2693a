//! What is told: what would become of every line, and what became of it.

use serde_json::{Value, json};

use super::lines::Lines;
use super::plan::{Fate, Line};
use crate::answer::{Done, print, print_json};
use crate::cli::DoArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::import::bad_row::BadRow;
use crate::import::preview::fault;
use crate::out::complain;
use crate::text::table::Table;
use crate::text::{clean, count, say, tr};

/// Of more lines of one fate only the number is told, and of a fault all the same.
const LINES_SHOWN: usize = 500;
/// Of more faults only the number is told; the preview has all of them.
const FAULTS_SHOWN: usize = 200;

pub struct Told<'t> {
    pub args: &'t DoArgs,
    /// What people read for the command.
    pub command: String,
    pub lines: &'t Lines,
}

/// How many lines have which fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    ready: u64,
    done: u64,
    before: u64,
    refused: u64,
}

pub fn is_any_refused(planned: &[Line]) -> bool {
    planned.iter().any(|line| matches!(line.fate, Fate::Refused(_)))
}

impl Told<'_> {
    fn counts(&self, planned: &[Line]) -> Counts {
        let mut counts = Counts::default();
        for line in planned {
            *match line.fate {
                Fate::Ready(_) => &mut counts.ready,
                Fate::Done => &mut counts.done,
                Fate::Before => &mut counts.before,
                Fate::Refused(_) => &mut counts.refused,
            } += 1;
        }
        let mut unread: Vec<u64> = self.lines.unread.iter().map(|bad| bad.line).collect();
        unread.sort_unstable();
        unread.dedup();
        counts.refused += unread.len() as u64;
        counts
    }

    /// In the order of their lines.
    fn faults<'p>(&'p self, planned: &'p [Line]) -> Vec<&'p BadRow> {
        let refused =
            planned.iter().filter_map(|line| if let Fate::Refused(bad) = &line.fate { Some(bad) } else { None });
        let mut all: Vec<&BadRow> = self.lines.unread.iter().chain(refused.flatten()).collect();
        all.sort_by_key(|bad| bad.line);
        all
    }

    /// What would become of every line.
    pub fn show(&self, planned: &[Line]) -> Result<(), Failure> {
        let command = clean(&self.command);
        let head = match &self.lines.read_as {
            Some(how) => {
                let (file, how) = (clean(&self.lines.called), clean(how.now()));
                tr!("{command}:{file}({how})\n\n", "{command}: {file} ({how})\n\n")
            }
            None => tr!("{command}\n\n", "{command}\n\n"),
        };
        let headers = [tr!("行", "line"), tr!("结果", "outcome"), tr!("记录", "record"), tr!("说明", "what")];
        let mut table = Table::new(&headers.each_ref().map(String::as_str)).whole(&[0, 1]);
        let mut rows: Vec<(u64, [String; 4])> = Vec::new();
        for bad in &self.lines.unread {
            rows.push((
                bad.line,
                [bad.line.to_string(), tr!("拒绝", "refused"), String::new(), clean(bad.why().now())],
            ));
        }
        let is_long = planned.len() > LINES_SHOWN;
        for line in planned.iter().filter(|line| !is_long || matches!(line.fate, Fate::Refused(_))) {
            let name = line.whom.as_ref().map(|whom| clean(&whom.name)).unwrap_or_default();
            let what = match &line.fate {
                Fate::Refused(bad) => bad.iter().map(|bad| clean(bad.why().now())).collect::<Vec<_>>().join("; "),
                _ => clean(&line.says),
            };
            rows.push((line.line, [line.line.to_string(), fate(&line.fate), name, what]));
        }
        rows.sort_by_key(|(line, _)| *line);
        rows.into_iter().for_each(|(_, cells)| table.row(cells));
        let sum = self.sum(&self.counts(planned));
        print(&(head + &table.print() + "\n" + &sum)).map(|_| ())
    }

    fn sum(&self, counts: &Counts) -> String {
        let rows = count(counts.ready + counts.done + counts.before + counts.refused);
        let [ready, done, before, refused] = [counts.ready, counts.done, counts.before, counts.refused].map(count);
        let carried = if counts.done > 0 { tr!("已执行 {done},", "{done} done, ") } else { String::new() };
        tr!(
            "共 {rows} 行:{carried}将执行 {ready},以前已执行 {before},拒绝 {refused}。\n",
            "{rows} lines: {carried}{ready} to be carried out, {before} carried out before, {refused} refused.\n"
        )
    }

    pub fn preview(&self, planned: &[Line]) -> Result<Done, Failure> {
        let faults = self.faults(planned);
        if self.args.read.json {
            print_json(&self.shape(planned))?;
        } else {
            self.show(planned)?;
            print(&tr!(
                "未写入。去掉 --dry-run 即执行。\n",
                "Nothing was written. Leave out --dry-run to carry it out.\n"
            ))?;
        }
        Ok(match faults.is_empty() {
            true => Done::Well,
            false if self.args.each.skip_bad => Done::Told(Exit::Refused),
            false => {
                complain(&self.bad(&faults).told());
                Done::Told(Exit::Usage)
            }
        })
    }

    /// Some lines are refused, so that nothing is done.
    pub fn nothing(&self, planned: &[Line]) -> Result<Done, Failure> {
        let failure = self.bad(&self.faults(planned));
        if !self.args.read.json {
            return Err(failure);
        }
        let mut shape = self.shape(planned);
        shape["error"] = failure.json()["error"].clone();
        print_json(&shape)?;
        complain(&failure.told());
        Ok(Done::Told(failure.exit))
    }

    fn bad(&self, faults: &[&BadRow]) -> Failure {
        let number = count(faults.len() as u64);
        let failure = Failure::new(
            Exit::Usage,
            "bad_rows",
            say!("有 {number} 处不对,什么也没有执行", "{number} fault(s); nothing was carried out"),
        );
        with_faults(failure, faults).next(say!(
            "改正这些行后重新运行;只办合格的行用 --skip-bad",
            "correct these lines and run it again; --skip-bad carries out the others"
        ))
    }

    pub fn done(&self, planned: &[Line], broken: Option<Failure>) -> Result<Done, Failure> {
        let faults = self.faults(planned);
        let counts = self.counts(planned);
        let [done, before] = [counts.done, counts.before].map(count);
        let so_far = say!(
            "已执行 {done} 行(以前已执行 {before} 行);再次运行时,已执行的行不会重复",
            "{done} lines are carried out ({before} were before); run it again: what is done is not done twice"
        );
        let ended = match broken {
            Some(cause) => Some(cause.why(so_far)),
            None if faults.is_empty() => None,
            None => {
                let number = count(counts.refused);
                let failure = Failure::new(
                    Exit::Refused,
                    "rows_refused",
                    say!("有 {number} 行没有执行", "{number} lines were not carried out"),
                );
                let failure = with_faults(failure, &faults).why(so_far);
                Some(failure.next(say!("改正这些行后再次运行", "correct these lines and run it again")))
            }
        };
        if self.args.read.json {
            let mut shape = self.shape(planned);
            if let Some(failure) = &ended {
                shape["error"] = failure.json()["error"].clone();
            }
            print_json(&shape)?;
        } else {
            print(&self.sum(&counts))?;
        }
        Ok(ended.map_or(Done::Well, |failure| {
            complain(&failure.told());
            Done::Told(failure.exit)
        }))
    }

    fn shape(&self, planned: &[Line]) -> Value {
        let Counts { ready, done, before, refused } = self.counts(planned);
        json!({
            "command": self.args.command, "rows": ready + done + before + refused,
            "ready": ready, "done": done, "repeated": before, "dry_run": self.args.dry_run,
            "read_as": self.lines.read_as.as_ref().map(crate::text::Say::now), "skipped_columns": self.lines.skipped,
            "refused": self.faults(planned).iter().map(|bad| fault(bad)).collect::<Vec<_>>(),
            "plan": planned.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

fn with_faults(mut failure: Failure, faults: &[&BadRow]) -> Failure {
    failure.why = faults.iter().take(FAULTS_SHOWN).map(|bad| bad.told()).collect();
    if let Some(rest) = faults.len().checked_sub(FAULTS_SHOWN).filter(|rest| *rest > 0) {
        failure.why.push(say!("……另有 {rest} 处(--json 列出全部)", "... and {rest} more (--json lists all)"));
    }
    failure
}

fn fate(fate: &Fate) -> String {
    match fate {
        Fate::Ready(_) => tr!("将执行", "to be done"),
        Fate::Done => tr!("已执行", "done"),
        Fate::Before => tr!("以前已执行", "done before"),
        Fate::Refused(_) => tr!("拒绝", "refused"),
    }
}

fn row(line: &Line) -> Value {
    let word = match line.fate {
        Fate::Ready(_) => "ready",
        Fate::Done => "done",
        Fate::Before => "repeated",
        Fate::Refused(_) => "refused",
    };
    let whom = line.whom.as_ref();
    json!({
        "line": line.line, "outcome": word, "name": whom.map(|whom| &whom.name),
        "id": crate::render::given(whom.map(|whom| whom.id.as_str()).unwrap_or_default()),
        "command_id": line.request().map(|request| &request.command_id),
    })
}
