//! `print letter|receipt|card|roster`: what a clerk puts into an envelope or a file, as a page for any browser or as a PDF. What stands on
//! it is in `letter`, `roster` and here; how it looks in `html`, `pdf` and `font`.
//!
//! Bottom up: `paper`, `html`, `font`, `pdf`, `letter`, `roster`.

mod font;
mod html;
mod letter;
mod paper;
mod pdf;
mod roster;

use std::path::PathBuf;

use heliu_client::records::{HistoryRequest, Record};
use heliu_client::{Client, Schema};
use serde_json::{Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::{PrintArgs, Sheet};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::names::{Names, ids_in};
use crate::records;
use crate::render::{short, view_of};
use crate::text::{clean, codes, say, time, tr};
use crate::{target, which};
use font::Font;
use letter::Letter;
use paper::{Block, Paper};

/// Pages of a history that are looked through for who issued a letter.
const PAGES_MAX: usize = 64;

pub async fn run(args: &PrintArgs) -> Result<Done, Failure> {
    // Nothing is asked of the node for a PDF that cannot be written.
    let font = if args.pdf { Some(Font::find(args.font.as_deref())?) } else { None };
    let client = target::connect(&args.read.target).await?;
    let kind = match args.sheet {
        Sheet::Letter | Sheet::Receipt => "member",
        Sheet::Roster => "org",
        Sheet::Card => "",
    };
    let record = client.get(&which::record(&client, &args.subject, kind).await?).await?;
    let schema = client.schema().await?;
    let paper = match args.sheet {
        Sheet::Letter => read_letter(&client, &schema, &record, &args.letter).await?.paper(),
        Sheet::Receipt => read_letter(&client, &schema, &record, &args.letter).await?.receipt()?,
        Sheet::Card => card(&client, &schema, &record).await,
        Sheet::Roster => roster::paper(&client, &schema, &record, &time::today()).await?,
    };
    let (bytes, missing) = match &font {
        Some(font) => {
            let written = pdf::write(&paper, font)?;
            (written.bytes, written.missing)
        }
        None => (html::page(&paper).into_bytes(), Vec::new()),
    };
    let out = args.out.clone().unwrap_or_else(|| called(args.sheet, &record, font.is_some()));
    heliu_disk::write_new(&out, &bytes).map_err(|error| Failure::file(&out, &error))?;
    let file = out.display().to_string();
    if args.read.json {
        let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        return print_json(&json!({"file": file, "id": record.id, "title": paper.title, "missing": missing}));
    }
    let title = clean(&paper.title);
    let mut said = if font.is_some() {
        tr!("{file}:{title},已写好。\n", "{file}: {title} is written.\n")
    } else {
        tr!("{file}:{title},用浏览器打开后打印(A4)。\n", "{file}: {title}; open it in a browser and print it (A4).\n")
    };
    if !missing.is_empty() {
        let missing = missing.iter().map(|letter| clean(&letter.to_string())).collect::<Vec<_>>().join(" ");
        said += &tr!(
            "注意:字体中没有这些字,印成了问号:{missing};用 --font 换一个字体,或不加 --pdf。\n",
            "note: the font has no letter for {missing}, which are printed as question marks: name another with --font, or leave out --pdf.\n"
        );
    }
    print(&said)
}

/// A new file here that says what it is. Nothing of it is others' words.
fn called(sheet: Sheet, record: &Record, is_pdf: bool) -> PathBuf {
    let (id, ending) = (short(&record.id), if is_pdf { "pdf" } else { "html" });
    PathBuf::from(format!("{}-{id}.{ending}", sheet.name()))
}

async fn read_letter(client: &Client, schema: &Schema, record: &Record, named: &str) -> Result<Letter, Failure> {
    if record.kind != "member" {
        let title = clean(view_of(record).get("name").and_then(Value::as_str).unwrap_or(&record.id));
        let kind = codes::kind(schema, &record.kind);
        return Err(Failure::new(
            Exit::Usage,
            "wrong_kind",
            say!("“{title}”是{kind},介绍信是党员的", "{title:?} is of the kind {kind}, and letters are of members"),
        ));
    }
    let (entry, parts) = letter::meant(record, named)?;
    let mut called = Vec::new();
    for id in ["from_org", "to_org"].into_iter().filter_map(|part| parts.get(part).and_then(Value::as_str)) {
        // An organisation that is not held here is called by its seat.
        if let Ok(org) = client.get(id).await {
            let name = view_of(&org).get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            called.push((id.to_owned(), name));
        }
    }
    called.extend(client.seats().await?.into_iter().map(|seat| (seat.id, seat.name)));
    let named = |id: &str| called.iter().find(|(other, _)| other == id).map(|(_, name)| name.clone());
    let issuer = issuer(client, record, &entry).await?;
    Ok(Letter::of(schema, record, &(entry, parts), named, issuer))
}

/// The seat whose node wrote when a letter was issued.
async fn issuer(client: &Client, record: &Record, entry: &str) -> Result<String, Failure> {
    let key = format!("moves/{entry}/issued_on");
    let mut request = HistoryRequest { id: record.id.clone(), ..HistoryRequest::default() };
    for _ in 0..PAGES_MAX {
        let page = client.history(request.clone()).await?;
        let is_it = |change: &&heliu_client::records::Change| change.puts.iter().any(|put| put.key == key);
        if let Some(seat) = page.changes.iter().find(is_it).and_then(|change| change.author_seat.as_ref()) {
            return Ok(seat.name.clone());
        }
        request.after = page.next;
        if request.after.is_empty() {
            break;
        }
    }
    Ok(String::new())
}

/// All that a record says, as `get` tells it.
async fn card(client: &Client, schema: &Schema, record: &Record) -> Paper {
    let view = view_of(record);
    let names = Names::of(client, ids_in(&view.clone().into())).await;
    let name = view.get("name").and_then(Value::as_str).unwrap_or_default();
    let kind = codes::kind(schema, &record.kind);
    let rows = records::rows(schema, record, &names).into_iter().map(|(label, value)| (label.trim().to_owned(), value));
    Paper::new(tr!("{kind}登记卡:{name}", "{kind}: {name}"))
        .with(Block::Rows(rows.collect()))
        .with(Block::Right(vec![letter::day(&time::today())]))
}
