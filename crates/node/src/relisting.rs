//! Listing a store's records anew, where the program declares that something else is to be listed than is, or nobody vouches for
//! what is. Page by page beside all that goes on; until it is done, queries are refused.

use std::sync::Arc;
use std::time::{Duration, Instant};

use heliu_record::catalogue::Catalogue;
use heliu_record::listing::Cell;
use heliu_storage::{RecordRow, Relisted, Store, StoreError};
use tokio::sync::Notify;

use crate::life::Life;

/// Records of one transaction.
const PAGE: usize = 500;
/// After a store that took no writes.
const AGAIN: Duration = Duration::from_secs(5);

/// One page. Returns how far it has come.
pub(crate) async fn page(store: &dyn Store, catalogue: &'static Catalogue) -> Result<Relisted, StoreError> {
    let cells = |row: &RecordRow| -> Vec<Cell> {
        catalogue.kind(&row.preimage.kind).map(|kind| kind.cells_stored(&row.view)).unwrap_or_default()
    };
    store.relist(catalogue.listing_stamp(), PAGE, &cells).await
}

/// Lists whatever is not listed whenever somebody finds that it is not, until the node stops.
pub(crate) async fn keep_listed(store: Arc<dyn Store>, catalogue: &'static Catalogue, wanted: Arc<Notify>, life: Life) {
    loop {
        tokio::select! {
            () = list_all(&*store, catalogue) => {}
            () = life.stopping() => return,
        }
        tokio::select! {
            () = wanted.notified() => {}
            () = life.stopping() => return,
        }
    }
}

async fn list_all(store: &dyn Store, catalogue: &'static Catalogue) {
    let mut is_told = false;
    loop {
        let began = Instant::now();
        match page(store, catalogue).await {
            Ok(Relisted { is_whole: true, done }) => {
                if is_told {
                    tracing::info!(records = done, "all records are listed");
                }
                return;
            }
            Ok(Relisted { .. }) if !is_told => {
                tracing::info!("records are listed anew; until that is done nothing is found by queries");
                is_told = true;
            }
            // As long as it held up whoever writes, they have for themselves.
            Ok(Relisted { .. }) => tokio::time::sleep(began.elapsed()).await,
            Err(error) => {
                tracing::warn!(%error, "records cannot be listed: it is tried again");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}
