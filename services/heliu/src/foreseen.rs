//! What a trial of a command says, in words and for programs: records before and after, conflicts, who gains or loses sight.

use heliu_client::records::{Affected, ExecuteResponse, Expected, Seat};
use heliu_client::{Client, Schema};
use serde_json::{Map, Value, json};

use crate::answer::{self, Done, print_json};
use crate::failure::Failure;
use crate::names::{Names, ids_in};
use crate::render::{place, seat_shape, short};
use crate::text::{Language, clean, codes, language, tr};
use crate::view::{entries, entry_told, field_label, value_told};

pub async fn print(client: &Client, done: &ExecuteResponse, json: bool) -> Result<Done, Failure> {
    let told = done.preview.clone().unwrap_or_default();
    if json {
        let records: Vec<Value> = told.records.iter().map(shape).collect();
        let conflicts = |all: &[Expected]| all.iter().map(conflict_shape).collect::<Vec<_>>();
        return print_json(&json!({
            "dry_run": true, "records": records, "opens": conflicts(&told.opens), "settles": conflicts(&told.settles),
        }));
    }
    let schema = client.schema().await?;
    let views = told.records.iter().flat_map(|record| [fields(&record.before_json), fields(&record.after_json)]);
    let ids: Vec<String> = views.flat_map(|fields| ids_in(&fields.into())).collect();
    let names = Names::of(client, ids).await;
    let mut said =
        tr!("试算,什么也没有写入。执行后:\n", "A trial: nothing was written. Carried out, it would do this:\n");
    said += &told.records.iter().map(|record| record_told(&schema, &names, record)).collect::<String>();
    let conflict = |one: &Expected| {
        let (kind, why) = (codes::finding(&schema, &one.kind), explanation(one));
        format!("{} {}: {why}", short(&one.id), clean(&kind))
    };
    for one in told.opens.iter().map(conflict) {
        said += &tr!("  出现冲突  {one}\n", "  a conflict comes up  {one}\n");
    }
    for one in told.settles.iter().map(conflict) {
        said += &tr!("  了结冲突  {one}\n", "  a conflict is over  {one}\n");
    }
    answer::print(&said)
}

fn record_told(schema: &Schema, names: &Names, record: &Affected) -> String {
    let (kind, name) = (clean(&codes::kind(schema, &record.kind)), clean(&record.name));
    let id = short(&record.id);
    let mut said = if record.made {
        tr!("  新建{kind} {name}\n", "  made: {kind} {name}\n")
    } else {
        tr!("  改动{kind} {id} {name}\n", "  changed: {kind} {id} {name}\n")
    };
    let (before, after) = (fields(&record.before_json), fields(&record.after_json));
    let declared = schema.kind(&record.kind);
    let all = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    let mut lines: Vec<(String, Option<Value>, Option<Value>, String)> = Vec::new();
    for name in all {
        let label = field_label(declared, name);
        let (was, is) = (before.get(name), after.get(name));
        // Of entries each has a line of its own.
        let parts = |value: Option<&Value>| value.and_then(entries).cloned().unwrap_or_default();
        let (old, new) = (parts(was), parts(is));
        if old.is_empty() && new.is_empty() {
            lines.push((label, was.cloned(), is.cloned(), name.clone()));
            continue;
        }
        for entry in new.keys().chain(old.keys().filter(|entry| !new.contains_key(*entry))) {
            let called = format!("{label} {}", entry_told(names, &after, name, entry));
            lines.push((called, old.get(entry).cloned(), new.get(entry).cloned(), name.clone()));
        }
    }
    for (label, was, is, name) in lines {
        let value = |value: Option<Value>| value.map(|value| clean(&value_told(declared, names, &name, &value)));
        let label = clean(&label);
        let nothing = || tr!("(空)", "(empty)");
        said += &match (value(was), value(is)) {
            _ if record.cut => {
                tr!("    {label}:有改动,太长不显示\n", "    {label}: changes, and is too long to be shown\n")
            }
            (None, is) => format!("    {label} = {}\n", is.unwrap_or_else(nothing)),
            (Some(was), is) => format!("    {label}: {was} → {}\n", is.unwrap_or_else(nothing)),
        };
    }
    let seats = |all: &[Seat]| all.iter().map(|seat| place(Some(seat))).collect::<Vec<_>>().join(", ");
    let (gains, loses) = (seats(&record.gains), seats(&record.loses));
    if !gains.is_empty() && !record.made {
        said += &tr!("    此后也可见:{gains}\n", "    seen then too by: {gains}\n");
    }
    if !loses.is_empty() {
        said += &tr!("    此后不再可见:{loses}\n", "    no longer seen by: {loses}\n");
    }
    said
}

fn fields(json: &str) -> Map<String, Value> {
    match serde_json::from_str(json) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn explanation(conflict: &Expected) -> String {
    let label = conflict.explanation.clone().unwrap_or_default();
    clean(match language() {
        Language::Zh => &label.zh,
        Language::En => &label.en,
    })
}

fn shape(record: &Affected) -> Value {
    let seats = |all: &[Seat]| all.iter().map(|seat| seat_shape(Some(seat))).collect::<Vec<_>>();
    json!({
        "id": record.id, "kind": record.kind, "name": record.name, "made": record.made, "cut": record.cut,
        "before": fields(&record.before_json), "after": fields(&record.after_json),
        "gains": seats(&record.gains), "loses": seats(&record.loses),
    })
}

fn conflict_shape(conflict: &Expected) -> Value {
    let label = conflict.explanation.clone().unwrap_or_default();
    json!({
        "id": conflict.id, "kind": conflict.kind, "explanation": {"zh": label.zh, "en": label.en},
        "resolver": seat_shape(conflict.resolver.as_ref()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::served;
    use crate::text::speaking;

    #[test]
    fn a_trial_is_told_in_words_with_old_and_new_values_and_who_sees_it_then() {
        let seat =
            Seat {
                id: "ab".repeat(16), name: "柳里村".to_owned(), code: "371726102201".to_owned(), ..Seat::default()
            };
        let record = Affected {
            id: "cd".repeat(32),
            kind: "member".to_owned(),
            name: "测试申0001".to_owned(),
            before_json: json!({"name": "测试甲0001", "sex": "male"}).to_string(),
            after_json: json!({"name": "测试申0001", "nation": "汉族",
                "moves": {"4f".repeat(16): {"state": "issued", "letter_no": "2026-0017"}}})
            .to_string(),
            gains: vec![seat],
            ..Affected::default()
        };
        let schema = served::schema();
        let told = speaking(Language::Zh, || record_told(&schema, &Names::default(), &record));
        for words in [
            "改动党员",
            "姓名: 测试甲0001 → 测试申0001",
            "性别: 男 → (空)",
            "民族 = 汉族",
            "2026-0017",
            "已开具",
            "此后也可见:柳里村",
        ] {
            assert!(told.contains(words), "{words} in\n{told}");
        }
        assert_eq!(crate::text::codes_in(&told), [""; 0], "{told}");
        let cut =
            Affected { cut: true, after_json: json!({"name": null}).to_string(), before_json: String::new(), ..record };
        let told = speaking(Language::En, || record_told(&schema, &Names::default(), &cut));
        assert!(told.contains("name: changes, and is too long"), "{told}");
    }
}
