//! Whatever a node can say has words here: its sources are read for the codes that it can say, and its protocol for texts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use heliu_record::reason::Facts;

use super::*;
use crate::text::{codes_in, speaking};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The texts of all files of an extension below some places, without what is behind the first test of a file.
fn texts(places: &[&str], extension: &str) -> Vec<String> {
    let (mut texts, mut open) = (Vec::new(), places.iter().map(|place| root().join(place)).collect::<Vec<_>>());
    while let Some(at) = open.pop() {
        if at.is_dir() {
            open.extend(std::fs::read_dir(&at).expect("it is ours").flatten().map(|entry| entry.path()));
        } else if at.extension().is_some_and(|found| found == extension) && !at.ends_with("tests.rs") {
            let text = std::fs::read_to_string(&at).expect("it is ours");
            texts.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
        }
    }
    texts
}

/// Literals of the sources that are words with a point, of these sorts.
pub fn written(places: &[&str], is_wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let is_code = |part: &&str| {
        let rest = part.split_once('.').map_or("", |(_, rest)| rest);
        !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && is_wanted(part)
    };
    texts(places, "rs").iter().flat_map(|text| text.split('"').filter(is_code).map(str::to_owned)).collect()
}

/// The first literal behind each of these words.
fn behind(places: &[&str], words: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in texts(places, "rs") {
        for word in words {
            for rest in text.split(word).skip(1) {
                found.extend(
                    rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()).map(str::to_owned),
                );
            }
        }
    }
    found
}

/// Every code that a node can give as a reason.
fn all_codes() -> BTreeSet<String> {
    const SORTS: [&str; 13] = [
        "access",
        "audit",
        "certificate",
        "commit",
        "edit",
        "excluded",
        "file",
        "grant",
        "held",
        "leaf",
        "refused",
        "statement",
        "store",
    ];
    let sources = [
        "crates/record/src",
        "crates/trust/src",
        "crates/storage/src",
        "crates/replication/src",
        "crates/tls/src",
        "crates/node/src",
    ];
    let sorted = |code: &str| code.split_once('.').is_some_and(|(sort, _)| SORTS.contains(&sort));
    let mut all = written(&sources, sorted);
    all.remove("access.json");
    let dotted = all.len();
    // Who was not let in is named in one word.
    let node = texts(&["crates/node/src"], "rs").concat();
    let noted = node.split("(\"").skip(1).filter_map(|rest| rest.split_once('"'));
    all.extend(
        noted
            .filter(|(_, rest)| rest.starts_with(", Facts::") || rest.starts_with(", facts)"))
            .map(|(code, _)| code.to_owned()),
    );
    all.extend(behind(&["crates/node/src/runner/notices.rs"], &["is_fenced(peer) =>", "is_none() =>"]));
    all.extend(behind(&["crates/tls/src"], &["Failed::new(", "Failed::quoting("]));
    let judge = texts(&["crates/tls/src/judge.rs"], "rs").concat();
    let code =
        judge.split("pub fn code(&self)").nth(1).and_then(|rest| rest.split("\n    }\n").next()).unwrap_or_default();
    all.extend(code.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
    all.extend(behind(&["crates/replication/src"], &["Reason::new("]));
    assert!(dotted > 70 && all.len() > dotted + 15, "the sources are there: {all:?}");
    all
}

#[test]
fn every_reason_that_a_node_can_give_has_words_in_both_languages() {
    for code in all_codes() {
        assert!(REASONS.iter().any(|(known, _)| *known == code), "{code} has no words");
    }
    let parts = behind(&["crates/replication/src/batch"], &["part("]);
    assert!(parts.len() >= 3, "{parts:?}");
    for part in parts.iter().map(String::as_str).chain(["leaf", "view", "signal", "scope", "state", "sums", "count"]) {
        assert!(PARTS.iter().any(|(known, _)| *known == part), "{part} has no words");
    }
}

/// One of each fact.
fn all_facts() -> Facts {
    Fact::ALL.into_iter().fold(Facts::none(), |facts, fact| match fact {
        Fact::Path => facts.and(fact, "home_branch"),
        Fact::Part => facts.and(fact, "own-commit"),
        Fact::System => facts,
        Fact::File => facts.and(fact, "/var/lib/heliu/tls.crt"),
        Fact::Node | Fact::Id => facts.and(fact, "1a2b3c4d"),
        Fact::Seat => facts.and(fact, "什集镇"),
        _ => facts.and(fact, 600),
    })
}

#[test]
fn in_chinese_no_reason_has_a_code_or_a_word_of_english_in_it_nor_one_in_english_a_code() {
    let schema = crate::served::schema();
    for (code, _) in REASONS {
        let Say { zh, en } = words_by(&schema, &Reason { code: (*code).to_owned(), facts: all_facts() });
        assert_eq!(codes_in(&zh), [""; 0], "{zh}");
        assert!(!en.contains(code) || !code.contains(['.', '_']), "{en}");
        let next = next(&Reason::new(code)).map(|next| next.zh).unwrap_or_default();
        assert!(codes_in(next).is_empty() || next.contains("heliu.toml") || next.contains("chmod"), "{next}");
    }
    let seq = Reason::new("refused.seq").and(Fact::Found, 5).and(Fact::Expected, 3);
    assert_eq!(words(&seq).zh, "序号不对(实为:5,应为:3)");
    assert_eq!(words(&seq).en, "wrong number in its author's sequence (found: 5, expected: 3)");
}

#[test]
fn what_somebody_else_says_is_shown_as_data_or_not_at_all() {
    let facts = [("path", "x\u{1b}[2J\u{202e}"), ("says", "all is well"), ("until_ms", "soon"), ("part", "go away")];
    let facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    let newer = words(&Reason::new("commit.too-old"));
    assert_eq!(newer.zh, "本版本不认识的原因 commit.too-old");
    let older = words(&Reason::read("somebody has written name meanwhile"));
    assert_eq!(older.zh, "原因不明");
    let said = records::Reason { code: format!("x\u{1b}]0;owned\u{7}{}", "长".repeat(500)), facts };
    for language in [Language::Zh, Language::En] {
        let told = speaking(language, || told(Some(&said)));
        assert!(!told.contains(|c: char| c.is_control() || c == '\u{202e}'), "{told:?}");
        assert!(
            told.chars().count() < 80
                && !told.contains("owned")
                && !told.contains("all is well")
                && !told.contains("go away"),
            "{told}"
        );
    }
}

/// A text that a node composes would be in one language wherever it is read. What people write is theirs; what is for logs
/// and for whoever digs deeper says so.
#[test]
fn no_message_of_the_protocol_has_a_text_for_people_in_one_language() {
    const THEIRS: [&str; 10] = [
        // Somebody's own words: why he does something, as he gave it, or as his record and the audit log keep it.
        "administration.ProposeRequest.reason",
        "administration.AppendRequest.reason",
        "administration.EraseRequest.reason",
        "administration.AuditEntry.detail",
        "records.ExecuteRequest.reason",
        "records.RevealRequest.why",
        "records.Stub.reason",
        "records.Change.reason",
        // Verbatim, and said to be.
        "operations.Link.last_error",
        "replication.Refuse.reason",
    ];
    let mut found = BTreeSet::new();
    for text in texts(&["proto"], "proto") {
        let area = text.split("package heliu.").nth(1).and_then(|rest| rest.split('.').next()).unwrap_or_default();
        let mut message = "";
        for line in text.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("message ") {
                message = rest.split_whitespace().next().unwrap_or_default();
            }
            let field = line.strip_prefix("repeated ").unwrap_or(line).strip_prefix("string ").unwrap_or_default();
            let name = field.split_whitespace().next().unwrap_or_default();
            let is_prose = ["reason", "why", "detail", "problem", "error", "message", "said", "explanation", "words"]
                .iter()
                .any(|word| name.split('_').any(|part| part.trim_end_matches('s') == *word));
            if is_prose && !name.ends_with("_code") {
                found.insert(format!("{area}.{message}.{name}"));
            }
        }
    }
    for field in &found {
        let is_request = field.ends_with("Request.reason");
        // Facts as a text, see `heliu_record::reason`.
        let are_facts = ["replication.RefusedLeaf.reason", "replication.JoinRefused.reason"].contains(&field.as_str());
        assert!(is_request || are_facts || THEIRS.contains(&field.as_str()), "{field}: a Reason or a Label, instead");
    }
    assert!(THEIRS.iter().filter(|field| found.contains(**field)).count() >= 7, "the protocol is there: {found:?}");
}
