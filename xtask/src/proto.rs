//! `cargo xtask proto`: proto/heliu/<area>/v1/*.proto becomes committed Rust in crates/wire/src/generated.
//!
//! Committed, so that a build needs neither protoc nor this code; `--check` proves that it is fresh. One file per
//! package as tonic emits it, and a `mod.rs` that nests them like the packages, for `mod generated;` in heliu-wire.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use tonic_prost_build::FileDescriptorSet;

use crate::process::root;

const GENERATED: &str = "crates/wire/src/generated";

/// File name to text.
type Files = BTreeMap<String, String>;

/// What `mod.rs` says of `methods.rs`, which belongs to no package.
const METHODS_MODULE: &str = "\npub mod methods;\n";

/// Brings the committed code up to date.
pub fn generate() -> Result<(), String> {
    let (fresh, committed) = (compile(&root().join("proto"))?, read(&root().join(GENERATED)).unwrap_or_default());
    let changed = differences(&committed, &fresh);
    write(&root().join(GENERATED), &committed, &fresh).map_err(|error| format!("cannot write {GENERATED}: {error}"))?;
    match changed.len() {
        0 => println!("{GENERATED} is fresh: {} files", fresh.len()),
        count => println!("{GENERATED}: {count} of {} files changed: {}", fresh.len(), changed.join(", ")),
    }
    Ok(())
}

/// Fails if the committed code is not what proto/ compiles to.
pub fn check() -> Result<(), String> {
    let (fresh, committed) = (compile(&root().join("proto"))?, read(&root().join(GENERATED)).unwrap_or_default());
    let stale = differences(&committed, &fresh);
    if stale.is_empty() {
        println!("{GENERATED} is fresh: {} files", fresh.len());
        return Ok(());
    }
    Err(format!("{GENERATED} is stale: {}; run `cargo xtask proto` and commit what it writes", stale.join(", ")))
}

/// Compiles every proto below `sources`.
fn compile(sources: &Path) -> Result<Files, String> {
    let mut protos = Vec::new();
    collect(sources, &mut protos).map_err(|error| format!("cannot read {}: {error}", sources.display()))?;
    protos.sort();
    if protos.is_empty() {
        return Err(format!("{} holds no .proto file", sources.display()));
    }
    // The report of a parse error names file and line; one line of it is not enough to repair anything.
    let descriptors = protox::compile(&protos, [sources]).map_err(|error| format!("{error:?}"))?;

    let methods = methods(&descriptors);
    let output = root().join("target/xtask/proto");
    let emit = || -> io::Result<Files> {
        if output.exists() {
            fs::remove_dir_all(&output)?;
        }
        fs::create_dir_all(&output)?;
        tonic_prost_build::configure()
            .build_client(true)
            .build_server(true)
            .emit_rerun_if_changed(false)
            .out_dir(&output)
            .compile_fds(descriptors)?;
        read(&output)
    };
    let mut files = emit().map_err(|error| format!("cannot generate into {}: {error}", output.display()))?;
    files.insert("mod.rs".into(), index(files.keys()) + METHODS_MODULE);
    files.insert("methods.rs".into(), methods);
    Ok(files)
}

/// The path of every method, for tables that must lack none.
fn methods(descriptors: &FileDescriptorSet) -> String {
    let mut paths = BTreeSet::new();
    for file in &descriptors.file {
        for service in &file.service {
            let method = |method: &str| format!("/{}.{}/{method}", file.package(), service.name());
            paths.extend(service.method.iter().map(|each| method(each.name())));
        }
    }
    let mut text = String::from(
        "//! Every method that proto/ declares, as `cargo xtask proto` found it. Do not edit: it will be overwritten.\n\n\
         pub const METHODS: &[&str] = &[\n",
    );
    for path in paths {
        let _ = writeln!(text, "    \"{path}\",");
    }
    text + "];\n"
}

fn collect(folder: &Path, protos: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, protos)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            protos.push(path);
        }
    }
    Ok(())
}

/// `mod.rs`: one module per part of a package's name, so `heliu.link.v1` is `generated::heliu::link::v1`.
fn index<'a>(files: impl Iterator<Item = &'a String>) -> String {
    let mut text = String::from(
        "//! Protobuf and gRPC code that `cargo xtask proto` makes from proto/. Do not edit: it will be overwritten.\n\
         #![allow(warnings, clippy::all, clippy::pedantic, clippy::restriction, reason = \"generated\")]\n\n",
    );
    let mut open: Vec<&str> = Vec::new();
    for file in files {
        let package: Vec<&str> = file.trim_end_matches(".rs").split('.').collect();
        let shared = open.iter().zip(&package).take_while(|(left, right)| left == right).count();
        close(&mut text, &mut open, shared);
        for part in &package[shared..] {
            let _ = writeln!(text, "{}pub mod {part} {{", "    ".repeat(open.len()));
            open.push(part);
        }
        let _ = writeln!(text, "{}include!(\"{file}\");", "    ".repeat(open.len()));
    }
    close(&mut text, &mut open, 0);
    text
}

fn close(text: &mut String, open: &mut Vec<&str>, depth: usize) {
    while open.len() > depth {
        open.pop();
        let _ = writeln!(text, "{}}}", "    ".repeat(open.len()));
    }
}

fn read(folder: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.insert(entry.file_name().to_string_lossy().into_owned(), fs::read_to_string(entry.path())?);
    }
    Ok(files)
}

/// Writes what differs and nothing else, so that cargo does not build an unchanged heliu-wire again.
fn write(folder: &Path, committed: &Files, fresh: &Files) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for name in differences(committed, fresh) {
        match fresh.get(&name) {
            Some(text) => fs::write(folder.join(&name), text)?,
            None => fs::remove_file(folder.join(&name))?,
        }
    }
    Ok(())
}

/// The names of the files that are new, gone or different.
fn differences(committed: &Files, fresh: &Files) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = committed.keys().chain(fresh.keys()).collect();
    names.into_iter().filter(|name| committed.get(*name) != fresh.get(*name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Files {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn new_changed_and_forgotten_files_are_all_stale() {
        let committed = files(&[("same.rs", "1"), ("changed.rs", "1"), ("gone.rs", "1")]);
        let fresh = files(&[("same.rs", "1"), ("changed.rs", "2"), ("new.rs", "1")]);
        assert_eq!(differences(&committed, &fresh), ["changed.rs", "gone.rs", "new.rs"]);
    }

    #[test]
    fn packages_that_share_a_beginning_share_a_module() {
        let names = ["heliu.link.v1.rs".to_owned(), "heliu.link.v2.rs".to_owned(), "heliu.node.v1.rs".to_owned()];
        let text = index(names.iter());
        assert_eq!((text.matches("pub mod heliu {").count(), text.matches("pub mod link {").count()), (1, 1), "{text}");
        assert!(
            text.contains("        pub mod v2 {\n            include!(\"heliu.link.v2.rs\");\n        }\n    }\n"),
            "{text}"
        );
        assert!(text.ends_with("\n}\n"), "{text}");
    }
}
