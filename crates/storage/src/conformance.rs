//! What every store promises, as one suite. Each case is a plain async function over a [`Harness`]; the macro
//! [`conformance_suite`](crate::conformance_suite) makes a test of each. Cases panic, as tests do.

pub mod durability;
pub mod erasure;
pub mod feed;
pub mod ledgers;
pub mod listing;
pub mod records;
pub mod sample;
pub mod scopes;

use std::future::Future;

use heliu_trust::id::Incarnation;

use crate::{Store, StoreError, StoreId};

/// How the suite gets stores of one make.
pub trait Harness: Sync {
    type Store: Store;

    /// A new, empty store.
    fn create(&self, store: StoreId, incarnation: Incarnation) -> impl Future<Output = Self::Store> + Send;

    /// Ends the store as a crash would, and opens what is left.
    fn reopen(
        &self,
        store: Self::Store,
        incarnation: Incarnation,
    ) -> impl Future<Output = Result<Self::Store, StoreError>> + Send;
}

/// One `#[test]` for each case: `conformance_suite!(run, harness)`, where `run` takes a future to its end and `harness` is
/// an expression that makes a [`Harness`].
#[macro_export]
macro_rules! conformance_suite {
    ($run:path, $harness:expr) => {
        $crate::conformance_suite! { @cases $run, $harness,
            durability: [
                a_new_store_is_empty, what_was_applied_is_there_after_a_crash, a_refused_transaction_leaves_no_trace,
                every_opening_is_an_incarnation, an_incarnation_is_used_once, a_transaction_may_begin_an_incarnation,
            ],
            erasure: [
                what_is_erased_leaves_nothing_but_its_row, what_comes_with_an_erasure_goes_too, an_erased_tail_leaves_the_head,
            ],
            feed: [
                pages_carry_what_sending_takes, positions_follow_the_head, a_leaf_needs_its_commit_and_its_record,
                a_page_keeps_to_its_budget, rescopes_are_entries, dropped_leaves_leave_gaps,
                leaves_move_to_the_end,
                the_head_outlives_a_dropped_tail, leaves_are_judged_anew, leaves_of_some_records, loading_records,
                a_history_comes_in_pages, grants_are_entries, grants_go_with_their_record,
                commits_are_kept_once, a_commit_that_comes_again_mends_what_is_damaged,
                the_last_commit_is_the_latest_one_stored,
                the_chains_of_an_author, a_large_transaction,
            ],
            records: [
                a_row_is_replaced, scanning_in_pages, scanning_one_scope, short_ids, listing, listing_by_bytes, references_are_replaced_as_a_whole,
                wants_are_the_records_that_wait,
                records_that_could_not_be_judged_are_found_without_the_others, hidden_records_by_position, counting, written_by_an_author,
                a_row_under_a_wrong_id_gets_its_own,
            ],
            listing: [
                records_are_sorted_filtered_and_counted, records_are_searched_for, counts_are_told_apart,
                pages_follow_each_other_whatever_comes_in_between, what_is_listed_changes_with_the_record,
                a_page_of_many_is_in_order_whoever_owns_them_and_whatever_becomes_of_them,
                all_is_listed_anew_where_something_else_is_to_be,
            ],
            scopes: [
                what_is_kept_by_scope_is_replaced_and_goes, what_is_kept_by_scope_is_believed_as_a_whole_or_not_at_all,
                records_are_found_by_the_seats_that_they_name,
            ],
            ledgers: [
                the_directory_keeps_its_order, conflicts_open_and_close, conflicts_come_in_pages, cursors_are_replaced,
                commands_keep_their_first_answer, the_quarantine_keeps_one_of_each, the_quarantine_lets_go,
                a_tail_of_the_directory_is_replaced, statements_are_a_set, the_audit_log_has_no_gap,
                stranded_edits_change_their_state,
                who_is_declined_is_remembered_until_he_is_not,
            ],
        }
    };
    (@cases $run:path, $harness:expr, $($group:ident: [$($case:ident),* $(,)?]),* $(,)?) => {
        $(mod $group {
            use super::*;
            $(
                #[test]
                fn $case() {
                    $run(async { $crate::conformance::$group::$case(&$harness).await });
                }
            )*
        })*
    };
}

/// Ends a case where a store says no to what it must do.
#[track_caller]
pub fn must<T>(result: Result<T, StoreError>) -> T {
    result.unwrap_or_else(|error| panic!("the store refused: {error}"))
}
