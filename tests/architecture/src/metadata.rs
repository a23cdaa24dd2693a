//! `cargo metadata` as a small graph that tests can also build by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::repository;

/// All packages of the resolved graph, by cargo's package id.
#[derive(Default)]
pub struct Graph {
    pub packages: BTreeMap<String, Package>,
}

#[derive(Default)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// An SPDX expression, as its author wrote it.
    pub licence: Option<String>,
    /// The folder of a workspace member relative to the root, such as `crates/record`; none for a crate from elsewhere.
    pub room: Option<String>,
    /// Ids of normal and build dependencies. What only tests use crosses no fence.
    pub uses: BTreeSet<String>,
    /// What its Cargo.toml names, in each of the sections where it stands.
    pub named: Vec<Named>,
}

/// A dependency as a Cargo.toml names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// As the Cargo.toml calls it.
    pub name: String,
    /// As sources call it; it may differ (`rustls-webpki` is `webpki`).
    pub called: String,
    pub for_tests: bool,
    pub features: Vec<String>,
}

impl Graph {
    /// Asks cargo. Linux only, because that is what we ship, and other platforms' crates would have to be downloaded.
    pub fn of_this_workspace() -> Self {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--format-version", "1", "--filter-platform", "x86_64-unknown-linux-gnu"])
            .current_dir(repository::root())
            .output()
            .expect("cargo runs: it runs this test");
        assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        Self::parse(&serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON"))
    }

    fn parse(metadata: &Value) -> Self {
        let root = text(&metadata["workspace_root"]);
        let mut graph = Self::default();
        for package in list(&metadata["packages"]) {
            let folder = text(&package["manifest_path"]).trim_end_matches("/Cargo.toml");
            let room =
                package["source"].is_null().then(|| folder.trim_start_matches(root).trim_matches('/').to_owned());
            graph.packages.insert(
                text(&package["id"]).to_owned(),
                Package {
                    name: text(&package["name"]).to_owned(),
                    version: text(&package["version"]).to_owned(),
                    licence: package["license"].as_str().map(str::to_owned),
                    room,
                    uses: BTreeSet::new(),
                    named: list(&package["dependencies"]).iter().map(named).collect(),
                },
            );
        }
        for node in list(&metadata["resolve"]["nodes"]) {
            let shipped = |dependency: &&Value| list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev");
            let uses = list(&node["deps"]).iter().filter(shipped).map(|dependency| text(&dependency["pkg"]).to_owned());
            // How sources call a crate is what its library is called, which is known when it is resolved.
            let lib_of = |dependency: &Value| {
                let package = graph.packages.get(text(&dependency["pkg"]))?;
                Some((package.name.clone(), text(&dependency["name"]).to_owned()))
            };
            let libs: Vec<(String, String)> = list(&node["deps"]).iter().filter_map(lib_of).collect();
            if let Some(package) = graph.packages.get_mut(text(&node["id"])) {
                package.uses = uses.collect();
                for named in package.named.iter_mut().filter(|named| named.called == named.name.replace('-', "_")) {
                    let lib = libs.iter().find(|(name, _)| *name == named.name);
                    named.called = lib.map_or_else(|| named.called.clone(), |(_, lib)| lib.clone());
                }
            }
        }
        graph
    }

    /// The packages of this workspace, with their folders.
    pub fn rooms(&self) -> impl Iterator<Item = (&str, &Package)> {
        self.packages.values().filter_map(|package| Some((package.room.as_deref()?, package)))
    }

    /// Whether some package is called so.
    pub fn has(&self, name: &str) -> bool {
        self.packages.values().any(|package| package.name == name)
    }

    /// The packages that this one names in its own Cargo.toml.
    pub fn uses(&self, package: &Package) -> impl Iterator<Item = &Package> {
        package.uses.iter().filter_map(|id| self.packages.get(id))
    }

    /// How `package` reaches a package called `target`, as names from one to the other; the shortest way.
    pub fn way(&self, package: &Package, target: &str) -> Option<Vec<String>> {
        let mut ways = std::collections::VecDeque::from([(package, vec![package.name.clone()])]);
        let mut seen = BTreeSet::new();
        while let Some((at, way)) = ways.pop_front() {
            if at.name == target {
                return Some(way);
            }
            for next in self.uses(at) {
                if seen.insert((&next.name, &next.version)) {
                    ways.push_back((next, way.iter().chain([&next.name]).cloned().collect()));
                }
            }
        }
        None
    }

    /// A graph for tests of checkers: `(room or "", name, names it uses)`.
    pub fn by_hand(packages: &[(&str, &str, &[&str])]) -> Self {
        let package = |(room, name, uses): &(&str, &str, &[&str])| Package {
            name: (*name).to_owned(),
            room: (!room.is_empty()).then(|| (*room).to_owned()),
            uses: uses.iter().map(|name| (*name).to_owned()).collect(),
            ..Package::default()
        };
        Self { packages: packages.iter().map(|entry| (entry.1.to_owned(), package(entry))).collect() }
    }
}

fn named(dependency: &Value) -> Named {
    let name = text(&dependency["name"]);
    Named {
        name: name.to_owned(),
        called: dependency["rename"].as_str().unwrap_or(name).replace('-', "_"),
        for_tests: dependency["kind"] == "dev",
        features: list(&dependency["features"]).iter().map(|feature| text(feature).to_owned()).collect(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn a_dependency_of_tests_alone_is_not_shipped() {
    let kinds = |kind: Value| serde_json::json!([{ "kind": kind, "target": null }]);
    let graph = Graph::parse(&serde_json::json!({
        "workspace_root": "/w",
        "packages": [
            { "id": "a", "name": "a", "version": "1.0.0", "license": "MIT", "source": null,
              "manifest_path": "/w/crates/a/Cargo.toml",
              "dependencies": [
                  { "name": "b", "kind": null, "rename": null, "features": ["std"] },
                  { "name": "c", "kind": "dev", "rename": "see-it", "features": [] },
              ] },
            { "id": "b", "name": "b", "version": "1.0.0", "source": "registry", "manifest_path": "/r/b/Cargo.toml" },
            { "id": "c", "name": "c", "version": "1.0.0", "source": "registry", "manifest_path": "/r/c/Cargo.toml" },
            { "id": "d", "name": "d", "version": "1.0.0", "source": "registry", "manifest_path": "/r/d/Cargo.toml" },
        ],
        "resolve": { "nodes": [{ "id": "a", "deps": [
            { "pkg": "b", "name": "lib_of_b", "dep_kinds": kinds(Value::Null) },
            { "pkg": "c", "name": "see_it", "dep_kinds": kinds("dev".into()) },
            { "pkg": "d", "name": "d", "dep_kinds": kinds("build".into()) },
        ] }] },
    }));
    let (room, package) = graph.rooms().next().expect("a is a room");
    assert_eq!((room, package.licence.as_deref()), ("crates/a", Some("MIT")));
    assert_eq!(graph.uses(package).map(|package| package.name.as_str()).collect::<Vec<_>>(), ["b", "d"]);
    let called: Vec<_> = package.named.iter().map(|named| (named.called.as_str(), named.for_tests)).collect();
    assert_eq!(
        (called, &package.named[0].features[..]),
        (vec![("lib_of_b", false), ("see_it", true)], &["std".to_owned()][..])
    );
}
