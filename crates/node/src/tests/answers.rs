//! Answers are true: an answer belongs to the question it is given to.

use heliu_record::command::Request;

use super::world::{COUNTY, County, Place, VILLAGE, create, made, memory, request};
use crate::options::Upstream;
use crate::{ExecuteError, NodeHandle};

/// The code with which a command is refused; none if it was carried out or answered again.
async fn refused(node: &NodeHandle, request: Request) -> Option<&'static str> {
    match node.execute(request).await {
        Ok(_) => None,
        Err(ExecuteError::Refused(refusal)) => Some(refusal.code),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_id_that_is_used_again_for_something_else_is_refused_and_nothing_is_written() {
    let seats = County::new();
    let village = seats.start(VILLAGE, &[]).await;
    let (branch, other) = (village.found("甲村党支部").await, village.found("乙村党支部").await);
    let text = branch.to_string();
    let register = request("member.register", None, &[("name", "王红"), ("branch", &text), ("contact", "13800001234")]);
    let rename = request("record.set", Some(branch), &[("field", "name"), ("value", "甲村总支")]);
    let member = made(&village.node.execute(register.clone()).await.expect("it is carried out"));
    village.node.execute(rename.clone()).await.expect("it is carried out");

    let with = |request: &Request, name: &str, value: &str| {
        let mut request = request.clone();
        request.arguments.insert(name.to_owned(), value.to_owned());
        request
    };
    let others = [
        with(&register, "contact", "13900005678"),
        with(&register, "name", "李明"),
        with(&register, "gender", "female"),
        with(&rename, "value", "丙村总支"),
        Request { subject: Some(other), ..rename.clone() },
        Request { id: register.id, ..create("丁村党支部") },
        Request { id: rename.id, ..register.clone() },
    ];
    let head = village.store.meta().await.expect("it reads").head;
    let ask_all = async |village: &Place| {
        for other in &others {
            assert_eq!(refused(&village.node, other.clone()).await, Some("command_id_reused"), "{other:?}");
        }
        let again = village.node.execute(register.clone()).await.expect("the answer of before");
        assert!(again.done.again && made(&again) == member);
        let colleague = Request { who: "colleague".to_owned(), reason: String::new(), ..rename.clone() };
        assert!(village.node.execute(colleague).await.expect("he asks for the same").done.again);
        assert_eq!(village.store.meta().await.expect("it reads").head, head, "nothing was written");
    };
    ask_all(&village).await;
    // A process that begins again knows it too, from its store.
    let store = village.stop().await;
    ask_all(&Place::start(seats.options(VILLAGE, &[]), store).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_commands_of_one_id_that_come_together_are_not_one() {
    let seats = County::new();
    let village = seats.start(VILLAGE, &[]).await;
    let first = create("甲村党支部");
    let second = Request { id: first.id, ..create("乙村党支部") };
    let (first, second) = tokio::join!(refused(&village.node, first), refused(&village.node, second));
    let mut codes = [first, second];
    codes.sort_unstable();
    assert_eq!(codes, [None, Some("command_id_reused")]);
    assert_eq!(village.node.status().await.expect("it answers").counts.records, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_tells_a_command_that_comes_again_from_another_one_with_its_id() {
    let seats = County::new();
    let county = seats.start(COUNTY, &[]).await;
    let mut options = seats.options("mirror", &[]);
    options.peers = vec![Upstream::at([county.address().to_string()])];
    let mirror = Place::start(options, memory("mirror")).await;
    let first = create("县委");
    let record = made(&county.node.execute(first.clone()).await.expect("it is carried out"));
    mirror.has(record).await;
    county.stop().await;
    let other = Request { id: first.id, ..create("县工委") };
    assert_eq!(refused(&mirror.node, first).await, Some("already_made"));
    assert_eq!(refused(&mirror.node, other).await, Some("command_id_reused"));
}
