//! Who takes part in an alliance.

use std::collections::BTreeSet;

use heliu_record::prelude::*;

use crate::words::ORG;

const ITSELF: Writer = Writer::Party("seat");

pub(super) static PARTICIPANTS: EntriesOf =
    entries(PARTICIPANT, parts![OF_SEAT, MEMBER_ORG, JOINED_ON, LEFT_ON], ORG, ITSELF, "成员单位", "participants")
        .help("各席位自己填写;一个席位可有几个组织参加", "each seat writes its own, and may have several")
        .called(word("participant", "成员单位", "participant"), "alliance.join")
        .told_by(parts![OF_SEAT])
        .states(&[
            led_by(&JOINED_ON.part, &[], "present", "参加", "takes part"),
            led_by(&LEFT_ON.part, &["present"], "left", "已退出", "has left").over(),
        ]);

const PARTICIPANT: &str = "participants";
pub(super) static OF_SEAT: PartOf<SeatId> = part(PARTICIPANT, "seat", SEAT, ITSELF, "席位", "seat");
pub(super) static MEMBER_ORG: PartOf<RecordId> = part(PARTICIPANT, "org", ORG, ITSELF, "组织", "organisation");
pub(super) static JOINED_ON: PartOf<String> = part(PARTICIPANT, "joined_on", PAST, ITSELF, "加入日期", "joined on");
pub(super) static LEFT_ON: PartOf<String> = part(PARTICIPANT, "left_on", PAST, ITSELF, "退出日期", "left on");

/// Whether an organisation was in an alliance and has left.
#[must_use]
pub fn has_left(alliance: &History, org: RecordId) -> bool {
    let terms = PARTICIPANTS.read(alliance).into_iter().filter(|term| term.get(&MEMBER_ORG) == Some(org));
    let mut terms = terms.peekable();
    terms.peek().is_some() && terms.all(|term| term.get(&LEFT_ON).is_some())
}

/// Whether it takes part now.
pub(super) fn takes_part(alliance: &History, org: RecordId) -> bool {
    let terms = PARTICIPANTS.read(alliance);
    terms.iter().any(|term| term.get(&MEMBER_ORG) == Some(org) && term.get(&LEFT_ON).is_none())
}

/// The organisations that take part now.
#[derive(Debug)]
struct Present(Vec<String>);

impl Derived for Present {
    fn annotate(&self, json: &mut Map<String, Json>) {
        json.insert("present".to_owned(), self.0.iter().map(String::as_str).collect());
    }
}

pub(super) fn present(folding: &Folding<'_>) -> Arc<dyn Derived> {
    let terms = PARTICIPANTS.read(folding.history).into_iter();
    let terms = terms.filter(|term| term.get(&MEMBER_ORG).is_some() && term.get(&LEFT_ON).is_none());
    // Two nodes of a seat may each have joined one.
    let orgs: BTreeSet<String> = terms.filter_map(|term| Some(term.get(&MEMBER_ORG)?.to_string())).collect();
    Arc::new(Present(orgs.into_iter().collect()))
}
