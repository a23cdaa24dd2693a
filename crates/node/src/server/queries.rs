//! What is asked by `Query`, as the store is asked it: of what the bearer may see, in columns that the kind declares.

use std::collections::BTreeSet;

use heliu_api::records as pb;
use heliu_record::catalogue::Catalogue;
use heliu_record::collation::Sought;
use heliu_record::id::{RecordId, SeatId, bytes_from_hex, to_hex};
use heliu_record::kind::{Class, Kind, label};
use heliu_record::listing::{Column, LISTED_CHARS_MAX, NAME, Order};
use heliu_storage::listing::{By, Filter, Group, Place, Query};
use tonic::Status;

use super::pages;
use super::refusals::{invalid, known, no_column, no_seat};
use super::scope::Reach;

/// Fields of one question.
const CONDITIONS: usize = 32;
const GROUPED: usize = 4;
/// Values of one condition.
const VALUES: usize = 4_096;
/// Who owns a record, in counts.
const SEAT: &str = "seat";
/// Between a record's id and what it is sorted by, in the cursor of a page; of one that says nothing there is no more.
const SAYS: char = '.';

/// The question, as far as the bearer reaches. None: nothing that he may see is asked for.
pub(super) fn query(
    asked: &pb::QueryRequest,
    reach: &Reach<'_>,
    catalogue: &'static Catalogue,
    bytes: usize,
) -> Result<Option<Query>, Status> {
    known("kind", &asked.kind, catalogue.kinds().map(|kind| (kind.name, kind.label)))?;
    let kind = catalogue.kind(&asked.kind);
    check_counts(asked)?;
    let (of_seats, conditions): (Vec<_>, Vec<_>) =
        asked.r#where.iter().partition(|condition| is_seat(&condition.field, kind));
    let is_public = kind.is_some_and(|kind| kind.class == Class::Public);
    let Some(mut seats) = seats(reach, &asked.at, is_public)? else { return Ok(None) };
    for condition in of_seats {
        seats = Some(seats_meant(reach, condition, seats)?);
    }
    let kinds = match kind {
        Some(kind) if reach.sight.has_kind(kind.name) => Some([kind.name.to_owned()].into()),
        Some(_) => return Ok(None),
        None => reach.sight.kinds.clone(),
    };
    let kinds_asked: Vec<&Kind> =
        catalogue.kinds().filter(|one| kind.is_none_or(|kind| kind.name == one.name)).collect();
    let filters = conditions.into_iter().map(|condition| filter(condition, kind)).collect::<Result<_, _>>()?;
    let (order_by, order) = match asked.order_by.as_str() {
        "" => (NAME, Order::Name),
        field => column(kind, field, "order_by").map(|(_, column)| (column.name, column.order))?,
    };
    let group = |field: &String| match field {
        field if is_seat(field, kind) => Ok(Group::Owner),
        field => column(kind, field, "group_by").map(|(_, column)| Group::Column(column.name.to_owned())),
    };
    Ok(Some(Query {
        kinds,
        seats,
        sought: Sought::new(&asked.text).map(|sought| (sought, sought_in(&kinds_asked))),
        filters,
        order: Some(By { column: order_by.to_owned(), order, is_descending: asked.descending }),
        after: cursor(&asked.after)?,
        limit: if asked.count_only { 0 } else { pages::rows(asked.limit) },
        bytes,
        groups: asked.group_by.iter().map(group).collect::<Result<_, _>>()?,
    }))
}

/// Whether that is who owns a record, and no field of it.
fn is_seat(field: &str, kind: Option<&Kind>) -> bool {
    (field == SEAT || label("席位", SEAT).is(field)) && kind.and_then(|kind| kind.column_called(field)).is_none()
}

/// Of the seats that are asked about (none: all) those of a condition, by code or id. What is no seat is none of them.
fn seats_meant(
    reach: &Reach<'_>,
    condition: &pb::Condition,
    of: Option<BTreeSet<SeatId>>,
) -> Result<BTreeSet<SeatId>, Status> {
    if !condition.from.is_empty() || !condition.until.is_empty() {
        return Err(invalid("where", "席位没有先后,只能写是哪些。", "Seats have no order: say which.").into());
    }
    let seats = reach.directory.seats();
    let seat = |text: &String| seats.by_code(text.trim()).map(|seat| seat.id).or_else(|| text.trim().parse().ok());
    let named: BTreeSet<SeatId> = condition.any_of.iter().filter_map(seat).collect();
    let is_one = |seat: &SeatId| (named.contains(seat) || condition.any_of.is_empty()) != condition.is_not;
    let all = of.unwrap_or_else(|| seats.iter().map(|seat| seat.id).chain(named.iter().copied()).collect());
    Ok(all.into_iter().filter(is_one).collect())
}

fn check_counts(asked: &pb::QueryRequest) -> Result<(), Status> {
    let values = asked.r#where.iter().map(|condition| condition.any_of.len()).sum::<usize>();
    let is_too_much = asked.r#where.len() > CONDITIONS
        || values > VALUES
        || asked.group_by.len() > GROUPED
        || asked.text.chars().count() > LISTED_CHARS_MAX;
    if is_too_much {
        let zh = format!(
            "一次查询至多 {CONDITIONS} 个条件、{VALUES} 个取值、{GROUPED} 个分组字段、{LISTED_CHARS_MAX} 个字的查找内容。"
        );
        let en = format!(
            "One query has at most {CONDITIONS} conditions, {VALUES} values, {GROUPED} fields to count by, and \
             {LISTED_CHARS_MAX} characters to look for."
        );
        return Err(invalid("where", &zh, &en).into());
    }
    Ok(())
}

/// The seats whose records are asked for: all (none), or these. Nothing: the bearer may see no such seat. What is public he may see of
/// every seat; of all kinds together he is shown his seats' own.
#[expect(clippy::option_option, reason = "no limit is not the same as nothing to see")]
pub(super) fn seats(reach: &Reach<'_>, at: &str, is_public: bool) -> Result<Option<Option<BTreeSet<SeatId>>>, Status> {
    let directory = reach.directory.seats();
    let own = reach.sight.seats.iter().flatten().copied();
    let shown = |seat: &SeatId| is_public || reach.sight.has_seat(*seat, directory);
    let all = directory.iter().map(|seat| seat.id).chain(own).filter(shown);
    if at.is_empty() {
        return Ok(Some((reach.sight.seats.is_some() && !is_public).then(|| all.collect())));
    }
    let named = directory.by_code(at).map(|seat| seat.id).or_else(|| at.parse().ok());
    let above = named.ok_or_else(|| Status::from(no_seat(at, "at")))?;
    let below: BTreeSet<SeatId> =
        all.chain([above].into_iter().filter(shown)).filter(|seat| directory.is_at_or_above(above, *seat)).collect();
    Ok((!below.is_empty()).then_some(Some(below)))
}

fn sought_in(kinds: &[&Kind]) -> Vec<String> {
    let columns = kinds.iter().flat_map(|kind| kind.columns()).filter(|column| column.is_sought);
    columns.map(|column| column.name.to_owned()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn column<'k>(kind: Option<&'k Kind>, text: &str, field: &str) -> Result<(&'k Kind, Column), Status> {
    let found = kind.and_then(|kind| Some((kind, kind.column_called(text)?)));
    found.ok_or_else(|| no_column(kind, text, field).into())
}

fn filter(condition: &pb::Condition, kind: Option<&Kind>) -> Result<Filter, Status> {
    if kind.is_none() && condition.field == NAME && condition.from.is_empty() && condition.until.is_empty() {
        let (column, any_of) = (NAME.to_owned(), condition.any_of.iter().cloned().collect());
        return Ok(Filter { column, any_of, is_not: condition.is_not, ..Filter::default() });
    }
    let (kind, column) = column(kind, &condition.field, "where")?;
    let bound = |text: &str| match text {
        "" => Ok(None),
        text => match column.key(kind.code_meant(&column, text)) {
            Some(key) => Ok(Some(key)),
            None => Err(Status::from(invalid("where", "这里要一个数。", "It takes a number here."))),
        },
    };
    Ok(Filter {
        column: column.name.to_owned(),
        any_of: condition.any_of.iter().map(|text| kind.code_meant(&column, text.trim()).to_owned()).collect(),
        from: bound(condition.from.trim())?,
        until: bound(condition.until.trim())?,
        is_not: condition.is_not,
    })
}

fn cursor(text: &str) -> Result<Option<Place>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    let (id, key) = text.split_once(SAYS).map_or((text, None), |(id, key)| (id, Some(key)));
    let place = id.parse::<RecordId>().ok().and_then(|record| match key {
        None => Some(Place { key: None, record }),
        Some(key) => bytes_from_hex(key).map(|key| Place { key: Some(key), record }),
    });
    let refused = || invalid("after", "after 须为上一页的 next。", "Give as `after` the `next` of the page before.");
    place.map(Some).ok_or_else(|| refused().into())
}

/// As a cursor says it: where a row stands that was shown, and nothing else.
pub(super) fn told(place: &Place) -> String {
    match &place.key {
        Some(key) => format!("{}{SAYS}{}", place.record, to_hex(key)),
        None => place.record.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_and_what_nobody_gave_is_refused() {
        for key in [None, Some(Vec::new()), Some("zhang张".as_bytes().to_vec())] {
            let place = Place { key, record: RecordId([7; 32]) };
            assert_eq!(cursor(&told(&place)).expect("it is one"), Some(place));
        }
        assert_eq!(cursor("").expect("the first page"), None);
        for bad in ["x", ".", &"ab".repeat(31), &format!("{}.xy", "ab".repeat(32)), &format!("{}.a", "ab".repeat(32))] {
            assert!(cursor(bad).is_err(), "{bad}");
        }
    }
}
