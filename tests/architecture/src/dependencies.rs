//! Who may use what: the pure core stays pure, and each heavy dependency has its rooms. Which room may use which other, the
//! drawing in ARCHITECTURE.md says: `map` holds it against the manifests.

use crate::expect_none;
use crate::metadata::Graph;

/// Reached neither directly nor through anything else: with one of these, the core would no longer be the same on a
/// node and in a simulated schedule.
pub const PURE: &[&str] = &[
    "crates/words",
    "crates/identity",
    "crates/record",
    "crates/catalogue",
    "crates/trust",
    "crates/storage",
    "crates/replication",
];
const IMPURE: &[&str] =
    &["tokio", "async-std", "smol", "sqlx", "rusqlite", "tonic", "prost", "hyper", "reqwest", "rustls"];

/// What a program that speaks to a node is not made to build, nor to be of one version with: it is told by the node what it has
/// to know.
const CLIENT: &str = "crates/client";
const ENGINE: &[&str] =
    &["automerge", "zstd", "sqlx", "heliu-record", "heliu-trust", "heliu-replication", "heliu-wire"];

/// A dependency, the rooms that may name it, and where its work goes instead. `tests/*` and xtask may name anything.
const FENCES: &[(&str, &[&str], &str)] = &[
    ("automerge", &["crates/record"], "everybody else carries a record's bytes as opaque bytes"),
    ("sqlx", &["crates/storage-sqlite", "crates/storage-postgres"], "SQL goes behind the traits of crates/storage"),
    ("tonic", WIRE_AND_ABOVE, "convert in crates/wire, and pass domain types"),
    ("tonic-prost", WIRE_AND_ABOVE, "convert in crates/wire, and pass domain types"),
    ("prost", WIRE_AND_ABOVE, "convert in crates/wire, and pass domain types"),
    ("prost-types", WIRE_AND_ABOVE, "convert in crates/wire, and pass domain types"),
    ("rustls", &["crates/tls"], TLS),
    ("rcgen", &["crates/tls"], TLS),
    ("rustls-webpki", &["crates/tls"], TLS),
    ("heliu-catalogue", &["services/"], "take what it says from the catalogue that `main` hands down"),
    ("heliu-storage-sqlite", &["services/"], "take a store by the traits of crates/storage; a service picks it"),
    ("heliu-storage-postgres", &["services/"], "take a store by the traits of crates/storage; a service picks it"),
];
const TLS: &str = "certificates are made and judged in crates/tls, by the same code for all ends";
const WIRE_AND_ABOVE: &[&str] = &["crates/api", "crates/wire", "crates/node", "crates/client"];

fn impurities(graph: &Graph) -> Vec<String> {
    let mut findings = Vec::new();
    for (room, package) in graph.rooms().filter(|(room, _)| PURE.contains(room)) {
        for way in IMPURE.iter().filter_map(|impure| graph.way(package, impure)) {
            findings.push(format!(
                "{room} is pure, but reaches {}: make it an input or an effect, and let crates/node do the work",
                way.join(" -> ")
            ));
        }
    }
    findings
}

fn engine_in_the_client(graph: &Graph) -> Vec<String> {
    let mut findings = Vec::new();
    for (_, package) in graph.rooms().filter(|(room, _)| *room == CLIENT) {
        for way in ENGINE.iter().filter_map(|part| graph.way(package, part)) {
            findings.push(format!(
                "{CLIENT} reaches {}: a client has the messages of crates/api; what it needs of the engine, the node tells",
                way.join(" -> ")
            ));
        }
    }
    findings
}

fn crossed_fences(graph: &Graph) -> Vec<String> {
    let mut findings = Vec::new();
    for (room, package) in graph.rooms().filter(|(room, _)| !room.starts_with("tests/") && *room != "xtask") {
        for (dependency, rooms, instead) in FENCES {
            let may = rooms.iter().any(|may| room == *may || (may.ends_with('/') && room.starts_with(may)));
            if !may && graph.uses(package).any(|used| used.name == *dependency) {
                findings.push(format!("{room} uses {dependency}, which belongs to {}: {instead}", rooms.join(", ")));
            }
        }
    }
    findings
}

#[test]
fn the_core_reaches_no_runtime_no_sql_and_no_grpc() {
    expect_none(&impurities(&Graph::of_this_workspace()));
}

#[test]
fn a_client_builds_without_the_engine() {
    let graph = Graph::of_this_workspace();
    assert!(graph.rooms().any(|(room, _)| room == CLIENT), "{CLIENT} is gone: correct CLIENT of {}", file!());
    expect_none(&engine_in_the_client(&graph));
}

#[test]
fn heavy_dependencies_stay_in_their_rooms() {
    expect_none(&crossed_fences(&Graph::of_this_workspace()));
}

#[test]
fn every_room_of_the_core_is_there_to_be_checked() {
    let graph = Graph::of_this_workspace();
    for pure in PURE {
        assert!(graph.rooms().any(|(room, _)| room == *pure), "{pure} is gone: correct PURE of {}", file!());
    }
}

mod the_fences_can_fail {
    use super::*;

    #[test]
    fn a_runtime_behind_another_crate_is_found_and_the_way_to_it_is_shown() {
        let graph = Graph::by_hand(&[
            ("crates/trust", "heliu-trust", &["innocent"]),
            ("", "innocent", &["tokio"]),
            ("", "tokio", &[]),
            ("crates/node", "heliu-node", &["tokio"]),
        ]);
        let findings = impurities(&graph);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].contains("heliu-trust -> innocent -> tokio"), "{findings:?}");
    }

    #[test]
    fn the_engine_behind_the_clients_other_crates_is_found_and_the_way_to_it_is_shown() {
        let graph = Graph::by_hand(&[
            ("crates/client", "heliu-client", &["heliu-tls"]),
            ("crates/tls", "heliu-tls", &["heliu-record"]),
            ("crates/record", "heliu-record", &["automerge"]),
            ("crates/wire", "heliu-wire", &["zstd"]),
            ("", "automerge", &[]),
            ("", "zstd", &[]),
        ]);
        let findings = engine_in_the_client(&graph);
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].contains("heliu-client -> heliu-tls -> heliu-record -> automerge"), "{findings:?}");
    }

    #[test]
    fn a_dependency_outside_its_rooms_is_found() {
        let graph = Graph::by_hand(&[
            ("crates/node", "heliu-node", &["sqlx", "automerge", "tonic", "heliu-storage-sqlite"]),
            ("crates/storage-sqlite", "heliu-storage-sqlite", &["sqlx"]),
            ("services/heliu", "heliu", &["heliu-storage-sqlite"]),
            ("tests/bench", "bench", &["sqlx", "automerge"]),
            ("", "sqlx", &[]),
            ("", "automerge", &[]),
            ("", "tonic", &[]),
        ]);
        let findings = crossed_fences(&graph);
        assert_eq!(findings.len(), 3, "{findings:?}");
        for dependency in ["sqlx", "automerge", "heliu-storage-sqlite"] {
            assert!(findings.iter().any(|finding| finding.starts_with(&format!("crates/node uses {dependency}"))));
        }
    }
}
