//! What operators ask: the engine's links put together with what is known of their routes, and the node's own state.

use std::collections::BTreeMap;
use std::sync::Arc;

use heliu_record::id::SeatId;
use heliu_replication::{LinkId, LinkStatus};
use heliu_storage::{ReadMeta, StoreError, StoreId};

use super::Running;
use crate::error::AskError;
use crate::inbox::Answer;
use crate::routes::{Route, State, is_misplaced};
use crate::status::{LinkReport, LinkRole, LinkState, NodeStatus};
use crate::zone;

impl Running {
    pub(super) fn report_status(&self, answer: Answer<NodeStatus, AskError>) {
        let (engine, inner) = (&self.run.engine, &self.run.inner);
        let directory = engine.directory();
        let (refusals, recent_refusals) = inner.connections.refused.report(&inner.clock);
        let secured = inner.secured.as_ref();
        let problems = secured.into_iter().flat_map(|s| s.certificate.problems().into_iter().chain(s.doors.problem()));
        let status = NodeStatus {
            node: inner.node,
            seat: inner.seat,
            realm: directory.realm(),
            program: self.run.program.clone(),
            meta: engine.meta().clone(),
            counts: heliu_storage::row::Counts::default(),
            directory_len: directory.len(),
            directory_head: directory.head(),
            uptime: inner.clock.uptime(),
            read_only: self.run.read_only.borrow().clone(),
            now_ms: inner.clock.now().wall_ms,
            certificate_not_after_ms: secured.map(|s| s.certificate.not_after_ms()),
            problems: problems.collect(),
            refusals,
            recent_refusals,
            unread_bytes: inner.connections.unread.bytes() as u64,
            is_issuer: self.is_issuer(),
            alarms: self.alarms(),
            pending_wraps: engine.unread() as u64,
            time_zone: directory.time_zone().to_owned(),
            today: zone::today(directory, inner.clock.wall_ms()),
        };
        let store = Arc::clone(&self.run.store);
        tokio::spawn(async move {
            let counts = store.counts().await;
            let _ = answer.send(counts.map(|counts| NodeStatus { counts, ..status }).map_err(AskError::Store));
        });
    }

    pub(super) fn report_links(&self, answer: Answer<Vec<LinkReport>, AskError>) {
        let known: BTreeMap<LinkId, LinkStatus> =
            self.run.engine.links().into_iter().map(|status| (status.link, status)).collect();
        let mut reports: Vec<(LinkReport, Option<StoreId>)> = Vec::new();
        for route in self.run.inner.routes.all() {
            let state = route.state();
            if self.is_gone(&route, &state) {
                continue;
            }
            let status = state.link.and_then(|link| known.get(&link));
            let store = state.store;
            reports.push((self.report(&route, state, status), store));
        }
        let store = Arc::clone(&self.run.store);
        tokio::spawn(async move {
            let _ = answer.send(with_positions(&*store, reports).await.map_err(AskError::Store));
        });
    }

    /// Since when the other ends are behind is seen as time passes, not when somebody looks.
    pub(super) fn note_who_is_behind(&self) {
        let links = self.run.engine.links();
        for route in self.run.inner.routes.all() {
            let link = route.link();
            let status = links.iter().find(|status| Some(status.link) == link);
            route.behind(status.is_none_or(is_behind));
        }
    }

    fn report(&self, route: &Route, state: State, status: Option<&LinkStatus>) -> LinkReport {
        let clock = &self.run.inner.clock;
        let now = clock.now();
        let directory = self.run.engine.directory();
        let peer_seat = state.peer.and_then(|peer| directory.node(peer)).map(|info| info.seat);
        let head = self.run.engine.meta().head;
        let behind = status.is_none_or(is_behind);
        let phase = phase_of(&state, status);
        let acked = status.map_or(0, |status| status.acked);
        let is_agreed = matches!(phase, LinkState::Live | LinkState::Reconciling | LinkState::CatchingUp);
        let ago = |at: u64| i64::try_from(now.tick_ms.saturating_sub(at)).unwrap_or(i64::MAX);
        let at = |tick: Option<u64>| tick.map(|at| now.wall_ms.saturating_sub(ago(at)));
        LinkReport {
            role: match (route.configured, peer_seat) {
                (Some(role), None) => role,
                _ => self.role(peer_seat),
            },
            is_misplaced: self.is_misplaced(route, peer_seat),
            dialer: route.configured.is_some(),
            peer: state.peer,
            peer_seat,
            state: phase,
            equal_since_ms: at(status.and_then(|status| status.equal_since)),
            verified_ms: at(status.and_then(|status| status.verified_at)),
            is_held_only: status.is_some_and(|status| status.held_only),
            heard_ms: route.meter.last_heard().map(|then| then.wall_ms(clock)),
            lag_items: match phase {
                LinkState::Live => Some(0),
                LinkState::Reconciling | LinkState::CatchingUp => Some(head.saturating_sub(acked)),
                // What a link that is down is behind by is not known before it is up again.
                LinkState::Down | LinkState::Connecting | LinkState::Directory | LinkState::Refused => None,
            },
            lag_bytes: status.map_or(0, |status| status.in_flight_bytes as u64),
            lag_age: route.behind(behind),
            in_flight_frames: status.map_or(0, |status| status.in_flight_frames),
            in_flight_bytes: status.map_or(0, |status| status.in_flight_bytes),
            acked,
            received: 0,
            reconciled: status.map_or(0, |status| status.reconciled),
            refused_there: status.map_or(0, |status| status.refused_there),
            traffic: route.meter.traffic(),
            connects: state.connects,
            address: state.address,
            peer_program: state.program,
            clock_ahead_ms: state.clock.map(|other| other.ahead_ms(clock)),
            trouble: state.last_error.as_ref().map(|(cause, _)| cause.trouble),
            is_trouble_over: is_agreed && state.last_error.is_some(),
            last_error: state.last_error.map(|(cause, then)| (cause.detail, then.wall_ms(clock))),
        }
    }

    /// A node that the county has fenced does not come back: where no connection of its is left, there is nothing to show.
    pub(super) fn is_gone(&self, route: &Route, state: &State) -> bool {
        let is_fenced = |peer| self.run.engine.directory().is_fenced(peer);
        route.configured.is_none() && state.link.is_none() && state.peer.is_some_and(is_fenced)
    }

    pub(super) fn is_misplaced(&self, route: &Route, peer: Option<SeatId>) -> bool {
        let seats = self.run.engine.directory().seats();
        let (role, own) = (route.configured, self.run.inner.seat);
        role.zip(peer).is_some_and(|(role, peer)| is_misplaced(role, own, peer, seats))
    }

    fn role(&self, peer: Option<SeatId>) -> LinkRole {
        let (own, seats) = (self.run.inner.seat, self.run.engine.directory().seats());
        match peer {
            Some(peer) if peer != own && seats.is_at_or_above(own, peer) => LinkRole::Child,
            Some(peer) if peer != own && seats.is_at_or_above(peer, own) => LinkRole::Parent,
            _ => LinkRole::Peer,
        }
    }
}

fn is_behind(status: &LinkStatus) -> bool {
    status.phase != "in step"
}

fn phase_of(state: &State, status: Option<&LinkStatus>) -> LinkState {
    match status.map(|status| status.phase) {
        Some("in step") => LinkState::Live,
        Some("reconciling") => LinkState::Reconciling,
        Some("catching up") => LinkState::CatchingUp,
        Some("greeting" | "directory" | "welcoming") => LinkState::Directory,
        Some(_) | None if state.refused => LinkState::Refused,
        Some(_) | None if state.connecting || state.link.is_some() => LinkState::Connecting,
        Some(_) | None => LinkState::Down,
    }
}

/// How far this node has the other's feed is the store's to say.
async fn with_positions(
    store: &dyn ReadMeta,
    reports: Vec<(LinkReport, Option<StoreId>)>,
) -> Result<Vec<LinkReport>, StoreError> {
    let mut all = Vec::with_capacity(reports.len());
    for (mut report, peer) in reports {
        if let Some(peer) = peer {
            report.received = store.cursor(peer).await?.map_or(0, |cursor| cursor.position);
        }
        all.push(report);
    }
    Ok(all)
}
