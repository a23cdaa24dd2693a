//! The one binary of Heliu: what was typed, in which language to answer, the verb, and the exit code.
//!
//! Bottom up: `exit`, `out`, `served`, `text`, `failure`, `answer`, `confirm`, `given`, `layout`, `random`, `render`,
//! `names`, `store`, `config`, `cli`, `modes`, `page`, `reading`, `realm`, `target`, `access`, `alarms`, `audit`, `foreign`,
//! `node`, `init`, `refused`, `registry`, `demo`, `status`, `doctor`, `usage`, `completion`, `explain`, `view`,
//! `which`, `find`, `references`, `foreseen`, `command`, `import`, `each`, `export`, `ledger`, `parts`, `conflicts`, `privacy`, `records`, `print`.

mod access;
mod alarms;
mod answer;
mod audit;
mod cli;
mod command;
mod completion;
mod config;
mod confirm;
mod conflicts;
mod demo;
mod doctor;
mod each;
mod exit;
mod explain;
mod export;
mod failure;
mod find;
mod foreign;
mod foreseen;
mod given;
mod import;
mod init;
mod layout;
mod ledger;
mod modes;
mod names;
mod node;
mod out;
mod page;
mod parts;
mod print;
mod privacy;
mod random;
mod reading;
mod realm;
mod records;
mod references;
mod refused;
mod registry;
mod render;
mod served;
mod status;
mod store;
mod target;
mod text;
mod usage;
mod view;
mod which;

use std::ffi::OsString;
use std::process::ExitCode;

use cli::{Cli, Import, ImportVerb, LedgerArgs, Verb};
use failure::Failure;
use text::Language;

/// A third of a node's time went into the system's; see ARCHITECTURE.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Our own files are made private one by one; this is for what libraries make, such as SQLite's log.
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    // The arguments as they are: a file may have a name that is not UTF-8.
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let readable: Vec<String> = arguments.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    text::speak(Language::choose(&readable, |name| std::env::var(name).ok()));
    completion::answer();
    let cli = match usage::parse(&arguments) {
        Ok(cli) => cli,
        Err(exit) => return exit,
    };
    let json = cli.verb.json();
    match run(cli) {
        Ok(exit) => exit,
        Err(failure) => {
            // Scripts that read JSON get the failure in it as well; people read it on standard error either way.
            if json {
                let _ = answer::print_json(&failure.json());
            }
            out::complain(&failure.told());
            failure.exit.into()
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Failure::new(exit::Exit::Failed, "runtime", text::say!("无法启动线程", "cannot start threads")).because(error)
    })?;
    let exit = runtime.block_on(verb(cli.verb));
    // Nobody waits for a background task that is still in a system call.
    runtime.shutdown_background();
    exit
}

async fn verb(verb: Verb) -> Result<ExitCode, Failure> {
    let done = match verb {
        Verb::Demo(args) => return Ok(demo::run(args).await),
        Verb::Init(args) => init::run(&args),
        Verb::Node(args) => node::run(&args).await,
        Verb::Enroll(args) => registry::enroll::run(&args).await,
        Verb::Join(args) => registry::join::run(&args).await,
        Verb::Nodes(args) => registry::nodes::run(&args).await,
        Verb::Delegate(args) => registry::propose::delegate(&args).await,
        Verb::Fence(args) => registry::propose::fence(&args).await,
        Verb::TwoSignatures(args) => registry::propose::two_signatures(&args).await,
        Verb::Directory(args) => registry::directory::run(&args).await,
        Verb::Root(args) => registry::root::run(&args).await,
        Verb::Access(args) => access::run(&args),
        Verb::Rotate(args) => access::rotate(&args),
        Verb::Doctor(args) => doctor::run(&args).await,
        Verb::Status(args) => status::status(&args).await,
        Verb::Peers(args) => status::peers(&args).await,
        Verb::Verify(args) => status::verify(&args).await,
        Verb::Alarms(args) => alarms::run(&args).await,
        Verb::Reveal(args) => privacy::reveal(&args).await,
        Verb::Erase(args) => privacy::erase(&args).await,
        Verb::Receipt(args) => privacy::receipt(&args).await,
        Verb::Audit(args) => audit::run(&args).await,
        Verb::Get(args) => records::get(&args).await,
        Verb::List(args) => records::list(&args).await,
        Verb::Ledger(args) => ledger::run(&args).await,
        Verb::Inbox(args) => ledger::run(&LedgerArgs::of("inbox", &args, "")).await,
        Verb::Due(args) => ledger::run(&LedgerArgs::of("due", &args.standing, &args.on)).await,
        Verb::Advisories(args) => ledger::run(&LedgerArgs::of("advisories", &args, "")).await,
        Verb::History(args) => records::history(&args).await,
        Verb::Do(args) if args.each.is_meant() && !args.help && !args.explain => each::run(&args).await,
        Verb::Do(args) => command::run(args).await,
        Verb::Undo(args) => command::undo(args).await,
        Verb::Import(ImportVerb { other: Some(Import::Regions(args)), .. }) => import::regions::run(&args).await,
        Verb::Import(ImportVerb { other: None, rows }) => import::run(rows).await,
        Verb::Export(args) => export::run(&args).await,
        Verb::Template(args) => export::template(&args).await,
        Verb::Print(args) => print::run(&args).await,
        Verb::Conflicts(args) => conflicts::run(args).await,
        Verb::Quarantine(args) => refused::quarantine(&args).await,
        Verb::Foreign(args) => foreign::run(&args).await,
        Verb::Stranded(args) => refused::stranded(&args).await,
    };
    done.map(ExitCode::from)
}
