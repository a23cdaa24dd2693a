//! Grants that came: they are read, and their signatures are checked in one go.

use heliu_record::reason::Facts;
use heliu_trust::directory::Directory;
use heliu_trust::grant::{SignedGrant, check_grants};
use heliu_trust::signature::Verifier;

use crate::frame::DeliveredGrant;

/// Why a grant is not taken, with a stable code; none if the directory here has to catch up first.
type GrantRefusal = Option<(&'static str, Facts)>;

/// Reads grants that came, and checks their signatures in one go.
pub(super) fn open_grants<'d>(
    delivered: &'d [DeliveredGrant],
    directory: &Directory,
    verifier: &dyn Verifier,
) -> Vec<(&'d DeliveredGrant, Result<SignedGrant, GrantRefusal>)> {
    let read = |delivered: &DeliveredGrant| {
        let signed = SignedGrant::decode(&delivered.grant).map_err(|_| ("grant.unreadable", Facts::none()))?;
        let is_of = delivered.preimage.is_bounded() && delivered.preimage.id() == signed.grant.record;
        if is_of { Ok(signed) } else { Err(("grant.preimage", Facts::none())) }
    };
    let read: Vec<Result<SignedGrant, (&'static str, Facts)>> = delivered.iter().map(read).collect();
    let readable: Vec<&SignedGrant> = read.iter().filter_map(|signed| signed.as_ref().ok()).collect();
    let mut verdicts = check_grants(&readable, directory, verifier).into_iter();
    let judge = |signed: Result<SignedGrant, (&'static str, Facts)>| match (signed.map_err(Some)?, verdicts.next()) {
        (signed, Some(Ok(()))) => Ok(signed),
        (_, Some(Err(error))) if !error.is_held() => Err(Some((error.code(), error.facts()))),
        _ => Err(None),
    };
    delivered.iter().zip(read.into_iter().map(judge)).collect()
}
