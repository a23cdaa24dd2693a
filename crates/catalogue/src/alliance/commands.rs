//! An alliance is formed, joined and left.

use heliu_record::prelude::*;

use super::chair::set_chair;
use super::kind::{CHARTER, CONVENOR, FORM, KIND, NAME, SCOPE, TOPICS};
use super::participants::{JOINED_ON, LEFT_ON, MEMBER_ORG, OF_SEAT, PARTICIPANTS, takes_part};
use crate::org::{found, live};
use crate::words::{ALLIANCE, ORG};

pub(super) static COMMANDS: &[Command] = &[
    makes(ALLIANCE, "alliance.form", "组建联盟", "form an alliance", form)
        .help("由召集组织建立,并邀请各席位", "made by its convenor, who invites seats")
        .takes(&[
            required_field(&NAME.field, "名称", "its name"),
            required_field(&CONVENOR.field, "召集组织", "the organisation that convenes it"),
            optional("seats", SEAT, "邀请的席位", "the seats to invite").many(),
            optional_field(&FORM.field, "形式", "its form"),
            optional_field(&CHARTER.field, "章程", "its charter"),
            optional(TOPICS.field.name, text(40), "议题", "what it deals with").many(),
            optional(SCOPE.field.name, SEAT, "覆盖区域", "the seats that it is for").many(),
        ]),
    about(ALLIANCE, "alliance.invite", "邀请席位", "invite seats", |planner| {
        let alliance = planner.subject()?.id;
        invite(planner, alliance);
        Ok(())
    })
    .help("由召集组织邀请更多席位", "its convenor invites more seats")
    .takes(&[required("seats", SEAT, "邀请的席位", "the seats to invite").many()]),
    about(ALLIANCE, "alliance.join", "加入联盟", "join an alliance", join)
        .help("受邀席位的组织加入", "an organisation of an invited seat joins")
        .takes(&[required("org", ORG, "加入的组织", "the organisation")]),
    about(ALLIANCE, "alliance.leave", "退出联盟", "leave an alliance", leave)
        .help("只结束自己的参加", "ends one's own participation only")
        .takes(&[required("org", ORG, "退出的组织", "the organisation")]),
    about(ALLIANCE, "alliance.set_chair", "确定轮值组织", "set the chair", set_chair)
        .help("须是现有成员单位", "one that takes part now")
        .takes(&[required("org", ORG, "主持的组织", "the organisation that presides")]),
];
pub(super) static TAKES_PART: Message = message("already")
    .what("“{1}”已在“{0}”中。", "{1:?} is in {0:?} already.")
    .why("一个组织参加一次。", "An organisation takes part once.")
    .next("无需办理。", "Nothing needs to be done.");
pub(super) static NOT_PARTICIPANT: Message = message("not_participant")
    .what("“{1}”不在“{0}”中。", "{1:?} is not in {0:?}.")
    .why("只有成员单位才能退出。", "Only a participant can leave.")
    .next("请核对是哪个组织。", "Check which organisation it is.");

fn form(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let alliance = found(planner, &KIND, "convenor")?;
    invite(planner, alliance);
    for topic in planner.list(TOPICS.field.name) {
        let bad = || Refusal::bad_value(planner.named(TOPICS.field.name), topic, TOPICS.field.value);
        let topic = TOPICS.field.value.parse_key(topic, planner.world().seats()).ok_or_else(bad)?;
        planner.add(alliance, &TOPICS, topic);
    }
    for seat in planner.seats_argument(SCOPE.field.name) {
        planner.add(alliance, &SCOPE, seat);
    }
    take_part(planner, alliance, "convenor")
}

fn invite(planner: &mut Planner<'_>, alliance: RecordId) {
    for seat in planner.seats_argument("seats") {
        planner.add_participant(alliance, seat);
    }
}

fn join(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let alliance = planner.subject()?;
    let org = planner.need_record("org")?;
    if takes_part(&alliance.history, org) {
        return Err(TAKES_PART.about(&[alliance.title().into(), title(org, planner.world())]));
    }
    take_part(planner, alliance.id, "org")?;
    // Who joins for a seat that nobody has invited, as a superior may, lets it see what it is in.
    let (seats, seat) = (planner.world().seats(), planner.owner_of(planner.load(org)?));
    let invites = alliance.view.owners.iter().any(|owner| seats.is_at_or_above(planner.seat(), *owner));
    if invites && !alliance.view.owners.contains(&seat) {
        planner.add_participant(alliance.id, seat);
    }
    Ok(())
}

/// An organisation takes part, for the seat that it belongs to.
fn take_part(planner: &mut Planner<'_>, alliance: RecordId, org: &'static str) -> Result<(), Refusal> {
    let org = live(planner, planner.need_record(org)?)?;
    let (seat, today) = (planner.owner_of(org), planner.today());
    let entry = planner.entry_of(seat);
    planner.put_parts(alliance, &entry, [OF_SEAT.with(seat), MEMBER_ORG.with(org.id)]);
    planner.put_parts(alliance, &entry, [JOINED_ON.with(today)]);
    Ok(())
}

fn leave(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (alliance, org) = (planner.subject()?, planner.need_record("org")?);
    let terms = PARTICIPANTS.read(&alliance.history);
    let is_its = |term: &&Entry<'_>| term.get(&MEMBER_ORG) == Some(org) && term.get(&LEFT_ON).is_none();
    let terms: Vec<&Entry<'_>> = terms.iter().filter(is_its).collect();
    if terms.is_empty() {
        return Err(NOT_PARTICIPANT.about(&[alliance.title().into(), title(org, planner.world())]));
    }
    // Whoever joined twice, at two nodes, leaves as often.
    for term in terms {
        planner.put_parts(alliance.id, term.name, [LEFT_ON.with(planner.today())]);
    }
    Ok(())
}
