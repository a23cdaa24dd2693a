//! Flags that several verbs have: which node is asked, which page, who asks and why.

use std::path::PathBuf;

use clap::Args;

use crate::text::{help, labelled as t};

/// Which node a verb talks to.
#[derive(Clone, Debug, Default, Args)]
pub struct Target {
    #[arg(long, value_name = "DIR", help = t(help::TARGET_DIR))]
    pub dir: Option<PathBuf>,
    /// Its variable, and that of `--node`, are looked at in `target`, where they come after what was typed.
    #[arg(long, value_name = "FILE", conflicts_with = "dir", help = t(help::TARGET_ACCESS))]
    pub access: Option<PathBuf>,
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["dir", "access"], help = t(help::TARGET_NODE))]
    pub node: Option<String>,
}

#[derive(Clone, Debug, Default, Args)]
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
#[derive(Clone, Debug, Default, Args)]
pub struct Asker {
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, help = t(help::REASON))]
    pub reason: String,
    #[arg(long, value_name = "NAME", env = "HELIU_WHO", help = t(help::WHO))]
    pub who: Option<String>,
    #[arg(long = "for", value_name = "SEAT", default_value = "", hide_default_value = true, help = t(help::ON_BEHALF))]
    pub on_behalf: String,
}

/// What is common to all that changes the directory.
#[derive(Clone, Debug, Default, Args)]
pub struct Propose {
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, help = t(help::PROPOSE_REASON))]
    pub reason: String,
    #[arg(long, value_name = "FILE", help = t(help::PROPOSE_OUT))]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub read: Read,
}
