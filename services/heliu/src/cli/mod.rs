//! The command line: verbs, their flags and what each needs. What the texts say is in `text::help`; what a verb does is
//! in the file of its group.

mod care;
mod deploy;
mod flags;
mod ledgers;
mod records;
mod table;

use clap::{Parser, Subcommand};

pub use care::*;
pub use deploy::*;
pub use flags::*;
pub use ledgers::*;
pub use records::*;
pub use table::*;

use crate::text::{Language, help, labelled as t};

#[derive(Debug, Parser)]
#[command(name = "heliu", version, about = t(help::HELIU), after_help = help::heliu_after())]
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
    #[command(about = t(help::ENROLL), after_help = t(help::ENROLL_AFTER))]
    Enroll(EnrollArgs),
    #[command(about = t(help::JOIN), after_help = t(help::JOIN_AFTER))]
    Join(JoinArgs),
    #[command(about = t(help::NODES), after_help = t(help::NODES_AFTER))]
    Nodes(Read),
    #[command(about = t(help::DELEGATE), after_help = t(help::DELEGATE_AFTER))]
    Delegate(DelegateArgs),
    #[command(about = t(help::FENCE), after_help = t(help::FENCE_AFTER))]
    Fence(FenceArgs),
    #[command(about = t(help::TWO_SIGNATURES), after_help = t(help::TWO_SIGNATURES_AFTER))]
    TwoSignatures(TwoSignaturesArgs),
    #[command(subcommand, about = t(help::DIRECTORY), after_help = t(help::DIRECTORY_AFTER))]
    Directory(Directory),
    #[command(subcommand, about = t(help::ROOT), after_help = t(help::ROOT_AFTER))]
    Root(Root),
    #[command(subcommand, about = t(help::ACCESS), after_help = t(help::ACCESS_AFTER))]
    Access(Access),
    #[command(about = t(help::ROTATE), after_help = t(help::ROTATE_AFTER))]
    Rotate(RotateArgs),
    #[command(about = t(help::DOCTOR), after_help = t(help::DOCTOR_AFTER))]
    Doctor(DoctorArgs),
    #[command(about = t(help::STATUS), after_help = t(help::STATUS_AFTER))]
    Status(Read),
    #[command(about = t(help::PEERS), after_help = t(help::PEERS_AFTER))]
    Peers(Read),
    #[command(about = t(help::VERIFY), after_help = t(help::VERIFY_AFTER))]
    Verify(VerifyArgs),
    #[command(about = t(help::ALARMS), after_help = t(help::ALARMS_AFTER))]
    Alarms(Read),
    #[command(about = t(help::GET), after_help = t(help::GET_AFTER))]
    Get(GetArgs),
    #[command(about = t(help::LIST), after_help = t(help::LIST_AFTER))]
    List(ListArgs),
    #[command(about = t(help::LEDGER), after_help = t(help::LEDGER_AFTER))]
    Ledger(LedgerArgs),
    #[command(about = t(help::INBOX), after_help = t(help::INBOX_AFTER))]
    Inbox(StandingArgs),
    #[command(about = t(help::DUE), after_help = t(help::DUE_AFTER))]
    Due(DueArgs),
    #[command(about = t(help::ADVISORIES), after_help = t(help::ADVISORIES_AFTER))]
    Advisories(StandingArgs),
    #[command(about = t(help::HISTORY), after_help = t(help::HISTORY_AFTER))]
    History(HistoryArgs),
    #[command(about = t(help::DO), after_help = t(help::DO_AFTER), disable_help_flag = true)]
    Do(DoArgs),
    #[command(about = t(help::REVEAL), after_help = t(help::REVEAL_AFTER))]
    Reveal(RevealArgs),
    #[command(about = t(help::ERASE), after_help = t(help::ERASE_AFTER))]
    Erase(EraseArgs),
    #[command(about = t(help::RECEIPT), after_help = t(help::RECEIPT_AFTER))]
    Receipt(ReceiptArgs),
    #[command(about = t(help::IMPORT), after_help = t(help::IMPORT_AFTER))]
    Import(ImportVerb),
    #[command(about = t(help::EXPORT), after_help = t(help::EXPORT_AFTER))]
    Export(ExportArgs),
    #[command(about = t(help::TEMPLATE), after_help = t(help::TEMPLATE_AFTER))]
    Template(TemplateArgs),
    #[command(subcommand, about = t(help::CONFLICTS), after_help = t(help::CONFLICTS_AFTER))]
    Conflicts(Conflicts),
    #[command(subcommand, about = t(help::QUARANTINE), after_help = t(help::QUARANTINE_AFTER))]
    Quarantine(Quarantine),
    #[command(subcommand, about = t(help::FOREIGN), after_help = t(help::FOREIGN_AFTER))]
    Foreign(Foreign),
    #[command(subcommand, about = t(help::STRANDED), after_help = t(help::STRANDED_AFTER))]
    Stranded(Stranded),
    #[command(subcommand, about = t(help::AUDIT), after_help = t(help::AUDIT_AFTER))]
    Audit(Audit),
}

impl Verb {
    /// Whether a program reads the answer.
    pub fn json(&self) -> bool {
        match self {
            Verb::Demo(args) => args.json,
            Verb::Init(args) => args.json,
            Verb::Node(args) => args.log_json,
            Verb::Enroll(args) => args.read.json,
            Verb::Join(args) => args.json,
            Verb::Nodes(read) | Verb::Status(read) | Verb::Peers(read) | Verb::Alarms(read) => read.json,
            Verb::Delegate(args) => args.propose.read.json,
            Verb::Fence(args) => args.propose.read.json,
            Verb::TwoSignatures(args) => args.propose.read.json,
            Verb::Directory(directory) => directory.json(),
            Verb::Root(root) => root.json(),
            Verb::Access(access) => access.json(),
            Verb::Rotate(args) => args.json,
            Verb::Doctor(args) => args.json,
            Verb::Verify(args) => args.read.json,
            Verb::Get(args) => args.read.json,
            Verb::List(args) => args.read.json,
            Verb::Ledger(args) => args.read.json,
            Verb::Inbox(args) | Verb::Advisories(args) => args.read.json,
            Verb::Due(args) => args.standing.read.json,
            Verb::History(args) => args.read.json,
            Verb::Do(args) => args.read.json,
            Verb::Reveal(args) => args.read.json,
            Verb::Erase(args) => args.read.json,
            Verb::Receipt(args) => args.read.json,
            Verb::Import(import) => import.json(),
            Verb::Export(args) => args.read.json,
            Verb::Template(args) => args.read.json,
            Verb::Conflicts(Conflicts::List(args)) => args.read.json,
            Verb::Conflicts(Conflicts::Show(args)) => args.read.json,
            Verb::Conflicts(Conflicts::Settle(args)) => args.read.json,
            Verb::Quarantine(quarantine) => quarantine.json(),
            Verb::Foreign(foreign) => foreign.json(),
            Verb::Stranded(stranded) => stranded.json(),
            Verb::Audit(Audit::List(args)) => args.read.json,
            Verb::Audit(Audit::Verify(read)) => read.json,
        }
    }
}
