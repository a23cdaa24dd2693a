//! `heliu.records.v1`: commands go to the engine, reads go straight to the store, which holds only what is durable.

use std::collections::BTreeMap;
use std::sync::Arc;

use heliu_record::command::{CommandId, Request as Command};
use heliu_record::id::RecordId;
use heliu_replication::Revealed;
use heliu_storage::{ListQuery, Read, RecordRow, RecordState, StoreError};
use heliu_wire::records as pb;
use heliu_wire::records::records_service_server::RecordsService;
use tonic::{Request, Response, Status};

use super::acting::{actor, of_order};
use super::refusals::{invalid, known, of_execute, of_read};
use super::scope::Reach;
use super::words::{after, change, digits, page, record};
use crate::access::Role;
use crate::begin::random;
use crate::handle::NodeHandle;

pub(super) struct Records<S> {
    node: NodeHandle,
    store: Arc<S>,
}

impl<S: Read> Records<S> {
    pub fn new(node: NodeHandle, store: Arc<S>) -> Self {
        Records { node, store }
    }

    async fn command(&self, reach: &Reach<'_, S>, asked: pb::ExecuteRequest) -> Result<Command, Status> {
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
        let arguments: BTreeMap<_, _> = asked.arguments.into_iter().collect();
        Ok(Command { id, name: asked.command, subject, arguments, who: asked.who, reason: asked.reason })
    }

    fn reach<T>(&self, request: &Request<T>) -> Result<Reach<'_, S>, Status> {
        Reach::of(request, &self.node, &*self.store)
    }

    /// Open conflicts of each of these records.
    async fn conflicts(
        &self,
        reach: &Reach<'_, S>,
        rows: &[RecordRow],
    ) -> Result<BTreeMap<RecordId, Vec<String>>, Status> {
        let ids: Vec<RecordId> = rows.iter().map(|row| row.id).collect();
        let mut conflicts: BTreeMap<RecordId, Vec<String>> = BTreeMap::new();
        for conflict in self.store.conflicts_of(&ids).await.map_err(|error| of_read(&error))? {
            if !reach.has_conflict(&conflict).await? {
                continue;
            }
            let id = heliu_record::id::to_hex(&conflict.id);
            for anchor in conflict.anchors {
                conflicts.entry(anchor).or_default().push(id.clone());
            }
        }
        Ok(conflicts)
    }

    async fn shown(&self, reach: &Reach<'_, S>, rows: Vec<RecordRow>) -> Result<Vec<pb::Record>, Status> {
        let mut conflicts = self.conflicts(reach, &rows).await?;
        let show = |row: RecordRow| {
            let of_it = conflicts.remove(&row.id).unwrap_or_default();
            record(row, of_it, &reach.directory)
        };
        Ok(rows.into_iter().map(show).collect())
    }
}

#[tonic::async_trait]
impl<S: Read + 'static> RecordsService for Records<S> {
    async fn execute(&self, request: Request<pb::ExecuteRequest>) -> Result<Response<pb::ExecuteResponse>, Status> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        reach.may_make(&asked)?;
        let mut command = self.command(&reach, asked).await?;
        if command.who.is_empty() {
            reach.caller.name().clone_into(&mut command.who);
        }
        let command_id = command.id.to_string();
        let (right, sight) = (reach.caller.right(Role::Write), reach.sight);
        let executed = self.node.execute_by(command, right, sight).await.map_err(|error| of_execute(&error))?;
        Ok(Response::new(pb::ExecuteResponse {
            command_id,
            created: executed.done.result.get("record").cloned().into_iter().collect(),
            commits: executed.done.commits.iter().map(ToString::to_string).collect(),
            affected: executed.done.affected.iter().map(ToString::to_string).collect(),
            repeated: executed.done.again,
            result: executed.done.result.into_iter().collect(),
        }))
    }

    async fn get(&self, request: Request<pb::GetRequest>) -> Result<Response<pb::GetResponse>, Status> {
        let reach = self.reach(&request)?;
        let row = reach.record(&request.into_inner().id, "id").await?;
        let record = self.shown(&reach, vec![row]).await?.pop();
        Ok(Response::new(pb::GetResponse { record }))
    }

    async fn reveal(&self, request: Request<pb::RevealRequest>) -> Result<Response<pb::RevealResponse>, Status> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        let id = reach.record(&asked.id, "id").await?.id;
        let by = actor(&reach.caller, Role::Reveal, &asked.who);
        let revealed = self.node.reveal(id, by, asked.why).await.map_err(|error| of_order(&error))?;
        let fields = revealed.into_iter().map(|Revealed { field, values, locked }| {
            let mut distinct: Vec<String> = Vec::with_capacity(values.len());
            for value in values {
                if !distinct.contains(&value) {
                    distinct.push(value);
                }
            }
            pb::RevealedField { field, values: distinct, locked }
        });
        Ok(Response::new(pb::RevealResponse { fields: fields.collect() }))
    }

    async fn list(&self, request: Request<pb::ListRequest>) -> Result<Response<pb::ListResponse>, Status> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        known("kind", &asked.kind, heliu_record::kinds::all().iter().map(|kind| (kind.name, kind.label)))?;
        let limit = page(asked.limit);
        let mut query = ListQuery {
            kind: Some(asked.kind).filter(|kind| !kind.is_empty()),
            refers_to: match asked.refers_to.as_str() {
                "" => None,
                given => Some(reach.record_id(given, "refers_to").await?),
            },
            after: after(&asked.after)?,
            limit,
        };
        let mut rows: Vec<RecordRow> = Vec::with_capacity(limit);
        let mut next = String::new();
        let wanted = |row: &RecordRow| (asked.include_gone || row.state == RecordState::Present) && reach.shows(row);
        let mut suspects: Vec<RecordId> = Vec::new();
        // What is gone is left out after it has been read, so a page may take several reads to fill.
        while rows.len() < limit {
            let found = self.store.list(&query).await.map_err(|error| of_read(&error))?;
            query.after = found.next;
            rows.extend(found.rows.into_iter().filter(wanted));
            suspects.extend(found.damaged.iter().filter_map(|row| row.record));
            query.limit = (limit - rows.len()).max(1);
            if query.after.is_none() {
                break;
            }
        }
        // The cursor is what was shown last: never the id of something that was passed over.
        if let (Some(_), Some(last)) = (query.after, rows.last()) {
            next = last.id.to_string();
        }
        let told = suspects.iter().filter(|_| reach.sight.is_whole());
        let damaged = told.map(ToString::to_string).collect();
        self.node.suspect(suspects);
        Ok(Response::new(pb::ListResponse { records: self.shown(&reach, rows).await?, next, damaged }))
    }

    async fn history(&self, request: Request<pb::HistoryRequest>) -> Result<Response<pb::HistoryResponse>, Status> {
        let reach = self.reach(&request)?;
        let asked = request.into_inner();
        // Who may see it is told by the row: it is read first.
        let id = reach.record(&asked.id, "id").await?.id;
        let loaded = match self.store.load(&[id]).await {
            Err(StoreError::Damaged { .. }) => return Err(reach.damaged(id)),
            loaded => loaded.map_err(|error| of_read(&error))?.pop(),
        };
        if loaded.as_ref().is_some_and(|loaded| loaded.spoilt.is_some()) {
            return Err(reach.damaged(id));
        }
        let mut leaves = loaded.map(|loaded| loaded.leaves).unwrap_or_default();
        let (from, limit) = (after::<u64>(&asked.after)?.unwrap_or(0), page(asked.limit));
        leaves.retain(|leaf| leaf.position > from);
        let more = leaves.len() > limit;
        leaves.truncate(limit);
        let last = leaves.last().filter(|_| more).map(|leaf| leaf.position.to_string());
        let directory = reach.directory;
        // Each change is parsed and checked, some 30 us: a long page would hold up others on this thread.
        let parsed = tokio::task::spawn_blocking(move || leaves.iter().map(|leaf| change(leaf, &directory)).collect());
        let changes = parsed.await.map_err(|error| Status::internal(error.to_string()))?;
        let next = last.unwrap_or_default();
        Ok(Response::new(pb::HistoryResponse { id: id.to_string(), changes, next }))
    }

    async fn list_seats(&self, _: Request<pb::ListSeatsRequest>) -> Result<Response<pb::ListSeatsResponse>, Status> {
        let directory = self.node.directory();
        let seats = directory.seats().iter().map(|seat| pb::Seat::of(seat.id, directory.seats())).collect();
        Ok(Response::new(pb::ListSeatsResponse { seats }))
    }

    async fn get_schema(&self, _: Request<pb::GetSchemaRequest>) -> Result<Response<pb::GetSchemaResponse>, Status> {
        Ok(Response::new(heliu_wire::schema::schema()))
    }
}
