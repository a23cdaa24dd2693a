//! Which node a verb talks to: the flag, the environment, a configuration file at hand, or the usual address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use heliu_client::Client;

use crate::cli::{PORT, Target};
use crate::config::Config;
use crate::failure::Failure;
use crate::realm::CONFIG;

const SYSTEM: &str = "/etc/heliu";

/// The configuration in this directory, else the machine's, if there is one that may be read.
pub fn usual_config() -> Option<PathBuf> {
    let candidates = [PathBuf::from(CONFIG), Path::new(SYSTEM).join(CONFIG)];
    candidates.into_iter().find(|file| std::fs::File::open(file).is_ok())
}

pub async fn connect(target: &Target) -> Result<Client, Failure> {
    Ok(Client::connect(&address(target)?).await?)
}

fn address(target: &Target) -> Result<String, Failure> {
    if let Some(address) = target.node.as_deref().filter(|address| !address.trim().is_empty()) {
        return Ok(address.trim().to_owned());
    }
    match target.config.clone().or_else(usual_config) {
        Some(file) => Ok(reachable(Config::load(&file)?.listen).to_string()),
        None => Ok(format!("127.0.0.1:{PORT}")),
    }
}

/// Where to reach what listens on every address.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let loopback = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    SocketAddr::new(loopback, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_comes_first_and_the_configuration_next() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = folder.path().join(CONFIG);
        let root = "ab".repeat(32);
        let text = format!("listen = \"127.0.0.1:9999\"\n[realm]\nname = \"x\"\nroot = \"{root}\"\n");
        std::fs::write(&file, text).expect("it is ours");
        let mut target = Target { node: Some("here:1".to_owned()), config: Some(file) };
        assert_eq!(address(&target).expect("named"), "here:1");
        target.node = None;
        assert_eq!(address(&target).expect("configured"), "127.0.0.1:9999");
    }

    #[test]
    fn a_node_that_listens_everywhere_is_reached_here() {
        assert_eq!(reachable(([0, 0, 0, 0], 5).into()).to_string(), "127.0.0.1:5");
    }
}
