//! What is kept on a machine is its owner's: with any umask, and where folders were there before.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use end_to_end::command_line::{command, run};
use end_to_end::patience::until;
use end_to_end::realm::free_address;
use end_to_end::seats::{code, region_file};
use tokio::process::Command;

/// The built binary where the shell lets everybody in: `umask 0`.
fn careless(arguments: &[&str]) -> Command {
    let own = command(arguments);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "umask 0; exec \"$0\" \"$@\""])
        .arg(own.as_std().get_program())
        .args(arguments)
        .kill_on_drop(true);
    for (name, value) in own.as_std().get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(std::process::Stdio::null());
    shell
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

/// Every file and folder that somebody else could use.
fn open_to_others(folder: &Path) -> Vec<String> {
    let mut open = Vec::new();
    if mode(folder) & 0o077 != 0 {
        open.push(format!("{} {:03o}", folder.display(), mode(folder)));
    }
    for entry in std::fs::read_dir(folder).expect("it is ours").flatten() {
        let path = entry.path();
        if path.is_dir() {
            open.extend(open_to_others(&path));
        } else if mode(&path) & 0o077 != 0 {
            open.push(format!("{} {:03o}", path.display(), mode(&path)));
        }
    }
    open
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_made_is_open_to_others_whatever_the_umask_says() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let plain = |path: &Path| path.to_str().expect("temporary paths are plain").to_owned();
    let (regions, realm) = (home.path().join("regions.csv"), home.path().join("realm"));
    std::fs::write(&regions, region_file(["C", "T1"])).expect("the directory is ours");
    // The folder was there, for everybody; so is the node's data folder.
    std::fs::create_dir(&realm).expect("it is new");
    std::fs::set_permissions(&realm, std::fs::Permissions::from_mode(0o777)).expect("it is ours");
    let county = format!("{}={}", code("C"), free_address());
    let init = ["init", "--regions", &plain(&regions), "--dir", &plain(&realm), "--node", &county];
    let _ = run(careless(&init), &init).await.exits(0).complains("had mode 777");
    assert_eq!(open_to_others(&realm), [""; 0]);

    let node = realm.join("county");
    let (dir, data) = (plain(&node), node.join("data"));
    std::fs::create_dir(&data).expect("it is new");
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let log = std::fs::File::create(home.path().join("log")).expect("it is ours");
    let mut running = careless(&["node", "--dir", &dir]).stderr(log).spawn().expect("the binary runs");
    let status = ["status", "--dir", &dir];
    until("it is up", async || run(command(&status), &status).await.code == 0).await;
    let made = ["do", "org.create", "name=甲村党支部", "--dir", &dir];
    let _ = run(careless(&made), &made).await.exits(0);
    let token = plain(&node.join("t1.token"));
    let enroll = ["enroll", &code("T1"), "--out", &token, "--dir", &dir];
    let _ = run(careless(&enroll), &enroll).await.exits(0);
    let _ = run(careless(&enroll), &enroll).await.exits(1).complains("is not written over");
    let access = plain(&node.join("clerk.access"));
    let add = ["access", "add", "--name", "clerk", "--role", "read", "--out", &access, "--dir", &dir];
    let _ = run(careless(&add), &add).await.exits(0);
    let save = ["directory", "save", &plain(&node.join("saved.bin")), "--dir", &dir];
    let _ = run(careless(&save), &save).await.exits(0);
    assert_eq!(open_to_others(&realm), [""; 0]);
    let told = std::fs::read_to_string(home.path().join("log")).expect("it is ours");
    assert!(told.contains("it is for its owner alone now") && told.contains("755"), "{told}");

    // What somebody opens afterwards, doctor tells.
    let doctor = ["doctor", "--dir", &dir];
    let _ = run(command(&doctor), &doctor).await.answers("[ok]    modes of files");
    std::fs::set_permissions(data.join("heliu.db"), std::fs::Permissions::from_mode(0o644)).expect("it is ours");
    let _ = run(command(&doctor), &doctor).await.exits(1).answers("heliu.db has mode 644").answers("chmod go-rwx");
    running.kill().await.expect("it is ours");
}
