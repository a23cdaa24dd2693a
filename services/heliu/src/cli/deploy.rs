//! Verbs that deploy: the demo, a realm, its nodes, who is let in and who is shut out.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use heliu_node::zone;
use heliu_trust::directory::DEFAULT_TIME_ZONE;

use super::flags::{Propose, Read};
use crate::config::PORT;
use crate::text::{help, labelled as t, time};

/// `host:port`, as others dial it.
fn address(text: &str) -> Result<String, String> {
    let good = crate::config::is_address(text).then(|| text.to_owned());
    good.ok_or_else(|| crate::text::tr!("应为 主机:端口", "it takes host:port"))
}

/// Of this machine.
fn listening(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        crate::text::tr!("应为 IP 地址:端口,如 0.0.0.0:7340", "it takes an IP address and a port, such as 0.0.0.0:7340")
    })
}

/// As the tz database writes it.
fn time_zone(text: &str) -> Result<String, String> {
    use crate::text::{nearest, tr};
    zone::known(text).ok_or_else(|| {
        let names = zone::names();
        match nearest(text, names.iter().map(String::as_str)) {
            Some(near) => tr!("没有这个时区;是不是 {near}?", "there is no such time zone; did you mean {near}?"),
            None => {
                tr!("没有这个时区;应如 Asia/Shanghai", "there is no such time zone; it takes one such as Asia/Shanghai")
            }
        }
    })
}

fn span(text: &str) -> Result<Duration, String> {
    time::parse_span(text).ok_or_else(|| crate::text::tr!("应如 30m、24h、7d", "it takes 30m, 24h, 7d"))
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
    #[arg(long, value_name = "ZONE", default_value = DEFAULT_TIME_ZONE, value_parser = time_zone, help = t(help::TIME_ZONE))]
    pub time_zone: String,
}

#[derive(Clone, Debug, Args)]
pub struct InitArgs {
    #[arg(long, value_name = "FILE", help = t(help::INIT_REGIONS))]
    pub regions: PathBuf,
    #[arg(long, value_name = "DIR", help = t(help::INIT_DIR))]
    pub dir: PathBuf,
    #[arg(long, value_name = "NAME", help = t(help::INIT_NAME))]
    pub name: Option<String>,
    #[arg(long, value_name = "ADDRESS", value_parser = listening, help = t(help::INIT_LISTEN))]
    pub listen: Option<SocketAddr>,
    #[arg(long, value_name = "HOST:PORT", value_parser = address, help = t(help::PUBLIC_ADDRESS))]
    pub address: Vec<String>,
    #[arg(long, value_name = "ZONE", default_value = DEFAULT_TIME_ZONE, value_parser = time_zone, help = t(help::TIME_ZONE))]
    pub time_zone: String,
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

#[derive(Clone, Debug, Args)]
pub struct EnrollArgs {
    #[arg(value_name = "SEAT", help = t(help::SEAT))]
    pub seat: String,
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = span, help = t(help::ENROLL_VALID))]
    pub valid: Duration,
    #[arg(long, value_name = "HOST:PORT", value_parser = address, help = t(help::ENROLL_ADDRESS))]
    pub address: Vec<String>,
    #[arg(long, value_name = "FILE", conflicts_with = "quiet", help = t(help::ENROLL_OUT))]
    pub out: Option<PathBuf>,
    #[arg(long, short, help = t(help::ENROLL_QUIET))]
    pub quiet: bool,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct JoinArgs {
    /// Its variable is looked at in `join`, where it comes last.
    #[arg(value_name = "TOKEN", help = t(help::JOIN_TOKEN))]
    pub token: Option<String>,
    #[arg(long, value_name = "DIR", help = t(help::JOIN_DIR))]
    pub dir: Option<PathBuf>,
    #[arg(long, value_name = "ADDRESS", value_parser = listening, help = t(help::INIT_LISTEN))]
    pub listen: Option<SocketAddr>,
    #[arg(long, value_name = "HOST:PORT", value_parser = address, help = t(help::PUBLIC_ADDRESS))]
    pub address: Vec<String>,
    #[arg(long, help = t(help::JOIN_NO_START))]
    pub no_start: bool,
    #[arg(long, help = t(help::JOIN_JSON))]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
pub struct DelegateArgs {
    #[arg(value_name = "SEAT", help = t(help::SEAT))]
    pub seat: String,
    #[arg(long, help = t(help::DELEGATE_OFF))]
    pub off: bool,
    #[command(flatten)]
    pub propose: Propose,
}

#[derive(Clone, Debug, Args)]
pub struct FenceArgs {
    /// By this id `--node` is known already.
    #[arg(id = "which", value_name = "NODE", help = t(help::FENCE_NODE))]
    pub node: String,
    #[arg(long, help = t(help::FENCE_NOTHING))]
    pub nothing: bool,
    #[arg(long = "exclude", value_name = "CHANGE", help = t(help::FENCE_EXCLUDE))]
    pub excluded: Vec<String>,
    #[arg(long, help = t(help::YES))]
    pub yes: bool,
    #[command(flatten)]
    pub propose: Propose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

#[derive(Clone, Debug, Args)]
pub struct TwoSignaturesArgs {
    #[arg(value_name = "ON|OFF", help = t(help::SWITCH))]
    pub switch: Switch,
    #[command(flatten)]
    pub propose: Propose,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Directory {
    #[command(about = t(help::DIRECTORY_LIST), after_help = t(help::DIRECTORY_AFTER))]
    List(DirectoryListArgs),
    #[command(about = t(help::DIRECTORY_SAVE), after_help = t(help::DIRECTORY_AFTER))]
    Save(DirectorySaveArgs),
    #[command(about = t(help::DIRECTORY_APPEND), after_help = t(help::DIRECTORY_AFTER))]
    Append(DirectoryAppendArgs),
    #[command(about = t(help::DIRECTORY_SIGN), after_help = t(help::DIRECTORY_AFTER))]
    Sign(DirectorySignArgs),
    #[command(about = t(help::DIRECTORY_KEY), after_help = t(help::DIRECTORY_AFTER))]
    Key(DirectoryKeyArgs),
    #[command(about = t(help::DIRECTORY_REVOKE), after_help = t(help::DIRECTORY_AFTER))]
    RevokeToken(RevokeTokenArgs),
    #[command(about = t(help::DIRECTORY_ADDRESSES), after_help = t(help::DIRECTORY_AFTER))]
    Addresses(AddressesArgs),
    #[command(about = t(help::DIRECTORY_TIME_ZONE), after_help = t(help::DIRECTORY_AFTER))]
    TimeZone(TimeZoneArgs),
}

impl Directory {
    pub fn json(&self) -> bool {
        match self {
            Directory::List(args) => args.read.json,
            Directory::Save(args) => args.read.json,
            Directory::Append(args) => args.read.json,
            Directory::Sign(args) => args.json,
            Directory::Key(args) => args.json,
            Directory::RevokeToken(args) => args.propose.read.json,
            Directory::Addresses(args) => args.propose.read.json,
            Directory::TimeZone(args) => args.propose.read.json,
        }
    }
}

#[derive(Clone, Debug, Args)]
pub struct DirectoryListArgs {
    #[arg(long, value_name = "N", default_value_t = 0, help = t(help::DIRECTORY_FROM))]
    pub from: u64,
    #[arg(long, value_name = "N", default_value_t = 100, help = t(help::LIMIT))]
    pub limit: u32,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct DirectorySaveArgs {
    #[arg(value_name = "FILE", help = t(help::DIRECTORY_SAVE_FILE))]
    pub file: PathBuf,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct DirectoryAppendArgs {
    #[arg(value_name = "ENTRY", required = true, help = t(help::DIRECTORY_ENTRY))]
    pub entries: Vec<PathBuf>,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, help = t(help::PROPOSE_REASON))]
    pub reason: String,
    #[command(flatten)]
    pub read: Read,
}

#[derive(Clone, Debug, Args)]
pub struct DirectorySignArgs {
    #[arg(value_name = "ENTRY", help = t(help::DIRECTORY_ENTRY))]
    pub entry: PathBuf,
    #[arg(long, value_name = "FILE", help = t(help::DIRECTORY_SIGN_KEY))]
    pub key: PathBuf,
    #[arg(long, value_name = "FILE", help = t(help::DIRECTORY_FILE))]
    pub directory: PathBuf,
    #[arg(long, value_name = "FILE", help = t(help::SIGN_OUT))]
    pub out: Option<PathBuf>,
    #[arg(long, help = t(help::JSON))]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
pub struct DirectoryKeyArgs {
    #[arg(value_name = "FILE", help = t(help::DIRECTORY_KEY_FILE))]
    pub file: PathBuf,
    #[arg(long, help = t(help::JSON))]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
pub struct RevokeTokenArgs {
    #[arg(value_name = "TOKEN", help = t(help::REVOKE_TOKEN))]
    pub token: String,
    #[command(flatten)]
    pub propose: Propose,
}

#[derive(Clone, Debug, Args)]
pub struct AddressesArgs {
    /// By this id `--node` is known already.
    #[arg(id = "which", value_name = "NODE", help = t(help::FENCE_NODE))]
    pub node: String,
    #[arg(value_name = "HOST:PORT", required = true, value_parser = address, help = t(help::PUBLIC_ADDRESS))]
    pub addresses: Vec<String>,
    #[command(flatten)]
    pub propose: Propose,
}

#[derive(Clone, Debug, Args)]
pub struct TimeZoneArgs {
    #[arg(value_name = "ZONE", value_parser = time_zone, help = t(help::TIME_ZONE))]
    pub time_zone: String,
    #[command(flatten)]
    pub propose: Propose,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Root {
    #[command(about = t(help::ROOT_ISSUER), after_help = t(help::ROOT_AFTER))]
    Issuer(RootIssuerArgs),
    #[command(about = t(help::ROOT_COSIGNER), after_help = t(help::ROOT_AFTER))]
    Cosigner(RootCosignerArgs),
    #[command(about = t(help::ROOT_ESCROW), after_help = t(help::ROOT_AFTER))]
    Escrow(RootEscrowArgs),
    #[command(about = t(help::ROOT_TWO_SIGNATURES), after_help = t(help::ROOT_AFTER))]
    TwoSignatures(RootTwoSignaturesArgs),
    #[command(about = t(help::ROOT_RESOLVE), after_help = t(help::ROOT_RESOLVE_AFTER))]
    Resolve(RootResolveArgs),
    #[command(about = t(help::ROOT_REVEAL), after_help = t(help::ROOT_REVEAL_AFTER))]
    Reveal(RootRevealArgs),
}

impl Root {
    pub fn json(&self) -> bool {
        match self {
            Root::Issuer(args) => args.signing.json,
            Root::Cosigner(args) => args.signing.json,
            Root::Escrow(args) => args.signing.json,
            Root::TwoSignatures(args) => args.signing.json,
            Root::Resolve(args) => args.signing.json,
            Root::Reveal(args) => args.json,
        }
    }
}

#[derive(Clone, Debug, Args)]
pub struct RootRevealArgs {
    #[arg(value_name = "RECORD", help = t(help::RECORD_ID))]
    pub id: String,
    #[arg(long, value_name = "FILE", help = t(help::ROOT_REVEAL_KEY))]
    pub escrow_key: PathBuf,
    #[arg(long, value_name = "DIR", help = t(help::ROOT_REVEAL_DATA))]
    pub data: PathBuf,
    #[arg(long, help = t(help::JSON))]
    pub json: bool,
}

/// What every act of the root needs; it is done offline.
#[derive(Clone, Debug, Args)]
pub struct RootSigning {
    #[arg(long, value_name = "FILE", help = t(help::ROOT_KEY))]
    pub root_key: PathBuf,
    #[arg(long, value_name = "FILE", help = t(help::SIGN_OUT))]
    pub out: Option<PathBuf>,
    #[arg(long, help = t(help::JSON))]
    pub json: bool,
}

/// The directory that the next entry is for.
#[derive(Clone, Debug, Args)]
pub struct RootDirectory {
    #[arg(long, value_name = "FILE", help = t(help::ROOT_DIRECTORY))]
    pub directory: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct RootIssuerArgs {
    #[arg(long, value_name = "FILE", help = t(help::ROOT_NEW_ISSUER))]
    pub new_issuer_key: PathBuf,
    #[command(flatten)]
    pub on: RootDirectory,
    #[command(flatten)]
    pub signing: RootSigning,
}

#[derive(Clone, Debug, Args)]
pub struct RootCosignerArgs {
    #[arg(value_name = "KEY", help = t(help::ROOT_COSIGNER_KEY))]
    pub key: String,
    #[arg(long, help = t(help::ROOT_COSIGNER_OFF))]
    pub off: bool,
    #[command(flatten)]
    pub on: RootDirectory,
    #[command(flatten)]
    pub signing: RootSigning,
}

#[derive(Clone, Debug, Args)]
pub struct RootEscrowArgs {
    #[arg(long, value_name = "FILE", help = t(help::ROOT_NEW_ESCROW))]
    pub new_escrow_key: PathBuf,
    #[command(flatten)]
    pub on: RootDirectory,
    #[command(flatten)]
    pub signing: RootSigning,
}

#[derive(Clone, Debug, Args)]
pub struct RootTwoSignaturesArgs {
    #[arg(value_name = "ON|OFF", help = t(help::SWITCH))]
    pub switch: Switch,
    #[command(flatten)]
    pub on: RootDirectory,
    #[command(flatten)]
    pub signing: RootSigning,
}

#[derive(Clone, Debug, Args)]
pub struct RootResolveArgs {
    #[arg(long, value_name = "FILE", help = t(help::ROOT_RESOLVE_KEEP))]
    pub keep: PathBuf,
    #[arg(long = "drop", value_name = "FILE", required_unless_present = "from", help = t(help::ROOT_RESOLVE_DROP))]
    pub dropped: Vec<PathBuf>,
    #[arg(long, value_name = "N", requires = "abandoned", help = t(help::ROOT_RESOLVE_FROM))]
    pub from: Option<u64>,
    #[arg(long = "abandon", value_name = "VERSION", help = t(help::ROOT_RESOLVE_ABANDON))]
    pub abandoned: Vec<String>,
    #[arg(long, value_name = "FILE", help = t(help::ROOT_NEW_ISSUER))]
    pub new_issuer_key: Option<PathBuf>,
    #[command(flatten)]
    pub signing: RootSigning,
}

/// A node's files on this machine.
#[derive(Clone, Debug, Default, Args)]
pub struct Local {
    #[arg(long, value_name = "DIR", help = t(help::LOCAL_DIR))]
    pub dir: Option<PathBuf>,
    #[arg(long, value_name = "FILE", conflicts_with = "dir", help = t(help::NODE_CONFIG))]
    pub config: Option<PathBuf>,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Access {
    #[command(about = t(help::ACCESS_ADD), after_help = t(help::ACCESS_AFTER))]
    Add(AccessAddArgs),
    #[command(about = t(help::ACCESS_LIST), after_help = t(help::ACCESS_AFTER))]
    List(AccessListArgs),
    #[command(about = t(help::ACCESS_REVOKE), after_help = t(help::ACCESS_AFTER))]
    Revoke(AccessRevokeArgs),
}

impl Access {
    pub fn json(&self) -> bool {
        match self {
            Access::Add(args) => args.json,
            Access::List(args) => args.json,
            Access::Revoke(args) => args.json,
        }
    }
}

#[derive(Clone, Debug, Args)]
pub struct AccessAddArgs {
    #[arg(long, value_name = "NAME", help = t(help::ACCESS_NAME))]
    pub name: String,
    #[arg(long = "role", value_name = "ROLE", required = true, help = t(help::ACCESS_ROLE))]
    pub roles: Vec<String>,
    #[arg(long = "seat", value_name = "SEAT", help = t(help::ACCESS_SEAT))]
    pub seats: Vec<String>,
    #[arg(long = "kind", value_name = "KIND", help = t(help::ACCESS_KIND))]
    pub kinds: Vec<String>,
    #[arg(long, value_name = "TIME", value_parser = span, help = t(help::ACCESS_EXPIRES))]
    pub expires: Option<Duration>,
    #[arg(long, value_name = "FILE", help = t(help::ACCESS_OUT))]
    pub out: PathBuf,
    #[arg(long, value_name = "HOST:PORT", value_parser = address, help = t(help::ACCESS_ADDRESS))]
    pub address: Vec<String>,
    #[command(flatten)]
    pub local: Local,
    #[arg(long, help = t(help::JSON))]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
pub struct AccessListArgs {
    #[command(flatten)]
    pub local: Local,
    #[arg(long, help = t(help::JSON))]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
pub struct AccessRevokeArgs {
    #[arg(value_name = "ID", help = t(help::ACCESS_ID))]
    pub id: String,
    #[command(flatten)]
    pub local: Local,
    #[arg(long, help = t(help::JSON))]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
pub struct RotateArgs {
    #[command(flatten)]
    pub local: Local,
    #[arg(long, help = t(help::JSON))]
    pub json: bool,
}

#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    #[command(flatten)]
    pub local: Local,
    #[arg(long, help = t(help::JSON))]
    pub json: bool,
}
