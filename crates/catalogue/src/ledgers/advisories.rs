//! Standing facts by count: what the numbers say of an organisation, or of two records. Each has a key, its rule and the band that its
//! number is in, by which a superior waives it; its id is a hash of rule, subject and band, so it is the same everywhere.

use std::collections::{BTreeMap, BTreeSet};

use heliu_record::hash::hash16;
use heliu_record::id::to_hex;
use heliu_record::ledger::{Books, Cell, Ledger, Line, Only, Sheet, count_column, ledger, text_column};
use heliu_record::prelude::*;
use heliu_record::view::View;

use super::joint::units;
use super::letters::committee;
use super::orgs::Orgs;
use super::people::{heads, people};
use crate::homes::roll_up;
use crate::member::stages_of;
use crate::policy::{self, Setting};
use crate::standing::Standing;
use crate::words::{MEMBER, ORG_FILE, POLICY};

pub(super) const LEDGER: Ledger = ledger(word("advisories", "提示", "advisories"), run).help(
    "按人数等看出的情况(R1、R2、R3、R7、疑似重复);上级可免除",
    "what the numbers say (R1, R2, R3, R7, doubles); a superior may waive it",
);

/// Of more people than these no doubles are looked for at once.
const DOUBLES_AMONG: i64 = 50_000;

/// A rule with the band that its number is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub key: &'static str,
    pub label: Label,
    next: Label,
}

const FEW: Rule = Rule {
    key: "R1-few",
    label: label("正式党员不足", "too few full members"),
    next: label("联合组建(joint_branch.form)或并入其他支部", "form a joint branch (joint_branch.form), or merge it"),
};
const UNITS: Rule = Rule {
    key: "R2-units",
    label: label("联合党支部单位过多", "a joint branch of too many units"),
    next: label("分设支部", "divide it"),
};
const GENERAL: Rule = Rule {
    key: "R3-general_branch",
    label: label("可设党总支", "may be a general branch"),
    next: label("报上级批准升格为党总支", "ask the superior to make it a general branch"),
};
const COMMITTEE: Rule = Rule {
    key: "R3-committee",
    label: label("可设党委", "may be a committee"),
    next: label("报县级批准升格为党委", "ask the county to make it a committee"),
};
const BRANCH_COMMITTEE: Rule = Rule {
    key: "R7-branch_committee",
    label: label("应设支部委员会", "has to have a branch committee"),
    next: label(
        "登记支委会人数:record.set 的 committee_members",
        "record how many members it has: record.set committee_members",
    ),
};
const DOUBLE: Rule = Rule {
    key: "double-name_and_day",
    label: label("疑似重复", "maybe one person twice"),
    next: label(
        "同一人用 member.same_as;确为两人由上级 member.waive",
        "member.same_as if it is one person; else a superior waives it",
    ),
};

pub(super) struct Advisory<'b> {
    pub rule: Rule,
    pub subject: &'b View,
    pub seat: SeatId,
    pub count: i64,
    pub limit: i64,
    pub is_waived: bool,
    /// The other record of what may be one person.
    pub other: Option<&'b View>,
    pub turn: SeatId,
}

impl Advisory<'_> {
    /// The same at every node that finds it, while the number stays within the band.
    pub fn id(&self) -> String {
        to_hex(&hash16("heliu advisory 1", &[self.rule.key.as_bytes(), &self.subject.record.0]))
    }

    pub fn next(&self) -> Label {
        self.rule.next
    }
}

/// What a setting of the county is.
pub(super) fn setting(books: &Books<'_>, setting: Setting) -> i64 {
    let policy = books.rows(POLICY, Vec::new()).first();
    policy::of_view(policy.map(|view| &view.json), setting)
}

pub(super) fn all<'b>(books: &Books<'b>) -> Vec<Advisory<'b>> {
    let orgs = Orgs::of(books);
    let counted = people(books, &orgs, &stages_of(&[Standing::Counted]), &[]);
    let sums = roll_up(&heads(&counted), &orgs, books.seats);
    let set = |of: Setting| setting(books, of);
    let [few, units_max, general, committee_from, branch_committee] = [
        policy::BRANCH_FROM,
        policy::JOINT_UNITS_MAX,
        policy::GENERAL_BRANCH_OVER,
        policy::COMMITTEE_FROM,
        policy::COMMITTEE_OF_BRANCH_FROM,
    ]
    .map(set);
    let files = books.rows(ORG_FILE, Vec::new()).iter().filter_map(|file| Some((file.text("org").parse().ok()?, file)));
    let files: BTreeMap<RecordId, &View> = files.collect();
    let mut found = Vec::new();
    for (org, _) in orgs.in_order(books) {
        let (Some(view), Some(held)) = (orgs.views.get(&org).copied(), orgs.held.get(&org)) else { continue };
        // One that is not approved yet, or is no more, has no members to have.
        if held.ended || !matches!(view.text("lifecycle"), "active" | "rectifying") {
            continue;
        }
        let row = sums.by_org.get(&org).cloned().unwrap_or_default();
        let level = view.text("org_level");
        let is_branch = level == "branch";
        let is_village = matches!(view.text("org_kind"), "village" | "community");
        let of_units = i64::try_from(units(view).len()).unwrap_or(i64::MAX);
        let has_committee = files.get(&org).is_some_and(|file| file.json.get("committee_members").is_some());
        let rules = [
            (FEW, is_branch && row.total.full < few, row.total.full, few),
            (UNITS, view.text("formation_mode") == "joint" && of_units > units_max, of_units, units_max),
            (GENERAL, is_branch && row.total.members > general, row.total.members, general),
            (
                COMMITTEE,
                level != "committee" && is_village && row.total.members >= committee_from,
                row.total.members,
                committee_from,
            ),
            (
                BRANCH_COMMITTEE,
                is_branch && !has_committee && row.total.full >= branch_committee,
                row.total.full,
                branch_committee,
            ),
        ];
        for (rule, _, count, limit) in rules.into_iter().filter(|(_, holds, ..)| *holds) {
            let (is_waived, turn) =
                (files.get(&org).is_some_and(|file| is_waived(file, rule)), committee(held.seat, books));
            found.push(Advisory { rule, subject: view, seat: held.seat, count, limit, is_waived, other: None, turn });
        }
    }
    let members: i64 = counted.iter().map(|alike| alike.count).sum();
    if members <= DOUBLES_AMONG {
        found.extend(doubles(books));
    }
    found
}

fn is_waived(view: &View, rule: Rule) -> bool {
    let waived = view.json.get("waived").and_then(Json::as_array);
    waived.into_iter().flatten().any(|key| key.as_str() == Some(rule.key))
}

/// Two records of one name and one joining date that nobody has said to be of one person, or of two.
fn doubles<'b>(books: &Books<'b>) -> Vec<Advisory<'b>> {
    let stages = stages_of(&[Standing::Counted, Standing::Suspended]);
    let of_stage = || Only::says("stage", stages.iter().copied());
    let alike = books.counts(MEMBER, vec![of_stage()], vec!["name", "joined_on"]);
    let alike = alike.filter(|(said, count)| *count > 1 && said.iter().all(|said| !said.is_empty()));
    let names: BTreeSet<String> = alike.map(|(said, _)| said[0].clone()).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let mut by_both: BTreeMap<(&str, &str), Vec<&'b View>> = BTreeMap::new();
    for view in books.rows(MEMBER, vec![of_stage(), Only::says("name", names)]) {
        by_both.entry((view.text("name"), view.text("joined_on"))).or_default().push(view);
    }
    let same = |one: &View, other: &View| {
        let names = |at: &View, id: RecordId| {
            let same = at.json.get("same_as").and_then(Json::as_array);
            same.into_iter().flatten().any(|same| same.as_str() == Some(&id.to_string()))
        };
        names(one, other.record) || names(other, one.record)
    };
    let mut found = Vec::new();
    for ((_, joined), mut views) in by_both {
        views.sort_by_key(|view| view.record);
        let (Some(first), false) = (views.first().copied(), joined.is_empty()) else { continue };
        let others: Vec<&View> = views[1..].iter().copied().filter(|other| !same(first, other)).collect();
        let seat = |view: &View| view.text("reported_by").parse().ok().or_else(|| view.owners.first().copied());
        let (Some(other), Some(own)) = (others.first().copied(), seat(first)) else { continue };
        if !views.iter().any(|view| seat(view).is_some_and(|seat| books.has_seat(seat))) {
            continue;
        }
        let lowest = books.seats.common_superior(views.iter().filter_map(|view| seat(view))).unwrap_or(own);
        found.push(Advisory {
            rule: DOUBLE,
            subject: first,
            seat: own,
            count: i64::try_from(others.len() + 1).unwrap_or(i64::MAX),
            limit: 1,
            is_waived: is_waived(first, DOUBLE),
            other: Some(other),
            turn: committee(lowest, books),
        });
    }
    found
}

#[expect(clippy::unnecessary_wraps, reason = "other ledgers refuse something")]
fn run(books: &Books<'_>) -> Result<Sheet, Refusal> {
    let line = |advisory: &Advisory<'_>| {
        let waived = if advisory.is_waived {
            Cell::Told("waived".to_owned(), Explanation::new("已免除", "waived"))
        } else {
            Cell::Nothing
        };
        Line::of([
            Cell::Told(advisory.rule.key.to_owned(), advisory.rule.label.into()),
            Cell::record(advisory.subject),
            advisory.other.map_or(Cell::Nothing, Cell::record),
            Cell::Seat(advisory.seat),
            Cell::Count(advisory.count),
            Cell::Count(advisory.limit),
            waived,
            Cell::Seat(advisory.turn),
            Cell::Told("next".to_owned(), advisory.next().into()),
            Cell::Text(advisory.id()),
        ])
    };
    Ok(Sheet {
        columns: vec![
            text_column("rule", "提示", "advisory"),
            text_column("subject", "对象", "subject"),
            text_column("other", "另一条", "other record"),
            text_column("seat", "席位", "seat"),
            count_column("count", "数量", "count"),
            count_column("limit", "界限", "limit"),
            text_column("waived", "免除", "waived"),
            text_column("turn", "轮到", "whose turn"),
            text_column("next", "下一步", "what to do"),
            text_column("id", "编号", "id"),
        ],
        lines: all(books).iter().map(line).collect(),
        ..Sheet::default()
    })
}
