//! `conflicts list / show / settle`: disagreements that people see and settle once, for all tiers.

use std::collections::BTreeMap;

use heliu_client::operations::{Conflict, ConflictValue, GetConflictRequest, ListConflictsRequest};
use heliu_client::records::ExecuteRequest;
use heliu_client::{Client, Schema};
use serde_json::{Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::{Conflicts, ConflictsListArgs, ConflictsSettleArgs, ConflictsShowArgs};
use crate::command;
use crate::failure::Failure;
use crate::names::Names;
use crate::page::{more, pages};
use crate::parts::cuts_shape;
use crate::render::{given, is_id, short, view_of};
use crate::render::{place, seat_shape};
use crate::text::table::{Table, pairs};
use crate::text::{Language, codes, count, language, spoken, time, tr};
use crate::view::{entry_told, path_told};
use crate::{target, which};

pub async fn run(args: Conflicts) -> Result<Done, Failure> {
    match args {
        Conflicts::List(args) => list(&args).await,
        Conflicts::Show(args) => show(&args).await,
        Conflicts::Settle(args) => settle(args).await,
    }
}

async fn list(args: &ConflictsListArgs) -> Result<Done, Failure> {
    let client = target::connect(&args.read.target).await?;
    let kind = match args.kind.as_str() {
        "" => String::new(),
        kind => codes::finding_called(&*client.schema().await?, kind),
    };
    let record = if args.record.is_empty() { String::new() } else { which::record(&client, &args.record, "").await? };
    let (conflicts, after) = pages(&args.page, async |after, limit| {
        let (kind, record) = (kind.clone(), record.clone());
        let page = client.conflicts(ListConflictsRequest { kind, record, after, limit }).await?;
        Ok((page.conflicts, page.next))
    })
    .await?;
    if args.read.json {
        let shapes: Vec<Value> = conflicts.iter().map(shape).collect();
        return print_json(&json!({"conflicts": shapes, "next": given(&after)}));
    }
    let headers = [
        tr!("编号", "id"),
        tr!("种类", "kind"),
        tr!("轻重", "severity"),
        tr!("记录", "record"),
        tr!("由谁处置", "settled by"),
        tr!("说明", "about"),
    ];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).whole(&[0, 3]);
    let schema = client.schema().await?;
    for conflict in &conflicts {
        table.row([
            short(&conflict.id),
            codes::finding(&schema, &conflict.kind),
            codes::severity(&conflict.severity),
            short(&conflict.subject),
            place(conflict.resolver.as_ref()),
            explanation(conflict),
        ]);
    }
    print(&(table.print() + &more(conflicts.len(), &after)))
}

async fn show(args: &ConflictsShowArgs) -> Result<Done, Failure> {
    let client = target::connect(&args.read.target).await?;
    let (mut found, mut before, mut total) = (None::<Conflict>, None, 0);
    let (values, after) = pages(&args.page, async |after, limit| {
        let page = client.conflict_page(GetConflictRequest { id: args.id.clone(), after, limit }).await?;
        let mut conflict = page.conflict.unwrap_or_default();
        let values = std::mem::take(&mut conflict.values);
        before.get_or_insert(page.before);
        (found, total) = (Some(conflict), page.total);
        Ok((values, page.next))
    })
    .await?;
    let (shown, before) = (values.len() as u64, before.unwrap_or_default());
    let conflict = Conflict { values, ..found.unwrap_or_default() };
    if args.read.json {
        let mut told = shape(&conflict);
        told["before"] = before.into();
        told["total"] = total.into();
        told["next"] = given(&after).into();
        return print_json(&told);
    }
    let rest = total.saturating_sub(before + shown);
    let said = conflict.values.iter().map(|value| &value.choice).chain([&conflict.provisional]);
    let ids = conflict.records.iter().chain([&conflict.subject]).chain(said).map(|text| plain(text));
    let names = Names::of(&client, ids).await;
    let schema = client.schema().await?;
    let at = place_told(&client, &schema, &names, &conflict).await;
    print(&told(&schema, &names, &at, &conflict, before, rest, &after))
}

async fn settle(args: ConflictsSettleArgs) -> Result<Done, Failure> {
    let client = target::connect(&args.read.target).await?;
    let conflict = client.conflict(&args.id).await?;
    let choose = chosen(&client, &conflict, args.choose).await?;
    let arguments = BTreeMap::from([("conflict".to_owned(), conflict.id.clone()), ("choice".to_owned(), choose)]);
    let on_behalf = command::on_behalf(&client, &args.asker).await?;
    let request = ExecuteRequest {
        command: "conflict.settle".to_owned(),
        subject: conflict.subject.clone(),
        arguments: arguments.into_iter().collect(),
        command_id: if args.command_id.is_empty() { command::draw_id()? } else { args.command_id },
        who: command::who(&args.asker),
        reason: args.asker.reason,
        guessable_id: false,
        dry_run: false,
        on_behalf,
    };
    let done = command::execute(&client, request).await?;
    if args.read.json {
        return print_json(&command::shape(&done));
    }
    let (id, subject) = (short(&conflict.id), short(&conflict.subject));
    print(&tr!(
        "冲突 {id} 已处置,记在记录 {subject} 中,各级同步后生效。\n",
        "Conflict {id} is settled; it is written in record {subject} and travels to all tiers.\n"
    ))
}

/// What is chosen, as the node takes it: where any record may be, that may be called by its name.
async fn chosen(client: &Client, conflict: &Conflict, choose: String) -> Result<String, Failure> {
    let schema = client.schema().await?;
    let takes_any_record = schema.finding(&conflict.kind).is_some_and(|finding| finding.takes_any_record);
    let is_listed = choose.parse::<usize>().is_ok() || conflict.values.iter().any(|value| value.choice == choose);
    if !takes_any_record || is_listed {
        return Ok(choose);
    }
    let id = which::record(client, &choose, "").await?;
    Ok(client.get(&id).await?.id)
}

/// `before`: so many values come before these; `rest`: so many after them, from the cursor `after` on.
fn told(schema: &Schema, names: &Names, at: &str, conflict: &Conflict, before: u64, rest: u64, after: &str) -> String {
    let kind = codes::finding(schema, &conflict.kind);
    let records: Vec<String> = conflict.records.iter().map(|id| names.told(id)).collect();
    let rows = [
        (tr!("编号", "id"), conflict.id.clone()),
        (tr!("种类", "kind"), format!("{kind} ({})", codes::severity(&conflict.severity))),
        (tr!("说明", "about"), explanation(conflict)),
        (tr!("记录", "record"), format!("{}: {at}", names.told(&conflict.subject))),
        (tr!("涉及", "takes in"), records.join(", ")),
        (tr!("目前显示", "shown meanwhile"), said(schema, names, conflict, &conflict.provisional)),
        (tr!("由谁处置", "settled by"), place(conflict.resolver.as_ref())),
    ];
    let mut text = pairs(&rows) + "\n";
    let headers = ["", &tr!("值", "value"), &tr!("席位", "seat"), &tr!("经办人", "who"), &tr!("时间", "when")];
    let mut table = Table::new(&headers).right(&[0]).whole(&[0, 4]);
    // Where a record is to be named, nothing is no choice; it still has its number, as it has for the node.
    let takes_any_record = schema.finding(&conflict.kind).is_some_and(|finding| finding.takes_any_record);
    let choices = (before + 1..).zip(&conflict.values).filter(|(_, value)| !(takes_any_record && is_nothing(value)));
    let choices: Vec<(u64, &ConflictValue)> = choices.collect();
    for (number, value) in &choices {
        table.row([
            format!("{number}"),
            if is_nothing(value) { empty() } else { said(schema, names, conflict, &value.choice) },
            place(value.seat.as_ref()),
            value.who.clone(),
            time::local(value.time_ms),
        ]);
    }
    if !choices.is_empty() {
        text.push_str(&table.print());
    }
    let id = short(&conflict.id);
    if rest > 0 {
        let rest = count(rest);
        text.push_str(&tr!(
            "另有 {rest} 个值:heliu conflicts show {id} --after {after}\n",
            "and {rest} more: heliu conflicts show {id} --after {after}\n"
        ));
    }
    let choice = match (takes_any_record, choices.is_empty()) {
        (false, _) => tr!("序号", "NUMBER"),
        (true, false) => tr!("序号(或另一组织的编号、名称)", "NUMBER (or the id or name of another)"),
        (true, true) => tr!("承接组织的编号或名称", "RECORD (the id or name of the organisation that takes over)"),
    };
    text + &tr!(
        "\n处置:heliu conflicts settle {id} --choose {choice} --reason 事由\n",
        "\nTo settle it: heliu conflicts settle {id} --choose {choice} --reason WHY\n"
    )
}

/// The field that a conflict is about, or which entry of it.
async fn place_told(client: &Client, schema: &Schema, names: &Names, conflict: &Conflict) -> String {
    let field = path_told(schema, &conflict.field);
    let Some((name, entry)) = conflict.field.split_once('/') else { return field };
    match client.get(&conflict.subject).await {
        Ok(record) => format!("{field} {}", entry_told(names, &view_of(&record), name, entry)),
        Err(_) => field,
    }
}

fn is_nothing(value: &ConflictValue) -> bool {
    value.value_json == "null"
}

fn empty() -> String {
    tr!("(空)", "(empty)")
}

/// What is shown meanwhile comes as JSON, what can be chosen as it is typed.
fn plain(value: &str) -> String {
    serde_json::from_str::<String>(value).unwrap_or_else(|_| value.to_owned())
}

/// A value as people read it: a code by its name, an id by what it is called.
fn said(schema: &Schema, names: &Names, conflict: &Conflict, value: &str) -> String {
    let plain = plain(value);
    if plain == "null" {
        return empty();
    }
    if is_id(&plain) {
        return names.told(&plain);
    }
    match schema.say_choice(&conflict.kind, &conflict.field, &plain) {
        Some(said) => spoken(&said).to_owned(),
        None => plain,
    }
}

fn explanation(conflict: &Conflict) -> String {
    let said = conflict.explanation.clone().unwrap_or_default();
    match language() {
        Language::Zh => said.zh,
        Language::En => said.en,
    }
}

fn shape(conflict: &Conflict) -> Value {
    let said = conflict.explanation.clone().unwrap_or_default();
    let value = |value: &ConflictValue| {
        json!({
            "choice": value.choice, "value": serde_json::from_str::<Value>(&value.value_json).unwrap_or(Value::Null),
            "record": value.record, "seat": seat_shape(value.seat.as_ref()), "who": value.who,
            "time": time::utc(value.time_ms),
        })
    };
    json!({
        "id": conflict.id, "kind": conflict.kind, "severity": conflict.severity, "subject": conflict.subject,
        "field": conflict.field, "values": conflict.values.iter().map(value).collect::<Vec<_>>(),
        "provisional": conflict.provisional, "resolver": seat_shape(conflict.resolver.as_ref()),
        "explanation": {"zh": said.zh, "en": said.en}, "records": conflict.records, "cuts": cuts_shape(&conflict.cuts),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{codes_in, speaking};

    #[test]
    fn in_chinese_no_code_of_a_conflict_is_left() {
        let value = |choice: &str| ConflictValue { choice: choice.to_owned(), ..ConflictValue::default() };
        let of = |kind: &str, field: &str, choices: [&str; 2]| Conflict {
            kind: kind.to_owned(),
            field: field.to_owned(),
            severity: "advisory".to_owned(),
            values: choices.map(value).to_vec(),
            provisional: format!("{:?}", choices[0]),
            ..Conflict::default()
        };
        let all = [
            of("DIVERGED_FIELD", "build_mode", ["merged", "coordinated"]),
            of("WITHDRAWN_RESOURCE_BOOKED", "bookings/4f", ["keep", "decline"]),
            of("MULTI_HOME", "moves", [&"ab".repeat(32), &"cd".repeat(32)]),
        ];
        let schema = crate::served::schema();
        speaking(Language::Zh, || {
            for conflict in &all {
                let said = told(&schema, &Names::default(), "", conflict, 0, 0, "");
                assert_eq!(codes_in(&said), [""; 0], "{said}");
            }
            let told = |conflict: &Conflict| told(&schema, &Names::default(), "", conflict, 0, 0, "");
            assert!(told(&all[0]).contains("共建") && told(&all[1]).contains("谢绝"));
            // Of a booking that nobody may count on the state is shown meanwhile, and not its code.
            let left = Conflict { provisional: "owner_left".to_owned(), ..all[1].clone() };
            assert!(told(&left).contains("所有者已收回") && codes_in(&told(&left)).is_empty(), "{}", told(&left));
            // Nobody is suggested to take somebody over: nothing is to be chosen, and a record is to be named.
            let nothing = ConflictValue { choice: "null".to_owned(), value_json: "null".to_owned(), ..value("") };
            let ended = Conflict {
                values: vec![nothing.clone()],
                provisional: "null".to_owned(),
                ..of("ADD_TO_DISSOLVED_ORG", "moves", ["", ""])
            };
            let said = told(&ended);
            assert!(!said.contains("null") && said.contains("--choose 承接组织的编号或名称"), "{said}");
            // Of two values of a field one may be that it was emptied.
            let emptied = Conflict { values: vec![value("merged"), nothing], ..all[0].clone() };
            assert!(told(&emptied).contains("(空)") && !told(&emptied).contains("null"), "{}", told(&emptied));
        });
    }
}
