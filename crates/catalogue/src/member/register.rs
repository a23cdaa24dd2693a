//! Members are registered, and assigned by a superior where no letter can do it.

use heliu_record::prelude::*;

use super::fields::{
    ADMITTED_ON, BIRTH_BRANCH, BIRTH_DATE, CONTACT, DECIDED, DECIDED_ON, EDUCATION, FROM_ORG, FULL_ON, HOME_EPOCH,
    JOINED_ON, MEMBER_NO, NAME, NATION, PERSON_DIGEST, SEX, STAGE, TO_ORG, TO_SEAT,
};
use super::home::Member;
use super::kind::KIND;
use crate::org::{Org, live};
use crate::words::{MEMBER, ORG};

pub(super) const AT_STAGE: Argument = optional(
    "stage",
    ValueType::Choice(&[
        word("applicant", "入党申请人", "applicant"),
        word("activist", "积极分子", "activist"),
        word("candidate", "发展对象", "candidate"),
        word("probationary", "预备党员", "probationary"),
        word("full", "正式党员", "full member"),
    ]),
    "阶段,默认正式党员;村级登记的默认入党申请人,填了入党日期的待审批",
    "the stage (default: full; of a village's: applicant, or, with a joining date, passed and to be approved)",
);

pub(super) static COMMANDS: &[Command] = &[
    makes(MEMBER, "member.register", "登记党员", "register a member", register)
        .help("在一个支部登记一名党员", "registers a person in a branch")
        .takes(&[
            required_field(&NAME.field, "姓名", "the person's name"),
            required("branch", ORG, "所在支部", "the branch"),
            optional("seat", SEAT, "所属席位,默认支部所属", "the owner (default: the branch's owner)"),
            optional_field(&MEMBER_NO.field, "党员编号,乡镇填写", "the number, given by the township"),
            optional_field(&JOINED_ON.field, "入党日期", "the day of admission on probation"),
            optional_field(&FULL_ON.field, "转正日期", "the day of becoming a full member"),
            optional_field(&CONTACT.field, "联系方式,密封保存", "a telephone number; sealed"),
            optional_field(&BIRTH_DATE.field, "出生日期,密封保存", "the day of birth; sealed"),
            optional_field(&PERSON_DIGEST.field, "查重摘要,密封保存", "a digest; sealed"),
            optional_field(&SEX.field, "性别", "male or female"),
            optional_field(&NATION.field, "民族", "the nation"),
            optional_field(&EDUCATION.field, "学历", "the highest education"),
            optional_field(
                &ADMITTED_ON.field,
                "编入日期,默认入党日期,未填入党日期的默认今日",
                "since when in this branch (default: joined_on, or today)",
            ),
            AT_STAGE,
        ]),
    about(MEMBER, "member.reassign", "调整归属", "reassign a member", |planner| {
        reassign_to(planner, planner.subject()?.id, planner.need_record("to_org")?)
    })
    .help("由共同上级(乡镇及以上)裁定归属,如原支部撤销后", "a common superior, township or above, decides the home")
    .takes(&[required("to_org", ORG, "新归属支部", "the new branch")]),
];
/// The home of a person is disputed or missing, so that no letter can move from it.
pub static HOME_DISPUTED: Message = message("home_disputed")
    .what("“{0}”的归属尚有争议。", "The home of {0} is disputed.")
    .why("有两处已接收,或缺少归属。", "Two places have received this person, or there is no home.")
    .next("请先由共同上级处置冲突。", "Have a common superior settle the conflict first.");

fn register(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let branch = live(planner, planner.need_record("branch")?)?;
    let owner = planner.seat_argument("seat").unwrap_or_else(|| unit_of(planner, branch));
    let member = planner.create(&KIND, owner);
    planner.copy(member, PERSONAL);
    // Whoever has been a member for long was admitted then, if nobody says otherwise; else it is today.
    let (admitted, joined) = (planner.text("admitted_on"), planner.text("joined_on"));
    if let Some(day) =
        admitted.or_else(|| joined.is_none().then_some(planner.today())).filter(|day| joined != Some(day))
    {
        planner.set(member, &ADMITTED_ON, day);
    }
    planner.set(member, &BIRTH_BRANCH, branch.id);
    begin_stage(planner, member);
    Ok(())
}

/// What is said of a person whoever registers him.
pub(super) static PERSONAL: &[&Field] =
    fields![NAME, MEMBER_NO, JOINED_ON, FULL_ON, CONTACT, BIRTH_DATE, PERSON_DIGEST, SEX, NATION, EDUCATION];

/// A village makes nobody a member. Whom it registers is an applicant, or waits for approval if there is a day of admission; a township
/// or above registers the members that there are.
pub(super) fn begin_stage(planner: &mut Planner<'_>, member: RecordId) {
    let seat = planner.world().seats().get(planner.seat());
    let is_committee = seat.is_some_and(|seat| seat.tier <= Tier::Township);
    let default = match planner.text("joined_on") {
        _ if is_committee => "full",
        Some(_) => "passed",
        None => "applicant",
    };
    let stage = planner.choice("stage").unwrap_or(default);
    planner.begin_as(member, &STAGE, stage);
}

/// A member belongs to the seat of his unit: of a joint branch, the unit that registers him.
pub(super) fn unit_of(planner: &Planner<'_>, branch: &Record) -> SeatId {
    let seat = planner.seat();
    if Org::of(branch).is_some_and(|org| org.joins(seat)) { seat } else { planner.owner_of(branch) }
}

/// A decision that makes `to` the home of the next epoch.
pub(super) fn reassign_to(planner: &mut Planner<'_>, member: RecordId, to: RecordId) -> Result<(), Refusal> {
    let member = planner.load_kind(member, MEMBER)?;
    let branch = live(planner, to)?;
    let home = member.read_as::<Member>().and_then(|read| read.home.as_ref());
    let Some((home, from)) = home.and_then(|home| Some((home, home.place.org()?))) else {
        return Err(HOME_DISPUTED.about(&[member.title().into()]));
    };
    // A joint branch is owned above its units: the person stays with his unit.
    let owner = planner.owner_of(branch);
    let keeps = member.view.owners.iter().find(|unit| planner.world().seats().is_at_or_above(owner, **unit));
    let seat = keeps.copied().unwrap_or(owner);
    let (entry, today) = (planner.entry(), planner.today());
    let moved = [TO_SEAT.with(seat), FROM_ORG.with(from), TO_ORG.with(to), HOME_EPOCH.with(home.epoch)];
    planner.put_parts(member.id, &entry, moved);
    planner.put_parts(member.id, &entry, [DECIDED.with(home.epoch + 1), DECIDED_ON.with(today)]);
    // Said also where nothing changes: somebody who takes the record over without knowing of this has then not taken it alone.
    planner.hand_over(member, seat);
    Ok(())
}
