//! What clerks do: the home declares, the host acknowledges and looks after the person, either says that he has come back.

use heliu_record::command::Subject;
use heliu_record::id::Preimage;
use heliu_record::prelude::*;

use super::fields::{
    ACKNOWLEDGED_ON, ACTIVITY_ORG, CARD_NO, HOME, HOME_HALF, HOME_ORG, HOME_TEXT, HOST, HOST_ORG, HOST_TEXT, INFLOW_ON,
    KIND, LIAISON, NAME, PERSON, SINCE, SORT, STATE, STATES,
};
use super::half::{End, answer_of, card_of, committee, is_at_host, is_card, is_open, other};
use crate::member::{HOME_DISPUTED, Member};
use crate::org::live;
use crate::standing::Standing;
use crate::words::{FLOAT, MEMBER, ORG};

const FLOATS: &str = "float";
const BACK_ON: Argument = optional("effective_on", PAST, "返回日期,默认今日", "the day of return (default: today)");
const SORTED: Argument = optional_field(&SORT.field, "类别,默认流动党员", "the sort (default: floating)");
const LOOKS_AFTER: Argument =
    optional_field(&HOST_ORG.field, "接收管理的党组织", "the organisation that looks after him");
const IN_TOUCH: Argument = optional_field(&LIAISON.field, "联络人", "who keeps in touch");
const CARD: Argument = optional_field(&CARD_NO.field, "活动证编号", "the activity card's number");

pub(super) static COMMANDS: &[Command] = &[
    makes(FLOAT, "float.declare", "登记流出", "declare a float", declare)
        .help(
            "流出地乡镇登记党员流出;流入地只看到最简登记,组织关系不变",
            "the home's township records that a member lives elsewhere; the host is shown a minimal card, and the home stays",
        )
        .takes(&[
            required("member", record(MEMBER), "党员", "the member"),
            optional("host", SEAT, "流入地", "where the person is: a seat of this realm"),
            optional_field(&HOST_TEXT.field, "域外流入地", "or a place outside"),
            optional_field(&SINCE.field, "流动起始日,默认今日", "since when (default: today)"),
            SORTED,
        ]),
    Command {
        subject: Subject::Of(FLOAT),
        ..makes(FLOAT, "float.acknowledge", "对接流动党员", "acknowledge a float", acknowledge)
            .help(
                "对另一方的登记作出对接:流入地建立自己的一半,流出地记为已对接",
                "answers the other side's half: the host makes its own, the home notes that they match",
            )
            .takes(&[
                LOOKS_AFTER,
                IN_TOUCH,
                CARD,
                optional_field(&ACKNOWLEDGED_ON.field, "对接日期,默认今日", "when (default: today)"),
                optional("half", record(FLOAT), "本方已有的登记,起始日不同时写明", "one's own half, where the days differ"),
            ])
    },
    makes(FLOAT, "float.record_inflow", "登记流入", "record an inflow", record_inflow)
        .help(
            "流入地登记前来的流动党员;流出地的登记到后自行对上",
            "the host records somebody who has come; the home's half matches it when that arrives",
        )
        .takes(&[
            optional("half", record(FLOAT), "已有的登记,任一方的", "what is recorded already, by either side"),
            optional_field(&NAME.field, "姓名,没有已有登记时必填", "the name, if nothing is recorded yet"),
            optional("home", SEAT, "流出地", "where the person comes from: a seat of this realm"),
            optional_field(&HOME_TEXT.field, "域外流出地", "or a place outside"),
            optional_field(&SINCE.field, "流动起始日,须与流出地一致,默认今日", "since when, as the home says (default: today)"),
            optional_field(&INFLOW_ON.field, "流入登记日期,默认今日", "when he came forward (default: today)"),
            SORTED,
            LOOKS_AFTER,
            IN_TOUCH,
            CARD,
        ]),
    about(FLOAT, "float.link", "编入流动党支部", "link to a floating branch", link)
        .help(
            "在流入地参加某组织的活动,可有几处;不改变组织关系",
            "he takes part in what an organisation of the host does, of which there may be several; his home stays",
        )
        .takes(&[required("org", ORG, "参加活动的组织", "the organisation"), IN_TOUCH, CARD]),
    about(FLOAT, "float.report_return", "登记返回", "report a return", |p| give_back(p, false))
        .help("任一方登记,另一方确认", "by either side; the other confirms")
        .ends("本方的流动登记到此结束,待对方确认", "this side's half is over; the other side confirms")
        .takes(&[BACK_ON]),
    about(FLOAT, "float.confirm_return", "确认返回", "confirm a return", |p| give_back(p, true))
        .help("确认对方所登记的返回", "confirms the return that the other side has reported")
        .ends("双方的流动登记到此结束", "the float is over on both sides")
        .takes(&[BACK_ON]),
    about(FLOAT, "float.close", "结束流动", "close a float", close)
        .help(
            "不再流动时结束本方的登记;组织关系已转到流入地的,记为已转入",
            "ends one's own half; where the affiliation has gone to the host, as converted",
        )
        .ends("本方的流动登记到此结束", "this side's half is over")
        .takes(&[optional("effective_on", PAST, "结束日期,默认今日", "the day (default: today)")]),
];

pub(super) static NOT_COUNTED: Message = message("not_counted")
    .what("“{0}”不是在册党员。", "{0} does not count as a member.")
    .why("流动登记只为在册的党员。", "Only who counts as a member floats.")
    .next("请核对是哪一位。", "Check who is meant.");
pub(super) static SAME_PLACE: Message = message("same_place")
    .what("“{0}”的组织关系就在“{1}”。", "The affiliation of {0} is in {1:?} itself.")
    .why("在同一乡镇内不算流动。", "Within one township nobody floats.")
    .next("在职党员进社区请写 kind=in_service。", "Is he in service at a community, give kind=in_service.");
pub(super) static ONE_PLACE: Message = message("one_place")
    .what("请写明一处:域内的席位,或域外的地方。", "Give one place: a seat of this realm, or a place outside.")
    .why("流动有且只有一个对方。", "A float has one other end.")
    .next("请只写 {0}=… 或 {1}=… 之一。", "Give either {0}=… or {1}=….");
pub(super) static FLOATS_ALREADY: Message = message("already")
    .what("“{0}”已有一项登记({1} 起)。", "{0} has one that is recorded already (since {1}).")
    .why("一次流动登记一次。", "A float is recorded once.")
    .next(
        "如已结束,请先用 float.report_return 或 float.close。",
        "If that one is over, say so first: float.report_return or float.close.",
    );
pub(super) static NOT_THEIRS: Message = message("not_theirs")
    .what("“{0}”不在流入地“{1}”。", "{0:?} is not at the host, {1:?}.")
    .why("流动党员参加流入地的组织的活动。", "Who floats takes part in what organisations of the host do.")
    .next("请写流入地的流动党支部等。", "Name a floating branch of the host, or the like.");
pub(super) static NO_HALF: Message = message("no_half")
    .what("“{0}”在本席位没有相应的登记。", "This seat has no half of its own of {0}.")
    .why("双方各写自己的一半,互不改写。", "Each side writes its own half, and never the other's.")
    .next(
        "流入地请先用 float.acknowledge,流出地请先用 float.declare。",
        "At the host use float.acknowledge first, at the home float.declare.",
    );
pub(super) static NOT_REPORTED: Message = message("not_reported")
    .what("对方没有登记“{0}”返回。", "The other side has not reported that {0} is back.")
    .why("确认的是对方所登记的返回。", "What is confirmed is what the other side has reported.")
    .next("由本方先登记的,请用 float.report_return。", "To report it first, use float.report_return.");
pub(super) static OVER: Message = message("float_over")
    .what("“{0}”的这次流动已结束({1})。", "This float of {0} is over ({1}).")
    .why("结束后不再登记。", "Nothing more is recorded of it then.")
    .next("再次流动的,另行登记。", "If the person floats again, declare that.");

fn declare(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let person = planner.load_kind(planner.need_record("member")?, MEMBER)?;
    let member = person.read_as::<Member>().filter(|member| member.standing == Standing::Counted);
    let member = member.ok_or_else(|| NOT_COUNTED.about(&[person.title().into()]))?;
    let home = member.home.as_ref().and_then(|home| home.place.org()).filter(|_| member.disputed.is_empty());
    let home_org = home.ok_or_else(|| HOME_DISPUTED.about(&[person.title().into()]))?;
    let (unit, sort) = (planner.owner_of(person), planner.choice(SORT.field.name).unwrap_or(FLOATS));
    let home = committee(unit, planner.world());
    let host = end(planner, &HOST.field, &HOST_TEXT.field)?;
    if host.seat() == Some(home) && sort == FLOATS {
        return Err(SAME_PLACE.about(&[person.title().into(), planner.world().seats().name(home).into()]));
    }
    check_floats_once(planner, person, sort)?;
    let (name, since) = (person.title(), planner.text_or_today(SINCE.field.name));
    let card = begin(planner, card_of(planner, home, &host, (&name, since))?, (&name, since), sort)?;
    planner.set(card, &PERSON, person.id);
    planner.set(card, &HOME_ORG, home_org);
    match &host {
        End::Seat(seat) => planner.set(card, &HOST, *seat),
        End::Text(text) => planner.set(card, &HOST_TEXT, text.clone()),
    }
    // The branch itself is to know, too.
    for seat in host.seat().into_iter().chain([unit]).filter(|seat| *seat != home) {
        planner.add_participant(card, seat);
    }
    Ok(())
}

/// Somebody floats to one place at a time; beside that he may be in service somewhere.
fn check_floats_once(planner: &Planner<'_>, person: &Record, sort: &str) -> Result<(), Refusal> {
    let world = planner.world();
    let halves = world.referring(person.id).into_iter().filter_map(|id| world.record(id));
    let mut same = halves.filter(|half| half.is_a(FLOAT) && is_open(half));
    match same.find(|half| SORT.read(&half.history).as_deref() == Some(sort)) {
        Some(half) => Err(already(half)),
        None => Ok(()),
    }
}

fn already(half: &Record) -> Refusal {
    FLOATS_ALREADY.about(&[half.title().into(), SINCE.read(&half.history).unwrap_or_default().into()])
}

fn acknowledge(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let theirs = open(planner.subject()?)?;
    if !is_card(theirs) {
        // The home notes that they match, in the card that it made.
        let card = other(theirs, planner.world()).ok_or_else(|| NO_HALF.about(&[theirs.title().into()]))?;
        return planner.decide(open(card)?, STATE.field.name, "matched");
    }
    let answer = answer_to(planner, theirs, "matched")?;
    planner.set(answer, &ACKNOWLEDGED_ON, planner.text_or_today(ACKNOWLEDGED_ON.field.name));
    planner.copy(answer, fields![HOST_ORG, LIAISON, CARD_NO]);
    Ok(())
}

/// The host's half of a card: the one that is named or that there is, led on to this state; or a new one.
fn answer_to(planner: &mut Planner<'_>, card: &Record, state: &'static str) -> Result<RecordId, Refusal> {
    let history = &card.history;
    let host = HOST.read(history).ok_or_else(|| NO_HALF.about(&[card.title().into()]))?;
    let (name, since) = (card.title(), SINCE.read(history).unwrap_or_default());
    let home = planner.owner_of(card);
    let preimage = answer_of(planner, host, &End::Seat(home), (&name, &since))?;
    let named = planner.record_argument("half").filter(|half| *half != card.id);
    let named = named.map(|half| planner.load_kind(half, FLOAT)).transpose()?.filter(|half| !is_card(half));
    let stands = named.or_else(|| other(card, planner.world())).or_else(|| planner.world().record(preimage.id()));
    let answer = match stands {
        Some(half) => {
            lead(planner, open(half)?, state)?;
            half.id
        }
        None => {
            let sort = SORT.read(history).unwrap_or_else(|| FLOATS.to_owned());
            let answer = begin(planner, preimage, (&name, &since), &sort)?;
            planner.begin_as(answer, &STATE, state);
            answer
        }
    };
    planner.set(answer, &HOME_HALF, card.id);
    planner.set(answer, &HOME, home);
    if let Some(org) = HOME_ORG.read(history) {
        planner.set(answer, &HOME_ORG, org);
    }
    planner.add_participant(answer, home);
    planner.note_record(answer);
    Ok(answer)
}

/// Nobody goes back from where he is already.
fn lead(planner: &mut Planner<'_>, half: &Record, state: &'static str) -> Result<(), Refusal> {
    let now = STATE.read(&half.history).state;
    let is_further = STATES.state(state).is_some_and(|state| state.rank > now.rank);
    if is_further { planner.decide(half, STATE.field.name, state) } else { Ok(()) }
}

fn record_inflow(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let recorded = planner.record_argument("half").map(|half| planner.load_kind(half, FLOAT)).transpose()?;
    let answer = match recorded {
        Some(card) if is_card(card) => answer_to(planner, open(card)?, "active")?,
        Some(half) => {
            // Whoever has not been answered by his home yet waits for that.
            let state = if other(half, planner.world()).is_some() { "active" } else { "declared" };
            lead(planner, open(half)?, state)?;
            planner.note_record(half.id);
            half.id
        }
        None => begin_inflow(planner)?,
    };
    planner.set(answer, &INFLOW_ON, planner.text_or_today(INFLOW_ON.field.name));
    planner.copy(answer, fields![HOST_ORG, LIAISON, CARD_NO]);
    Ok(())
}

/// Of somebody of whom the home has said nothing yet, as far as is known here.
fn begin_inflow(planner: &mut Planner<'_>) -> Result<RecordId, Refusal> {
    let missing = || Refusal::missing(planner.named(NAME.field.name), &NAME.field.value.expects());
    let name = planner.text(NAME.field.name).ok_or_else(missing)?;
    let name = NAME.field.value.spelled(name).into_owned();
    let (since, sort) = (planner.text_or_today(SINCE.field.name), planner.choice(SORT.field.name).unwrap_or(FLOATS));
    let (home, host) = (end(planner, &HOME.field, &HOME_TEXT.field)?, committee(planner.seat(), planner.world()));
    if home.seat() == Some(host) && sort == FLOATS {
        return Err(SAME_PLACE.about(&[name.into(), planner.world().seats().name(host).into()]));
    }
    // Should the home's half be here after all, this answers it.
    let card = home.seat().map(|home| card_of(planner, home, &End::Seat(host), (&name, since))).transpose()?;
    let card = card.map(|card| card.id());
    if let Some(card) = card.and_then(|card| planner.world().record(card)) {
        return answer_to(planner, open(card)?, "active");
    }
    let answer = begin(planner, answer_of(planner, host, &home, (&name, since))?, (&name, since), sort)?;
    match &home {
        End::Seat(seat) => {
            planner.set(answer, &HOME, *seat);
            planner.add_participant(answer, *seat);
        }
        End::Text(text) => planner.set(answer, &HOME_TEXT, text.clone()),
    }
    if let Some(card) = card {
        planner.set(answer, &HOME_HALF, card);
    }
    Ok(answer)
}

fn begin(
    planner: &mut Planner<'_>,
    preimage: Preimage,
    (name, since): (&str, &str),
    sort: &str,
) -> Result<RecordId, Refusal> {
    if let Some(there) = planner.world().record(preimage.id()) {
        return Err(already(there));
    }
    let half = planner.the_only(&KIND, preimage);
    planner.set(half, &SORT, sort);
    planner.set(half, &NAME, name);
    planner.set(half, &SINCE, since);
    Ok(half)
}

/// The other end, as a seat's committee or as a place outside.
fn end(planner: &Planner<'_>, seat: &Field, text: &Field) -> Result<End, Refusal> {
    match (planner.seat_argument(seat.name), planner.text(text.name)) {
        (Some(seat), None) => Ok(End::Seat(committee(seat, planner.world()))),
        (None, Some(text)) => Ok(End::Text(text.to_owned())),
        _ => Err(ONE_PLACE.about(&[seat.name.into(), text.name.into()])),
    }
}

fn open(half: &Record) -> Result<&Record, Refusal> {
    let state = STATE.read(&half.history).state;
    if state.ending { Err(OVER.about(&[half.title().into(), state.label.into()])) } else { Ok(half) }
}

/// This side's half of the float that the command is about: the subject, or what answers it.
fn own<'a>(planner: &Planner<'a>) -> Result<&'a Record, Refusal> {
    let subject = planner.subject()?;
    let (seats, seat) = (planner.world().seats(), planner.seat());
    let is_ours = |half: &Record| seats.is_at_or_above(seat, planner.owner_of(half));
    let half =
        if is_ours(subject) { Some(subject) } else { other(subject, planner.world()).filter(|half| is_ours(half)) };
    half.ok_or_else(|| NO_HALF.about(&[subject.title().into()]))
}

fn link(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let subject = planner.subject()?;
    let half = if is_card(subject) { other(subject, planner.world()) } else { Some(subject) };
    let half = open(half.ok_or_else(|| NO_HALF.about(&[subject.title().into()]))?)?;
    let org = live(planner, planner.need_record("org")?)?;
    let (host, seats) = (planner.owner_of(half), planner.world().seats());
    if !seats.is_at_or_above(host, planner.owner_of(org)) {
        return Err(NOT_THEIRS.about(&[org.title().into(), seats.name(host).into()]));
    }
    planner.add(half.id, &ACTIVITY_ORG, org.id);
    planner.copy(half.id, fields![LIAISON, CARD_NO]);
    Ok(())
}

fn give_back(planner: &mut Planner<'_>, confirms: bool) -> Result<(), Refusal> {
    let half = own(planner)?;
    let is_back = |half: &Record| STATE.read(&half.history).state.name == "returned";
    if confirms && !other(half, planner.world()).is_some_and(is_back) {
        return Err(NOT_REPORTED.about(&[half.title().into()]));
    }
    planner.decide(open(half)?, STATE.field.name, "returned")
}

fn close(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (half, world) = (own(planner)?, planner.world());
    let card = if is_card(half) { Some(half) } else { other(half, world) };
    let state = if card.is_some_and(|card| is_at_host(card, world)) { "converted" } else { "closed" };
    planner.decide(half, STATE.field.name, state)
}
