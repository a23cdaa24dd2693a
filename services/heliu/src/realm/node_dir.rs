//! The directory that a node runs in: its keys, the directory of the realm, its configuration, and a first access token
//! for whoever sits at the machine. `init` and `join` write it in the same way.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use heliu_catalogue::catalogue;
use heliu_client::{Access, Pinned};
use heliu_node::access::{Grant, Role};
use heliu_record::id::SeatId;
use heliu_record::seats::Seat;
use heliu_trust::directory::Directory;
use heliu_trust::ed25519::Ed25519Key;
use heliu_trust::id::NodeId;
use heliu_trust::seal::SealingSecret;
use heliu_trust::signature::Signer as _;

use super::key_file::{self, Scheme};
use super::{directory_file, write_new};
use crate::config::template;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::layout::{ACCESS, CONFIG, DIRECTORY, ISSUER_KEY, LOCAL_ACCESS, NODE_KEY, SEALING_KEY};
use crate::random::random;
use crate::text::{reasons, say, tr};

/// The name of the access token that is made with the node.
pub const LOCAL: &str = "local";

/// The secrets of a node, drawn once.
#[derive(Clone)]
pub struct Keys {
    signing: [u8; 32],
    sealing: [u8; 32],
}

impl Keys {
    pub fn draw() -> Result<Self, Failure> {
        Ok(Keys { signing: random()?, sealing: random()? })
    }

    /// Those of an earlier attempt.
    pub fn read(folder: &Path) -> Result<Self, Failure> {
        Ok(Keys {
            signing: key_file::seed(&folder.join(NODE_KEY), Scheme::Signing)?,
            sealing: key_file::seed(&folder.join(SEALING_KEY), Scheme::Sealing)?,
        })
    }

    pub fn signing(&self) -> Ed25519Key {
        Ed25519Key::from_seed(self.signing)
    }

    pub fn sealing(&self) -> SealingSecret {
        SealingSecret::from_seed(self.sealing)
    }

    pub fn node(&self) -> NodeId {
        self.signing().node()
    }

    /// Writes both files; `of` says whose they are.
    pub fn write(&self, folder: &Path, of: &str) -> Result<(), Failure> {
        key_file::write(&folder.join(NODE_KEY), Scheme::Signing, &self.signing, of)?;
        key_file::write(&folder.join(SEALING_KEY), Scheme::Sealing, &self.sealing, of)
    }
}

/// What a node's directory is written from; its keys are in it already.
pub struct NodeDir<'a> {
    pub realm_name: &'a str,
    pub directory: &'a Directory,
    pub node: NodeId,
    pub seat: &'a Seat,
    pub listen: SocketAddr,
    /// Where others reach the node: for certificates.
    pub addresses: &'a [String],
    pub parents: Vec<Vec<String>>,
    pub peers: Vec<Vec<String>>,
    /// Only where the directory is to grow.
    pub issuer: Option<[u8; 32]>,
}

impl NodeDir<'_> {
    /// The configuration goes last: with it the directory is a node's.
    pub fn write(&self, folder: &Path) -> Result<(), Failure> {
        write_anew(&folder.join(DIRECTORY), &directory_file::encode(self.directory))?;
        if let Some(issuer) = &self.issuer {
            let of = tr!("域的签发者", "the issuer of the realm");
            key_file::write(&folder.join(ISSUER_KEY), Scheme::Signing, issuer, &of)?;
        }
        self.grant_access(folder)?;
        write_anew(&folder.join(CONFIG), self.config().as_bytes())
    }

    fn grant_access(&self, folder: &Path) -> Result<(), Failure> {
        // An access list that an interrupted attempt has left was never used.
        let _ = std::fs::remove_file(folder.join(ACCESS));
        let grant = Grant { name: LOCAL.to_owned(), roles: Role::ALL.to_vec(), ..Grant::default() };
        let token = heliu_node::access::create(&folder.join(ACCESS), grant, catalogue())
            .map_err(|error| access_failed(&error))?;
        let access = Access {
            addresses: vec![reachable(self.listen).to_string()],
            pinned: Some(Pinned { realm: self.directory.realm(), node: self.node }),
            token: Some(token.to_string()),
        };
        Ok(access.write(&folder.join(LOCAL_ACCESS))?)
    }

    fn config(&self) -> String {
        let (seat, code, id) = (&self.seat.name, &self.seat.code, self.node.short());
        let head = tr!(
            "合流节点 {id}:{seat}({code})。\n运行:heliu node --config 本文件。带 # 的是默认值;每项也可用所列环境变量覆盖。",
            "Heliu node {id} of {seat} ({code}).\nRun it: heliu node --config THIS-FILE. Lines with # are the defaults; the variable named above a setting overrides it."
        );
        let joined = |nodes: &[Vec<String>]| nodes.iter().map(|addresses| addresses.join(" ")).collect::<Vec<_>>();
        let mut names: Vec<String> = self.addresses.iter().filter_map(|address| host(address)).collect();
        names.sort();
        names.dedup();
        let given = [
            ("listen", vec![self.listen.to_string()]),
            ("realm.name", vec![self.realm_name.to_owned()]),
            ("realm.root", vec![self.directory.root().to_string()]),
            ("security.names", names),
            ("links.parents", joined(&self.parents)),
            ("links.peers", joined(&self.peers)),
        ];
        template::write(&head, &given)
    }
}

/// A file of an interrupted attempt is written once more.
fn write_anew(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Failure::file(path, &error)),
        _ => {}
    }
    write_new(path, bytes)
}

pub fn access_failed(error: &heliu_node::access::AccessError) -> Failure {
    Failure::new(Exit::Failed, "access", say!("访问令牌没有写成", "the access list was not changed"))
        .why(reasons::words(&error.reason()))
}

/// Where to reach, on this machine, what listens on every address.
pub fn reachable(listen: SocketAddr) -> SocketAddr {
    let loopback = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    SocketAddr::new(loopback, listen.port())
}

/// The host of `host:port`.
fn host(address: &str) -> Option<String> {
    let (host, _) = address.rsplit_once(':')?;
    Some(host.trim_start_matches('[').trim_end_matches(']').to_owned())
}

/// Where other machines reach a node that listens here, as far as this machine can tell: the address that it would
/// speak from to another one. Nothing is sent.
pub fn seen_from_outside(listen: SocketAddr, towards: SocketAddr) -> Option<String> {
    if !listen.ip().is_unspecified() {
        return Some(listen.to_string());
    }
    let socket = std::net::UdpSocket::bind(SocketAddr::new(listen.ip(), 0)).ok()?;
    socket.connect(towards).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_unspecified()).then(|| SocketAddr::new(ip, listen.port()).to_string())
}

/// Whom a node of a seat dials: each node of the nearest seat above that has any, and the earlier ones of its own seat (of
/// two mirrors one dials the other).
pub fn dialled(directory: &Directory, node: NodeId, seat: SeatId) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let of = |seat: SeatId| {
        let reached = |info: &heliu_trust::directory::NodeInfo| !info.addresses.is_empty();
        directory.live_nodes_of(seat).filter(move |info| reached(info)).collect::<Vec<_>>()
    };
    let above = directory.seats().upward(seat).skip(1).map(of).find(|nodes| !nodes.is_empty()).unwrap_or_default();
    let parents = above.into_iter().map(|info| info.addresses.clone()).collect();
    let peers = directory.live_nodes_of(seat).take_while(|info| info.node != node).map(|info| info.addresses.clone());
    (parents, peers.filter(|addresses| !addresses.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_listens_everywhere_is_reached_here() {
        assert_eq!(reachable(([0, 0, 0, 0], 5).into()).to_string(), "127.0.0.1:5");
        assert_eq!(reachable(([10, 0, 0, 1], 5).into()).to_string(), "10.0.0.1:5");
    }

    #[test]
    fn others_are_told_the_address_that_this_machine_speaks_from() {
        let there = SocketAddr::from(([127, 0, 0, 1], 9));
        assert_eq!(seen_from_outside(([10, 0, 0, 1], 5).into(), there).as_deref(), Some("10.0.0.1:5"));
        assert_eq!(seen_from_outside(([0, 0, 0, 0], 5).into(), there).as_deref(), Some("127.0.0.1:5"));
    }

    #[test]
    fn certificates_name_hosts_without_ports() {
        assert_eq!(
            [host("a.example:1"), host("[::1]:2"), host("x")],
            [Some("a.example".into()), Some("::1".into()), None]
        );
    }
}
