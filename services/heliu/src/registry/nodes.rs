//! `heliu nodes`: every enrolled node.

use heliu_client::administration::Node;
use serde_json::{Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::Read;
use crate::failure::Failure;
use crate::render::{given, short};
use crate::render::{place, seat_shape};
use crate::target;
use crate::text::table::Table;
use crate::text::{count, time, tr};

pub async fn run(args: &Read) -> Result<Done, Failure> {
    let nodes = target::connect(&args.target).await?.nodes().await?;
    if args.json {
        return print_json(&json!({"nodes": nodes.iter().map(shape).collect::<Vec<_>>()}));
    }
    let headers = [
        tr!("席位", "seat"),
        tr!("节点", "node"),
        tr!("地址", "addresses"),
        tr!("名录条目", "entry"),
        tr!("由谁", "let in by"),
        tr!("状态", "state"),
        tr!("审计链", "audit log"),
    ];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).right(&[3]).whole(&[1]);
    for node in &nodes {
        let head = node.audit_seq.map(|seq| {
            let (seq, ago) = (count(seq), time::ago(node.audit_ms.unwrap_or_default()));
            tr!("第 {seq} 条({ago})", "entry {seq} ({ago})")
        });
        table.row([
            place(node.seat.as_ref()),
            short(&node.node),
            node.addresses.join(", "),
            node.since.to_string(),
            if node.approved_by.is_empty() { tr!("县级", "the county") } else { short(&node.approved_by) },
            state(node),
            head.unwrap_or_default(),
        ]);
    }
    let all = count(nodes.len() as u64);
    print(&(table.print() + &tr!("\n共 {all} 个\n", "\n{all} in all\n")))
}

fn state(node: &Node) -> String {
    match (node.fenced, node.second) {
        (true, _) => tr!("已隔离", "fenced"),
        (false, true) => tr!("同席位第二个", "second at its seat"),
        (false, false) => String::new(),
    }
}

fn shape(node: &Node) -> Value {
    json!({
        "node": node.node, "seat": seat_shape(node.seat.as_ref()), "addresses": node.addresses, "since": node.since,
        "approved_by": given(&node.approved_by), "fenced": node.fenced, "second": node.second,
        "audit": node.audit_seq.map(|seq| json!({"seq": seq, "at": node.audit_ms.and_then(time::utc)})),
    })
}
