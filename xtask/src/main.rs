//! The workspace's own commands, run as `cargo xtask <command>`: what a developer types, and what CI types too.
//!
//! Compiled before everything else, so it stays small: what a product does belongs to `crates/`, not here.

mod accept;
mod buf;
mod process;
mod proto;
mod steps;
mod test;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask: the commands of this workspace

  cargo xtask test                 the one test command: everything that must hold before a change goes in
  cargo xtask test --only <step>   one step of it (repeatable), in the same order
  cargo xtask accept --seed <n>    what takes longer: long simulated worlds, then a million schedules from this seed on
                                   (or `--schedules <n>` of them), and what they have met
  cargo xtask proto                compile proto/ into crates/api and crates/wire (no protoc needed); commit the result
  cargo xtask proto --check        change nothing; fail if the committed code is stale
  cargo xtask reference            write docs/reference.md, in both languages, from what the catalogue declares; commit it
                                   (a test fails while it is stale)
  cargo xtask --help               this text
";

/// The test that holds the pages against the declarations writes them if it is told so.
fn reference() -> std::process::Command {
    let mut command = process::cargo(&["test", "-p", "heliu-catalogue", "--", "the_reference_says_what_is_declared"]);
    command.env("HELIU_WRITE_REFERENCE", "1");
    command
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();

    let result = match words.as_slice() {
        [] | ["help" | "--help" | "-h", ..] | [_, "--help" | "-h"] => {
            println!("{HELP}\nSteps of `cargo xtask test`, cheapest first; the first that fails ends the run:\n");
            print!("{}", steps::table());
            Ok(())
        }
        ["test", selection @ ..] => steps::select(selection).and_then(|steps| test::run(&steps)),
        ["accept", options @ ..] => accept::accept(options),
        ["proto"] => proto::generate(),
        ["proto", "--check"] => proto::check(),
        ["reference"] => process::run(reference()),
        unknown => Err(format!("`{}` is no command of xtask; see `cargo xtask --help`", unknown.join(" "))),
    };

    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}
