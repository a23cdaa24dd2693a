//! `heliu do`: one command, given by its name and `key=value`. Which commands there are is declared in the domain; this
//! file only carries them, so that a new command needs nothing here.

use heliu_catalogue::catalogue;
use std::collections::BTreeMap;

use heliu_client::Client;
use heliu_client::records::{ExecuteRequest, ExecuteResponse};
use heliu_record::command::{Argument, Command, Subject};
use heliu_record::id::to_hex;
use heliu_record::kind::{Label, Merge, ValueType};
use serde_json::{Value, json};

use crate::cli::{Asker, DoArgs};
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::given::{Given, ask};
use crate::out::{Done, complain, print, print_json};
use crate::realm::key_file::random;
use crate::text::table::Table;
use crate::text::{Say, clean, codes, labelled, nearest, say, tr};
use crate::{target, usage, which};

pub async fn run(args: DoArgs) -> Result<Done, Failure> {
    let Some(name) = &args.command else {
        if args.help {
            return print(&(usage::page("do") + &commands()));
        }
        return Err(Failure::usage(say!("没有给出命令名", "no command is named"))
            .next(say!("heliu do --help 列出全部命令", "heliu do --help lists them all")));
    };
    if args.help || args.explain {
        let command = find(name)?;
        return if args.read.json { print_json(&declared(command)) } else { print(&explain(command)) };
    }
    let (subject, arguments) = take_apart(name, &args.arguments)?;
    let arguments = values(name, arguments, &args.ask)?;
    ask_before_an_end(name, &arguments, args.yes)?;
    let client = target::connect(&args.read.target).await?;
    let request = ExecuteRequest {
        command: name.clone(),
        subject: meant_subject(&client, name, subject).await?,
        arguments: whole_ids(&client, name, arguments).await?.into_iter().collect(),
        command_id: if args.command_id.is_empty() { draw_id()? } else { args.command_id.clone() },
        who: who(&args.asker),
        reason: args.asker.reason.clone(),
    };
    let done = execute(&client, request).await?;
    if args.read.json { print_json(&shape(&done)) } else { print(&told(name, &done)) }
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

pub fn shape(done: &ExecuteResponse) -> Value {
    let result: BTreeMap<&String, &String> = done.result.iter().collect();
    json!({
        "command_id": done.command_id, "created": done.created, "result": result, "commits": done.commits,
        "affected": done.affected, "repeated": done.repeated,
    })
}

fn told(name: &str, done: &ExecuteResponse) -> String {
    let said = codes::command(name);
    let mut text = if done.repeated {
        tr!("“{said}”早已执行,这是当时的结果。\n", "{name} had been carried out before; this is what it did.\n")
    } else {
        tr!("“{said}”已执行并存盘。\n", "{name} is done and durable.\n")
    };
    let [created, affected] =
        [&done.created, &done.affected].map(|ids| ids.iter().map(|id| clean(id)).collect::<Vec<_>>());
    for id in &created {
        text.push_str(&tr!("  新建  {id}\n", "  made     {id}\n"));
    }
    for id in affected.iter().filter(|id| !created.contains(id)) {
        text.push_str(&tr!("  改动  {id}\n", "  changed  {id}\n"));
    }
    let results: BTreeMap<&String, &String> = done.result.iter().filter(|(what, _)| *what != "record").collect();
    for (what, id) in results {
        let what = match what.as_str() {
            "entry" => tr!("事项", "entry"),
            "conflict" => tr!("冲突", "conflict"),
            other => clean(other),
        };
        text.push_str(&format!("  {what}  {}\n", clean(id)));
    }
    text
}

/// The subject stands alone, arguments are `key=value`.
fn take_apart(name: &str, words: &[String]) -> Result<(Option<String>, BTreeMap<String, String>), Failure> {
    let (mut subject, mut arguments) = (None, BTreeMap::new());
    for word in words {
        match word.split_once('=') {
            Some((key, value)) => {
                // What it is called in Chinese may stand for it.
                let known = catalogue().command(name).and_then(|command| command.argument_called(key));
                let key = known.map_or(key, |argument| argument.name);
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
fn values(
    command: &str,
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
        matches!(given, Given::Typed(text) if !text.is_empty()) && is_sealed(command, name, field.as_deref())
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
fn is_sealed(command: &str, name: &str, field: Option<&str>) -> bool {
    let sealed = |name: &str| catalogue().kinds().any(|kind| kind.field_called(name).is_some_and(|field| field.sealed));
    let Some(command) = catalogue().command(command) else { return sealed(name) };
    match command.arguments.iter().find(|argument| argument.name == name) {
        Some(argument) => argument.sealed && field.is_none_or(sealed),
        None => sealed(name),
    }
}

/// Beginnings of ids, where an argument names records, made whole: the node takes whole ones.
async fn whole_ids(
    client: &Client,
    name: &str,
    mut arguments: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Failure> {
    // A command that only the node knows gets its arguments as they are.
    let Some(command) = catalogue().command(name) else { return Ok(arguments) };
    let names_records = |argument: &&Argument| matches!(argument.value, ValueType::Record(_) | ValueType::Unit(_));
    for argument in command.arguments.iter().filter(names_records) {
        let Some(text) = arguments.get_mut(argument.name) else { continue };
        let mut whole = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            whole.push(which::argument(client, part, argument.value).await?);
        }
        *text = whole.join(",");
    }
    Ok(arguments)
}

/// The record that a command is about, by what somebody calls it.
async fn meant_subject(client: &Client, name: &str, subject: Option<String>) -> Result<String, Failure> {
    let Some(text) = subject else { return Ok(String::new()) };
    match catalogue().command(name).map(|command| command.subject) {
        Some(Subject::Of(kind)) => which::record(client, &text, kind.name).await,
        Some(Subject::Any) => which::record(client, &text, "").await,
        Some(Subject::None) | None => Ok(text),
    }
}

/// A state that is an end says what it means, and is asked for once more: leaving the party is no move to another branch.
fn ask_before_an_end(name: &str, arguments: &BTreeMap<String, String>, yes: bool) -> Result<(), Failure> {
    if name != "record.decide" {
        return Ok(());
    }
    let given = |key: &str| arguments.get(key).map(|text| text.trim()).unwrap_or_default();
    let fields = catalogue().kinds().filter_map(|kind| kind.field_called(given("field")));
    let state = fields.filter_map(|field| match field.merge {
        Merge::State(machine) => machine.state_called(given("state")),
        _ => None,
    });
    let Some((label, means)) = state.filter_map(|state| Some((state.label, state.means?))).next() else {
        return Ok(());
    };
    let (zh, en) = (label.zh, label.en);
    let (zh_means, en_means) = (means.zh, means.en);
    confirm(&say!("将决定为“{zh}”:{zh_means}", "this decides {en:?}: {en_means}"), yes)
}

fn find(name: &str) -> Result<&'static Command, Failure> {
    catalogue().command(name).ok_or_else(|| {
        let failure = Failure::usage(say!("没有命令 {name}", "there is no command {name}"));
        let names = || catalogue().commands().flat_map(|command| [command.name, command.label.zh]);
        let near = nearest(name, names());
        match near
            .and_then(|near| catalogue().commands().find(|c| c.name == near || c.label.zh == near))
            .map(|c| c.name)
        {
            Some(near) => failure.next(say!(
                "是不是 {near}?heliu do --help 列出全部命令",
                "did you mean {near}? heliu do --help lists them all"
            )),
            None => failure.next(say!("heliu do --help 列出全部命令", "heliu do --help lists them all")),
        }
    })
}

fn commands() -> String {
    let headers = [tr!("命令", "command"), tr!("针对", "about"), tr!("作用", "what it does")];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).whole(&[0]);
    for command in catalogue().commands() {
        table.row([
            command.name.to_owned(),
            subject_name(command.subject),
            format!("{}: {}", labelled(command.label), labelled(command.help)),
        ]);
    }
    format!(
        "\n{}\n{}",
        table.print(),
        tr!("每条命令的参数:heliu do 命令 --explain\n", "The arguments of each: heliu do COMMAND --explain\n")
    )
}

fn subject_name(subject: Subject) -> String {
    match subject {
        Subject::None => "-".to_owned(),
        Subject::Any => tr!("任意记录", "any record"),
        Subject::Of(kind) => labelled(kind.label).to_owned(),
    }
}

fn explain(command: &Command) -> String {
    let (name, label, help) = (command.name, labelled(command.label), labelled(command.help));
    let subject = if command.subject == Subject::None { "" } else { &tr!(" 记录编号", " RECORD") };
    let needed = command.arguments.iter().filter(|argument| argument.required);
    let needed: String = needed.map(|argument| format!(" {}=…", argument.name)).collect();
    let mut text = format!("{name}: {label}\n{help}\n\n  heliu do {name}{subject}{needed}\n\n");
    if command.subject != Subject::None {
        let about = subject_name(command.subject);
        text.push_str(&tr!("针对一条记录:{about}\n\n", "It is about a record: {about}\n\n"));
    }
    let headers = [tr!("参数", "argument"), tr!("必填", "required"), tr!("写什么", "takes"), tr!("含义", "meaning")];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).whole(&[0]);
    for argument in command.arguments {
        let required = if argument.required { tr!("是", "yes") } else { String::new() };
        table.row([argument.name.to_owned(), required, takes(argument), labelled(argument.help).to_owned()]);
    }
    if command.arguments.is_empty() {
        text.push_str(&tr!("没有参数。\n", "It takes no arguments.\n"));
    } else {
        text.push_str(&table.print());
    }
    if command.takes_fields {
        text.push_str(&tr!("\n另可给出该种类的任何字段。\n", "\nIt also takes every field of the kind.\n"));
    }
    text
}

/// As [`explain`], for programs, which get both languages.
fn declared(command: &Command) -> Value {
    let both = |label: Label| json!({"zh": label.zh, "en": label.en});
    let argument = |argument: &Argument| {
        json!({
            "name": argument.name, "required": argument.required, "many": argument.many, "takes": takes(argument),
            "help": both(argument.help),
        })
    };
    let subject = match command.subject {
        Subject::None => Value::Null,
        Subject::Any => json!("any"),
        Subject::Of(kind) => json!(kind.name),
    };
    json!({
        "name": command.name, "label": both(command.label), "help": both(command.help), "subject": subject,
        "arguments": command.arguments.iter().map(argument).collect::<Vec<_>>(), "takes_fields": command.takes_fields,
    })
}

fn takes(argument: &Argument) -> String {
    let mut one = Say::from(argument.value.expects()).now().to_owned();
    if matches!(argument.value, ValueType::Record(_) | ValueType::Unit(_)) {
        one.push_str(&tr!(",或唯一的名称", ", or a name that only one has"));
    }
    if argument.many { one + &tr!(",可多个,用逗号分隔", "; several, separated by commas") } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_subject_stands_alone_and_values_may_hold_an_equals_sign() {
        let (subject, arguments) =
            take_apart("org.dissolve", &words("9c41d07e 承接组织=all=ab name=x")).expect("it reads");
        assert_eq!(subject.as_deref(), Some("9c41d07e"));
        assert_eq!(arguments["successors"], "all=ab");
        assert_eq!(take_apart("record.set", &words("a b")).expect_err("two subjects").exit, Exit::Usage);
        assert_eq!(take_apart("record.set", &words("a=1 a=2")).expect_err("twice").exit, Exit::Usage);
    }

    #[test]
    fn leaving_the_party_says_what_it_means_and_is_asked_for() {
        let decide = |state: &str| {
            BTreeMap::from([("field".to_owned(), "发展阶段".to_owned()), ("state".to_owned(), state.to_owned())])
        };
        for state in ["left", "退党"] {
            let failure = ask_before_an_end("record.decide", &decide(state), false).expect_err("nobody is there");
            assert!(failure.what.zh.contains("不是转出") && failure.what.zh.contains("没有人可以确认"), "{failure:?}");
            assert!(failure.next.is_some_and(|next| next.en.contains("--yes")));
            ask_before_an_end("record.decide", &decide(state), true).expect("a script says that it is meant");
        }
        ask_before_an_end("record.decide", &decide("full"), false).expect("that is no end");
    }

    #[test]
    fn a_secret_need_not_be_typed_on_the_command_line() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = folder.path().join("phone");
        std::fs::write(&file, "13800000000\n").expect("it is ours");
        let (_, typed) = take_apart("member.register", &words(&format!("name=甲 phone=@{} note=@@x", file.display())))
            .expect("it reads");
        let read = values("member.register", typed, &[]).expect("the file is there");
        assert_eq!([&read["name"], &read["phone"], &read["note"]], ["甲", "13800000000", "@x"]);
        let twice = take_apart("member.register", &words("a=- b=-")).expect("it reads").1;
        assert_eq!(values("member.register", twice, &[]).expect_err("one input").exit, Exit::Usage);
        let both = take_apart("member.register", &words("phone=1")).expect("it reads").1;
        assert_eq!(values("member.register", both, &["phone".to_owned()]).expect_err("twice").exit, Exit::Usage);
        let sealed: Vec<&str> = catalogue()
            .kinds()
            .flat_map(heliu_record::kind::Kind::fields)
            .filter(|field| field.sealed)
            .map(|field| field.name)
            .collect();
        let first = sealed.first().expect("a kind has one");
        assert!(is_sealed("record.set", "value", Some(first)) && !is_sealed("record.set", "value", Some("name")));
        assert!(is_sealed("record.create", first, None) && !is_sealed("record.create", "name", None));
    }

    #[test]
    fn every_command_can_be_explained_and_a_slip_finds_its_command() {
        for command in catalogue().commands() {
            let text = explain(command);
            assert!(command.arguments.iter().all(|argument| text.contains(argument.name)), "{text}");
            assert_eq!(declared(command)["arguments"].as_array().map(Vec::len), Some(command.arguments.len()));
            assert!(commands().contains(command.name));
        }
        let failure = find("member.regster").expect_err("no such command");
        assert!(failure.next.is_some_and(|next| next.en.contains("member.register?")));
    }
}
