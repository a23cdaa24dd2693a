//! `heliu.records.v1`: commands go to the engine, reads go straight to the store, which holds only what is durable.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use heliu_api::records as pb;
use heliu_api::records::outcome::Outcome;
use heliu_api::records::records_service_server::RecordsService;
use heliu_api::status::encode_status;
use heliu_record::command::{CommandId, Request as Command};
use heliu_record::id::RecordId;
use heliu_record::kind::Merge;
use heliu_replication::{Revealed, Trial};
use heliu_storage::{ConflictRef, ListQuery, Read, RecordRow, RecordState, StoreError};
use heliu_wire::messages;
use tonic::{Request, Response, Status};

use super::acting::{actor, of_order};
use super::pages::{Page, Walk, after, aside};
use super::refusals::{being_listed, invalid, known, no_part, of_execute, of_read, too_many_commands};
use super::scope::Reach;
use super::story::Told;
use super::words::{beside, digits, record};
use super::{cut, ledgers, pages, queries, story, trial, undoing};
use crate::access::Role;
use crate::begin::random;
use crate::handle::NodeHandle;

/// Commands of one call.
const EACH: usize = 512;
/// How often a query is asked again whose rows have changed meanwhile.
const QUERIED: usize = 3;
/// Groups of one answer.
const ROWS_COUNTED: usize = 10_000;
/// What a row that is read counts for besides its view.
const ROW_BYTES: usize = 512;

pub(super) struct Records {
    node: NodeHandle,
    store: Arc<dyn Read>,
}

impl Records {
    pub fn new(node: NodeHandle, store: Arc<dyn Read>) -> Self {
        Records { node, store }
    }

    async fn command(&self, reach: &Reach<'_>, asked: pb::ExecuteRequest) -> Result<Command, Status> {
        let id = match asked.command_id.as_str() {
            "" => CommandId(random().map_err(|error| Status::internal(error.to_string()))?),
            given => {
                let bad = |_| {
                    invalid("command_id", "命令编号为 32 位十六进制数字。", "A command id is 32 hexadecimal digits.")
                };
                digits(given, CommandId::LEN * 2, "command_id")?.parse().map_err(bad)?
            }
        };
        let subject = match asked.subject.as_str() {
            "" => None,
            given => Some(reach.record_id(given, "subject").await?),
        };
        let on_behalf = match asked.on_behalf.as_str() {
            "" => None,
            given => Some(reach.seat(given, "on_behalf")?),
        };
        let arguments: BTreeMap<_, _> = asked.arguments.into_iter().collect();
        Ok(Command { id, name: asked.command, subject, arguments, who: asked.who, reason: asked.reason, on_behalf })
    }

    /// `tried`: what a trial is to tell.
    async fn carry_out(
        &self,
        reach: &Reach<'_>,
        mut asked: pb::ExecuteRequest,
        tried: Trial,
    ) -> Result<pb::ExecuteResponse, Status> {
        reach.may_make(&asked)?;
        let right = reach.caller.right(Role::Write);
        let who = if asked.who.is_empty() { reach.caller.name().to_owned() } else { asked.who.clone() };
        undoing::fill(&mut asked, &right, &who, &*self.store, self.node.page_bytes()).await?;
        let (is_guessable, trial) = (asked.guessable_id, if asked.dry_run { tried } else { Trial::No });
        let command = Command { who, ..self.command(reach, asked).await? };
        let command_id = command.id.to_string();
        let sight = reach.sight.clone();
        let executed = self.node.execute_by(command, is_guessable, trial, right, sight).await;
        let executed = executed.map_err(|error| of_execute(&error))?;
        Ok(pb::ExecuteResponse {
            command_id,
            created: executed.done.result.get("record").cloned().into_iter().collect(),
            commits: executed.done.commits.iter().map(ToString::to_string).collect(),
            affected: executed.done.affected.iter().map(ToString::to_string).collect(),
            repeated: executed.done.again,
            result: executed.done.result.into_iter().collect(),
            preview: executed
                .done
                .preview
                .map(|preview| trial::told(*preview, reach.directory.seats(), self.node.page_bytes())),
        })
    }

    fn reach<T>(&self, request: &Request<T>) -> Result<Reach<'_>, Status> {
        Reach::of(request, &self.node, &*self.store)
    }

    /// Open conflicts of each of these records.
    async fn conflicts(
        &self,
        reach: &Reach<'_>,
        rows: &[RecordRow],
    ) -> Result<BTreeMap<RecordId, Vec<String>>, Status> {
        let ids: Vec<RecordId> = rows.iter().map(|row| row.id).collect();
        let mut conflicts: BTreeMap<RecordId, Vec<String>> = BTreeMap::new();
        for ConflictRef { id, anchors } in self.store.conflict_ids(&ids).await.map_err(|error| of_read(&error))? {
            if !reach.has_all(&anchors).await? {
                continue;
            }
            let id = heliu_record::id::to_hex(&id);
            for anchor in anchors {
                conflicts.entry(anchor).or_default().push(id.clone());
            }
        }
        Ok(conflicts)
    }

    /// With at most so many bytes of each view.
    async fn shown(&self, reach: &Reach<'_>, rows: Vec<RecordRow>, bytes: usize) -> Result<Vec<pb::Record>, Status> {
        let mut conflicts = self.conflicts(reach, &rows).await?;
        let directory = reach.directory.clone();
        let show = move |row: RecordRow| {
            let of_it = conflicts.remove(&row.id).unwrap_or_default();
            record(row, of_it, &directory, bytes)
        };
        aside(move || rows.into_iter().map(show).collect()).await
    }

    /// Elements of a part of a record.
    async fn part(&self, reach: &Reach<'_>, row: RecordRow, asked: pb::GetRequest) -> Result<pb::GetResponse, Status> {
        let conflicts = self.conflicts(reach, std::slice::from_ref(&row)).await?.remove(&row.id);
        let conflicts = conflicts.unwrap_or_default();
        let from = after::<usize>(&asked.after)?.unwrap_or(0);
        let (directory, bytes) = (reach.directory.clone(), self.node.page_bytes());
        let read = aside(move || {
            let mut page = Page::new(pages::rows(asked.limit), bytes);
            let total = match beside(&row, &conflicts, &asked.path, &directory) {
                Some(list) => cut::elements(&list, "", from, &mut page),
                None => cut::elements(&row.view, &asked.path, from, &mut page),
            };
            (total.map(|total| (page.into_items(), total)), asked.path)
        });
        let (found, path) = read.await?;
        let (elements, total) = found.ok_or_else(|| no_part(&path))?;
        let until = from.saturating_add(elements.len());
        let next = if until < total { until.to_string() } else { String::new() };
        Ok(pb::GetResponse { record: None, elements, total: total as u64, next })
    }
}

#[tonic::async_trait]
impl RecordsService for Records {
    async fn execute(&self, request: Request<pb::ExecuteRequest>) -> Result<Response<pb::ExecuteResponse>, Status> {
        let reach = self.reach(&request)?;
        self.carry_out(&reach, request.into_inner(), Trial::Foreseen).await.map(Response::new)
    }

    async fn execute_each(
        &self,
        request: Request<pb::ExecuteEachRequest>,
    ) -> Result<Response<pb::ExecuteEachResponse>, Status> {
        let reach = self.reach(&request)?;
        let commands = request.into_inner().commands;
        if commands.len() > EACH {
            return Err(too_many_commands(commands.len(), EACH).into());
        }
        let outcomes = commands.into_iter().map(|asked| self.carry_out(&reach, asked, Trial::Planned));
        let outcome = |answered: Result<_, Status>| match answered {
            Ok(done) => Outcome::Done(done),
            Err(status) => Outcome::Refused(encode_status(&status)),
        };
        let outcomes = join_all(outcomes).await.into_iter().map(outcome);
        let outcomes = outcomes.map(|outcome| pb::Outcome { outcome: Some(outcome) }).collect();
        Ok(Response::new(pb::ExecuteEachResponse { outcomes }))
    }

    async fn get(&self, request: Request<pb::GetRequest>) -> Result<Response<pb::GetResponse>, Status> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        let row = reach.record(&asked.id, "id").await?;
        if !asked.path.is_empty() {
            return self.part(&reach, row, asked).await.map(Response::new);
        }
        let record = self.shown(&reach, vec![row], self.node.page_bytes() / 2).await?.pop();
        Ok(Response::new(pb::GetResponse { record, ..pb::GetResponse::default() }))
    }

    async fn reveal(&self, request: Request<pb::RevealRequest>) -> Result<Response<pb::RevealResponse>, Status> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        let id = reach.record(&asked.id, "id").await?.id;
        let by = actor(&reach.caller, Role::Reveal, &asked.who);
        let revealed = self.node.reveal(id, by, asked.why).await.map_err(|error| of_order(&error))?;
        // Each field has its part of the answer.
        let bytes = self.node.page_bytes() / revealed.len().max(1);
        let fields = revealed.into_iter().map(|Revealed { field, values, locked }| {
            let mut seen = BTreeSet::new();
            let distinct = values.into_iter().filter(|value| seen.insert(value.clone()));
            let mut left = bytes;
            let mut shown: Vec<String> = distinct.skip(asked.after as usize).collect();
            let fit = shown.iter().position(|value| {
                left = left.saturating_sub(value.len() + 8);
                left == 0
            });
            shown.truncate(fit.unwrap_or(shown.len()).max(1));
            pb::RevealedField { field, values: shown, locked, total: u32::try_from(seen.len()).unwrap_or(u32::MAX) }
        });
        Ok(Response::new(pb::RevealResponse { fields: fields.collect() }))
    }

    async fn list(&self, request: Request<pb::ListRequest>) -> Result<Response<pb::ListResponse>, Status> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        known("kind", &asked.kind, self.node.catalogue().kinds().map(|kind| (kind.name, kind.label)))?;
        let bytes = self.node.page_bytes();
        let mut walk = Walk::new(asked.limit, bytes, after(&asked.after)?, reach.sight.is_whole());
        let mut query = ListQuery {
            kind: Some(asked.kind).filter(|kind| !kind.is_empty()),
            refers_to: match asked.refers_to.as_str() {
                "" => None,
                given => Some(reach.record_id(given, "refers_to").await?),
            },
            bytes,
            ..ListQuery::default()
        };
        let target = query.refers_to;
        let points = |row: &RecordRow| {
            let kind = self.node.catalogue().kind(&row.preimage.kind);
            let view = || serde_json::from_slice(&row.view).unwrap_or_default();
            // Of a kind that this version does not know nobody can say what of it is over.
            target.is_none_or(|target| kind.is_none_or(|kind| kind.points_to(&view(), target)))
        };
        let wanted = |row: &RecordRow| {
            (asked.include_gone || row.state == RecordState::Present) && reach.shows(row) && points(row)
        };
        let mut suspects: Vec<RecordId> = Vec::new();
        while walk.goes_on() {
            (query.after, query.limit) = (walk.after(), walk.rest());
            let found = self.store.list(&query).await.map_err(|error| of_read(&error))?;
            let looked = found.rows.iter().map(|row| row.view.len() + ROW_BYTES).sum();
            suspects.extend(found.damaged.iter().filter_map(|row| row.record));
            let rows: Vec<RecordRow> = found.rows.into_iter().filter(wanted).collect();
            let ids: Vec<RecordId> = rows.iter().map(|row| row.id).collect();
            walk.take(looked, found.next, ids.into_iter().zip(self.shown(&reach, rows, bytes / 16).await?));
        }
        // Beyond this page's end they are told by the next one.
        suspects.retain(|id| walk.after().is_none_or(|last| *id <= last));
        let (records, next) = walk.into_page();
        let next = next.map(|last| last.to_string()).unwrap_or_default();
        let told = suspects.iter().filter(|_| reach.sight.is_whole());
        let damaged = told.map(ToString::to_string).collect();
        self.node.suspect(suspects);
        Ok(Response::new(pb::ListResponse { records, next, damaged }))
    }

    async fn query(&self, request: Request<pb::QueryRequest>) -> Result<Response<pb::QueryResponse>, Status> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        let bytes = self.node.page_bytes();
        let Some(query) = queries::query(&asked, &reach, self.node.catalogue(), bytes / 2)? else {
            return Ok(Response::new(pb::QueryResponse::default()));
        };
        let shown = |row: &RecordRow| row.state == RecordState::Present && reach.shows(row);
        let mut tries = 0..QUERIED;
        let found = loop {
            let found = self.store.query(&query).await.map_err(|error| of_read(&error))?;
            let Some(found) = found else {
                self.node.relist();
                return Err(being_listed().into());
            };
            // A record may have left meanwhile: its place in the order is not told.
            if found.rows.iter().all(shown) {
                break found;
            }
            tries.next().ok_or_else(|| Status::from(being_listed()))?;
        };
        let mut page = Page::new(query.limit, bytes);
        let suspects: Vec<RecordId> = found.damaged.iter().filter_map(|row| row.record).collect();
        let all: Vec<pb::Record> = self.shown(&reach, found.rows, bytes / 16).await?;
        all.into_iter().for_each(|record| {
            page.take(record);
        });
        let groups = found.groups.into_iter().map(|(values, count)| pb::Group { values, count });
        let mut has_more_groups = found.has_more_groups;
        let mut told = Page::new(ROWS_COUNTED, bytes / 2);
        groups.for_each(|group| has_more_groups |= !told.take(group));
        let next = found.next.as_ref().map(queries::told).unwrap_or_default();
        let damaged = suspects.iter().filter(|_| reach.sight.is_whole()).map(ToString::to_string).collect();
        self.node.suspect(suspects);
        Ok(Response::new(pb::QueryResponse {
            records: page.into_items(),
            next,
            total: found.total,
            groups: told.into_items(),
            has_more_groups,
            damaged,
        }))
    }

    async fn ledger(&self, request: Request<pb::LedgerRequest>) -> Result<Response<pb::LedgerResponse>, Status> {
        let reach = self.reach(&request)?;
        ledgers::ledger(&self.node, &self.store, &reach, request.into_inner()).await.map(Response::new)
    }

    async fn history(&self, request: Request<pb::HistoryRequest>) -> Result<Response<pb::HistoryResponse>, Status> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        // Who may see it is told by the row: it is read first. One whose row is spoilt is damaged.
        let row = reach.record(&asked.id, "id").await?;
        let (id, kind) = (row.id, row.preimage.kind);
        let told = after::<Told>(&asked.after)?;
        let page = Page::new(pages::rows(asked.limit), self.node.page_bytes());
        let part = match story::read(&*self.store, id, told).await {
            Err(StoreError::Damaged { .. }) => return Err(reach.damaged(id)),
            part => part.map_err(|error| of_read(&error))?,
        };
        let (directory, kind) = (reach.directory, self.node.catalogue().kind(&kind));
        // Each change is parsed and checked, some 30 us.
        let (changes, next) = aside(move || {
            let is_state = |name: &str| kind.and_then(|kind| kind.field(name)).map(|field| field.merge);
            part.page(page, &directory, |name| matches!(is_state(name), Some(Merge::State(_))))
        })
        .await?;
        let next = next.map(|told| told.to_string()).unwrap_or_default();
        Ok(Response::new(pb::HistoryResponse { id: id.to_string(), changes, next }))
    }

    async fn list_seats(
        &self,
        request: Request<pb::ListSeatsRequest>,
    ) -> Result<Response<pb::ListSeatsResponse>, Status> {
        let asked = request.into_inner();
        let directory = self.node.directory();
        let all = directory.seats().iter().map(|seat| messages::seat(seat.id, directory.seats()));
        let (seats, next) = pages::of(all, &asked.after, asked.limit, self.node.page_bytes())?;
        Ok(Response::new(pb::ListSeatsResponse { seats, next }))
    }

    async fn get_schema(&self, _: Request<pb::GetSchemaRequest>) -> Result<Response<pb::GetSchemaResponse>, Status> {
        Ok(Response::new(heliu_wire::schema::schema(self.node.catalogue())))
    }
}
