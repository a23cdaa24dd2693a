//! DIVERGED_FIELD: two people wrote one field without seeing each other.

use std::collections::BTreeSet;

use crate::change::{Container, Scalar};
use crate::command::plan::Planner;
use crate::command::refusal::Refusal;
use crate::conflict::{Conflict, ConflictValue, Explanation, Severity};
use crate::id::SeatId;
use crate::kind::{Kind, Word, Writer, label};
use crate::rule::{Finding, Rule, listed, resolver};
use crate::view::Record;
use crate::world::World;

const KIND: &str = "DIVERGED_FIELD";

pub static RULE: Rule = Rule {
    finds: &[Word { name: KIND, label: label("字段分歧", "diverged field") }],
    help: label(
        "两方互不知情地写了同一字段;由双方的共同上级选定其一",
        "two wrote one field without seeing each other; their common superior chooses",
    ),
    takes_any_record: false,
    choices: &[],
    derive,
    settle,
};

fn derive(record: &Record, world: &dyn World, found: &mut Vec<Conflict>) {
    let created = record.kind().into_iter().flat_map(Kind::fields).filter(|field| field.writer == Writer::Creator);
    let created = created.map(|field| (field.name, record.history.visible(field.merge.container(), field.name), true));
    let others = record.history.keys(Container::Mv, "").map(|(key, values)| (key, values, false));
    for (key, values, is_created) in others.chain(created) {
        if values.len() < 2 || values.windows(2).all(|pair| pair[0].value == pair[1].value) {
            continue;
        }
        let label = record.kind().and_then(|k| k.field(key)).map_or(label("字段", "field"), |f| f.label);
        let values: Vec<ConflictValue> = values.iter().map(|v| ConflictValue::of(record, v.id, None, world)).collect();
        let writers: BTreeSet<SeatId> = values.iter().filter_map(|v| v.seat).collect();
        let parties = if writers.is_empty() { record.view.owners.clone() } else { writers };
        let (zh_written, en_written) = if values.iter().any(ConflictValue::is_sealed) {
            ("(已密封)".to_owned(), "(sealed)".to_owned())
        } else {
            let said = |value: &ConflictValue| {
                let choice = value.choice();
                record
                    .kind()
                    .and_then(|kind| kind.say_value(key, &choice))
                    .unwrap_or_else(|| Explanation::new(&*choice, &*choice))
            };
            let said: Vec<Explanation> = values.iter().map(said).collect();
            let (zh, _) = listed(said.iter().map(|said| said.zh.to_string()));
            let (_, en) = listed(said.iter().map(|said| said.en.to_string()));
            (zh, en)
        };
        let title = record.title();
        let finding = Finding {
            kind: KIND,
            severity: Severity::Advisory,
            field: key.to_owned(),
            provisional: record.view.json.get(key).cloned().unwrap_or_default(),
            // Where two each made the record, whoever decides must be above both.
            resolver: if is_created { resolver(record, None, world) } else { world.seats().common_superior(parties) },
            anchors: BTreeSet::from([record.id]),
            quotes: BTreeSet::new(),
            also: Vec::new(),
            explanation: Explanation::new(
                format!("“{title}”的{}填了不同的值:{zh_written}。请选定其一。", label.zh),
                format!("Different values were entered for the {} of {title:?}: {en_written}. Choose one.", label.en),
            ),
            values,
        };
        found.extend(finding.conclude(record, world));
    }
}

/// Overwrites the field with the chosen value.
fn settle(planner: &mut Planner<'_>, conflict: &Conflict, chosen: &ConflictValue) -> Result<(), Refusal> {
    let subject = planner.load(conflict.subject)?;
    let field = subject.kind().and_then(|kind| kind.field(&conflict.field));
    let container = field.map_or(Container::Mv, |field| field.merge.container());
    let visible = subject.history.visible(container, &conflict.field);
    let value = visible.iter().find(|v| v.id == chosen.op_id()).map_or(Scalar::Null, |v| v.value.clone());
    planner.put(conflict.subject, container, conflict.field.clone(), value);
    Ok(())
}
