//! What decides verdicts stays, under each version of a kind, as it was when the first leaf cited it.

use heliu_record::id::to_hex;

use crate::catalogue;

/// By kind. A line is added with each version, and none ever goes: leaves cite it for as long as there are records.
const DECLARED: &[(&str, u32, &str)] = &[
    ("absence", 1, "17748c7959de2fe7"),
    ("alliance", 1, "8c1a8f7db384b195"),
    ("charter", 1, "dbd336208b2f341e"),
    ("floating", 1, "4888968b731378da"),
    ("member", 1, "be5cc77fc03abfa4"),
    ("member", 2, "93b2a87f19a2af8f"),
    ("need", 1, "bd320306e061b118"),
    ("number_book", 1, "d319f437bc83ad63"),
    ("org", 1, "b7821db88f25205f"),
    ("org_file", 1, "abc67fa7043076c0"),
    ("policy", 1, "88de0c816a9598f3"),
    ("resource", 1, "b9e3f17d106c398d"),
    ("statistics", 1, "c4d5a4a4bc57fdab"),
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

/// Whoever removes an `Earlier` and its line together would hold for good what was written under it.
#[test]
fn no_version_that_was_declared_goes() {
    const LINES: usize = 13;
    assert!(DECLARED.len() >= LINES, "a line has gone: bring it back, with the `Earlier` of its kind");
    assert_eq!(DECLARED.len(), LINES, "a line was added: raise LINES with it");
    for (at, (kind, version, _)) in DECLARED.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| DECLARED.get(at)).filter(|(other, ..)| other == kind);
        let next = before.map_or(1, |(_, before, _)| before + 1);
        assert_eq!(*version, next, "{kind}: versions follow each other from 1, and each stays");
    }
}
