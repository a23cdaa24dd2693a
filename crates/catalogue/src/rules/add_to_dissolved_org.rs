//! ADD_TO_DISSOLVED_ORG: somebody was admitted to an organisation after it had ended.
//! HOME_ORG_ENDED: somebody's organisation ended later, and the person is still counted there.

use crate::kinds::org::Org;
use std::collections::BTreeSet;

use crate::commands::member::reassign_to;
use crate::kinds::member::Member;
use heliu_record::command::Planner;
use heliu_record::command::Refusal;
use heliu_record::conflict::{Conflict, ConflictValue, Explanation, Severity};
use heliu_record::id::RecordId;
use heliu_record::kind::{Word, label};
use heliu_record::rule::{Finding, Rule, resolver};
use heliu_record::view::Record;
use heliu_record::world::World;

const ADDED: &str = "ADD_TO_DISSOLVED_ORG";
const ENDED: &str = "HOME_ORG_ENDED";

pub static RULE: Rule = Rule {
    finds: &[
        Word { name: ADDED, label: label("编入已终结的组织", "admitted to an ended organisation") },
        Word { name: ENDED, label: label("所在组织已终结", "home organisation ended") },
    ],
    help: label(
        "党员所在组织已撤销、并入或终止;待乡镇确认后转入承接组织",
        "the member's organisation was dissolved, absorbed or terminated; the township confirms who takes the member over",
    ),
    takes_any_record: true,
    choices: &[],
    derive,
    settle,
};

fn derive(record: &Record, world: &dyn World, found: &mut Vec<Conflict>) {
    let Some(member) = record.read_as::<Member>().filter(|m| !m.ended && m.disputed.is_empty()) else { return };
    let Some(home) = &member.home else { return };
    let Some(org) = world.record(home.org).and_then(|r| r.read_as::<Org>()).filter(|o| o.ended) else { return };
    // Whoever was admitted before the ending was admitted well, and only has to be moved.
    let late = !home.since.is_empty() && !org.since.is_empty() && home.since >= org.since;
    // Only what the ended organisation itself says: a rule reads no further than the records that its subject points to,
    // or it would not be derived anew when they change. Should the successor have ended too, settling says so.
    let suggested = org.successor(&home.seat.to_string());
    let (name, from) = (record.title(), org.name.clone());
    let to = suggested.map(|id| id.short());
    let (zh_to, en_to) = match &to {
        Some(to) => (format!("建议转入承接组织 {to}"), format!("suggested: its successor {to}")),
        None => ("尚无承接组织".to_owned(), "nobody was named to take over".to_owned()),
    };
    let (zh, en) = if late {
        (
            format!("{name}于{}编入“{from}”,而该组织自{}起已终结;{zh_to},需乡镇确认。", home.since, org.since),
            format!(
                "{name} was admitted to {from:?} on {}, which had ended on {}; {en_to}. The township confirms.",
                home.since, org.since
            ),
        )
    } else {
        (
            format!("{name}所在的“{from}”已终结;{zh_to}。"),
            format!("{name} belongs to {from:?}, which has ended; {en_to}."),
        )
    };
    let finding = Finding {
        kind: if late { ADDED } else { ENDED },
        severity: if late { Severity::Hard } else { Severity::Advisory },
        field: "home_branch".to_owned(),
        values: values(record, member, suggested, world),
        provisional: suggested.map_or(serde_json::Value::Null, |org| org.to_string().into()),
        resolver: resolver(record, None, world),
        also: org.decision.into_iter().collect(),
        anchors: BTreeSet::from([record.id]),
        quotes: BTreeSet::from([home.org]),
        explanation: Explanation::new(zh, en),
    };
    found.extend(finding.conclude(record, world));
}

/// The choice is the organisation that takes the person over; the operation is the one that put the person there.
fn values(record: &Record, member: &Member, suggested: Option<RecordId>, world: &dyn World) -> Vec<ConflictValue> {
    use heliu_record::change::Container::Lww;
    let letter = member.home.as_ref().and_then(|h| member.find_move(h.entry.as_deref()?));
    let first = || record.history.visible(Lww, "birth_branch").iter().map(|v| v.id).collect();
    let ops = letter.map_or_else(first, |letter| letter.ops.clone());
    let value = suggested.map_or(serde_json::Value::Null, |org| org.to_string().into());
    ops.into_iter().map(|op| ConflictValue::of(record, op, Some(value.clone()), world)).collect()
}

/// Reassigns the person to the chosen organisation.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    match chosen.choice().parse() {
        Ok(org) => reassign_to(planner, conflict.subject, org),
        Err(_) => Err(Refusal::bad_choice(conflict, &chosen.choice(), planner.world().catalogue())),
    }
}
