//! Verbs that look after a node: what it refused, what is stranded, what was done at it.

use clap::{Args, Subcommand};

use super::flags::{Page, Read};
use crate::text::{help, labelled as t};

#[derive(Clone, Debug, Subcommand)]
pub enum Quarantine {
    #[command(about = t(help::QUARANTINE_LIST), after_help = t(help::QUARANTINE_AFTER))]
    List(QuarantineListArgs),
    #[command(about = t(help::QUARANTINE_SHOW), after_help = t(help::QUARANTINE_AFTER))]
    Show(QuarantineShowArgs),
    #[command(about = t(help::QUARANTINE_REQUEUE), after_help = t(help::QUARANTINE_AFTER))]
    Requeue(QuarantineActArgs),
    #[command(about = t(help::QUARANTINE_DROP), after_help = t(help::QUARANTINE_AFTER))]
    Drop(QuarantineActArgs),
}

impl Quarantine {
    pub fn json(&self) -> bool {
        match self {
            Quarantine::List(args) => args.read.json,
            Quarantine::Show(args) => args.read.json,
            Quarantine::Requeue(args) | Quarantine::Drop(args) => args.read.json,
        }
    }
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

#[derive(Clone, Debug, Args)]
pub struct QuarantineShowArgs {
    #[arg(value_name = "ID", help = t(help::QUARANTINE_ID))]
    pub id: String,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct QuarantineActArgs {
    #[arg(value_name = "ID", help = t(help::QUARANTINE_ID))]
    pub id: String,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, help = t(help::ACT_REASON))]
    pub reason: String,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Foreign {
    #[command(about = t(help::FOREIGN_LIST), after_help = t(help::FOREIGN_AFTER))]
    List(Read),
    #[command(about = t(help::FOREIGN_DECLINE), after_help = t(help::FOREIGN_AFTER))]
    Decline(ForeignActArgs),
    #[command(about = t(help::FOREIGN_ACCEPT), after_help = t(help::FOREIGN_AFTER))]
    Accept(ForeignActArgs),
}

impl Foreign {
    pub fn json(&self) -> bool {
        match self {
            Foreign::List(read) => read.json,
            Foreign::Decline(args) | Foreign::Accept(args) => args.read.json,
        }
    }
}

#[derive(Clone, Debug, Args)]
pub struct ForeignActArgs {
    #[arg(value_name = "SEAT", help = t(help::FOREIGN_SEAT))]
    pub seat: String,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, help = t(help::ACT_REASON))]
    pub reason: String,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Stranded {
    #[command(about = t(help::STRANDED_LIST), after_help = t(help::STRANDED_AFTER))]
    List(StrandedListArgs),
    #[command(about = t(help::STRANDED_REISSUE), after_help = t(help::STRANDED_AFTER))]
    Reissue(StrandedActArgs),
    #[command(about = t(help::STRANDED_DISCARD), after_help = t(help::STRANDED_AFTER))]
    Discard(StrandedActArgs),
}

impl Stranded {
    pub fn json(&self) -> bool {
        match self {
            Stranded::List(args) => args.read.json,
            Stranded::Reissue(args) | Stranded::Discard(args) => args.read.json,
        }
    }
}

#[derive(Clone, Debug, Args)]
pub struct StrandedListArgs {
    #[command(flatten)]
    pub page: Page,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct StrandedActArgs {
    #[arg(value_name = "EDIT", help = t(help::STRANDED_EDIT))]
    pub edit: String,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, help = t(help::ACT_REASON))]
    pub reason: String,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Audit {
    #[command(about = t(help::AUDIT_LIST), after_help = t(help::AUDIT_AFTER))]
    List(AuditListArgs),
    #[command(about = t(help::AUDIT_VERIFY), after_help = t(help::AUDIT_AFTER))]
    Verify(Read),
}

#[derive(Clone, Debug, Args)]
pub struct AuditListArgs {
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, help = t(help::AUDIT_FROM))]
    pub after: u64,
    #[arg(long, value_name = "N", default_value_t = 100, help = t(help::LIMIT))]
    pub limit: u32,
    #[command(flatten)]
    pub read: Read,
}
