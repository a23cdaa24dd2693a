//! 党组织档案: what of an organisation is not for everybody. The organisation itself is public, so that every node knows it by name; this
//! goes with it and is for its own seats, those that it joins and those above them. No field says whose it is: its id does.

use heliu_record::prelude::*;

use crate::words::{ORG_FILE, ORGANISATION};

const POWERS: ValueType = ValueType::Choice(&[
    word("personnel", "人事", "personnel"),
    word("decisions", "决策", "decisions"),
    word("planning", "规划", "planning"),
    word("supervision", "监督", "supervision"),
    word("leadership", "领导", "leadership"),
]);
const REASONS: ValueType = ValueType::Choice(&[
    word("wealth", "贫富", "rich with poor"),
    word("industry", "产业", "industry"),
    word("size", "大小", "large with small"),
    word("strength", "强弱", "strong with weak"),
    word("residents", "驻区", "with who is based there"),
]);

static CONTACT: FieldOf<String> = mv("contact_duty", text(120), "值班联系", "who is on duty")
    .help("值班人和联系方式", "who can be reached, and how")
    .listed();
pub(super) static DELEGATED: SetOf<String> = set("delegated_powers", POWERS, "划转职权", "powers handed over")
    .help("合建时划转的职权", "what a merger hands over")
    .by(TOWNSHIP);
pub(super) static MERGED_FOR: SetOf<String> = set("build_reasons", REASONS, "合建事由", "why it was merged")
    .help("为何合建", "for what reasons it was merged")
    .by(TOWNSHIP);

static COMMITTEE_MEMBERS: FieldOf<i64> = mv("committee_members", COUNT, "支委会人数", "members of its committee")
    .help("支部委员会几人,一般3至5人", "how many the branch committee has, usually 3 to 5");
/// Not for everybody: it says how few members there are.
pub static WAIVED: SetOf<String> = set("waived", text(40), "免除的提示", "waived advisories")
    .help("上级认可而不再提示的情况", "what a superior has accepted")
    .by(Writer::CommonAtLeast(Tier::Township));

pub(super) static KIND: Kind = Kind::scoped(
    ORG_FILE,
    1,
    "党组织的内部情况,只供本组织席位、组成单位及其上级查看;用 record.set 在党组织上填写",
    "what only an organisation's own seats, those that it joins and their superiors read; record.set on the organisation fills it",
)
.with(fields![CONTACT, DELEGATED, MERGED_FOR, COMMITTEE_MEMBERS, WAIVED])
.derives(&[DerivedPart { listing: Listing::Listed, ..DerivedPart::new("org", ORGANISATION.label, &[]) }], |folding| {
    Arc::new(Of(folding.preimage.filed_with()))
});

/// With which organisation it goes.
#[derive(Debug)]
struct Of(Option<RecordId>);

impl Derived for Of {
    fn annotate(&self, json: &mut Map<String, Json>) {
        json.extend(self.0.map(|org| ("org".to_owned(), org.to_string().into())));
    }
}
