//! What is asked by `Ledger`: it is run again and again, and what it lacks fetched as far as the bearer reaches, until it lacks nothing.

use std::sync::Arc;

use heliu_api::records as pb;
use heliu_record::catalogue::Catalogue;
use heliu_record::date;
use heliu_record::kind::{Label, label};
use heliu_record::ledger::{Answer, Answers, Asked, At, Books, By, Ledger, Question, Sheet, Takes, Wanted};
use heliu_storage::books::{Answered, Shown, answer};
use heliu_storage::{ConflictQuery, Read};
use heliu_wire::sheet;
use tonic::Status;

use super::conflicts::{in_general, quotes};
use super::pages::{Page, after, aside, rows};
use super::refusals::{being_listed, invalid, known, no_seat, of_read, too_much_asked};
use super::scope::Reach;
use crate::handle::NodeHandle;
use crate::zone;

/// What a ledger asks can follow from answers, and that again, but not for ever.
const ROUNDS: usize = 8;
/// Conflicts of one ledger, and as many at once.
const CONFLICTS_MAX: usize = 20_000;
const CONFLICTS_PAGE: usize = 1_000;
const SEAT: Label = label("席位", "seat");
const ORG: Label = label("组织", "organisation");

pub(super) async fn ledger(
    node: &NodeHandle,
    store: &Arc<dyn Read>,
    reach: &Reach<'_>,
    request: pb::LedgerRequest,
) -> Result<pb::LedgerResponse, Status> {
    let catalogue = node.catalogue();
    let names = || catalogue.ledgers().map(|ledger| (ledger.word.name, ledger.word.label));
    if request.name.is_empty() || catalogue.ledger(&request.name).is_none() {
        known("name", if request.name.is_empty() { "?" } else { &request.name }, names())?;
    }
    let ledger = catalogue.ledger(&request.name).ok_or_else(|| Status::from(being_listed()))?;
    let asked = asked(node, reach, ledger, &request).await?;
    let sheet = sheet_of(node, store, reach, ledger, &asked).await?;
    let from = after::<usize>(&request.after)?.unwrap_or(0);
    let mut page = Page::new(rows(request.limit), node.page_bytes() / 2);
    let seats = reach.directory.seats();
    for line in sheet.lines.iter().skip(from) {
        if page.is_full() || !page.take(sheet::line(line, seats)) {
            break;
        }
    }
    let lines = page.into_items();
    let until = from.saturating_add(lines.len());
    Ok(pb::LedgerResponse {
        name: ledger.word.name.to_owned(),
        label: Some(sheet::label(ledger.word.label)),
        on: asked.on.clone().unwrap_or_default(),
        columns: sheet.columns.iter().map(sheet::column).collect(),
        lines,
        total: sheet.total.as_ref().map(|total| sheet::line(total, seats)),
        checks: sheet.checks.iter().map(sheet::check).collect(),
        notes: sheet.notes.iter().map(Into::into).collect(),
        lines_total: sheet.lines.len() as u64,
        next: if until < sheet.lines.len() { until.to_string() } else { String::new() },
    })
}

async fn asked(
    node: &NodeHandle,
    reach: &Reach<'_>,
    ledger: &Ledger,
    request: &pb::LedgerRequest,
) -> Result<Asked, Status> {
    known("by", &request.by, [("seat", SEAT), ("org", ORG)].into_iter())?;
    let takes = |what: Takes, field: &'static str, given: &str| {
        if given.is_empty() || ledger.takes.contains(&what) {
            return Ok(());
        }
        let Label { zh, en } = ledger.word.label;
        let (zh, en) = (format!("“{zh}”没有 {field} 这一项。"), format!("The ledger {en:?} takes no {field}."));
        Err(Status::from(invalid(field, &zh, &en)))
    };
    takes(Takes::By, "by", &request.by)?;
    takes(Takes::On, "on", &request.on)?;
    takes(Takes::Period, "from", &request.from)?;
    takes(Takes::Period, "to", &request.to)?;
    let day = |field: &'static str, given: &str| match given {
        "" => Ok(None),
        day if date::is_date(day) => Ok(Some(day.to_owned())),
        _ => Err(Status::from(invalid(field, "日期要写成 年-月-日,如 2026-03-01。", "A day is written YYYY-MM-DD."))),
    };
    let at = match request.at.as_str() {
        "" => None,
        given => Some(at(reach, given).await?),
    };
    Ok(Asked {
        by: if request.by == "org" { By::Org } else { By::Seat },
        at,
        on: day("on", &request.on)?,
        from: day("from", &request.from)?,
        to: day("to", &request.to)?,
        today: date::text(zone::today(&reach.directory, node.0.clock.wall_ms())),
    })
}

/// A seat by its code or id, else a record.
async fn at(reach: &Reach<'_>, given: &str) -> Result<At, Status> {
    let seats = reach.directory.seats();
    let named = seats.by_code(given).map(|seat| seat.id).or_else(|| given.parse().ok());
    if let Some(seat) = named {
        let is_known = seats.get(seat).is_some() && reach.sight.has_seat(seat, seats);
        return if is_known { Ok(At::Seat(seat)) } else { Err(no_seat(given, "at").into()) };
    }
    Ok(At::Record(reach.record(given, "at").await?.id))
}

async fn sheet_of(
    node: &NodeHandle,
    store: &Arc<dyn Read>,
    reach: &Reach<'_>,
    ledger: &'static Ledger,
    asked: &Asked,
) -> Result<Sheet, Status> {
    let seats = super::queries::seats(reach, "", false)?.flatten();
    let shown = Shown { sight: &reach.sight, seats, directory: reach.directory.seats() };
    let mut answers = Answers::default();
    for _ in 0..ROUNDS {
        let (asked, directory, sight, own) = (asked.clone(), reach.directory.clone(), reach.sight.clone(), node.seat());
        // Tens of thousands of groups are added up.
        let run = aside(move || {
            let (made, missing) = {
                let books = Books::new(&asked, directory.seats(), own, &sight, &answers);
                let made = (ledger.run)(&books);
                (made, books.missing())
            };
            (made, missing, answers)
        });
        let (made, missing, at_hand) = run.await?;
        answers = at_hand;
        if missing.is_empty() {
            return made.map_err(|refusal| heliu_wire::messages::refusal(&refusal).into());
        }
        for question in missing {
            let found = fetch(node, store, reach, &shown, &question).await?;
            answers.put(question, found);
        }
    }
    Err(Status::internal(format!("the ledger {} asks for ever: this is a defect", ledger.word.name)))
}

async fn fetch(
    node: &NodeHandle,
    store: &Arc<dyn Read>,
    reach: &Reach<'_>,
    shown: &Shown<'_>,
    question: &Question,
) -> Result<Answer, Status> {
    if question.wanted == Wanted::Conflicts {
        return conflicts(&**store, reach, node.catalogue()).await;
    }
    let kind = node.catalogue().kind(question.kind);
    let kind = kind.ok_or_else(|| Status::internal(format!("a ledger asks for {:?}", question.kind)))?;
    match answer(&**store, kind, question, shown).await.map_err(|error| of_read(&error))? {
        Answered::Answer(answer) => Ok(answer),
        Answered::BeingListed => {
            node.relist();
            Err(being_listed().into())
        }
        Answered::TooMuch => Err(too_much_asked().into()),
    }
}

async fn conflicts(store: &dyn Read, reach: &Reach<'_>, catalogue: &Catalogue) -> Result<Answer, Status> {
    let (mut all, mut query) = (Vec::new(), ConflictQuery { limit: CONFLICTS_PAGE, ..ConflictQuery::default() });
    loop {
        let page = store.conflicts(&query).await.map_err(|error| of_read(&error))?;
        for row in page.rows {
            if !reach.has_conflict(&row).await? {
                continue;
            }
            let Ok(mut conflict) = serde_json::from_slice(&row.body) else { continue };
            let names = match quotes(&row.body) {
                Some(quoted) => reach.has_all(&quoted).await?,
                None => false,
            };
            if !names {
                in_general(&mut conflict, catalogue);
            }
            all.push(conflict);
        }
        query.after = page.next;
        if query.after.is_none() {
            return Ok(Answer::Conflicts(all));
        }
        if all.len() > CONFLICTS_MAX {
            return Err(too_much_asked().into());
        }
    }
}
