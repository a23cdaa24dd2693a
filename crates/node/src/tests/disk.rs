//! A store that takes no writes: commands are refused with the reason, reads go on, and it recovers by itself.

use heliu_storage::StoreError;

use super::world::{County, Place, TOWNSHIP, VILLAGE, create, memory, until};
use crate::ExecuteError;
use crate::status::LinkState;

fn full() -> StoreError {
    StoreError::Full { path: "/var/lib/heliu".to_owned() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_disk_is_full_nothing_is_taken_and_afterwards_everything_is() {
    let seats = County::new();
    let township = seats.start(TOWNSHIP, &[]).await;
    let village = seats.start(VILLAGE, &[township.address()]).await;
    let before = village.found("甲村党支部").await;
    village.is_live().await;

    village.store.fail(Some(full()));
    let refused = village.node.execute(create("乙")).await.expect_err("the disk is full");
    assert!(matches!(&refused, ExecuteError::StoreFailed(StoreError::Full { .. })), "{refused}");
    until("it says that it is read-only", async || {
        village
            .node
            .status()
            .await
            .expect("it answers")
            .read_only
            .is_some_and(|why| why.to_string().contains("/var/lib/heliu"))
    })
    .await;
    assert!(village.view(before).await.is_some(), "reads go on");
    let refused = village.node.execute(create("丙")).await.expect_err("still full");
    assert!(matches!(refused, ExecuteError::StoreFailed(_)), "{refused}");
    assert_ne!(village.link().await.state, LinkState::Live);

    village.store.fail(None);
    until("it takes commands again", async || village.node.execute(create("丁")).await.is_ok()).await;
    let after = village.found("戊村党支部").await;
    township.has(after).await;
    assert_eq!(village.node.status().await.expect("it answers").read_only, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_fails_is_refused_as_a_whole_and_can_be_repeated() {
    let seats = County::new();
    let village = Place::start(seats.options(VILLAGE, &[]), memory(VILLAGE)).await;
    let request = create("甲村党支部");
    village.store.fail_next(full());
    assert!(village.node.execute(request.clone()).await.is_err());
    until("it is carried out at last", async || village.node.execute(request.clone()).await.is_ok()).await;
    let again = village.node.execute(request).await.expect("the answer of before");
    assert!(again.done.again);
    assert_eq!(village.node.status().await.expect("it answers").counts.records, 1);
}
