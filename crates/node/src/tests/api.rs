//! The gRPC services, asked as other programs ask them: through the client.

use std::collections::BTreeSet;
use std::time::Duration;

use heliu_client::operations::{LinkState, ListConflictsRequest, ListQuarantineRequest, ListStrandedRequest, Outcome};
use heliu_client::records::{
    ChangeStatus, Condition, ExecuteRequest, ExecuteResponse, HistoryRequest, ListRequest, QueryRequest,
};
use heliu_record::id::RecordId;

use super::world::{County, TOWNSHIP, VILLAGE, until};

fn command(name: &str, subject: &str, arguments: &[(&str, &str)]) -> ExecuteRequest {
    ExecuteRequest {
        command: name.to_owned(),
        subject: subject.to_owned(),
        arguments: arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        who: "clerk".to_owned(),
        reason: "a test".to_owned(),
        ..ExecuteRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trial_says_what_would_change_an_undo_takes_the_last_command_back_and_the_history_tells_both() {
    let seats = County::new();
    let village = seats.start(VILLAGE, &[]).await;
    let client = seats.client(VILLAGE, &village).await;
    let made = client.execute(command("org.create", "", &[("name", "甲村党支部")])).await.expect("it is made");
    let id = made.created[0].clone();
    let name = [("field", "name"), ("value", "甲村总支")];
    let trial = ExecuteRequest { dry_run: true, ..command("record.set", &id, &name) };
    let preview = client.execute(trial).await.expect("it would be carried out").preview.expect("it says what of");
    let [one] = &preview.records[..] else { panic!("{preview:?}") };
    assert_eq!((&*one.before_json, &*one.after_json), (r#"{"name":"甲村党支部"}"#, r#"{"name":"甲村总支"}"#));
    assert_eq!((&*one.name, one.made, preview.opens.len()), ("甲村总支", false, 0));
    assert!(client.get(&id).await.expect("it is here").view_json.contains("甲村党支部"), "nothing was written");

    client.execute(command("record.set", &id, &name)).await.expect("done");
    client
        .execute(ExecuteRequest {
            who: "another".to_owned(),
            ..command("record.set", &id, &[("field", "aliases"), ("value", "x")])
        })
        .await
        .expect_err("a set is added to");
    let mut undo = command("record.undo", "", &[]);
    undo.command_id = "cd".repeat(16);
    let tried = client.execute(ExecuteRequest { dry_run: true, ..undo.clone() }).await.expect("it would be undone");
    assert!(tried.preview.expect("it says what of").records[0].after_json.contains("甲村党支部"));
    let done = client.execute(undo.clone()).await.expect("it is undone");
    assert_eq!((done.affected.clone(), done.repeated), (vec![id.clone()], false));
    let again = client.execute(undo).await.expect("the answer of before");
    assert!(again.repeated, "an undo that is asked for again has no second effect");
    assert!(client.get(&id).await.expect("it is here").view_json.contains("甲村党支部"));

    let foreign = ExecuteRequest { who: "another".to_owned(), ..command("record.undo", "", &[]) };
    assert_eq!(client.execute(foreign).await.expect_err("he did nothing").reason(), "not_here");
    let named =
        ExecuteRequest { who: "another".to_owned(), ..command("record.undo", "", &[("command", &made.command_id)]) };
    assert_eq!(client.execute(named).await.expect_err("it is not his").reason(), "undo_not_own");
    let own = command("record.undo", "", &[("command", &made.command_id)]);
    assert_eq!(client.execute(own).await.expect_err("it made the record").reason(), "undo_made");

    let history = client.history(HistoryRequest { id, ..HistoryRequest::default() }).await.expect("it has one");
    let text = |value: &heliu_client::records::Value| format!("{:?}", value.value);
    let told: Vec<(String, Vec<String>)> = history
        .changes
        .iter()
        .skip(1)
        .map(|change| {
            let put = &change.puts[0];
            (put.value.as_ref().map(text).unwrap_or_default(), put.replaced.iter().map(text).collect())
        })
        .collect();
    assert!(told[0].0.contains("甲村总支") && told[0].1[0].contains("甲村党支部"), "{told:?}");
    assert!(told[1].0.contains("甲村党支部") && told[1].1[0].contains("甲村总支"), "{told:?}");
    assert_eq!(history.changes[2].command, "record.undo");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_writes_reads_pages_and_asks_for_the_history() {
    let seats = County::new();
    let village = seats.start(VILLAGE, &[]).await;
    let client = seats.client(VILLAGE, &village).await;
    let mut asked = command("org.create", "", &[("name", "甲村党支部")]);
    asked.command_id = "ab".repeat(16);
    let done = client.execute(asked.clone()).await.expect("it is carried out");
    let id = done.created[0].clone();
    assert_eq!((done.affected.clone(), done.commits.len(), done.repeated), (vec![id.clone()], 1, false));
    let again = client.execute(asked).await.expect("the answer of before");
    assert_eq!(again, ExecuteResponse { repeated: true, ..done });

    client.execute(command("record.set", &id[..8], &[("field", "name"), ("value", "甲村总支")])).await.expect("done");
    let record = client.get(&id[..10]).await.expect("it is there");
    assert!(record.view_json.contains("甲村总支") && record.leaves == 2, "{record:?}");
    assert_eq!(record.owners[0].code, VILLAGE);

    let first = client.history(HistoryRequest { id: id.clone(), limit: 1, ..HistoryRequest::default() }).await;
    let first = first.expect("it has one");
    assert_eq!((first.changes.len(), first.id == id, first.next.is_empty()), (1, true, false));
    let rest = HistoryRequest { id: id.clone(), after: first.next, ..HistoryRequest::default() };
    let rest = client.history(rest).await.expect("it goes on");
    let [change] = &rest.changes[..] else { panic!("{rest:?}") };
    assert_eq!(
        (change.who.as_str(), change.command.as_str(), change.reason.as_str()),
        ("clerk", "record.set", "a test")
    );
    assert_eq!((change.status(), change.puts[0].key.as_str()), (ChangeStatus::Admitted, "name"));
    assert_eq!(change.author_seat.as_ref().map(|seat| seat.code.as_str()), Some(VILLAGE));
    assert!(rest.next.is_empty());

    for n in 0..5 {
        client.execute(command("org.create", "", &[("name", &format!("支部{n}"))])).await.expect("done");
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = ListRequest { kind: "org".to_owned(), limit: 4, after, ..ListRequest::default() };
        let page = client.list(page).await.expect("a page");
        seen.extend(page.records.into_iter().map(|record| record.id));
        after = page.next;
        if after.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 6);
    assert!(seen.is_sorted());
    // Those alone come that are called so, or whose seat it is; how many others there are does not matter.
    let saying = async |field: &str, texts: &[&str]| {
        let any_of = texts.iter().map(|text| (*text).to_owned()).collect();
        let condition = Condition { field: field.to_owned(), any_of, ..Condition::default() };
        let asked = QueryRequest { kind: "org".to_owned(), r#where: vec![condition], ..QueryRequest::default() };
        let page = client.query(asked).await?;
        let names = page.records.iter().map(|record| {
            let view: serde_json::Value = serde_json::from_str(&record.view_json).expect("it is JSON");
            view["name"].as_str().unwrap_or_default().to_owned()
        });
        Ok::<_, heliu_client::Error>(names.collect::<BTreeSet<String>>())
    };
    let two = saying("name", &["支部3", "支部1", "支部", "无此支部"]).await.expect("a page");
    assert_eq!(two, ["支部1", "支部3"].map(str::to_owned).into());
    assert_eq!(saying("seat", &[VILLAGE]).await.expect("a page").len(), 6, "by the code of the seat whose they are");
    assert!(saying("席位", &[TOWNSHIP, "无"]).await.expect("a page").is_empty());
    let refused = saying("name", &["甲"; 4_097]).await.expect_err("too many");
    assert_eq!(refused.field(), Some("where"));
    let seats = client.seats().await.expect("it has them");
    assert!(seats.len() == 4 && seats.iter().any(|seat| seat.code == VILLAGE && seat.tier == "village"), "{seats:?}");
    assert!(client.schema().await.expect("it has one").kinds.iter().any(|kind| kind.name == "org"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_commands_in_one_call_each_is_carried_out_or_refused_by_itself() {
    let seats = County::new();
    let village = seats.start(VILLAGE, &[]).await;
    let client = seats.client(VILLAGE, &village).await;
    let of = |n: usize| match n {
        3 => command("org.creat", "", &[]),
        n => ExecuteRequest {
            command_id: format!("{n:032x}"),
            ..command("org.create", "", &[("name", &format!("支部{n}"))])
        },
    };
    let outcomes = client.execute_each((0..5).map(of).collect()).await.expect("an answer to each");
    let refused = outcomes[3].as_ref().expect_err("there is no such command");
    assert_eq!(refused.reason(), "unknown_command");
    assert!(refused.explain().zh.contains("org.create") && refused.explain().en.contains("org.create"), "{refused}");
    for (n, done) in outcomes.iter().enumerate().filter(|(n, _)| *n != 3) {
        let made = client.get(&done.as_ref().expect("it is carried out").created[0]).await.expect("it is there");
        assert!(made.view_json.contains(&format!("支部{n}")), "in the order of the commands: {made:?}");
    }
    // After a lost answer.
    let again = client.execute_each((0..3).map(of).collect()).await.expect("the answers of before");
    assert!(again.iter().all(|done| done.as_ref().is_ok_and(|done| done.repeated)), "{again:?}");
    let too_many = client.execute_each(vec![of(1); 513]).await.expect_err("more than one call may have");
    assert_eq!((too_many.reason(), too_many.field()), ("too_many_commands", Some("commands")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_with_its_field() {
    let seats = County::new();
    let village = seats.start(VILLAGE, &[]).await;
    let client = seats.client(VILLAGE, &village).await;
    let refused = client.execute(command("org.creat", "", &[])).await.expect_err("no such command");
    assert_eq!(refused.reason(), "unknown_command");
    assert!(refused.explain().en.contains("org.create") && !refused.explain().zh.is_empty(), "{refused}");
    let unknown = client.get(&RecordId([9; 32]).to_string()).await.expect_err("no such record");
    assert_eq!((unknown.reason(), unknown.field()), ("not_here", Some("id")));
    assert_eq!(client.get("12").await.expect_err("too short").reason(), "bad_value");
    let mut asked = command("org.create", "", &[("name", "甲")]);
    asked.reason = "长".repeat(1_000);
    assert_eq!(client.execute(asked).await.expect_err("a note that no change can hold").reason(), "note_too_long");
    // Nothing of a kind that there is not would be read as: there is none.
    let unknown = ListRequest { kind: "branch".to_owned(), ..ListRequest::default() };
    let refused = client.list(unknown).await.expect_err("no such kind");
    assert!(refused.field() == Some("kind") && refused.explain().en.contains("alliance"), "{refused}");
    let unknown = ListConflictsRequest { kind: "multi_home".to_owned(), ..ListConflictsRequest::default() };
    let refused = client.conflicts(unknown).await.expect_err("no such kind");
    assert!(refused.field() == Some("kind") && refused.explain().en.contains("MULTI_HOME"), "{refused}");
    let page = ListRequest { after: "not a cursor".to_owned(), ..ListRequest::default() };
    assert_eq!(client.list(page).await.expect_err("no cursor").field(), Some("after"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_see_node_links_and_proof() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let village = seats.start(VILLAGE, &[township.address()]).await;
    village.found("甲村党支部").await;
    village.is_live().await;
    let client = seats.client(VILLAGE, &village).await;
    let status = client.status().await.expect("it answers");
    assert_eq!(status.seat.map(|seat| seat.code).as_deref(), Some(VILLAGE));
    assert_eq!((status.counts.map(|counts| counts.records), status.read_only), (Some(1), None));
    let verified = client.verify(TOWNSHIP, Duration::from_secs(60)).await.expect("it answers");
    assert_eq!((verified.len(), verified[0].outcome()), (1, Outcome::Equal), "{verified:?}");
    until("the link is live", async || {
        let links = client.links().await.expect("it answers");
        links[0].state() == LinkState::Live && links[0].verified_since_ms.is_some()
    })
    .await;
    let link = client.links().await.expect("it answers").remove(0);
    assert_eq!(link.peer_seat.map(|seat| seat.code).as_deref(), Some(TOWNSHIP));
    assert!(link.bytes_in > 0 && link.bytes_out > 0 && link.heard_ms.is_some() && link.connects == 1);
    assert!(client.quarantine(ListQuarantineRequest::default()).await.expect("it answers").items.is_empty());
    assert!(client.stranded(ListStrandedRequest::default()).await.expect("it answers").records.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conflicts_are_listed_and_shown_by_a_short_id() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let village = seats.start(VILLAGE, &[]).await;
    let record = village.found("甲村党支部").await;
    // Both write it apart from each other; then they meet.
    let store = village.stop().await;
    let at = township.address();
    let village = super::world::Place::start(seats.options(VILLAGE, &[at]), store).await;
    township.has(record).await;
    village.is_live().await;
    let store = village.stop().await;
    township.set(record, "name", "镇里的叫法").await.expect("done");
    let village = super::world::Place::start(seats.options(VILLAGE, &[]), store).await;
    village.set(record, "name", "村里的叫法").await.expect("done");
    let store = village.stop().await;
    let village = super::world::Place::start(seats.options(VILLAGE, &[at]), store).await;
    let client = seats.client(VILLAGE, &village).await;
    until("there is a conflict", async || {
        !client.conflicts(ListConflictsRequest::default()).await.expect("it answers").conflicts.is_empty()
    })
    .await;
    let listed = client.conflicts(ListConflictsRequest { record: record.to_string(), ..Default::default() }).await;
    let listed = listed.expect("it answers").conflicts.remove(0);
    assert_eq!((listed.values.len(), listed.body_json.as_str()), (2, ""));
    let shown = client.conflict(&listed.id[..9]).await.expect("it is open");
    assert!(shown.id == listed.id && shown.body_json.contains("村里的叫法"));
    assert_eq!(client.get(&record.to_string()).await.expect("it is there").conflicts, [listed.id]);
    assert_eq!(client.conflict("00000000").await.expect_err("none").reason(), "not_here");
}
