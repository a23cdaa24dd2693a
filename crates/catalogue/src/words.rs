//! What each kind is called, in fields that point to one too.

use heliu_record::prelude::*;

pub const ORGANISATION: Word = word("org", "党组织", "organisation");
pub const ORG_FILE: Word = word("org_file", "党组织档案", "organisation's file");
pub const MEMBER: Word = word("member", "党员", "member");
pub const FLOAT: Word = word("floating", "流动登记", "float");
pub const ALLIANCE: Word = word("alliance", "联盟", "alliance");
pub const CHARTERS: Word = word("charter", "联盟章程", "charter");
pub const NEED: Word = word("need", "需求", "need");
pub const RESOURCE: Word = word("resource", "资源", "resource");
pub const AGES: Word = word("statistics", "年龄统计", "age statistics");
pub const NUMBER_BOOK: Word = word("number_book", "编号簿", "number book");
pub const ABSENCE: Word = word("absence", "离岗代办", "absence");
pub const POLICY: Word = word("policy", "规则参数", "policy");

/// A field that names an organisation.
pub const ORG: ValueType = record(ORGANISATION);
/// A field that names a seat or an organisation.
pub const UNIT: ValueType = ValueType::Unit(ORGANISATION);
