//! Verbs about records: reading them, changing them, importing them, settling what they disagree about.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::flags::{Asker, Page, Propose, Read};
use super::table::{DayOfMonth, Namesakes};
use crate::text::{help, labelled as t};

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
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true, help = t(help::GET_PATH))]
    pub path: String,
    #[command(flatten)]
    pub page: Page,
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
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, help = t(help::LIST_SEARCH))]
    pub search: String,
    #[arg(long = "where", value_name = "FIELD=VALUE", help = t(help::LIST_WHERE))]
    pub conditions: Vec<String>,
    #[arg(long, value_name = "SEAT", default_value = "", hide_default_value = true, help = t(help::LIST_AT))]
    pub at: String,
    #[arg(long, value_name = "FIELD", default_value = "", hide_default_value = true, help = t(help::LIST_SORT))]
    pub sort: String,
    #[arg(long, help = t(help::LIST_DESCENDING))]
    pub descending: bool,
    #[arg(long, help = t(help::LIST_COUNT))]
    pub count: bool,
    #[arg(long, value_name = "FIELD", value_delimiter = ',', help = t(help::LIST_GROUP_BY))]
    pub group_by: Vec<String>,
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

/// How the lines of a table are read.
#[derive(Clone, Debug, Default, Args)]
pub struct Table {
    #[arg(long, help = t(help::SKIP_UNKNOWN))]
    pub skip_unknown: bool,
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true, help = t(help::SHEET))]
    pub sheet: String,
    #[arg(long, value_enum, value_name = "DAY", help = t(help::MONTH))]
    pub month: Option<DayOfMonth>,
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i16).range(1800..=2000), help = t(help::YEARS_FROM))]
    pub years_from: Option<i16>,
}

/// One command for many: for each line of a file, or for each record that is found.
#[derive(Clone, Debug, Default, Args)]
#[command(group(ArgGroup::new("many").args(["each", "each_of"]).multiple(true)))]
pub struct Each {
    #[arg(long, value_name = "FILE", help = t(help::EACH))]
    pub each: Option<PathBuf>,
    #[arg(long, value_name = "KIND", help = t(help::EACH_OF))]
    pub each_of: Option<String>,
    #[arg(long = "where", value_name = "FIELD=VALUE", requires = "each_of", conflicts_with = "each", help = t(help::LIST_WHERE))]
    pub conditions: Vec<String>,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, requires = "each_of", conflicts_with = "each", help = t(help::LIST_SEARCH))]
    pub search: String,
    #[arg(long, value_name = "SEAT", default_value = "", hide_default_value = true, requires = "each_of", conflicts_with = "each", help = t(help::LIST_AT))]
    pub at: String,
    #[arg(long, requires = "many", help = t(help::EACH_SKIP_BAD))]
    pub skip_bad: bool,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, requires = "many", help = t(help::EACH_AGAIN))]
    pub again: String,
    #[command(flatten)]
    pub table: Table,
}

impl Each {
    pub fn is_meant(&self) -> bool {
        self.each.is_some() || self.each_of.is_some()
    }
}

#[derive(Clone, Debug, Args)]
pub struct DoArgs {
    #[arg(value_name = "COMMAND", help = t(help::DO_COMMAND))]
    pub command: Option<String>,
    #[arg(value_name = "SUBJECT | KEY=VALUE", help = t(help::DO_ARGUMENTS))]
    pub arguments: Vec<String>,
    #[arg(long, value_name = "KEY", help = t(help::DO_ASK))]
    pub ask: Vec<String>,
    #[command(flatten)]
    pub asker: Asker,
    #[arg(long, value_name = "HEX", default_value = "", hide_default_value = true, help = t(help::DO_COMMAND_ID))]
    pub command_id: String,
    #[arg(long, help = t(help::YES))]
    pub yes: bool,
    #[arg(long, help = t(help::DO_DRY_RUN))]
    pub dry_run: bool,
    #[command(flatten)]
    pub each: Each,
    #[arg(long, help = t(help::DO_EXPLAIN))]
    pub explain: bool,
    /// Its own flag, since `do --help COMMAND` is about that command.
    #[arg(short = 'h', long, help = t(help::DO_HELP))]
    pub help: bool,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct UndoArgs {
    #[arg(value_name = "COMMAND_ID", default_value = "", hide_default_value = true, help = t(help::UNDO_ID))]
    pub undone: String,
    #[arg(long, help = t(help::DO_DRY_RUN))]
    pub dry_run: bool,
    #[arg(long, value_name = "HEX", default_value = "", hide_default_value = true, help = t(help::DO_COMMAND_ID))]
    pub command_id: String,
    #[command(flatten)]
    pub asker: Asker,
    #[command(flatten)]
    pub read: Read,
}

/// Divisions are no records; all else is rows of records.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ImportVerb {
    #[command(subcommand)]
    pub other: Option<Import>,
    #[command(flatten)]
    pub rows: ImportArgs,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Import {
    #[command(about = t(help::IMPORT_REGIONS), after_help = t(help::IMPORT_REGIONS_AFTER))]
    Regions(ImportRegionsArgs),
}

impl ImportVerb {
    pub fn json(&self) -> bool {
        match &self.other {
            Some(Import::Regions(args)) => args.propose.read.json,
            None => self.rows.read.json,
        }
    }
}

#[derive(Clone, Debug, Args)]
pub struct ImportRegionsArgs {
    #[arg(value_name = "FILE", help = t(help::IMPORT_FILE))]
    pub file: PathBuf,
    #[arg(long, help = t(help::DRY_RUN))]
    pub dry_run: bool,
    #[command(flatten)]
    pub propose: Propose,
}

#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    #[arg(value_name = "KIND", default_value = "", hide_default_value = true, help = t(help::IMPORT_KIND))]
    pub kind: String,
    #[arg(value_name = "FILE", help = t(help::IMPORT_ROWS))]
    pub file: Option<PathBuf>,
    #[arg(long, help = t(help::DRY_RUN))]
    pub dry_run: bool,
    #[arg(long, help = t(help::SKIP_BAD))]
    pub skip_bad: bool,
    #[command(flatten)]
    pub table: Table,
    #[arg(long, value_enum, value_name = "WHO", help = t(help::NAMESAKES))]
    pub namesakes: Option<Namesakes>,
    #[arg(long, help = t(help::OVERWRITE_SEALED))]
    pub overwrite_sealed: bool,
    #[arg(long, help = t(help::ANEW))]
    pub anew: bool,
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
    pub page: Page,
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

#[derive(Clone, Debug, Args)]
pub struct RevealArgs {
    #[arg(value_name = "ID", help = t(help::RECORD_ID))]
    pub id: String,
    #[arg(long, value_name = "TEXT", help = t(help::REVEAL_WHY))]
    pub why: String,
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, help = t(help::REVEAL_SKIP))]
    pub after: u32,
    #[arg(long, value_name = "NAME", env = "HELIU_WHO", help = t(help::WHO))]
    pub who: Option<String>,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct EraseArgs {
    #[arg(value_name = "ID", help = t(help::RECORD_ID))]
    pub id: String,
    #[arg(long, value_name = "TEXT", help = t(help::ERASE_REASON))]
    pub reason: String,
    #[arg(long, value_name = "NAME", env = "HELIU_WHO", help = t(help::WHO))]
    pub who: Option<String>,
    #[arg(long, help = t(help::YES))]
    pub yes: bool,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct ReceiptArgs {
    #[arg(value_name = "ID", help = t(help::RECEIPT_ID))]
    pub id: String,
    #[command(flatten)]
    pub read: Read,
}
