//! What decides verdicts stays, under each version of a kind, as it was when the first leaf cited it.

use heliu_record::id::to_hex;

use crate::catalogue;

/// By kind. A line is added with each version.
const DECLARED: &[(&str, u32, &str)] = &[
    ("alliance", 1, "8829faf25212581b"),
    ("member", 1, "8f6ea6f23818a440"),
    ("member", 2, "8822b03377d018b7"),
    ("org", 1, "35e53573e5cacbbf"),
    ("resource", 1, "cc3e17561acf689a"),
];

#[test]
fn what_decides_verdicts_changes_with_a_new_version_only() {
    let digests = catalogue().digests().iter().map(|(kind, version, digest)| (kind, version, to_hex(&digest.0[..8])));
    let digests: Vec<_> = digests.collect();
    let now: Vec<_> = digests.iter().map(|(kind, version, digest)| (*kind, *version, &**digest)).collect();
    assert_eq!(
        now, DECLARED,
        "what decides verdicts (paths, types, writers) has changed under a version that leaves cite: what stands would be \
         judged anew, and other nodes would hold what comes from here. Raise the kind's `version`, keep its fields as they \
         were in `earlier`, and add a line to DECLARED for the new version. Only a version that no release has had may \
         change in place."
    );
}
