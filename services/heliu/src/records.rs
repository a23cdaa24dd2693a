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
    let said = Names::of(&client, puts.flat_map(|put| ids_in(&put_value(put)))).await;
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
    pairs(&rows)
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
        for put in change.puts.iter().filter(|put| put.container != "_scope") {
            let before = put.replaces;
            let replaced =
                if before > 0 { tr!("(取代 {before} 个值)", " (replaces {before})") } else { String::new() };
            let (name, value) = (self.place(&put.key), self.value(put));
            story.push_str(&format!("    {} = {}{replaced}\n", clean(&name), clean(&value)));
        }
        story
    }

    /// Where something was written: the field, or which entry of it and which part of that.
    fn place(&self, key: &str) -> String {
        let mut path = key.split('/');
        let (Some(field), Some(entry), Some(part), None) = (path.next(), path.next(), path.next(), path.next()) else {
            return field_label(self.kind, key);
        };
        let entry = entry_told(&self.names, &self.view, field, entry);
        let part = self
            .kind
            .and_then(|kind| kind.say_part(field, part))
            .map_or_else(|| part.to_owned(), |said| spoken(&said).to_owned());
        format!("{} {entry} {part}", field_label(self.kind, field))
    }

    /// Of a sealed value nobody is shown more than that it is one.
    fn value(&self, put: &Put) -> String {
        let is_sealed = match self.kind {
            Some(kind) => kind.field(&put.key).is_some_and(|field| field.sealed),
            None => self.schema.fields_called(&put.key).any(|field| field.sealed),
        };
        let is_bytes = matches!(put.value.as_ref().and_then(|value| value.value.as_ref()), Some(PutValue::Bytes(_)));
        match put_value(put) {
            _ if is_sealed && is_bytes => sealed(),
            Value::Null => tr!("(清除)", "(cleared)"),
            value => value_told(self.kind, &self.names, &put.key, &value),
        }
    }
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
    match put.value.as_ref().and_then(|value| value.value.as_ref()) {
        None => Value::Null,
        Some(PutValue::Boolean(boolean)) => Value::from(*boolean),
        Some(PutValue::Integer(integer)) => Value::from(*integer),
        Some(PutValue::Text(text)) => Value::from(text.as_str()),
        Some(PutValue::Bytes(bytes)) => Value::from(to_hex(bytes)),
    }
}

fn change_shape(change: &Change) -> Value {
    let put = |put: &Put| json!({"container": put.container, "key": put.key, "value": put_value(put), "replaces": put.replaces});
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
mod tests {
    use super::*;
    use crate::served;

    #[test]
    fn a_record_is_told_in_words_and_not_in_codes() {
        let entry = format!("{}-{}", "ab".repeat(16), "cd".repeat(15));
        let view = json!({
            "name": "测试甲0001", "stage": "full", "stage_since": "2020-07-01", "home_branch": "ab".repeat(32),
            "pending": ["transfer_pending"], "moves": {entry: {"state": "issued", "letter_no": "1号", "late": true}},
        });
        let record = Record { kind: "member".to_owned(), view_json: view.to_string(), ..Record::default() };
        let schema = served::schema();
        let told = told(&schema, &record, &Names::default());
        for words in [
            "full member",
            "stage (since)",
            "home branch",
            "transfer under way",
            "moves cdcdcdcd  state: issued",
            "letter number: 1号",
        ] {
            assert!(told.contains(words), "{words} in\n{told}");
        }
        for code in ["home_branch", "stage_since", "transfer_pending", "letter_no"] {
            assert!(!told.contains(code), "{code} in\n{told}");
        }
        let decided = Put { key: "stage/4f".to_owned(), ..put("left|2026-03-01|8号|0") };
        let change = Change { command: "record.decide".to_owned(), puts: vec![decided], ..Change::default() };
        let telling =
            Telling { schema: &schema, kind: schema.kind("member"), view: Map::new(), names: Names::default() };
        let told = telling.change(&change);
        assert!(told.contains("decide a state") && told.contains("stage = left 2026-03-01 8号\n"), "{told}");
    }

    #[test]
    fn in_chinese_no_code_of_a_record_is_left() {
        let member = json!({
            "name": "测试甲0001", "stage": "full", "stage_since": "2020-07-01", "joined_on_concurrent": ["2001-07-01", "2001-07-02"],
            "home_branch": "ab".repeat(32), "pending": ["transfer_pending", "transfer_conflict"], "contact": {"sealed": "a8".repeat(16)},
            "moves": {"4f".repeat(16): {"state": "issued", "letter_no": "1号", "late": true, "to_seat": "ab".repeat(16)}},
        });
        let org = json!({"name": "甲支部", "lifecycle": "active", "org_level": "branch", "org_kind": "out_of_area",
            "build_mode": "coordinated", "successors": {"all": {"org": "ab".repeat(32)}}});
        let hall = json!({"name": "礼堂", "resource_kind": "hall",
            "bookings": {format!("{}-{}", "ab".repeat(16), "cd".repeat(15)): {"state": "needs_owner_reconfirm"}}});
        let alliance = json!({"name": "联盟", "form": "league", "present": ["ab".repeat(16)],
            "part_time": {"x": {"state": "lapsing"}}});
        let all = [("member", member), ("org", org), ("resource", hall), ("alliance", alliance)];
        let schema = served::schema();
        crate::text::speaking(crate::text::Language::Zh, || {
            for (kind, view) in all {
                let record = Record { kind: kind.to_owned(), view_json: view.to_string(), ..Record::default() };
                let said = told(&schema, &record, &Names::default()) + &list_told(&schema, kind, &[record]);
                assert_eq!(crate::text::codes_in(&said), [""; 0], "{said}");
            }
            let puts = vec![
                Put { key: "stage/0".to_owned(), ..put("left|2026-03-01|8号|0") },
                Put { key: "moves/4f/cancelled".to_owned(), ..put("2026-03-01") },
            ];
            let status = ChangeStatus::Excluded.into();
            let change = Change { command: "record.decide".to_owned(), puts, status, ..Change::default() };
            let telling =
                Telling { schema: &schema, kind: schema.kind("member"), view: Map::new(), names: Names::default() };
            let said = telling.change(&change);
            assert_eq!(crate::text::codes_in(&said), [""; 0], "{said}");
        });
    }

    #[test]
    fn a_history_says_which_entry_was_written_names_what_it_names_and_shows_nothing_sealed() {
        let (schema, seat) = (served::schema(), "ab".repeat(16));
        let entry = format!("{seat}-{}", "cd".repeat(15));
        let view = json!({"bookings": {entry.as_str(): {"state": "confirmed", "number": 2}}});
        let Value::Object(view) = view else { unreachable!("it is one") };
        let mut names = Names::default();
        names.enter(&"12".repeat(32), "甲支部");
        let put_in = |part: &str, text: &str| Put { key: format!("bookings/{entry}/{part}"), ..put(text) };
        let puts = vec![
            put_in("confirmed", "2026-07-01"),
            put_in("for_org", &"12".repeat(32)),
            put_in("declined", "declined"),
        ];
        let telling = Telling { schema: &schema, kind: schema.kind("resource"), view, names };
        let told = telling.change(&Change { puts, ..Change::default() });
        for words in ["bookings 2 (cdcdcdcd) confirmed = 2026-07-01", "= 12121212 甲支部", "declined = no cause given"]
        {
            assert!(told.contains(words), "{words} in\n{told}");
        }
        let bytes = heliu_client::records::Value { value: Some(PutValue::Bytes(vec![0xa8; 40])) };
        let contact = Put { key: "contact".to_owned(), value: Some(bytes), ..Put::default() };
        for kind in [schema.kind("member"), None] {
            let telling = Telling { schema: &schema, kind, view: Map::new(), names: Names::default() };
            let told = telling.change(&Change { puts: vec![contact.clone()], ..Change::default() });
            assert!(told.contains("sealed") && !told.contains("a8a8"), "{told}");
        }
    }

    fn put(text: &str) -> Put {
        let value = heliu_client::records::Value { value: Some(PutValue::Text(text.to_owned())) };
        Put { value: Some(value), ..Put::default() }
    }

    #[test]
    fn a_record_is_told_with_short_ids() {
        let view =
            json!({"name": "测试甲0001", "birth_branch": "ab".repeat(32), "name_concurrent": ["a", "b"]}).to_string();
        let record = Record { id: "cd".repeat(32), kind: "member".to_owned(), view_json: view, ..Record::default() };
        let mut names = Names::default();
        names.enter(&"ab".repeat(32), "甲村党支部");
        let told = told(&served::schema(), &record, &names);
        assert!(
            told.contains("abababab 甲村党支部\n") && told.contains("a, b") && told.contains("测试甲0001"),
            "{told}"
        );
    }
}
