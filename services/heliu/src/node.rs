//! `heliu node`: one node with its store, from its configuration to its orderly end.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use heliu_catalogue::catalogue;
use heliu_client::Access;
use heliu_disk::small_file;
use heliu_node::status::{LinkRole, NodeStatus};
use heliu_node::{Anchor, Node, NodeHandle, Options, Retry, Security, ShutdownError, StartError, Tls, Upstream};
use heliu_record::seats::Seat;
use heliu_trust::directory::SignedEntry;
use heliu_trust::ed25519::Ed25519;
use heliu_trust::signature::Signer;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::answer::{Done, print, print_json};
use crate::cli::NodeArgs;
use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::layout::{CONFIG, LOCAL_ACCESS};
use crate::out::Log;
use crate::realm::node_dir::reachable;
use crate::realm::{directory_file, key_file};
use crate::render::seat_of;
use crate::text::table;
use crate::text::{Say, count, labelled, reasons, say, time, tr};
use crate::{config, modes, target};

pub async fn run(args: &NodeArgs) -> Result<Done, Failure> {
    run_at(&config_file(args), args.log_json).await
}

/// Runs the node of a configuration until it is told to end.
pub async fn run_at(file: &Path, log_json: bool) -> Result<Done, Failure> {
    let config = Config::load(file)?;
    let log_json = log_json || config.log_json;
    log(log_json);
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for (name, near) in config::stray(names) {
        tracing::warn!(name, did_you_mean = near, "this variable is no setting and has no effect");
    }
    let options = options(&config)?;
    modes::tighten(&config);
    let signals = Signals::listen()?;
    let store = config.store().open().await?;
    let node = Node::start(options, Arc::clone(&store)).await;
    let node = match node {
        Ok(node) => node,
        Err(error) => {
            // Whatever the store says now, why the node does not start is the news.
            let _ = store.close().await;
            return Err(not_started(error));
        }
    };
    let status = node.status().await.map_err(|_| stopped(say!("它没有说明自己的状态", "it did not say how it is")))?;
    keep_local_access(&config, &node);
    say_ready(&config, &node, &status, log_json)?;
    let equal = tokio::spawn(say_equal(node.clone(), log_json));
    let ended = live(&config, &node, signals).await;
    equal.abort();
    let closed = tokio::time::timeout(config.shutdown, store.close()).await;
    ended?;
    match closed {
        Ok(closed) => {
            closed?;
            tracing::info!("the store is closed");
        }
        Err(_) => {
            tracing::warn!("the store did not close in time and is let go of; what was acknowledged is in it");
        }
    }
    Ok(Done::Well)
}

fn config_file(args: &NodeArgs) -> PathBuf {
    match (&args.config, &args.dir) {
        (Some(file), _) => file.clone(),
        (None, Some(dir)) => dir.join(CONFIG),
        (None, None) => {
            let variable = std::env::var_os("HELIU_CONFIG").filter(|file| !file.is_empty()).map(PathBuf::from);
            variable.or_else(target::usual_config).unwrap_or_else(|| PathBuf::from(CONFIG))
        }
    }
}

/// To standard error; standard output has the one line that says that the node is ready.
fn log(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || Log { json })
        // Colours would be let through by the same door as what others wrote.
        .with_ansi(false);
    // A subscriber that is there already stays: nothing is lost but the choice of its form.
    let _ = if json { subscriber.json().flatten_event(true).try_init() } else { subscriber.try_init() };
}

fn options(config: &Config) -> Result<Options, Failure> {
    let key = key_file::read(&config.key_file)?;
    let sealing = key_file::read_sealing(&config.sealing_key_file)?;
    let issuer: Option<Arc<dyn Signer>> = match config.issuer_key_file.exists() {
        true => Some(Arc::new(key_file::read(&config.issuer_key_file)?)),
        false => None,
    };
    let anchor = Anchor { realm: config.realm(), root: config.root };
    let upstreams = |nodes: &[Vec<String>]| nodes.iter().map(Upstream::at).collect();
    Ok(Options {
        realm_name: config.realm_name.clone(),
        sealing: Some(Arc::new(sealing)),
        issuer,
        security: security(config),
        directory: directory(config)?,
        upstreams: upstreams(&config.parents),
        peers: upstreams(&config.peers),
        program: concat!("heliu ", env!("CARGO_PKG_VERSION")).to_owned(),
        shutdown_deadline: config.shutdown,
        retry: Retry { max: config.retry_max, ..Retry::default() },
        foreign_max: config.foreign_max,
        ..Options::new(catalogue(), Arc::new(key), Arc::new(Ed25519), anchor, config.listen)
    })
}

fn security(config: &Config) -> Security {
    if config.plain {
        return Security::LoopbackPlain;
    }
    Security::Tls(Tls {
        certificate: config.certificate_file.clone(),
        key: config.certificate_key_file.clone(),
        access: config.access_file.clone(),
        names: config.names.clone(),
        ..Tls::in_dir(Path::new("."))
    })
}

/// The access file beside the configuration says where this node really listens: the configuration may have changed.
fn keep_local_access(config: &Config, node: &NodeHandle) {
    let file = config.file.with_file_name(LOCAL_ACCESS);
    let addresses = vec![reachable(node.address()).to_string()];
    let Ok(access) = Access::read(&file) else { return };
    if access.addresses != addresses
        && let Err(error) = (Access { addresses, ..access }).write(&file)
    {
        tracing::warn!(%error, "the access file of this machine is out of date");
    }
}

/// Tells once that this node and its superior, or mirror, hold the same.
async fn say_equal(node: NodeHandle, json: bool) {
    const LOOK: Duration = Duration::from_millis(250);
    loop {
        tokio::time::sleep(LOOK).await;
        let Ok(links) = node.links().await else { return };
        let dialled = links.iter().filter(|link| link.role != LinkRole::Child && !link.is_misplaced);
        let Some(link) = dialled.into_iter().find(|link| link.verified_ms.is_some()) else { continue };
        let directory = node.directory();
        let seat = link.peer_seat.and_then(|seat| directory.seats().get(seat));
        let (name, code) = seat.map_or(("", ""), |seat| (seat.name.as_str(), seat.code.as_str()));
        let address = &link.address;
        let _ = if json {
            print_json(&json!({"event": "equal", "seat": seat.map(seat_of), "address": address}))
        } else {
            print(&tr!("与 {name}({code})核对一致\n", "verified equal with {name} ({code})\n"))
        };
        return;
    }
}

/// After the first start the store has the directory, and the file may be gone.
fn directory(config: &Config) -> Result<Vec<SignedEntry>, Failure> {
    if !config.directory_file.exists() && config.store().file().exists() {
        return Ok(Vec::new());
    }
    let directory = directory_file::read(&config.directory_file, config.realm(), config.root)?;
    Ok(directory.entries_from(0).iter().map(|entry| SignedEntry::clone(entry)).collect())
}

/// One line for programs, or a few for people: who the node is, where, on which store, and whom it dials.
fn say_ready(config: &Config, node: &NodeHandle, status: &NodeStatus, json: bool) -> Result<Done, Failure> {
    let directory = node.directory();
    let seat = directory.seats().get(node.seat());
    let (code, name, tier) =
        seat.map_or(("", "", ""), |Seat { code, name, tier, .. }| (code, name, labelled(tier.label())));
    let (address, store, head) = (node.address(), config.data_dir.display(), status.meta.head);
    if json {
        return print_json(&json!({
            "event": "ready", "node": node.node().to_string(),
            "seat": seat.map(seat_of),
            "address": address.to_string(), "realm": status.realm.to_string(), "store": config.data_dir,
            "head": head, "records": status.counts.records, "directory_len": status.directory_len,
            "parents": config.parents.concat(), "peers": config.peers.concat(),
        }));
    }
    let short = node.node().short();
    let records = count(status.counts.records);
    let dialled = |nodes: &[Vec<String>]| nodes.iter().map(|node| node.join(" | ")).collect::<Vec<_>>().join(", ");
    let none = || tr!("无", "none");
    let or_none = |text: String| if text.is_empty() { none() } else { text };
    let head = count(head);
    let security = if config.plain {
        tr!(
            "开发模式:无加密、无令牌,本机任何人都能读写一切",
            "DEVELOPMENT MODE: no encryption, no tokens; everybody on this machine may do everything"
        )
    } else {
        let until = status.certificate_not_after_ms.map(time::local).unwrap_or_default();
        tr!("TLS,证书到 {until}", "TLS, certificate until {until}")
    };
    let rows = [
        (tr!("席位", "seat"), format!("{name} ({code}, {tier})")),
        (tr!("地址", "address"), address.to_string()),
        (tr!("安全", "security"), security),
        (tr!("存储", "store"), tr!("{store}:{records} 条记录,位置 {head}", "{store}: {records} records, head {head}")),
        (tr!("上级", "parents"), or_none(dialled(&config.parents))),
        (tr!("镜像", "peers"), or_none(dialled(&config.peers))),
    ];
    let ready = tr!("节点 {short} 已就绪\n", "node {short} is ready\n");
    print(&(ready + &table::pairs(&rows)))
}

/// Those that ask a process to end, by whatever way: a service manager, Ctrl-C, a terminal that is gone, Ctrl-\\. Nothing is
/// read anew on a signal: certificate and access list are watched, and the configuration is read at a start.
pub struct Signals(Vec<(&'static str, tokio::signal::unix::Signal)>);

impl Signals {
    /// From here on a signal no longer ends the process by itself.
    pub fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Failure::new(Exit::Failed, "signals", say!("无法接收信号", "cannot listen to signals")).because(error)
            })
        };
        let mut signals = vec![
            ("SIGTERM", listen(SignalKind::terminate())?),
            ("SIGINT", listen(SignalKind::interrupt())?),
            ("SIGQUIT", listen(SignalKind::quit())?),
        ];
        // Whoever started it with nohup wants it to outlive the terminal.
        if !ignores_hangup() {
            signals.push(("SIGHUP", listen(SignalKind::hangup())?));
        }
        Ok(Signals(signals))
    }

    pub async fn next(&mut self) -> &'static str {
        std::future::poll_fn(|context| {
            let came =
                self.0.iter_mut().find_map(|(name, signal)| signal.poll_recv(context).is_ready().then_some(*name));
            came.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
        })
        .await
    }
}

/// Whether this process was started with SIGHUP ignored. Where the system does not say, it was not.
fn ignores_hangup() -> bool {
    const SIGHUP: u32 = 1;
    const STATUS_BYTES_MAX: u64 = 64 * 1024;
    let status = small_file::read_text(Path::new("/proc/self/status"), STATUS_BYTES_MAX).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
    mask.and_then(|mask| u64::from_str_radix(mask, 16).ok()).is_some_and(|mask| mask & (1 << (SIGHUP - 1)) != 0)
}

/// Until a signal comes or the node ends by itself. A second signal does not wait for the rest.
async fn live(config: &Config, node: &NodeHandle, mut signals: Signals) -> Result<(), Failure> {
    let ended = tokio::select! {
        ended = node.stopped() => ended,
        name = signals.next() => {
            tracing::info!(signal = name, within_s = config.shutdown.as_secs(), "stopping");
            tokio::select! {
                ended = node.shutdown() => ended,
                _ = signals.next() => return Err(stopped(say!("收到第二个信号,立即退出", "a second signal came"))),
            }
        }
    };
    ended.map_err(|error| match error {
        ShutdownError::Deadline { unanswered, .. } => stopped(say!(
            "未能按时收尾,{unanswered} 条命令没有答复,可用同一命令编号重发",
            "it did not finish in time: {unanswered} commands were not answered; repeat them with the same command id"
        )),
        ShutdownError::Failed(why) => stopped(say!("节点此前已经出错", "the node had failed before")).because(why),
    })
}

fn stopped(why: Say) -> Failure {
    Failure::new(Exit::Failed, "stopped", say!("节点没有正常结束", "the node did not end in an orderly way"))
        .why(why)
        .next(say!("已确认的都已存盘,重新启动即可", "what was acknowledged is on disk: start it again"))
}

/// Whether a node of this machine could listen there now, as its start does.
pub fn can_listen(address: SocketAddr) -> Result<(), Failure> {
    std::net::TcpListener::bind(address).map(drop).map_err(|why| cannot_listen(address, &why))
}

/// Where the configuration or `--listen` says.
pub fn cannot_listen(address: SocketAddr, why: &std::io::Error) -> Failure {
    Failure::new(Exit::Failed, "listen", say!("节点没有启动", "the node did not start"))
        .why(say!("无法监听 {address}", "cannot listen on {address}"))
        .because(why)
        .next(say!(
            "若另一个节点占着它,先停掉那个(heliu status 可看是谁);否则改用本机有的地址和空闲的端口(heliu.toml 的 listen,或 --listen)",
            "if another node has it, stop that one (heliu status says which it is); else take an address of this machine and a \
             free port (listen in heliu.toml, or --listen)"
        ))
}

fn not_started(error: StartError) -> Failure {
    let failure = |exit, code: &str| Failure::new(exit, code, say!("节点没有启动", "the node did not start"));
    match error {
        StartError::Store(error) => error.into(),
        StartError::Listen { address, why } => cannot_listen(address, &why),
        StartError::NotLoopback(address) => failure(Exit::Usage, "not_loopback")
            .why(say!(
                "{address} 能从别的机器连到,而开发模式没有加密和令牌",
                "{address} can be reached from other machines, and development mode has neither encryption nor tokens"
            ))
            .next(say!(
                "把 security.mode 改为 tls;或让 listen 用 127.0.0.1 一类的本机地址",
                "set security.mode to tls, or listen on a loopback address such as 127.0.0.1"
            )),
        StartError::Certificate(why) => failure(Exit::Failed, "certificate")
            .why(say!("节点证书不可用", "the node's certificate cannot be used"))
            .why(reasons::words(&why.reason()))
            .next(say!(
                "请恢复 tls.crt 和 tls.key;或把两者都删掉再启动,会重新生成",
                "restore tls.crt and tls.key, or remove both and start again: others are made"
            )),
        StartError::NotEnrolled(node) => {
            let node = node.short();
            failure(Exit::Refused, "not_enrolled")
                .why(say!("名录里没有节点 {node}", "node {node} is not in the directory"))
                .next(say!(
                    "请用 heliu init 或 heliu join 生成的、同一节点的 node.key 和 directory.bin",
                    "use node.key and directory.bin of one node, as heliu init or heliu join made them"
                ))
        }
        StartError::Directory { index, why } => failure(Exit::Failed, "directory")
            .why(say!("名录第 {index} 项无效", "entry {index} of the directory is not valid"))
            .why(why.words().into())
            .next(say!(
                "存储、realm.name 和 realm.root 须属于同一个域",
                "the store, realm.name and realm.root must belong to one realm"
            )),
        StartError::DirectoryUnreadable { index } => failure(Exit::Store, "directory")
            .why(say!(
                "存储中名录的第 {index} 项读不出来",
                "entry {index} of the directory, kept in the store, cannot be read"
            ))
            .next(say!("请恢复存储,或用空的 data_dir 启动", "restore the store, or start with an empty data_dir")),
        StartError::NoAddress => failure(Exit::Usage, "no_address")
            .why(say!("有一个上级或镜像没有写地址", "a superior or mirror has no address"))
            .next(say!("写成 主机:端口,或去掉它", "give it as host:port, or remove it")),
        StartError::BadAddress { address } => failure(Exit::Usage, "bad_address")
            .why(say!("“{address}”不是可连接的地址", "{address:?} is not an address to dial"))
            .next(say!("写成 主机:端口,例如 127.0.0.1:7340", "give it as host:port, such as 127.0.0.1:7340")),
        StartError::Scheme { key, verifier } => failure(Exit::Usage, "scheme").why(say!(
            "密钥的签名算法是 {key},而本域用 {verifier}",
            "the key is of scheme {key}, and this realm's is {verifier}"
        )),
        StartError::Random(error) => failure(Exit::Failed, "random")
            .why(say!("系统不提供随机数", "the system gives no random bytes"))
            .because(error),
    }
}
