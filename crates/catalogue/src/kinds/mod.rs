//! The kinds of record, one file each.

pub mod alliance;
pub mod member;
pub mod org;
pub mod resource;

/// What each is called, in fields that point to one too.
pub mod word {
    use heliu_record::kind::{Word, word};

    pub const ORG: Word = word("org", "党组织", "organisation");
    pub const MEMBER: Word = word("member", "党员", "member");
    pub const ALLIANCE: Word = word("alliance", "联盟", "alliance");
    pub const RESOURCE: Word = word("resource", "资源", "resource");
}
