//! `export KIND` and `template KIND`: the records of a kind as a table with the columns that `import` reads, so that what goes out can be
//! corrected and come in again; and the same table without rows. How a table is written to a file is in `table`.

pub mod table;
mod values;

use heliu_client::Client;
use heliu_client::records::{ListRequest, Record, RecordState, RevealRequest};
use heliu_client::schema::{Argument, ValueType};
use serde_json::{Map, Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::{Asker, ExportArgs, Format, TemplateArgs};
use crate::command::who;
use crate::failure::Failure;
use crate::import::form::Form;
use crate::render::view_of;
use crate::text::{count, say, tr};
use crate::which::has_ended;
use crate::{target, which};
use table::{Column, Holds, Writer};
use values::{Names, cells, heading, words};

const PAGE: u32 = 1_000;

pub async fn template(args: &TemplateArgs) -> Result<Done, Failure> {
    let format = format(args.format, &args.out)?;
    let client = target::connect(&args.read.target).await?;
    let schema = client.schema().await?;
    let form = Form::of(&schema, &args.kind)?;
    Writer::new(&args.out, format, of_form(&form))?.finish()?;
    let file = args.out.display();
    if args.read.json {
        return print_json(&json!({"file": file.to_string(), "kind": form.kind.name, "columns": columns(&form)}));
    }
    print(&tr!(
        "{file}:已写好列名,填好后用 heliu import 导入。\n",
        "{file}: the columns are there; fill it in and give it to heliu import.\n"
    ))
}

pub async fn run(args: &ExportArgs) -> Result<Done, Failure> {
    if args.reveal && args.why.trim().is_empty() {
        return Err(Failure::usage(say!("要说明事由:--why", "say why: --why")));
    }
    let format = format(args.format, &args.out)?;
    let client = target::connect(&args.read.target).await?;
    let schema = client.schema().await?;
    let form = Form::of(&schema, &args.kind)?;
    let refers_to = match args.refers_to.as_str() {
        "" => String::new(),
        named => which::record(&client, named, "").await?,
    };
    let asker = Asker { who: args.who.clone(), ..Asker::default() };
    let reveal = RevealRequest { who: who(&asker), why: args.why.clone(), ..RevealRequest::default() };
    let names = Names::of(&client, &schema, &form).await?;
    let export = Export { client: &client, form: &form, names, reveal: args.reveal.then_some(reveal) };
    let mut writer = Writer::new(&args.out, format, of_form(&form))?;
    let told = match export.write(refers_to, &mut writer).await {
        Ok(told) => told,
        Err(failure) => {
            writer.give_up();
            return Err(failure);
        }
    };
    writer.finish()?;
    let (file, rows) = (args.out.display(), count(told.rows));
    if args.read.json {
        return print_json(&json!({
            "file": file.to_string(), "kind": form.kind.name, "rows": told.rows, "ended": told.ended,
            "sealed": told.sealed, "damaged": told.damaged, "columns": columns(&form),
        }));
    }
    let mut said = tr!("{file}:{rows} 行。\n", "{file}: {rows} rows.\n");
    if told.ended > 0 {
        let ended = count(told.ended);
        said += &tr!("已终结的 {ended} 条不在其中。\n", "{ended} that have ended are not among them.\n");
    }
    if told.sealed > 0 {
        let sealed = count(told.sealed);
        said += &tr!(
            "{sealed} 条中有密封的内容,没有写出;有权查看的用 --reveal --why 写出。\n",
            "In {sealed} something is sealed, and not written; who may read it adds --reveal --why.\n"
        );
    }
    print(&said)
}

/// The columns of a kind, each with the words that it takes.
fn of_form(form: &Form<'_>) -> Vec<Column> {
    let column = |argument: &Argument| Column {
        heading: heading(form, argument).to_owned(),
        holds: if argument.value == ValueType::Date { Holds::Date } else { Holds::Text },
        words: words(argument).into_iter().map(str::to_owned).collect(),
    };
    form.columns.iter().map(column).collect()
}

fn columns<'f>(form: &'f Form<'_>) -> Vec<&'f str> {
    form.columns.iter().map(|column| column.name.as_str()).collect()
}

/// What the file is called says what it is, if nobody does.
pub fn format(given: Option<Format>, out: &std::path::Path) -> Result<Format, Failure> {
    let ending = out.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    match (given, ending.as_deref()) {
        (Some(format), _) => Ok(format),
        (None, Some("csv")) => Ok(Format::Csv),
        (None, Some("xlsx")) => Ok(Format::Xlsx),
        (None, _) => Err(Failure::usage(say!("写成哪一种文件?", "which sort of file is it to be?"))
            .next(say!("加 --format csv 或 --format xlsx", "add --format csv or --format xlsx"))),
    }
}

/// What came out.
#[derive(Debug, Default)]
struct Told {
    rows: u64,
    /// Records that have ended, which are left out.
    ended: u64,
    /// Records of which something sealed is not written.
    sealed: u64,
    damaged: Vec<String>,
}

/// What is asked of the node, and how its answers become rows.
struct Export<'e> {
    client: &'e Client,
    form: &'e Form<'e>,
    names: Names,
    /// Who opens what is sealed, and why; none: it is not written.
    reveal: Option<RevealRequest>,
}

impl Export<'_> {
    async fn write(&self, refers_to: String, writer: &mut Writer) -> Result<Told, Failure> {
        let kind = self.form.kind.name.clone();
        let mut request = ListRequest { kind, refers_to, limit: PAGE, ..ListRequest::default() };
        let mut told = Told::default();
        loop {
            let page = self.client.list(request.clone()).await?;
            told.damaged.extend(page.damaged);
            for record in page.records {
                // What is too long for a list is asked for by itself.
                let record = if record.cuts.is_empty() { record } else { self.client.get(&record.id).await? };
                self.row(&record, writer, &mut told).await?;
            }
            request.after = page.next;
            if request.after.is_empty() {
                return Ok(told);
            }
        }
    }

    async fn row(&self, record: &Record, writer: &mut Writer, told: &mut Told) -> Result<(), Failure> {
        if record.state() != RecordState::Present {
            return Ok(());
        }
        let mut view = view_of(record);
        let text = |name: &str| view.get(name).and_then(Value::as_str).unwrap_or_default();
        if has_ended(self.form.kind, text).is_some() {
            told.ended += 1;
            return Ok(());
        }
        if let Some(reveal) = self.reveal.as_ref().filter(|_| self.is_sealed(&view)) {
            for field in self.client.reveal(RevealRequest { id: record.id.clone(), ..reveal.clone() }).await? {
                // Of several that were written apart none is the one.
                if let [value] = &field.values[..] {
                    view.insert(field.field, Value::from(value.as_str()));
                }
            }
        }
        told.sealed += u64::from(self.is_sealed(&view));
        told.rows += 1;
        writer.row(&cells(self.form, &self.names, record, &view))
    }

    fn is_sealed(&self, view: &Map<String, Value>) -> bool {
        let is_sealed = |name: &str| view.get(name).is_some_and(Value::is_object);
        self.form.columns.iter().any(|column| column.sealed && is_sealed(&column.name))
    }
}
