//! buf checks proto/ for style (STANDARD), and from 1.0 on for breaking changes; see proto/buf.yaml.
//!
//! Nobody has to install it: the binary comes from npm into target/tools. Without npm and without root the step is a
//! counted skip, because everything else in the workspace still needs no more than Rust.

use std::path::PathBuf;

use crate::process::{output, program, root, run, works};
use crate::test::Outcome;

const VERSION: &str = "1.75.0";

/// Builds and lints proto/.
pub fn lint() -> Result<Outcome, String> {
    let buf = match find() {
        Ok(buf) => buf,
        Err(reason) => {
            return Ok(Outcome::skipped(format!(
                "1 skipped: buf lint ({reason}; to have it, install npm or put buf {VERSION} on the PATH)"
            )));
        }
    };
    run(program(&buf, &["build", "proto", "--output", "/dev/null"]))?;
    run(program(&buf, &["lint", "proto"]))?;
    Ok(Outcome::passed())
}

/// The path of buf: on the PATH in this very version, or fetched before, or fetched now.
fn find() -> Result<String, String> {
    let fits = |buf: &str| output(program(buf, &["--version"])).as_deref() == Some(VERSION);
    if fits("buf") {
        return Ok("buf".into());
    }
    let platform = platform()?;
    let fetched = folder().join("node_modules/@bufbuild").join(format!("buf-{platform}")).join("bin/buf");
    let fetched = fetched.to_string_lossy().into_owned();
    if fits(&fetched) {
        return Ok(fetched);
    }
    fetch(&platform)?;
    if fits(&fetched) { Ok(fetched) } else { Err(format!("npm put no working buf at {fetched}")) }
}

/// Only the package with the native binary; `@bufbuild/buf` itself is a wrapper that needs node at run time.
fn fetch(platform: &str) -> Result<(), String> {
    provide_npm()?;
    let package = format!("@bufbuild/buf-{platform}@{VERSION}");
    println!("fetching {package} into target/tools");
    let folder = folder().to_string_lossy().into_owned();
    let quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    let arguments = [&["install", "--prefix", &folder, &package], quiet.as_slice()].concat();
    run(program("npm", &arguments))
}

fn provide_npm() -> Result<(), String> {
    let there = || works(program("npm", &["--version"]));
    if there() {
        return Ok(());
    }
    let root = output(program("id", &["-u"])).as_deref() == Some("0");
    if !root || !works(program("apt-get", &["--version"])) {
        return Err("npm is missing, and only root can install it with apt-get".into());
    }
    println!("npm is missing: installing it with apt-get");
    let install = ["-c", "apt-get update -qq && apt-get install -y -qq --no-install-recommends npm >/dev/null"];
    run(program("sh", &install))?;
    if there() { Ok(()) } else { Err("apt-get installed npm, but it does not start".into()) }
}

fn folder() -> PathBuf {
    root().join("target/tools/buf")
}

/// As the packages of buf are named.
fn platform() -> Result<String, String> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok("linux-x64".into()),
        ("linux", "aarch64") => Ok("linux-aarch64".into()),
        ("linux", "arm") => Ok("linux-armv7".into()),
        ("macos", "x86_64") => Ok("darwin-x64".into()),
        ("macos", "aarch64") => Ok("darwin-arm64".into()),
        (system, machine) => Err(format!("buf is not packaged for {system} on {machine}")),
    }
}
