//! The kinds of record, one file each. A new kind is its file and its line here.

use serde_json::{Map, Value};

use crate::kind::Kind;

pub mod alliance;
pub mod member;
pub mod org;
pub mod resource;

static ALL: [&Kind; 4] = [&org::KIND, &member::KIND, &alliance::KIND, &resource::KIND];

#[must_use]
pub fn all() -> &'static [&'static Kind] {
    &ALL
}

#[must_use]
pub fn find(name: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|k| k.name == name)
}

/// What rules read of a record, by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    Org(org::Org),
    Member(member::Member),
    Alliance(alliance::Alliance),
    Resource(resource::Resource),
    /// A kind that this version does not know: only its scope can be read.
    Unknown,
}

impl Typed {
    /// Adds what was derived to the plain fields.
    pub(crate) fn annotate(&self, json: &mut Map<String, Value>) {
        match self {
            Typed::Org(_) | Typed::Unknown => {}
            Typed::Member(member) => member.annotate(json),
            Typed::Alliance(alliance) => alliance.annotate(json),
            Typed::Resource(resource) => resource.annotate(json),
        }
    }

    /// The bytes of what other records' rules read here; nothing if they read nothing.
    pub(crate) fn signal(&self) -> Option<Vec<u8>> {
        match self {
            Typed::Org(org) => Some(org.signal()),
            Typed::Alliance(alliance) => Some(alliance.signal()),
            Typed::Member(_) | Typed::Resource(_) | Typed::Unknown => None,
        }
    }

    /// Whether an entry still waits to be taken up by the one that it names. Asked before it may hand a record over.
    #[must_use]
    pub fn is_open(&self, field: &str, entry: &str) -> bool {
        match self {
            Typed::Member(member) => field == "moves" && member.is_open(entry),
            Typed::Org(_) | Typed::Alliance(_) | Typed::Resource(_) | Typed::Unknown => false,
        }
    }

    #[must_use]
    pub fn org(&self) -> Option<&org::Org> {
        if let Typed::Org(org) = self { Some(org) } else { None }
    }

    #[must_use]
    pub fn member(&self) -> Option<&member::Member> {
        if let Typed::Member(member) = self { Some(member) } else { None }
    }

    #[must_use]
    pub fn alliance(&self) -> Option<&alliance::Alliance> {
        if let Typed::Alliance(alliance) = self { Some(alliance) } else { None }
    }

    #[must_use]
    pub fn resource(&self) -> Option<&resource::Resource> {
        if let Typed::Resource(resource) = self { Some(resource) } else { None }
    }
}
