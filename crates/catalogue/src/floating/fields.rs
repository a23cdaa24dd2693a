//! What a half may hold.

use heliu_record::prelude::*;

use crate::words::{FLOAT, MEMBER, ORG};

const KINDS: ValueType =
    ValueType::Choice(&[word("float", "流动党员", "floating"), word("in_service", "在职党员进社区", "in service")]);

// The card: what the home's half says, and the host reads. `kind` to `state`, and nothing else.
pub(super) static SORT: FieldOf<String> = mv("kind", KINDS, "类别", "sort")
    .help("流动党员,或在职党员进社区", "floating, or in service at a community")
    .listed();
pub(super) static PERSON: FieldOf<RecordId> = mv("member", record(MEMBER), "党员", "member").help(
    "流出地的党员记录;流入地只见编号,不能打开",
    "the member's record at home; the host sees an id that it cannot open",
);
pub(super) static NAME: FieldOf<String> =
    mv("name", name(40), "姓名", "name").help("姓名", "the person's name").required().sought();
pub(super) static HOME_ORG: FieldOf<RecordId> = mv("home_org", ORG, "所属党组织", "home organisation")
    .help("组织关系所在的党组织,不因流动而变", "where the affiliation is, which floating does not change")
    .listed();
pub(super) static SINCE: FieldOf<String> =
    mv("since", DATE, "流动起始日", "since").help("外出之日", "the day of leaving").required().listed();
pub(super) static HOST: FieldOf<SeatId> = mv("host", SEAT, "流入地", "host")
    .help("流入地的乡镇(街道),不细于此", "the township where the person is, and no nearer than that");
pub(super) static HOST_TEXT: FieldOf<String> =
    mv("host_text", text(120), "域外流入地", "host, outside").help("域外的地方", "a place outside this realm");
pub(super) static STATE: StateOf = state("state", &STATES, "状态", "state")
    .help("本方所登记的流动状态", "how it stands, as this side has recorded it")
    .listed();

// What the host's half says besides.
pub(super) static HOME_HALF: FieldOf<RecordId> = mv("home_half", record(FLOAT), "流出方登记", "home's half")
    .help("流出地对同一流动的登记", "what the home has recorded of the same");
pub(super) static HOME: FieldOf<SeatId> =
    mv("home", SEAT, "流出地", "home").help("流出地的乡镇(街道)", "the township that the person comes from");
pub(super) static HOME_TEXT: FieldOf<String> =
    mv("home_text", text(120), "域外流出地", "home, outside").help("域外的地方", "a place outside this realm");
pub(super) static HOST_ORG: FieldOf<RecordId> = mv("host_org", ORG, "接收管理的党组织", "host organisation")
    .help("流入地负责管理的党组织", "the organisation at the host that looks after the person");
pub(super) static ACKNOWLEDGED_ON: FieldOf<String> = mv("acknowledged_on", PAST, "对接日期", "acknowledged on")
    .help("流入地与流出地对接之日", "when the host answered the home");
pub(super) static INFLOW_ON: FieldOf<String> = mv("inflow_on", PAST, "流入登记日期", "inflow recorded on")
    .help("本人到流入地登记之日", "when the person came forward");
pub(super) static ACTIVITY_ORG: SetOf<RecordId> = set("activity_org", ORG, "参加活动的组织", "takes part in")
    .help("参加组织生活的流动党支部等,可有几处;不是组织关系", "floating branches and the like; a link, and no home");
pub(super) static LIAISON: FieldOf<String> =
    mv("liaison", text(60), "联络人", "liaison").help("流入地的联络人", "who keeps in touch, at the host");
pub(super) static CARD_NO: FieldOf<String> = mv("card_no", number(40), "活动证编号", "activity card number")
    .help("流动党员活动证的编号", "of the activity card");

/// What the card has none of.
pub(super) static HOSTS_OWN: &[&Field] =
    fields![HOME_HALF, HOME, HOME_TEXT, HOST_ORG, ACKNOWLEDGED_ON, INFLOW_ON, ACTIVITY_ORG, LIAISON, CARD_NO,];

pub(super) static KIND: Kind = Kind::scoped(
    FLOAT,
    1,
    "流动党员的双向登记:流出地一半,流入地一半",
    "of somebody who lives elsewhere: the home has one half, the host the other",
)
.keyed("float.declare")
.with(fields![
    SORT,
    PERSON,
    NAME,
    HOME_ORG,
    SINCE,
    HOST,
    HOST_TEXT,
    STATE,
    HOME_HALF,
    HOME,
    HOME_TEXT,
    HOST_ORG,
    ACKNOWLEDGED_ON,
    INFLOW_ON,
    ACTIVITY_ORG,
    LIAISON,
    CARD_NO,
])
.read_by_others(fields![STATE]);

/// Of one half, by its own seat. Somebody who has come back and somebody whose affiliation followed him are two things: decided apart,
/// people are asked.
pub(super) static STATES: StateMachine = StateMachine {
    states: &[
        State::new("declared", label("已登记,未对接", "declared"), 0, OWNER, RUNNING),
        State::new("matched", label("已对接", "matched"), 1, OWNER, &["declared", "active", "returned", "closed"]),
        State::new(
            "active",
            label("参加流入地活动", "active"),
            2,
            OWNER,
            &["declared", "matched", "returned", "closed"],
        ),
        State::new("returned", label("已返回", "returned"), 3, OWNER, RUNNING).ending().means(
            "流动到此结束;对方尚须确认,请用 float.report_return",
            "the float is over; the other side still confirms that: use float.report_return",
        ),
        State::new("closed", label("已结束", "closed"), 4, OWNER, &["declared", "matched", "active", "returned"])
            .ending()
            .means("流动到此结束", "the float is over"),
        State::new("converted", label("已转入流入地", "converted"), 5, OWNER, RUNNING)
            .ending()
            .means("组织关系已转到流入地,流动到此结束", "the affiliation is at the host now, and the float is over"),
    ],
};
pub(super) const RUNNING: &[&str] = &["declared", "matched", "active"];
