//! `heliu.operations.v1`: what operators ask. Lists come from the store, links and status from the engine's task.

use std::sync::Arc;
use std::time::Duration;

use heliu_record::conflict::Conflict;
use heliu_record::id::{LeafHash, RecordId, from_hex, to_hex};
use heliu_replication::Severity;
use heliu_storage::{ConflictRow, Position, QuarantineRow, Quarantined, Read, StoreError, StrandedRow};
use heliu_wire::operations as pb;
use heliu_wire::operations::operations_service_server::OperationsService;
use heliu_wire::records::Seat;
use tonic::{Request, Response, Status};

use super::acting::{actor, of_order};
use super::operators;
use super::refusals::{ambiguous, known, not_here, of_ask, of_read};
use super::scope::{all_visible, caller};
use super::words::{after, digits, node_name, page, record_id};
use crate::access::Role;
use crate::handle::NodeHandle;

/// Open stranded edits among which one is looked for.
const STRANDED: usize = 4_096;

type Answer<T> = Result<Response<T>, Status>;

pub(super) struct Operations<S> {
    node: NodeHandle,
    store: Arc<S>,
}

impl<S: Read> Operations<S> {
    pub fn new(node: NodeHandle, store: Arc<S>) -> Self {
        Operations { node, store }
    }

    /// A stored conflict as a message; one that another version wrote and this one cannot read has its body alone.
    fn conflict(&self, row: &ConflictRow, with_body: bool) -> pb::Conflict {
        let body = String::from_utf8_lossy(&row.body).into_owned();
        let shown = if with_body { body } else { String::new() };
        match serde_json::from_slice::<Conflict>(&row.body) {
            Ok(conflict) => heliu_wire::conflict(&conflict, self.node.directory().seats(), shown),
            Err(_) => pb::Conflict {
                id: to_hex(&row.id),
                kind: row.kind.clone(),
                records: row.anchors.iter().map(ToString::to_string).collect(),
                body_json: shown,
                ..pb::Conflict::default()
            },
        }
    }

    /// The one row of the quarantine that an id or a beginning of it names.
    async fn quarantined(&self, text: &str) -> Result<QuarantineRow, Status> {
        let prefix = digits(text, 64, "id")?;
        let found = self.store.quarantined_by_prefix(&prefix).await.map_err(|error| of_read(&error))?;
        match <[QuarantineRow; 1]>::try_from(found) {
            Ok([row]) => Ok(row),
            Err(none) if none.is_empty() => {
                let (zh, en) = (format!("隔离区中没有 {prefix}。"), format!("There is no {prefix} in the quarantine."));
                let next = ("heliu quarantine list 列出各项。", "heliu quarantine list shows what is in it.");
                Err(not_here("id", &zh, &en).next(next.0, next.1).into())
            }
            Err(_) => Err(ambiguous("id", &prefix).into()),
        }
    }

    /// The open stranded edit that a leaf or a beginning of it names.
    async fn stranded_edit(&self, text: &str) -> Result<LeafHash, Status> {
        let prefix = digits(text, 64, "edit")?;
        let rows = self.store.stranded(STRANDED).await.map_err(|error| of_read(&error))?;
        let mut found = rows.iter().filter(|row| row.leaf.to_string().starts_with(&prefix));
        match (found.next(), found.next()) {
            (Some(row), None) => Ok(row.leaf),
            (None, _) => {
                let (zh, en) = (format!("没有搁置的改动 {prefix}。"), format!("There is no stranded edit {prefix}."));
                let next = ("heliu stranded list 列出各项。", "heliu stranded list shows them.");
                Err(not_here("edit", &zh, &en).next(next.0, next.1).into())
            }
            _ => Err(ambiguous("edit", &prefix).into()),
        }
    }

    /// At most two open conflicts whose id begins with these digits.
    async fn conflicts_with(&self, prefix: &str) -> Result<Vec<ConflictRow>, StoreError> {
        let padded = format!("{prefix:0<64}");
        let Some(first) = from_hex::<32>(&padded) else { return Ok(Vec::new()) };
        let mut rows = self.store.conflicts(before(first), 2).await?;
        rows.retain(|row| to_hex(&row.id).starts_with(prefix));
        Ok(rows)
    }
}

/// The id just before one; none before the first.
fn before(mut id: [u8; 32]) -> Option<[u8; 32]> {
    for byte in id.iter_mut().rev() {
        let (less, borrow) = byte.overflowing_sub(1);
        *byte = less;
        if !borrow {
            return Some(id);
        }
    }
    None
}

#[tonic::async_trait]
impl<S: Read + 'static> OperationsService for Operations<S> {
    async fn get_status(&self, _: Request<pb::GetStatusRequest>) -> Answer<pb::GetStatusResponse> {
        let status = self.node.status().await.map_err(|error| of_ask(&error))?;
        let directory = self.node.directory();
        Ok(Response::new(pb::GetStatusResponse {
            node: status.node.to_string(),
            node_name: node_name(status.node, &directory),
            seat: Some(Seat::of(status.seat, directory.seats())),
            realm: status.realm.to_string(),
            store: status.meta.store.to_string(),
            store_head: status.meta.head,
            incarnation: status.meta.incarnations.last().map(|(id, _)| id.to_string()).unwrap_or_default(),
            counts: Some(status.counts.into()),
            directory_len: status.directory_len,
            directory_head: status.directory_head.to_string(),
            uptime_ms: u64::try_from(status.uptime.as_millis()).unwrap_or(u64::MAX),
            version: status.program,
            read_only_reason: status.read_only.unwrap_or_default(),
            now_ms: status.now_ms,
            certificate_not_after_ms: status.certificate_not_after_ms,
            problems: status.problems,
            refusals: status.refusals,
            recent_refusals: status.recent_refusals.into_iter().map(operators::refused).collect(),
            unread_bytes: status.unread_bytes,
            issuer: status.is_issuer,
            alarms: status.alarms.len() as u64,
            alarms_grave: status.alarms.iter().filter(|alarm| alarm.severity == Severity::Critical).count() as u64,
            pending_wraps: status.pending_wraps,
        }))
    }

    async fn list_links(&self, _: Request<pb::ListLinksRequest>) -> Answer<pb::ListLinksResponse> {
        let links = self.node.links().await.map_err(|error| of_ask(&error))?;
        let directory = self.node.directory();
        let links = links.into_iter().map(|link| operators::link(link, &directory)).collect();
        Ok(Response::new(pb::ListLinksResponse { links }))
    }

    async fn verify(&self, request: Request<pb::VerifyRequest>) -> Answer<pb::VerifyResponse> {
        let asked = request.into_inner();
        let timeout = Duration::from_millis(asked.timeout_ms.into());
        let verified = self.node.verify(&asked.peer, timeout).await.map_err(|error| of_ask(&error))?;
        let directory = self.node.directory();
        let verifications = verified.iter().map(|one| operators::verification(one, &directory)).collect();
        Ok(Response::new(pb::VerifyResponse { verifications }))
    }

    async fn list_conflicts(&self, request: Request<pb::ListConflictsRequest>) -> Answer<pb::ListConflictsResponse> {
        let caller = caller(&request)?;
        let asked = request.into_inner();
        known("kind", &asked.kind, heliu_record::rules::all().iter().flat_map(|rule| rule.finds.iter().copied()))?;
        let limit = page(asked.limit);
        let wanted = |row: &ConflictRow| asked.kind.is_empty() || row.kind == asked.kind;
        let mut from = after::<heliu_record::conflict::ConflictId>(&asked.after)?.map(|id| id.0);
        let mut rows: Vec<ConflictRow> = Vec::new();
        let mut is_last = false;
        if asked.record.is_empty() {
            while rows.len() < limit && !is_last {
                let read = limit - rows.len();
                let found = self.store.conflicts(from, read).await.map_err(|error| of_read(&error))?;
                is_last = found.len() < read;
                from = found.last().map(|row| row.id).or(from);
                rows.extend(found.into_iter().filter(wanted));
            }
        } else {
            let id = record_id(&*self.store, &asked.record, "record").await?;
            rows = self.store.conflicts_of(&[id]).await.map_err(|error| of_read(&error))?;
            rows.retain(|row| wanted(row) && from.is_none_or(|from| row.id > from));
            is_last = rows.len() <= limit;
            rows.truncate(limit);
            from = rows.last().map(|row| row.id);
        }
        if !caller.is_unlimited() {
            let mut open = Vec::with_capacity(rows.len());
            for row in rows {
                if all_visible(&*self.store, &self.node, &caller, &row.anchors).await? {
                    open.push(row);
                }
            }
            rows = open;
        }
        let next = from.filter(|_| !is_last).map(|id| to_hex(&id)).unwrap_or_default();
        let conflicts = rows.iter().map(|row| self.conflict(row, false)).collect();
        Ok(Response::new(pb::ListConflictsResponse { conflicts, next }))
    }

    async fn get_conflict(&self, request: Request<pb::GetConflictRequest>) -> Answer<pb::GetConflictResponse> {
        let caller = caller(&request)?;
        let id = digits(&request.into_inner().id, 64, "id")?;
        let mut found = self.conflicts_with(&id).await.map_err(|error| of_read(&error))?;
        if let [row] = &found[..]
            && !all_visible(&*self.store, &self.node, &caller, &row.anchors).await?
        {
            found.clear();
        }
        match &found[..] {
            [row] => Ok(Response::new(pb::GetConflictResponse { conflict: Some(self.conflict(row, true)) })),
            [] => {
                let (zh, en) = (format!("没有未决冲突 {id}。"), format!("There is no open conflict {id}."));
                let refusal = not_here("id", &zh, &en)
                    .why("它可能已经处置,或从未有过。", "It may have been settled, or never was.")
                    .next("heliu conflicts list 列出未决冲突。", "heliu conflicts list shows those that are open.");
                Err(refusal.into())
            }
            _ => Err(ambiguous("id", &id).into()),
        }
    }

    async fn list_quarantine(&self, request: Request<pb::ListQuarantineRequest>) -> Answer<pb::ListQuarantineResponse> {
        let asked = request.into_inner();
        let (below, limit) = (after::<u64>(&asked.after)?, page(asked.limit));
        let mut rows = self.store.quarantined(below, limit + 1).await.map_err(|error| of_read(&error))?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|last| last.number.to_string()).unwrap_or_default();
        let directory = self.node.directory();
        let wanted = rows.iter().filter(|listed| asked.code.is_empty() || listed.row.code == asked.code);
        let items = wanted.map(|listed| operators::quarantined(listed, &directory)).collect();
        Ok(Response::new(pb::ListQuarantineResponse { items, next }))
    }

    async fn get_quarantined(&self, request: Request<pb::GetQuarantinedRequest>) -> Answer<pb::GetQuarantinedResponse> {
        let row = self.quarantined(&request.into_inner().id).await?;
        let (bytes, len) = (row.bytes.clone(), row.bytes.len() as u64);
        let item = operators::quarantined(&Quarantined { number: 0, row, len }, &self.node.directory());
        Ok(Response::new(pb::GetQuarantinedResponse { item: Some(item), bytes }))
    }

    async fn requeue(&self, request: Request<pb::RequeueRequest>) -> Answer<pb::RequeueResponse> {
        let by = actor(&caller(&request)?, Role::Operate, "");
        let asked = request.into_inner();
        let row = self.quarantined(&asked.id).await?;
        let outcome = self.node.requeue(row.id, by, asked.reason).await.map_err(|error| of_order(&error))?;
        Ok(Response::new(pb::RequeueResponse { outcome: operators::outcome_of_requeue(&outcome) }))
    }

    async fn drop(&self, request: Request<pb::DropRequest>) -> Answer<pb::DropResponse> {
        let by = actor(&caller(&request)?, Role::Operate, "");
        let asked = request.into_inner();
        let row = self.quarantined(&asked.id).await?;
        self.node.drop_quarantined(row.id, by, asked.reason).await.map_err(|error| of_order(&error))?;
        Ok(Response::new(pb::DropResponse {}))
    }

    async fn reissue(&self, request: Request<pb::ReissueRequest>) -> Answer<pb::ReissueResponse> {
        let by = actor(&caller(&request)?, Role::Operate, "");
        let asked = request.into_inner();
        let leaf = self.stranded_edit(&asked.edit).await?;
        let leaf = self.node.reissue(leaf, by, asked.reason).await.map_err(|error| of_order(&error))?;
        Ok(Response::new(pb::ReissueResponse { leaf: leaf.to_string() }))
    }

    async fn discard(&self, request: Request<pb::DiscardRequest>) -> Answer<pb::DiscardResponse> {
        let by = actor(&caller(&request)?, Role::Operate, "");
        let asked = request.into_inner();
        let leaf = self.stranded_edit(&asked.edit).await?;
        self.node.discard(leaf, by, asked.reason).await.map_err(|error| of_order(&error))?;
        Ok(Response::new(pb::DiscardResponse {}))
    }

    async fn list_alarms(&self, _: Request<pb::ListAlarmsRequest>) -> Answer<pb::ListAlarmsResponse> {
        let alarms = self.node.alarms().await.map_err(|error| of_ask(&error))?;
        Ok(Response::new(pb::ListAlarmsResponse { alarms: alarms.into_iter().map(operators::alarm).collect() }))
    }

    async fn list_stranded(&self, request: Request<pb::ListStrandedRequest>) -> Answer<pb::ListStrandedResponse> {
        let asked = request.into_inner();
        let (from, limit) = (after::<usize>(&asked.after)?.unwrap_or(0), page(asked.limit));
        let until = from.saturating_add(limit);
        let read = async || {
            // Edits of this node are few, and somebody has to decide about each.
            let edits = self.store.stranded(until.saturating_add(1)).await?;
            let mut ids: Vec<(RecordId, Option<StrandedRow>, pb::Stranding)> =
                edits.into_iter().map(|edit| (edit.record, Some(edit), pb::Stranding::Edit)).collect();
            let hidden = self.store.hidden(Position::MAX).await?;
            ids.extend(hidden.into_iter().map(|id| (id, None, pb::Stranding::NotLetGo)));
            let waiting = self.store.wants(until.saturating_add(1)).await?;
            ids.extend(waiting.into_iter().map(|id| (id, None, pb::Stranding::Waiting)));
            let next = if ids.len() > until { until.to_string() } else { String::new() };
            let mut records = Vec::new();
            for (id, edit, stranding) in ids.into_iter().take(until).skip(from) {
                let row = self.store.record(id).await?;
                records.extend(row.map(|row| operators::stranded(&row, edit.as_ref(), stranding)));
            }
            Ok::<_, StoreError>(pb::ListStrandedResponse { records, next })
        };
        read().await.map(Response::new).map_err(|error| of_read(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::before;

    #[test]
    fn the_id_before_one_is_the_greatest_below_it() {
        let mut id = [0; 32];
        assert_eq!(before(id), None);
        id[30] = 1;
        let mut less = [0; 32];
        less[31] = 0xff;
        assert_eq!(before(id), Some(less));
    }
}
