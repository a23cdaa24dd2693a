//! Statements that came: they are read, and those are left out that are here, and those that do not hold.

use std::sync::Arc;

use heliu_trust::directory::Directory;
use heliu_trust::id::NodeId;
use heliu_trust::signature::Verifier;
use heliu_trust::statement::{SignedStatement, check};

use crate::effect::{LinkId, Notice};
use crate::statements::Statements;

/// Those of a link that are to be taken, and what operators are told of the others: once for all, since each is a line in a
/// log, and the least that can be refused is a byte.
pub(crate) fn check_statements(
    link: LinkId,
    came: &[Vec<u8>],
    here: &Statements,
    directory: &Directory,
    verifier: &dyn Verifier,
) -> (Vec<Arc<SignedStatement>>, Option<Notice>) {
    let is_fenced = |node: NodeId| directory.is_fenced(node);
    let (mut checked, mut first, mut count) = (Vec::new(), None, 0);
    for bytes in came {
        let refused = match SignedStatement::decode(bytes) {
            Err(error) => Some(("statement.unreadable", error.to_string())),
            Ok(signed) if here.contains(&signed) => None,
            Ok(signed) => match check(&signed, directory, &is_fenced, verifier) {
                Ok(()) => {
                    checked.push(Arc::new(signed));
                    None
                }
                // It comes again when the directory has caught up.
                Err(error) if error.is_held() => None,
                Err(error) => Some((error.code(), error.to_string())),
            },
        };
        count += usize::from(refused.is_some());
        first = first.or(refused);
    }
    let notice = first.map(|(code, reason)| Notice::StatementRefused { link, count, code, reason });
    (checked, notice)
}
