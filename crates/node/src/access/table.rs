//! What each method needs and how far it reaches, in one table. What is not in it is not served.

use super::Role;

/// The rule of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub need: Need,
    pub scope: Scope,
}

/// What a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
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

/// What of an answer a token gets that is limited to some seats or kinds. The gate refuses such a token what is of the node
/// or the county as a whole; the services go by `Reach` of `server` for the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of the answer: the directory is public, and so is what kinds there are.
    Same,
    /// The records of the token's seats and kinds.
    Records,
    /// What concerns the token's seats, and those below; everything, if the node's own seat is among them.
    Seats,
    /// Nothing, unless the token is for the node's own seat.
    Node,
    /// Nothing, unless the token is for the county's seat.
    County,
}

const fn any(need: Need, scope: Scope) -> Rule {
    Rule { need, scope }
}

const fn role(role: Role, scope: Scope) -> Rule {
    Rule { need: Need::Role(role), scope }
}

pub(crate) const METHODS: &[(&str, &[(&str, Rule)])] = &[
    ("grpc.health.v1.Health", &[("Check", any(Need::Open, Scope::Same)), ("Watch", any(Need::Open, Scope::Same))]),
    ("heliu.replication.v1.ReplicationService", &[("Link", any(Need::Node, Scope::Same))]),
    (
        "heliu.records.v1.RecordsService",
        &[
            ("Execute", role(Role::Write, Scope::Records)),
            ("ExecuteEach", role(Role::Write, Scope::Records)),
            ("Get", role(Role::Read, Scope::Records)),
            ("Reveal", role(Role::Reveal, Scope::Records)),
            ("List", role(Role::Read, Scope::Records)),
            ("Query", role(Role::Read, Scope::Records)),
            ("Ledger", role(Role::Read, Scope::Records)),
            ("History", role(Role::Read, Scope::Records)),
            ("GetSchema", any(Need::Token, Scope::Same)),
            ("ListSeats", any(Need::Token, Scope::Same)),
        ],
    ),
    (
        "heliu.operations.v1.OperationsService",
        &[
            ("GetStatus", role(Role::Operate, Scope::Seats)),
            ("ListLinks", role(Role::Operate, Scope::Seats)),
            ("Verify", role(Role::Operate, Scope::Seats)),
            // People who work with records settle them, and they show values of records.
            ("ListConflicts", role(Role::Read, Scope::Records)),
            ("GetConflict", role(Role::Read, Scope::Records)),
            ("ListQuarantine", role(Role::Operate, Scope::Seats)),
            ("GetQuarantined", role(Role::Operate, Scope::Seats)),
            ("Requeue", role(Role::Operate, Scope::Seats)),
            ("Drop", role(Role::Operate, Scope::Seats)),
            ("ListStranded", role(Role::Operate, Scope::Seats)),
            ("Reissue", role(Role::Operate, Scope::Seats)),
            ("Discard", role(Role::Operate, Scope::Seats)),
            // Whom a node takes something of is about all that it holds.
            ("ListForeign", role(Role::Operate, Scope::Node)),
            ("Decline", role(Role::Operate, Scope::Node)),
            ("Accept", role(Role::Operate, Scope::Node)),
            ("ListAlarms", role(Role::Operate, Scope::Seats)),
        ],
    ),
    (
        "heliu.administration.v1.AdministrationService",
        &[
            ("ListNodes", role(Role::Read, Scope::Same)),
            ("ListDirectory", role(Role::Read, Scope::Same)),
            ("MintToken", role(Role::Registry, Scope::Seats)),
            ("Propose", role(Role::Registry, Scope::County)),
            ("Append", role(Role::Registry, Scope::County)),
            ("Erase", role(Role::Registry, Scope::Records)),
            // A receipt names nodes all over the county, and an erased record has no owner left by whom it could be shown.
            ("GetReceipt", any(Need::Either(Role::Registry, Role::Operate), Scope::Node)),
            ("ListAudit", role(Role::Audit, Scope::Seats)),
            // A chain is whole or it is not: of a part nothing can be said.
            ("VerifyAudit", role(Role::Audit, Scope::Node)),
        ],
    ),
    ("heliu.enrolment.v1.EnrolmentService", &[("Join", any(Need::JoinToken, Scope::Same))]),
];

/// The rule of the method at a path (`/<service>/<method>`); none if there is no such method.
pub(crate) fn rule(path: &str) -> Option<Rule> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    let (_, methods) = METHODS.iter().find(|(name, _)| *name == service)?;
    methods.iter().find(|(name, _)| *name == method).map(|(_, rule)| *rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_every_service_is_in_the_table_and_no_other() {
        let served: Vec<String> =
            heliu_api::METHODS.iter().chain(heliu_wire::METHODS).map(|path| (*path).to_owned()).collect();
        assert!(served.len() >= 31, "{served:?}");
        for path in &served {
            assert!(rule(path).is_some(), "{path} is not in the table: say what it needs, and how far it reaches");
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
            for (method, rule) in *methods {
                assert_eq!(rule.need == Need::Open, *service == "grpc.health.v1.Health", "{service} {method}");
            }
        }
        assert_eq!(rule("/heliu.records.v1.RecordsService/DropAll"), None);
        assert_eq!(rule("nonsense"), None);
    }
}
