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

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sheet {
    Letter,
    Receipt,
    Card,
    Roster,
}

impl Sheet {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Sheet::Letter => "letter",
            Sheet::Receipt => "receipt",
            Sheet::Card => "card",
            Sheet::Roster => "roster",
        }
    }
}

#[derive(Clone, Debug, Args)]
pub struct PrintArgs {
    #[arg(value_enum, value_name = "SHEET", help = t(help::PRINT_SHEET))]
    pub sheet: Sheet,
    #[arg(value_name = "SUBJECT", help = t(help::PRINT_SUBJECT))]
    pub subject: String,
    #[arg(long, value_name = "NUMBER", default_value = "", hide_default_value = true, help = t(help::PRINT_LETTER))]
    pub letter: String,
    #[arg(short = 'o', long, value_name = "FILE", help = t(help::PRINT_OUT))]
    pub out: Option<PathBuf>,
    #[arg(long, help = t(help::PRINT_PDF))]
    pub pdf: bool,
    #[arg(long, value_name = "FILE", requires = "pdf", help = t(help::PRINT_FONT))]
    pub font: Option<PathBuf>,
    #[command(flatten)]
    pub read: Read,
}
