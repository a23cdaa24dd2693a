//! No space is left: the node says so and takes no writes, loses nothing, and goes on when there is space again.

use std::path::{Path, PathBuf};
use std::process::Command;

use end_to_end::command_line::heliu;
use end_to_end::desk::Desk;
use end_to_end::patience::{skipped, until};
use end_to_end::realm::Realm;

/// More than fits.
const MEMBERS: usize = 4_000;
const REASON: &str = "a long reason takes space as well, and so a disk is full sooner than it would be without one; ";

/// Registers members until the node has no space for more; those that it acknowledged.
async fn fill(desk: &Desk, branch: &str) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0..MEMBERS {
        let name = format!("测试甲{number:04}");
        let mut order = end_to_end::desk::order("member.register", "", &[("name", name.as_str()), ("branch", branch)]);
        order.reason = REASON.repeat(8);
        match desk.client.execute(order).await {
            Ok(done) => acknowledged.extend(done.created),
            Err(error) => {
                assert!(matches!(error.reason(), "store_full" | "store_quota" | "store_failed"), "{error}");
                return acknowledged;
            }
        }
    }
    panic!("{MEMBERS} members fit: the disk is not small enough for this story");
}

async fn has_all(desk: &Desk, members: &[String]) {
    let held: Vec<String> = desk.list("member").await.into_iter().map(|record| record.id).collect();
    let missing: Vec<&String> = members.iter().filter(|member| !held.contains(member)).collect();
    assert!(missing.is_empty(), "{} of {} acknowledged members are gone", missing.len(), members.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_nothing_is_lost_and_writing_goes_on_when_there_is_space() {
    let realm = Realm::init(&["C"]).await;
    let Some(disk) = SmallDisk::mount(&realm.folder().join("disk")) else {
        skipped("a full disk: mounting a small tmpfs takes root. The story of a quota covers a node without it");
        return;
    };
    let data = disk.0.join("data");
    let settings = [("HELIU_DATA_DIR", data.to_str().expect("plain"))];
    let (mut node, county) = realm.start_with("C", &settings).await;
    let dir = realm.dir("C");
    let branch = county.makes("org.create", &[("name", "县委")]).await;
    let ballast = disk.0.join("ballast");
    disk.leave_free(&ballast, 400 * 1024);
    let acknowledged = fill(&county, &branch).await;
    assert!(!acknowledged.is_empty());

    let branch_is = format!("branch={branch}");
    let register = ["do", "member.register", "name=测试乙0001", &branch_is, "--dir", &dir];
    let said = heliu(&register).await.exits(5).complains("Nothing was written").complains("no space is left");
    let _ = said.complains("the node goes on by itself").complains("--command-id");
    let _ = heliu(&["status", "--dir", &dir]).await.exits(0).answers("READ-ONLY").answers("no space is left");
    let _ = heliu(&["get", &branch, "--dir", &dir]).await.exits(0).answers("县委");
    has_all(&county, &acknowledged).await;

    // Killed now, it has everything when it is started again; a new store does not come about without space.
    node.kill_nine().await;
    disk.leave_free(&disk.0.join("more"), 0);
    let new = disk.0.join("new");
    let mut starved = realm.spawn_with("C", &[("HELIU_DATA_DIR", new.to_str().expect("plain"))]);
    assert_eq!(starved.ends().await.code(), Some(5), "{}", starved.log());
    for phrase in ["no space is left where", "nothing is lost", "free some space"] {
        assert!(starved.log().contains(phrase), "{}", starved.log());
    }
    std::fs::remove_file(disk.0.join("more")).expect("it is ours");
    std::fs::remove_file(&ballast).expect("it is ours");
    let (mut node, county) = realm.start_with("C", &settings).await;
    has_all(&county, &acknowledged).await;

    disk.leave_free(&ballast, 400 * 1024);
    let more = fill(&county, &branch).await;
    std::fs::remove_file(&ballast).expect("it is ours");
    until("it takes writes again by itself", async || heliu(&register).await.code == 0).await;
    let _ = heliu(&["status", "--dir", &dir]).await.exits(0).answers("takes reads and writes");
    has_all(&county, &acknowledged).await;
    has_all(&county, &more).await;
    assert!(node.stop().await.success(), "{}", node.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_its_quota_a_node_takes_no_writes_and_with_a_larger_one_it_goes_on() {
    let realm = Realm::init(&["C"]).await;
    let (mut node, county) = realm.start_with("C", &[("HELIU_STORE_QUOTA_MIB", "1")]).await;
    let dir = realm.dir("C");
    let branch = county.makes("org.create", &[("name", "县委")]).await;
    let acknowledged = fill(&county, &branch).await;
    let branch_is = format!("branch={branch}");
    let register = ["do", "member.register", "name=测试乙0001", &branch_is, "--dir", &dir];
    let said = heliu(&register).await.exits(5).complains("Nothing was written").complains("quota of 1 MiB");
    let said = said.complains("store.quota_mib");
    // The disk has room.
    assert!(!said.err.contains("space") && !said.err.contains("disk:"), "{said:?}");
    let _ = heliu(&["status", "--dir", &dir]).await.exits(0).answers("READ-ONLY").answers("quota: 1.0 MiB");
    has_all(&county, &acknowledged).await;

    assert!(node.stop().await.success(), "{}", node.log());
    let (_node, county) = realm.start_with("C", &[("HELIU_STORE_QUOTA_MIB", "64")]).await;
    has_all(&county, &acknowledged).await;
    let _ = heliu(&register).await.exits(0);
}

/// A file system of a few MiB in memory, which goes when this is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).expect("the directory is ours");
        let mounted = rustix::process::geteuid().is_root()
            && Command::new("mount").args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"]).arg(at).status().ok()?.success();
        mounted.then(|| SmallDisk(at.to_owned()))
    }

    /// Fills it with a file up to so many bytes.
    fn leave_free(&self, ballast: &Path, bytes: usize) {
        use std::io::Write as _;
        let mut file = std::fs::File::create(ballast).expect("it is ours");
        while file.write_all(&[0; 4096]).is_ok() {}
        let length = file.metadata().map_or(0, |file| file.len());
        file.set_len(length.saturating_sub(bytes as u64)).expect("it can be cut");
        assert!(self.0.exists());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the node's process may still be ending.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
