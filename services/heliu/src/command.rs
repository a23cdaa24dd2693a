//! `heliu do`: one command, given by its name and `key=value`. The node that gets the command says which commands there are;
//! this file only carries them, so that a new command needs nothing here. Help on commands is in `explain`.

use std::collections::BTreeMap;

use heliu_client::Client;
use heliu_client::records::{ExecuteRequest, ExecuteResponse, ListRequest};
use heliu_client::schema::{Ends, Schema, SchemaCommand, SchemaLabel, Subject, ValueType};
use heliu_record::command::undo::{UNDO, UNDONE};
use heliu_record::id::to_hex;
use serde_json::{Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::{Asker, DoArgs, UndoArgs};
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::given::{Given, ask};
use crate::names::{Names, ids_in};
use crate::out::complain;
use crate::random::random;
use crate::references::{FIELD, goes_by_kind, references};
use crate::render::{short, view_of};
use crate::text::{Say, clean, codes, count, say, tr};
use crate::view::{entry_told, field_label, unnumbered, value_told};
use crate::which::{self, Meant};
use crate::{explain, foreseen, target};

pub async fn run(args: DoArgs) -> Result<Done, Failure> {
    let Some(name) = &args.command else {
        if args.help {
            return explain::all(&args.read.target).await;
        }
        return Err(Failure::usage(say!("没有给出命令名", "no command is named"))
            .next(say!("heliu do --help 列出全部命令", "heliu do --help lists them all")));
    };
    if args.help || args.explain {
        return explain::one(&args.read, name).await;
    }
    let client = target::connect(&args.read.target).await?;
    let schema = client.schema().await?;
    // First whether there is such a command: what else is wrong follows from that.
    let command = explain::find(&schema, name)?;
    let (subject, arguments) = take_apart(command, &args.arguments)?;
    let arguments = values(&schema, command, arguments, &args.ask)?;
    let subject = meant_subject(&client, command, subject).await?;
    let arguments = whole_ids(&client, &schema, command, &subject, arguments).await?;
    if !args.yes
        && !args.dry_run
        && let Some(ended) = ended(&schema, command, &arguments)
    {
        confirm(&what_ends(&client, &schema, command, &subject, &arguments, &ended).await?, false)?;
    }
    let request = ExecuteRequest {
        command: command.name.clone(),
        subject,
        arguments: arguments.into_iter().collect(),
        command_id: if args.command_id.is_empty() { draw_id()? } else { args.command_id.clone() },
        who: who(&args.asker),
        reason: args.asker.reason.clone(),
        guessable_id: false,
        dry_run: args.dry_run,
        on_behalf: on_behalf(&client, &args.asker).await?,
    };
    let done = execute(&client, request).await?;
    if args.dry_run {
        return foreseen::print(&client, &done, args.read.json).await;
    }
    if args.read.json {
        print_json(&shape(&done))
    } else {
        print(&told(&client, &codes::command(&schema, &command.name), command, &done).await)
    }
}

/// `heliu undo`: the node knows what the command wrote.
pub async fn undo(args: UndoArgs) -> Result<Done, Failure> {
    let client = target::connect(&args.read.target).await?;
    let schema = client.schema().await?;
    let command = explain::find(&schema, UNDO)?;
    let undone = Some(args.undone.trim().to_lowercase()).filter(|id| !id.is_empty());
    let request = ExecuteRequest {
        command: UNDO.to_owned(),
        arguments: undone.map(|id| (UNDONE.to_owned(), id)).into_iter().collect(),
        command_id: if args.command_id.is_empty() { draw_id()? } else { args.command_id },
        who: who(&args.asker),
        on_behalf: on_behalf(&client, &args.asker).await?,
        reason: args.asker.reason,
        dry_run: args.dry_run,
        ..ExecuteRequest::default()
    };
    let done = execute(&client, request).await?;
    if args.dry_run {
        return foreseen::print(&client, &done, args.read.json).await;
    }
    if args.read.json {
        return print_json(&shape(&done));
    }
    print(&told(&client, &codes::command(&schema, UNDO), command, &done).await)
}

/// Gives a command; if the answer is lost, says how to repeat it without a second effect.
pub async fn execute(client: &Client, request: ExecuteRequest) -> Result<ExecuteResponse, Failure> {
    let id = request.command_id.clone();
    client.execute(request).await.map_err(|error| {
        // Whether it was carried out is not known, or it can be once the node is well again.
        let lost = matches!(error, heliu_client::Error::Unreachable { .. } | heliu_client::Error::TimedOut { .. })
            || matches!(error.reason(), "stopped" | "shutting_down" | "call_too_long" | "store_full" | "store_failed");
        let failure = Failure::from(error);
        if !lost {
            return failure;
        }
        failure.why(say!(
            "命令可能已执行;加上 --command-id {id} 重发不会重复执行",
            "the command may have been carried out; repeated with --command-id {id} it has no second effect"
        ))
    })
}

pub fn draw_id() -> Result<String, Failure> {
    Ok(to_hex(&random::<16>()?))
}

/// Who asks: as told, else the user of this session.
pub fn who(asker: &Asker) -> String {
    let user = || ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    asker.who.clone().or_else(user).unwrap_or_default()
}

/// The seat in whose name it is done, by its code or id; empty: the node's own.
pub async fn on_behalf(client: &Client, asker: &Asker) -> Result<String, Failure> {
    match asker.on_behalf.as_str() {
        "" => Ok(String::new()),
        seat => which::argument(client, seat, &ValueType::Seat).await,
    }
}

pub fn shape(done: &ExecuteResponse) -> Value {
    let result: BTreeMap<&String, &String> = done.result.iter().collect();
    json!({
        "command_id": done.command_id, "created": done.created, "result": result, "commits": done.commits,
        "affected": done.affected, "repeated": done.repeated,
    })
}

/// `said`: what people read for the command.
async fn told(client: &Client, said: &str, command: &SchemaCommand, done: &ExecuteResponse) -> String {
    let names = Names::of(client, done.created.iter().chain(&done.affected).cloned()).await;
    let entry = match done.result.get("entry") {
        Some(entry) => entry_of(client, command, done, entry).await,
        None => None,
    };
    told_with(said, &command.name, done, &names, entry)
}

/// The entry that a command made or wrote in, as the record has it now: what it is called, and what it says. Of a command about
/// records of a kind it is that of such a record; what is written beside may have one of the same name.
async fn entry_of(
    client: &Client,
    command: &SchemaCommand,
    done: &ExecuteResponse,
    entry: &str,
) -> Option<(String, String)> {
    let schema = client.schema().await.ok()?;
    let is_meant = |kind: &str| !matches!(&command.subject, Subject::Of(of) if *of != kind);
    for id in &done.affected {
        let Ok(record) = client.get(id).await else { continue };
        if !is_meant(&record.kind) {
            continue;
        }
        let (view, kind) = (view_of(&record), schema.kind(&record.kind));
        let Some((field, parts)) = view.iter().find_map(|(field, value)| Some((field, value.get(entry)?))) else {
            continue;
        };
        let names = Names::of(client, ids_in(parts)).await;
        let called = format!("{} {}", field_label(kind, field), entry_told(&names, &view, field, entry));
        return Some((called, value_told(kind, &names, field, &unnumbered(parts))));
    }
    None
}

fn told_with(said: &str, name: &str, done: &ExecuteResponse, names: &Names, entry: Option<(String, String)>) -> String {
    let (said, name) = (clean(said), clean(name));
    let mut text = if done.repeated {
        tr!("“{said}”早已执行,这是当时的结果。\n", "{name} had been carried out before; this is what it did.\n")
    } else {
        tr!("“{said}”已执行并存盘。\n", "{name} is done and durable.\n")
    };
    for id in &done.created {
        let id = names.told(id);
        text.push_str(&tr!("  新建  {id}\n", "  made     {id}\n"));
    }
    for id in done.affected.iter().filter(|id| !done.created.contains(id)) {
        let id = names.told(id);
        text.push_str(&tr!("  改动  {id}\n", "  changed  {id}\n"));
    }
    if let Some((called, says)) = entry {
        let (called, says) = (clean(&called), clean(&says));
        text.push_str(&tr!("  {called}:{says}\n", "  {called}: {says}\n"));
    }
    let results: BTreeMap<&String, &String> =
        done.result.iter().filter(|(what, _)| !["record", "entry"].contains(&what.as_str())).collect();
    for (what, id) in results {
        let what = match what.as_str() {
            "conflict" => tr!("冲突", "conflict"),
            other => clean(other),
        };
        text.push_str(&format!("  {what}  {}\n", short(id)));
    }
    text
}

/// The subject stands alone, arguments are `key=value`.
pub fn take_apart(
    command: &SchemaCommand,
    words: &[String],
) -> Result<(Option<String>, BTreeMap<String, String>), Failure> {
    let (mut subject, mut arguments) = (None, BTreeMap::new());
    for word in words {
        match word.split_once('=') {
            Some((key, value)) => {
                // An argument may be given by its Chinese name too.
                let known = command.argument_called(key);
                let key = known.map_or(key, |argument| &argument.name);
                if arguments.insert(key.to_owned(), value.to_owned()).is_some() {
                    return Err(Failure::usage(say!("参数 {key} 给了两次", "the argument {key} is given twice")));
                }
            }
            None if subject.is_none() => subject = Some(word.clone()),
            None => {
                return Err(Failure::usage(say!("“{word}”不是参数", "{word:?} is no argument")).next(say!(
                    "参数写作 名称=值;所针对的记录只写一个。值中有空格时请加引号",
                    "write arguments as key=value; the record that it is about is given once. Quote a value with blanks"
                )));
            }
        }
    }
    Ok((subject, arguments))
}

/// What was typed, or is where was said. Everything is read before anything is sent.
pub fn values(
    schema: &Schema,
    command: &SchemaCommand,
    typed: BTreeMap<String, String>,
    asked: &[String],
) -> Result<BTreeMap<String, String>, Failure> {
    let given: BTreeMap<String, Given> = typed.into_iter().map(|(name, text)| (name, Given::of(&text))).collect();
    if given.values().filter(|given| **given == Given::Stdin).count() > 1 {
        return Err(Failure::usage(say!("标准输入只能给一个参数", "only one argument can come from standard input")));
    }
    if let Some(twice) = asked.iter().find(|name| given.contains_key(*name)) {
        return Err(Failure::usage(say!("参数 {twice} 给了两次", "the argument {twice} is given twice")));
    }
    let field = given.get("field").and_then(|given| given.value().ok());
    for (name, _) in given.iter().filter(|(name, given)| {
        matches!(given, Given::Typed(text) if !text.is_empty()) && is_sealed(schema, command, name, field.as_deref())
    }) {
        let name = clean(name);
        complain(&tr!(
            "注意:{name} 要密封,而命令行上的值本机其他用户看得到(ps),也会留在命令历史里。请改用 --ask {name}、{name}=-(标准输入)或 {name}=@文件。\n",
            "note: {name} is to be sealed, but what is typed on a command line others on this machine can see (ps), and the shell keeps it. Better: --ask {name}, {name}=- for standard input, or {name}=@FILE.\n"
        ));
    }
    let mut values = BTreeMap::new();
    for (name, given) in given {
        let value = given.value()?;
        values.insert(name, value);
    }
    for name in asked {
        let value = ask(name)?;
        values.insert(name.clone(), value);
    }
    Ok(values)
}

/// Whether the value of an argument is kept from some who have the record. Where a field is named, that one decides.
pub fn is_sealed(schema: &Schema, command: &SchemaCommand, name: &str, field: Option<&str>) -> bool {
    let sealed = |name: &str| schema.fields_called(name).any(|field| field.sealed);
    match command.arguments.iter().find(|argument| argument.name == name) {
        Some(argument) => argument.sealed && field.is_none_or(sealed),
        None => sealed(name),
    }
}

/// What arguments name that are records or seats, by their whole ids: the node takes these.
async fn whole_ids(
    client: &Client,
    schema: &Schema,
    command: &SchemaCommand,
    subject: &str,
    mut arguments: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Failure> {
    let is_asked = !subject.is_empty() && goes_by_kind(schema, command, &arguments);
    let kind = if is_asked { client.get(subject).await?.kind } else { String::new() };
    let named = references(schema, command, schema.kind(&kind), &arguments);
    let texts = named.iter().flat_map(|named| named.texts(&arguments).map(|text| (text, &named.value)));
    let meant = Meant::of(client, texts).await?;
    for named in &named {
        named.put(&mut arguments, &meant)?;
    }
    Ok(arguments)
}

/// The record that a command is about, by what somebody calls it.
async fn meant_subject(client: &Client, command: &SchemaCommand, subject: Option<String>) -> Result<String, Failure> {
    let Some(text) = subject else { return Ok(String::new()) };
    match &command.subject {
        Subject::Of(kind) => which::record(client, &text, kind).await,
        Subject::Any => which::record(client, &text, "").await,
        Subject::None => Ok(text),
    }
}

const STATE: &str = "state";

/// What is over once the command has been carried out, if something is.
pub fn ended(schema: &Schema, command: &SchemaCommand, arguments: &BTreeMap<String, String>) -> Option<Say> {
    match &command.ends {
        Ends::Nothing => None,
        Ends::This(ends) => {
            let [label, ends] = [&command.label, ends];
            Some(said([label, ends]))
        }
        Ends::ByState => {
            let given = |key: &str| arguments.get(key).map(|text| text.trim()).unwrap_or_default();
            let states = schema.fields_called(given(FIELD)).filter_map(|field| field.state_called(given(STATE)));
            let end = states.into_iter().find(|state| state.ending || state.means.is_some())?;
            let plain = SchemaLabel { zh: "这是终结性的决定".to_owned(), en: "this is an end".to_owned() };
            Some(said([&end.label, end.means.as_ref().unwrap_or(&plain)]))
        }
    }
}

fn said([label, ends]: [&SchemaLabel; 2]) -> Say {
    let [zh, en, zh_ends, en_ends] = [&label.zh, &label.en, &ends.zh, &ends.en].map(|text| clean(text));
    say!("“{zh}”:{zh_ends}", "{en:?}: {en_ends}")
}

/// What is asked before that: which records it is about, and what is attached to them.
async fn what_ends(
    client: &Client,
    schema: &Schema,
    command: &SchemaCommand,
    subject: &str,
    arguments: &BTreeMap<String, String>,
    ended: &Say,
) -> Result<Say, Failure> {
    let ids: Vec<String> = match (subject, &command.subject) {
        ("", _) | (_, Subject::None) => {
            arguments.values().flat_map(|text| text.split(',')).map(str::to_owned).collect()
        }
        (subject, _) => vec![subject.to_owned()],
    };
    // Beginnings of ids are ids as well.
    let mut whole = Vec::new();
    for id in ids.into_iter().filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_hexdigit())) {
        whole.push(client.get(&id).await?.id);
    }
    let names = Names::of(client, whole.iter().cloned()).await;
    let mut attached: BTreeMap<String, u64> = BTreeMap::new();
    let mut more = false;
    for id in &whole {
        let request = ListRequest { refers_to: id.clone(), limit: ATTACHED, ..ListRequest::default() };
        let page = client.list(request).await?;
        more |= !page.next.is_empty();
        for record in page.records {
            *attached.entry(record.kind).or_default() += 1;
        }
    }
    let records = whole.iter().map(|id| names.told(id)).collect::<Vec<_>>().join(", ");
    let told = |(kind, number): (&String, &u64)| format!("{} {}", clean(&codes::kind(schema, kind)), count(*number));
    let attached = attached.iter().map(told).collect::<Vec<_>>().join(", ");
    let more = if more { " …" } else { "" };
    let Say { zh, en } = ended;
    Ok(if attached.is_empty() {
        say!("{records} {zh}", "{records} {en}")
    } else {
        say!(
            "{records} {zh}。现有记录与之相关:{attached}{more}",
            "{records} {en}. Records that refer to it now: {attached}{more}"
        )
    })
}

/// Of more records that refer to one that ends the number is not told.
const ATTACHED: u32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use crate::served;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn apart(command: &str, line: &str) -> Result<(Option<String>, BTreeMap<String, String>), Failure> {
        take_apart(served::schema().command(command).expect("it is declared"), &words(line))
    }

    fn values_of(typed: BTreeMap<String, String>, asked: &[String]) -> Result<BTreeMap<String, String>, Failure> {
        let schema = served::schema();
        values(&schema, schema.command("member.register").expect("it is declared"), typed, asked)
    }

    #[test]
    fn a_subject_stands_alone_and_values_may_hold_an_equals_sign() {
        let (subject, arguments) = apart("org.dissolve", "9c41d07e 承接组织=all=ab name=x").expect("it reads");
        assert_eq!(subject.as_deref(), Some("9c41d07e"));
        assert_eq!(arguments["successors"], "all=ab");
        assert_eq!(apart("record.set", "a b").expect_err("two subjects").exit, Exit::Usage);
        assert_eq!(apart("record.set", "a=1 a=2").expect_err("twice").exit, Exit::Usage);
    }

    #[test]
    fn whatever_ends_something_says_what_it_means_and_is_asked_for() {
        let schema = served::schema();
        let ends = |name: &str, arguments: &[(&str, &str)]| {
            let arguments = arguments.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
            ended(&schema, schema.command(name).expect("it is declared"), &arguments)
        };
        for state in ["left", "退党"] {
            let said = ends("record.decide", &[("field", "发展阶段"), ("state", state)]).expect("it is an end");
            assert!(said.zh.contains("不是转出"), "{said:?}");
            let failure = confirm(&said, false).expect_err("nobody is there");
            assert!(failure.why == [said.clone()] && failure.what.zh.contains("没有终端可以询问"), "{failure:?}");
            assert!(failure.next.is_some_and(|next| next.en.contains("--yes")));
            confirm(&said, true).expect("a script says that it is meant");
        }
        assert_eq!(ends("record.decide", &[("field", "stage"), ("state", "full")]), None, "that is no end");
        for name in ["org.dissolve", "org.merge_build", "resource.withdraw"] {
            assert!(ends(name, &[]).is_some(), "{name}");
        }
        assert_eq!(ends("org.create", &[]), None);
        let endings = schema.kinds.iter().flat_map(|kind| &kind.fields).flat_map(|field| {
            let states = field.states.iter().filter(|state| state.ending);
            states.map(|state| (field.name.clone(), state.name.clone()))
        });
        for (field, state) in endings {
            assert!(ends("record.decide", &[("field", &field), ("state", &state)]).is_some(), "{field}={state}");
        }
    }

    #[test]
    fn a_secret_need_not_be_typed_on_the_command_line() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = folder.path().join("phone");
        std::fs::write(&file, "13800000000\n").expect("it is ours");
        let line = format!("name=甲 phone=@{} note=@@x", file.display());
        let (_, typed) = apart("member.register", &line).expect("it reads");
        let read = values_of(typed, &[]).expect("the file is there");
        assert_eq!([&read["name"], &read["phone"], &read["note"]], ["甲", "13800000000", "@x"]);
        let twice = apart("member.register", "a=- b=-").expect("it reads").1;
        assert_eq!(values_of(twice, &[]).expect_err("one input").exit, Exit::Usage);
        let both = apart("member.register", "phone=1").expect("it reads").1;
        assert_eq!(values_of(both, &["phone".to_owned()]).expect_err("twice").exit, Exit::Usage);
        let schema = served::schema();
        let fields = schema.kinds.iter().flat_map(|kind| &kind.fields);
        let first =
            fields.filter(|field| field.sealed).map(|field| field.name.as_str()).next().expect("a kind has one");
        let is_sealed =
            |command, name, field| is_sealed(&schema, schema.command(command).expect("it is declared"), name, field);
        assert!(is_sealed("record.set", "value", Some(first)) && !is_sealed("record.set", "value", Some("name")));
        assert!(is_sealed("record.create", first, None) && !is_sealed("record.create", "name", None));
    }
}
