//! `heliu.operations.v1`: what operators ask. Lists come from the store, links and status from the engine's task.

use std::sync::Arc;
use std::time::Duration;

use heliu_record::conflict::ConflictId;
use heliu_record::id::{LeafHash, RecordId, from_hex, to_hex};
use heliu_replication::Severity;
use heliu_storage::{ConflictQuery, ConflictRow, Position, QuarantineRow, Quarantined, Read, StoreError, StrandedRow};
use heliu_wire::operations as pb;
use heliu_wire::operations::operations_service_server::OperationsService;
use heliu_wire::records::Seat;
use tonic::{Request, Response, Status};

use super::acting::{actor, of_order};
use super::operators;
use super::pages::Page;
use super::records::LOOKED_PAGES;
use super::refusals::{ambiguous, known, not_here, of_ask, of_read};
use super::scope::{all_visible, caller};
use super::words::{after, digits, node_name, record_id};
use super::{conflicts, pages};
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

    fn page_bytes(&self) -> usize {
        self.node.0.bounds.page_bytes
    }

    /// These, as a list shows them.
    async fn listed(&self, rows: Vec<ConflictRow>) -> Result<Vec<pb::Conflict>, Status> {
        let (directory, bytes) = (self.node.directory(), self.page_bytes() / 16);
        // A long body is read through: that would hold up others on this thread.
        let listed = move || rows.iter().map(|row| conflicts::listed(row, bytes, &directory)).collect();
        tokio::task::spawn_blocking(listed).await.map_err(|error| Status::internal(error.to_string()))
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
        let query = ConflictQuery { after: before(first), limit: 2, ..ConflictQuery::default() };
        let mut rows = self.store.conflicts(&query).await?.rows;
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

    async fn list_links(&self, request: Request<pb::ListLinksRequest>) -> Answer<pb::ListLinksResponse> {
        let asked = request.into_inner();
        let links = self.node.links().await.map_err(|error| of_ask(&error))?;
        let directory = self.node.directory();
        let links = links.into_iter().map(|link| operators::link(link, &directory));
        let (links, next) = pages::of(links, &asked.after, asked.limit, self.page_bytes())?;
        Ok(Response::new(pb::ListLinksResponse { links, next }))
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
        let bytes = self.page_bytes();
        let mut page = Page::new(pages::rows(asked.limit), bytes);
        let mut query = ConflictQuery {
            kind: Some(asked.kind).filter(|kind| !kind.is_empty()),
            anchor: match asked.record.as_str() {
                "" => None,
                given => Some(record_id(&*self.store, given, "record").await?),
            },
            after: after::<ConflictId>(&asked.after)?.map(|id| id.0),
            limit: page.rest(),
            bytes,
        };
        let mut looked = 0;
        // What the bearer may not see is left out after it has been read.
        while !page.is_full() && looked < LOOKED_PAGES * bytes {
            let found = self.store.conflicts(&query).await.map_err(|error| of_read(&error))?;
            looked += found.rows.iter().map(|row| row.body.len()).sum::<usize>();
            let mut before = query.after;
            query.after = found.next;
            let mut open = Vec::with_capacity(found.rows.len());
            for row in found.rows {
                if all_visible(&*self.store, &self.node, &caller, &row.anchors).await? {
                    open.push(row);
                }
            }
            let ids: Vec<[u8; 32]> = open.iter().map(|row| row.id).collect();
            for (conflict, id) in self.listed(open).await?.into_iter().zip(ids) {
                if !page.take(conflict) {
                    query.after = before;
                    break;
                }
                before = Some(id);
            }
            query.limit = page.rest().max(1);
            if query.after.is_none() {
                break;
            }
        }
        let next = query.after.map(|id| to_hex(&id)).unwrap_or_default();
        Ok(Response::new(pb::ListConflictsResponse { conflicts: page.into_items(), next }))
    }

    async fn get_conflict(&self, request: Request<pb::GetConflictRequest>) -> Answer<pb::GetConflictResponse> {
        let caller = caller(&request)?;
        let asked = request.into_inner();
        let id = digits(&asked.id, 64, "id")?;
        let from = after::<usize>(&asked.after)?.unwrap_or(0);
        let mut found = self.conflicts_with(&id).await.map_err(|error| of_read(&error))?;
        if let [row] = &found[..]
            && !all_visible(&*self.store, &self.node, &caller, &row.anchors).await?
        {
            found.clear();
        }
        match <[ConflictRow; 1]>::try_from(found) {
            Ok([row]) => {
                let (directory, bytes) = (self.node.directory(), self.page_bytes());
                let shown = move || conflicts::shown(&row, from, pages::rows(asked.limit), bytes, &directory);
                let shown = tokio::task::spawn_blocking(shown).await;
                shown.map(Response::new).map_err(|error| Status::internal(error.to_string()))
            }
            Err(none) if none.is_empty() => {
                let (zh, en) = (format!("没有未决冲突 {id}。"), format!("There is no open conflict {id}."));
                let refusal = not_here("id", &zh, &en)
                    .why("它可能已经处置,或从未有过。", "It may have been settled, or never was.")
                    .next("heliu conflicts list 列出未决冲突。", "heliu conflicts list shows those that are open.");
                Err(refusal.into())
            }
            Err(_) => Err(ambiguous("id", &id).into()),
        }
    }

    async fn list_quarantine(&self, request: Request<pb::ListQuarantineRequest>) -> Answer<pb::ListQuarantineResponse> {
        let asked = request.into_inner();
        let (below, limit) = (after::<u64>(&asked.after)?, pages::rows(asked.limit));
        let rows = self.store.quarantined(below, limit + 1).await.map_err(|error| of_read(&error))?;
        let directory = self.node.directory();
        let (mut page, mut last, mut next) = (Page::new(limit, self.page_bytes()), None, String::new());
        for (looked, listed) in rows.iter().enumerate() {
            let wanted = asked.code.is_empty() || listed.row.code == asked.code;
            if looked == limit || (wanted && !page.take(operators::quarantined(listed, &directory))) {
                next = last.map(|last: u64| last.to_string()).unwrap_or_default();
                break;
            }
            last = Some(listed.number);
        }
        Ok(Response::new(pb::ListQuarantineResponse { items: page.into_items(), next }))
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

    async fn list_alarms(&self, request: Request<pb::ListAlarmsRequest>) -> Answer<pb::ListAlarmsResponse> {
        let asked = request.into_inner();
        let alarms = self.node.alarms().await.map_err(|error| of_ask(&error))?;
        let alarms = alarms.into_iter().map(operators::alarm);
        let (alarms, next) = pages::of(alarms, &asked.after, asked.limit, self.page_bytes())?;
        Ok(Response::new(pb::ListAlarmsResponse { alarms, next }))
    }

    async fn list_stranded(&self, request: Request<pb::ListStrandedRequest>) -> Answer<pb::ListStrandedResponse> {
        let asked = request.into_inner();
        let (from, limit) = (after::<usize>(&asked.after)?.unwrap_or(0), pages::rows(asked.limit));
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
            let (mut page, mut looked, mut next) = (Page::new(limit, self.page_bytes()), 0, String::new());
            for (number, (id, edit, stranding)) in ids.into_iter().enumerate().skip(from) {
                let row = if number < until { self.store.record(id).await? } else { None };
                looked += row.as_ref().map_or(0, |row| row.view.len());
                let shown = row.map(|row| operators::stranded(&row, edit.as_ref(), stranding));
                let is_full = number == until || looked > LOOKED_PAGES * self.page_bytes() && number > from;
                if is_full || !shown.is_none_or(|shown| page.take(shown)) {
                    next = number.to_string();
                    break;
                }
            }
            Ok::<_, StoreError>(pb::ListStrandedResponse { records: page.into_items(), next })
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
