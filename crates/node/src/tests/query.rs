//! People who look for records, count them and page through them: by what they say, and never beyond what they are shown.

use heliu_client::Client;
use heliu_client::records::{Condition, Group, QueryRequest, QueryResponse};
use heliu_record::id::RecordId;

use super::world::{COUNTY, County, OTHER_VILLAGE, Place, TOWNSHIP, VILLAGE, made, request, until};
use crate::access::{Grant, Role};
use crate::status::Outcome;

async fn client(seats: &County, place: &Place, of: &[&str], kinds: &[&str]) -> Client {
    let of = of.iter().map(|code| (*code).to_owned()).collect();
    let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    let grant = Grant { name: "clerk".to_owned(), roles: vec![Role::Read], seats: of, kinds, ..Grant::default() };
    let client = Client::open(&seats.token(TOWNSHIP, place.address(), grant).1).await.expect("it listens");
    until("the token is known", async || client.schema().await.is_ok()).await;
    client
}

fn members(text: &str) -> QueryRequest {
    QueryRequest { kind: "member".to_owned(), text: text.to_owned(), ..QueryRequest::default() }
}

fn is(field: &str, value: &str) -> Condition {
    Condition { field: field.to_owned(), any_of: vec![value.to_owned()], ..Condition::default() }
}

fn names(found: &QueryResponse) -> Vec<String> {
    let name = |json: &str| {
        serde_json::from_str::<serde_json::Value>(json).expect("a view")["name"].as_str().map(str::to_owned)
    };
    found.records.iter().filter_map(|record| name(&record.view_json)).collect()
}

/// Two branches of two villages at the node of their township, with people in them.
async fn register(township: &Place) -> [RecordId; 2] {
    let mut branches = Vec::new();
    for (seat, branch, people) in [
        (VILLAGE, "康屯村党支部", &["张伟", "李明", "张伟明"][..]),
        (OTHER_VILLAGE, "机要村党支部", &["张机要", "王机要"]),
    ] {
        let done = township.node.execute(request("org.create", None, &[("name", branch), ("seat", seat)])).await;
        let id = made(&done.expect("a superior may"));
        for (name, number) in people.iter().zip(1..) {
            let (of, number) = (id.to_string(), format!("{seat}-{number}"));
            let said = [
                ("name", *name),
                ("branch", &of),
                ("member_no", &number),
                ("stage", "full"),
                ("joined_on", "2001-07-01"),
            ];
            township.node.execute(request("member.register", None, &said)).await.expect("it may");
        }
        branches.push(id);
    }
    branches.try_into().expect("two")
}

/// Three nodes in a row; of the other village's branch the village has heard only that there is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_village_finds_a_branch_of_which_it_has_only_the_public_record_and_moves_a_person_to_it() {
    let seats = County::new();
    let county = seats.start(COUNTY, &[]).await;
    let township = seats.start(TOWNSHIP, &[county.address()]).await;
    let village = seats.start(VILLAGE, &[township.address()]).await;
    let ask = async |place: &Place, command: &str, subject: Option<RecordId>, said: &[(&str, &str)]| {
        place.node.execute(request(command, subject, said)).await.expect("it may")
    };
    let found = [("name", "乙村党支部"), ("seat", OTHER_VILLAGE)];
    let theirs = made(&ask(&county, "org.create", None, &found).await);
    let noted = [("field", "contact_duty"), ("value", "乙村值班室")];
    let file = ask(&county, "record.set", Some(theirs), &noted).await.done.affected[0];
    let own = made(&ask(&village, "org.create", None, &[("name", "甲村党支部")]).await).to_string();
    let person = made(&ask(&village, "member.register", None, &[("name", "甲"), ("branch", &own)]).await);
    village.has(theirs).await;
    township.has(file).await;
    let verified = village.node.verify("", std::time::Duration::from_secs(60)).await.expect("it answers");
    assert!(verified.iter().all(|link| link.outcome == Outcome::Equal), "{verified:?}");
    assert!(village.store.record(file).await.expect("it reads").is_none(), "the file is not for this village");

    let clerk = seats.client(VILLAGE, &village).await;
    let orgs = QueryRequest { kind: "org".to_owned(), ..QueryRequest::default() };
    assert_eq!(names(&clerk.query(orgs).await.expect("an answer")), ["甲村党支部", "乙村党支部"]);
    let called =
        QueryRequest { kind: "org".to_owned(), r#where: vec![is("name", "乙村党支部")], ..Default::default() };
    let [branch] = &clerk.query(called).await.expect("an answer").records[..] else { panic!("one of that name") };
    ask(&village, "member.transfer.propose", Some(person), &[("to_org", &branch.id)]).await;
    until("the township has heard of it", async || {
        let issued = request("member.transfer.issue", Some(person), &[]);
        township.node.execute(issued).await.is_ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clerk_finds_people_by_any_part_of_a_name_its_pinyin_and_its_initials_and_counts_them() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let [branch, _] = register(&township).await;
    let clerk = client(&seats, &township, &[], &[]).await;
    for (text, expected) in [
        ("伟明", &["张伟明"][..]),
        ("zhang", &["张机要", "张伟", "张伟明"]),
        ("zwm", &["张伟明"]),
        ("机要", &["王机要", "张机要"]),
        (&format!("{VILLAGE}-1"), &["张伟"]),
        ("赵", &[]),
    ] {
        let found = clerk.query(members(text)).await.expect("it reads");
        let expected: Vec<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!((names(&found), found.total), (expected.clone(), expected.len() as u64), "{text}");
    }
    let home = QueryRequest { r#where: vec![is("effective_home", &branch.to_string())], ..members("") };
    assert_eq!(names(&clerk.query(home.clone()).await.expect("it reads")), ["李明", "张伟", "张伟明"]);
    let down = QueryRequest { order_by: "姓名".to_owned(), descending: true, limit: 2, ..home };
    let first = clerk.query(down.clone()).await.expect("it reads");
    let next = clerk.query(QueryRequest { after: first.next.clone(), ..down }).await.expect("it reads");
    assert_eq!((names(&first), names(&next)), (vec!["张伟明".into(), "张伟".into()], vec!["李明".into()]));
    assert_eq!((first.total, next.total, next.next.as_str()), (3, 3, ""));
    let counted = QueryRequest { group_by: vec!["seat".into(), "阶段".into()], count_only: true, ..members("") };
    let refused = clerk.query(counted.clone()).await.expect_err("there is no such field");
    assert!(refused.to_string().contains("stage"), "{refused}");
    let counted = clerk.query(QueryRequest { group_by: vec!["seat".into(), "发展阶段".into()], ..counted }).await;
    let counted = counted.expect("it reads");
    let groups: Vec<(usize, &str, u64)> =
        counted.groups.iter().map(|Group { values, count }| (values.len(), values[1].as_str(), *count)).collect();
    assert!(
        counted.records.is_empty() && groups.len() == 2 && groups.iter().map(|group| group.2).sum::<u64>() == 5,
        "{groups:?}"
    );
    let at = QueryRequest { at: OTHER_VILLAGE.to_owned(), ..members("") };
    assert_eq!(clerk.query(at).await.expect("it reads").total, 2);
    let since = Condition { field: "joined_on".into(), from: "2001-07-02".into(), ..Condition::default() };
    assert_eq!(clerk.query(QueryRequest { r#where: vec![since], ..members("") }).await.expect("it reads").total, 0);
    let full = QueryRequest { r#where: vec![is("发展阶段", "正式党员")], ..members("") };
    assert_eq!(clerk.query(full).await.expect("it reads").total, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_for_a_village_or_a_kind_gets_neither_rows_nor_counts_beyond_it() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let [_, theirs] = register(&township).await;
    let clerk = client(&seats, &township, &[VILLAGE], &["member"]).await;
    let all = QueryRequest { group_by: vec!["seat".into()], ..QueryRequest::default() };
    let seen = clerk.query(all.clone()).await.expect("it reads");
    assert_eq!(
        (names(&seen), seen.total, seen.groups.len()),
        (vec!["李明".into(), "张伟".into(), "张伟明".into()], 3, 1)
    );
    let org = |text: &str| QueryRequest { kind: "org".into(), ..members(text) };
    let of_home = QueryRequest { r#where: vec![is("effective_home", &theirs.to_string())], ..members("") };
    for asked in [
        members("机要"),
        members("jiyao"),
        org(""),
        of_home,
        QueryRequest { at: OTHER_VILLAGE.into(), ..members("") },
        QueryRequest { at: OTHER_VILLAGE.into(), ..all.clone() },
    ] {
        assert_eq!(clerk.query(asked.clone()).await.expect("it reads"), QueryResponse::default(), "{asked:?}");
    }
    let at = clerk.query(QueryRequest { at: TOWNSHIP.into(), ..members("") }).await.expect("it reads");
    assert_eq!(at.total, 3, "of what is below a seat, what is shown");
    // Page by page, no cursor names what is not shown.
    let (mut after, mut pages) = (String::new(), 0);
    loop {
        let page = clerk.query(QueryRequest { after, limit: 1, ..all.clone() }).await.expect("it reads");
        after = page.next.clone();
        pages += 1;
        assert!(page.total == 3 && (after.is_empty() || after.starts_with(&page.records[0].id)), "{page:?}");
        if after.is_empty() {
            break;
        }
    }
    assert_eq!(pages, 3);

    // Somebody moves away, and somebody comes.
    let [moved, came] = [("张伟明", theirs), ("张机要", seen_branch(&clerk).await)];
    let whole = client(&seats, &township, &[], &[]).await;
    for (name, to) in [moved, came] {
        let id = whole.query(members(name)).await.expect("it reads").records[0].id.parse().expect("an id");
        let to = to.to_string();
        township.node.execute(request("member.reassign", Some(id), &[("to_org", &to)])).await.expect("it may");
    }
    let now = clerk.query(members("")).await.expect("it reads");
    assert_eq!((names(&now), now.total), (vec!["李明".into(), "张机要".into(), "张伟".into()], 3));
}

/// The branch of whom this clerk sees.
async fn seen_branch(clerk: &Client) -> RecordId {
    let seen = clerk.query(members("李明")).await.expect("it reads");
    let view: serde_json::Value = serde_json::from_str(&seen.records[0].view_json).expect("a view");
    view["effective_home"].as_str().expect("a home").parse().expect("an id")
}
