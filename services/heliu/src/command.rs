//! `heliu do`: one command, given by its name and `key=value`. The node that gets the command says which commands there are;
//! this file only carries them, so that a new command needs nothing here. Help on commands is in `explain`.

use std::collections::BTreeMap;

use heliu_client::Client;
use heliu_client::records::{ExecuteRequest, ExecuteResponse};
use heliu_client::schema::{Argument, Schema, SchemaCommand, Subject, ValueType};
use heliu_record::id::to_hex;
use serde_json::{Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::{Asker, DoArgs};
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::given::{Given, ask};
use crate::out::complain;
use crate::random::random;
use crate::text::{clean, codes, say, tr};
use crate::{explain, target, which};

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
    // A command that the node does not know is refused by the node.
    let command = schema.command(name);
    let (subject, arguments) = take_apart(command, &args.arguments)?;
    let arguments = values(&schema, command, arguments, &args.ask)?;
    ask_before_an_end(&schema, name, &arguments, args.yes)?;
    let request = ExecuteRequest {
        command: name.clone(),
        subject: meant_subject(&client, command, subject).await?,
        arguments: whole_ids(&client, command, arguments).await?.into_iter().collect(),
        command_id: if args.command_id.is_empty() { draw_id()? } else { args.command_id.clone() },
        who: who(&args.asker),
        reason: args.asker.reason.clone(),
        guessable_id: false,
    };
    let done = execute(&client, request).await?;
    if args.read.json { print_json(&shape(&done)) } else { print(&told(&codes::command(&schema, name), name, &done)) }
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

/// `said`: what people read for the command.
fn told(said: &str, name: &str, done: &ExecuteResponse) -> String {
    let (said, name) = (clean(said), clean(name));
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
fn take_apart(
    command: Option<&SchemaCommand>,
    words: &[String],
) -> Result<(Option<String>, BTreeMap<String, String>), Failure> {
    let (mut subject, mut arguments) = (None, BTreeMap::new());
    for word in words {
        match word.split_once('=') {
            Some((key, value)) => {
                // An argument may be given by its Chinese name too.
                let known = command.and_then(|command| command.argument_called(key));
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
fn values(
    schema: &Schema,
    command: Option<&SchemaCommand>,
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
fn is_sealed(schema: &Schema, command: Option<&SchemaCommand>, name: &str, field: Option<&str>) -> bool {
    let sealed = |name: &str| schema.fields_called(name).any(|field| field.sealed);
    match command.and_then(|command| command.arguments.iter().find(|argument| argument.name == name)) {
        Some(argument) => argument.sealed && field.is_none_or(sealed),
        None => sealed(name),
    }
}

/// Beginnings of ids, where an argument names records, made whole: the node takes whole ones.
async fn whole_ids(
    client: &Client,
    command: Option<&SchemaCommand>,
    mut arguments: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Failure> {
    let Some(command) = command else { return Ok(arguments) };
    let names_records = |argument: &&Argument| matches!(argument.value, ValueType::Record(_) | ValueType::Unit(_));
    for argument in command.arguments.iter().filter(names_records) {
        let Some(text) = arguments.get_mut(&argument.name) else { continue };
        let mut whole = Vec::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            whole.push(which::argument(client, part, &argument.value).await?);
        }
        *text = whole.join(",");
    }
    Ok(arguments)
}

/// The record that a command is about, by what somebody calls it.
async fn meant_subject(
    client: &Client,
    command: Option<&SchemaCommand>,
    subject: Option<String>,
) -> Result<String, Failure> {
    let Some(text) = subject else { return Ok(String::new()) };
    match command.map(|command| &command.subject) {
        Some(Subject::Of(kind)) => which::record(client, &text, kind).await,
        Some(Subject::Any) => which::record(client, &text, "").await,
        Some(Subject::None) | None => Ok(text),
    }
}

/// A state that is an end says what it means, and is asked for once more: leaving the party is no move to another branch.
fn ask_before_an_end(
    schema: &Schema,
    name: &str,
    arguments: &BTreeMap<String, String>,
    yes: bool,
) -> Result<(), Failure> {
    if name != "record.decide" {
        return Ok(());
    }
    let given = |key: &str| arguments.get(key).map(|text| text.trim()).unwrap_or_default();
    let states = schema.fields_called(given("field")).filter_map(|field| field.state_called(given("state")));
    let Some((label, means)) = states.filter_map(|state| Some((&state.label, state.means.as_ref()?))).next() else {
        return Ok(());
    };
    let [zh, en, zh_means, en_means] = [&label.zh, &label.en, &means.zh, &means.en].map(|text| clean(text));
    confirm(&say!("将决定为“{zh}”:{zh_means}", "this decides {en:?}: {en_means}"), yes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use crate::served;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn apart(command: &str, line: &str) -> Result<(Option<String>, BTreeMap<String, String>), Failure> {
        take_apart(served::schema().command(command), &words(line))
    }

    fn values_of(typed: BTreeMap<String, String>, asked: &[String]) -> Result<BTreeMap<String, String>, Failure> {
        let schema = served::schema();
        values(&schema, schema.command("member.register"), typed, asked)
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
    fn leaving_the_party_says_what_it_means_and_is_asked_for() {
        let decide = |state: &str| {
            BTreeMap::from([("field".to_owned(), "发展阶段".to_owned()), ("state".to_owned(), state.to_owned())])
        };
        let schema = served::schema();
        for state in ["left", "退党"] {
            let failure =
                ask_before_an_end(&schema, "record.decide", &decide(state), false).expect_err("nobody is there");
            assert!(failure.what.zh.contains("不是转出") && failure.what.zh.contains("没有人可以确认"), "{failure:?}");
            assert!(failure.next.is_some_and(|next| next.en.contains("--yes")));
            ask_before_an_end(&schema, "record.decide", &decide(state), true).expect("a script says that it is meant");
        }
        ask_before_an_end(&schema, "record.decide", &decide("full"), false).expect("that is no end");
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
        let is_sealed = |command, name, field| is_sealed(&schema, schema.command(command), name, field);
        assert!(is_sealed("record.set", "value", Some(first)) && !is_sealed("record.set", "value", Some("name")));
        assert!(is_sealed("record.create", first, None) && !is_sealed("record.create", "name", None));
    }
}
