//! 联盟: organisations of several seats that share resources and people. Each seat writes the participation of its own organisations, of
//! which there may be several.

use std::collections::BTreeSet;

use heliu_record::prelude::*;

use crate::org::{found, live};
use crate::words::{ALLIANCE, MEMBER, ORG, RESOURCE};

const ITSELF: Writer = Writer::Party("seat");
const HOST: Writer = Writer::Party("host_seat");
const FORMS: ValueType = ValueType::Choice(&[
    word("council", "理事会", "council"),
    word("league", "联盟", "league"),
    word("joint_meeting", "联席会", "joint meeting"),
]);

static NAME: FieldOf<String> = mv("name", name(80), "名称", "name").help("全称", "full name").required().sought();
static FORM: FieldOf<String> =
    mv("alliance_kind", FORMS, "形式", "kind").help("理事会、联盟、联席会", "council, league or joint meeting");
static CONVENOR: FieldOf<RecordId> =
    mv("convenor", ORG, "召集组织", "convenor").help("负责召集的组织", "the organisation that convenes it");
static PARTICIPANTS: EntriesOf =
    entries(PARTICIPANT, parts![OF_SEAT, MEMBER_ORG, JOINED_ON, LEFT_ON], ORG, ITSELF, "成员单位", "participants")
        .help("各席位自己填写;一个席位可有几个组织参加", "each seat writes its own, and may have several")
        .called(word("participant", "成员单位", "participant"), "alliance.join")
        .told_by(parts![OF_SEAT])
        .states(&[
            led_by(&JOINED_ON.part, &[], "present", "参加", "takes part"),
            led_by(&LEFT_ON.part, &["present"], "left", "已退出", "has left").over(),
        ]);
static PART_TIME: EntriesOf = entries(
    PART_TIMER,
    parts![HOST_SEAT, HOST_ORG, PERSON, FROM_UNIT, TERM],
    ORG,
    HOST,
    "兼职委员",
    "part-time members",
)
.help("不改变组织关系", "their affiliation does not change")
.states(&[
    follows("active", "有效", "active"),
    follows("lapsing", "所在单位已退出", "unit has left")
        .instead_of("active", |at| at.get(&FROM_UNIT).is_some_and(|unit| has_left(at.history, unit)))
        .over(),
]);
pub static RESOURCES: SetOf<RecordId> = set("resources", record(RESOURCE), "共享资源", "shared resources")
    .help("成员单位提供的场所等", "halls and the like that participants offer")
    .by(Writer::Audience);

const PARTICIPANT: &str = "participants";
static OF_SEAT: PartOf<SeatId> = part(PARTICIPANT, "seat", SEAT, ITSELF, "席位", "seat");
static MEMBER_ORG: PartOf<RecordId> = part(PARTICIPANT, "org", ORG, ITSELF, "组织", "organisation");
static JOINED_ON: PartOf<String> = part(PARTICIPANT, "joined_on", PAST, ITSELF, "加入日期", "joined on");
static LEFT_ON: PartOf<String> = part(PARTICIPANT, "left_on", PAST, ITSELF, "退出日期", "left on");

const PART_TIMER: &str = "part_time";
static HOST_SEAT: PartOf<SeatId> = part(PART_TIMER, "host_seat", SEAT, HOST, "接收席位", "host seat");
static HOST_ORG: PartOf<RecordId> = part(PART_TIMER, "host", ORG, HOST, "接收组织", "host");
static PERSON: PartOf<RecordId> = part(PART_TIMER, "person", record(MEMBER), HOST, "人员", "person");
static FROM_UNIT: PartOf<RecordId> = part(PART_TIMER, "from_unit", ORG, HOST, "所在单位", "from unit");
static TERM: PartOf<String> = part(PART_TIMER, "term", text(40), HOST, "任期", "term");

static KIND: Kind = Kind::scoped(
    ALLIANCE,
    1,
    "区域共建理事会、党建联盟、联席会",
    "a council, league or joint meeting of organisations",
)
.with(fields![NAME, FORM, CONVENOR, PARTICIPANTS, PART_TIME, RESOURCES])
.derives(&[DerivedPart::new("present", label("现有成员单位", "present participants"), &[])], present)
.read_by_others(fields![PARTICIPANTS]);
pub static SECTION: Section = section(&[&KIND], COMMANDS, &[], &[], &[&NOT_PARTICIPANT, &TAKES_PART]);

static COMMANDS: &[Command] = &[
    makes(ALLIANCE, "alliance.form", "组建联盟", "form an alliance", form)
        .help("由召集组织建立,并邀请各席位", "made by its convenor, who invites seats")
        .takes(&[
            required_field(&NAME.field, "名称", "its name"),
            required_field(&CONVENOR.field, "召集组织", "the organisation that convenes it"),
            optional("seats", SEAT, "邀请的席位", "the seats to invite").many(),
            optional_field(&FORM.field, "形式", "its kind"),
        ]),
    about(ALLIANCE, "alliance.join", "加入联盟", "join an alliance", join)
        .help("受邀席位的组织加入", "an organisation of an invited seat joins")
        .takes(&[required("org", ORG, "加入的组织", "the organisation")]),
    about(ALLIANCE, "alliance.leave", "退出联盟", "leave an alliance", leave)
        .help("只结束自己的参加", "ends one's own participation only")
        .takes(&[required("org", ORG, "退出的组织", "the organisation")]),
];
static TAKES_PART: Message = message("already")
    .what("“{1}”已在“{0}”中。", "{1:?} is in {0:?} already.")
    .why("一个组织参加一次。", "An organisation takes part once.")
    .next("无需办理。", "Nothing needs to be done.");
static NOT_PARTICIPANT: Message = message("not_participant")
    .what("“{1}”不在“{0}”中。", "{1:?} is not in {0:?}.")
    .why("只有成员单位才能退出。", "Only a participant can leave.")
    .next("请核对是哪个组织。", "Check which organisation it is.");

/// Whether an organisation was in an alliance and has left.
#[must_use]
pub fn has_left(alliance: &History, org: RecordId) -> bool {
    let terms = PARTICIPANTS.read(alliance).into_iter().filter(|term| term.get(&MEMBER_ORG) == Some(org));
    let mut terms = terms.peekable();
    terms.peek().is_some() && terms.all(|term| term.get(&LEFT_ON).is_some())
}

/// The organisations that take part now.
#[derive(Debug)]
struct Present(Vec<String>);

impl Derived for Present {
    fn annotate(&self, json: &mut Map<String, Json>) {
        json.insert("present".to_owned(), self.0.iter().map(String::as_str).collect());
    }
}

fn present(folding: &Folding<'_>) -> Arc<dyn Derived> {
    let terms = PARTICIPANTS.read(folding.history).into_iter();
    let terms = terms.filter(|term| term.get(&MEMBER_ORG).is_some() && term.get(&LEFT_ON).is_none());
    // Two nodes of a seat may each have joined one.
    let orgs: BTreeSet<String> = terms.filter_map(|term| Some(term.get(&MEMBER_ORG)?.to_string())).collect();
    Arc::new(Present(orgs.into_iter().collect()))
}

fn form(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let alliance = found(planner, &KIND, "convenor")?;
    for seat in planner.seats_argument("seats") {
        planner.add_participant(alliance, seat);
    }
    take_part(planner, alliance, "convenor")
}

fn join(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let alliance = planner.subject()?;
    let org = planner.need_record("org")?;
    let terms = PARTICIPANTS.read(&alliance.history).into_iter();
    let terms: Vec<Entry<'_>> = terms.filter(|term| term.get(&MEMBER_ORG) == Some(org)).collect();
    if terms.iter().any(|term| term.get(&LEFT_ON).is_none()) {
        return Err(TAKES_PART.about(&[alliance.title().into(), title(org, planner.world())]));
    }
    take_part(planner, alliance.id, "org")
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
    let gone = || NOT_PARTICIPANT.about(&[alliance.title().into(), title(org, planner.world())]);
    let terms: Vec<&Entry<'_>> = terms.iter().filter(is_its).collect();
    if terms.is_empty() {
        return Err(gone());
    }
    // Whoever joined twice, at two nodes, leaves as often.
    for term in terms {
        planner.put_parts(alliance.id, term.name, [LEFT_ON.with(planner.today())]);
    }
    Ok(())
}
