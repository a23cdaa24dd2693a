//! Moves out of the realm and into it. For a place outside the paper is the link: the committee that issued the letter records that
//! the receipt came back, and the one that takes a person in records the letter that he brought.

use heliu_record::prelude::*;

use super::fields::{ADMITTED_ON, ARRIVED_ON, BIRTH_BRANCH, FROM_TEXT, NAME, ORIGIN, PAPER_NO, PAPER_RECEIPT, TO_TEXT};
use super::home::{Member, MoveState};
use super::kind::KIND;
use super::register::{AT_STAGE, PERSONAL, begin_stage, unit_of};
use super::transfer::{LETTER, NUMBER, UNTIL, begin, drafted, leaves, write_letter};
use crate::org::live;
use crate::policy;
use crate::words::{MEMBER, ORG};

pub(super) static COMMANDS: &[Command] = &[
    about(MEMBER, "member.transfer.out", "转出域外", "issue a letter to outside", issue)
        .help(
            "向域外党组织开具介绍信;收到回执后用 member.transfer.arrived 登记,此前仍计入本地",
            "a letter to an organisation outside; until member.transfer.arrived records the receipt the person counts here",
        )
        .takes(&[
            optional("to_text", text(120), "转往的党组织,已提出的可省", "the organisation; not needed if it was proposed"),
            NUMBER,
            UNTIL,
        ]),
    about(MEMBER, "member.transfer.arrived", "登记域外回执", "record a receipt from outside", arrived)
        .help("域外已接收并寄回回执,此人自此转出", "the place outside has taken the person in and sent the receipt")
        .ends(
            "此人自此不再计入本地党员;如系转往本地其他支部,请用 member.transfer.issue",
            "the person no longer counts here; to another branch of this realm a person goes by member.transfer.issue",
        )
        .takes(&[
            LETTER,
            optional("arrived_on", PAST, "接收日期,默认今日", "when the person was received (default: today)"),
            optional("receipt", number(60), "回执编号", "the receipt's number"),
        ]),
    makes(MEMBER, "member.transfer.come_in", "域外转入", "take somebody in from outside", come_in)
        .help("凭域外介绍信接收转入的党员", "takes a member in on a letter from outside this realm")
        .takes(&[
            required_field(&NAME.field, "姓名", "the person's name"),
            required("branch", ORG, "编入支部", "the branch"),
            required_field(&FROM_TEXT.field, "原党组织", "the organisation that the person comes from"),
            optional_field(&PAPER_NO.field, "介绍信编号", "the number of the letter"),
            optional("seat", SEAT, "所属席位,默认支部所属", "the owner (default: the branch's owner)"),
            optional_field(&super::fields::MEMBER_NO.field, "党员编号", "the number"),
            optional_field(&super::fields::JOINED_ON.field, "入党日期", "the day of admission on probation"),
            optional_field(&super::fields::FULL_ON.field, "转正日期", "the day of becoming a full member"),
            optional_field(&super::fields::CONTACT.field, "联系方式,密封保存", "a telephone number; sealed"),
            optional_field(&super::fields::BIRTH_DATE.field, "出生日期,密封保存", "the day of birth; sealed"),
            optional_field(&super::fields::SEX.field, "性别", "male or female"),
            optional_field(&super::fields::NATION.field, "民族", "the nation"),
            optional_field(&super::fields::EDUCATION.field, "学历", "the highest education"),
            optional_field(&ADMITTED_ON.field, "转入日期,默认今日", "when the person came in (default: today)"),
            AT_STAGE,
        ]),
];

fn issue(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (record, member) = planner.subject_as::<Member>(MEMBER)?;
    let draft = drafted(member, None).filter(|draft| draft.to_org.is_none());
    let to = planner.text("to_text").or(draft.map(|draft| &*draft.to_text));
    let to = to.ok_or_else(|| Refusal::missing(planner.named("to_text"), &text(120).expects()))?;
    let home = leaves(planner, record, member, None)?;
    let entry = begin(planner, record.id, home, draft);
    planner.put_parts(record.id, &entry, [TO_TEXT.with(to)]);
    write_letter(planner, record.id, &entry, policy::LETTER_DAYS_OUTSIDE)
}

fn arrived(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let (record, member) = planner.subject_as::<Member>(MEMBER)?;
    let is_outside = |letter: &Entry<'_>| letter.is_set(&TO_TEXT);
    let letter = planner.entry_meant(record, &ARRIVED_ON, is_outside)?;
    if !is_outside(&letter) || member.find_move(letter.name).is_none_or(|at| at.state != MoveState::Issued) {
        return Err(NOT_OUTSIDE.about(&[record.title().into()]));
    }
    planner.put_parts(record.id, letter.name, [ARRIVED_ON.with(planner.text_or_today("arrived_on"))]);
    planner.put_parts(record.id, letter.name, planner.text("receipt").map(|no| PAPER_RECEIPT.with(no)));
    planner.note_entry(&letter);
    Ok(())
}

fn come_in(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let branch = live(planner, planner.need_record("branch")?)?;
    let owner = planner.seat_argument("seat").unwrap_or_else(|| unit_of(planner, branch));
    let member = planner.create(&KIND, owner);
    planner.copy(member, PERSONAL);
    planner.copy(member, fields![FROM_TEXT, PAPER_NO]);
    planner.set(member, &ORIGIN, "moved_in");
    planner.set(member, &ADMITTED_ON, planner.text_or_today("admitted_on"));
    planner.set(member, &BIRTH_BRANCH, branch.id);
    begin_stage(planner, member);
    Ok(())
}

pub(super) static NOT_OUTSIDE: Message = message("no_entry")
    .what("“{0}”的这封介绍信不是开往域外的。", "That letter of {0:?} is not to a place outside.")
    .why("域内转接由转入方接收。", "Within the realm the destination receives it.")
    .next("请由转入方用 member.transfer.receive 接收。", "Have the destination use member.transfer.receive.");
