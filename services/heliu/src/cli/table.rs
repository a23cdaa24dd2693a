//! What somebody says of a table who imports or exports one.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::flags::Read;
use crate::text::{help, labelled as t};

/// Which day a month stands for that is written alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DayOfMonth {
    First,
    Last,
}

/// Whom a row is about whose name is there and whom nothing tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Namesakes {
    Same,
    New,
}

/// Which sort of file a table is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Csv,
    Xlsx,
}

#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    #[arg(value_name = "KIND", default_value = "", hide_default_value = true, help = t(help::IMPORT_KIND))]
    pub kind: String,
    #[arg(short = 'o', long, value_name = "FILE", help = t(help::TABLE_OUT))]
    pub out: PathBuf,
    #[arg(long, value_enum, value_name = "FORMAT", help = t(help::TABLE_FORMAT))]
    pub format: Option<Format>,
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true, help = t(help::LIST_REFERS_TO))]
    pub refers_to: String,
    #[arg(long, help = t(help::EXPORT_REVEAL))]
    pub reveal: bool,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, help = t(help::REVEAL_WHY))]
    pub why: String,
    #[arg(long, value_name = "NAME", env = "HELIU_WHO", help = t(help::WHO))]
    pub who: Option<String>,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct TemplateArgs {
    #[arg(value_name = "KIND", default_value = "", hide_default_value = true, help = t(help::IMPORT_KIND))]
    pub kind: String,
    #[arg(short = 'o', long, value_name = "FILE", help = t(help::TABLE_OUT))]
    pub out: PathBuf,
    #[arg(long, value_enum, value_name = "FORMAT", help = t(help::TABLE_FORMAT))]
    pub format: Option<Format>,
    #[command(flatten)]
    pub read: Read,
}
