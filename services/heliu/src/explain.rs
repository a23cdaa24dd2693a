//! `heliu do --help` and `heliu do COMMAND --explain`: the commands of the node that is spoken to, as it declares them. This
//! program has no list of its own: it would tell of another version's commands.

use std::sync::Arc;

use heliu_client::Schema;
use heliu_client::schema::{Argument, Ends, SchemaCommand, SchemaLabel, Subject, ValueType};
use serde_json::{Value, json};

use crate::answer::{Done, print, print_json};
use crate::cli::{Read, Target};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::table::Table;
use crate::text::{clean, nearest, say, spoken, tr};
use crate::{target, usage};

/// The page of the verb, and every command; without a node, how to see them.
pub async fn all(target: &Target) -> Result<Done, Failure> {
    let known = match known(target).await {
        Ok(schema) => commands(&schema),
        Err(failure) => {
            let why = clean(failure.what.now());
            tr!(
                "\n有哪些命令,由所连接的节点告知;现在没有节点答复({why})。\n\
                 在节点的目录里运行,或指明节点:heliu do --help --dir 目录(或 --access 文件、--node 地址)\n",
                "\nWhich commands there are the node knows that they are given to, and none answers ({why}).\n\
                 Run this in a node's directory, or name one: heliu do --help --dir DIR (or --access FILE, --node ADDRESS)\n"
            )
        }
    };
    print(&(usage::page("do") + &known))
}

/// One command with its arguments.
pub async fn one(read: &Read, name: &str) -> Result<Done, Failure> {
    let schema = known(&read.target).await.map_err(|failure| {
        failure.why(say!(
            "命令由节点告知,本程序没有自己的清单",
            "commands are told by the node; this program has no list of its own"
        ))
    })?;
    let command = find(&schema, name)?;
    if read.json { print_json(&declared(command)) } else { print(&explain(&schema, command)) }
}

async fn known(target: &Target) -> Result<Arc<Schema>, Failure> {
    Ok(target::connect(target).await?.schema().await?)
}

/// The command of this name, or of this name in either language; else the one that was probably meant is told.
pub fn find<'s>(schema: &'s Schema, name: &str) -> Result<&'s SchemaCommand, Failure> {
    schema.command_called(name).ok_or_else(|| {
        let shown = clean(name);
        let what = say!("节点没有命令 {shown}", "there is no command {shown}");
        let failure = Failure::new(Exit::Usage, "unknown_command", what);
        let names = schema.commands.iter().flat_map(|command| [&*command.name, &*command.label.zh]);
        let near = nearest(name, names);
        let near = near.and_then(|near| schema.commands.iter().find(|c| c.name == near || c.label.zh == near));
        match near.map(|command| clean(&command.name)) {
            Some(near) => failure.next(say!(
                "是不是 {near}?heliu do --help 列出全部命令",
                "did you mean {near}? heliu do --help lists them all"
            )),
            None => failure.next(say!("heliu do --help 列出全部命令", "heliu do --help lists them all")),
        }
    })
}

fn commands(schema: &Schema) -> String {
    let headers = [tr!("命令", "command"), tr!("针对", "about"), tr!("作用", "what it does")];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).whole(&[0]);
    for command in &schema.commands {
        table.row([
            command.name.clone(),
            subject_name(schema, &command.subject),
            format!("{}: {}", spoken(&command.label), spoken(&command.help)),
        ]);
    }
    format!(
        "\n{}\n{}",
        table.print(),
        tr!("每条命令的参数:heliu do 命令 --explain\n", "The arguments of each: heliu do COMMAND --explain\n")
    )
}

fn subject_name(schema: &Schema, subject: &Subject) -> String {
    match subject {
        Subject::None => "-".to_owned(),
        Subject::Any => tr!("任意记录", "any record"),
        Subject::Of(kind) => schema.kind(kind).map_or(kind.as_str(), |kind| spoken(&kind.label)).to_owned(),
    }
}

fn explain(schema: &Schema, command: &SchemaCommand) -> String {
    let [name, label, help] = [&command.name, spoken(&command.label), spoken(&command.help)].map(clean);
    let subject = if command.subject == Subject::None { "" } else { &tr!(" 记录编号", " RECORD") };
    let needed = command.arguments.iter().filter(|argument| argument.required);
    let needed: String = needed.map(|argument| format!(" {}=…", clean(&argument.name))).collect();
    let mut text = format!("{name}: {label}\n{help}\n\n  heliu do {name}{subject}{needed}\n\n");
    if command.subject != Subject::None {
        let about = clean(&subject_name(schema, &command.subject));
        text.push_str(&tr!("针对一条记录:{about}\n\n", "It is about a record: {about}\n\n"));
    }
    if let Ends::This(ends) = &command.ends {
        let ends = clean(spoken(ends));
        text.push_str(&tr!(
            "执行前要确认(脚本用 --yes):{ends}\n\n",
            "It is asked for first (scripts: --yes): {ends}\n\n"
        ));
    }
    if command.arguments.is_empty() {
        text.push_str(&tr!("没有参数。\n", "It takes no arguments.\n"));
    } else {
        text.push_str(&table(&command.arguments));
    }
    if command.takes_fields {
        text.push_str(&tr!("\n另可给出该种类的任何字段。\n", "\nIt also takes every field of the kind.\n"));
    }
    text
}

fn table(arguments: &[Argument]) -> String {
    let headers = [tr!("参数", "argument"), tr!("必填", "required"), tr!("写什么", "takes"), tr!("含义", "meaning")];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).whole(&[0]);
    for argument in arguments {
        let required = if argument.required { tr!("是", "yes") } else { String::new() };
        table.row([argument.name.clone(), required, takes(argument), spoken(&argument.help).to_owned()]);
    }
    table.print()
}

/// The columns that a file for import may have.
pub fn columns(read: &Read, columns: &[Argument]) -> Result<Done, Failure> {
    if read.json {
        return print_json(&json!({"columns": columns.iter().map(argument).collect::<Vec<_>>()}));
    }
    let headers = [tr!("列", "column"), tr!("或写", "or"), tr!("必填", "required"), tr!("写什么", "takes")];
    let mut table = Table::new(&headers.each_ref().map(String::as_str)).whole(&[0, 1]);
    for column in columns {
        let required = if column.required { tr!("是", "yes") } else { String::new() };
        table.row([column.name.clone(), column.label.zh.clone(), required, takes(column)]);
    }
    print(&table.print())
}

/// As [`explain`], for programs, which get both languages.
fn declared(command: &SchemaCommand) -> Value {
    let subject = match &command.subject {
        Subject::None => Value::Null,
        Subject::Any => json!("any"),
        Subject::Of(kind) => json!(kind),
    };
    json!({
        "name": command.name, "label": both(&command.label), "help": both(&command.help), "subject": subject,
        "arguments": command.arguments.iter().map(argument).collect::<Vec<_>>(), "takes_fields": command.takes_fields,
        "ends": if let Ends::This(ends) = &command.ends { both(ends) } else { Value::Null },
    })
}

fn both(label: &SchemaLabel) -> Value {
    json!({"zh": label.zh, "en": label.en})
}

fn argument(argument: &Argument) -> Value {
    json!({
        "name": argument.name, "label": both(&argument.label), "required": argument.required, "many": argument.many,
        "takes": takes(argument), "help": both(&argument.help),
    })
}

fn takes(argument: &Argument) -> String {
    let mut one = spoken(&argument.expects).to_owned();
    if matches!(argument.value, ValueType::Record(_) | ValueType::Unit(_)) {
        one.push_str(&tr!(",或唯一的名称", ", or a name that only one has"));
    }
    if argument.many { one + &tr!(",可多个,用逗号分隔", "; several, separated by commas") } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::served;

    #[test]
    fn every_command_can_be_explained_and_a_slip_finds_its_command() {
        let schema = served::schema();
        for command in &schema.commands {
            let text = explain(&schema, command);
            assert!(command.arguments.iter().all(|argument| text.contains(&argument.name)), "{text}");
            assert_eq!(declared(command)["arguments"].as_array().map(Vec::len), Some(command.arguments.len()));
            assert!(commands(&schema).contains(&command.name));
        }
        assert_eq!(find(&schema, "确认预约").map(|command| &*command.name), Ok("booking.confirm"), "by its label");
        let failure = find(&schema, "booking.confrim").expect_err("no such command");
        assert!(
            failure.code == "unknown_command" && failure.next.is_some_and(|next| next.en.contains("booking.confirm?"))
        );
        let failure = find(&schema, "确认预定").expect_err("no such command");
        assert!(failure.next.is_some_and(|next| next.zh.contains("booking.confirm?")));
        let failure = find(&schema, "member.regster").expect_err("no such command");
        assert!(failure.next.is_some_and(|next| next.en.contains("member.register?")));
    }
}
