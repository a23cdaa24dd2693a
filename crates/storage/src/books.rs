//! What a ledger asks, as a store answers it: counts and records of what somebody is shown. One piece of code for the node, the simulator
//! and tests; it is async, and needs no runtime.

use std::collections::BTreeSet;

use heliu_record::id::SeatId;
use heliu_record::kind::{Class, Kind};
use heliu_record::ledger::{Answer, OWNER, Only, Question, Wanted};
use heliu_record::listing::{NAME, Order};
use heliu_record::seats::Seats;
use heliu_record::sight::Sight;
use heliu_record::view::View;

use crate::listing::{By, Filter, Group, Query};
use crate::{Read, RecordRow, RecordState, StoreError};

/// Records of one ledger that are read whole, and bytes of their views.
const ROWS_MAX: usize = 200_000;
const BYTES_MAX: usize = 256 * 1024 * 1024;
/// Of them at once.
const PAGE_ROWS: usize = 10_000;
const PAGE_BYTES: usize = 32 * 1024 * 1024;

/// For whom is asked.
pub struct Shown<'s> {
    pub sight: &'s Sight,
    /// Whose records he is shown; none: whoever's they are.
    pub seats: Option<BTreeSet<SeatId>>,
    pub directory: &'s Seats,
}

/// What came of a question.
#[derive(Debug)]
pub enum Answered {
    Answer(Answer),
    /// Not all records are listed.
    BeingListed,
    /// More than one ledger is made of.
    TooMuch,
}

impl Shown<'_> {
    fn shows(&self, row: &RecordRow) -> bool {
        row.state == RecordState::Present
            && self.sight.shows(&row.preimage.kind, row.scope.public, &row.scope.owners, self.directory)
    }
}

/// The answer to a question that is about records. `kind`: as the question names it. What is asked of conflicts, whoever shows them
/// answers.
pub async fn answer(
    store: &dyn Read,
    kind: &Kind,
    question: &Question,
    shown: &Shown<'_>,
) -> Result<Answered, StoreError> {
    if !shown.sight.has_kind(kind.name) {
        return Ok(Answered::Answer(match question.wanted {
            Wanted::Counts(_) => Answer::Counts(Vec::new()),
            Wanted::Rows | Wanted::These(_) => Answer::Rows(Vec::new()),
            Wanted::Conflicts => Answer::Conflicts(Vec::new()),
        }));
    }
    let query = Query {
        kinds: Some([kind.name.to_owned()].into()),
        // What is public is shown of every seat.
        seats: shown.seats.clone().filter(|_| kind.class != Class::Public),
        filters: question.only.iter().map(|only| filter(kind, only)).collect(),
        ..Query::default()
    };
    match &question.wanted {
        Wanted::Counts(columns) => {
            let group =
                |column: &&str| if *column == OWNER { Group::Owner } else { Group::Column((*column).to_owned()) };
            let query = Query { groups: columns.iter().map(group).collect(), ..query };
            let Some(found) = store.query(&query).await? else { return Ok(Answered::BeingListed) };
            if found.has_more_groups {
                return Ok(Answered::TooMuch);
            }
            let counts = found.groups.into_iter().map(|(said, count)| (said, i64::try_from(count).unwrap_or(i64::MAX)));
            Ok(Answered::Answer(Answer::Counts(counts.collect())))
        }
        Wanted::Rows => rows(store, query, shown).await,
        Wanted::These(ids) => {
            if ids.len() > ROWS_MAX {
                return Ok(Answered::TooMuch);
            }
            let mut found = Vec::new();
            for id in ids {
                match store.record(*id).await {
                    Ok(row) => found.extend(
                        row.filter(|row| row.preimage.kind == kind.name && shown.shows(row)).map(|row| view(&row)),
                    ),
                    // It is mended, and told elsewhere.
                    Err(StoreError::Damaged { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(Answered::Answer(Answer::Rows(found)))
        }
        Wanted::Conflicts => Ok(Answered::Answer(Answer::Conflicts(Vec::new()))),
    }
}

async fn rows(store: &dyn Read, query: Query, shown: &Shown<'_>) -> Result<Answered, StoreError> {
    let order = By { column: NAME.to_owned(), order: Order::Name, is_descending: false };
    let mut query = Query { order: Some(order), limit: PAGE_ROWS, bytes: PAGE_BYTES, ..query };
    let (mut views, mut bytes) = (Vec::new(), 0_usize);
    loop {
        let Some(found) = store.query(&query).await? else { return Ok(Answered::BeingListed) };
        if found.total > ROWS_MAX as u64 || bytes > BYTES_MAX {
            return Ok(Answered::TooMuch);
        }
        bytes += found.rows.iter().map(|row| row.view.len()).sum::<usize>();
        views.extend(found.rows.iter().filter(|row| shown.shows(row)).map(view));
        query.after = found.next;
        if query.after.is_none() {
            return Ok(Answered::Answer(Answer::Rows(views)));
        }
    }
}

fn view(row: &RecordRow) -> View {
    View::stored(row.id, &row.preimage.kind, &row.scope, &row.view)
}

fn filter(kind: &Kind, only: &Only) -> Filter {
    let column = kind.column(only.column);
    let bound = |text: &Option<String>| text.as_ref().and_then(|text| column.and_then(|column| column.key(text)));
    Filter {
        column: only.column.to_owned(),
        any_of: only.any_of.clone(),
        from: bound(&only.from),
        until: bound(&only.until),
        is_not: only.is_not,
    }
}
