//! I11: no ordering decision uses the wall clock. A schedule with clocks that are wrong by years runs exactly as the same
//! schedule with right ones: the same frames at the same moments, the same judgements. Only contents differ.

use super::Violation;
use crate::world::trace::Fingerprint;

pub fn compare(skewed: Fingerprint, right: Fingerprint) -> Option<Violation> {
    let what = "with right clocks the same schedule takes another course".to_owned();
    (skewed.shape != right.shape).then(|| Violation::new("I11", what))
}
