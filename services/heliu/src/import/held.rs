//! The records of one kind that a node holds, by what people call them: rows of a file name a branch by its id, a beginning
//! of it, its full name, or the region code of its seat.

use std::collections::BTreeMap;

use heliu_client::Client;
use heliu_client::records::{ListRequest, Record, RecordState};
use heliu_client::schema::{Kind, SchemaLabel};
use serde_json::Value;

use crate::failure::Failure;
use crate::text::{Say, clean, say};

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
    pub fn none(kind: &Kind) -> Self {
        let SchemaLabel { zh, en } = &kind.label;
        Held { label: SchemaLabel { zh: clean(zh), en: clean(en) }, ..Held::default() }
    }

    /// Asks the node for all records of the kind.
    pub async fn of(client: &Client, kind: &Kind) -> Result<Self, Failure> {
        let mut held = Held::none(kind);
        let mut after = String::new();
        loop {
            let request = ListRequest { kind: kind.name.clone(), after, limit: 1_000, ..ListRequest::default() };
            let page = client.list(request).await?;
            page.records.iter().for_each(|record| held.add(record, kind));
            after = page.next;
            if after.is_empty() {
                return Ok(held);
            }
        }
    }

    fn add(&mut self, record: &Record, kind: &Kind) {
        if record.state() != RecordState::Present {
            return;
        }
        let view: Value = serde_json::from_str(&record.view_json).unwrap_or_default();
        let text = |name: &str| view.get(name).and_then(Value::as_str).unwrap_or_default();
        let codes: Vec<&str> = record.owners.iter().map(|owner| owner.code.as_str()).collect();
        self.enter(&record.id, text("name"), &codes, has_ended(kind, text));
    }

    pub fn enter(&mut self, id: &str, name: &str, codes: &[&str], ended: bool) {
        self.by_id.insert(id.to_owned(), One { name: name.to_owned(), ended });
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
        let is_hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        let by_id = || {
            let begin = text.to_ascii_lowercase();
            let range = self.by_id.range(begin.clone()..).map(|(id, _)| id.as_str());
            range.take_while(|id| id.starts_with(&begin)).take(2).collect::<Vec<_>>()
        };
        match (self.by_code.get(text), self.by_name.get(text)) {
            (Some(ids), _) | (None, Some(ids)) => ids.iter().map(String::as_str).collect(),
            (None, None) if is_hex && text.len() >= 8 => by_id(),
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

    fn over(&self, name: &str) -> Say {
        let zh = &self.label.zh;
        say!("{zh}“{name}”已终结,不能再加入或引用", "{name:?} has ended; nothing is added to it")
    }

    /// Whether one that has not ended is called so.
    pub fn has_name(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
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

    /// What one is called in both languages.
    pub fn called(&self) -> (&str, &str) {
        (&self.label.zh, &self.label.en)
    }

    pub fn shown(&self, id: &str) -> String {
        let name = self.by_id.get(id).map_or("", |one| one.name.as_str());
        format!("{} {name}", id.chars().take(8).collect::<String>())
    }
}

/// Whether one of its states is the end of it.
fn has_ended<'v>(kind: &Kind, state_of: impl Fn(&str) -> &'v str) -> bool {
    kind.fields.iter().any(|field| field.state(state_of(&field.name)).is_some_and(|state| state.ending))
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
        let ends = |state: &'static str| has_ended(kind, |name| if name == "lifecycle" { state } else { "" });
        assert!(ends("dissolved") && ends("absorbed") && !ends("active"));
    }
}
