//! The shipped program's node as a process of its own, in a directory with its keys, configuration and store.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use heliu_client::{Access, Client};
use rustix::process::{Pid, Signal, kill_process};

use crate::site::free_address;

pub struct Shipped {
    child: Child,
    access: Access,
}

impl Shipped {
    /// Returns when the node says that it is ready. It is spoken to as by whoever sits at its machine.
    pub fn start(program: &Path, home: &Path) -> Shipped {
        let mut child = Command::new(program)
            .args(["node", "--log-json", "--dir"])
            .arg(home)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("heliu starts");
        let (mut line, out) = (String::new(), child.stdout.take().expect("its output is a pipe"));
        BufReader::new(out).read_line(&mut line).expect("its output is read");
        assert!(!line.is_empty(), "the node in {} does not start", home.display());
        let access = Access::read(&home.join("local.access")).expect("who made the directory wrote it");
        Shipped { child, access }
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub async fn client(&self) -> Client {
        Client::open(&self.access).await.expect("the node answers")
    }
}

impl Drop for Shipped {
    /// In order: what it leaves behind is what the next start finds.
    fn drop(&mut self) {
        if let Some(process) = Pid::from_raw(self.child.id().cast_signed()) {
            let _ = kill_process(process, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

/// A new realm of the default county, with a node at the seat of that code: its directory.
pub fn found(program: &Path, directory: &Path, code: &str) -> PathBuf {
    let regions = directory.join("regions.csv");
    std::fs::write(&regions, crate::place::REGIONS).expect("the region file is written");
    let realm = directory.join("realm");
    let made = Command::new(program)
        .args(["init", "--regions"])
        .arg(&regions)
        .arg("--dir")
        .arg(&realm)
        .arg("--node")
        .arg(format!("{code}={}", free_address()))
        .output()
        .expect("heliu starts");
    assert!(made.status.success(), "init: {}", String::from_utf8_lossy(&made.stderr));
    let county = realm.join("county");
    let home = realm.join("nodes").join(code);
    if home.exists() { home } else { county }
}
