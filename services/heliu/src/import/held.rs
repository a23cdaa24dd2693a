//! Records of one kind that a node holds, by what people call them: rows of a file name a branch by its id, a beginning of it,
//! its full name, or the region code of its seat. The node is asked for those that the rows call so, and for no others.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{StreamExt as _, TryStreamExt as _};
use heliu_client::Client;
use heliu_client::records::{ListRequest, Record, RecordState};
use heliu_client::schema::{Kind, SchemaLabel};
use serde_json::Value;

use crate::failure::Failure;
use crate::find;
use crate::text::{Say, clean, say};
use crate::which::has_ended;

#[derive(Debug, Default)]
pub struct Held {
    /// What the kind is called.
    label: SchemaLabel,
    by_id: BTreeMap<String, One>,
    by_name: BTreeMap<String, Vec<String>>,
    by_code: BTreeMap<String, Vec<String>>,
    /// Of those that have ended, by name and by code: to say that they have.
    ended: BTreeMap<String, String>,
}

#[derive(Debug)]
struct One {
    name: String,
    ended: bool,
}

impl Held {
    /// With those that another knows.
    pub fn extend(&mut self, other: Held) {
        for (id, one) in other.by_id {
            let codes: Vec<String> =
                other.by_code.iter().filter(|(_, ids)| ids.contains(&id)).map(|(code, _)| code.clone()).collect();
            let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
            self.enter(&id, &one.name, &codes, one.ended);
        }
    }

    pub fn none(kind: &Kind) -> Self {
        let SchemaLabel { zh, en } = &kind.label;
        Held { label: SchemaLabel { zh: clean(zh), en: clean(en) }, ..Held::default() }
    }

    /// Asks the node for those records of the kind that go by one of these texts.
    pub async fn of(client: &Client, kind: &Kind, texts: &BTreeSet<&str>) -> Result<Self, Failure> {
        let mut held = Held::named(client, kind, texts).await?;
        // What none is called may be the beginning of an id, or a whole one.
        let begins: Vec<&str> = texts.iter().copied().filter(|text| is_beginning(text) && !held.knows(text)).collect();
        let asked = begins.into_iter().map(|begin| beginning_with(client, kind, begin));
        let found: Vec<Vec<Record>> = futures::stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await?;
        found.iter().flatten().for_each(|record| held.add(record, kind));
        Ok(held)
    }

    /// Those that have one of these names, or of whose seat it is the code.
    pub async fn named(client: &Client, kind: &Kind, texts: &BTreeSet<&str>) -> Result<Self, Failure> {
        let mut held = Held::none(kind);
        let is_code = |text: &&str| text.len() == CODE_DIGITS && text.bytes().all(|digit| digit.is_ascii_digit());
        let codes = texts.iter().copied().filter(is_code).collect();
        for (field, texts) in [(find::NAME, texts), (find::SEAT, &codes)] {
            if texts.is_empty() || (field == find::NAME && !find::is_sought(kind, field)) {
                continue;
            }
            find::saying(client, &kind.name, field, texts).await?.iter().for_each(|record| held.add(record, kind));
        }
        Ok(held)
    }

    fn add(&mut self, record: &Record, kind: &Kind) {
        if record.state() != RecordState::Present {
            return;
        }
        let view: Value = serde_json::from_str(&record.view_json).unwrap_or_default();
        let text = |name: &str| view.get(name).and_then(Value::as_str).unwrap_or_default();
        let codes: Vec<&str> = record.owners.iter().map(|owner| owner.code.as_str()).collect();
        self.enter(&record.id, text("name"), &codes, has_ended(kind, text).is_some());
    }

    pub fn enter(&mut self, id: &str, name: &str, codes: &[&str], ended: bool) {
        // Two rows may ask for one record, by its name and by its id.
        if self.by_id.insert(id.to_owned(), One { name: name.to_owned(), ended }).is_some() {
            return;
        }
        // Whoever goes by name or seat means one that is alive.
        if ended {
            let called = codes.iter().copied().chain([name]);
            self.ended.extend(called.map(|called| (called.to_owned(), name.to_owned())));
            return;
        }
        self.by_name.entry(name.to_owned()).or_default().push(id.to_owned());
        for code in codes {
            self.by_code.entry((*code).to_owned()).or_default().push(id.to_owned());
        }
    }

    /// The ids of all that go by a text: a code, a name, or a beginning of an id (of these no more than two).
    pub fn meant(&self, text: &str) -> Vec<&str> {
        let by_id = || {
            let begin = text.to_ascii_lowercase();
            let range = self.by_id.range(begin.clone()..).map(|(id, _)| id.as_str());
            range.take_while(|id| id.starts_with(&begin)).take(2).collect::<Vec<_>>()
        };
        match (self.by_code.get(text), self.by_name.get(text)) {
            (Some(ids), _) | (None, Some(ids)) => ids.iter().map(String::as_str).collect(),
            (None, None) if is_beginning(text) => by_id(),
            (None, None) => Vec::new(),
        }
    }

    /// The id of the one that is meant.
    pub fn find(&self, text: &str) -> Result<&str, Say> {
        let SchemaLabel { zh, en } = &self.label;
        let meant = self.meant(text);
        match meant.as_slice() {
            [] => Err(match self.ended.get(text) {
                Some(name) => self.over(name),
                None => say!("本节点没有{zh}“{text}”", "this node holds no {en} {text:?}"),
            }),
            [id] => match self.by_id.get(*id) {
                Some(One { name, ended: true }) => Err(self.over(name)),
                _ => Ok(*id),
            },
            many => Err(self.several(text, many)),
        }
    }

    /// One that has ended and is named by its whole id, with what is to be said of that.
    pub fn over_by_id(&self, text: &str) -> Option<Say> {
        let is_whole = text.len() == ID_DIGITS;
        self.by_id.get(text).filter(|one| is_whole && one.ended).map(|one| self.over(&one.name))
    }

    fn over(&self, name: &str) -> Say {
        let zh = &self.label.zh;
        say!("{zh}“{name}”已终结,不能再加入或引用", "{name:?} has ended; nothing is added to it")
    }

    /// Whether one is called so, or was until it ended.
    fn knows(&self, text: &str) -> bool {
        [&self.by_name, &self.by_code].iter().any(|by| by.contains_key(text)) || self.ended.contains_key(text)
    }

    fn several(&self, text: &str, many: &[&str]) -> Say {
        let (SchemaLabel { zh, en }, count) = (&self.label, many.len());
        let names = many.iter().take(3).map(|id| self.shown(id)).collect::<Vec<_>>().join(", ");
        say!(
            "“{text}”可指 {count} 个{zh}({names}…),请写编号",
            "{text:?} could be {count} records of kind {en} ({names}...): give the id"
        )
    }

    /// Whether this one has the name and the region code that a row gives. A row without a code says nothing of it.
    pub fn is(&self, id: &str, name: &str, code: Option<&str>) -> bool {
        let is_there = |code: &str| self.by_code.get(code).is_some_and(|ids| ids.iter().any(|known| known == id));
        self.by_id.get(id).is_some_and(|one| one.name == name) && code.is_none_or(is_there)
    }

    /// What one of these is called.
    pub fn name(&self, id: &str) -> Option<&str> {
        self.by_id.get(id).map(|one| one.name.as_str())
    }

    /// What one is called in both languages.
    pub fn called(&self) -> (&str, &str) {
        (&self.label.zh, &self.label.en)
    }

    pub fn shown(&self, id: &str) -> String {
        let name = self.by_id.get(id).map_or("", |one| one.name.as_str());
        format!("{} {name}", id.chars().take(8).collect::<String>())
    }
}

/// Calls under way at once.
const AT_ONCE: usize = 8;
const ID_DIGITS: usize = 64;
const CODE_DIGITS: usize = 12;

/// Shorter beginnings of ids are mistaken too easily.
fn is_beginning(text: &str) -> bool {
    (8..=ID_DIGITS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The first records of the kind whose ids begin so; two are enough to know that it is not clear.
async fn beginning_with(client: &Client, kind: &Kind, begin: &str) -> Result<Vec<Record>, Failure> {
    let begin = begin.to_ascii_lowercase();
    if begin.len() == ID_DIGITS {
        return match client.get(&begin).await {
            Ok(record) => Ok(Some(record).into_iter().filter(|record| record.kind == kind.name).collect()),
            Err(error) if error.reason() == "not_here" => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        };
    }
    // In the order of ids, after the one that is last before these.
    let after = before(&begin).map(|last| format!("{last:f<ID_DIGITS$}")).unwrap_or_default();
    let request = ListRequest { kind: kind.name.clone(), after, limit: 2, ..ListRequest::default() };
    let mut records = client.list(request).await?.records;
    records.retain(|record| record.id.starts_with(&begin));
    Ok(records)
}

/// The digits that come before these: of as many, one less. None: these are the first.
fn before(digits: &str) -> Option<String> {
    let mut digits = digits.as_bytes().to_vec();
    let at = digits.iter().rposition(|digit| *digit != b'0')?;
    digits[at] = if digits[at] == b'a' { b'9' } else { digits[at] - 1 };
    digits[at + 1..].fill(b'f');
    String::from_utf8(digits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orgs() -> Held {
        let schema = crate::served::schema();
        let mut orgs = Held::none(schema.kind("org").expect("it is declared"));
        orgs.enter(&"ab".repeat(32), "甲村党支部", &["371726101201"], false);
        orgs.enter(&"cd".repeat(32), "乙村党支部", &["371726101202"], false);
        orgs.enter(&"ef".repeat(32), "乙村党支部", &["371726101203"], false);
        orgs.enter(&"12".repeat(32), "旧村党支部", &["371726101204"], true);
        orgs
    }

    #[test]
    fn a_branch_is_found_by_code_name_id_or_a_beginning_of_it() {
        for text in ["371726101201", "甲村党支部", "abababab", &"ab".repeat(32), "ABABABABAB"] {
            assert_eq!(orgs().find(text), Ok("ab".repeat(32).as_str()), "{text}");
        }
    }

    #[test]
    fn what_is_asked_for_by_its_name_and_by_its_id_is_one() {
        let mut orgs = orgs();
        orgs.enter(&"ab".repeat(32), "甲村党支部", &["371726101201"], false);
        for text in ["371726101201", "甲村党支部", "abababab"] {
            assert_eq!(orgs.find(text), Ok("ab".repeat(32).as_str()), "{text}");
        }
    }

    #[test]
    fn ids_that_begin_so_come_after_the_last_that_begins_with_less() {
        assert_eq!(before("abcdef12").as_deref(), Some("abcdef11"));
        assert_eq!(before("abcd0000").as_deref(), Some("abccffff"));
        assert_eq!((before("a0000000").as_deref(), before("00000000")), (Some("9fffffff"), None));
    }

    #[test]
    fn what_is_unknown_ambiguous_or_ended_is_said() {
        let said = |text: &str| orgs().find(text).expect_err("it is not one").en;
        assert!(said("丙村党支部").contains("holds no organisation"));
        assert!(said("乙村党支部").contains("could be 2 records of kind organisation"));
        assert!(said("12121212").contains("has ended"));
        // However it is named that has ended, that is what is said, and not that it is not there.
        assert!(said("旧村党支部").contains("has ended") && said("371726101204").contains("has ended"));
        let mut orgs = orgs();
        orgs.enter(&"34".repeat(32), "旧村党支部", &["371726101204"], false);
        assert_eq!(orgs.find("旧村党支部"), Ok("34".repeat(32).as_str()), "another of that name is alive");
    }

    #[test]
    fn the_endings_are_those_that_the_kind_declares() {
        let schema = crate::served::schema();
        let kind = schema.kind("org").expect("it is declared");
        let ends = |state: &'static str| has_ended(kind, |name| if name == "lifecycle" { state } else { "" }).is_some();
        assert!(ends("dissolved") && ends("absorbed") && !ends("active"));
    }
}
