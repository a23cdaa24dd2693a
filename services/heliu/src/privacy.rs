//! `reveal`, `erase`, `receipt`: sealed fields opened on record, and records erased for good.

use heliu_client::Schema;
use heliu_client::administration::{Confirmation, EraseRequest, Receipt};
use heliu_client::records::{RevealRequest, RevealedField};
use serde_json::{Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::{Asker, EraseArgs, ReceiptArgs, RevealArgs};
use crate::command::who;
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::render::{given, short};
use crate::render::{place, seat_shape};
use crate::text::table::{Table, pairs};
use crate::text::{codes, count, say, time, tr};
use crate::view::path_told;
use crate::{target, which};

pub async fn reveal(args: &RevealArgs) -> Result<Done, Failure> {
    needs_reason(&args.why, "--why")?;
    let client = target::connect(&args.read.target).await?;
    let who = who(&Asker { who: args.who.clone(), ..Asker::default() });
    let id = which::record(&client, &args.id, "").await?;
    let fields = client.reveal(RevealRequest { id, who, why: args.why.clone(), after: args.after }).await?;
    if args.read.json {
        return print_json(&json!({"fields": fields.iter().map(field_shape).collect::<Vec<_>>()}));
    }
    if fields.is_empty() {
        return print(&tr!("这条记录没有密封的内容。\n", "Nothing is sealed in this record.\n"));
    }
    let schema = client.schema().await?;
    let rows: Vec<(String, String)> =
        fields.iter().map(|field| (path_told(&schema, &field.field), values_told(field))).collect();
    print(&(pairs(&rows) + &tr!("\n已记入审计日志。\n", "\nThis is in the audit log.\n")))
}

fn values_told(field: &RevealedField) -> String {
    let mut values = field.values.join(" | ");
    let (locked, total) = (field.locked, field.total);
    if field.values.len() < total as usize {
        values += &tr!(
            "(不同的值共 {total} 个;--after N 列出其后的)",
            " (of {total} different values: --after N shows those that follow)"
        );
    }
    match (locked, values.is_empty()) {
        (0, _) => values,
        (_, true) => tr!("{locked} 个值,本节点没有钥匙", "{locked} value(s) that this node has no key for"),
        (_, false) => {
            values + &tr!("(另有 {locked} 个值没有钥匙)", " (and {locked} value(s) that this node has no key for)")
        }
    }
}

fn field_shape(field: &RevealedField) -> Value {
    json!({"field": field.field, "values": field.values, "locked": field.locked, "total": field.total})
}

fn needs_reason(reason: &str, flag: &str) -> Result<(), Failure> {
    if reason.trim().is_empty() {
        return Err(Failure::usage(say!("要说明事由:{flag}", "say why: {flag}")));
    }
    Ok(())
}

pub async fn erase(args: &EraseArgs) -> Result<Done, Failure> {
    needs_reason(&args.reason, "--reason")?;
    let client = target::connect(&args.read.target).await?;
    let named = &args.id;
    let id = which::record(&client, named, "").await?;
    let shown = if id == *named { id.clone() } else { format!("{named} ({})", short(&id)) };
    confirm(
        &say!("将在所有节点永久抹除记录 {shown}", "record {shown} will be erased everywhere and for good"),
        args.yes,
    )?;
    let who = who(&Asker { who: args.who.clone(), ..Asker::default() });
    let request = EraseRequest { record: id.clone(), reason: args.reason.clone(), who };
    // Before: what is done must not be told as failed because the node cannot be asked once more.
    let schema = client.schema().await?;
    let receipt = client.erase(request).await?;
    if args.read.json {
        return print_json(&receipt_shape(&receipt));
    }
    let record = &receipt.record;
    print(
        &(tr!("本节点已抹除,各节点正在跟进。\n\n", "Erased here; the other nodes follow.\n\n")
            + &receipt_told(&receipt, &schema)
            + &tr!("\n查看进展:heliu receipt {record}\n", "\nTo see how it goes on: heliu receipt {record}\n")),
    )
}

/// Well only when nobody is silent.
pub async fn receipt(args: &ReceiptArgs) -> Result<Done, Failure> {
    let client = target::connect(&args.read.target).await?;
    let receipt = client.receipt(&args.id).await?;
    if args.read.json {
        print_json(&receipt_shape(&receipt))?
    } else {
        print(&receipt_told(&receipt, &*client.schema().await?))?
    };
    Ok(if receipt.silent.is_empty() { Done::Well } else { Done::No })
}

fn receipt_told(receipt: &Receipt, schema: &Schema) -> String {
    let rows = [
        (tr!("记录", "record"), receipt.record.clone()),
        (tr!("种类", "kind"), if receipt.kind.is_empty() { String::new() } else { codes::kind(schema, &receipt.kind) }),
        (tr!("由谁", "ordered by"), short(&receipt.ordered_by)),
        (tr!("何时", "when"), time::local(receipt.ordered_ms)),
    ];
    let headers = [tr!("席位", "seat"), tr!("节点", "node"), tr!("抹除于", "erased")];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).whole(&[1]);
    let mut row = |one: &Confirmation, when: String| table.row([place(one.seat.as_ref()), short(&one.node), when]);
    for one in &receipt.confirmed {
        row(one, time::local(one.at_ms));
    }
    for one in &receipt.silent {
        row(one, tr!("尚无回音", "silent"));
    }
    let (done, silent) = (count(receipt.confirmed.len() as u64), count(receipt.silent.len() as u64));
    let elsewhere = match receipt.elsewhere {
        0 => String::new(),
        others => {
            let others = count(u64::from(others));
            tr!(
                "本席位以外还有 {others} 个节点,其抹除情况只有它们各自的上级知道。\n",
                "Nodes elsewhere: {others}; whether they have erased it only their own superiors hear.\n"
            )
        }
    };
    let for_ever = if receipt.silent.is_empty() {
        String::new()
    } else {
        tr!(
            "不再使用的机器不会有回音:由县级隔离它(heliu fence 节点),就不再等它。\n",
            "A machine that is gone for good stays silent: once the county has fenced it (heliu fence NODE), nobody waits for it.\n"
        )
    };
    pairs(&rows)
        + "\n"
        + &table.print()
        + &tr!(
            "\n{done} 个节点已确认,{silent} 个尚无回音。\n",
            "\nNodes that have confirmed: {done}; silent: {silent}.\n"
        )
        + &for_ever
        + &elsewhere
}

fn receipt_shape(receipt: &Receipt) -> Value {
    let one = |one: &Confirmation| json!({"node": one.node, "seat": seat_shape(one.seat.as_ref()), "at": (one.at_ms > 0).then(|| time::utc(one.at_ms))});
    json!({
        "record": receipt.record, "kind": given(&receipt.kind), "ordered_by": receipt.ordered_by,
        "ordered": time::utc(receipt.ordered_ms),
        "confirmed": receipt.confirmed.iter().map(one).collect::<Vec<_>>(),
        "silent": receipt.silent.iter().map(one).collect::<Vec<_>>(),
        "elsewhere": receipt.elsewhere,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_says_of_how_many_nodes_it_can_say_nothing() {
        let line = Confirmation { node: "ab".repeat(16), at_ms: 1, ..Confirmation::default() };
        let receipt = Receipt { confirmed: vec![line], elsewhere: 7, ..Receipt::default() };
        let told = receipt_told(&receipt, &Schema::default());
        assert!(told.contains("Nodes that have confirmed: 1; silent: 0.\nNodes elsewhere: 7;"), "{told}");
        assert_eq!(receipt_shape(&receipt)["elsewhere"], 7);
        let whole = Receipt { elsewhere: 0, ..receipt };
        assert!(!receipt_told(&whole, &Schema::default()).contains("elsewhere"), "the county sees all of them");
    }
}
