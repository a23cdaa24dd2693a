//! `import KIND FILE`: the rows of a table into the records of a node. What becomes of every row is known before anything is written,
//! and told; a row finds its record, so a corrected file corrects records and makes no second ones. Of kinds and columns this room
//! knows what the node declares.
//!

pub mod bad_row;
mod compare;
pub mod fate;
pub mod form;
pub mod heading;
pub mod held;
mod plan;
pub mod preview;
mod refer;
pub mod regions;
pub mod rows;
pub mod sending;
pub mod source;
mod who;

use std::path::Path;
use std::time::{Duration, Instant};

use fate::{Fate, Planned, command, of_the_node, refused};
use form::Form;
use heliu_client::{Client, Schema};
use heliu_disk::small_file;
use plan::{Planner, Wanted};
use preview::Counts;
use refer::Referring;
use rows::{BadRow, Row};
use sending::{By, Progress, is_refused};
use serde_json::{Value, json};
use source::{How, Source};

use crate::answer::{Done, print, print_json};
use crate::cli::ImportArgs;
use crate::command::{on_behalf, who};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::complain;
use crate::text::{count, say, tr};
use crate::{explain, target};

/// Of more faults only the number is told; the preview has all of them.
const FAULTS_SHOWN: usize = 200;

pub async fn run(args: ImportArgs) -> Result<Done, Failure> {
    // First the file: one that cannot be read needs no node.
    let bytes = args.file.as_deref().map(read).transpose()?;
    let client = target::connect(&args.read.target).await?;
    let schema = client.schema().await?;
    let form = Form::of(&schema, &args.kind)?;
    let (Some(file), Some(bytes)) = (&args.file, bytes) else { return explain::columns(&args.read, &form.columns) };
    let how = How::of(&args.table);
    let source = match Source::open(&form.columns, form.command.name == form::ORGS, bytes, &how) {
        Ok(source) => source,
        Err(unread) => return Err(bad_rows(file, &unread.iter().collect::<Vec<_>>())),
    };
    let reason = if args.asker.reason.is_empty() { said_file(file) } else { args.asker.reason.clone() };
    let wanted = Wanted {
        by: By { who: who(&args.asker), reason, on_behalf: on_behalf(&client, &args.asker).await? },
        namesakes: args.namesakes,
        overwrites_sealed: args.overwrite_sealed,
        anew: args.anew,
    };
    let began = Instant::now();
    let (planned, unread, referring) = planned(&client, &schema, &form, &source, &wanted).await?;
    let preview = began.elapsed();
    let counts = Counts::of(&planned, &unread);
    let faults = preview::faults(&planned, &unread);
    let mut told = Told {
        args: &args,
        file,
        source: &source,
        planned: &planned,
        unread: &unread,
        took: [preview, Duration::ZERO],
    };
    if args.dry_run {
        return told.preview(&counts);
    }
    if !faults.is_empty() && !args.skip_bad {
        return told.nothing(&counts, bad_rows(file, &faults));
    }
    let began = Instant::now();
    let sent = send(&client, &schema, &form, &source, &wanted.by, &planned, referring).await?;
    told.took[1] = began.elapsed();
    told.done(&sent)
}

/// One byte more than may be, so that what is too long is seen to be.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    small_file::read(file, crate::reading::FILE_BYTES_MAX as u64 + 1).map_err(|why| Failure::bad_file(file, &why))
}

fn said_file(file: &Path) -> String {
    file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What becomes of every row, and the faults of those that cannot be read.
async fn planned(
    client: &Client,
    schema: &Schema,
    form: &Form<'_>,
    source: &Source<'_>,
    wanted: &Wanted,
) -> Result<(Vec<Planned>, Vec<BadRow>, Referring), Failure> {
    let mut planner = Planner::new(client, schema, form, wanted);
    let (mut planned, mut unread) = (Vec::new(), Vec::new());
    let mut progress = Progress::new(say!("已检查", "looked at"));
    let read = source
        .each(async |(rows, bad)| {
            planned.extend(planner.plan(&rows, &mut progress).await?);
            unread.extend(bad);
            Ok(())
        })
        .await;
    progress.end();
    read?;
    if planned.is_empty() && unread.is_empty() {
        unread.push(BadRow::whole(1, say!("只有列名,没有数据行", "it has a line of column names and nothing else")));
    }
    Ok((planned, unread, planner.referring))
}

/// What came of giving the rows to the node.
#[derive(Debug, Default)]
struct Sent {
    counts: Counts,
    /// Rows that the node refused all the same.
    refused: Vec<BadRow>,
    /// What ended it before all rows were given.
    broken: Option<Failure>,
}

/// Gives the commands of all rows that are not refused.
async fn send(
    client: &Client,
    schema: &Schema,
    form: &Form<'_>,
    source: &Source<'_>,
    by: &By,
    planned: &[Planned],
    referring: Referring,
) -> Result<Sent, Failure> {
    let mut referring = referring.again();
    let mut sent = Sent::default();
    let mut made: Vec<Option<String>> =
        planned.iter().map(|row| Some(row.id.clone()).filter(|id| !id.is_empty())).collect();
    let mut progress = Progress::new(say!("已导入", "imported"));
    let mut first = 0;
    source
        .each(async |(rows, _): (Vec<Row>, Vec<BadRow>)| {
            let begin = first;
            first += rows.len();
            if sent.broken.is_some() {
                return Ok(());
            }
            let references = referring.refer(client, schema, form, &rows).await?;
            let mut waiting: Vec<usize> = (0..rows.len()).collect();
            loop {
                let (mut asked, mut later) = (Vec::new(), Vec::new());
                for at in waiting {
                    let row = &planned[begin + at];
                    let Ok(references) = &references[at] else { continue };
                    match command(form, &rows[at], references, row, by, &|place| made.get(place).cloned().flatten()) {
                        Some(request) => asked.push((at, request)),
                        None if matches!(row.fate, Fate::Created(_)) => later.push(at),
                        None => sent.counts.unchanged += u64::from(row.fate == Fate::Unchanged),
                    }
                }
                if sent.broken.is_some() {
                    return Ok(());
                }
                if asked.is_empty() {
                    let held = say!("所属的行没有导入", "what it belongs to was not imported");
                    sent.refused.extend(later.iter().map(|at| BadRow::whole(rows[*at].line, held.clone())));
                    return Ok(());
                }
                waiting = later;
                let (places, requests): (Vec<usize>, Vec<_>) = asked.into_iter().unzip();
                match sending::give(client, requests, &mut progress).await {
                    Err(error) => {
                        sent.broken = Some(error.into());
                        return Ok(());
                    }
                    Ok(outcomes) => {
                        for (at, outcome) in places.into_iter().zip(outcomes) {
                            if let Some(failure) = outcome.as_ref().err().and_then(of_the_node) {
                                sent.broken = sent.broken.take().or(Some(failure));
                                continue;
                            }
                            made[begin + at] = sent.take(form, &planned[begin + at], outcome);
                        }
                    }
                }
            }
        })
        .await?;
    progress.end();
    sent.counts.refused = sent.refused.len() as u64;
    Ok(sent)
}

impl Sent {
    /// What became of a row. Returns the record that it is about.
    fn take(&mut self, form: &Form<'_>, row: &Planned, outcome: sending::Outcome) -> Option<String> {
        // Another brought the same meanwhile.
        if is_refused(&outcome, "already_made") {
            self.counts.unchanged += 1;
            return None;
        }
        match outcome {
            Ok(done) if done.repeated => {
                self.counts.unchanged += 1;
                done.created.into_iter().next()
            }
            Ok(done) => {
                let is_new = matches!(row.fate, Fate::Created(_));
                self.counts.created += u64::from(is_new);
                self.counts.updated += u64::from(!is_new);
                if is_new { done.created.into_iter().next() } else { Some(row.id.clone()) }
            }
            // One row stops none of the others.
            Err(error) => {
                self.refused.push(refused(form, row.line, &error));
                None
            }
        }
    }
}

fn milliseconds(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

fn bad_rows(file: &Path, faults: &[&BadRow]) -> Failure {
    let (file, rows) = (file.display(), count(faults.len() as u64));
    let mut failure = Failure::new(
        Exit::Usage,
        "bad_rows",
        say!("{file} 有 {rows} 处不对,什么也没有导入", "{rows} fault(s) in {file}; nothing was imported"),
    )
    .next(preview::next());
    failure.why = faults.iter().take(FAULTS_SHOWN).map(|bad| bad.told()).collect();
    if let Some(rest) = faults.len().checked_sub(FAULTS_SHOWN).filter(|rest| *rest > 0) {
        failure.why.push(say!("……另有 {rest} 处(--json 列出全部)", "... and {rest} more (--json lists all)"));
    }
    failure
}

/// What is told at the end.
struct Told<'t> {
    args: &'t ImportArgs,
    file: &'t Path,
    source: &'t Source<'t>,
    planned: &'t [Planned],
    unread: &'t [BadRow],
    /// The preview, and the writing.
    took: [Duration; 2],
}

impl Told<'_> {
    fn preview(&self, counts: &Counts) -> Result<Done, Failure> {
        let faults = preview::faults(self.planned, self.unread);
        if self.args.read.json {
            print_json(&self.shape(counts, &faults))?;
        } else {
            let (file, how) = (self.file.display(), self.source.told());
            let how = how.now();
            let end = tr!("未写入。去掉 --dry-run 即导入。\n", "Nothing was written. Leave out --dry-run to import.\n");
            let head = tr!("{file}:{how}\n\n", "{file}: {how}\n\n");
            print(&(head + &preview::table(self.planned, self.unread) + "\n" + &counts.told() + &end))?;
        }
        if faults.is_empty() {
            return Ok(Done::Well);
        }
        if self.args.skip_bad {
            return Ok(Done::Told(Exit::Refused));
        }
        complain(&bad_rows(self.file, &faults).told());
        Ok(Done::Told(Exit::Usage))
    }

    fn nothing(&self, counts: &Counts, failure: Failure) -> Result<Done, Failure> {
        if !self.args.read.json {
            return Err(failure);
        }
        let faults = preview::faults(self.planned, self.unread);
        let mut shape = self.shape(&Counts { created: 0, updated: 0, ..*counts }, &faults);
        shape["error"] = failure.json()["error"].clone();
        print_json(&shape)?;
        complain(&failure.told());
        Ok(Done::Told(failure.exit))
    }

    fn done(&self, sent: &Sent) -> Result<Done, Failure> {
        let mut faults = preview::faults(self.planned, self.unread);
        faults.extend(&sent.refused);
        let left_out = Counts::of(self.planned, self.unread).refused;
        let counts = Counts { refused: sent.counts.refused + left_out, ..sent.counts };
        let ended = self.ended(sent, &faults, &counts);
        if self.args.read.json {
            let mut shape = self.shape(&counts, &faults);
            if let Some(failure) = &ended {
                shape["error"] = failure.json()["error"].clone();
            }
            print_json(&shape)?;
        } else {
            let noted: Vec<Planned> = self.planned.iter().filter(|row| self.is_told(row)).cloned().collect();
            let noted = if noted.is_empty() { String::new() } else { preview::table(&noted, &[]) + "\n" };
            print(&(noted + &counts.told()))?;
        }
        Ok(match ended {
            None => Done::Well,
            Some(failure) => {
                complain(&failure.told());
                Done::Told(failure.exit)
            }
        })
    }

    /// Of what was done, what is not plain.
    fn is_told(&self, row: &Planned) -> bool {
        matches!(row.fate, Fate::Updated { .. }) || (!row.notes.is_empty() && !matches!(row.fate, Fate::Refused(_)))
    }

    /// Why not all of it is in.
    fn ended(&self, sent: &Sent, faults: &[&BadRow], counts: &Counts) -> Option<Failure> {
        let (created, updated, unchanged) = (count(counts.created), count(counts.updated), count(counts.unchanged));
        let so_far = say!(
            "已新建 {created} 行、更正 {updated} 行(另有 {unchanged} 行不变);处理后再次运行同一文件,已导入的行不会重复",
            "{created} rows are created and {updated} updated ({unchanged} are unchanged); run the file again after that: rows that are in are not imported twice"
        );
        if let Some(cause) = &sent.broken {
            return Some(cause.clone().why(so_far));
        }
        if faults.is_empty() {
            return None;
        }
        let number = count(counts.refused);
        let mut failure = Failure::new(
            Exit::Refused,
            "rows_refused",
            say!("有 {number} 行没有导入", "{number} rows were not imported"),
        );
        failure.why = faults.iter().take(FAULTS_SHOWN).map(|bad| bad.told()).collect();
        failure.why.push(so_far);
        Some(failure.next(say!("改正这些行后再次运行", "correct these lines and run it again")))
    }

    fn shape(&self, counts: &Counts, faults: &[&BadRow]) -> Value {
        let is_whole = self.args.dry_run;
        let rows = self.planned.iter().filter(|row| is_whole || self.is_told(row));
        json!({
            "rows": counts.rows(), "created": counts.created, "updated": counts.updated, "unchanged": counts.unchanged,
            "dry_run": self.args.dry_run, "read_as": self.source.told().now(), "skipped_columns": self.source.skipped(),
            "refused": faults.iter().map(|bad| preview::fault(bad)).collect::<Vec<_>>(),
            "took_ms": {"preview": milliseconds(self.took[0]), "write": milliseconds(self.took[1])},
            "plan": rows.map(preview::row).collect::<Vec<_>>(),
        })
    }
}
