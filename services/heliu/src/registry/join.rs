//! `heliu join`: a new machine becomes a node of one seat. Its keys are made here and stay here; until it is let in they are
//! in a draft beside its directory, so that asking again after a lost answer asks with the same keys.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use heliu_client::enrolment::JoinResponse;
use heliu_client::{Access, Client, Error, Pinned};
use heliu_disk::small_file::BadFile;
use heliu_record::seats::Seat;
use heliu_trust::directory::{Directory, SignedEntry};
use heliu_trust::ed25519::Ed25519;
use heliu_trust::id::NodeId;
use heliu_trust::signature::Verifier as _;
use heliu_trust::token::{JoinRequest, JoinToken, PREFIX, TokenTextError};
use serde_json::json;

use crate::answer::{Done, print, print_json};
use crate::cli::JoinArgs;
use crate::config::Config;
use crate::config::PORT;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::given::{self, Given, can_ask, of_file};
use crate::layout::{CONFIG, NODE_KEY, SEALING_KEY};
use crate::node::{self, can_listen};
use crate::out::complain;
use crate::realm::draft::{Draft, is_free, not_empty};
use crate::realm::make::refused;
use crate::realm::node_dir::{Keys, NodeDir, dialled, seen_from_outside};
use crate::realm::{directory_file, key_file};
use crate::render::seat_of;
use crate::text::{Say, clean, say, tr};

/// How long to wait before a request that is kept by the other end is asked about again.
const AGAIN: Duration = Duration::from_secs(2);

pub async fn run(args: &JoinArgs) -> Result<Done, Failure> {
    let token = JoinToken::from_text(&token_text(args.token.as_deref())?).map_err(|error| bad_token(&error))?;
    let folder = args.dir.clone().unwrap_or_else(|| PathBuf::from(format!("heliu-{}", token.seat_code)));
    if is_free(&folder)? {
        let joined = join(args, &token, &folder).await?;
        if args.no_start {
            return if args.json { print_json(&shape(&joined, &folder)) } else { print(&told(&joined, &folder)) };
        }
        if !args.json {
            print(&told(&joined, &folder))?;
        }
    } else if !joined_before(&folder, &token)? {
        return Err(not_empty(&folder)
            .why(say!("里面不是凭这个令牌入域的节点", "what is in it is no node that joined with this token")));
    } else if args.no_start {
        let dir = folder.display();
        return print(&tr!(
            "{dir} 早已凭这个令牌入域。运行:heliu node --dir {dir}\n",
            "{dir} has joined with this token before. Run it: heliu node --dir {dir}\n"
        ));
    }
    node::run_at(&folder.join(CONFIG), args.json).await
}

/// A text that is no token and no longer than this is repeated.
const SHOWN: usize = 40;

/// A token is a secret: it may come from a file, from standard input or the environment, or be asked for.
fn token_text(given: Option<&str>) -> Result<String, Failure> {
    let variable = || std::env::var("HELIU_JOIN_TOKEN").ok().filter(|text| !text.trim().is_empty());
    match given.map(str::trim) {
        Some(text) if text.starts_with(PREFIX) || text.contains(char::is_whitespace) => Ok(text.to_owned()),
        Some(file) if file != "-" => {
            let path = Path::new(file.strip_prefix('@').unwrap_or(file));
            of_file(path).map_err(|why| match why {
                BadFile::Missing => no_token(file),
                why => Failure::bad_file(path, &why),
            })
        }
        Some(_) => Given::Stdin.value(),
        None => match variable() {
            Some(text) => Ok(text),
            None if can_ask() => given::ask(&tr!("入域令牌", "join token")),
            None => Err(Failure::usage(say!("没有给出令牌", "no token is given")).next(say!(
                "heliu join 令牌文件,或 -(标准输入),或环境变量 HELIU_JOIN_TOKEN;令牌由上级用 heliu enroll 签发",
                "heliu join FILE with the token in it, or - for standard input, or the variable HELIU_JOIN_TOKEN; the superior makes one with heliu enroll"
            ))),
        },
    }
}

/// Neither a token nor the name of a file that holds one.
fn no_token(text: &str) -> Failure {
    let failure = Failure::new(
        Exit::Usage,
        TokenTextError::NotAToken.code(),
        say!("这不是入域令牌,也没有这个名字的文件", "this is not a join token, and there is no file of that name"),
    );
    // A longer text may be most of a token, which is a secret.
    let failure = if text.chars().count() <= SHOWN { failure.why(Say::verbatim(text)) } else { failure };
    failure.next(say!(
        "令牌以 {PREFIX} 开头,请完整拷贝;或核对文件的路径;或请上级再签发一个:heliu enroll",
        "a token begins with {PREFIX}: copy it as a whole; or check the path of the file; or have the superior make another: heliu enroll"
    ))
}

fn bad_token(error: &TokenTextError) -> Failure {
    let why = match error {
        TokenTextError::NotAToken => {
            say!("令牌以 {PREFIX} 开头,而这里面的不是", "a token begins with {PREFIX}, and what is in it does not")
        }
        TokenTextError::TooLong => say!("它太长了", "it is longer than a token can be"),
        TokenTextError::Typo => say!("没有拷全,或有错字", "it was not copied whole, or has a typing error"),
        TokenTextError::Unreadable(error) => say!("读不懂:{error}", "it cannot be read: {error}"),
    };
    Failure::new(Exit::Usage, error.code(), say!("这不是入域令牌", "this is not a join token")).why(why).next(say!(
        "请重新完整拷贝;或请上级再签发一个:heliu enroll",
        "copy it again as a whole, or have the superior make another: heliu enroll"
    ))
}

/// Whether the directory is that of a node which joined with this token.
fn joined_before(folder: &Path, token: &JoinToken) -> Result<bool, Failure> {
    let file = folder.join(CONFIG);
    if !file.exists() {
        return Ok(false);
    }
    let config = Config::load(&file)?;
    if config.realm() != token.realm() || !config.directory_file.exists() {
        return Ok(false);
    }
    let directory = directory_file::read(&config.directory_file, config.realm(), config.root)?;
    let used = directory.token_used(token.id).and_then(|used| used.node);
    Ok(used.is_some() && used == Some(heliu_trust::signature::Signer::node(&key_file::read(&config.key_file)?)))
}

/// A machine that has been let in.
pub struct Joined {
    pub realm_name: String,
    pub directory: Directory,
    pub node: NodeId,
    pub seat: Seat,
    pub listen: SocketAddr,
    pub addresses: Vec<String>,
    pub parents: Vec<Vec<String>>,
    pub peers: Vec<Vec<String>>,
}

async fn join(args: &JoinArgs, token: &JoinToken, folder: &Path) -> Result<Joined, Failure> {
    let listen = args.listen.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], PORT)));
    if listen.port() == 0 {
        return Err(Failure::usage(say!("--listen 要有端口", "--listen needs a port")));
    }
    // Before the token is used: what it lets in says where it listens, whether it is started now or later.
    can_listen(listen)?;
    let addresses = if args.address.is_empty() { own_address(listen, token).await } else { args.address.clone() };
    let draft = Draft::open(folder, &format!("heliu-join-{}", token.id))?;
    let keys = keys_of(draft.path(), token)?;
    if !args.json {
        let (seat, code) = (clean(&token.seat_name), clean(&token.seat_code));
        let (node, there) = (keys.node().short(), clean(&token.addresses.join(", ")));
        complain(&tr!(
            "节点 {node} 请求入域:席位 {seat}({code}),联系 {there} ……\n",
            "Node {node} asks to join for the seat {seat} ({code}), at {there} ...\n"
        ));
    }
    let joined = ask(token, &keys, listen, addresses, !args.json).await?;
    joined.write(draft.path())?;
    draft.finish(CONFIG)?;
    Ok(joined)
}

/// Of an earlier attempt with this token, or fresh ones.
fn keys_of(draft: &Path, token: &JoinToken) -> Result<Keys, Failure> {
    if draft.join(NODE_KEY).exists() && draft.join(SEALING_KEY).exists() {
        return Keys::read(draft);
    }
    // One of the two is there if the machine stopped between them; nobody has seen it yet.
    for name in [NODE_KEY, SEALING_KEY] {
        let _ = std::fs::remove_file(draft.join(name));
    }
    let keys = Keys::draw()?;
    keys.write(draft, &format!("{} ({})", clean(&token.seat_name), clean(&token.seat_code)))?;
    Ok(keys)
}

/// Where others reach this machine, if it can be seen; nobody has to.
async fn own_address(listen: SocketAddr, token: &JoinToken) -> Vec<String> {
    let Some(there) = token.addresses.first() else { return Vec::new() };
    let Ok(mut found) = tokio::net::lookup_host(there.as_str()).await else { return Vec::new() };
    let towards = found.find(|address| address.is_ipv4() == listen.is_ipv4());
    towards.and_then(|towards| seen_from_outside(listen, towards)).into_iter().collect()
}

/// Asks the node that minted the token, and nobody else, until there is an answer; what it gives is verified against
/// the root's key in the token.
pub async fn ask(
    token: &JoinToken,
    keys: &Keys,
    listen: SocketAddr,
    addresses: Vec<String>,
    talks: bool,
) -> Result<Joined, Failure> {
    let minter = token.approval(Ed25519.scheme()).minter;
    let access = Access {
        addresses: token.addresses.clone(),
        pinned: Some(Pinned { realm: token.realm(), node: minter }),
        token: None,
    };
    let client = Client::open(&access).await.map_err(not_let_in)?;
    let request =
        JoinRequest::sign(token.clone(), keys.sealing().public(), addresses.clone(), &keys.signing()).encode();
    let mut told = !talks;
    let answer = loop {
        match client.join(request.clone()).await {
            Ok(answer) => break answer,
            Err(error) if matches!(error.reason(), "pending" | "busy") || matches!(error, Error::TimedOut { .. }) => {
                if !told {
                    told = true;
                    complain(&tr!(
                        "请求已收下,正等着传到县级;会一直等,也可以中断后用同一令牌再来。\n",
                        "The request is kept and on its way to the county. This waits; or stop it, and run it again with the same token.\n"
                    ));
                }
                tokio::time::sleep(AGAIN).await;
            }
            Err(error) => return Err(not_let_in(error)),
        }
    };
    admitted(token, keys, listen, addresses, minter, &answer)
}

fn not_let_in(error: Error) -> Failure {
    let failure = Failure::from(error);
    let Say { zh, en } = &failure.what;
    Failure { what: say!("没有入域:{zh}", "not joined: {en}"), ..failure }
}

fn admitted(
    token: &JoinToken,
    keys: &Keys,
    listen: SocketAddr,
    addresses: Vec<String>,
    minter: NodeId,
    answer: &JoinResponse,
) -> Result<Joined, Failure> {
    let wrong = |why: Say| {
        Failure::new(Exit::Failed, "join_answer", say!("上级的答复不可信", "the answer cannot be believed"))
            .why(why)
            .next(say!("请带上以上文字报告;没有写入任何东西", "report it with these words; nothing was written"))
    };
    let entries = answer.directory.iter().map(|entry| SignedEntry::decode(entry));
    let entries = entries
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| wrong(say!("其中的名录读不懂", "its directory cannot be read")))?;
    let mut directory = Directory::new(token.realm(), token.root);
    if let Some(error) = directory.append_all(&entries, &Ed25519).error {
        return Err(refused(&error));
    }
    let node = keys.node();
    let seat = directory.node(node).map(|info| info.seat).filter(|seat| *seat == token.seat);
    let seat = seat.and_then(|seat| directory.seats().get(seat)).cloned();
    let seat = seat.ok_or_else(|| wrong(say!("其中的名录没有本节点", "its directory does not have this node")))?;
    // Whom the token names at an address, we have just reached there.
    let reached = |of: NodeId, mut known: Vec<String>| {
        if of == minter {
            known.retain(|address| !token.addresses.contains(address));
            known.splice(0..0, token.addresses.iter().cloned());
        }
        known
    };
    let parents = answer.upstreams.iter().filter_map(|upstream| {
        Some(reached(upstream.node.parse().ok()?, upstream.addresses.clone())).filter(|addresses| !addresses.is_empty())
    });
    let parents = parents.collect();
    let (_, mut peers) = dialled(&directory, node, seat.id);
    if directory.node(minter).is_some_and(|info| info.seat == seat.id) && !peers.contains(&token.addresses) {
        peers.push(token.addresses.clone());
    }
    // Whoever asks again is given the answer to the request that was entered, and that may have named other addresses.
    let entered = directory.node(node).map(|info| info.addresses.clone());
    let addresses = entered.unwrap_or(addresses);
    let realm_name = token.realm_name.clone();
    Ok(Joined { realm_name, directory, node, seat, listen, addresses, parents, peers })
}

impl Joined {
    /// All files of the node but its keys.
    pub fn write(&self, folder: &Path) -> Result<(), Failure> {
        let dir = NodeDir {
            realm_name: &self.realm_name,
            directory: &self.directory,
            node: self.node,
            seat: &self.seat,
            listen: self.listen,
            addresses: &self.addresses,
            parents: self.parents.clone(),
            peers: self.peers.clone(),
            issuer: None,
        };
        dir.write(folder)
    }
}

fn told(joined: &Joined, folder: &Path) -> String {
    let Seat { name, code, .. } = &joined.seat;
    let (realm, node, dir) = (clean(&joined.realm_name), joined.node.short(), folder.display());
    let dialled: Vec<String> =
        joined.parents.iter().chain(&joined.peers).map(|addresses| clean(&addresses.join(" | "))).collect();
    let (dialled, listen) = (dialled.join(", "), joined.listen);
    tr!(
        "已入域 {realm}:节点 {node},席位 {name}({code})。\n目录 {dir}:密钥、配置、证书都在里面,请备份 node.key 和 sealing.key。\n\
         监听 {listen},上级 {dialled}。以后启动:heliu node --dir {dir}\n\n",
        "Joined realm {realm}: node {node} for the seat {name} ({code}).\nIts directory is {dir}, with keys, configuration and certificate; back up node.key and sealing.key.\n\
         It listens on {listen} and dials {dialled}. Later: heliu node --dir {dir}\n\n"
    )
}

fn shape(joined: &Joined, folder: &Path) -> serde_json::Value {
    json!({
        "node": joined.node.to_string(), "seat": seat_of(&joined.seat), "realm": joined.directory.realm().to_string(),
        "dir": folder, "config": folder.join(CONFIG), "addresses": joined.addresses,
        "parents": joined.parents, "peers": joined.peers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    #[test]
    fn a_token_comes_from_the_command_line_or_from_a_file() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = folder.path().join("a.token");
        std::fs::write(&file, format!("{PREFIX}abc\n")).expect("it is ours");
        let given = token_text(Some(&format!("{PREFIX}abc"))).expect("it is one");
        assert_eq!(given, format!("{PREFIX}abc"));
        let read = token_text(Some(file.to_str().expect("plain"))).expect("it reads");
        assert_eq!(read.trim(), given);
    }

    #[test]
    fn what_is_no_token_is_told_in_both_languages() {
        let error = JoinToken::from_text("heliu-join-1.AAAA").expect_err("it is none");
        let failure = bad_token(&error);
        assert_eq!((failure.exit, failure.code.as_str()), (Exit::Usage, "token.typo"));
        assert_eq!(failure.what.pick(Language::Zh), "这不是入域令牌");
    }

    #[test]
    fn keys_of_an_interrupted_attempt_are_used_again() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let token = token();
        let first = keys_of(folder.path(), &token).expect("they are made").node();
        assert_eq!(keys_of(folder.path(), &token).expect("they are read").node(), first);
        std::fs::remove_file(folder.path().join(SEALING_KEY)).expect("it is there");
        assert_ne!(keys_of(folder.path(), &token).expect("they are made").node(), first, "nobody had seen those");
    }

    fn token() -> JoinToken {
        use heliu_record::id::SeatId;
        use heliu_trust::id::TokenId;
        use heliu_trust::signature::{PublicKey, Signature};
        JoinToken {
            realm_name: "x".to_owned(),
            root: PublicKey([1; 32]),
            seat: SeatId([2; 16]),
            seat_code: "371726101000".to_owned(),
            seat_name: "什集镇".to_owned(),
            id: TokenId([3; 16]),
            expires_ms: 0,
            minter: PublicKey([4; 32]),
            addresses: vec!["127.0.0.1:1".to_owned()],
            signature: Signature([0; 64]),
        }
    }
}
