//! What somebody asks of a ledger.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::flags::{Page, Read};
use super::table::Format;
use crate::text::{help, labelled as t};

/// By what the lines of a ledger are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum By {
    Seat,
    Org,
}

#[derive(Clone, Debug, Args)]
pub struct LedgerArgs {
    #[arg(value_name = "NAME", default_value = "", hide_default_value = true, help = t(help::LEDGER_NAME))]
    pub name: String,
    #[arg(long, value_enum, value_name = "BY", help = t(help::LEDGER_BY))]
    pub by: Option<By>,
    #[arg(long, value_name = "ORG|SEAT", default_value = "", hide_default_value = true, help = t(help::LEDGER_AT))]
    pub at: String,
    #[arg(long, value_name = "DATE", default_value = "", hide_default_value = true, help = t(help::LEDGER_ON))]
    pub on: String,
    #[arg(long, value_name = "DATE", default_value = "", hide_default_value = true, help = t(help::LEDGER_FROM))]
    pub from: String,
    #[arg(long, value_name = "DATE", default_value = "", hide_default_value = true, help = t(help::LEDGER_TO))]
    pub to: String,
    #[arg(short = 'o', long, value_name = "FILE", help = t(help::TABLE_OUT))]
    pub out: Option<PathBuf>,
    #[arg(long, value_enum, value_name = "FORMAT", requires = "out", help = t(help::TABLE_FORMAT))]
    pub format: Option<Format>,
    #[arg(long, requires = "why", help = t(help::LEDGER_COUNT))]
    pub count: bool,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, help = t(help::REVEAL_WHY))]
    pub why: String,
    #[arg(long, value_name = "NAME", env = "HELIU_WHO", help = t(help::WHO))]
    pub who: Option<String>,
    #[command(flatten)]
    pub page: Page,
    #[command(flatten)]
    pub read: Read,
}

/// Of the ledgers of what somebody has to do.
#[derive(Clone, Debug, Args)]
pub struct StandingArgs {
    #[arg(long, value_name = "ORG|SEAT", default_value = "", hide_default_value = true, help = t(help::LEDGER_AT))]
    pub at: String,
    #[command(flatten)]
    pub page: Page,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct DueArgs {
    #[arg(long, value_name = "DATE", default_value = "", hide_default_value = true, help = t(help::DUE_ON))]
    pub on: String,
    #[command(flatten)]
    pub standing: StandingArgs,
}

impl LedgerArgs {
    /// The ledger of a verb of its own.
    pub fn of(name: &str, standing: &StandingArgs, on: &str) -> Self {
        LedgerArgs {
            name: name.to_owned(),
            by: None,
            at: standing.at.clone(),
            on: on.to_owned(),
            from: String::new(),
            to: String::new(),
            out: None,
            format: None,
            count: false,
            why: String::new(),
            who: None,
            page: standing.page.clone(),
            read: standing.read.clone(),
        }
    }
}
