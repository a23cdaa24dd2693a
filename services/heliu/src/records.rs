//! `get`, `list`, `history`: what a node holds, as it sees it.

use heliu_client::Schema;
use heliu_client::records::{
    Change, ChangeStatus, HistoryRequest, ListRequest, Put, Record, RecordState, value::Value as PutValue,
};
use heliu_client::schema::{Field, Kind};
use heliu_record::id::to_hex;
use serde_json::{Map, Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::{GetArgs, HistoryArgs, ListArgs};
use crate::failure::Failure;
use crate::find;
use crate::names::{Names, ids_in};
use crate::page::{more, pages};
use crate::parts::{self, cuts_shape, cuts_told};
use crate::render::{given, place, seat_shape, short, view_of, word};
use crate::text::table::{Table, pairs};
use crate::text::{clean, codes, count, nearest, say, spoken, time, tr};
use crate::view::{entries, entry_told, field_label, number_of, said_value, sealed, unnumbered, value_told};
use crate::{target, which};

pub async fn get(args: &GetArgs) -> Result<Done, Failure> {
    let client = target::connect(&args.read.target).await?;
    if !args.path.is_empty() {
        return parts::get(&client, args).await;
    }
    let record = client.get(&which::record(&client, &args.id, "").await?).await?;
    if args.read.json {
        return print_json(&shape(&record));
    }
    let names = Names::of(&client, ids_in(&view_of(&record).into())).await;
    print(&(told(&*client.schema().await?, &record, &names) + &cuts_told(&record.id, &record.cuts)))
}

pub async fn list(args: &ListArgs) -> Result<Done, Failure> {
    let client = target::connect(&args.read.target).await?;
    let kind = if args.kind.is_empty() { String::new() } else { meant_kind(&*client.schema().await?, &args.kind)? };
    let refers_to = match args.refers_to.as_str() {
        "" => String::new(),
        named => which::record(&client, named, "").await?,
    };
    // What is found by what it says is found by it alone; what has left, and what refers to something, is looked through.
    if find::asks(args) || (!kind.is_empty() && !args.gone && args.refers_to.is_empty()) {
        let found = find::find(&client, args, &kind).await?;
        if args.read.json {
            let shapes: Vec<Value> = found.records.iter().map(shape).collect();
            let groups = find::groups_shape(&found.groups);
            let (next, damaged) = (given(&found.next), found.damaged);
            return print_json(
                &json!({"records": shapes, "next": next, "total": found.total, "groups": groups, "damaged": damaged}),
            );
        }
        let schema = client.schema().await?;
        if args.count || !args.group_by.is_empty() {
            return print(&find::counted(&client, &schema, &kind, args, &found).await?);
        }
        let table = list_told(&schema, &kind, &found.records);
        return print(&(table + &more(found.records.len(), &found.next) + &damaged_told(&found.damaged)));
    }
    let mut damaged = Vec::new();
    let (records, after) = pages(&args.page, async |after, limit| {
        let (kind, refers_to) = (kind.clone(), refers_to.clone());
        let page = client.list(ListRequest { kind, refers_to, after, limit, include_gone: args.gone }).await?;
        damaged.extend(page.damaged);
        Ok((page.records, page.next))
    })
    .await?;
    if args.read.json {
        let shapes: Vec<Value> = records.iter().map(shape).collect();
        return print_json(&json!({"records": shapes, "next": given(&after), "damaged": damaged}));
    }
    let table = list_told(&*client.schema().await?, &kind, &records);
    print(&(table + &more(records.len(), &after) + &damaged_told(&damaged)))
}

/// The code of the kind that somebody calls so. Of what is like none the node says what there is.
fn meant_kind(schema: &Schema, text: &str) -> Result<String, Failure> {
    let kind = codes::kind_called(schema, text);
    let names = schema.kinds.iter().flat_map(|kind| [&*kind.name, &*kind.label.zh]);
    match nearest(&kind, names).filter(|near| *near != kind) {
        Some(near) => {
            let (kind, near) = (clean(&kind), clean(near));
            Err(Failure::usage(say!("没有记录种类 {kind}", "there is no kind {kind}"))
                .next(say!("是不是 {near}?", "did you mean {near}?")))
        }
        None => Ok(kind),
    }
}

pub async fn history(args: &HistoryArgs) -> Result<Done, Failure> {
    let client = target::connect(&args.read.target).await?;
    let named = which::record(&client, &args.id, "").await?;
    let mut id = String::new();
    let (changes, after) = pages(&args.page, async |after, limit| {
        let page = client.history(HistoryRequest { id: named.clone(), after, limit }).await?;
        id = page.id;
        Ok((page.changes, page.next))
    })
    .await?;
    if args.read.json {
        let shapes: Vec<Value> = changes.iter().map(change_shape).collect();
        return print_json(&json!({"id": id, "changes": shapes, "next": given(&after)}));
    }
    // Its kind knows the names of what was written; of a record that cannot be shown the keys stay as they are.
    let schema = client.schema().await?;
    let record = client.get(&id).await.unwrap_or_default();
    let puts = changes.iter().flat_map(|change| &change.puts);
    let said = |put: &Put| {
        let values = put.replaced.iter().map(scalar).chain([put_value(put)]);
        let named = put.key.split('/').skip(1).map(str::to_owned);
        values.flat_map(|value| ids_in(&value)).chain(named).collect::<Vec<String>>()
    };
    let said = Names::of(&client, puts.flat_map(said)).await;
    let told = Telling { schema: &schema, kind: schema.kind(&record.kind), view: view_of(&record), names: said };
    let story: String = changes.iter().map(|change| told.change(change)).collect();
    print(&(story + &more(changes.len(), &after)))
}

/// Records that the node could not show.
fn damaged_told(damaged: &[String]) -> String {
    let ids: Vec<String> = damaged.iter().map(|id| short(id)).collect();
    let (count, ids) = (count(damaged.len() as u64), ids.join(", "));
    if damaged.is_empty() {
        return String::new();
    }
    tr!(
        "另有 {count} 条在本节点的存储中已损坏,正在修复:{ids}\n",
        "{count} more are damaged in this node's store, and being mended: {ids}\n"
    )
}

/// `names` are those of records and seats that it names.
fn told(schema: &Schema, record: &Record, names: &Names) -> String {
    pairs(&rows(schema, record, names))
}

/// Names and values of all that a record says; those of its fields are indented.
pub fn rows(schema: &Schema, record: &Record, names: &Names) -> Vec<(String, String)> {
    let kind = schema.kind(&record.kind);
    let places =
        |seats: &[heliu_client::records::Seat]| seats.iter().map(|s| place(Some(s))).collect::<Vec<_>>().join(", ");
    let mut rows = vec![
        (tr!("编号", "id"), record.id.clone()),
        (tr!("种类", "kind"), codes::kind(schema, &record.kind)),
        (tr!("所属", "owner"), places(&record.owners)),
        (tr!("参与", "participants"), places(&record.participants)),
        (tr!("状态", "state"), state_told(record)),
        (tr!("变更", "changes"), record.leaves.to_string()),
    ];
    let view = view_of(record);
    let mut fields: Vec<(&String, &Value)> = view.iter().collect();
    // In the order in which the kind declares them; fields that are derived or not known here come last.
    let place =
        |name: &str| kind.and_then(|kind| kind.fields.iter().position(|field| field.name == kind.plain(name).0));
    fields.sort_by_key(|(name, _)| place(name).unwrap_or(usize::MAX));
    for (name, value) in &fields {
        let label = field_label(kind, name);
        // Of entries each has a line of its own.
        let Some(entries) = entries(value).filter(|_| kind.is_some_and(|kind| kind.has_entries(name))) else {
            rows.push((format!("  {label}"), value_told(kind, names, name, value)));
            continue;
        };
        let mut entries: Vec<(&String, &Value)> = entries.iter().collect();
        entries.sort_by_key(|(_, parts)| number_of(parts));
        for (entry, parts) in entries {
            let entry = entry_told(names, &view, name, entry);
            rows.push((format!("  {label} {entry}"), value_told(kind, names, name, &unnumbered(parts))));
        }
    }
    if !record.conflicts.is_empty() {
        let ids = record.conflicts.iter().map(|id| short(id)).collect::<Vec<_>>().join(", ");
        rows.push((
            tr!("未决冲突", "open conflicts"),
            tr!("{ids}(heliu conflicts show 编号)", "{ids} (heliu conflicts show ID)"),
        ));
    }
    rows.retain(|(_, value)| !value.is_empty());
    rows
}

fn state_told(record: &Record) -> String {
    let state = match record.state() {
        RecordState::Present => tr!("在册", "present"),
        RecordState::Hidden => {
            tr!("已离开本席位,待上级收齐", "has left this seat; kept until a superior has everything")
        }
        RecordState::Stub => tr!("已离开本席位", "has left this seat"),
        RecordState::Erased => tr!("已在各处删除", "was erased everywhere"),
        RecordState::Unspecified => "?".to_owned(),
    };
    let stub = record.stub.as_ref().map(|stub| format!(" ({}, {})", time::local(stub.since_ms), stub.reason));
    let waiting =
        if record.waiting { tr!(",部分变更等待前序", ", some changes wait for others") } else { String::new() };
    state + &stub.unwrap_or_default() + &waiting
}

fn list_told(schema: &Schema, kind: &str, records: &[Record]) -> String {
    let declared = schema.kind(kind);
    let fields = declared.map_or(&[][..], |kind| &kind.fields);
    let states: Vec<&Field> = fields.iter().filter(|field| !field.states.is_empty()).collect();
    let mut headers = vec![tr!("编号", "id"), tr!("种类", "kind"), tr!("名称", "name"), tr!("所属", "owner")];
    headers.extend(states.iter().map(|field| spoken(&field.label).to_owned()));
    headers.push(tr!("冲突", "conflicts"));
    let last = headers.len() - 1;
    let mut table = Table::new(&headers.iter().map(String::as_str).collect::<Vec<_>>()).right(&[last]).whole(&[0, 1]);
    for record in records {
        let view = view_of(record);
        let text = |name: &str| view.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let name = if record.state() == RecordState::Present { text("name") } else { state_told(record) };
        let mut cells = vec![short(&record.id), codes::kind(schema, &record.kind), name, place(record.owners.first())];
        let state = |field: &&Field| {
            let state = text(&field.name);
            said_value(declared, &field.name, &state).unwrap_or(state)
        };
        cells.extend(states.iter().map(state));
        cells.push(if record.conflicts.is_empty() { String::new() } else { record.conflicts.len().to_string() });
        table.row(cells);
    }
    table.print()
}

fn shape(record: &Record) -> Value {
    let seats =
        |seats: &[heliu_client::records::Seat]| seats.iter().map(|seat| seat_shape(Some(seat))).collect::<Vec<_>>();
    json!({
        "id": record.id, "kind": record.kind, "birth": seat_shape(record.birth.as_ref()),
        "state": word(record.state().as_str_name(), "RECORD_STATE_"),
        "public": record.public, "owners": seats(&record.owners), "participants": seats(&record.participants),
        "view": view_of(record), "leaves": record.leaves, "waiting": record.waiting,
        "stub": record.stub.as_ref().map(|stub| json!({"since": time::utc(stub.since_ms), "reason": stub.reason})),
        "conflicts": record.conflicts, "cuts": cuts_shape(&record.cuts),
    })
}

/// What a history is told with: the names of what it is about.
struct Telling<'s> {
    schema: &'s Schema,
    kind: Option<&'s Kind>,
    /// The record as it is now; empty if it cannot be shown.
    view: Map<String, Value>,
    names: Names,
}

impl Telling<'_> {
    fn change(&self, change: &Change) -> String {
        // A change that cannot be read has no time either.
        let when = if change.time_ms == 0 { "?".to_owned() } else { time::local(change.time_ms) };
        let (mut at, who) = (place(change.author_seat.as_ref()), clean(&change.who));
        if change.on_behalf.is_some() {
            let seat = place(change.on_behalf.as_ref());
            at = tr!("{at} 代 {seat}", "{at} for {seat}");
        }
        let by = if who.is_empty() { String::new() } else { format!("  {who}") };
        let id = short(&change.leaf);
        let mut story = format!("{when}  {}{by}  {}", clean(&at), clean(&codes::command(self.schema, &change.command)));
        story.push_str(&tr!("  变更 {id}\n", "  change {id}\n"));
        if !change.reason.is_empty() {
            let reason = clean(&change.reason);
            story.push_str(&tr!("    事由:{reason}\n", "    why: {reason}\n"));
        }
        if change.status() != ChangeStatus::Admitted || change.unreadable {
            let status = status_name(change.status());
            let unreadable = tr!("读不懂它的内容", "what it says cannot be read");
            let why = status_why(change.status()).filter(|_| !change.unreadable).unwrap_or(unreadable);
            story.push_str(&format!("    ! {status}: {why}\n"));
        }
        for line in change.puts.iter().filter_map(|put| self.put(put)) {
            story.push_str(&format!("    {}\n", clean(&line)));
        }
        story
    }

    /// What was written in one place: from which value to which.
    fn put(&self, put: &Put) -> Option<String> {
        let said = |value: &Value| value.as_str().map_or_else(|| value.to_string(), |id| self.names.told(id));
        match put.container.as_str() {
            "_scope" if put.key == "owner" => {
                let (now, before) = (said(&put_value(put)), put.replaced.iter().map(scalar).map(|old| said(&old)));
                let before = before.collect::<Vec<_>>().join(", ");
                // Whose a new record is, stands at its beginning.
                (put.replaces > 0).then(|| tr!("所属席位:{before} → {now}", "owner: {before} → {now}"))
            }
            "_scope" => {
                let seat = self.names.told(put.key.strip_prefix("seat/")?);
                Some(if is_in(put) {
                    tr!("共享给 {seat}", "shared with {seat}")
                } else {
                    tr!("不再共享给 {seat}", "no longer shared with {seat}")
                })
            }
            "aws" => {
                let (field, element) = put.key.split_once('/').unwrap_or((&put.key, ""));
                let name = field_label(self.kind, field);
                let element = value_told(self.kind, &self.names, field, &Value::from(element));
                Some(if is_in(put) {
                    tr!("{name}:加入 {element}", "{name}: {element} is added")
                } else {
                    tr!("{name}:移出 {element}", "{name}: {element} is taken out")
                })
            }
            _ => {
                let (name, value) = (self.place(&put.key), self.value(&put.key, &put_value(put)));
                let before: Vec<String> = put.replaced.iter().map(|old| self.value(&put.key, &scalar(old))).collect();
                let more = (put.replaces as usize).saturating_sub(before.len());
                let mut before = before.join(" / ");
                if more > 0 {
                    let sign = if before.is_empty() { "" } else { " / " };
                    before += &tr!("{sign}另有 {more} 个值", "{sign}{more} more values");
                }
                if before.is_empty() {
                    Some(format!("{name} = {value}"))
                } else {
                    Some(format!("{name}: {before} → {value}"))
                }
            }
        }
    }

    /// Where something was written: the field, or which entry of it and which part of that.
    fn place(&self, key: &str) -> String {
        let mut path = key.split('/');
        let (Some(field), Some(entry), Some(part), None) = (path.next(), path.next(), path.next(), path.next()) else {
            // How a conflict was settled, and a decision, have names that nobody reads.
            let field = key.split('/').next().unwrap_or(key);
            return field_label(self.kind, field);
        };
        let entry = entry_told(&self.names, &self.view, field, entry);
        let part = self
            .kind
            .and_then(|kind| kind.say_part(field, part))
            .map_or_else(|| part.to_owned(), |said| spoken(&said).to_owned());
        format!("{} {entry} {part}", field_label(self.kind, field))
    }

    /// Of a sealed value nobody is shown more than that it is one.
    fn value(&self, key: &str, value: &Value) -> String {
        let is_sealed = match self.kind {
            Some(kind) => kind.field(key).is_some_and(|field| field.sealed),
            None => self.schema.fields_called(key).any(|field| field.sealed),
        };
        match value {
            Value::Null => tr!("(空)", "(empty)"),
            _ if is_sealed => sealed(),
            value => value_told(self.kind, &self.names, key, value),
        }
    }
}

/// Whether an element is put into a set, or taken out.
fn is_in(put: &Put) -> bool {
    put_value(put).as_str().is_some_and(|mark| mark.starts_with('i'))
}

fn status_name(status: ChangeStatus) -> String {
    match status {
        ChangeStatus::Admitted => tr!("已采纳", "admitted"),
        ChangeStatus::Waiting => tr!("等待前序变更", "waiting"),
        ChangeStatus::Held => tr!("暂存,尚不能判断", "held"),
        ChangeStatus::Excluded => tr!("被排除", "excluded"),
        ChangeStatus::Refused => tr!("被拒收", "refused"),
        ChangeStatus::Unspecified => "?".to_owned(),
    }
}

/// What a status comes from.
fn status_why(status: ChangeStatus) -> Option<String> {
    Some(match status {
        ChangeStatus::Waiting => tr!("尚缺它所依据的变更", "changes that it builds on have not arrived"),
        ChangeStatus::Held => {
            tr!("本版本无法判断,已保存并转发", "this version cannot judge it; it is kept and passed on")
        }
        ChangeStatus::Excluded => tr!(
            "作者已被隔离,或在同一位置写了两个变更,或它建立在这样的变更之上",
            "its author is fenced, or wrote two changes in one place, or it builds on such a change"
        ),
        ChangeStatus::Refused => {
            tr!("作者无权这样写,见 heliu quarantine", "its author may not write this: see heliu quarantine")
        }
        ChangeStatus::Admitted | ChangeStatus::Unspecified => return None,
    })
}

fn put_value(put: &Put) -> Value {
    put.value.as_ref().map_or(Value::Null, scalar)
}

fn scalar(value: &heliu_client::records::Value) -> Value {
    match value.value.as_ref() {
        None => Value::Null,
        Some(PutValue::Boolean(boolean)) => Value::from(*boolean),
        Some(PutValue::Integer(integer)) => Value::from(*integer),
        Some(PutValue::Text(text)) => Value::from(text.as_str()),
        Some(PutValue::Bytes(bytes)) => Value::from(to_hex(bytes)),
    }
}

fn change_shape(change: &Change) -> Value {
    let put = |put: &Put| {
        json!({"container": put.container, "key": put.key, "value": put_value(put), "replaces": put.replaces,
        "replaced": put.replaced.iter().map(scalar).collect::<Vec<_>>()})
    };
    json!({
        "leaf": change.leaf, "commit": change.commit, "author_node": change.author_node,
        "author_seat": seat_shape(change.author_seat.as_ref()), "time": time::utc(change.time_ms),
        "who": change.who, "command": change.command, "reason": change.reason,
        "puts": change.puts.iter().map(put).collect::<Vec<_>>(),
        "status": word(change.status().as_str_name(), "CHANGE_STATUS_"),
        "unreadable": change.unreadable, "position": change.position,
        "origin_node": given(&change.origin_node),
        "kind_version": change.kind_version, "on_behalf": seat_shape(change.on_behalf.as_ref()),
    })
}

#[cfg(test)]
mod tests;
