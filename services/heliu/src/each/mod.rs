//! `heliu do COMMAND --each FILE`, `--each-of KIND`: one command for many, for each line of a table or each record that is found.
//! What would become of every line is known before anything is written, and told; then all are given to the node, many at a time.
//! A line has a command of its own, whose id follows from what it says: given again, it has no second effect.
//!
//! Bottom up: `subject`, `lines`, `whom`, `plan`, `told`.

mod lines;
mod plan;
mod subject;
mod told;
mod whom;

use std::collections::BTreeMap;

use heliu_client::Client;
use heliu_client::schema::{Schema, SchemaCommand};
use lines::Sheet;
use plan::{Fate, Line, Planner};
use told::Told;

use crate::answer::Done;
use crate::cli::DoArgs;
use crate::command::{ended, on_behalf, take_apart, values, who};
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::import::bad_row::BadRow;
use crate::import::fate::of_the_node;
use crate::import::sending::{self, By, Progress};
use crate::text::{Say, clean, codes, count, say};
use crate::{explain, target};

pub async fn run(args: &DoArgs) -> Result<Done, Failure> {
    let Some(name) = &args.command else {
        return Err(Failure::usage(say!("没有给出命令名", "no command is named"))
            .next(say!("heliu do --help 列出全部命令", "heliu do --help lists them all")));
    };
    if !args.command_id.is_empty() {
        return Err(Failure::usage(say!(
            "每一行的命令编号由内容得出,不能另给 --command-id",
            "the id of each line's command follows from what it says: --command-id does not go with it"
        )));
    }
    // First the file: one that cannot be read needs no node.
    let bytes = args.each.each.as_deref().map(lines::read).transpose()?;
    let client = target::connect(&args.read.target).await?;
    let schema = client.schema().await?;
    let command = explain::find(&schema, name)?;
    let (subject, common) = take_apart(command, &args.arguments)?;
    if let Some(subject) = subject {
        let subject = clean(&subject);
        return Err(Failure::usage(say!(
            "“{subject}”:所针对的记录由各行给出,不在命令行上写",
            "{subject:?}: the lines say which records it is about; none is given on the command line"
        )));
    }
    let common = values(&schema, command, common, &args.ask)?;
    let sheet = Sheet::of(&schema, command, &common, args)?;
    let lines = lines::all(&client, &sheet, args, bytes).await?;
    let reason = if args.asker.reason.is_empty() { lines.called.clone() } else { args.asker.reason.clone() };
    let by = By { who: who(&args.asker), reason, on_behalf: on_behalf(&client, &args.asker).await? };
    let planner =
        Planner { client: &client, schema: &schema, sheet: &sheet, common: &common, by: &by, again: &args.each.again };
    let mut planned = planner.plan(&lines).await?;
    let told = Told { args, command: codes::command(&schema, &command.name), lines: &lines };
    if args.dry_run {
        return told.preview(&planned);
    }
    if !args.read.json {
        told.show(&planned)?;
    }
    if (told::is_any_refused(&planned) || !lines.unread.is_empty()) && !args.each.skip_bad {
        return told.nothing(&planned);
    }
    let ready = planned.iter().filter(|line| line.is_ready()).count() as u64;
    if ready > 0 {
        confirm(&question(&schema, command, &planned, &told.command, ready), args.yes)?;
    }
    let broken = give(&client, &sheet, &mut planned).await?;
    told.done(&planned, broken)
}

/// What is asked before many records are changed at once.
fn question(schema: &Schema, command: &SchemaCommand, planned: &[Line], called: &str, ready: u64) -> Say {
    let (called, ready) = (clean(called), count(ready));
    let plain = say!("将执行“{called}” {ready} 次", "{called} will be carried out {ready} times");
    let over = planned.iter().filter_map(|line| {
        ended(schema, command, &line.request()?.arguments.clone().into_iter().collect::<BTreeMap<_, _>>())
    });
    let mut over: Vec<Say> = over.collect();
    over.sort_by(|one, other| one.en.cmp(&other.en));
    over.dedup();
    over.into_iter().fold(plain, |said, over| {
        let (Say { zh, en }, Say { zh: over_zh, en: over_en }) = (said, over);
        say!("{zh};{over_zh}", "{en}; {over_en}")
    })
}

/// Gives all that is ready. Lines of one record are given one after the other, and what comes after one that is refused is not
/// given. Returns what ended it before all were given.
async fn give(client: &Client, sheet: &Sheet<'_>, planned: &mut [Line]) -> Result<Option<Failure>, Failure> {
    let mut waiting: Vec<usize> = (0..planned.len()).filter(|at| planned[*at].is_ready()).collect();
    let mut refused: BTreeMap<String, u64> = BTreeMap::new();
    let mut progress = Progress::new(say!("已执行", "carried out"));
    while !waiting.is_empty() {
        let mut round: BTreeMap<String, usize> = BTreeMap::new();
        let (now, later): (Vec<usize>, Vec<usize>) = waiting.into_iter().partition(|at| match planned[*at].record() {
            Some(id) => *round.entry(id.to_owned()).or_insert(*at) == *at,
            None => true,
        });
        let (held, now): (Vec<usize>, Vec<usize>) =
            now.into_iter().partition(|at| planned[*at].record().is_some_and(|id| refused.contains_key(id)));
        for at in held {
            let first = planned[at].record().and_then(|id| refused.get(id)).copied().unwrap_or_default();
            planned[at].fate = Fate::Refused(vec![plan::held_by(planned[at].line, first)]);
        }
        let requests = now.iter().filter_map(|at| planned[*at].request().cloned()).collect();
        let outcomes = match sending::give(client, requests, &mut progress).await {
            Ok(outcomes) => outcomes,
            Err(error) => {
                progress.end();
                return Ok(Some(error.into()));
            }
        };
        let mut broken = None;
        for (at, outcome) in now.into_iter().zip(outcomes) {
            let line = &mut planned[at];
            match outcome {
                Ok(done) => line.fate = if done.repeated { Fate::Before } else { Fate::Done },
                Err(error) => match of_the_node(&error) {
                    Some(failure) => broken = broken.or(Some(failure)),
                    // One line stops none of the others, but for those of its record.
                    None => {
                        if let Some(id) = line.record() {
                            refused.insert(id.to_owned(), line.line);
                        }
                        line.fate = Fate::Refused(vec![BadRow::refused(&sheet.columns, line.line, &error)]);
                    }
                },
            }
        }
        if broken.is_some() {
            progress.end();
            return Ok(broken);
        }
        waiting = later;
    }
    progress.end();
    Ok(None)
}
