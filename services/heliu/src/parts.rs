//! What a node does not show whole: how much there is, and the rest, page by page.

use heliu_client::Client;
use heliu_client::records::{Cut, Element, GetRequest};
use serde_json::{Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::GetArgs;
use crate::failure::Failure;
use crate::names::Names;
use crate::page::{more, pages};
use crate::render::{given, short};
use crate::text::{clean, count, tr};
use crate::view::value_told;
use crate::which;

/// Of more cuts than these only the number is told.
const CUTS_SHOWN: usize = 12;

/// `get ID --path PATH`: the elements of one part of a record.
pub async fn get(client: &Client, args: &GetArgs) -> Result<Done, Failure> {
    let id = which::record(client, &args.id, "").await?;
    let mut total = 0;
    let (elements, after) = pages(&args.page, async |after, limit| {
        let request = GetRequest { id: id.clone(), path: args.path.clone(), after, limit };
        let page = client.part(request).await?;
        total = page.total;
        Ok((page.elements, page.next))
    })
    .await?;
    if args.read.json {
        let shapes: Vec<Value> = elements.iter().map(shape).collect();
        return print_json(&json!({"path": args.path, "elements": shapes, "total": total, "next": given(&after)}));
    }
    let told: String = elements.iter().map(told).collect();
    let total = count(total);
    print(&(told + &more(elements.len(), &after) + &tr!("全部:{total}\n", "Total: {total}\n")))
}

fn value(element: &Element) -> Value {
    serde_json::from_str(&element.value_json).unwrap_or(Value::Null)
}

fn told(element: &Element) -> String {
    let value = clean(&value_told(None, &Names::default(), "", &value(element)));
    if element.key.is_empty() { format!("{value}\n") } else { format!("{}: {value}\n", clean(&element.key)) }
}

fn shape(element: &Element) -> Value {
    json!({"key": given(&element.key), "value": value(element), "cuts": cuts_shape(&element.cuts)})
}

pub fn cuts_shape(cuts: &[Cut]) -> Value {
    cuts.iter().map(|cut| json!({"path": cut.path, "shown": cut.shown, "total": cut.total})).collect()
}

/// What of a record is not shown, and how to see it.
pub fn cuts_told(id: &str, cuts: &[Cut]) -> String {
    let mut text = String::new();
    for cut in cuts.iter().take(CUTS_SHOWN) {
        let (id, path) = (short(id), clean(&cut.path));
        let (shown, rest) = (count(cut.shown), count(cut.total.saturating_sub(cut.shown)));
        text.push_str(&tr!(
            "{path}:已列出 {shown},另有 {rest};查看:heliu get {id} --path '{path}'\n",
            "{path}: {shown} shown, and {rest} more: heliu get {id} --path '{path}'\n"
        ));
    }
    if let Some(rest) = cuts.len().checked_sub(CUTS_SHOWN).filter(|rest| *rest > 0) {
        let rest = count(rest as u64);
        text.push_str(&tr!("另有 {rest} 处未完整列出\n", "{rest} more places are not shown whole\n"));
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}
