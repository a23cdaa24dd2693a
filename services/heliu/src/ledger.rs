//! `ledger`, `inbox`, `due` and `advisories`: what many records come to, as a table on the screen, for programs, or in a file.

mod ages;

use std::collections::BTreeMap;
use std::path::Path;

use heliu_client::Client;
use heliu_client::records::{
    Label, LedgerCell, LedgerCheck, LedgerColumn, LedgerLine, LedgerRequest, LedgerResponse, Seat,
};
use heliu_client::schema::{SchemaLabel, ValueType};
use serde_json::{Map, Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::{By, LedgerArgs};
use crate::export::format;
use crate::export::table::{Column, Holds, Writer};
use crate::failure::Failure;
use crate::page::pages;
use crate::render::{given, place, seat_shape};
use crate::text::table::Table;
use crate::text::{Language, clean, count, language, spoken, tr};
use crate::{target, which};

/// As nodes have it: a page has no more lines.
const PAGE: u32 = 1_000;
const INDENT: &str = "  ";
const SEAT: &str = "seat";
const RECORD: &str = "record";

pub async fn run(args: &LedgerArgs) -> Result<Done, Failure> {
    let client = target::connect(&args.read.target).await?;
    if args.name.is_empty() {
        return list(&client, args.read.json).await;
    }
    if args.count {
        ages::count(&client, args).await?;
    }
    let request = request(&client, args).await?;
    if let Some(out) = &args.out {
        return export(&client, request, out, args).await;
    }
    let mut first = None;
    let (lines, next) = pages(&args.page, async |after, limit| {
        let page = client.ledger(LedgerRequest { after, limit, ..request.clone() }).await?;
        let (lines, next) = (page.lines.clone(), page.next.clone());
        first.get_or_insert(page);
        Ok((lines, next))
    })
    .await?;
    let Some(about) = first else { return print("") };
    let seats = Seats::of(&client, lines.iter().chain(&about.total)).await?;
    if args.read.json {
        return print_json(&shape(&about, &lines, &next, &seats));
    }
    print(&told(&about, &lines, &next, &seats))
}

async fn list(client: &Client, as_json: bool) -> Result<Done, Failure> {
    let schema = client.schema().await?;
    if as_json {
        let both = |label: &SchemaLabel| json!({"zh": label.zh, "en": label.en});
        let ledgers = schema.ledgers.iter().map(|ledger| {
            json!({"name": ledger.name, "label": both(&ledger.label), "help": both(&ledger.help), "takes": ledger.takes})
        });
        return print_json(&json!({"ledgers": ledgers.collect::<Vec<_>>()}));
    }
    let mut table = Table::new(&[&tr!("代号", "name"), &tr!("台账", "ledger"), &tr!("内容", "what it tells")]);
    for ledger in &schema.ledgers {
        table.row([ledger.name.clone(), spoken(&ledger.label).to_owned(), spoken(&ledger.help).to_owned()]);
    }
    print(&table.print())
}

async fn request(client: &Client, args: &LedgerArgs) -> Result<LedgerRequest, Failure> {
    let at = match args.at.trim() {
        "" => String::new(),
        at => which::argument(client, at, &ValueType::Unit("org".to_owned())).await?,
    };
    let by = match args.by {
        None => "",
        Some(By::Seat) => "seat",
        Some(By::Org) => "org",
    };
    let [on, from, to] = [&args.on, &args.from, &args.to].map(|day| day.trim().to_owned());
    let name = args.name.trim().to_owned();
    Ok(LedgerRequest { name, by: by.to_owned(), at, on, from, to, ..LedgerRequest::default() })
}

/// The seats of an answer, as people name them.
#[derive(Default)]
struct Seats(BTreeMap<String, Seat>);

impl Seats {
    async fn of<'l>(client: &Client, lines: impl Iterator<Item = &'l LedgerLine>) -> Result<Self, Failure> {
        let has_seats = lines.flat_map(|line| &line.cells).any(|cell| cell.id_of == SEAT);
        let seats = if has_seats { client.seats().await? } else { Vec::new() };
        Ok(Seats(seats.into_iter().map(|seat| (seat.id.clone(), seat)).collect()))
    }

    fn get(&self, id: &str) -> Option<&Seat> {
        self.0.get(id)
    }
}

fn said(label: Option<&Label>) -> String {
    label.map(|label| if language() == Language::Zh { &label.zh } else { &label.en }).cloned().unwrap_or_default()
}

/// What people read in a cell.
fn shown(cell: &LedgerCell, seats: &Seats, counts: impl Fn(i64) -> String) -> String {
    match (cell.count, &cell.shown) {
        (Some(number), _) => counts(number),
        (None, _) if cell.id_of == SEAT && seats.get(&cell.text).is_some() => place(seats.get(&cell.text)),
        (None, Some(label)) => said(Some(label)),
        (None, None) => cell.text.clone(),
    }
}

fn signed(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", count(number.unsigned_abs()))
}

fn told(about: &LedgerResponse, lines: &[LedgerLine], next: &str, seats: &Seats) -> String {
    let mut headers: Vec<String> = about.columns.iter().map(|column| said(column.label.as_ref())).collect();
    let has_partial = lines.iter().any(|line| line.partial);
    if has_partial {
        headers.push(String::new());
    }
    let right: Vec<usize> = (0..).zip(&about.columns).filter(|(_, c)| c.holds == "count").map(|(at, _)| at).collect();
    let mut table = Table::new(&headers.iter().map(String::as_str).collect::<Vec<_>>()).right(&right);
    let cells = |line: &LedgerLine| -> Vec<String> {
        let mut cells: Vec<String> = line.cells.iter().map(|cell| shown(cell, seats, signed)).collect();
        if let Some(first) = cells.first_mut() {
            first.insert_str(0, &INDENT.repeat(line.depth as usize));
        }
        if has_partial {
            cells.resize(about.columns.len(), String::new());
            cells.push(if line.partial { "*".to_owned() } else { String::new() });
        }
        cells
    };
    lines.iter().for_each(|line| table.row(cells(line)));
    if let Some(total) = about.total.as_ref().filter(|_| next.is_empty()) {
        let mut sum = cells(total);
        if let Some(first) = sum.first_mut() {
            *first = tr!("合计", "total");
        }
        table.row(sum);
    }
    let mut told = table.print();
    told += &crate::page::more(lines.len(), next);
    if has_partial {
        told += &tr!(
            "* 不完整:其下有本节点没有或您无权查看的内容。\n",
            "* partial: not all that belongs to it is held here, or shown to you.\n"
        );
    }
    for check in about.checks.iter().filter(|check| !check.holds) {
        let (label, left, right) = (clean(&said(check.label.as_ref())), signed(check.left), signed(check.right));
        told += &tr!("核对不符:{label}:{left} 与 {right}。\n", "Does not balance: {label}: {left} and {right}.\n");
    }
    for note in &about.notes {
        told += &format!("{}\n", clean(&said(Some(note))));
    }
    told
}

fn shape(about: &LedgerResponse, lines: &[LedgerLine], next: &str, seats: &Seats) -> Value {
    let both = |label: Option<&Label>| label.map_or(Value::Null, |label| json!({"zh": label.zh, "en": label.en}));
    let column = |column: &LedgerColumn| json!({"name": column.name, "label": both(column.label.as_ref()), "holds": column.holds});
    let value = |cell: &LedgerCell| match (cell.count, &cell.shown, &*cell.id_of) {
        (Some(number), ..) => number.into(),
        (None, _, SEAT) => match seats.get(&cell.text) {
            Some(seat) => seat_shape(Some(seat)),
            None => json!({"id": cell.text, "code": null, "name": null, "tier": null}),
        },
        (None, Some(name), RECORD) => json!({"id": cell.text, "name": name.zh}),
        (None, Some(label), _) => json!({"code": cell.text, "zh": label.zh, "en": label.en}),
        (None, None, _) => given(&cell.text).map_or(Value::Null, Value::from),
    };
    let line = |line: &LedgerLine| {
        let named = about.columns.iter().zip(&line.cells).map(|(column, cell)| (column.name.clone(), value(cell)));
        json!({"depth": line.depth, "partial": line.partial, "cells": named.collect::<Map<_, _>>()})
    };
    let check = |check: &LedgerCheck| json!({"label": both(check.label.as_ref()), "left": check.left, "right": check.right, "holds": check.holds});
    json!({
        "ledger": about.name,
        "on": given(&about.on),
        "columns": about.columns.iter().map(column).collect::<Vec<_>>(),
        "lines": lines.iter().map(line).collect::<Vec<_>>(),
        "total": about.total.as_ref().map_or(Value::Null, |total| line(total)["cells"].clone()),
        "balanced": about.checks.iter().all(|check| check.holds),
        "checks": about.checks.iter().map(check).collect::<Vec<_>>(),
        "notes": about.notes.iter().map(|note| both(Some(note))).collect::<Vec<_>>(),
        "lines_total": about.lines_total,
        "next": given(next),
    })
}

/// All lines, with the sum below them.
async fn export(client: &Client, request: LedgerRequest, out: &Path, args: &LedgerArgs) -> Result<Done, Failure> {
    let format = format(args.format, out)?;
    let mut page = client.ledger(LedgerRequest { limit: PAGE, ..request.clone() }).await?;
    let seats = Seats(client.seats().await?.into_iter().map(|seat| (seat.id.clone(), seat)).collect());
    let mut writer = Writer::new(out, format, page.columns.iter().map(column).collect())?;
    let mut rows = 0_u64;
    let written = async {
        loop {
            for line in &page.lines {
                writer.row(&plain(line, &seats))?;
                rows += 1;
            }
            if page.next.is_empty() {
                break;
            }
            let after = std::mem::take(&mut page.next);
            page = client.ledger(LedgerRequest { limit: PAGE, after, ..request.clone() }).await?;
        }
        match &page.total {
            Some(total) => {
                let mut sum = plain(total, &seats);
                if let Some(first) = sum.first_mut() {
                    *first = tr!("合计", "total");
                }
                writer.row(&sum)
            }
            None => Ok(()),
        }
    };
    if let Err(failure) = written.await {
        writer.give_up();
        return Err(failure);
    }
    writer.finish()?;
    let file = out.display();
    if args.read.json {
        let columns: Vec<&str> = page.columns.iter().map(|column| column.name.as_str()).collect();
        let balanced = page.checks.iter().all(|check| check.holds);
        return print_json(&json!({
            "file": file.to_string(), "ledger": page.name, "rows": rows, "columns": columns, "balanced": balanced,
        }));
    }
    let rows = count(rows);
    print(&tr!("{file}:{rows} 行。\n", "{file}: {rows} rows.\n"))
}

fn column(column: &LedgerColumn) -> Column {
    let holds = match &*column.holds {
        "count" => Holds::Count,
        "date" => Holds::Date,
        _ => Holds::Text,
    };
    Column { heading: said(column.label.as_ref()), holds, words: Vec::new() }
}

fn plain(line: &LedgerLine, seats: &Seats) -> Vec<String> {
    line.cells.iter().map(|cell| shown(cell, seats, |number| number.to_string())).collect()
}
