//! The lines that a command is carried out for: of a table, as they are read there, or one for each record that is found. What is
//! in a file is outside input: every fault is told with its line and column.

use std::collections::BTreeMap;
use std::path::Path;

use heliu_client::Client;
use heliu_client::schema::{Argument, Kind, Schema, SchemaCommand, SchemaLabel, Subject, ValueType};
use heliu_disk::small_file;

use super::subject::Whom;
use crate::cli::{DoArgs, ListArgs, Page, Read};
use crate::failure::Failure;
use crate::find;
use crate::import::bad_row::BadRow;
use crate::import::form::{Columns, Form};
use crate::import::rows::Row;
use crate::import::source::{How, Source};
use crate::reading::FILE_BYTES_MAX;
use crate::text::{Say, clean, codes, count, say};

/// More lines are no work of one preview that somebody reads; and they are held.
const LINES_MAX: usize = 20_000;
/// The column with whatever tells a record: an id, a name, a number.
pub const SUBJECT: &str = "subject";

/// What a table may have as columns: what tells the record that a line is about, and the arguments that are not given for all.
pub struct Sheet<'s> {
    pub command: &'s SchemaCommand,
    /// Of the records that it is about; none: of any, or it is about none.
    pub kind: Option<&'s Kind>,
    pub columns: Columns,
    /// Those of the columns that tell the record, beside [`SUBJECT`], and where records say the same.
    pub tell: Vec<(Argument, Vec<String>)>,
}

impl<'s> Sheet<'s> {
    pub fn of(
        schema: &'s Schema,
        command: &'s SchemaCommand,
        common: &BTreeMap<String, String>,
        args: &DoArgs,
    ) -> Result<Self, Failure> {
        let named = args.each.each_of.as_deref().map(|text| named_kind(schema, text)).transpose()?;
        let kind = match (&command.subject, named) {
            (Subject::None, Some(_)) => return Err(about_none(command)),
            (Subject::None, None) => None,
            (Subject::Any, named) => named,
            (Subject::Of(kind), named) => {
                let kind = schema.kind(kind);
                if let (Some(kind), Some(named)) = (kind, named)
                    && kind.name != named.name
                {
                    return Err(other_kind(schema, kind, named));
                }
                kind
            }
        };
        let mut arguments: Vec<Argument> =
            command.arguments.iter().filter(|argument| !common.contains_key(&argument.name)).cloned().collect();
        if args.each.each.is_none() {
            // No table says the rest.
            if let Some(missing) = arguments.iter().find(|argument| argument.required) {
                let (name, SchemaLabel { zh, en }) = (&missing.name, &missing.expects);
                return Err(Failure::usage(say!("缺少参数 {name}", "the argument {name} is missing"))
                    .next(say!("{name} 要{zh}", "{name} takes {en}")));
            }
        }
        let mut tell = Vec::new();
        if let Some(kind) = kind {
            let form = Form::of(schema, &kind.name)?;
            let name = form.columns.iter().find(|column| column.name == "name");
            for column in [form.number(), name, form.place()].into_iter().flatten() {
                if !command.arguments.iter().any(|argument| argument.name == column.name) {
                    let read = form.read_as(column).into_iter().map(str::to_owned).collect();
                    tell.push((Argument { required: false, many: false, ..column.clone() }, read));
                }
            }
        }
        let mut columns: Vec<Argument> = Vec::new();
        if command.subject != Subject::None {
            let label = kind.map_or_else(
                || SchemaLabel { zh: "记录".to_owned(), en: "record".to_owned() },
                |kind| kind.label.clone(),
            );
            let value = ValueType::Record(kind.map(|kind| kind.name.clone()).unwrap_or_default());
            columns.push(Argument { name: SUBJECT.to_owned(), label, value, ..Argument::default() });
        }
        columns.extend(tell.iter().map(|(column, _)| column.clone()));
        columns.append(&mut arguments);
        Ok(Sheet { command, kind, columns: Columns(columns), tell })
    }

    /// Whether a column is an argument of the command.
    pub fn is_argument(&self, name: &str) -> bool {
        name != SUBJECT && !self.tell.iter().any(|(column, _)| column.name == name)
    }
}

fn named_kind<'s>(schema: &'s Schema, text: &str) -> Result<&'s Kind, Failure> {
    let singular = text.strip_suffix('s').unwrap_or(text);
    schema.kind_called(text).or_else(|| schema.kind_called(singular)).ok_or_else(|| {
        let shown = clean(text);
        let (zh, en): (Vec<&str>, Vec<&str>) =
            schema.kinds.iter().map(|kind| (kind.label.zh.as_str(), kind.name.as_str())).unzip();
        let (zh, en) = (clean(&zh.join("、")), clean(&en.join(", ")));
        Failure::usage(say!("没有记录种类 {shown}", "there is no kind {shown}"))
            .next(say!("可写:{zh}", "what there is: {en}"))
    })
}

fn about_none(command: &SchemaCommand) -> Failure {
    let name = clean(&command.name);
    Failure::usage(say!("{name} 不针对已有的记录", "{name} is about no record that is there"))
        .next(say!("请用 --each 文件,每行给出参数", "use --each FILE: each line gives its arguments"))
}

fn other_kind(schema: &Schema, kind: &Kind, named: &Kind) -> Failure {
    let [kind, named] = [kind, named].map(|kind| clean(&codes::kind(schema, &kind.name)));
    Failure::usage(say!("该命令针对{kind},不针对{named}", "that command is about a {kind} and not a {named}"))
}

/// What a command is carried out for.
pub struct Lines {
    /// Of a table: how it was read. Of what was found: nothing.
    pub read_as: Option<Say>,
    pub skipped: Vec<String>,
    /// What they are of: the name of a file, or of what was asked for.
    pub called: String,
    pub rows: Vec<Row>,
    /// Of what was found, the record of each row.
    pub found: Vec<Whom>,
    /// Faults of lines that could not be read.
    pub unread: Vec<BadRow>,
}

/// One byte more than may be, so that what is too long is seen to be.
pub fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    small_file::read(file, FILE_BYTES_MAX as u64 + 1).map_err(|why| Failure::bad_file(file, &why))
}

pub async fn all(client: &Client, sheet: &Sheet<'_>, args: &DoArgs, bytes: Option<Vec<u8>>) -> Result<Lines, Failure> {
    match (&args.each.each, bytes) {
        (Some(file), Some(bytes)) => of_table(sheet, args, file, bytes).await,
        _ => found(client, sheet, args).await,
    }
}

async fn of_table(sheet: &Sheet<'_>, args: &DoArgs, file: &Path, bytes: Vec<u8>) -> Result<Lines, Failure> {
    let called = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut lines =
        Lines { read_as: None, skipped: Vec::new(), called, rows: Vec::new(), found: Vec::new(), unread: Vec::new() };
    let source = match Source::open(&sheet.columns, false, bytes, &How::of(&args.each.table)) {
        Ok(source) => source,
        Err(unread) => return Ok(Lines { unread, ..lines }),
    };
    lines.read_as = Some(source.told());
    lines.skipped = source.skipped().to_vec();
    let read = source.each(async |(rows, bad)| {
        lines.rows.extend(rows);
        lines.unread.extend(bad);
        if lines.rows.len() + lines.unread.len() > LINES_MAX { Err(too_many()) } else { Ok(()) }
    });
    read.await?;
    if lines.rows.is_empty() && lines.unread.is_empty() {
        lines
            .unread
            .push(BadRow::whole(1, say!("只有列名,没有数据行", "it has a line of column names and nothing else")));
    }
    Ok(lines)
}

async fn found(client: &Client, sheet: &Sheet<'_>, args: &DoArgs) -> Result<Lines, Failure> {
    let kind = sheet.kind.map(|kind| kind.name.clone()).unwrap_or_default();
    let each = &args.each;
    let limit = u32::try_from(LINES_MAX).unwrap_or(u32::MAX);
    let asked = ListArgs {
        kind: kind.clone(),
        refers_to: String::new(),
        gone: false,
        search: each.search.clone(),
        conditions: each.conditions.clone(),
        at: each.at.clone(),
        sort: String::new(),
        descending: false,
        count: false,
        group_by: Vec::new(),
        page: Page { limit, after: String::new() },
        read: Read::default(),
    };
    let found = find::find(client, &asked, &kind).await?;
    if !found.next.is_empty() {
        return Err(too_many());
    }
    if !found.damaged.is_empty() {
        let number = count(found.damaged.len() as u64);
        return Err(Failure::new(
            crate::exit::Exit::Store,
            "damaged",
            say!("查到的记录中有 {number} 条已损坏", "{number} of the records that were found are damaged"),
        )
        .next(say!("节点正在修复,稍后重试", "the node is mending them: try again later")));
    }
    let found: Vec<Whom> = found.records.iter().map(Whom::of).collect();
    let rows = (1..).zip(&found).map(|(line, _)| Row { line, values: BTreeMap::new(), parent: None }).collect();
    Ok(Lines { read_as: None, skipped: Vec::new(), called: String::new(), rows, found, unread: Vec::new() })
}

fn too_many() -> Failure {
    let most = count(LINES_MAX as u64);
    Failure::usage(say!("一次至多 {most} 行", "at most {most} lines at once"))
        .next(say!("请拆开分几次办理", "split them"))
}
