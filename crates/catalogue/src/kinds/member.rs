//! 党员: one person, one record. Moves are entries in it, so that a person always counts once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliu_record::change::{Container, OpId, Scalar};
use heliu_record::decision;
use heliu_record::derived::Derived;
use heliu_record::history::Visible;
use heliu_record::id::{RecordId, SeatId};
use heliu_record::kind::DerivedPart;
use heliu_record::kind::{
    Class, Earlier, EntryState, Field, Kind, Label, Merge, Part, State, StateMachine, ValueType, Writer, label, word,
};
use heliu_record::seats::Tier;
use heliu_record::value::{record_of, seat_of};
use heliu_record::view::{Folding, object};
use serde_json::{Map, Value};

use crate::kinds::org::ORG;
use crate::kinds::word;

const DESTINATION: Writer = Writer::Party("to_seat");
const SUPERIOR: Writer = Writer::CommonAtLeast(Tier::Township);
const TOWNSHIP: Writer = Writer::AtLeast(Tier::Township);

const OWN: &[Field] = &[
    Field::new(
        "name",
        Merge::Mv,
        ValueType::Text(40),
        Writer::Owner,
        label("姓名", "name"),
        label("姓名", "the person's name"),
    )
    .required(),
    Field::new(
        "member_no",
        Merge::Lww,
        ValueType::Text(40),
        TOWNSHIP,
        label("党员编号", "member number"),
        label("不得使用身份证号", "never an identity card's number"),
    ),
    Field::new(
        "stage",
        Merge::State(&STAGE),
        ValueType::Text(500),
        Writer::Owner,
        label("发展阶段", "stage"),
        label("从申请人到正式党员,及其终结", "from applicant to full member, and how it ends"),
    ),
    Field::new(
        "joined_on",
        Merge::Mv,
        ValueType::Date,
        Writer::Owner,
        label("入党日期", "joining date"),
        label("接收为预备党员之日", "the day of admission on probation"),
    ),
    Field::new(
        "full_on",
        Merge::Mv,
        ValueType::Date,
        Writer::Owner,
        label("转正日期", "date of full membership"),
        label("转为正式党员之日", "the day of becoming a full member"),
    ),
    Field::new(
        "contact",
        Merge::Mv,
        ValueType::Text(60),
        Writer::Owner,
        label("联系方式", "contact"),
        label("电话或地址,密封保存", "a telephone number or an address; kept sealed"),
    )
    .sealed(),
    Field::new(
        "birth_date",
        Merge::Mv,
        ValueType::Date,
        Writer::Owner,
        label("出生日期", "birth date"),
        label("出生日期,密封保存", "the day of birth; kept sealed"),
    )
    .sealed(),
    Field::new(
        "person_digest",
        Merge::Mv,
        ValueType::Text(64),
        Writer::Owner,
        label("查重摘要", "person digest"),
        label(
            "证件号的加密摘要,用于查重,密封保存;不得填写证件号本身",
            "a keyed digest of an identity number, to find doubles; kept sealed, and never the number itself",
        ),
    )
    .sealed(),
    Field::new(
        "birth_branch",
        Merge::Lww,
        ORG,
        Writer::Creator,
        label("建档支部", "first branch"),
        label("建立本记录时的支部", "the branch when the record was made"),
    )
    .required(),
    Field::new(
        "admitted_on",
        Merge::Lww,
        ValueType::Date,
        Writer::Owner,
        label("编入日期", "date of admission to the branch"),
        label("编入建档支部之日;不填即入党日期", "when the first branch took the person in; else joined_on"),
    ),
    Field::new(
        "moves",
        Merge::Entries(&[
            Part::new("to_seat", ValueType::Seat, Writer::Owner, label("转入席位", "to seat")),
            Part::new("from_org", ORG, Writer::Owner, label("转出组织", "from")),
            Part::new("to_org", ORG, Writer::Owner, label("转入组织", "to")),
            Part::new("home_epoch", ValueType::Int, Writer::Owner, label("依据届次", "home epoch")),
            Part::new("letter_no", ValueType::Text(60), Writer::Owner, label("介绍信编号", "letter number")),
            Part::new("issued_on", ValueType::Date, Writer::Owner, label("开具日期", "issued on")),
            Part::new("valid_until", ValueType::Date, Writer::Owner, label("有效期至", "valid until")),
            Part::new("cancelled", ValueType::Date, Writer::Owner, label("撤回日期", "cancelled"))
                .closed_by(&["receipt", "decided"]),
            Part::new("received_on", ValueType::Date, DESTINATION, label("接收日期", "received on")).closed_by(&[
                "cancelled",
                "returned",
                "decided",
                "received_on",
            ]),
            Part::new("receipt", ValueType::Text(60), DESTINATION, label("回执", "receipt"))
                .closed_by(&["cancelled", "returned", "decided", "receipt"])
                .takes_ownership("to_seat"),
            Part::new("returned", ValueType::Date, DESTINATION, label("退回日期", "returned"))
                .closed_by(&["receipt", "decided"]),
            // What undoes a receipt is not the destination's to write.
            Part::new("overruled", ValueType::Date, SUPERIOR, label("裁定退回日期", "overruled on")),
            Part::new("decided", ValueType::Int, SUPERIOR, label("裁定届次", "decided epoch")),
            Part::new("decided_on", ValueType::Date, SUPERIOR, label("裁定日期", "decided on")),
        ]),
        ORG,
        Writer::Owner,
        label("组织关系转接", "moves"),
        label("介绍信、回执与裁定", "letters, receipts and decisions"),
    )
    .states(MOVE_STATES),
];

pub static KIND: Kind = Kind {
    name: word::MEMBER.name,
    version: 2,
    class: Class::Scoped,
    label: word::MEMBER.label,
    help: label("一人一条记录,组织关系转接记在其中", "one person, one record; moves are kept in it"),
    // Whatever cited the first was judged by the second too, from the day on which that came.
    earlier: &[Earlier { version: 1, class: Class::Scoped, own: OWN, read }],
    own: OWN,
    derived: &[
        DerivedPart::new("home_branch", label("所在支部", "home branch"), &[]),
        DerivedPart::new("home_epoch", label("归属届次", "home epoch"), &[]),
        DerivedPart::new("effective_home", label("现归属", "effective home"), &[]),
        DerivedPart::new(
            "pending",
            label("待办", "pending"),
            &[
                word("transfer_pending", "转接未接收", "transfer under way"),
                word("transfer_conflict", "转接有冲突", "transfer disputed"),
            ],
        ),
        DerivedPart::new("moves/late", label("逾期接收", "received late"), &[]),
    ],
    hard_rules: &[],
    read,
};

/// As [`MoveState::name`] names them. A superior's decision, and what takes one back, may come in any state.
static MOVE_STATES: &[EntryState] = &[
    EntryState::by("issued_on", "issued", "已开具,未接收", "issued"),
    EntryState::by("receipt", "confirmed", "已接收", "confirmed").from(&["issued"]),
    EntryState::derived("disputed", "有争议", "disputed"),
    EntryState::derived("stale", "依据已过时", "stale"),
    EntryState::by("returned", "returned", "已退回", "returned").from(&["issued", "stale", "early"]),
    EntryState::by("cancelled", "cancelled", "已撤回", "cancelled").from(&["issued", "stale", "early"]),
    EntryState::derived("early", "依据尚未到达", "early"),
];

static STAGE: StateMachine = StateMachine {
    states: &[
        State::new("applicant", label("入党申请人", "applicant"), 0, Writer::Owner, &[]),
        State::new("activist", label("积极分子", "activist"), 1, Writer::Owner, &["applicant"]),
        State::new("candidate", label("发展对象", "candidate"), 2, Writer::Owner, &["activist"]),
        State::new("probationary", label("预备党员", "probationary"), 3, Writer::Owner, &["candidate"]),
        State::new("full", label("正式党员", "full member"), 4, Writer::Owner, &["probationary", "suspended"]),
        State::new("suspended", label("停止党籍", "suspended"), 5, TOWNSHIP, &["probationary", "full"]),
        State::new("left", label("退党", "left"), 6, Writer::Owner, &["probationary", "full", "suspended"])
            .ending()
            .means(
                "退党是本人退出党组织、党籍终结,不是转出;转往其他支部请用 member.transfer.issue",
                "leaving ends the membership itself; it is not a move. To another branch a person goes by member.transfer.issue",
            ),
        State::new("removed", label("除名", "removed"), 7, TOWNSHIP, &["probationary", "full", "suspended"])
            .ending()
            .means("除名使党籍终结", "removal ends the membership"),
        State::new(
            "deceased",
            label("去世", "deceased"),
            8,
            Writer::Owner,
            &["applicant", "activist", "candidate", "probationary", "full", "suspended"],
        )
        .ending()
        .means("登记去世后,此人不再计入党员", "a person who has died is no longer counted"),
    ],
};

/// What rules read of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    pub stage: &'static str,
    /// Whether the stage is an end: the person no longer counts.
    pub ended: bool,
    /// The last home that nobody disputes.
    pub home: Option<Home>,
    /// Two or more branches that each hold a confirmed move of the next epoch.
    pub disputed: Vec<Home>,
    pub moves: Vec<Move>,
}

/// A branch that a person belongs to, and since which move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    pub org: RecordId,
    pub seat: SeatId,
    /// Counts the confirmed moves; the first branch is epoch 1. A letter cites the epoch that it moves from.
    pub epoch: i64,
    /// Empty if nobody said.
    pub since: String,
    /// The move that led here; none for the first branch.
    pub entry: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Move {
    pub entry: String,
    pub to_seat: Option<SeatId>,
    /// The home that it moves from.
    pub from_org: Option<RecordId>,
    pub to_org: Option<RecordId>,
    pub home_epoch: i64,
    pub letter_no: String,
    pub valid_until: String,
    pub received_on: String,
    pub cancelled: bool,
    /// By the destination.
    pub returned: bool,
    /// By a superior.
    pub overruled: bool,
    pub received: bool,
    /// The epoch that a superior's decision makes it begin.
    pub decided: Option<i64>,
    decided_ops: Vec<OpId>,
    pub decided_on: String,
    /// The puts of the receipt; of a letter without one, those that name its target.
    pub ops: Vec<OpId>,
    pub state: MoveState,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MoveState {
    #[default]
    Issued,
    Confirmed,
    /// Another move of the same epoch was confirmed too.
    Disputed,
    /// It cites a home that was left before, or that never was: no effect.
    Stale,
    Returned,
    Cancelled,
    /// It cites an epoch that this record has not reached.
    Early,
}

impl MoveState {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            MoveState::Issued => "issued",
            MoveState::Confirmed => "confirmed",
            MoveState::Disputed => "disputed",
            MoveState::Stale => "stale",
            MoveState::Returned => "returned",
            MoveState::Cancelled => "cancelled",
            MoveState::Early => "early",
        }
    }

    #[must_use]
    pub fn label(self) -> Label {
        MOVE_STATES
            .iter()
            .find(|state| state.word.name == self.name())
            .map_or(label("?", "?"), |state| state.word.label)
    }
}

impl Member {
    #[must_use]
    pub fn find_move(&self, entry: &str) -> Option<&Move> {
        self.moves.iter().find(|m| m.entry == entry)
    }

    /// Whether a letter is open: the person is still where it moves from, and nobody disputes that.
    #[must_use]
    pub fn is_open_letter(&self, entry: &str) -> bool {
        self.disputed.is_empty() && self.find_move(entry).is_some_and(|letter| letter.state == MoveState::Issued)
    }

    /// Folds the homes, from the first branch on: each next epoch by a decision, or else by the one confirmed move.
    fn fold_home(&mut self, first: Option<Home>) {
        let mut decided: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        let mut confirmed: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (index, at) in self.moves.iter().enumerate().filter(|(_, at)| at.counts()) {
            let claims = if at.decided.is_some() { &mut decided } else { &mut confirmed };
            claims.entry(at.claims()).or_default().push(index);
        }
        let mut homes: Vec<Home> = first.into_iter().collect();
        while let Some(home) = homes.last() {
            let next = home.epoch.saturating_add(1);
            let claims = [&decided, &confirmed].into_iter().filter_map(|by_epoch| by_epoch.get(&next));
            let mut claims = claims.map(|moves| self.claimed(home, moves)).find(|claims| !claims.is_empty());
            match claims.as_mut().map(|claims| (claims.len(), claims)) {
                None => break,
                Some((1, claims)) => homes.append(claims),
                Some((_, claims)) => {
                    self.disputed = std::mem::take(claims);
                    break;
                }
            }
        }
        self.home = homes.last().cloned();
        let states: Vec<MoveState> = self.moves.iter().map(|at| self.state_of(at, &homes)).collect();
        self.moves.iter_mut().zip(states).for_each(|(at, state)| at.state = state);
    }

    /// The branches to which moves lead from a home, each once. A move from elsewhere leads nowhere: it was written where
    /// another home was believed in, and whoever settled that did not choose it.
    fn claimed(&self, home: &Home, moves: &[usize]) -> Vec<Home> {
        let mut seen = BTreeSet::new();
        let claims = moves.iter().filter_map(|index| {
            let at = &self.moves[*index];
            let (org, seat) = (at.to_org?, at.to_seat?);
            let since = if at.decided.is_some() { &at.decided_on } else { &at.received_on };
            let leads = at.from_org == Some(home.org) && seen.insert(org);
            let (since, entry) = (since.clone(), Some(at.entry.clone()));
            leads.then_some(Home { org, seat, epoch: home.epoch.saturating_add(1), since, entry })
        });
        claims.collect()
    }

    fn state_of(&self, at: &Move, homes: &[Home]) -> MoveState {
        let epoch = self.home.as_ref().map_or(0, |h| h.epoch);
        let claims = at.claims();
        // The first home is that of epoch 1.
        let home = |epoch: i64| homes.get(usize::try_from(epoch.checked_sub(1)?).ok()?).map(|home| home.org);
        let leaves = |from: Option<RecordId>| from.is_some() && from == at.from_org;
        let is_from_home = leaves(home(claims.saturating_sub(1)));
        match at {
            _ if at.counts() && is_from_home && self.disputed.iter().any(|d| d.epoch == claims) => MoveState::Disputed,
            _ if at.counts() && is_from_home && home(claims).is_some_and(|org| Some(org) == at.to_org) => {
                MoveState::Confirmed
            }
            _ if at.returned || at.overruled => MoveState::Returned,
            _ if at.cancelled && !at.counts() => MoveState::Cancelled,
            _ if claims > epoch.saturating_add(1) => MoveState::Early,
            _ if at.counts() || claims <= epoch || !is_from_home => MoveState::Stale,
            _ => MoveState::Issued,
        }
    }
}

impl Move {
    /// Whether it asks to be the next home: received, or decided. A decision is undone by another, not by a date of return.
    fn counts(&self) -> bool {
        self.decided.is_some() || (self.received && !self.returned && !self.overruled)
    }

    /// The epoch that it would begin.
    fn claims(&self) -> i64 {
        self.decided.unwrap_or(self.home_epoch.saturating_add(1))
    }

    /// The puts by which it asks to be the next home.
    #[must_use]
    pub fn claim_ops(&self) -> &[OpId] {
        if self.decided.is_some() { &self.decided_ops } else { &self.ops }
    }

    fn read_part(&mut self, part: &str, values: &[Visible]) {
        let value = values.last().map_or(&Scalar::Null, |v| &v.value);
        let text = || value.as_text().unwrap_or_default().to_owned();
        let is_set = values.iter().any(|v| v.value != Scalar::Null);
        match part {
            "to_seat" => self.to_seat = seat_of(value),
            "to_org" => self.to_org = record_of(value),
            "home_epoch" => self.home_epoch = value.as_int().unwrap_or_default(),
            "letter_no" => self.letter_no = text(),
            "valid_until" => self.valid_until = text(),
            "received_on" => self.received_on = text(),
            "cancelled" => self.cancelled = is_set,
            "returned" => self.returned = is_set,
            "overruled" => self.overruled = is_set,
            "from_org" => self.from_org = record_of(value),
            "receipt" => self.received = is_set,
            // Two that each took the other's decision back have both decided.
            "decided" => {
                let decisions: Vec<&Visible> = values.iter().filter(|v| v.value.as_int().is_some()).collect();
                self.decided = decisions.last().and_then(|v| v.value.as_int());
                self.decided_ops = decisions.iter().map(|v| v.id).collect();
            }
            "decided_on" => self.decided_on = text(),
            _ => {}
        }
        // Keys come in order, `receipt` before `to_org`.
        if part == "receipt" || (part == "to_org" && self.ops.is_empty()) {
            self.ops = values.iter().map(|v| v.id).collect();
        }
    }
}

impl Derived for Member {
    fn annotate(&self, json: &mut Map<String, Value>) {
        let hex = |home: &Home| Value::String(home.org.to_string());
        if let Some(home) = &self.home {
            json.insert("home_branch".to_owned(), hex(home));
            json.insert("home_epoch".to_owned(), home.epoch.into());
            json.insert("effective_home".to_owned(), hex(home));
        }
        let mut pending: Vec<Value> = Vec::new();
        if !self.disputed.is_empty() {
            json.insert("home_branch_concurrent".to_owned(), self.disputed.iter().map(hex).collect());
            pending.push("transfer_conflict".into());
        }
        if self.moves.iter().any(|m| m.state == MoveState::Issued) {
            pending.push("transfer_pending".into());
        }
        if !pending.is_empty() {
            json.insert("pending".to_owned(), Value::Array(pending));
        }
        for at in &self.moves {
            if let Some(entry) = object(json, "moves").and_then(|all| object(all, &at.entry)) {
                entry.insert("state".to_owned(), at.state.name().into());
                if at.received && !at.valid_until.is_empty() && at.received_on > at.valid_until {
                    entry.insert("late".to_owned(), true.into());
                }
            }
        }
    }

    fn is_open(&self, field: &str, entry: &str) -> bool {
        field == "moves" && self.is_open_letter(entry)
    }

    fn entry_state(&self, field: &str, entry: &str) -> Option<&'static str> {
        self.find_move(entry).filter(|_| field == "moves").map(|at| at.state.name())
    }

    fn waits_for(&self, seat: SeatId) -> bool {
        self.moves.iter().any(|at| at.state == MoveState::Issued && at.to_seat == Some(seat))
    }
}

fn read(folding: &Folding<'_>) -> Arc<dyn Derived> {
    let history = folding.history;
    let stage = decision::fold(&STAGE, history, "stage");
    let mut member = Member { stage: stage.state.name, ended: stage.state.ending, ..Member::default() };
    for (key, values) in history.under(Container::Slot, "moves") {
        let Some((entry, part)) = key.split_once('/') else { continue };
        if member.moves.last().is_none_or(|m| m.entry != entry) {
            member.moves.push(Move { entry: entry.to_owned(), ..Move::default() });
        }
        if let Some(at) = member.moves.last_mut() {
            at.read_part(part, values);
        }
    }
    let admitted = history.value(Container::Lww, "admitted_on").filter(|day| **day != Scalar::Null);
    let since = admitted.or_else(|| history.value(Container::Mv, "joined_on"));
    // Should the record have been made twice, the branch counts that somebody moved from.
    let births = history.visible(Container::Lww, "birth_branch");
    let is_left = |birth: &&Visible| {
        let org = record_of(&birth.value);
        org.is_some() && member.moves.iter().any(|at| at.claims() == 2 && at.from_org == org)
    };
    let birth = births.iter().rfind(is_left).or(births.last());
    let first = birth.and_then(|birth| record_of(&birth.value)).map(|org| Home {
        org,
        seat: folding.preimage.birth,
        epoch: 1,
        since: since.and_then(Scalar::as_text).unwrap_or_default().to_owned(),
        entry: None,
    });
    if member.moves.is_empty() {
        member.home = first;
        return Arc::new(member);
    }
    member.fold_home(first);
    Arc::new(member)
}
