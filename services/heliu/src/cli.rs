//! The command line: verbs, their flags and what each needs. What the texts say is in `text::help`; what a verb does is
//! in the file of its group.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::text::{Language, help, labelled as t};

/// Where a node listens unless it is told otherwise.
pub const PORT: u16 = 7340;

#[derive(Debug, Parser)]
#[command(name = "heliu", version, about = t(help::HELIU), after_help = t(help::HELIU_AFTER))]
#[command(subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = true)]
pub struct Cli {
    /// Looked at before anything is parsed; see [`Language::choose`]. Here so that it is a flag like any other.
    #[arg(long, global = true, value_enum, value_name = "LANGUAGE", help = t(help::LANG))]
    pub lang: Option<Language>,
    #[command(subcommand)]
    pub verb: Verb,
}

#[derive(Debug, Subcommand)]
pub enum Verb {
    #[command(about = t(help::DEMO), after_help = t(help::DEMO_AFTER))]
    Demo(DemoArgs),
    #[command(about = t(help::INIT), after_help = t(help::INIT_AFTER))]
    Init(InitArgs),
    #[command(about = t(help::NODE), after_help = t(help::NODE_AFTER))]
    Node(NodeArgs),
    #[command(about = t(help::STATUS), after_help = t(help::STATUS_AFTER))]
    Status(Read),
    #[command(about = t(help::PEERS), after_help = t(help::PEERS_AFTER))]
    Peers(Read),
    #[command(about = t(help::VERIFY), after_help = t(help::VERIFY_AFTER))]
    Verify(VerifyArgs),
    #[command(about = t(help::GET), after_help = t(help::GET_AFTER))]
    Get(GetArgs),
    #[command(about = t(help::LIST), after_help = t(help::LIST_AFTER))]
    List(ListArgs),
    #[command(about = t(help::HISTORY), after_help = t(help::HISTORY_AFTER))]
    History(HistoryArgs),
    #[command(about = t(help::DO), after_help = t(help::DO_AFTER), disable_help_flag = true)]
    Do(DoArgs),
    #[command(subcommand, about = t(help::IMPORT), after_help = t(help::IMPORT_AFTER))]
    Import(Import),
    #[command(subcommand, about = t(help::CONFLICTS), after_help = t(help::CONFLICTS_AFTER))]
    Conflicts(Conflicts),
    #[command(subcommand, about = t(help::QUARANTINE), after_help = t(help::QUARANTINE_AFTER))]
    Quarantine(Quarantine),
    #[command(subcommand, about = t(help::STRANDED), after_help = t(help::STRANDED_AFTER))]
    Stranded(Stranded),
}

#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    #[arg(long, help = t(help::DEMO_ONCE))]
    pub once: bool,
    #[arg(long, help = t(help::DEMO_JSON))]
    pub json: bool,
    #[arg(long, value_name = "FILE", help = t(help::DEMO_REGIONS))]
    pub regions: Option<PathBuf>,
    #[arg(long, value_name = "N", default_value_t = 22_000, help = t(help::DEMO_MEMBERS))]
    pub members: usize,
    #[arg(long, value_name = "N", default_value_t = 1, help = t(help::DEMO_SEED))]
    pub seed: u64,
    /// None: a temporary one, removed at the end.
    #[arg(long, value_name = "DIR", help = t(help::DEMO_DIR))]
    pub dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    #[arg(long, value_name = "FILE", help = t(help::INIT_REGIONS))]
    pub regions: PathBuf,
    #[arg(long, value_name = "DIR", help = t(help::INIT_DIR))]
    pub dir: PathBuf,
    #[arg(long, value_name = "NAME", help = t(help::INIT_REALM))]
    pub realm: Option<String>,
    #[arg(long = "node", value_name = "SEATCODE=ADDRESS", help = t(help::INIT_NODE))]
    pub nodes: Vec<String>,
    #[arg(long, conflicts_with = "nodes", help = t(help::INIT_ALL_TIERS))]
    pub all_tiers: bool,
    #[arg(long, value_name = "PORT", default_value_t = PORT, conflicts_with = "nodes", help = t(help::INIT_PORT))]
    pub port: u16,
    #[arg(long, help = t(help::JSON))]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
pub struct NodeArgs {
    /// Its variable is looked at in `node`: clap would take it for a flag that was typed, and in conflict with `--dir`.
    #[arg(long, value_name = "FILE", help = t(help::NODE_CONFIG))]
    pub config: Option<PathBuf>,
    #[arg(long, value_name = "DIR", conflicts_with = "config", help = t(help::NODE_DIR))]
    pub dir: Option<PathBuf>,
    #[arg(long, help = t(help::NODE_LOG_JSON))]
    pub log_json: bool,
}

/// Which node a verb talks to.
#[derive(Clone, Debug, Default, Args)]
pub struct Target {
    #[arg(long, value_name = "ADDRESS", env = "HELIU_NODE", help = t(help::TARGET_NODE))]
    pub node: Option<String>,
    #[arg(long, value_name = "FILE", env = "HELIU_CONFIG", help = t(help::TARGET_CONFIG))]
    pub config: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct Read {
    #[command(flatten)]
    pub target: Target,
    #[arg(long, help = t(help::JSON))]
    pub json: bool,
}

/// Which page of a list.
#[derive(Clone, Debug, Args)]
pub struct Page {
    #[arg(long, value_name = "N", default_value_t = 100, help = t(help::LIMIT))]
    pub limit: u32,
    #[arg(long, value_name = "CURSOR", default_value = "", hide_default_value = true, help = t(help::AFTER))]
    pub after: String,
}

/// Who asks for a change, and why: both stay in the record's history.
#[derive(Clone, Debug, Args)]
pub struct Asker {
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, help = t(help::REASON))]
    pub reason: String,
    #[arg(long, value_name = "NAME", env = "HELIU_WHO", help = t(help::WHO))]
    pub who: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct VerifyArgs {
    #[arg(value_name = "PEER", default_value = "", hide_default_value = true, help = t(help::VERIFY_PEER))]
    pub peer: String,
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    #[arg(help = t(help::VERIFY_TIMEOUT))]
    pub timeout: u64,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct GetArgs {
    #[arg(value_name = "ID", help = t(help::RECORD_ID))]
    pub id: String,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct ListArgs {
    #[arg(value_name = "KIND", default_value = "", hide_default_value = true, help = t(help::LIST_KIND))]
    pub kind: String,
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true, help = t(help::LIST_REFERS_TO))]
    pub refers_to: String,
    #[arg(long, help = t(help::LIST_GONE))]
    pub gone: bool,
    #[command(flatten)]
    pub page: Page,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct HistoryArgs {
    #[arg(value_name = "ID", help = t(help::RECORD_ID))]
    pub id: String,
    #[command(flatten)]
    pub page: Page,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct DoArgs {
    #[arg(value_name = "COMMAND", help = t(help::DO_COMMAND))]
    pub command: Option<String>,
    #[arg(value_name = "SUBJECT | KEY=VALUE", help = t(help::DO_ARGUMENTS))]
    pub arguments: Vec<String>,
    #[command(flatten)]
    pub asker: Asker,
    #[arg(long, value_name = "HEX", default_value = "", hide_default_value = true, help = t(help::DO_COMMAND_ID))]
    pub command_id: String,
    #[arg(long, help = t(help::DO_EXPLAIN))]
    pub explain: bool,
    /// Its own flag, since `do --help COMMAND` is about that command.
    #[arg(short = 'h', long, help = t(help::DO_HELP))]
    pub help: bool,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Import {
    #[command(about = t(help::IMPORT_REGIONS), after_help = t(help::IMPORT_REGIONS_AFTER))]
    Regions(ImportRegionsArgs),
    #[command(about = t(help::IMPORT_MEMBERS), after_help = t(help::IMPORT_MEMBERS_AFTER))]
    Members(ImportArgs),
    #[command(about = t(help::IMPORT_ORGS), after_help = t(help::IMPORT_ORGS_AFTER))]
    Orgs(ImportArgs),
}

#[derive(Clone, Debug, Args)]
pub struct ImportRegionsArgs {
    #[arg(value_name = "FILE", help = t(help::IMPORT_FILE))]
    pub file: PathBuf,
    #[arg(long, value_name = "DIR", default_value = ".", help = t(help::IMPORT_DIR))]
    pub dir: PathBuf,
    #[arg(long, help = t(help::DRY_RUN))]
    pub dry_run: bool,
    #[arg(long, help = t(help::JSON))]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    #[arg(value_name = "FILE", help = t(help::IMPORT_FILE))]
    pub file: PathBuf,
    #[arg(long, help = t(help::DRY_RUN))]
    pub dry_run: bool,
    #[command(flatten)]
    pub asker: Asker,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Conflicts {
    #[command(about = t(help::CONFLICTS_LIST), after_help = t(help::CONFLICTS_LIST_AFTER))]
    List(ConflictsListArgs),
    #[command(about = t(help::CONFLICTS_SHOW), after_help = t(help::CONFLICTS_SHOW_AFTER))]
    Show(ConflictsShowArgs),
    #[command(about = t(help::CONFLICTS_SETTLE), after_help = t(help::CONFLICTS_SETTLE_AFTER))]
    Settle(ConflictsSettleArgs),
}

#[derive(Clone, Debug, Args)]
pub struct ConflictsListArgs {
    #[arg(long, value_name = "KIND", default_value = "", hide_default_value = true, help = t(help::CONFLICTS_KIND))]
    pub kind: String,
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true, help = t(help::CONFLICTS_RECORD))]
    pub record: String,
    #[command(flatten)]
    pub page: Page,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct ConflictsShowArgs {
    #[arg(value_name = "ID", help = t(help::CONFLICT_ID))]
    pub id: String,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct ConflictsSettleArgs {
    #[arg(value_name = "ID", help = t(help::CONFLICT_ID))]
    pub id: String,
    #[arg(long, value_name = "VALUE|NUMBER", help = t(help::CONFLICTS_CHOOSE))]
    pub choose: String,
    #[arg(long, value_name = "HEX", default_value = "", hide_default_value = true, help = t(help::DO_COMMAND_ID))]
    pub command_id: String,
    #[command(flatten)]
    pub asker: Asker,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Quarantine {
    #[command(about = t(help::QUARANTINE_LIST), after_help = t(help::QUARANTINE_AFTER))]
    List(QuarantineListArgs),
}

#[derive(Clone, Debug, Args)]
pub struct QuarantineListArgs {
    #[arg(long, value_name = "CODE", default_value = "", hide_default_value = true, help = t(help::QUARANTINE_CODE))]
    pub code: String,
    #[command(flatten)]
    pub page: Page,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Stranded {
    #[command(about = t(help::STRANDED_LIST), after_help = t(help::STRANDED_AFTER))]
    List(StrandedListArgs),
}

#[derive(Clone, Debug, Args)]
pub struct StrandedListArgs {
    #[command(flatten)]
    pub page: Page,
    #[command(flatten)]
    pub read: Read,
}

impl Verb {
    /// Whether a program reads the answer.
    pub fn json(&self) -> bool {
        match self {
            Verb::Demo(args) => args.json,
            Verb::Init(args) => args.json,
            Verb::Node(args) => args.log_json,
            Verb::Status(read) | Verb::Peers(read) => read.json,
            Verb::Verify(args) => args.read.json,
            Verb::Get(args) => args.read.json,
            Verb::List(args) => args.read.json,
            Verb::History(args) => args.read.json,
            Verb::Do(args) => args.read.json,
            Verb::Import(Import::Regions(args)) => args.json,
            Verb::Import(Import::Members(args) | Import::Orgs(args)) => args.read.json,
            Verb::Conflicts(Conflicts::List(args)) => args.read.json,
            Verb::Conflicts(Conflicts::Show(args)) => args.read.json,
            Verb::Conflicts(Conflicts::Settle(args)) => args.read.json,
            Verb::Quarantine(Quarantine::List(args)) => args.read.json,
            Verb::Stranded(Stranded::List(args)) => args.read.json,
        }
    }
}
