//! What a store promises is tried on every store: a case that the suite does not run, or what is read or written and no case tries, is
//! promised by nobody.

use std::collections::BTreeSet;

use crate::lexer::code_only;
use crate::{expect_none, repository};

const SUITE: &str = "crates/storage/src/conformance.rs";
const CASES: &str = "crates/storage/src/conformance/";
const READS: &str = "crates/storage/src/read.rs";
const WRITES: &str = "crates/storage/src/transaction.rs";

/// The names that stand between a word and one of what may follow a name.
fn named<'s>(code: &'s str, before: &str) -> Vec<&'s str> {
    let name =
        |text: &'s str| text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap_or_default();
    code.split(before).skip(1).map(name).filter(|name| !name.is_empty()).collect()
}

/// Whether what follows `pub async fn ` is a case: it takes the harness and nothing else.
fn is_case(code: &str) -> bool {
    code.split_once('(').is_some_and(|(_, arguments)| arguments.starts_with("harness: &impl Harness)"))
}

fn words(code: &str) -> BTreeSet<&str> {
    code.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect()
}

/// Of the suite, its cases, and what is read from a store and written to it.
fn untried(suite: &str, cases: &str, reads: &str, writes: &str) -> Vec<String> {
    let [suite, cases, reads, writes] = [suite, cases, reads, writes].map(code_only);
    let (run, used) = (words(&suite), words(&cases));
    let transaction = writes.split("impl ").next().unwrap_or_default();
    let unwritten = named(transaction, "    pub ")
        .into_iter()
        .filter(|field| !used.contains(field))
        .map(|field| format!("{WRITES}: no case writes {field}: write one in {CASES}, and name it in {SUITE}"));
    // What else is in their files is for them.
    let whole: String =
        cases.split("pub async fn ").filter(|code| is_case(code)).map(|c| format!("pub async fn {c}")).collect();
    let forgotten = named(&whole, "pub async fn ")
        .into_iter()
        .filter(|case| !run.contains(case))
        .map(|case| format!("{CASES}: no store runs {case}: name it in {SUITE}"));
    let unasked = named(&reads, "async fn ")
        .into_iter()
        .filter(|read| !cases.contains(&format!(".{read}(")))
        .map(|read| format!("{READS}: no case asks for {read}: write one in {CASES}, and name it in {SUITE}"));
    forgotten.chain(unasked).chain(unwritten).collect()
}

#[test]
fn every_read_of_a_store_is_asked_for_in_a_case_that_every_store_runs() {
    let files = repository::files(".rs").into_iter().filter(|path| path.starts_with(CASES));
    let cases: String = files.map(|path| repository::read(&path)).collect();
    assert!(named(&code_only(&cases), "pub async fn ").len() > 30, "the cases are there");
    expect_none(&untried(&repository::read(SUITE), &cases, &repository::read(READS), &repository::read(WRITES)));
}

#[test]
fn a_case_that_is_not_run_and_a_read_that_is_not_asked_for_are_found() {
    let reads = "trait ReadRecords { async fn record(&self, id: RecordId); async fn list(&self); }";
    let case = "pub async fn listing(harness: &impl Harness) { store.list(); /* store.record( */ }";
    let writes = "pub struct Transaction {\n    pub store: u8,\n    pub declined: u8,\n}\nimpl Transaction {\n    pub fn check() {}\n}";
    let told = untried("records: [ a_row ]", case, reads, writes);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[0].contains("no store runs listing") && told[1].contains("no case asks for record"), "{told:?}");
    assert!(told[2].contains("no case writes declined"), "{told:?}");
    assert_eq!(untried("records: [listing]", case, "async fn list(&self);", ""), [""; 0]);
}
