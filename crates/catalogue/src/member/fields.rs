//! What a member's record may hold.

use heliu_record::prelude::*;

use crate::words::ORG;

const DESTINATION: Writer = Writer::Party("to_seat");
const SUPERIOR: Writer = Writer::CommonAtLeast(Tier::Township);

pub(super) static NAME: FieldOf<String> =
    mv("name", text(40), "姓名", "name").help("姓名", "the person's name").required().sought();
pub(super) static MEMBER_NO: FieldOf<String> = lww("member_no", text(40), "党员编号", "member number")
    .help("不得使用身份证号", "never an identity card's number")
    .by(TOWNSHIP)
    .sought();
pub(super) static STAGE: StateOf = state("stage", &STAGES, "发展阶段", "stage")
    .help("从申请人到正式党员,及其终结", "from applicant to full member, and how it ends")
    .listed();
pub(super) static JOINED_ON: FieldOf<String> = mv("joined_on", DATE, "入党日期", "joining date")
    .help("接收为预备党员之日", "the day of admission on probation")
    .listed();
pub(super) static FULL_ON: FieldOf<String> = mv("full_on", DATE, "转正日期", "date of full membership")
    .help("转为正式党员之日", "the day of becoming a full member");
pub(super) static CONTACT: FieldOf<String> = mv("contact", text(60), "联系方式", "contact")
    .help("电话或地址,密封保存", "a telephone number or an address; kept sealed")
    .sealed();
pub(super) static BIRTH_DATE: FieldOf<String> = mv("birth_date", DATE, "出生日期", "birth date")
    .help("出生日期,密封保存", "the day of birth; kept sealed")
    .sealed();
pub(super) static PERSON_DIGEST: FieldOf<String> = mv("person_digest", text(64), "查重摘要", "person digest")
    .help(
        "证件号的加密摘要,用于查重,密封保存;不得填写证件号本身",
        "a keyed digest of an identity number, to find doubles; kept sealed, and never the number itself",
    )
    .sealed();
pub(super) static BIRTH_BRANCH: FieldOf<RecordId> = lww("birth_branch", ORG, "建档支部", "first branch")
    .help("建立本记录时的支部", "the branch when the record was made")
    .by(Writer::Creator)
    .required();
pub(super) static ADMITTED_ON: FieldOf<String> =
    lww("admitted_on", DATE, "编入日期", "date of admission to the branch")
        .help("编入建档支部之日;不填即入党日期", "when the first branch took the person in; else joined_on");
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
pub(super) static LETTER_NO: PartOf<String> = part(MOVE, "letter_no", text(60), OWNER, "介绍信编号", "letter number");
pub(super) static ISSUED_ON: PartOf<String> = part(MOVE, "issued_on", DATE, OWNER, "开具日期", "issued on");
pub(super) static VALID_UNTIL: PartOf<String> = part(MOVE, "valid_until", DATE, OWNER, "有效期至", "valid until");
pub(super) static CANCELLED: PartOf<String> =
    part(MOVE, "cancelled", DATE, OWNER, "撤回日期", "cancelled").closed_by(&["receipt", "decided"]);
pub(super) static RECEIVED_ON: PartOf<String> = part(MOVE, "received_on", DATE, DESTINATION, "接收日期", "received on")
    .closed_by(&["cancelled", "returned", "decided", "received_on"]);
/// What stands for a receipt without a number.
pub(super) const RECEIVED_ONLY: &str = "received";
pub(super) static RECEIPT: PartOf<String> = part(MOVE, "receipt", text(60), DESTINATION, "回执", "receipt")
    .closed_by(&["cancelled", "returned", "decided", "receipt"])
    .says(&[word(RECEIVED_ONLY, "已接收,无编号", "received, without a number")])
    .takes_ownership(&TO_SEAT);
pub(super) static RETURNED: PartOf<String> =
    part(MOVE, "returned", DATE, DESTINATION, "退回日期", "returned").closed_by(&["receipt", "decided"]);
/// What undoes a receipt is not the destination's to write.
pub(super) static OVERRULED: PartOf<String> = part(MOVE, "overruled", DATE, SUPERIOR, "裁定退回日期", "overruled on");
pub(super) static DECIDED: PartOf<i64> = part(MOVE, "decided", INT, SUPERIOR, "裁定届次", "decided epoch");
pub(super) static DECIDED_ON: PartOf<String> = part(MOVE, "decided_on", DATE, SUPERIOR, "裁定日期", "decided on");
pub(super) static PARTS: &[&Part] = parts![
    TO_SEAT,
    FROM_ORG,
    TO_ORG,
    HOME_EPOCH,
    LETTER_NO,
    ISSUED_ON,
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
    led_by(&ISSUED_ON.part, &[], "issued", "已开具,未接收", "issued"),
    led_by(&RECEIPT.part, &["issued"], "confirmed", "已接收", "confirmed").over(),
    follows("disputed", "有争议", "disputed").over(),
    follows("stale", "依据已过时", "stale").over(),
    led_by(&RETURNED.part, &["issued", "stale", "early"], "returned", "已退回", "returned").over(),
    led_by(&CANCELLED.part, &["issued", "stale", "early"], "cancelled", "已撤回", "cancelled").over(),
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
    MOVES,
];
pub(super) static STAGES: StateMachine = StateMachine {
    states: &[
        State::new("applicant", label("入党申请人", "applicant"), 0, OWNER, &[]),
        State::new("activist", label("积极分子", "activist"), 1, OWNER, &["applicant"]),
        State::new("candidate", label("发展对象", "candidate"), 2, OWNER, &["activist"]),
        State::new("probationary", label("预备党员", "probationary"), 3, OWNER, &["candidate"]),
        State::new("full", label("正式党员", "full member"), 4, OWNER, &["probationary", "suspended"]),
        State::new("suspended", label("停止党籍", "suspended"), 5, TOWNSHIP, &["probationary", "full"]),
        State::new("left", label("退党", "left"), 6, OWNER, &["probationary", "full", "suspended"])
            .ending()
            .means(
                "退党是本人退出党组织、党籍终结,不是转出;转往其他支部请用 member.transfer.issue",
                "leaving ends the membership itself; it is not a move. To another branch a person goes by member.transfer.issue",
            ),
        State::new("removed", label("除名", "removed"), 7, TOWNSHIP, &["probationary", "full", "suspended"])
            .ending()
            .means("除名使党籍终结", "removal ends the membership"),
        State::new(
            "deceased",
            label("去世", "deceased"),
            8,
            OWNER,
            &["applicant", "activist", "candidate", "probationary", "full", "suspended"],
        )
        .ending()
        .means("登记去世后,此人不再计入党员", "a person who has died is no longer counted"),
    ],
};
