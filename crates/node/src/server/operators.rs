//! Links, verifications, what was refused and what is stranded, as the messages of `heliu.operations.v1` say them.

use heliu_api::operations as pb;
use heliu_record::id::to_hex;
use heliu_record::reason::{Facts, Reason};
use heliu_replication::{Alarm, ForeignAuthor, Severity};
use heliu_storage::{Quarantined, RecordRow, RecordState, StrandedRow};
use heliu_trust::directory::Directory;
use heliu_wire::messages;

use super::words::{node_name, seat_of_node};
use crate::status::{LinkReport, LinkRole, LinkState, Outcome, RefusedPeer, Verification};

pub(super) fn link(link: LinkReport, directory: &Directory) -> pb::Link {
    let (last_error, last_error_ms) = match link.last_error {
        Some((error, at)) => (error, Some(at)),
        None => (String::new(), None),
    };
    pb::Link {
        peer_node: link.peer.map(|peer| peer.to_string()).unwrap_or_default(),
        peer_node_name: link.peer.map(|peer| node_name(peer, directory)).unwrap_or_default(),
        peer_seat: link.peer_seat.map(|seat| messages::seat(seat, directory.seats())),
        role: role(link.role).into(),
        address: if link.dialer { link.address } else { String::new() },
        state: state(link.state).into(),
        verified_since_ms: link.equal_since_ms,
        verified_last_ms: link.verified_ms,
        held_only: link.is_held_only,
        heard_ms: link.heard_ms,
        last_error,
        last_error_ms,
        last_error_code: link.trouble.map(|trouble| trouble.code().to_owned()).unwrap_or_default(),
        last_error_label: link.trouble.map(|trouble| (&trouble.words()).into()),
        last_error_over: link.is_trouble_over,
        misplaced: link.is_misplaced,
        lag: Some(pb::Lag {
            items: link.lag_items,
            bytes: link.lag_bytes,
            oldest_age_ms: u64::try_from(link.lag_age.as_millis()).unwrap_or(u64::MAX),
        }),
        in_flight_frames: link.in_flight_frames as u64,
        in_flight_bytes: link.in_flight_bytes as u64,
        acked_position: link.acked,
        received_position: link.received,
        reconciles: link.reconciled,
        round: u32::from(link.state == LinkState::Reconciling),
        frames_in: link.traffic.frames_in,
        frames_out: link.traffic.frames_out,
        bytes_in: link.traffic.bytes_in,
        bytes_out: link.traffic.bytes_out,
        refused: link.refused_there,
        peer_program: link.peer_program,
        connects: link.connects,
        clock_ahead_ms: link.clock_ahead_ms,
    }
}

fn role(role: LinkRole) -> pb::LinkRole {
    match role {
        LinkRole::Parent => pb::LinkRole::Parent,
        LinkRole::Child => pb::LinkRole::Child,
        LinkRole::Peer => pb::LinkRole::Peer,
    }
}

fn state(state: LinkState) -> pb::LinkState {
    match state {
        LinkState::Down => pb::LinkState::Down,
        LinkState::Connecting => pb::LinkState::Connecting,
        LinkState::Directory => pb::LinkState::Directory,
        LinkState::Reconciling => pb::LinkState::Reconciling,
        LinkState::CatchingUp => pb::LinkState::CatchingUp,
        LinkState::Live => pb::LinkState::Live,
        LinkState::Refused => pb::LinkState::Refused,
    }
}

pub(super) fn verification(verified: &Verification, directory: &Directory) -> pb::Verification {
    let peer = verified.peer.map(|peer| peer.to_string()).unwrap_or_default();
    let peer_seat = verified.peer_seat.map(|seat| messages::seat(seat, directory.seats()));
    let address = if verified.dialer { verified.address.clone() } else { String::new() };
    let said = pb::Verification {
        peer_node: peer,
        peer_seat,
        outcome: outcome(verified.outcome).into(),
        address,
        misplaced: verified.is_misplaced,
        sums_proven: verified.are_sums_proven,
        ..pb::Verification::default()
    };
    let Some(cut) = verified.cut else { return said };
    pb::Verification {
        records: cut.sums.records,
        held: to_hex(&cut.sums.held.0),
        admitted: to_hex(&cut.sums.admitted.0),
        mine: cut.mine,
        yours: cut.yours,
        ..said
    }
}

fn outcome(outcome: Outcome) -> pb::Outcome {
    match outcome {
        Outcome::Equal => pb::Outcome::Equal,
        Outcome::HeldEqual => pb::Outcome::HeldEqual,
        Outcome::JudgedDifferently => pb::Outcome::JudgedDifferently,
        Outcome::Different => pb::Outcome::Different,
        Outcome::MovedOn => pb::Outcome::MovedOn,
        Outcome::NotConnected => pb::Outcome::NotConnected,
        Outcome::TimedOut => pb::Outcome::TimedOut,
    }
}

pub(super) fn quarantined(listed: &Quarantined, directory: &Directory) -> pb::Quarantined {
    let row = &listed.row;
    pb::Quarantined {
        id: to_hex(&row.id),
        record: row.record.map(|record| record.to_string()).unwrap_or_default(),
        from_node: row.from.map(|node| node.to_string()).unwrap_or_default(),
        from_seat: row.from.and_then(|node| seat_of_node(node, directory)),
        why: Some((&Reason { code: row.code.clone(), facts: Facts::read(&row.reason) }).into()),
        at_ms: row.at_ms,
        bytes: listed.len,
    }
}

/// A leaf's status, or that it has to come again, as the API says it.
pub(super) fn outcome_of_requeue(code: &str) -> String {
    let outcome = match code {
        "admitted" | "held" => code,
        "awaited" => "asked",
        _ if code.starts_with("waiting") || code.starts_with("held") => "held",
        _ => "refused",
    };
    outcome.to_owned()
}

pub(super) fn alarm(alarm: Alarm) -> pb::Alarm {
    let severity = match alarm.severity {
        Severity::Critical => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    pb::Alarm {
        code: alarm.code.to_owned(),
        severity: severity.to_owned(),
        what: Some((&alarm.what).into()),
        next: Some((&alarm.next).into()),
        subject: alarm.subject,
        at_ms: alarm.at_ms,
    }
}

pub(super) fn foreign(author: &ForeignAuthor, directory: &Directory) -> pb::ForeignAuthor {
    pb::ForeignAuthor {
        seat: Some(messages::seat(author.seat, directory.seats())),
        leaves: author.leaves,
        leaves_max: author.leaves_max,
        records_outside: author.records_outside as u64,
        declined: author.is_declined,
    }
}

pub(super) fn stranded(row: &RecordRow, edit: Option<&StrandedRow>, stranding: pb::Stranding) -> pb::Stranded {
    let why = edit.map(|edit| Reason::read(&edit.reason)).filter(|why| !why.code.is_empty());
    pb::Stranded {
        record: row.id.to_string(),
        kind: row.preimage.kind.clone(),
        stranding: stranding.into(),
        why: why.as_ref().map(Into::into),
        leaves: row.leaves,
        since_position: if let RecordState::Hidden { since } = row.state { since } else { 0 },
        edit: edit.map(|edit| edit.leaf.to_string()).unwrap_or_default(),
    }
}

/// What of a status is for who is no operator of the node: which node it is and how its clock stands. How much it holds,
/// whom it refused and what ails it is left out.
pub(super) fn in_part(whole: pb::GetStatusResponse) -> pb::GetStatusResponse {
    pb::GetStatusResponse {
        in_part: true,
        node: whole.node,
        node_name: whole.node_name,
        seat: whole.seat,
        realm: whole.realm,
        directory_len: whole.directory_len,
        directory_head: whole.directory_head,
        uptime_ms: whole.uptime_ms,
        version: whole.version,
        now_ms: whole.now_ms,
        certificate_not_after_ms: whole.certificate_not_after_ms,
        alarms: whole.alarms,
        alarms_grave: whole.alarms_grave,
        ..pb::GetStatusResponse::default()
    }
}

pub(super) fn refused(refused: RefusedPeer) -> pb::RefusedPeer {
    pb::RefusedPeer {
        at_ms: refused.at_ms,
        address: refused.address.to_string(),
        why: Some((&Reason { code: refused.code.to_owned(), facts: refused.facts }).into()),
        node: refused.node.map(|node| node.to_string()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use heliu_record::conflict::Explanation;

    use super::*;

    #[test]
    fn an_alarm_that_can_wait_is_not_told_as_a_warning() {
        let of = |severity| {
            let words = Explanation::new("x", "x");
            let (what, next) = (words.clone(), words);
            alarm(Alarm { code: "x", severity, what, next, subject: String::new(), at_ms: 0 }).severity
        };
        assert_eq!([Severity::Critical, Severity::Warning, Severity::Info].map(of), ["error", "warning", "info"]);
    }
}
