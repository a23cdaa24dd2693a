//! 规则参数: the thresholds and periods that the rules go by, in one public record of the county, so that no two nodes judge by different
//! ones. What nobody has set is as it was published.

use heliu_record::id::Preimage;
use heliu_record::prelude::*;

use crate::words::POLICY;

/// One of them: where it is, and what it is while nobody says otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    field: &'static FieldOf<i64>,
    published: i64,
    /// The commands and rules that go by it; none: nothing does yet.
    pub read_by: &'static [&'static str],
}

impl Setting {
    #[must_use]
    pub const fn field(&self) -> &'static Field {
        &self.field.field
    }

    /// What it is while nobody says otherwise.
    #[must_use]
    pub const fn published(&self) -> i64 {
        self.published
    }
}

/// Who reads a setting, at the end of its help.
macro_rules! read_by {
    ($nobody:literal, $begin:literal, $between:literal, $end:literal,) => {
        $nobody
    };
    ($nobody:literal, $begin:literal, $between:literal, $end:literal, $first:literal $(, $next:literal)*) => {
        concat!($begin, $first $(, $between, $next)*, $end)
    };
}

macro_rules! settings {
    ($($name:ident, $field:ident = $published:literal, $code:literal, $zh:literal, $en:literal, $help_zh:literal, $help_en:literal, [$($reader:literal),*];)*) => {
        $(
            static $field: FieldOf<i64> = mv($code, COUNT, $zh, $en)
                .help(
                    concat!($help_zh, read_by!("(尚无规则用到)", "(用于", "、", ")", $($reader),*)),
                    concat!($help_en, read_by!(" (no rule reads it yet)", " (read by ", ", ", ")", $($reader),*)),
                )
                .by(COUNTY);
            pub const $name: Setting = Setting { field: &$field, published: $published, read_by: &[$($reader),*] };
        )*
        /// All of them.
        pub static SETTINGS: &[Setting] = &[$($name),*];
        static FIELDS: &[&Field] = fields![$($field),*];
        static ARGUMENTS: &[Argument] = &[$(optional_field(&$field.field, $zh, $en)),*];
    };
}

const COUNTY: Writer = Writer::AtLeast(Tier::County);

settings! {
    LETTER_DAYS_INSIDE, DAYS_INSIDE = 10, "letter_days_inside", "县内介绍信有效天数", "days of a letter inside",
        "县内介绍信默认有效天数", "for how many days a letter inside the county is good", ["member.transfer.issue"];
    LETTER_DAYS_OUTSIDE, DAYS_OUTSIDE = 30, "letter_days_outside", "域外介绍信有效天数", "days of a letter outside",
        "开往域外的介绍信默认有效天数", "for how many days a letter to outside is good", ["member.transfer.out"];
    LETTER_MONTHS_MAX, MONTHS_MAX = 3, "letter_months_max", "介绍信最长有效月数", "months of a letter at most",
        "介绍信有效期最长几个月", "for how many months a letter can be good", ["member.transfer.issue", "member.transfer.out"];
    PROBATION_MONTHS, PROBATION = 12, "probation_months", "预备期月数", "months of probation",
        "预备期几个月(细则第32条)", "how long probation is", ["member.confirm", "member.extend", "due"];
    EXTENSION_MONTHS_MIN, EXTENSION_MIN = 6, "extension_months_min", "延长预备期最短月数", "months of an extension, least",
        "延长预备期不少于几个月", "the least that probation is extended by", ["member.extend"];
    EXTENSION_MONTHS_MAX, EXTENSION_MAX = 12, "extension_months_max", "延长预备期最长月数", "months of an extension, most",
        "延长预备期不超过几个月", "the most that probation is extended by", ["member.extend"];
    BRANCH_FROM, MEMBERS_MIN = 3, "branch_members_min", "支部最少正式党员数", "members of a branch, least",
        "成立支部所需的正式党员数", "from how many full members there is a branch", ["advisories"];
    BRANCH_UP_TO, MEMBERS_MAX = 50, "branch_members_max", "支部党员数上限", "members of a branch, most",
        "支部党员一般不超过几人", "up to how many members a branch usually has", [];
    COMMITTEE_OF_BRANCH_FROM, BRANCH_COMMITTEE = 7, "branch_committee_from", "设支部委员会的党员数", "members for a branch committee",
        "正式党员几人以上设支部委员会", "from how many full members a branch has a committee", ["advisories"];
    GENERAL_BRANCH_OVER, GENERAL_BRANCH = 50, "general_branch_over", "设党总支的党员数", "members for a general branch",
        "村党员超过几人可设党总支", "over how many members there may be a general branch", ["advisories"];
    COMMITTEE_FROM, COMMITTEE = 100, "committee_from", "设党委的党员数", "members for a committee",
        "村党员几人以上可设党委", "from how many members there may be a committee", ["advisories"];
    JOINT_UNITS_MAX, UNITS_MAX = 5, "joint_units_max", "联合支部单位数上限", "units of a joint branch, most",
        "联合支部一般不超过几个单位", "up to how many units usually join", ["advisories"];
    VILLAGE_TERM_YEARS, VILLAGE_TERM = 5, "village_term_years", "村级任期年数", "years of a term, village",
        "村(社区)党组织任期几年", "how long a term is in a village or community", [];
    OTHER_TERM_YEARS, OTHER_TERM = 3, "other_term_years", "其他支部任期年数", "years of a term, other branches",
        "其他支部和党总支任期几年", "how long a term is in other branches", [];
    COMMITTEE_TERM_YEARS, COMMITTEE_TERM = 5, "committee_term_years", "党委任期年数", "years of a term, committees",
        "党委任期几年", "how long a term is in a committee", [];
    PARTY_DAY, DAY_OF_MONTH = 15, "party_day", "党员活动日", "party day",
        "每月几日为党员活动日", "on which day of the month there is a party day", [];
    FLOAT_MONTHS, FLOATING = 6, "float_months", "流动党员认定月数", "months of floating",
        "外出几个月以上为流动党员", "from how many months away somebody floats", [];
    UNMATCHED_DAYS, UNMATCHED = 30, "unmatched_float_days", "流动未对接提醒天数", "days of an unmatched float",
        "流出后几天未对接即提醒", "after how many days an unmatched float is told", [];
    LOST_MONTHS, LOST = 6, "lost_contact_months", "失联停止党籍月数", "months of lost contact",
        "失去联系几个月停止党籍", "after how many months without contact membership is suspended", [];
    REMOVAL_YEARS, REMOVAL = 2, "removal_years", "停止党籍后除名年数", "years until removal",
        "停止党籍几年后可除名", "how many years later somebody may be removed", [];
    REPLY_MONTHS, REPLY = 1, "reply_months", "批复期限月数", "months for a reply",
        "上级几个月内批复", "within how many months a superior replies", ["due"];
    PART_TIME_MAX, PART_TIME = 7, "part_time_max", "兼职委员人数上限", "part-time members, most",
        "兼职委员一般不超过几人", "up to how many part-time members there are", [];
    SECRETARY_YEARS_MAX, SECRETARY = 3, "first_secretary_years", "第一书记任期年数", "years of a first secretary",
        "第一书记任期最长几年", "for how many years somebody is first secretary", [];
}

static KIND: Kind = Kind::scoped(
    POLICY,
    1,
    "各项规则的期限和数额,全县一份",
    "the periods and thresholds of the rules, one for the county",
)
.public()
.keyed("policy.set")
.with(FIELDS);
pub static SECTION: Section = section(&[&KIND], COMMANDS, &[], &[], &[&NO_COUNTY]);

static COMMANDS: &[Command] = &[makes(POLICY, "policy.set", "设定规则参数", "set the policy", set)
    .help("由县级设定;未设定的按公布的规定", "by the county; what it does not set is as published")
    .takes(ARGUMENTS)];
static NO_COUNTY: Message = message("no_authority")
    .what("“{0}”不能设定规则参数。", "{0} may not set the policy.")
    .why("规则参数由县级设定,全县一致。", "The county sets it, for all of its seats.")
    .next("请由县级席位办理。", "Have it done by the county.");

fn set(planner: &mut Planner<'_>) -> Result<(), Refusal> {
    let seat = planner.seat();
    let own = planner.world().seats().get(seat).filter(|seat| seat.tier == Tier::County);
    let county = own.ok_or_else(|| NO_COUNTY.about(&[planner.world().seats().name(seat).into()]))?.id;
    let policy = planner.the_only(&KIND, preimage(county));
    planner.copy(policy, FIELDS);
    Ok(())
}

/// The one record of a county.
fn preimage(county: SeatId) -> Preimage {
    Preimage { kind: POLICY.name.to_owned(), birth: county, key: b"policy".to_vec() }
}

/// What a setting is where a command is carried out.
#[must_use]
pub fn read(planner: &Planner<'_>, setting: Setting) -> i64 {
    at(planner.whole(), planner.seat(), setting)
}

/// What a setting is at a seat: of the county that it is in.
#[must_use]
pub fn at(world: &dyn World, seat: SeatId, setting: Setting) -> i64 {
    let seats = world.seats();
    let county = seats.upward(seat).find(|at| seats.get(*at).is_some_and(|at| at.tier == Tier::County));
    let policy = county.and_then(|county| world.record(preimage(county).id()));
    policy.and_then(|policy| setting.field.read(&policy.history)).unwrap_or(setting.published)
}

/// What a setting is, by the view of the county's record if there is one.
#[must_use]
pub fn of_view(view: Option<&Json>, setting: Setting) -> i64 {
    view.and_then(|view| view.get(setting.field.field.name)).and_then(Json::as_i64).unwrap_or(setting.published)
}
