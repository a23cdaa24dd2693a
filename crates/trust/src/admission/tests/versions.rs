//! A leaf is judged by the version of its kind that it cites.

use heliu_record::handle::{FieldOf, fields, mv};
use heliu_record::kind::{Earlier, Field, Kind, ValueType, Writer, word};
use heliu_record::seats::Tier;

use super::{refused, status};
use crate::admission::{HeldReason, Leaves, RefusedReason, Status};
use crate::story::{self, COUNTY, How, PLAIN, TOWNSHIP, VILLAGE, birth, edit, history, leaf};

static VILLAGES: FieldOf<String> = mv("name", ValueType::Text(40), "名称", "name");
static TOWNSHIPS: FieldOf<String> = mv("name", ValueType::Text(40), "名称", "name").by(Writer::AtLeast(Tier::Township));
static BY_OWNER: &[&Field] = fields![VILLAGES];

/// Under versions 1 and 2 a village named its own, since version 4 a township does. A third was never published.
static KIND: Kind = Kind::scoped(word("org", "组织", "organisation"), 4, "组织", "an organisation")
    .with(fields![TOWNSHIPS])
    .earlier(&[Earlier::scoped(1, BY_OWNER), Earlier::scoped(2, BY_OWNER)]);

fn open() -> Leaves {
    Leaves::new(story::preimage(), Some(&KIND))
}

#[test]
fn a_leaf_is_judged_by_the_version_of_its_kind_that_it_cites_whatever_came_since() {
    let directory = story::directory();
    let first = birth();
    let past = history([&first]);
    let mut leaves = open();
    leaves.offer(leaf(&VILLAGE, &first, PLAIN, &directory), &directory);
    let mut judge = |writer, kind_version| {
        let edit = edit(&writer, &past, u64::from(kind_version));
        let edit = leaf(&writer, &edit, How { kind_version, ..PLAIN }, &directory);
        leaves.offer(edit.clone(), &directory);
        status(&leaves, &edit)
    };
    let restarted = VILLAGE.restarted();
    assert_eq!(judge(restarted, 2), Status::Admitted);
    assert_eq!(judge(restarted.restarted(), 4), refused(RefusedReason::Authority));
    assert_eq!(judge(TOWNSHIP, 4), Status::Admitted);
    let third = TOWNSHIP.restarted();
    for (undeclared, writer) in [(0, third), (3, third.restarted())] {
        let held = Status::Held(HeldReason::KindVersion);
        assert_eq!(judge(writer, undeclared), held, "another program may declare version {undeclared}");
    }
    assert_eq!(judge(COUNTY, 5), Status::Held(HeldReason::NewerKind));
}

#[test]
fn what_another_declaration_is_to_judge_is_held_with_all_that_stands_on_it() {
    let directory = story::directory();
    let first = birth();
    let second = edit(&TOWNSHIP, &history([&first]), 1);
    let doubted = leaf(&VILLAGE, &first, PLAIN, &directory);
    let after = leaf(&TOWNSHIP, &second, PLAIN, &directory);
    for order in [[&doubted, &after], [&after, &doubted]] {
        let mut leaves = open();
        leaves.doubt(doubted.hash);
        order.into_iter().for_each(|leaf| drop(leaves.offer(leaf.clone(), &directory)));
        assert_eq!(status(&leaves, &doubted), Status::Held(HeldReason::KindDiffers));
        assert_eq!(status(&leaves, &after), Status::Held(HeldReason::Predecessor));
    }
}
