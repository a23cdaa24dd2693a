//! Tables as clerks have them, brought into a registry and taken out again.

mod going_in;
mod many_at_once;
mod there_and_back;

use std::path::PathBuf;

use end_to_end::command_line::{Said, heliu};
use end_to_end::desk::Desk;
use end_to_end::process::NodeProcess;
use end_to_end::realm::Realm;
use end_to_end::seats::code;
use serde_json::Value;

/// A township's, with a branch in each of two villages.
struct Office {
    realm: Realm,
    _county: NodeProcess,
    node: NodeProcess,
    desk: Desk,
    dir: String,
}

impl Office {
    async fn open() -> Self {
        let realm = Realm::init(&["C", "T1", "-V11", "-V12"]).await;
        let (county, _) = realm.start("C").await;
        let (node, desk) = realm.start("T1").await;
        for (name, seat) in [("甲村党支部", "V11"), ("乙村党支部", "V12")] {
            desk.makes("org.create", &[("name", name), ("seat", &code(seat))]).await;
        }
        let dir = realm.dir("T1");
        Office { realm, _county: county, node, desk, dir }
    }

    /// Its node is ended as a power cut would end it.
    async fn crashes(&mut self) {
        self.node.kill_nine().await;
    }

    async fn starts(&mut self) {
        (self.node, self.desk) = self.realm.start("T1").await;
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path: PathBuf = self.realm.folder().join(name);
        std::fs::write(&path, bytes).expect("the directory is ours");
        path.to_str().expect("temporary paths are plain").to_owned()
    }

    async fn says(&self, words: &[&str]) -> Said {
        heliu(&[words, &["--dir", &self.dir]].concat()).await
    }

    /// Imports members from what is written in a file, and says what programs are told of it.
    async fn imports(&self, text: &str, flags: &[&str], code: i32) -> Value {
        let file = self.write("members.csv", text);
        self.says(&[&["import", "members", &file, "--json"], flags].concat()).await.exits(code).json()
    }

    /// Rows that would be and were created, updated and left: what the preview says is what happens.
    async fn brings(&self, text: &str) -> [u64; 3] {
        let numbers =
            |told: &Value| ["created", "updated", "unchanged"].map(|word| told[word].as_u64().expect("a number"));
        let preview = self.imports(text, &["--dry-run"], 0).await;
        let done = self.imports(text, &[], 0).await;
        assert_eq!(numbers(&preview), numbers(&done), "{preview} {done}");
        numbers(&done)
    }

    /// The county has all that is here.
    async fn is_equal(&self) {
        let _ = self.says(&["verify"]).await.exits(0);
    }

    async fn members(&self) -> usize {
        self.desk.list("member").await.len()
    }

    /// The only member of this name.
    async fn member(&self, name: &str) -> String {
        let all = self.desk.list("member").await;
        let mut named = all.iter().filter(|one| one.view_json.contains(&format!("\"name\":\"{name}\"")));
        let found = named.next().unwrap_or_else(|| panic!("{name} is not there: {all:?}"));
        assert!(named.next().is_none(), "{name} is there twice");
        found.id.clone()
    }

    async fn contact(&self, id: &str) -> String {
        let told = self.says(&["reveal", id, "--why", "to compare", "--json"]).await.exits(0).json();
        let fields = told["fields"].as_array().expect("fields");
        let contact = fields.iter().find(|field| field["field"] == "contact").expect("it has one");
        contact["values"][0].as_str().expect("a text").to_owned()
    }
}

/// The faults of an answer: line, column, reason.
fn refused(told: &Value) -> Vec<(u64, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let faults = told["refused"].as_array().expect("a list");
    faults.iter().map(|bad| (bad["line"].as_u64().unwrap_or(0), text(&bad["column"]), text(&bad["reason"]))).collect()
}
