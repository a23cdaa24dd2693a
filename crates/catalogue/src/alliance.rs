//! 联盟: organisations of several seats that share resources and people. Each seat writes its own participation.

use heliu_record::prelude::*;

use crate::org::{found, live};
use crate::words::{ALLIANCE, MEMBER, ORG, RESOURCE};

const HOST: Writer = Writer::Party("host_seat");
const FORMS: ValueType = ValueType::Choice(&[
    word("council", "理事会", "council"),
    word("league", "联盟", "league"),
    word("joint_meeting", "联席会", "joint meeting"),
]);

static NAME: FieldOf<String> = mv("name", text(80), "名称", "name").help("全称", "full name").required().sought();
static FORM: FieldOf<String> =
    lww("alliance_kind", FORMS, "形式", "kind").help("理事会、联盟、联席会", "council, league or joint meeting");
static CONVENOR: FieldOf<RecordId> =
    mv("convenor", ORG, "召集组织", "convenor").help("负责召集的组织", "the organisation that convenes it");
static PARTICIPANTS: EntriesOf =
    slots(PARTICIPANT, parts![MEMBER_ORG, JOINED_ON, LEFT_ON], ORG, Writer::Itself, "成员单位", "participants")
        .help("各席位自己填写", "each seat writes its own");
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
    follows("active", "有效", "active").over(),
    follows("lapsing", "所在单位已退出", "unit has left")
        .instead_of("active", |at| at.get(&FROM_UNIT).is_some_and(|unit| has_left(at.history, unit)))
        .over(),
]);
pub static RESOURCES: SetOf<RecordId> = set("resources", record(RESOURCE), "共享资源", "shared resources")
    .help("成员单位提供的场所等", "halls and the like that participants offer")
    .by(Writer::Audience);

const PARTICIPANT: &str = "participants";
static MEMBER_ORG: PartOf<RecordId> = part(PARTICIPANT, "org", ORG, Writer::Itself, "组织", "organisation");
static JOINED_ON: PartOf<String> = part(PARTICIPANT, "joined_on", DATE, Writer::Itself, "加入日期", "joined on");
static LEFT_ON: PartOf<String> = part(PARTICIPANT, "left_on", DATE, Writer::Itself, "退出日期", "left on");

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
pub static SECTION: Section = section(&[&KIND], COMMANDS, &[], &[], &[&NOT_PARTICIPANT]);

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

/// The seats that take part now.
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
    Arc::new(Present(terms.map(|term| term.name.to_owned()).collect()))
}

fn form(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let alliance = found(planner, &KIND, "convenor")?;
    for seat in planner.seats_argument("seats") {
        planner.add_participant(alliance, seat);
    }
    take_part(planner, alliance, "convenor").map(drop)
}

fn join(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let alliance = planner.subject()?;
    let seat = take_part(planner, alliance.id, "org")?.to_string();
    let term = PARTICIPANTS.find(&alliance.history, &seat);
    if term.is_some_and(|term| !term.visible(&LEFT_ON).is_empty()) {
        planner.put_parts(alliance.id, &seat, [LEFT_ON.cleared()]);
    }
    Ok(())
}

/// An organisation takes part, for the seat that it belongs to.
fn take_part(planner: &mut Planner<'_>, alliance: RecordId, org: &'static str) -> Result<SeatId, Refusal> {
    let org = live(planner, planner.need_record(org)?)?;
    let seat = planner.owner_of(org);
    let today = planner.today();
    planner.put_parts(alliance, &seat.to_string(), [MEMBER_ORG.with(org.id), JOINED_ON.with(today)]);
    Ok(seat)
}

fn leave(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (alliance, org) = (planner.subject()?, planner.need_record("org")?);
    let terms = PARTICIPANTS.read(&alliance.history);
    let is_its = |term: &&Entry<'_>| term.get(&MEMBER_ORG) == Some(org) && term.get(&LEFT_ON).is_none();
    let gone = || NOT_PARTICIPANT.about(&[alliance.title().into(), title(org, planner.world())]);
    let term = terms.iter().find(is_its).ok_or_else(gone)?;
    planner.put_parts(alliance.id, term.name, [LEFT_ON.with(planner.today())]);
    Ok(())
}
