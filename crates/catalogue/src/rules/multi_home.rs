//! MULTI_HOME: two destinations each confirmed a letter that moved the same person from the same home.

use crate::kinds::member::Member;
use std::collections::BTreeSet;

use crate::kinds::member::{Home, Move};
use crate::rules::owner_disputed::give_to;
use heliu_record::change::{Container, Scalar};
use heliu_record::command::Planner;
use heliu_record::command::Refusal;
use heliu_record::conflict::{Conflict, ConflictValue, Explanation, Severity};
use heliu_record::kind::{Word, label};
use heliu_record::rule::{Finding, Rule, listed, resolver, title};
use heliu_record::view::Record;
use heliu_record::world::World;

const KIND: &str = "MULTI_HOME";

pub static RULE: Rule = Rule {
    finds: &[Word { name: KIND, label: label("重复转接", "two homes") }],
    help: label(
        "同一届次有两处接收了组织关系;一人只有一个归属,由共同上级裁定",
        "two places received one person from the same home; a person has one home, and a common superior decides",
    ),
    takes_any_record: false,
    choices: &[],
    derive,
    settle,
};

fn derive(record: &Record, world: &dyn World, found: &mut Vec<Conflict>) {
    let Some(member) = record.read_as::<Member>().filter(|m| !m.disputed.is_empty()) else { return };
    let claims: Vec<(&Home, &Move)> =
        member.disputed.iter().filter_map(|home| Some((home, member.find_move(home.entry.as_deref()?)?))).collect();
    let values = claims.iter().flat_map(|(home, letter)| {
        letter.claim_ops().iter().map(|op| ConflictValue::of(record, *op, Some(home.org.to_string().into()), world))
    });
    let (zh_places, en_places) = listed(claims.iter().map(|(home, _)| title(home.org, world)));
    let (zh_letters, en_letters) = listed(claims.iter().map(|(_, letter)| letter.letter_no.clone()));
    let home = member.home.as_ref().map(|h| h.org);
    let stays = home.map(|org| title(org, world)).unwrap_or_default();
    let name = record.title();
    let finding = Finding {
        kind: KIND,
        severity: Severity::Hard,
        field: "moves".to_owned(),
        values: values.collect(),
        provisional: home.map_or(serde_json::Value::Null, |org| org.to_string().into()),
        resolver: resolver(record, claims.iter().map(|(home, _)| home.seat), world),
        also: Vec::new(),
        anchors: BTreeSet::from([record.id]),
        quotes: claims.iter().map(|(home, _)| home.org).chain(home).collect(),
        explanation: Explanation::new(
            format!("{name}的组织关系被两处接收:{zh_places}(介绍信 {zh_letters})。裁定之前仍算在“{stays}”。"),
            format!(
                "{name} was received in two places: {en_places} (letters {en_letters}). Until settled, the home stays {stays:?}."
            ),
        ),
    };
    found.extend(finding.conclude(record, world));
}

/// The chosen branch becomes the home of the next epoch; the other letters are returned, and decisions for them taken back.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let subject = planner.load(conflict.subject)?;
    let Some(member) = subject.read_as::<Member>() else { return Ok(()) };
    let today = planner.today();
    for home in &member.disputed {
        let Some(entry) = &home.entry else { continue };
        if chosen.choice() == home.org.to_string() {
            planner.put(subject.id, Container::Slot, format!("moves/{entry}/decided"), Scalar::Int(home.epoch));
            planner.put(subject.id, Container::Slot, format!("moves/{entry}/decided_on"), today.clone());
            give_to(planner, subject, home.seat);
        } else {
            planner.put(subject.id, Container::Slot, format!("moves/{entry}/overruled"), today.clone());
            if member.find_move(entry).is_some_and(|at| at.decided.is_some()) {
                planner.put(subject.id, Container::Slot, format!("moves/{entry}/decided"), Scalar::Null);
            }
        }
    }
    Ok(())
}
