//! Records that are held against their leaves, beyond what every reading of a record looks at: the signatures of what is
//! stored. A record's leaves are bound to their commit by its hash, and the signature is no part of that.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::reason::Fact;
use heliu_storage::Loaded;
use heliu_trust::admission::{CommitError, check_commits};
use heliu_trust::commit::SignedCommit;
use heliu_trust::grant::{SignedGrant, check_grants};

use super::reporting::{part, tell};
use crate::effect::Moment;
use crate::journal::{Delta, commit_row};
use crate::parts::Parts;
use crate::records::Forged;

/// Which commits and grants of a record that is checked are not as they were signed. This node signs its own ones again;
/// the others have to come again. What cannot be read at all is found by whoever opens the record.
pub(super) fn forged(loaded: &Loaded, parts: &Parts, delta: &mut Delta, now: Moment) -> Forged {
    let (record, own, directory) = (loaded.row.id, &parts.own, parts.authority.directory());
    let mut forged = Forged::new();
    if !parts.health.patrol.checks(&record) {
        return forged;
    }
    let stored: BTreeSet<&[u8]> = loaded.commits.iter().map(|encoded| &**encoded).collect();
    let commits: BTreeMap<_, _> = stored
        .into_iter()
        .filter_map(|encoded| SignedCommit::decode(encoded).ok())
        .map(|signed| (signed.id, signed))
        .collect();
    let commits: Vec<SignedCommit> = commits.into_values().collect();
    let verdicts = check_commits(&commits, directory, &*own.verifier);
    for (signed, verdict) in commits.into_iter().zip(verdicts) {
        let Err(error) = verdict else { continue };
        if error.is_held() {
            continue;
        }
        if error == CommitError::BadSignature && signed.commit.author == own.node {
            let id = signed.id.short();
            let facts = part("own-commit").and(Fact::Id, &id);
            tell(record, &format!("commit {id}: {error}; it was signed again"), &facts, delta, now);
            delta.transaction.commits.push(commit_row(&SignedCommit::sign(signed.commit, &*own.signer)));
        } else {
            forged.insert(signed.id.0, error.to_string());
        }
    }
    let grants = loaded.grants.iter().filter_map(|row| SignedGrant::decode(&row.grant).ok());
    let grants: Vec<SignedGrant> = grants.collect();
    let verdicts = check_grants(&grants, directory, &*own.verifier);
    let bad = grants.iter().zip(verdicts).filter_map(|(signed, verdict)| Some((signed.hash, verdict.err()?)));
    forged.extend(bad.filter(|(_, error)| !error.is_held()).map(|(hash, error)| (hash, error.to_string())));
    forged
}
