//! A small township with two villages, and a kind of permit: under version 1 its owner approved it himself, since version 2
//! it takes a superior of all whom it concerns.

use std::sync::Arc;

use crate::change::{Change, Container, Draft, Note, Scalar};
use crate::handle::{FieldOf, StateOf, fields, mv, state};
use crate::history::History;
use crate::id::{Actor, Preimage, SeatId};
use crate::kind::{Earlier, Field, Kind, State, StateMachine, ValueType, Writer, label, word};
use crate::scope::{CLASS, OWNER, seat_key};
use crate::seats::{Seat, Seats, Tier};

pub const TOWNSHIP: SeatId = SeatId([1; 16]);
pub const VILLAGE: SeatId = SeatId([2; 16]);
pub const NEIGHBOUR: SeatId = SeatId([3; 16]);

static NAME: FieldOf<String> = mv("name", ValueType::Text(40), "名称", "name");

const fn approved(writer: Writer) -> [State; 2] {
    [
        State::new("asked", label("已申请", "asked for"), 0, Writer::Owner, &[]),
        State::new("approved", label("已批准", "approved"), 1, writer, &["asked"]),
    ]
}

static OWNERS: StateOf = state("approval", &StateMachine { states: &approved(Writer::Owner) }, "批准", "approval");
static SUPERIORS: StateOf =
    state("approval", &StateMachine { states: &approved(Writer::CommonSuperior) }, "批准", "approval");
pub static BY_OWNER: &[&Field] = fields![NAME, OWNERS];
pub static BY_SUPERIOR: &[&Field] = fields![SUPERIORS, NAME];

pub const fn permit(version: u32, own: &'static [&'static Field], earlier: &'static [Earlier]) -> Kind {
    Kind::scoped(word("permit", "许可", "permit"), version, "一份许可", "a permit").with(own).earlier(earlier)
}

pub static PERMIT: Kind = permit(2, BY_SUPERIOR, &[Earlier::scoped(1, BY_OWNER)]);

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
