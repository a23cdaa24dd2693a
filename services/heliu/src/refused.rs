//! `quarantine`, `stranded`: what a node refused or could not read, and edits of its own that count no more because what they
//! were built on was excluded; to look at, and to decide.

use heliu_client::Schema;
use heliu_client::operations::{
    ListQuarantineRequest, ListStrandedRequest, Quarantined, Stranded as Record, Stranding,
};
use heliu_record::id::to_hex;
use serde_json::{Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::{
    Quarantine, QuarantineActArgs, QuarantineListArgs, QuarantineShowArgs, Stranded, StrandedActArgs, StrandedListArgs,
};
use crate::failure::Failure;
use crate::page::{more, pages};
use crate::render::{given, short};
use crate::render::{place, seat_shape, word};
use crate::target;
use crate::text::table::{Table, pairs};
use crate::text::{bytes, clean, codes, reasons, time, tr};

/// Of longer things only the beginning is shown.
const HEX_LINES: usize = 16;

pub async fn quarantine(args: &Quarantine) -> Result<Done, Failure> {
    match args {
        Quarantine::List(args) => list_quarantine(args).await,
        Quarantine::Show(args) => show(args).await,
        Quarantine::Requeue(args) => requeue(args).await,
        Quarantine::Drop(args) => drop_one(args).await,
    }
}

async fn show(args: &QuarantineShowArgs) -> Result<Done, Failure> {
    let client = target::connect(&args.read.target).await?;
    let found = client.quarantined(&args.id).await?;
    let item = found.item.unwrap_or_default();
    if args.read.json {
        let mut shape = quarantined_shape(&item);
        shape["hex"] = Value::from(to_hex(&found.bytes));
        return print_json(&shape);
    }
    print(&shown(&*client.schema().await?, &item, &found.bytes))
}

fn shown(schema: &Schema, item: &Quarantined, found: &[u8]) -> String {
    let rows = [
        (tr!("编号", "id"), item.id.clone()),
        (tr!("记录", "record"), item.record.clone()),
        (tr!("来自", "from"), from(item)),
        (tr!("理由", "why"), reasons::told_of_record(schema, item.why.as_ref())),
        (tr!("时间", "when"), time::local(item.at_ms)),
        (tr!("大小", "size"), bytes(item.bytes)),
    ];
    let lines = found.chunks(16).take(HEX_LINES).enumerate();
    let hex: String = lines.map(|(line, bytes)| format!("  {:04x}  {}\n", line * 16, to_hex(bytes))).collect();
    let more = if found.len() > HEX_LINES * 16 {
        tr!("  ……全部见 --json\n", "  ... all of it with --json\n")
    } else {
        String::new()
    };
    pairs(&rows) + "\n" + &hex + &more
}

/// Who sent what was refused: a node, or this node's own store.
fn from(item: &Quarantined) -> String {
    if item.from_node.is_empty() {
        return tr!("本节点的存储", "this node's own store");
    }
    format!("{} {}", place(item.from_seat.as_ref()), item.from_node).trim().to_owned()
}

async fn requeue(args: &QuarantineActArgs) -> Result<Done, Failure> {
    let outcome = target::connect(&args.read.target).await?.requeue(&args.id, &args.reason).await?;
    if args.read.json {
        return print_json(&json!({"outcome": outcome}));
    }
    let outcome = match outcome.as_str() {
        "admitted" => tr!("已采纳", "it is admitted now"),
        "refused" => {
            tr!("仍被拒收,理由见 heliu quarantine list", "it is refused again; heliu quarantine list says why")
        }
        "held" => tr!("暂存,尚不能判断", "it is held: it cannot be judged yet"),
        "asked" => tr!(
            "已从清单去掉,并向持有它的一方重新索取",
            "it is off the list, and those who have it are asked to send it again"
        ),
        other => clean(other),
    };
    let id = &args.id;
    print(&tr!("{id}:{outcome}。\n", "{id}: {outcome}.\n"))
}

async fn drop_one(args: &QuarantineActArgs) -> Result<Done, Failure> {
    target::connect(&args.read.target).await?.drop_quarantined(&args.id, &args.reason).await?;
    if args.read.json {
        return print_json(&json!({"dropped": args.id}));
    }
    let id = &args.id;
    print(&tr!("{id} 已从清单中去掉;判断不变。\n", "{id} is off the list; the verdict on it stays.\n"))
}

async fn list_quarantine(args: &QuarantineListArgs) -> Result<Done, Failure> {
    let client = target::connect(&args.read.target).await?;
    let (items, after) = pages(&args.page, async |after, limit| {
        let page = client.quarantine(ListQuarantineRequest { code: args.code.clone(), after, limit }).await?;
        Ok((page.items, page.next))
    })
    .await?;
    if args.read.json {
        let shapes: Vec<Value> = items.iter().map(quarantined_shape).collect();
        return print_json(&json!({"quarantine": shapes, "next": given(&after)}));
    }
    print(&(quarantine_told(&*client.schema().await?, &items) + &more(items.len(), &after)))
}

fn quarantine_told(schema: &Schema, items: &[Quarantined]) -> String {
    let headers = [
        tr!("编号", "id"),
        tr!("记录", "record"),
        tr!("来自", "from"),
        tr!("理由", "why"),
        tr!("大小", "size"),
        tr!("时间", "when"),
    ];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).right(&[4]).whole(&[0, 1]);
    for item in items {
        let from = place(item.from_seat.as_ref());
        let from = match (from.is_empty(), item.from_node.is_empty()) {
            (false, _) => from,
            (true, false) => short(&item.from_node),
            (true, true) => tr!("本节点", "here"),
        };
        table.row([
            short(&item.id),
            short(&item.record),
            from,
            reasons::told_of_record(schema, item.why.as_ref()),
            bytes(item.bytes),
            time::local(item.at_ms),
        ]);
    }
    table.print()
}

pub async fn stranded(args: &Stranded) -> Result<Done, Failure> {
    match args {
        Stranded::List(args) => list_stranded(args).await,
        Stranded::Reissue(args) => reissue(args).await,
        Stranded::Discard(args) => discard(args).await,
    }
}

async fn reissue(args: &StrandedActArgs) -> Result<Done, Failure> {
    let leaf = target::connect(&args.read.target).await?.reissue(&args.edit, &args.reason).await?;
    if args.read.json {
        return print_json(&json!({"leaf": leaf}));
    }
    let leaf = short(&leaf);
    print(&tr!(
        "已在记录现状上重新提交,新变更 {leaf}。\n",
        "Written anew on top of what the record is now, as change {leaf}.\n"
    ))
}

async fn discard(args: &StrandedActArgs) -> Result<Done, Failure> {
    target::connect(&args.read.target).await?.discard(&args.edit, &args.reason).await?;
    if args.read.json {
        return print_json(&json!({"discarded": args.edit}));
    }
    let edit = short(&args.edit);
    print(&tr!(
        "编辑 {edit} 已放弃;它仍在 heliu history 中,标为被排除。\n",
        "The edit {edit} is given up; heliu history still shows it, as excluded.\n"
    ))
}

async fn list_stranded(args: &StrandedListArgs) -> Result<Done, Failure> {
    let client = target::connect(&args.read.target).await?;
    let (records, after) = pages(&args.page, async |after, limit| {
        let page = client.stranded(ListStrandedRequest { after, limit }).await?;
        Ok((page.records, page.next))
    })
    .await?;
    if args.read.json {
        let shapes: Vec<Value> = records.iter().map(stranded_shape).collect();
        return print_json(&json!({"stranded": shapes, "next": given(&after)}));
    }
    print(&(stranded_told(&*client.schema().await?, &records) + &more(records.len(), &after)))
}

fn stranded_told(schema: &Schema, records: &[Record]) -> String {
    let headers = [
        tr!("记录", "record"),
        tr!("种类", "kind"),
        tr!("情形", "what"),
        tr!("变更", "changes"),
        tr!("编辑", "edit"),
        tr!("原因", "why"),
    ];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).right(&[3]).whole(&[0, 4]);
    for record in records {
        table.row([
            short(&record.record),
            codes::kind(schema, &record.kind),
            stranding_name(record.stranding()),
            record.leaves.to_string(),
            short(&record.edit),
            stranding_why(schema, record),
        ]);
    }
    table.print()
}

fn stranding_name(stranding: Stranding) -> String {
    match stranding {
        Stranding::NotLetGo => tr!("离开未完成", "not let go"),
        Stranding::Waiting => tr!("等待前序变更", "waiting"),
        Stranding::Held => tr!("暂存,尚不能判断", "held"),
        Stranding::Edit => tr!("所依据的变更已失效", "stood on changes that were excluded"),
        Stranding::Unspecified => "?".to_owned(),
    }
}

fn stranding_why(schema: &Schema, record: &Record) -> String {
    match record.stranding() {
        Stranding::NotLetGo => {
            tr!("待上级收齐", "it waits until a superior has all of it")
        }
        Stranding::Waiting => tr!("尚缺前面的变更,待其到达", "changes that others build on have not arrived"),
        Stranding::Held => tr!("本版本无法判断", "this version cannot judge it"),
        Stranding::Edit | Stranding::Unspecified => reasons::told_of_record(schema, record.why.as_ref()),
    }
}

fn quarantined_shape(item: &Quarantined) -> Value {
    json!({
        "id": item.id, "record": given(&item.record), "from_node": given(&item.from_node),
        "from_seat": seat_shape(item.from_seat.as_ref()), "code": item.why.as_ref().map(|why| &why.code),
        "facts": item.why.as_ref().map(reasons::facts),
        "at": time::utc(item.at_ms), "bytes": item.bytes,
    })
}

fn stranded_shape(record: &Record) -> Value {
    json!({
        "record": record.record, "kind": record.kind,
        "stranding": word(record.stranding().as_str_name(), "STRANDING_"),
        "why": reasons::shape(record.why.as_ref()), "leaves": record.leaves, "since_position": record.since_position,
        "edit": given(&record.edit),
    })
}

#[cfg(test)]
mod tests {
    use heliu_client::records::Reason;

    use super::*;
    use crate::text::{Language, codes_in, speaking};

    fn why(code: &str, facts: &[(&str, &str)]) -> Option<Reason> {
        let facts = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Some(Reason { code: code.to_owned(), facts })
    }

    fn quarantined() -> Vec<Quarantined> {
        let all = [
            why("refused.seq", &[("found", "5"), ("expected", "3")]),
            why("refused.authority", &[("path", "joined_on"), ("seat", "什集镇")]),
            why("commit.unknown-author", &[("node", "1a2b3c4d")]),
            why("leaf.too-long", &[("bytes", "70000")]),
            why("store.damaged", &[("part", "leaf"), ("id", "1a2b3c4d")]),
        ];
        let item = |why| Quarantined { id: "ab".repeat(32), why, bytes: 70_000, ..Quarantined::default() };
        all.map(item).to_vec()
    }

    #[test]
    fn in_chinese_what_was_refused_and_what_is_stranded_has_no_english_in_it() {
        let stranded = [
            (Stranding::Edit, why("edit.overwritten", &[("path", "name")])),
            (Stranding::Edit, why("held.directory", &[])),
            (Stranding::Edit, None),
            (Stranding::Waiting, None),
        ];
        let stranded = stranded.map(|(stranding, why)| Record {
            kind: "member".to_owned(),
            stranding: stranding.into(),
            why,
            ..Record::default()
        });
        let schema = crate::served::schema();
        speaking(Language::Zh, || {
            let one = shown(&schema, &quarantined()[1], b"bytes");
            let said = quarantine_told(&schema, &quarantined()) + &one + &stranded_told(&schema, &stranded);
            assert_eq!(codes_in(&said), [""; 0], "{said}");
            assert!(one.contains("作者无权这样写(席位:什集镇,字段:"), "{one}");
            assert!(said.contains("本节点的存储有损坏(编号:1a2b3c4d,所指:一个变更)"), "{said}");
        });
        let said = speaking(Language::En, || quarantine_told(&schema, &quarantined()));
        assert!(said.contains("unknown author of a commit (node: 1a2b3c4d)"), "{said}");
    }

    #[test]
    fn programs_get_the_code_and_its_facts() {
        let shape = quarantined_shape(&quarantined()[0]);
        assert_eq!((&shape["code"], &shape["facts"]["found"]), (&json!("refused.seq"), &json!("5")));
    }
}
