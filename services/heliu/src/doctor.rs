//! `heliu doctor`: is everything about a node on this machine as it should be, and if not, what to do.

use std::path::Path;

use heliu_client::Client;
use heliu_client::operations::{GetStatusResponse, Link, LinkRole, LinkState};
use heliu_disk::small_file::BadFile;
use heliu_node::access::AccessError;
use heliu_record::reason::Reason;
use heliu_record::seats::Tier;
use serde_json::{Value, json};

use crate::access::config_file;
use crate::answer::{Done, print, print_json};
use crate::cli::{DoctorArgs, Target};
use crate::config::Config;
use crate::failure::Failure;
use crate::layout::LOCAL_ACCESS;
use crate::realm::{directory_file, key_file};
use crate::render::place;
use crate::status::last_error;
use crate::store::StoreAt;
use crate::text::{Say, clean, reasons, say, time, tr};
use crate::{modes, target};

/// Less is as good as full.
const FREE_MIN: u64 = 256 * 1024 * 1024;

/// Times that are shown differ by no more than people overlook, and tokens and certificates run out when they should.
const CLOCKS_APART_MAX_MS: u64 = 5 * 60 * 1000;

/// One thing that was looked at.
struct Finding {
    /// Stable, for programs.
    code: &'static str,
    what: Say,
    /// None: all is well.
    wrong: Option<Failure>,
}

/// Well only if everything is.
pub async fn run(args: &DoctorArgs) -> Result<Done, Failure> {
    let file = config_file(&args.local);
    let shown = file.display().to_string();
    let mut findings = Vec::new();
    match Config::load(&file) {
        Ok(config) => {
            findings.push(good("config", say!("配置 {shown}", "configuration {shown}")));
            findings.extend(at_rest(&config));
            findings.extend(running(&config).await);
        }
        Err(failure) => findings.push(bad("config", say!("配置 {shown}", "configuration {shown}"), failure)),
    }
    let all_well = findings.iter().all(|finding| finding.wrong.is_none());
    if args.json {
        print_json(&json!({"good": all_well, "findings": findings.iter().map(shape).collect::<Vec<_>>()}))?;
    } else {
        print(&findings.iter().map(told).collect::<String>())?;
    }
    Ok(if all_well { Done::Well } else { Done::No })
}

fn good(code: &'static str, what: Say) -> Finding {
    Finding { code, what, wrong: None }
}

fn bad(code: &'static str, what: Say, failure: Failure) -> Finding {
    Finding { code, what, wrong: Some(failure) }
}

fn of<T>(code: &'static str, what: Say, result: Result<T, Failure>) -> Finding {
    Finding { code, what, wrong: result.err() }
}

/// What can be seen without the node.
fn at_rest(config: &Config) -> Vec<Finding> {
    let key = key_file::read(&config.key_file);
    let node = key.as_ref().ok().map(heliu_trust::signature::Signer::node);
    let mut findings = vec![
        of("node_key", say!("节点私钥", "the node's key"), key),
        of(
            "sealing_key",
            say!("解封私钥", "the key for sealed fields"),
            key_file::read_sealing(&config.sealing_key_file),
        ),
    ];
    if config.issuer_key_file.exists() {
        findings.push(of("issuer_key", say!("签发密钥", "the issuer's key"), key_file::read(&config.issuer_key_file)));
    }
    if config.directory_file.exists() {
        let directory = directory_file::read(&config.directory_file, config.realm(), config.root);
        findings.push(of("directory", say!("名录文件", "the directory"), directory));
    }
    if let Some(node) = node.filter(|_| !config.plain && config.certificate_file.exists()) {
        let pair =
            heliu_tls::Identity::read(&config.certificate_file, &config.certificate_key_file, config.realm(), node);
        let checked = pair
            .map_err(|error| error.reason())
            .and_then(|pair| pair.check(time::now_ms()).map_err(|error| error.reason()).map(|()| pair.until_ms));
        let until = checked.as_ref().map(|until| time::local(*until)).unwrap_or_default();
        let what = say!("TLS 证书 {until}", "TLS certificate {until}");
        findings.push(of(
            "certificate",
            what,
            checked.map_err(|why| {
                let Failure { what, next, .. } = Failure::of(why);
                Failure { next, ..Failure::usage(say!("证书不可用", "the certificate is of no use")).why(what) }
            }),
        ));
    }
    if config.plain {
        findings.push(bad(
            "plain",
            say!("安全", "security"),
            Failure::usage(say!("开发模式:无加密、无令牌", "development mode: no encryption, no tokens"))
                .next(say!("正式运行请把 security.mode 改为 tls", "for real use set security.mode to tls")),
        ));
    }
    findings.push(of("modes", say!("文件权限", "modes of files"), modes::check(config)));
    if !config.plain {
        findings.push(access_list(config));
    }
    findings.push(of("data_dir", say!("数据目录可写", "the data directory can be written"), writable(&config.store())));
    findings.extend(disk(config));
    findings
}

/// Who may do anything here at all.
fn access_list(config: &Config) -> Finding {
    let what = say!("访问令牌清单", "the list of access tokens");
    let file = config.access_file.display();
    let folder = config.file.parent().unwrap_or(Path::new(".")).display();
    let next = say!(
        "新建一个令牌:heliu access add --name local --role all --dir {folder} --out {folder}/{LOCAL_ACCESS}",
        "make a token: heliu access add --name local --role all --dir {folder} --out {folder}/{LOCAL_ACCESS}"
    );
    match heliu_node::access::list(&config.access_file) {
        Ok(tokens) if tokens.is_empty() => {
            let empty = say!("{file} 里没有令牌,没有人能使用本节点", "no token is in {file}: nobody can use this node");
            bad("access", what, Failure::usage(empty).next(next))
        }
        Ok(_) => good("access", what),
        Err(error) => {
            let next = match &error {
                AccessError::Mode { .. } => {
                    say!("只许属主改写:chmod 600 {file}", "let its owner alone change it: chmod 600 {file}")
                }
                AccessError::Unread { why: BadFile::Empty, .. } | AccessError::Form { .. } => {
                    let Say { zh, en } = next;
                    say!("从备份恢复 {file};或移开它,再{zh}", "restore {file} from a backup; or move it away and {en}")
                }
                AccessError::Unread { why, .. } => why.next().into(),
                _ => next,
            };
            bad(
                "access",
                what,
                Failure::usage(say!("{file} 不能用", "{file} cannot be used"))
                    .why(reasons::words(&error.reason()))
                    .next(next),
            )
        }
    }
}

/// Makes a file in a directory, or in the nearest above it that is there, and takes it away; and opens the store's, if there
/// is one.
fn writable(store: &StoreAt) -> Result<(), Failure> {
    let (folder, file) = (&store.folder, store.file());
    let place = folder.ancestors().find(|path| path.exists()).unwrap_or(folder);
    let shown = folder.display();
    let failed = |error: std::io::Error| {
        Failure::usage(say!("{shown} 不能写入", "{shown} cannot be written to")).because(error).next(say!(
            "检查它的属主、权限,以及文件系统是否只读(mount);节点在此期间只读,不丢数据",
            "check who owns it, its mode, and whether the file system is mounted read-only; the node only reads meanwhile and \
             loses nothing"
        ))
    };
    tempfile::Builder::new().prefix(".heliu-doctor-").tempfile_in(place).map_err(failed)?;
    if file.exists() {
        heliu_disk::open(&file).map_err(failed)?;
    }
    Ok(())
}

#[cfg(unix)]
fn disk(config: &Config) -> Option<Finding> {
    let place = config.data_dir.ancestors().find(|path| path.exists())?;
    let stat = rustix::fs::statvfs(place).ok()?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let free_told = crate::text::bytes(free);
    let what = say!("磁盘空余 {free_told}", "free space on disk: {free_told}");
    if free >= FREE_MIN {
        return Some(good("disk", what));
    }
    let failure = Failure::usage(say!("空间不足", "there is little space left"));
    Some(bad(
        "disk",
        what,
        failure
            .next(say!("请清理或扩容;满了节点只读,不丢数据", "free some; a full node is read-only and loses nothing")),
    ))
}

#[cfg(not(unix))]
fn disk(_: &Config) -> Option<Finding> {
    None
}

/// What the running node says, and how it stands with its superior.
async fn running(config: &Config) -> Vec<Finding> {
    let what = say!("运行中的节点", "the running node");
    let folder = config.file.parent().map(std::path::Path::to_owned);
    let target = Target { dir: folder, ..Target::default() };
    let client = match target::connect(&target).await {
        Ok(client) => client,
        Err(failure) => return vec![bad("running", what, failure)],
    };
    let status = match client.status().await {
        Ok(status) => status,
        Err(error) => return vec![bad("running", what, error.into())],
    };
    let mut findings = vec![good("running", what)];
    findings.extend(of_status(&status));
    let tier = status.seat.as_ref().map_or("", |seat| seat.tier.as_str());
    findings.extend(links(&client, tier).await);
    findings
}

fn of_status(status: &GetStatusResponse) -> Vec<Finding> {
    let (today, time_zone) = (&status.today, &status.time_zone);
    let what = say!("今日 {today},按域的时区 {time_zone}", "today is {today} in {time_zone}, the realm's time zone");
    let mut findings: Vec<Finding> = vec![good("today", what)];
    if let Some(why) = &status.read_only {
        let Failure { what, next, .. } = Failure::of(Reason::from(why));
        let failure = Failure { next, ..Failure::usage(say!("只读", "it is read-only")).why(what) };
        findings.push(bad("read_only", say!("存储", "the store"), failure));
    }
    for problem in &status.problems {
        let failure = Failure::of(Reason::from(problem));
        findings.push(bad("files", say!("证书和令牌清单", "certificate and access list"), failure));
    }
    if status.alarms_grave > 0 {
        let count = status.alarms_grave;
        let failure = Failure::usage(say!("严重的警报 {count} 个", "grave alarms: {count}"));
        findings.push(bad("alarms", say!("警报", "alarms"), failure.next(say!("见 heliu alarms", "see heliu alarms"))));
    }
    findings
}

async fn links(client: &Client, tier: &str) -> Vec<Finding> {
    let links = match client.links().await {
        Ok(links) => links,
        Err(error) => return vec![bad("links", say!("链路", "links"), error.into())],
    };
    superior(&links, tier).into_iter().chain(links.iter().filter_map(of_link)).chain(clocks(&links)).collect()
}

/// A seat below the county that nobody above is linked with, nor configured to be: all that is written here stays here.
fn superior(links: &[Link], tier: &str) -> Option<Finding> {
    let is_parent = |link: &Link| link.role() == LinkRole::Parent || link.misplaced;
    if tier.is_empty() || tier == Tier::County.name() || links.iter().any(is_parent) {
        return None;
    }
    let failure = Failure::usage(say!("没有配置上级", "none is configured, and none has connected")).next(say!(
        "在 heliu.toml 的 links.parents 写上级节点的地址,然后重启节点",
        "give the superior's address in heliu.toml, as links.parents, and start the node again"
    ));
    Some(bad("superior", say!("上级", "the superior"), failure))
}

/// Links that this end makes, and those with superiors.
fn of_link(link: &Link) -> Option<Finding> {
    if link.address.is_empty() && link.role() == LinkRole::Child {
        return None;
    }
    let end = end(link);
    let what = say!("到 {end} 的链路", "the link to {end}");
    if link.misplaced {
        let failure = Failure::usage(say!(
            "它配置为上级,但不是本席位的上级",
            "it is configured as a parent and is not above this seat"
        ));
        return Some(bad(
            "link",
            what,
            failure.next(say!(
                "改正 heliu.toml 的 links.parents,然后重启节点",
                "correct links.parents in heliu.toml, and start the node again"
            )),
        ));
    }
    if !matches!(link.state(), LinkState::Down | LinkState::Connecting | LinkState::Refused) {
        return Some(good("link", what));
    }
    let error = last_error(link);
    let mut failure = Failure::usage(say!("没有接通", "it is not up"));
    failure.why = Some(Say::verbatim(error)).filter(|error| !error.is_empty()).into_iter().collect();
    Some(bad(
        "link",
        what,
        failure.next(say!(
            "看对方是否在运行、地址和网络是否通、两边时钟是否相差过大",
            "check that the other end runs, the address, the network, and the clocks of both"
        )),
    ))
}

/// This machine's clock beside those of all who are connected: one finding if they agree, else one for each that does not.
fn clocks(links: &[Link]) -> Vec<Finding> {
    let is_up = |link: &&Link| !matches!(link.state(), LinkState::Down | LinkState::Connecting | LinkState::Refused);
    let known: Vec<(&Link, i64)> =
        links.iter().filter(is_up).filter_map(|link| Some((link, link.clock_ahead_ms?))).collect();
    let count = known.len();
    let apart: Vec<Finding> = known
        .into_iter()
        .filter(|(_, ahead)| ahead.unsigned_abs() > CLOCKS_APART_MAX_MS)
        .map(|(link, ahead)| {
            let (end, by) = (end(link), time::span(ahead.unsigned_abs()));
            let failure = if ahead > 0 {
                say!("比本机快 {by}", "it is {by} ahead of this machine's")
            } else {
                say!("比本机慢 {by}", "it is {by} behind this machine's")
            };
            bad(
                "clock",
                say!("{end} 的时钟", "the clock of {end}"),
                Failure::usage(failure).next(say!(
                    "在两台机器上运行 date,与可靠的时钟比对,校正错的那台(最好开启 NTP);几秒后再查即可,不用重启",
                    "run date on both machines, compare with a clock that you trust, and set the wrong one (better: turn on NTP); \
                     look again some seconds later, nothing has to be restarted"
                )),
            )
        })
        .collect();
    if count > 0 && apart.is_empty() {
        return vec![good(
            "clock",
            say!("时钟,与相连的邻居相符({count} 个)", "the clock, compared with linked neighbours ({count})"),
        )];
    }
    apart
}

/// Who is at the other end.
fn end(link: &Link) -> String {
    let place = place(link.peer_seat.as_ref());
    if place.is_empty() { link.address.clone() } else { place }
}

fn told(finding: &Finding) -> String {
    let what = clean(finding.what.now());
    let Some(wrong) = &finding.wrong else { return tr!("[好] {what}\n", "[ok]    {what}\n") };
    let mut text = tr!("[不行] {what}:", "[fail]  {what}: ") + &clean(wrong.what.now()) + "\n";
    for why in &wrong.why {
        text.push_str(&format!("        {}\n", clean(why.now())));
    }
    if let Some(next) = &wrong.next {
        let next = clean(next.now());
        text.push_str(&tr!("        怎么办:{next}\n", "        what to do: {next}\n"));
    }
    text
}

fn shape(finding: &Finding) -> Value {
    json!({
        "code": finding.code, "what": finding.what.now(), "good": finding.wrong.is_none(),
        "error": finding.wrong.as_ref().map(|wrong| wrong.json()["error"].clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Kind;
    use crate::text::{Language, codes_in, speaking};

    fn link(state: LinkState, clock_ahead_ms: Option<i64>) -> Link {
        Link { state: state.into(), address: "10.0.0.1:7340".to_owned(), clock_ahead_ms, ..Link::default() }
    }

    #[test]
    fn a_data_directory_that_takes_no_files_is_found() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        writable(&StoreAt::new(Kind::Sqlite, folder.path().join("data"))).expect("it can be made");
        let file = folder.path().join("in-the-way");
        std::fs::write(&file, "").expect("it is ours");
        let failure = writable(&StoreAt::new(Kind::Sqlite, &file)).expect_err("nothing can be made in a file");
        assert!(failure.next.is_some_and(|next| next.en.contains("read-only")), "who looks is told what to look for");
    }

    #[test]
    fn a_wrong_parent_and_none_at_all_are_found() {
        let of = |links: &[Link]| links.iter().filter_map(of_link).map(|finding| told(&finding)).collect::<String>();
        let parent = Link { role: LinkRole::Parent.into(), ..link(LinkState::Live, None) };
        let wrong = Link { misplaced: true, role: LinkRole::Child.into(), ..link(LinkState::Live, None) };
        assert_eq!(of(std::slice::from_ref(&parent)), "[ok]    the link to 10.0.0.1:7340\n");
        let said = of(std::slice::from_ref(&wrong));
        assert!(said.starts_with("[fail]") && said.contains("links.parents"), "{said}");
        let child = Link { role: LinkRole::Child.into(), address: String::new(), ..link(LinkState::Down, None) };
        assert_eq!(of(std::slice::from_ref(&child)), "", "a village may be away for weeks");
        assert!(superior(&[child], "township").is_some_and(|finding| finding.wrong.is_some()));
        assert!(superior(&[parent], "township").is_none() && superior(&[], "county").is_none());
    }

    #[test]
    fn in_chinese_what_a_running_node_says_of_itself_has_no_english_in_it_and_says_what_to_do() {
        let why = |code: &str, file: &str| heliu_client::records::Reason {
            code: code.to_owned(),
            facts: [("file".to_owned(), file.to_owned())].into_iter().collect(),
        };
        let status = GetStatusResponse {
            read_only: Some(why("store.full", "/var/lib/heliu")),
            problems: vec![why("file.empty", "/etc/heliu/tls.key"), why("certificate.not-pem", "/etc/heliu/tls.crt")],
            ..GetStatusResponse::default()
        };
        let said: String = speaking(Language::Zh, || of_status(&status).iter().map(told).collect());
        assert_eq!(codes_in(&said), [""; 0], "{said}");
        assert!(said.contains("磁盘已满(文件:/var/lib/heliu)") && said.contains("文件是空的"), "{said}");
        assert_eq!(said.matches("怎么办").count(), 3, "{said}");
    }

    #[test]
    fn a_clock_that_is_minutes_away_is_told_with_what_to_do_and_seconds_are_not() {
        let (hour, second) = (3_600_000, 1_000);
        let near = [link(LinkState::Live, Some(-second)), link(LinkState::CatchingUp, Some(second))];
        let said: Vec<String> = clocks(&near).iter().map(told).collect();
        assert_eq!(said, ["[ok]    the clock, compared with linked neighbours (2)\n"]);
        let far = [link(LinkState::Live, Some(-hour)), link(LinkState::Live, Some(second))];
        let said: Vec<String> = clocks(&far).iter().map(told).collect();
        assert_eq!(said.len(), 1);
        assert!(said[0].contains("[fail]  the clock of 10.0.0.1:7340: it is 1 h 0 min behind"), "{said:?}");
        assert!(said[0].contains("NTP"), "{said:?}");
        let unknown = [link(LinkState::Down, Some(hour)), link(LinkState::Live, None)];
        assert!(clocks(&unknown).is_empty(), "nothing is known of them");
    }
}
