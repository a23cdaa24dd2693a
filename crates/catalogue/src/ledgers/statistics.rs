//! What sort of people the members are: sex, nation, education, stage, age. Of each topic the lines add up to the members; of ages, which
//! are sealed, whoever was not counted yet has a line.

use std::collections::BTreeMap;

use heliu_record::ledger::{At, Books, Cell, Check, Ledger, Line, Sheet, count_column, ledger, text_column};
use heliu_record::prelude::*;

use super::orgs::Orgs;
use super::people::people;
use crate::ages::{Ages, BANDS, last_count};
use crate::member::{stage_label, stages_of, words_of};
use crate::standing::Standing;
use crate::words::AGES;

pub(super) const LEDGER: Ledger = ledger(word("statistics", "党员构成", "statistics"), run).help(
    "党员的性别、民族、学历、党籍和年龄构成;年龄由乡镇统计上报(heliu ledger statistics --count)",
    "members by sex, nation, education, stage and age; townships count ages (heliu ledger statistics --count)",
);

const TOPICS: [Word; 4] = [
    word("sex", "性别", "sex"),
    word("nation", "民族", "nation"),
    word("education", "学历", "education"),
    word("stage", "党籍", "stage"),
];
const AGE: Word = word("age", "年龄", "age");
const MERGED: Word = word("merged", "人数少,合并", "few, told together");
const NOT_COUNTED: Word = word("not_counted", "尚未统计", "not counted yet");

#[expect(clippy::unnecessary_wraps, reason = "other ledgers refuse something")]
fn run(books: &Books<'_>) -> Result<Sheet, Refusal> {
    let orgs = Orgs::of(books);
    let stages = stages_of(&[Standing::Counted]);
    let (mut lines, mut checks) = (Vec::new(), Vec::new());
    let members: i64 = people(books, &orgs, &stages, &[]).iter().map(|alike| alike.count).sum();
    let mut check = |label: Label, sum: i64| checks.push(Check { label, left: sum, right: members });
    for topic in &TOPICS {
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for alike in
            people(books, &orgs, &stages, if topic.name == "stage" { &[] } else { std::slice::from_ref(&topic.name) })
        {
            let said = alike.said.first().cloned().unwrap_or_else(|| alike.stage.to_owned());
            *counts.entry(if topic.name == "stage" { alike.stage.to_owned() } else { said }).or_default() +=
                alike.count;
        }
        check(topic.label, counts.values().sum());
        let mut counts: Vec<(String, i64)> = counts.into_iter().filter(|(_, count)| *count != 0).collect();
        counts.sort_by_key(|(said, count)| (said.is_empty(), -count));
        lines.extend(counts.into_iter().map(|(said, count)| line(topic, told(topic, said), count)));
    }
    // Of an organisation alone nobody has counted ages.
    let of_ages = match books.asked.at {
        Some(At::Record(_)) => Vec::new(),
        Some(At::Seat(_)) | None => books.rows(AGES, Vec::new()).iter().collect(),
    };
    let counted: Vec<Ages> = of_ages
        .iter()
        .filter(|view| view.owners.iter().all(|owner| books.has_seat(*owner)))
        .map(|view| last_count(&view.json, books.day()))
        .collect();
    let bands = BANDS.iter().enumerate().map(|(at, (name, _, label))| {
        (Word { name, label: *label }, counted.iter().map(|ages| ages.bands[at]).sum::<i64>())
    });
    let merged: i64 = counted.iter().map(|ages| ages.merged).sum();
    let mut ages: Vec<(Word, i64)> = bands.chain([(MERGED, merged)]).collect();
    let known: i64 = ages.iter().map(|(_, count)| count).sum();
    ages.push((NOT_COUNTED, members - known));
    check(AGE.label, ages.iter().map(|(_, count)| count).sum());
    let shown = ages.iter().filter(|(_, count)| *count != 0);
    lines.extend(shown.map(|(word, count)| line(&AGE, Cell::word(word), *count)));
    let oldest = counted.iter().map(|ages| &*ages.on).filter(|on| !on.is_empty()).min();
    let note =
        |on: &str| Explanation::new(format!("年龄最早统计于 {on}。"), format!("Ages were counted on {on} or later."));
    Ok(Sheet {
        columns: vec![
            text_column("topic", "项目", "topic"),
            text_column("value", "类别", "value"),
            count_column("members", "人数", "members"),
        ],
        lines,
        total: Some(Line::of([Cell::Nothing, Cell::Nothing, Cell::Count(members)])),
        checks,
        notes: oldest.map(note).into_iter().collect(),
    })
}

fn told(topic: &Word, said: String) -> Cell {
    let label = match topic.name {
        "stage" => stage_label(&said),
        topic => words_of(topic, &said),
    };
    match (label, said.is_empty()) {
        (Some(label), _) => Cell::Told(said, label.into()),
        (None, true) => Cell::Told(String::new(), Explanation::new("(未填)", "(nothing)")),
        (None, false) => Cell::Text(said),
    }
}

fn line(topic: &Word, value: Cell, count: i64) -> Line {
    Line::of([Cell::word(topic), value, Cell::Count(count)])
}
