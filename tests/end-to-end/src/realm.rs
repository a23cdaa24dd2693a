//! A realm as `heliu init` makes it, in a temporary directory, with nodes for chosen seats on free ports.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;

use crate::command_line::heliu;
use crate::desk::Desk;
use crate::process::NodeProcess;
use crate::seats::{code, region_file};

pub struct Realm {
    /// None only while it is dropped.
    folder: Option<TempDir>,
    addresses: BTreeMap<&'static str, SocketAddr>,
}

impl Realm {
    /// A county with the named seats and all above them. A seat with a `-` in front has no node: of `["C", "T2", "-V21"]`
    /// the village's business is done by its township.
    pub async fn init(names: &[&'static str]) -> Self {
        let folder = tempfile::Builder::new().prefix("heliu-end-to-end-").tempdir().expect("a temporary directory");
        let regions = folder.path().join("regions.csv");
        let all = names.iter().map(|name| name.trim_start_matches('-'));
        std::fs::write(&regions, region_file(all)).expect("the directory is ours");
        let with_node = names.iter().filter(|name| !name.starts_with('-'));
        let addresses: BTreeMap<_, _> = with_node.map(|name| (*name, free_address())).collect();

        let shown = |path: &Path| path.to_str().expect("temporary paths are plain").to_owned();
        let (regions, realm) = (shown(&regions), shown(&folder.path().join("realm")));
        let nodes: Vec<String> = addresses.iter().map(|(name, address)| format!("{}={address}", code(name))).collect();
        let mut arguments = vec!["init", "--regions", &regions, "--dir", &realm];
        arguments.extend(nodes.iter().flat_map(|node| ["--node", node]));
        let _ = heliu(&arguments).await.exits(0);
        Realm { folder: Some(folder), addresses }
    }

    /// Where the realm and everything about it is.
    ///
    /// # Panics
    /// Never: it is there until the end.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.as_ref().expect("it is there until the end").path()
    }

    #[must_use]
    pub fn regions(&self) -> PathBuf {
        self.folder().join("regions.csv")
    }

    /// The names of the seats that have a node.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.addresses.keys().copied()
    }

    #[must_use]
    pub fn address(&self, name: &str) -> SocketAddr {
        self.addresses[name]
    }

    /// The directory of a node, as it would be copied to its machine.
    #[must_use]
    pub fn node_folder(&self, name: &str) -> PathBuf {
        let realm = self.folder().join("realm");
        if name == "C" { realm.join("county") } else { realm.join("nodes").join(code(name)) }
    }

    /// The same as one types it after `--dir`.
    ///
    /// # Panics
    /// Never: temporary paths are plain.
    #[must_use]
    pub fn dir(&self, name: &str) -> String {
        self.node_folder(name).to_str().expect("temporary paths are plain").to_owned()
    }

    /// Starts a node's process, and does not wait for it.
    #[must_use]
    pub fn spawn(&self, name: &str) -> NodeProcess {
        self.spawn_with(name, &[])
    }

    #[must_use]
    pub fn spawn_with(&self, name: &str, settings: &[(&str, &str)]) -> NodeProcess {
        NodeProcess::spawn(&self.node_folder(name), self.address(name), settings)
    }

    /// Starts a node and sits down at it.
    pub async fn start(&self, name: &str) -> (NodeProcess, Desk) {
        self.start_with(name, &[]).await
    }

    pub async fn start_with(&self, name: &str, settings: &[(&str, &str)]) -> (NodeProcess, Desk) {
        let mut process = self.spawn_with(name, settings);
        let desk = process.is_up().await;
        (process, desk)
    }
}

/// A machine that has nothing of Heliu on it yet but the program.
pub struct Machine {
    folder: PathBuf,
    pub address: SocketAddr,
}

impl Realm {
    /// A machine beside the realm's.
    #[must_use]
    pub fn machine(&self, name: &str) -> Machine {
        let folder = self.folder().join("machines").join(name);
        std::fs::create_dir_all(&folder).expect("the directory is ours");
        Machine { folder, address: free_address() }
    }

    /// A join token for a seat, made at a node of the realm.
    pub async fn token(&self, at: &str, seat: &str) -> String {
        token_of(&self.dir(at), seat, &[]).await
    }
}

/// A join token for a seat, made at the node of a directory.
pub async fn token_of(dir: &str, seat: &str, more: &[&str]) -> String {
    let code = code(seat);
    let said = heliu(&[&["enroll", &code, "--quiet", "--dir", dir], more].concat()).await.exits(0);
    said.out.trim().to_owned()
}

impl Machine {
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Of its node, once it has joined.
    #[must_use]
    pub fn node_folder(&self) -> PathBuf {
        self.folder.join("node")
    }

    /// The same as one types it after `--dir`.
    ///
    /// # Panics
    /// Never: temporary paths are plain.
    #[must_use]
    pub fn dir(&self) -> String {
        self.node_folder().to_str().expect("temporary paths are plain").to_owned()
    }

    /// The command line that joins.
    #[must_use]
    pub fn join_line(&self, token: &str, more: &[&str]) -> Vec<String> {
        let (dir, address) = (self.dir(), self.address.to_string());
        let line = ["join", token, "--dir", &dir, "--listen", &address];
        line.iter().chain(more).map(|&word| word.to_owned()).collect()
    }

    /// Joins, to its end: without starting the node.
    pub async fn joins(&self, token: &str) -> crate::command_line::Said {
        let line = self.join_line(token, &["--no-start"]);
        heliu(&line.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    /// Joins and runs.
    pub async fn starts_by_joining(&self, token: &str) -> (NodeProcess, Desk) {
        let line = self.join_line(token, &[]);
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        let mut process = NodeProcess::spawn_by(&line, &self.node_folder(), &self.folder, self.address, &[]);
        let desk = process.is_up().await;
        (process, desk)
    }

    /// Runs, after it has joined.
    pub async fn starts(&self) -> (NodeProcess, Desk) {
        let dir = self.dir();
        let line = ["node", "--dir", &dir];
        let mut process = NodeProcess::spawn_by(&line, &self.node_folder(), &self.folder, self.address, &[]);
        let desk = process.is_up().await;
        (process, desk)
    }
}

/// Every file under these directories that has one of these texts in it.
#[must_use]
pub fn files_with(folders: &[PathBuf], texts: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = folders.to_vec();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("the directory is ours").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            // A file may go while we look.
            let bytes = std::fs::read(&path).unwrap_or_default();
            let has = |text: &&&str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
            found.extend(texts.iter().filter(has).map(|text| (path.clone(), (*text).to_owned())));
        }
    }
    found
}

impl Drop for Realm {
    fn drop(&mut self) {
        if let Some(folder) = self.folder.take().filter(|_| std::thread::panicking()) {
            eprintln!("the realm with the logs of its nodes is kept in {}", folder.keep().display());
        }
    }
}

/// An address on this machine that stays free while its node is down: outside the range from which the system takes
/// the ports of outgoing connections, and of other tests.
#[must_use]
pub fn free_address() -> SocketAddr {
    const FIRST: u16 = 10_000;
    const PORTS: u16 = 20_000;
    // Processes that begin together have ids in a row: each gets some ports of its own.
    const EACH: u32 = 16;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = u16::try_from(std::process::id().wrapping_mul(EACH) % u32::from(PORTS)).unwrap_or(0);
    (0..PORTS)
        .map(|_| FIRST + begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS)
        .map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("some port is free")
}
