//! What a member's record may hold.

use heliu_record::prelude::*;

use super::stages::STAGES;
use crate::words::{MEMBER, ORG};

const DESTINATION: Writer = Writer::Party("to_seat");
const SUPERIOR: Writer = Writer::CommonAtLeast(Tier::Township);

pub(super) static NAME: FieldOf<String> =
    mv("name", name(40), "姓名", "name").help("姓名", "the person's name").required().sought();
pub(super) static MEMBER_NO: FieldOf<String> = mv("member_no", number(40), "党员编号", "member number")
    .help("不得使用身份证号", "never an identity card's number")
    .by(TOWNSHIP)
    .sought();
pub(super) static STAGE: StateOf = state("stage", &STAGES, "发展阶段", "stage")
    .help("从申请人到正式党员,及其终结", "from applicant to full member, and how it ends")
    .listed();
pub(super) static JOINED_ON: FieldOf<String> = mv("joined_on", PAST, "入党日期", "joining date")
    .help("接收为预备党员之日", "the day of admission on probation")
    .listed();
pub(super) static FULL_ON: FieldOf<String> = mv("full_on", PAST, "转正日期", "date of full membership")
    .help("转为正式党员之日", "the day of becoming a full member");
pub(super) static CONTACT: FieldOf<String> = mv("contact", text(60), "联系方式", "contact")
    .help("电话或地址,密封保存", "a telephone number or an address; kept sealed")
    .sealed();
pub(super) static BIRTH_DATE: FieldOf<String> = mv("birth_date", ValueType::Birth, "出生日期", "birth date")
    .help("出生日期,密封保存", "the day of birth; kept sealed")
    .sealed();
pub(super) static PERSON_DIGEST: FieldOf<String> = mv("person_digest", number(64), "查重摘要", "person digest")
    .help(
        "证件号的加密摘要,用于查重,密封保存;不得填写证件号本身",
        "a keyed digest of an identity number, to find doubles; kept sealed, and never the number itself",
    )
    .sealed();
pub(super) static BIRTH_BRANCH: FieldOf<RecordId> = lww("birth_branch", ORG, "建档支部", "first branch")
    .help("建立本记录时的支部", "the branch when the record was made")
    .by(Writer::Creator)
    .required();
pub(super) static ADMITTED_ON: FieldOf<String> = mv("admitted_on", PAST, "编入日期", "date of admission to the branch")
    .help("编入建档支部之日;不填即入党日期", "when the first branch took the person in; else joined_on");
pub(super) static EXTENDED_UNTIL: FieldOf<String> =
    mv("extended_until", DATE, "延长预备期至", "probation extended until")
        .help("预备期只能延长一次,6至12个月", "probation is extended once, by 6 to 12 months")
        .by(TOWNSHIP);
pub(super) static SEX: FieldOf<String> = mv("sex", SEXES, "性别", "sex").help("男或女", "male or female").listed();
pub(super) static NATION: FieldOf<String> =
    mv("nation", text(20), "民族", "nation").help("民族", "which of the nations of the country").listed();
pub(super) static EDUCATION: FieldOf<String> =
    mv("education", EDUCATIONS, "学历", "education").help("最高学历", "the highest that was finished").listed();
/// What nobody would miss: the next month's payment overwrites it.
pub(super) static DUES_PAID_TO: FieldOf<String> = lww("dues_paid_to", DATE, "党费交至", "dues paid to")
    .help("介绍信上写的党费交至之日,不记金额", "the day that a letter says; no amounts");
pub(super) static ORIGIN: FieldOf<String> = mv("origin", ORIGINS, "来源", "origin")
    .help("发展、转入或恢复", "admitted here, moved in or restored")
    .by(TOWNSHIP);
pub(super) static FROM_TEXT: FieldOf<String> = mv("from_text", text(120), "转自", "moved in from")
    .help("从域外转入时的原党组织", "the organisation outside this realm that the person came from")
    .by(TOWNSHIP);
pub(super) static PAPER_NO: FieldOf<String> = mv("paper_no", number(60), "转入介绍信编号", "number of the paper")
    .help("域外开具的介绍信编号", "of the letter that was issued outside")
    .by(TOWNSHIP);
pub(super) static SAME_AS: SetOf<RecordId> = set("same_as", record(MEMBER), "同一人", "same person as")
    .help("两处为同一人各建的记录;合计时算一人", "records that two made of one person; they count once")
    .by(TOWNSHIP);
pub static WAIVED: SetOf<String> = set("waived", text(40), "免除的提示", "waived advisories")
    .help("上级认可而不再提示的情况", "what a superior has accepted")
    .by(Writer::CommonAtLeast(Tier::Township));
pub(super) static STEPS: EntriesOf =
    entries(STEP_TAKEN, parts![STEP, TAKEN_ON, DOCUMENT_NO], DATE, OWNER, "发展步骤", "steps of development")
        .help("发展党员25个步骤的办理记录", "which of the 25 steps were taken, when and by what paper")
        .called(word("step", "步骤", "step"), "member.step")
        .told_by(parts![STEP]);
const STEP_TAKEN: &str = "steps";
pub(super) static STEP: PartOf<String> = part(STEP_TAKEN, "step", super::stages::STEPS, OWNER, "步骤", "step");
pub(super) static TAKEN_ON: PartOf<String> = part(STEP_TAKEN, "on", PAST, OWNER, "日期", "taken on");
pub(super) static DOCUMENT_NO: PartOf<String> =
    part(STEP_TAKEN, "document_no", number(60), OWNER, "文号", "number of the paper");

const SEXES: ValueType = ValueType::Choice(&[word("male", "男", "male"), word("female", "女", "female")]);
const EDUCATIONS: ValueType = ValueType::Choice(&[
    word("primary", "小学及以下", "primary school or none"),
    word("junior_middle", "初中", "junior middle school"),
    word("senior_middle", "高中", "senior middle school"),
    word("technical", "中专", "technical school"),
    word("junior_college", "大专", "junior college"),
    word("bachelor", "本科", "bachelor"),
    word("postgraduate", "研究生", "postgraduate"),
]);
const ORIGINS: ValueType = ValueType::Choice(&[
    word("admitted", "发展", "admitted"),
    word("moved_in", "转入", "moved in"),
    word("restored", "恢复", "restored"),
]);
pub(super) static MOVES: EntriesOf = entries(MOVE, PARTS, ORG, OWNER, "组织关系转接", "moves")
    .help("介绍信、回执与裁定", "letters, receipts and decisions")
    .called(word("letter", "介绍信", "letter"), "member.transfer.issue")
    .asked_for("介绍信(唯一时可省)", "the letter; not needed if there is one")
    .told_by(parts![LETTER_NO, TO_SEAT])
    .states(STATES)
    .waits_for(&TO_SEAT);

/// A letter with its receipt, or a superior's decision.
const MOVE: &str = "moves";
pub(super) static TO_SEAT: PartOf<SeatId> = part(MOVE, "to_seat", SEAT, OWNER, "转入席位", "to seat");
pub(super) static FROM_ORG: PartOf<RecordId> = part(MOVE, "from_org", ORG, OWNER, "转出组织", "from");
pub(super) static TO_ORG: PartOf<RecordId> = part(MOVE, "to_org", ORG, OWNER, "转入组织", "to");
pub(super) static HOME_EPOCH: PartOf<i64> = part(MOVE, "home_epoch", INT, OWNER, "依据届次", "home epoch");
pub(super) static LETTER_NO: PartOf<String> = part(MOVE, "letter_no", number(60), OWNER, "介绍信编号", "letter number");
pub(super) static ISSUED_ON: PartOf<String> = part(MOVE, "issued_on", PAST, OWNER, "开具日期", "issued on");
/// By the village whose member is to move; the letter is then issued above it.
pub(super) static PROPOSED_ON: PartOf<String> = part(MOVE, "proposed_on", PAST, OWNER, "提出日期", "proposed on");
/// A place that is no organisation of this realm.
pub(super) static TO_TEXT: PartOf<String> = part(MOVE, "to_text", text(120), OWNER, "转往域外", "to, outside");
/// Nobody outside writes here, so the origin's committee says that the paper came back.
pub(super) static ARRIVED_ON: PartOf<String> =
    part(MOVE, "arrived_on", PAST, TOWNSHIP, "回执收到日期", "arrived on").closed_by(&["cancelled", "decided"]);
pub(super) static PAPER_RECEIPT: PartOf<String> =
    part(MOVE, "paper_receipt", number(60), TOWNSHIP, "域外回执编号", "receipt from outside");
pub(super) static VALID_UNTIL: PartOf<String> = part(MOVE, "valid_until", DATE, OWNER, "有效期至", "valid until");
pub(super) static CANCELLED: PartOf<String> =
    part(MOVE, "cancelled", PAST, OWNER, "撤回日期", "cancelled").closed_by(&["receipt", "arrived_on", "decided"]);
pub(super) static RECEIVED_ON: PartOf<String> = part(MOVE, "received_on", PAST, DESTINATION, "接收日期", "received on")
    .closed_by(&["cancelled", "returned", "decided", "received_on"]);
/// What stands for a receipt without a number.
pub(super) const RECEIVED_ONLY: &str = "received";
pub(super) static RECEIPT: PartOf<String> = part(MOVE, "receipt", number(60), DESTINATION, "回执", "receipt")
    .closed_by(&["cancelled", "returned", "decided", "receipt"])
    .says(&[word(RECEIVED_ONLY, "已接收,无编号", "received, without a number")])
    .takes_ownership(&TO_SEAT);
pub(super) static RETURNED: PartOf<String> =
    part(MOVE, "returned", PAST, DESTINATION, "退回日期", "returned").closed_by(&["receipt", "decided"]);
/// What undoes a receipt is not the destination's to write.
pub(super) static OVERRULED: PartOf<String> =
    part(MOVE, "overruled", PAST, SUPERIOR, "裁定退回日期", "overruled on").has_own_rule();
pub(super) static DECIDED: PartOf<i64> =
    part(MOVE, "decided", INT, SUPERIOR, "裁定届次", "decided epoch").has_own_rule();
pub(super) static DECIDED_ON: PartOf<String> =
    part(MOVE, "decided_on", PAST, SUPERIOR, "裁定日期", "decided on").has_own_rule();
pub(super) static PARTS: &[&Part] = parts![
    TO_SEAT,
    FROM_ORG,
    TO_ORG,
    HOME_EPOCH,
    LETTER_NO,
    ISSUED_ON,
    PROPOSED_ON,
    TO_TEXT,
    ARRIVED_ON,
    PAPER_RECEIPT,
    VALID_UNTIL,
    CANCELLED,
    RECEIVED_ON,
    RECEIPT,
    RETURNED,
    OVERRULED,
    DECIDED,
    DECIDED_ON,
];
/// Which one a letter is in, the fold of the homes says ([`super::home`]). A superior's decision, and what takes one back, may come
/// in any state.
pub(super) static STATES: &[EntryState] = &[
    led_by(&ISSUED_ON.part, &["drafted"], "issued", "已开具,未接收", "issued"),
    led_by(&PROPOSED_ON.part, &[], "drafted", "已提出,待开具", "proposed"),
    led_by(&RECEIPT.part, &["issued"], "confirmed", "已接收", "confirmed").over(),
    follows("disputed", "有争议", "disputed").over(),
    follows("stale", "依据已过时", "stale").over(),
    led_by(&RETURNED.part, &["issued", "stale", "early"], "returned", "已退回", "returned").over(),
    led_by(&CANCELLED.part, &["drafted", "issued", "stale", "early"], "cancelled", "已撤回", "cancelled").over(),
    led_by(&ARRIVED_ON.part, &["issued"], "left", "已转出域外", "left the realm").over(),
    follows("early", "依据尚未到达", "early").over(),
];

pub(super) static FIELDS: &[&Field] = fields![
    NAME,
    MEMBER_NO,
    STAGE,
    JOINED_ON,
    FULL_ON,
    CONTACT,
    BIRTH_DATE,
    PERSON_DIGEST,
    BIRTH_BRANCH,
    ADMITTED_ON,
    EXTENDED_UNTIL,
    SEX,
    NATION,
    EDUCATION,
    DUES_PAID_TO,
    ORIGIN,
    FROM_TEXT,
    PAPER_NO,
    SAME_AS,
    WAIVED,
    STEPS,
    MOVES,
];

/// What people read for a code that a choice has.
#[must_use]
pub fn words_of(field: &str, code: &str) -> Option<Label> {
    let chosen = [&SEX, &EDUCATION, &ORIGIN].into_iter().find(|known| known.field.name == field)?;
    let ValueType::Choice(words) = chosen.field.value else { return None };
    words.iter().find(|word| word.name == code).map(|word| word.label)
}

/// What people read for the state of a letter.
#[must_use]
pub fn move_state(state: &str) -> Explanation {
    MOVES.say(state)
}
