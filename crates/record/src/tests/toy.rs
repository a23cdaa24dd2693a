//! A small township with two villages, and a kind of permit: under version 1 its owner approved it himself, since version 2
//! it takes a superior of all whom it concerns.

use std::sync::Arc;

use crate::change::{Change, Container, Draft, Note, Scalar};
use crate::derived::Plain;
use crate::history::History;
use crate::id::{Actor, Preimage, SeatId};
use crate::kind::{Class, Earlier, Field, Kind, Merge, State, StateMachine, ValueType, Writer, label};
use crate::scope::{CLASS, OWNER, seat_key};
use crate::seats::{Seat, Seats, Tier};

pub const TOWNSHIP: SeatId = SeatId([1; 16]);
pub const VILLAGE: SeatId = SeatId([2; 16]);
pub const NEIGHBOUR: SeatId = SeatId([3; 16]);

const NAME: Field =
    Field::new("name", Merge::Mv, ValueType::Text(40), Writer::Owner, label("名称", "name"), label("", ""));

const fn approval(machine: &'static StateMachine) -> Field {
    Field::new(
        "approval",
        Merge::State(machine),
        ValueType::Bool,
        Writer::Owner,
        label("批准", "approval"),
        label("", ""),
    )
}

const fn approved(writer: Writer) -> [State; 2] {
    [
        State::new("asked", label("已申请", "asked for"), 0, Writer::Owner, &[]),
        State::new("approved", label("已批准", "approved"), 1, writer, &["asked"]),
    ]
}

pub static BY_OWNER: &[Field] = &[NAME, approval(&StateMachine { states: &approved(Writer::Owner) })];
pub static BY_SUPERIOR: &[Field] = &[approval(&StateMachine { states: &approved(Writer::CommonSuperior) }), NAME];

pub const fn permit(version: u32, own: &'static [Field], earlier: &'static [Earlier]) -> Kind {
    Kind {
        name: "permit",
        version,
        class: Class::Scoped,
        label: label("许可", "permit"),
        help: label("一份许可", "a permit"),
        own,
        earlier,
        derived: &[],
        hard_rules: &[],
        read: |_| Arc::new(Plain),
    }
}

pub static PERMIT: Kind =
    permit(2, BY_SUPERIOR, &[Earlier { version: 1, class: Class::Scoped, own: BY_OWNER, read: |_| Arc::new(Plain) }]);

pub fn seats() -> Seats {
    let mut seats = Seats::default();
    let seat = |id, code: &str, parent, tier| Seat { id, code: code.to_owned(), name: code.to_owned(), parent, tier };
    for seat in [
        seat(TOWNSHIP, "371726101000", None, Tier::Township),
        seat(VILLAGE, "371726101201", Some(TOWNSHIP), Tier::Village),
        seat(NEIGHBOUR, "371726101202", Some(TOWNSHIP), Tier::Village),
    ] {
        seats.add(seat).expect("the seats form a tree");
    }
    seats
}

pub fn preimage() -> Preimage {
    Preimage { kind: "permit".to_owned(), birth: VILLAGE, key: vec![1; 16] }
}

/// A change of a seat on top of everything in `past`.
pub fn change(by: SeatId, past: &History, puts: Vec<(Container, String, Scalar)>) -> Change {
    let actor = Actor(by.0);
    Change::encode(Draft {
        actor,
        seq: past.seq(actor) + 1,
        deps: past.heads(),
        start_op: past.max_op() + 1,
        time_ms: 0,
        note: Note::default(),
        puts: puts.into_iter().map(|(container, key, value)| (container, key, value, Vec::new())).collect(),
    })
}

/// The village asks for a permit that concerns its neighbour too.
pub fn asked() -> History {
    let mut history = History::new();
    let puts = vec![
        (Container::Scope, OWNER.to_owned(), Scalar::Bytes(VILLAGE.0.to_vec())),
        (Container::Scope, CLASS.to_owned(), "scoped".into()),
        (Container::Scope, seat_key(NEIGHBOUR), "i1".into()),
        (Container::Mv, "name".to_owned(), "井".into()),
    ];
    let first = change(VILLAGE, &history, puts);
    history.place(Arc::new(first));
    history
}

pub fn approves(by: SeatId, past: &History, entry: &str) -> Change {
    change(by, past, vec![(Container::Log, format!("approval/{entry}"), "approved".into())])
}
