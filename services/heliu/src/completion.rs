//! Completion in a shell, which runs this program with `COMPLETE` set: verbs and flags are this program's, kinds, commands and
//! findings those of the node that the line is for. Without an answer there is nothing to choose from, and nothing is said: a
//! shell shows no errors in the middle of a line.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Command;
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use heliu_client::Schema;
use heliu_client::schema::SchemaLabel;

use crate::cli::Target;
use crate::text::{clean, spoken};
use crate::{target, usage};

/// Longer nobody waits for a tab.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers a shell and ends, if it is one that asks.
pub fn answer() {
    CompleteEnv::with_factory(command).complete();
}

fn command() -> Command {
    let kinds = || of(|schema| schema.kinds.iter().map(|kind| (kind.name.clone(), &kind.label)).collect());
    let commands = || of(|schema| schema.commands.iter().map(|known| (known.name.clone(), &known.label)).collect());
    let findings = || of(|schema| schema.findings.iter().map(|known| (known.name.clone(), &known.label)).collect());
    usage::command()
        .mut_subcommand("list", |list| with(list, "kind", kinds()))
        .mut_subcommand("import", |import| with(import, "kind", kinds()))
        .mut_subcommand("do", |order| with(order, "command", commands()))
        .mut_subcommand("conflicts", |conflicts| {
            conflicts.mut_subcommand("list", |list| with(list, "kind", findings()))
        })
}

/// `mut_arg` would put the argument after the others, and so another one into its place.
fn with(verb: Command, name: &str, completer: ArgValueCompleter) -> Command {
    let name = name.to_owned();
    verb.mut_args(
        move |argument| {
            if argument.get_id().as_str() == name { argument.add(completer.clone()) } else { argument }
        },
    )
}

/// What a node declares, by its codes, with its words beside them.
fn of(declared: fn(&Schema) -> Vec<(String, &SchemaLabel)>) -> ArgValueCompleter {
    ArgValueCompleter::new(move |begun: &OsStr| {
        let begun = begun.to_string_lossy();
        let Some(schema) = known() else { return Vec::new() };
        let is_code = |code: &str| code.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        let declared = declared(&schema).into_iter();
        // Whatever a node sends, it must not become a command of the shell.
        let fitting = declared.filter(|(code, _)| code.starts_with(&*begun) && is_code(code));
        fitting.map(|(code, label)| CompletionCandidate::new(code).help(Some(clean(spoken(label)).into()))).collect()
    })
}

fn known() -> Option<Arc<Schema>> {
    let line: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let target = target_of(&line);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let asked = async { target::connect(&target).await.ok()?.schema().await.ok() };
    runtime.block_on(async { tokio::time::timeout(PATIENCE, asked).await.ok()? })
}

/// Where the line says that its node is.
fn target_of(line: &[String]) -> Target {
    let given = |flag: &str| {
        let after =
            line.iter().zip(line.iter().skip(1)).find(|(word, _)| *word == flag).map(|(_, value)| value.clone());
        after.or_else(|| line.iter().find_map(|word| word.strip_prefix(flag)?.strip_prefix('=').map(str::to_owned)))
    };
    Target {
        dir: given("--dir").map(PathBuf::from),
        access: given("--access").map(PathBuf::from),
        node: given("--node"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_that_are_completed_are_there() {
        command().debug_assert();
    }

    #[test]
    fn a_line_that_is_not_finished_says_already_which_node_it_is_for() {
        let line = ["heliu", "--", "heliu", "import", "w", "--dir", "a/b", "--node=c:1"].map(str::to_owned);
        let target = target_of(&line);
        assert_eq!((target.dir, target.access, target.node), (Some("a/b".into()), None, Some("c:1".to_owned())));
        assert_eq!(target_of(&["heliu".to_owned(), "--dir".to_owned()]).dir, None);
    }
}
