//! The stages of a person's way into the Party, and how it ends. A branch records what its meeting passed; the committee above it
//! approves. Nobody counts before that.

use heliu_record::prelude::*;

use crate::standing::Standing;

pub(super) static STAGES: StateMachine = StateMachine {
    states: &[
        State::new("applicant", label("入党申请人", "applicant"), 0, OWNER, &[]),
        State::new("activist", label("积极分子", "activist"), 1, OWNER, &["applicant"]),
        State::new("candidate", label("发展对象", "candidate"), 2, OWNER, &["activist"]),
        State::new("passed", label("支部大会通过,待审批", "passed by the meeting, not approved yet"), 3, OWNER, &["candidate"]),
        State::new("probationary", label("预备党员", "probationary"), 4, TOWNSHIP, &["passed", "candidate"]),
        State::new(
            "passed_full",
            label("支部大会通过转正,待审批", "full membership passed, not approved yet"),
            5,
            OWNER,
            &["probationary", "extended"],
        )
        .over_any(),
        State::new(
            "passed_extended",
            label("支部大会通过延长预备期,待审批", "extension passed, not approved yet"),
            6,
            OWNER,
            &["probationary"],
        )
        .over_any(),
        State::new(
            "passed_cancelled",
            label("支部大会通过取消预备党员资格,待审批", "cancellation passed, not approved yet"),
            7,
            OWNER,
            &["probationary", "extended", "passed_full", "passed_extended"],
        )
        .over_any(),
        State::new(
            "extended",
            label("预备党员(延长预备期)", "probation extended"),
            8,
            TOWNSHIP,
            &["probationary", "passed_full", "passed_extended", "passed_cancelled"],
        ),
        State::new(
            "full",
            label("正式党员", "full member"),
            9,
            TOWNSHIP,
            &["probationary", "passed_full", "extended", "suspended"],
        ),
        State::new("suspended", label("停止党籍", "suspended"), 10, TOWNSHIP, COUNTED),
        State::new("under_review", label("预备党员(待复核)", "probationary, under review"), 10, TOWNSHIP, &[])
            .between(&["passed_full", "passed_extended", "passed_cancelled", "extended", "full", "cancelled"]),
        State::new("withdrawn", label("撤回申请", "application withdrawn"), 11, OWNER, BEFORE)
            .ending()
            .means("撤回入党申请后不再培养;党员退党请用 left", "an applicant withdraws; a member who leaves has left"),
        State::new(
            "cancelled",
            label("取消预备党员资格", "probation cancelled"),
            12,
            TOWNSHIP,
            &["probationary", "extended", "passed_full", "passed_extended", "passed_cancelled"],
        )
        .ending()
        .means("取消预备党员资格后,此人不再是党员", "a probationary member whose probation is cancelled is no member"),
        State::new("left", label("退党", "left"), 13, OWNER, MEMBERS)
            .over_any()
            .ending()
            .means(
                "退党是本人退出党组织、党籍终结,不是转出;转往其他支部请用 member.transfer.issue",
                "leaving ends the membership itself; it is not a move. To another branch a person goes by member.transfer.issue",
            ),
        State::new("persuaded_to_leave", label("劝退", "persuaded to leave"), 14, TOWNSHIP, MEMBERS)
            .ending()
            .means("劝退使党籍终结,不是转出", "being persuaded to leave ends the membership"),
        State::new("removed", label("除名", "removed"), 15, TOWNSHIP, MEMBERS)
            .ending()
            .means("除名使党籍终结", "removal ends the membership"),
        State::new("expelled", label("开除党籍", "expelled"), 16, TOWNSHIP, MEMBERS)
            .ending()
            .means("开除党籍是最重的处分,使党籍终结", "expulsion is the gravest measure, and ends the membership"),
        // It follows from a letter that arrived, and nobody decides it.
        State::new("transferred_out", label("已转出域外", "moved out of the realm"), 17, TOWNSHIP, &[])
            .ending()
            .means("转出请用 member.transfer.out", "a person moves out by member.transfer.out"),
        State::new("deceased", label("去世", "deceased"), 18, OWNER, ANY)
            .over_any()
            .ending()
            .means("登记去世后,此人不再计入党员", "a person who has died is no longer counted"),
    ],
};

const BEFORE: &[&str] = &["applicant", "activist", "candidate", "passed"];
const COUNTED: &[&str] =
    &["probationary", "passed_full", "passed_extended", "passed_cancelled", "extended", "full", "under_review"];
const MEMBERS: &[&str] = &[
    "probationary",
    "passed_full",
    "passed_extended",
    "passed_cancelled",
    "extended",
    "full",
    "under_review",
    "suspended",
];
const ANY: &[&str] = &[
    "applicant",
    "activist",
    "candidate",
    "passed",
    "probationary",
    "passed_full",
    "passed_extended",
    "passed_cancelled",
    "extended",
    "full",
    "under_review",
    "suspended",
];

/// The stage of this code.
#[must_use]
pub fn stage(name: &str) -> Option<&'static str> {
    STAGES.state(name).map(|state| state.name)
}

/// What people read for a stage.
#[must_use]
pub fn stage_label(name: &str) -> Option<Label> {
    STAGES.state(name).map(|state| state.label)
}

/// How somebody at a stage counts.
#[must_use]
pub fn standing_of(stage: &str) -> Standing {
    STAGES.state(stage).map(standing).unwrap_or_default()
}

/// The stages at which people count in one of these ways, in the order of the way.
#[must_use]
pub fn stages_of(standings: &[Standing]) -> Vec<&'static str> {
    STAGES.states.iter().filter(|state| standings.contains(&standing(state))).map(|state| state.name).collect()
}

/// Whether somebody at a stage is a probationary member.
#[must_use]
pub fn is_on_probation(stage: &str) -> bool {
    COUNTED.contains(&stage) && stage != "full"
}

/// Whether somebody at a stage has not been admitted.
pub(super) fn is_before(stage: &str) -> bool {
    BEFORE.contains(&stage)
}

/// How somebody at a stage counts.
pub(super) fn standing(stage: &State) -> Standing {
    match stage.name {
        _ if stage.ending => Standing::Ended,
        "suspended" => Standing::Suspended,
        name if is_before(name) => Standing::Awaiting,
        _ => Standing::Counted,
    }
}

/// The 25 steps of 发展党员工作流程.
pub(super) const STEPS: ValueType = ValueType::Choice(&[
    word("s01", "递交入党申请书", "application handed in"),
    word("s02", "党组织派人谈话", "talk with the applicant"),
    word("s03", "推荐和确定入党积极分子", "recommended as activist"),
    word("s04", "积极分子报上级党委备案", "activist filed above"),
    word("s05", "指定培养联系人", "contacts named"),
    word("s06", "培养教育考察", "trained and observed"),
    word("s07", "确定发展对象", "made a candidate"),
    word("s08", "发展对象报上级党委备案", "candidate filed above"),
    word("s09", "确定入党介绍人", "sponsors named"),
    word("s10", "进行政治审查", "political review"),
    word("s11", "开展集中培训", "training course"),
    word("s12", "支部委员会审查", "reviewed by the branch committee"),
    word("s13", "上级党委预审", "reviewed by the committee above"),
    word("s14", "填写入党志愿书", "form of admission filled in"),
    word("s15", "支部大会讨论接收", "admission discussed by the meeting"),
    word("s16", "上级党委派人谈话", "talk by the committee above"),
    word("s17", "上级党委审批接收", "admission approved"),
    word("s18", "再上一级党委组织部门备案", "filed at the next committee"),
    word("s19", "编入党支部和党小组", "assigned to a branch and group"),
    word("s20", "入党宣誓", "oath"),
    word("s21", "继续教育考察", "observed on probation"),
    word("s22", "提出转正申请", "asked for full membership"),
    word("s23", "支部大会讨论转正", "full membership discussed by the meeting"),
    word("s24", "上级党委审批转正", "full membership approved"),
    word("s25", "材料归档", "papers filed"),
]);
