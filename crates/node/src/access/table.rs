//! Which role each method needs, in one table. What is not in it is not served.

use super::Role;

/// What a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing: load balancers and watchdogs.
    Open,
    /// A node's certificate, which the service itself asks for.
    Node,
    /// A token, with whatever role: what kinds and seats there are.
    Token,
    /// A join token, which the service itself judges: whoever shows one has no access token yet.
    JoinToken,
    Role(Role),
    Either(Role, Role),
}

const METHODS: &[(&str, &[(&str, Need)])] = &[
    ("grpc.health.v1.Health", &[("Check", Need::Open), ("Watch", Need::Open)]),
    ("heliu.replication.v1.ReplicationService", &[("Link", Need::Node)]),
    (
        "heliu.records.v1.RecordsService",
        &[
            ("Execute", Need::Role(Role::Write)),
            ("Get", Need::Role(Role::Read)),
            ("Reveal", Need::Role(Role::Reveal)),
            ("List", Need::Role(Role::Read)),
            ("History", Need::Role(Role::Read)),
            ("GetSchema", Need::Token),
            ("ListSeats", Need::Token),
        ],
    ),
    (
        "heliu.operations.v1.OperationsService",
        &[
            ("GetStatus", Need::Role(Role::Operate)),
            ("ListLinks", Need::Role(Role::Operate)),
            ("Verify", Need::Role(Role::Operate)),
            // People who work with records settle them, and they show values of records.
            ("ListConflicts", Need::Role(Role::Read)),
            ("GetConflict", Need::Role(Role::Read)),
            ("ListQuarantine", Need::Role(Role::Operate)),
            ("GetQuarantined", Need::Role(Role::Operate)),
            ("Requeue", Need::Role(Role::Operate)),
            ("Drop", Need::Role(Role::Operate)),
            ("ListStranded", Need::Role(Role::Operate)),
            ("Reissue", Need::Role(Role::Operate)),
            ("Discard", Need::Role(Role::Operate)),
            ("ListAlarms", Need::Role(Role::Operate)),
        ],
    ),
    (
        "heliu.administration.v1.AdministrationService",
        &[
            ("ListNodes", Need::Role(Role::Read)),
            ("ListDirectory", Need::Role(Role::Read)),
            ("MintToken", Need::Role(Role::Registry)),
            ("Propose", Need::Role(Role::Registry)),
            ("Append", Need::Role(Role::Registry)),
            ("Erase", Need::Role(Role::Registry)),
            ("GetReceipt", Need::Either(Role::Registry, Role::Operate)),
            ("ListAudit", Need::Role(Role::Audit)),
            ("VerifyAudit", Need::Role(Role::Audit)),
        ],
    ),
    ("heliu.enrolment.v1.EnrolmentService", &[("Join", Need::JoinToken)]),
];

/// What the method at a path (`/<service>/<method>`) needs; none if there is no such method.
pub(super) fn need(path: &str) -> Option<Need> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    let (_, methods) = METHODS.iter().find(|(name, _)| *name == service)?;
    methods.iter().find(|(name, _)| *name == method).map(|(_, need)| *need)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_method_of_every_service_is_in_the_table_and_no_other() {
        let mut served: Vec<String> = Vec::new();
        for area in ["records", "operations", "replication", "administration", "enrolment"] {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../proto/heliu/{area}/v1/{area}.proto"));
            let text = std::fs::read_to_string(&file).expect("the proto is there");
            let mut service = String::new();
            for line in text.lines().map(str::trim) {
                let word = |rest: &str| rest.split([' ', '(']).next().unwrap_or_default().to_owned();
                if let Some(rest) = line.strip_prefix("service ") {
                    service = format!("heliu.{area}.v1.{}", word(rest));
                } else if let Some(rest) = line.strip_prefix("rpc ") {
                    served.push(format!("/{service}/{}", word(rest)));
                }
            }
        }
        assert!(served.len() >= 31, "{served:?}");
        for path in &served {
            assert!(need(path).is_some(), "{path} is not in the table: say which role it needs");
        }
        let listed =
            METHODS.iter().flat_map(|(name, methods)| methods.iter().map(move |(m, _)| format!("/{name}/{m}")));
        for path in listed.filter(|path| path.starts_with("/heliu.")) {
            assert!(served.contains(&path), "{path} is in the table and not served");
        }
    }

    #[test]
    fn health_alone_is_open() {
        for (service, methods) in METHODS {
            for (method, need) in *methods {
                assert_eq!(*need == Need::Open, *service == "grpc.health.v1.Health", "{service} {method}");
            }
        }
        assert_eq!(need("/heliu.records.v1.RecordsService/DropAll"), None);
        assert_eq!(need("nonsense"), None);
    }
}
