//! An alliance as a kind.

use heliu_record::prelude::*;

use super::part_time::PART_TIME;
use super::participants::{PARTICIPANTS, present};
use crate::words::{ALLIANCE, ORG, RESOURCE};

const FORMS: ValueType = ValueType::Choice(&[
    word("council", "理事会", "council"),
    word("league", "联盟", "league"),
    word("joint_meeting", "联席会", "joint meeting"),
]);

pub static NAME: FieldOf<String> = mv("name", name(80), "名称", "name").help("全称", "full name").required().sought();
pub(super) static FORM: FieldOf<String> =
    mv("form", FORMS, "形式", "form").help("理事会、联盟、联席会", "council, league or joint meeting").listed();
pub static CONVENOR: FieldOf<RecordId> =
    mv("convenor", ORG, "召集组织", "convenor").help("负责召集的组织", "the organisation that convenes it").listed();
pub(super) static CHAIR: FieldOf<RecordId> =
    mv("chair", ORG, "轮值组织", "chair").help("现任主持的成员单位", "the participant that presides now");
/// Written as a whole: of two that were written apart the other is in the history.
pub static CHARTER: FieldOf<String> =
    lww("charter", text(4_000), "章程", "charter").help("共同遵守的章程", "what all who take part keep to");
pub(super) static TOPICS: SetOf<String> = set("topics", text(40), "议题", "topics")
    .help("共同商议的事项", "what they deal with together")
    .by(Writer::Audience);
pub(super) static SCOPE: SetOf<SeatId> = set("scope_seats", SEAT, "覆盖区域", "scope")
    .help("共建的乡镇、村,可以跨县", "the townships and villages that it is for, of other counties too");
pub static RESOURCES: SetOf<RecordId> = set("resources", record(RESOURCE), "共享资源", "shared resources")
    .help("成员单位提供的场所等", "halls and the like that participants offer")
    .by(Writer::Audience);

pub(super) static KIND: Kind = Kind::scoped(
    ALLIANCE,
    1,
    "区域共建理事会、党建联盟、联席会",
    "a council, league or joint meeting of organisations",
)
.with(fields![NAME, FORM, CONVENOR, CHAIR, CHARTER, TOPICS, SCOPE, PARTICIPANTS, PART_TIME, RESOURCES])
.derives(&[DerivedPart::new("present", label("现有成员单位", "present participants"), &[])], present)
.read_by_others(fields![PARTICIPANTS]);
