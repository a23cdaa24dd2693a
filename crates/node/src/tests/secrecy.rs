//! For who may not see a record it does not exist: one answer for what is not his, for what has left, and for what never was.

use heliu_api::status::CallRefusal;
use heliu_api::{administration as adm, operations as ops, records as rec};
use heliu_record::id::RecordId;
use heliu_replication::{Alarm, Severity};
use heliu_trust::signature::Signer as _;
use prost::Message;

use super::matrix::Caller;
use super::world::{County, OTHER_VILLAGE, TOWNSHIP, VILLAGE, key, made, request, until};
use crate::access::{Grant, Role};

const NEVER: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
const SECRET: &str = "机要";

/// Every call and argument that takes the id of a record, with what it is called here.
fn naming(id: &str, own: &str) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let (records, operations) = ("/heliu.records.v1.RecordsService/", "/heliu.operations.v1.OperationsService/");
    let text = || id.to_owned();
    let execute = |command: &str, subject: &str, arguments: &[(&str, &str)]| {
        let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (command, subject) = (command.to_owned(), subject.to_owned());
        rec::ExecuteRequest { command, subject, arguments, ..Default::default() }.encode_to_vec()
    };
    let rows: Vec<(&str, &str, Vec<u8>)> = vec![
        (records, "Get", rec::GetRequest { id: text(), ..Default::default() }.encode_to_vec()),
        (records, "History", rec::HistoryRequest { id: text(), ..Default::default() }.encode_to_vec()),
        (records, "Reveal", rec::RevealRequest { id: text(), ..Default::default() }.encode_to_vec()),
        (records, "List", rec::ListRequest { refers_to: text(), ..Default::default() }.encode_to_vec()),
        (records, "Execute", execute("record.set", id, &[("field", "name"), ("value", "甲")])),
        (records, "Execute", execute("record.set", own, &[("field", "parent_org"), ("value", id)])),
        (records, "Execute", execute("org.set_parent", own, &[("parent_org", id)])),
        (records, "Execute", execute("org.co_build", own, &[("orgs", id)])),
        (records, "Execute", execute("org.dissolve", id, &[])),
        (records, "Execute", execute("conflict.settle", id, &[("conflict", NEVER), ("choice", "1")])),
        (
            operations,
            "ListConflicts",
            ops::ListConflictsRequest { record: text(), ..Default::default() }.encode_to_vec(),
        ),
        (
            "/heliu.administration.v1.AdministrationService/",
            "Erase",
            adm::EraseRequest { record: text(), ..Default::default() }.encode_to_vec(),
        ),
        (
            "/heliu.administration.v1.AdministrationService/",
            "GetReceipt",
            adm::GetReceiptRequest { record: text() }.encode_to_vec(),
        ),
    ];
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_his_what_has_left_and_what_never_was_are_one_to_a_clerk() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let found = async |seat: &str, name: &str| {
        let done = township.node.execute(request("org.create", None, &[("name", name), ("seat", seat)])).await;
        made(&done.expect("a superior may"))
    };
    let own = found(VILLAGE, "甲村支部").await.to_string();
    let there = found(OTHER_VILLAGE, "乙村支部").await;
    let of = [("name", "机要党员二"), ("branch", &*there.to_string())];
    let theirs = made(&township.node.execute(request("member.register", None, &of)).await.expect("it may"));
    // A person of the village that has moved to the other.
    let of = [("name", "机要党员"), ("branch", own.as_str())];
    let gone = made(&township.node.execute(request("member.register", None, &of)).await.expect("it may"));
    let to = there.to_string();
    township.node.execute(request("member.reassign", Some(gone), &[("to_org", &to)])).await.expect("it may");
    let row = township.store.record(gone).await.expect("it reads").expect("it is here");
    assert!(row.scope.owners.len() == 1 && row.preimage.birth != row.scope.owners.first().copied().expect("one"));

    let grant = Grant { roles: Role::ALL.to_vec(), seats: vec![VILLAGE.to_owned()], ..Grant::default() };
    let token = seats.token(TOWNSHIP, township.address(), grant).0.to_string();
    let caller = Caller::of(&seats, &township).await;
    let schema = "/heliu.records.v1.RecordsService/GetSchema";
    until("the token is known", async || caller.call(schema, Some(&token), Vec::new()).await.is_ok()).await;

    // By the whole id and by a beginning of it; what is said is the same but for the id that was typed.
    let ask = async |id: &str| {
        let mut said = Vec::new();
        for (service, method, asked) in naming(id, &own) {
            let answer = caller.call(&format!("{service}{method}"), Some(&token), asked).await;
            said.push(match answer {
                Ok(bytes) => format!("{method}: {}", String::from_utf8_lossy(&bytes)),
                Err(status) => {
                    let refusal = CallRefusal::of(&status);
                    format!(
                        "{method}: {:?} {} {:?} {refusal:?}",
                        status.code(),
                        status.message(),
                        status.details().len()
                    )
                }
            });
        }
        said
    };
    for digits in [64, 20, 8] {
        let never = ask(&NEVER[..digits]).await;
        assert!(never.iter().filter(|said| said.contains("not_here")).count() >= 9, "{never:#?}");
        for hidden in [theirs, gone] {
            let id = hidden.to_string();
            let said = ask(&id[..digits]).await;
            for (said, wanted) in said.iter().zip(&never) {
                let same = said.replace(&id[..digits], &NEVER[..digits]).replace(&id[..8], &NEVER[..8]);
                assert_eq!(&same, wanted, "of {digits} digits");
                assert!(!said.contains(SECRET) && (digits == 64 || !said.contains(&id)), "{said}");
            }
        }
    }
    // Who may see them is told.
    let whole = Grant { roles: Role::ALL.to_vec(), ..Grant::default() };
    let whole = seats.token(TOWNSHIP, township.address(), whole).0.to_string();
    let get = rec::GetRequest { id: theirs.to_string()[..8].to_owned(), ..Default::default() }.encode_to_vec();
    let path = "/heliu.records.v1.RecordsService/Get";
    until("the other token is known", async || caller.call(path, Some(&whole), get.clone()).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_and_their_cursors_name_nothing_that_is_not_shown() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let ask = async |command: &str, arguments: &[(&str, &str)]| {
        made(&township.node.execute(request(command, None, arguments)).await.expect("a superior may"))
    };
    let own = ask("org.create", &[("name", "甲村支部"), ("seat", VILLAGE)]).await.to_string();
    let other = ask("org.create", &[("name", "乙村支部"), ("seat", OTHER_VILLAGE)]).await.to_string();
    let mut theirs: Vec<RecordId> = Vec::new();
    for n in 0..12 {
        let (branch, name) = if n % 3 == 0 { (&own, "甲") } else { (&other, SECRET) };
        let id = ask("member.register", &[("name", name), ("branch", branch)]).await;
        theirs.extend((name == SECRET).then_some(id));
    }
    let grant = Grant { roles: Role::ALL.to_vec(), seats: vec![VILLAGE.to_owned()], ..Grant::default() };
    let token = seats.token(TOWNSHIP, township.address(), grant).0.to_string();
    let caller = Caller::of(&seats, &township).await;
    let path = "/heliu.records.v1.RecordsService/List";
    until("the token is known", async || caller.call(path, Some(&token), Vec::new()).await.is_ok()).await;
    let (mut after, mut seen) = (String::new(), 0);
    loop {
        let asked = rec::ListRequest { kind: "member".to_owned(), limit: 1, after, ..Default::default() };
        let asked = asked.encode_to_vec();
        let bytes = caller.call(path, Some(&token), asked).await.expect("it may");
        let page = rec::ListResponse::decode(&*bytes).expect("a page");
        let said = format!("{page:?}");
        assert!(!said.contains(SECRET) && theirs.iter().all(|id| !said.contains(&id.to_string())), "{said}");
        seen += page.records.len();
        if page.next.is_empty() {
            break;
        }
        after = page.next;
    }
    assert_eq!(seen, 4);
    // The audit log has fourteen entries, of which five are for this token; how many there are is not told.
    let asked = adm::ListAuditRequest { after: 0, limit: 2 }.encode_to_vec();
    let path = "/heliu.administration.v1.AdministrationService/ListAudit";
    let first = caller.call(path, Some(&token), asked).await.expect("it may");
    let first = adm::ListAuditResponse::decode(&*first).expect("a page");
    assert_eq!((first.entries.len(), first.length), (2, 6), "the third is the sixth: there is more");
    let asked = adm::ListAuditRequest { after: 6, limit: 2 }.encode_to_vec();
    let rest = caller.call(path, Some(&token), asked).await.expect("it may");
    let rest = adm::ListAuditResponse::decode(&*rest).expect("a page");
    assert_eq!((rest.entries.len(), rest.entries[1].seq, rest.length), (2, 12, 12));
}

/// A conflict of a record that is shown may be about the name of one that is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_that_is_shown_does_not_name_what_is_not() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let branch = [("name", "机要支部"), ("seat", OTHER_VILLAGE)];
    let branch = made(&township.node.execute(request("org.create", None, &branch)).await.expect("it may"));
    let home = branch.to_string();
    let of = [("name", "甲"), ("branch", home.as_str()), ("seat", VILLAGE)];
    let person = made(&township.node.execute(request("member.register", None, &of)).await.expect("it may"));
    township
        .node
        .execute(request("org.dissolve", Some(branch), &[("effective_on", "2020-01-01")]))
        .await
        .expect("it may");
    let list = ops::ListConflictsRequest { record: person.to_string(), ..Default::default() }.encode_to_vec();
    let path = "/heliu.operations.v1.OperationsService/ListConflicts";
    let caller = Caller::of(&seats, &township).await;
    for (kinds, is_named) in [(&["member", "org"][..], true), (&["member"], false)] {
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let grant = Grant { roles: Role::ALL.to_vec(), seats: vec![VILLAGE.to_owned()], kinds, ..Grant::default() };
        let token = seats.token(TOWNSHIP, township.address(), grant).0.to_string();
        until("the token is known", async || caller.call(path, Some(&token), list.clone()).await.is_ok()).await;
        let bytes = caller.call(path, Some(&token), list.clone()).await.expect("it may");
        let listed = ops::ListConflictsResponse::decode(&*bytes).expect("a page").conflicts;
        let [conflict] = &listed[..] else { panic!("{listed:?}") };
        let said = conflict.explanation.clone().expect("it says something");
        assert_eq!((said.zh.contains(SECRET), said.zh.is_empty()), (is_named, false), "{said:?}");
        let id = conflict.id.clone();
        let get = ops::GetConflictRequest { id, ..Default::default() }.encode_to_vec();
        let path = "/heliu.operations.v1.OperationsService/GetConflict";
        let whole = String::from_utf8_lossy(&caller.call(path, Some(&token), get).await.expect("it may")).into_owned();
        assert_eq!(whole.contains(SECRET), is_named, "{whole}");
    }
}

/// An organisation is for everybody to see, and its owner's and his superiors' to change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_limited_to_a_village_finds_every_organisation_and_changes_only_its_own() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let mut made_here = Vec::new();
    for (seat, name) in [(VILLAGE, "甲村支部"), (OTHER_VILLAGE, "乙村支部")] {
        let asked = request("org.create", None, &[("name", name), ("seat", seat)]);
        let org = made(&township.node.execute(asked).await.expect("a superior may"));
        let asked = request("record.set", Some(org), &[("field", "contact_duty"), ("value", "机要室")]);
        township.node.execute(asked).await.expect("a superior may");
        made_here.push(org.to_string());
    }
    let grant = Grant { roles: Role::ALL.to_vec(), seats: vec![VILLAGE.to_owned()], ..Grant::default() };
    let token = seats.token(TOWNSHIP, township.address(), grant).0.to_string();
    let caller = Caller::of(&seats, &township).await;
    let records = |method: &str| format!("/heliu.records.v1.RecordsService/{method}");
    let schema = records("GetSchema");
    until("the token is known", async || caller.call(&schema, Some(&token), Vec::new()).await.is_ok()).await;
    let kind = |kind: &str| rec::QueryRequest { kind: kind.to_owned(), ..Default::default() }.encode_to_vec();
    let query = async |asked: Vec<u8>| {
        let bytes = caller.call(&records("Query"), Some(&token), asked).await.expect("it may");
        let found = rec::QueryResponse::decode(&*bytes).expect("an answer");
        (found.total, found.records.iter().map(|record| record.id.clone()).collect::<Vec<_>>())
    };
    until("the store has listed them", async || query(kind("org")).await.0 == 2).await;
    assert_eq!(query(kind("org")).await.1, made_here, "in the order of their names");
    let there = rec::QueryRequest { kind: "org".to_owned(), at: OTHER_VILLAGE.to_owned(), ..Default::default() };
    assert_eq!(query(there.encode_to_vec()).await.1, made_here[1..]);
    assert_eq!(query(kind("org_file")).await.0, 1, "of files its own alone");
    let get = rec::GetRequest { id: made_here[1].clone(), ..Default::default() }.encode_to_vec();
    let shown = caller.call(&records("Get"), Some(&token), get).await.expect("it is public");
    assert!(!String::from_utf8_lossy(&shown).contains(SECRET));
    for (id, reason) in [(&made_here[0], ""), (&made_here[1], "out_of_scope")] {
        let arguments = [("field", "name"), ("value", "丙村支部")];
        let arguments = arguments.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        let (command, subject) = ("record.set".to_owned(), id.clone());
        let asked = rec::ExecuteRequest { command, subject, arguments, ..Default::default() }.encode_to_vec();
        let said = caller.call(&records("Execute"), Some(&token), asked).await;
        assert_eq!(
            said.err().map_or_else(String::new, |status| CallRefusal::of(&status).expect("a reason").reason),
            reason
        );
        let erase = adm::EraseRequest { record: id.clone(), ..Default::default() }.encode_to_vec();
        let erase = caller.call("/heliu.administration.v1.AdministrationService/Erase", Some(&token), erase).await;
        assert_eq!(
            erase.err().map_or_else(String::new, |status| CallRefusal::of(&status).expect("a reason").reason),
            reason
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alarms_and_entries_about_a_node_are_for_its_seat_and_those_above() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let directory = township.node.directory();
    let sight = |code: &str| {
        let grant = Grant { roles: Role::ALL.to_vec(), seats: vec![code.to_owned()], ..Grant::default() };
        let (token, _) = seats.token(TOWNSHIP, township.address(), grant);
        let entries = crate::access::list(&seats.files(TOWNSHIP).access).expect("it reads");
        let entry = entries.into_iter().find(|entry| entry.id == token.id).expect("it is there");
        crate::access::Caller::with(std::sync::Arc::new(entry))
    };
    let reach = |code: &str| {
        let mut asked = tonic::Request::new(());
        asked.extensions_mut().insert(sight(code));
        crate::server::scope::Reach::of(&asked, &township.node, &*township.store).expect("a caller")
    };
    let alarm = |subject: String| Alarm {
        code: "twin",
        severity: Severity::Warning,
        what: heliu_record::conflict::Explanation::new("", ""),
        next: heliu_record::conflict::Explanation::new("", ""),
        subject,
        at_ms: 0,
    };
    let village = directory.seats().by_code(VILLAGE).expect("a seat").id;
    let about = [
        alarm(key(VILLAGE).node().to_string()),
        alarm(village.to_string()),
        alarm(format!("{village}/{}", key(VILLAGE).node())),
    ];
    for alarm in &about {
        let shown = [TOWNSHIP, VILLAGE, OTHER_VILLAGE].map(|code| reach(code).has_named(&alarm.subject));
        assert_eq!(shown, [true, true, false], "{alarm:?}");
    }
    for subject in ["", "7", "127.0.0.1:7340"] {
        let shown = [TOWNSHIP, VILLAGE].map(|code| reach(code).has_named(subject));
        assert_eq!(shown, [true, false], "what is of no seat is for operators: {subject:?}");
    }
}
