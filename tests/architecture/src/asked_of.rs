//! Whoever asks about a record that is not his hears what he hears of one that never was. A call that takes the id of a record,
//! and is not in the test that compares the two, promises nothing.

use crate::{expect_none, repository};

const TEST: &str = "crates/node/src/tests/secrecy.rs";
/// Fields of requests that name a record.
const NAMING: &[&str] = &["record", "refers_to", "subject"];

/// Calls of which a request names a record, by a proto file; in that of records, an `id` is one's.
fn about_records(path: &str, proto: &str) -> Vec<String> {
    let (mut asked, mut of) = (Vec::new(), None);
    for line in proto.lines() {
        if let Some(message) = line.strip_prefix("message ") {
            of = message.split_whitespace().next().and_then(|name| name.strip_suffix("Request"));
        }
        let field = line.trim().strip_prefix("string ").and_then(|rest| rest.split_whitespace().next());
        let names = |field: &str| NAMING.contains(&field) || (field == "id" && path.contains("/records/"));
        if let Some(call) = of.filter(|_| field.is_some_and(names)) {
            asked.push(call.to_owned());
        }
    }
    asked.dedup();
    asked
}

fn not_compared(calls: &[String], test: &str) -> Vec<String> {
    let missing = calls.iter().filter(|call| !test.contains(&format!("\"{call}\"")));
    missing.map(|call| format!("{call} takes the id of a record: give it a row in {TEST}")).collect()
}

#[test]
fn every_call_about_a_record_is_asked_about_one_that_is_hidden_and_one_that_never_was() {
    let protos = repository::files(".proto").into_iter().filter(|path| path.starts_with("proto/heliu/"));
    let calls: Vec<String> = protos.flat_map(|path| about_records(&path, &repository::read(&path))).collect();
    assert!(calls.len() >= 7, "the calls are there: {calls:?}");
    expect_none(&not_compared(&calls, &repository::read(TEST)));
}

#[test]
fn a_call_about_a_record_that_is_not_compared_is_found() {
    let proto = "message MoveRequest {\n  string record = 1;\n}\nmessage Moved {\n  string record = 1;\n}\nmessage DropRequest {\n  string id = 1;\n}\n";
    let calls = about_records("proto/heliu/operations/v1/operations.proto", proto);
    assert_eq!(calls, ["Move"]);
    assert_eq!(not_compared(&calls, "(operations, \"Move\", bytes)"), [""; 0]);
    assert_eq!(not_compared(&calls, "").len(), 1);
}
