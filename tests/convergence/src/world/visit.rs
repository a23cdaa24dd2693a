//! Connections whose one end the simulator plays by hand: a node that answers as one would that has everything, hands over
//! what it has prepared, and goes. For the scribe, and for hostile hands.

use heliu_record::id::SeatId;
use heliu_replication::frame::{Delivery, Frame, Hello, Leaves, WIRE_VERSIONS, Welcome};
use heliu_storage::{Cursor, StoreId};
use heliu_trust::id::{Incarnation, NodeId};

use super::World;
use super::wire::{Side, WireId};

/// Who comes, and with what.
pub struct Visit {
    pub node: NodeId,
    pub seat: SeatId,
    pub store: StoreId,
    pub incarnation: Incarnation,
    /// Said once the other end has welcomed the visitor; the last of them is acknowledged, or the visitor is turned away.
    pub frames: Vec<Frame>,
    /// Whether to ask for all that there is.
    pub is_curious: bool,
    pub is_hostile: bool,
}

impl Visit {
    /// Frames that hand over deliveries, one after the other.
    #[must_use]
    pub fn handing_over(deliveries: Vec<Delivery>) -> Vec<Frame> {
        let numbered = (1..).zip(deliveries);
        numbered
            .map(|(sequence, delivery)| {
                Frame::Leaves(Leaves { sequence, delivery, withdrawn: Vec::new(), through: None })
            })
            .collect()
    }

    /// The sequence of the last leaves frame: with its acknowledgement the visit is over.
    fn last(&self) -> u64 {
        let sequence = |frame: &Frame| if let Frame::Leaves(leaves) = frame { Some(leaves.sequence) } else { None };
        self.frames.iter().rev().find_map(sequence).unwrap_or(0)
    }
}

impl World {
    pub(super) fn visit(&mut self, machine: usize, visit: Visit) {
        let wire = self.connect_by_hand(machine);
        self.visits.insert(wire, visit);
    }

    pub(super) fn visitor_hears(&mut self, id: WireId, frame: &Frame) {
        let Some(visit) = self.visits.get(&id) else { return };
        if visit.is_hostile {
            let seat = visit.seat;
            self.note_disclosed(seat, frame);
        }
        let Some(visit) = self.visits.get_mut(&id) else { return };
        let answers = match frame {
            Frame::Hello(hello) => {
                let machine = self.machines.iter().find(|m| m.disk.meta().store == hello.store);
                let head = machine.map_or(0, |machine| machine.disk.meta().head);
                let position = if visit.is_curious { 0 } else { head };
                let cursor = Cursor { store: hello.store, incarnation: hello.incarnation, position };
                let Visit { node, store, incarnation, .. } = *visit;
                let program = "by hand".to_owned();
                let versions = (*WIRE_VERSIONS.start(), *WIRE_VERSIONS.end());
                let own = Hello { node, store, incarnation, versions, program, ..hello.clone() };
                vec![Frame::Hello(own), Frame::Welcome(Welcome { cursor: Some(cursor), ..Welcome::default() })]
            }
            Frame::Welcome(_) => visit.frames.clone(),
            Frame::Ack { sequence } if *sequence < visit.last() => Vec::new(),
            Frame::Ack { .. } | Frame::Refuse(_) => {
                self.hang_up_by_hand(id);
                Vec::new()
            }
            _ => Vec::new(),
        };
        for frame in answers {
            self.put_under_way(id, Side::Dialed, frame);
        }
    }
}
