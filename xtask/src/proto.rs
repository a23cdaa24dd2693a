//! `cargo xtask proto`: proto/heliu/<area>/v1/*.proto becomes committed Rust: what nodes say to each other in crates/wire,
//! everything else, which clients need too, in crates/api; each in `src/generated`.
//!
//! Committed, so that a build needs neither protoc nor this code; `--check` proves that it is fresh. One file per
//! package as tonic emits it, and a `mod.rs` that nests them like the packages, for `mod generated;` in the crate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use tonic_prost_build::FileDescriptorSet;

use crate::process::root;

/// Whether a room has the code of a package.
type HasPackage = fn(&str) -> bool;

/// Where the code of a package goes. Packages of one crate may name each other's messages.
const ROOMS: [(&str, HasPackage); 2] =
    [("crates/api/src/generated", |package| !is_of_links(package)), ("crates/wire/src/generated", is_of_links)];

fn is_of_links(package: &str) -> bool {
    package.starts_with("heliu.replication.")
}

/// File name to text.
type Files = BTreeMap<String, String>;

/// What `mod.rs` says of `methods.rs`, which belongs to no package.
const METHODS_MODULE: &str = "\npub mod methods;\n";

/// Brings the committed code up to date.
pub fn generate() -> Result<(), String> {
    for (room, fresh) in compile(&root().join("proto"))? {
        let committed = read(&root().join(room)).unwrap_or_default();
        let changed = differences(&committed, &fresh);
        write(&root().join(room), &committed, &fresh).map_err(|error| format!("cannot write {room}: {error}"))?;
        match changed.len() {
            0 => println!("{room} is fresh: {} files", fresh.len()),
            count => println!("{room}: {count} of {} files changed: {}", fresh.len(), changed.join(", ")),
        }
    }
    Ok(())
}

/// Fails if the committed code is not what proto/ compiles to.
pub fn check() -> Result<(), String> {
    let mut all_stale = Vec::new();
    for (room, fresh) in compile(&root().join("proto"))? {
        let stale = differences(&read(&root().join(room)).unwrap_or_default(), &fresh);
        if stale.is_empty() {
            println!("{room} is fresh: {} files", fresh.len());
        } else {
            all_stale.push(format!("{room} is stale: {}", stale.join(", ")));
        }
    }
    if all_stale.is_empty() {
        return Ok(());
    }
    Err(format!("{}; run `cargo xtask proto` and commit what it writes", all_stale.join("; ")))
}

/// Compiles every proto below `sources`: the files of each room.
fn compile(sources: &Path) -> Result<Vec<(&'static str, Files)>, String> {
    let mut protos = Vec::new();
    collect(sources, &mut protos).map_err(|error| format!("cannot read {}: {error}", sources.display()))?;
    protos.sort();
    if protos.is_empty() {
        return Err(format!("{} holds no .proto file", sources.display()));
    }
    // The report of a parse error names file and line; one line of it is not enough to repair anything.
    let descriptors = protox::compile(&protos, [sources]).map_err(|error| format!("{error:?}"))?;

    let paths = methods(&descriptors);
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
    let files = emit().map_err(|error| format!("cannot generate into {}: {error}", output.display()))?;
    Ok(ROOMS.iter().map(|(room, is_here)| (*room, of_room(&files, &paths, *is_here))).collect())
}

/// The packages of one room, with the modules and the methods that belong to them.
fn of_room(files: &Files, paths: &BTreeSet<String>, is_here: fn(&str) -> bool) -> Files {
    let here = files.iter().filter(|(name, _)| is_here(name));
    let mut room: Files = here.map(|(name, text)| (name.clone(), text.clone())).collect();
    room.insert("mod.rs".into(), index(room.keys()) + METHODS_MODULE);
    room.insert("methods.rs".into(), listed(paths.iter().filter(|path| is_here(path.trim_start_matches('/')))));
    room
}

/// The path of every method.
fn methods(descriptors: &FileDescriptorSet) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for file in &descriptors.file {
        for service in &file.service {
            let method = |method: &str| format!("/{}.{}/{method}", file.package(), service.name());
            paths.extend(service.method.iter().map(|each| method(each.name())));
        }
    }
    paths
}

/// `methods.rs`, for tables that must lack none; as rustfmt would write it, which puts a short list on one line.
fn listed<'a>(paths: impl Iterator<Item = &'a String>) -> String {
    let head =
        "//! Every method of these packages, as `cargo xtask proto` found it. Do not edit: it will be overwritten.\n\n";
    let paths: Vec<String> = paths.map(|path| format!("\"{path}\"")).collect();
    let list = match &paths[..] {
        [only] => format!("&[{only}]"),
        all => format!("&[\n{}]", all.iter().map(|path| format!("    {path},\n")).collect::<String>()),
    };
    format!("{head}pub const METHODS: &[&str] = {list};\n")
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

/// Writes what differs and nothing else, so that cargo does not build an unchanged crate again.
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
    fn what_nodes_say_to_each_other_is_kept_from_clients() {
        let all = files(&[("heliu.records.v1.rs", "1"), ("heliu.replication.v1.rs", "2")]);
        let paths = ["/heliu.records.v1.A/Get", "/heliu.replication.v1.B/Link"].map(str::to_owned).into();
        let [api, wire] = ROOMS.map(|(_, is_here)| of_room(&all, &paths, is_here));
        assert_eq!(api.keys().collect::<Vec<_>>(), ["heliu.records.v1.rs", "methods.rs", "mod.rs"]);
        assert_eq!(wire.keys().collect::<Vec<_>>(), ["heliu.replication.v1.rs", "methods.rs", "mod.rs"]);
        assert!(api["methods.rs"].contains("A/Get") && !api["methods.rs"].contains("Link"), "{api:?}");
        assert!(wire["methods.rs"].contains("B/Link") && !wire["mod.rs"].contains("records"), "{wire:?}");
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
