//! `quarantine list`, `stranded list`: what a node refused, and what cannot leave or be read as it should.

use heliu_client::operations::{
    ListQuarantineRequest, ListStrandedRequest, Quarantined, Stranded as Record, Stranding,
};
use serde_json::{Value, json};

use crate::cli::{Quarantine, Stranded};
use crate::failure::Failure;
use crate::links::{place, seat_shape, word};
use crate::out::{Done, print, print_json};
use crate::records::{given, more, pages, short};
use crate::target;
use crate::text::table::Table;
use crate::text::{bytes, time, tr};

pub async fn quarantine(args: &Quarantine) -> Result<Done, Failure> {
    let Quarantine::List(args) = args;
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
    let headers = [
        tr!("编号", "id"),
        tr!("记录", "record"),
        tr!("来自", "from"),
        tr!("理由", "code"),
        tr!("大小", "size"),
        tr!("时间", "when"),
        tr!("说明", "reason"),
    ];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).right(&[4]).whole(&[0, 1]);
    for item in &items {
        let from = place(item.from_seat.as_ref());
        let from = if from.is_empty() { short(&item.from_node) } else { from };
        table.row([
            short(&item.id),
            short(&item.record),
            from,
            item.code.clone(),
            bytes(item.bytes),
            time::local(item.at_ms),
            item.reason.clone(),
        ]);
    }
    print(&(table.print() + &more(items.len(), &after)))
}

pub async fn stranded(args: &Stranded) -> Result<Done, Failure> {
    let Stranded::List(args) = args;
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
    let headers =
        [tr!("记录", "record"), tr!("种类", "kind"), tr!("情形", "what"), tr!("变更", "changes"), tr!("原因", "why")];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).right(&[3]).whole(&[0]);
    for record in &records {
        table.row([
            short(&record.record),
            record.kind.clone(),
            stranding_name(record.stranding()),
            record.leaves.to_string(),
            record.reason.clone(),
        ]);
    }
    print(&(table.print() + &more(records.len(), &after)))
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

fn quarantined_shape(item: &Quarantined) -> Value {
    json!({
        "id": item.id, "record": given(&item.record), "from_node": given(&item.from_node),
        "from_seat": seat_shape(item.from_seat.as_ref()), "code": item.code, "reason": item.reason,
        "at": time::utc(item.at_ms), "bytes": item.bytes,
    })
}

fn stranded_shape(record: &Record) -> Value {
    json!({
        "record": record.record, "kind": record.kind,
        "stranding": word(record.stranding().as_str_name(), "STRANDING_"),
        "reason": record.reason, "leaves": record.leaves, "since_position": record.since_position,
    })
}
