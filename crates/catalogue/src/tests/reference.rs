//! The reference in `docs/`, made of the declarations alone: whatever is declared is in it, and a page that is not what they say
//! fails here. `cargo xtask reference` writes it anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use heliu_record::authority::describe;
use heliu_record::command::{Command, Ends, Makes, Subject};
use heliu_record::kind::{Field, Kind, Label, Merge, Part, label};
use heliu_record::ledger::Takes;

use crate::{catalogue, policy};

/// Set by `cargo xtask reference`.
const WRITES: &str = "HELIU_WRITE_REFERENCE";

type Say = fn(Label) -> &'static str;

/// A page: its file, and which half of each label it shows.
const PAGES: [(&str, Say); 2] = [("reference.md", |of| of.en), ("reference.zh-CN.md", |of| of.zh)];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

#[test]
fn the_reference_says_what_is_declared() {
    #[expect(clippy::disallowed_methods, reason = "whether it is to be written is no input of records")]
    let writes = std::env::var_os(WRITES).is_some();
    for (name, say) in PAGES {
        let (path, fresh) = (file(name), page(say));
        if writes {
            std::fs::write(&path, &fresh).expect("the repository is ours");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let stale = committed.lines().zip(fresh.lines()).find(|(committed, fresh)| committed != fresh);
        assert!(
            committed == fresh,
            "docs/{name} is stale, first at {stale:?}: run `cargo xtask reference` and commit it"
        );
    }
}

#[test]
fn nothing_that_is_declared_is_left_out_of_the_reference() {
    for (_, say) in PAGES {
        let page = page(say);
        let catalogue = catalogue();
        let kinds = catalogue.kinds().flat_map(|kind| kind.fields().map(|field| field.name).chain([kind.name]));
        let found = catalogue.rules().flat_map(|rule| rule.finds).map(|word| word.name);
        let arguments = catalogue.commands().flat_map(|command| command.arguments.iter().map(|one| one.name));
        let commands = catalogue.commands().map(|command| command.name);
        let ledgers = catalogue.ledgers().map(|ledger| ledger.word.name);
        let settings = policy::SETTINGS.iter().map(|setting| setting.field().name);
        for code in kinds.chain(found).chain(arguments).chain(commands).chain(ledgers).chain(settings) {
            assert!(page.contains(&format!("`{code}`")), "{code} is not in the reference");
        }
    }
}

/// A setting that claims to be read is, and no rule goes by one that says that nothing does.
#[test]
fn each_setting_of_the_policy_says_what_reads_it() {
    let declared =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/policy.rs")).expect("our source");
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let known: BTreeSet<&str> = catalogue()
        .commands()
        .map(|command| command.name)
        .chain(catalogue().rules().flat_map(|rule| rule.finds.iter().map(|word| word.name)))
        .chain(catalogue().ledgers().map(|ledger| ledger.word.name))
        .collect();
    for setting in policy::SETTINGS {
        let code = setting.field().name;
        let constant = declared
            .lines()
            .find_map(|line| line.contains(&format!("\"{code}\"")).then(|| line.trim().split(',').next()));
        let constant = constant.flatten().expect("each is declared in a line of its own");
        let is_read = sources.contains(&format!("policy::{constant}"));
        assert_eq!(is_read, !setting.read_by.is_empty(), "{code}: say in `settings!` what reads it");
        let unknown: Vec<_> = setting.read_by.iter().filter(|name| !known.contains(*name)).collect();
        assert!(unknown.is_empty(), "{code} is read by {unknown:?}, which is not declared");
    }
}

/// All of them but tests, as one text.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for at in std::fs::read_dir(folder).expect("our sources") {
        let at = at.expect("our sources").path();
        if at.is_dir() && !at.ends_with("tests") {
            all += &sources(&at);
        } else if at.extension().is_some_and(|end| end == "rs") && !at.ends_with("policy.rs") {
            all += &std::fs::read_to_string(&at).expect("our source");
        }
    }
    all
}

fn page(say: Say) -> String {
    let mut page = String::new();
    let title = label("参考", "Reference");
    let made = label(
        "本页由声明生成(`cargo xtask reference`),不要手改。英文见 [reference.md](reference.md)。字段、命令和状态在命令行上可写代码,也可写中文名。",
        "This page is generated from the declarations (`cargo xtask reference`); do not edit it. In Chinese: [reference.zh-CN.md](reference.zh-CN.md). On the command line fields, arguments and states go by their codes and by their names in either language.",
    );
    line(&mut page, &format!("# {}\n\n{}\n", say(title), say(made)));
    line(&mut page, &format!("## {}\n", say(label("记录种类", "Kinds of record"))));
    catalogue().kinds().for_each(|kind| of_kind(&mut page, kind, say));
    line(&mut page, &format!("## {}\n", say(label("命令", "Commands"))));
    catalogue().commands().for_each(|command| of_command(&mut page, command, say));
    of_rules(&mut page, say);
    of_ledgers(&mut page, say);
    of_policy(&mut page, say);
    page
}

fn of_ledgers(page: &mut String, say: Say) {
    line(page, &format!("## {}\n", say(label("台账", "Ledgers"))));
    let flags = |takes: &Takes| match takes {
        Takes::By => "`--by`",
        Takes::On => "`--on`",
        Takes::Period => "`--from` `--to`",
    };
    let rows = catalogue().ledgers().map(|ledger| {
        let takes: Vec<&str> = ["`--at`"].into_iter().chain(ledger.takes.iter().map(flags)).collect();
        vec![code(ledger.word.name), say(ledger.word.label).to_owned(), takes.join(" "), say(ledger.help).to_owned()]
    });
    let head =
        [label("代码", "code"), label("名称", "name"), label("可指定", "asked by"), label("内容", "what it tells")];
    table(page, &head, rows, say);
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").expect("a text grows");
}

fn table(page: &mut String, head: &[Label], rows: impl Iterator<Item = Vec<String>>, say: Say) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return;
    }
    let cells = |cells: Vec<String>| {
        format!("| {} |", cells.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
    };
    line(page, &cells(head.iter().map(|of| say(*of).to_owned()).collect()));
    line(page, &format!("|{}", "---|".repeat(head.len())));
    rows.for_each(|row| line(page, &cells(row)));
    page.push('\n');
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn of_kind(page: &mut String, kind: &Kind, say: Say) {
    line(page, &format!("### {} `{}`\n\n{}\n", say(kind.label), kind.name, say(kind.help)));
    let head = [
        label("字段", "field"),
        label("名称", "name"),
        label("写什么", "takes"),
        label("由谁填写", "written by"),
        label("同时写入时", "written side by side"),
        label("说明", "what it is"),
    ];
    let fields: Vec<&Field> = kind.fields().collect();
    let row = |field: &&Field| {
        vec![
            code(field.name),
            say(field.label).to_owned(),
            takes(field, say),
            say(describe(field.writer)).to_owned(),
            say(merges(field)).to_owned(),
            told(kind, field, say),
        ]
    };
    table(page, &head, fields.iter().map(row), say);
    for field in &fields {
        let states = states(field, say);
        let parts = field.parts();
        if !states.is_empty() || !parts.is_empty() {
            line(page, &format!("{} `{}`:\n", say(field.label), field.name));
        }
        let head = [label("状态", "state"), label("名称", "name"), label("来自", "from"), label("由谁", "by")];
        table(page, &head, states.into_iter(), say);
        let head =
            [label("部分", "part"), label("名称", "name"), label("写什么", "takes"), label("由谁填写", "written by")];
        let row = |part: &&Part| {
            let expects = part.value.expects();
            vec![
                code(part.name),
                say(part.label).to_owned(),
                said(&expects, say),
                say(describe(part.writer)).to_owned(),
            ]
        };
        table(page, &head, parts.iter().map(row), say);
    }
}

/// In one of the two languages.
fn said(words: &heliu_record::conflict::Explanation, say: Say) -> String {
    let is_english = say(label("zh", "en")) == "en";
    if is_english { words.en.to_string() } else { words.zh.to_string() }
}

fn takes(field: &Field, say: Say) -> String {
    let expects = field.value.expects();
    if matches!(field.merge, Merge::State(_)) {
        return say(label("下列状态之一", "one of the states below")).to_owned();
    }
    let many = if matches!(field.merge, Merge::Aws) { label("(可有多个)", " (several)") } else { label("", "") };
    said(&expects, say) + say(many)
}

fn merges(field: &Field) -> Label {
    match field.merge {
        Merge::Lww => label("后写的有效", "the later one stands"),
        Merge::Mv => label("都显示,由人选定", "both are shown, and somebody chooses"),
        Merge::Aws => label("合在一起", "together"),
        Merge::Slot(_) | Merge::Entries(_) => label("各写各的", "each writes its own"),
        Merge::Log => label("都保留", "all are kept"),
        Merge::State(_) => label("按规定的先后", "by their rank"),
    }
}

fn told(kind: &Kind, field: &Field, say: Say) -> String {
    let mut told = say(field.help).to_owned();
    let is_sought = kind.column(field.name).map(|column| column.is_sought);
    let marks = [
        (field.required, label("必填", "required")),
        (field.sealed, label("密封", "sealed")),
        (is_sought == Some(true), label("可查找", "searched")),
        (is_sought == Some(false), label("可筛选", "listed")),
    ];
    for (_, mark) in marks.iter().filter(|(is, _)| *is) {
        write!(told, " · {}", say(*mark)).expect("a text grows");
    }
    told
}

fn states(field: &Field, say: Say) -> Vec<Vec<String>> {
    let from = |names: &[&str]| names.iter().map(|name| code(name)).collect::<Vec<_>>().join(" ");
    if let Merge::State(machine) = field.merge {
        let row = |state: &heliu_record::kind::State| {
            vec![
                code(state.name),
                say(state.label).to_owned(),
                from(state.from),
                say(describe(state.writer)).to_owned(),
            ]
        };
        return machine.states.iter().map(row).collect();
    }
    let by = |state: &heliu_record::kind::EntryState| {
        let part = state.by.and_then(|part| field.part(part));
        part.map(|part| say(describe(part.writer)).to_owned()).unwrap_or_default()
    };
    let row = |state: &heliu_record::kind::EntryState| {
        vec![code(state.word.name), say(state.word.label).to_owned(), from(state.from), by(state)]
    };
    field.states.iter().map(row).collect()
}

fn of_command(page: &mut String, command: &Command, say: Say) {
    line(page, &format!("### `{}` {}\n\n{}", command.name, say(command.label), say(command.help)));
    match command.subject {
        Subject::None => {}
        Subject::Any => {
            line(page, &format!("\n{}", say(label("针对任意一条记录。", "It is about a record of any kind."))));
        }
        Subject::Of(kind) => {
            line(page, &format!("\n{} {} `{}`", say(label("针对:", "It is about:")), say(kind.label), kind.name));
        }
    }
    if let Makes::Kind(kind) = command.makes {
        line(page, &format!("\n{} {} `{}`", say(label("新建:", "It makes:")), say(kind.label), kind.name));
    }
    match command.ends {
        Ends::Nothing => {}
        Ends::This(ends) => {
            line(page, &format!("\n{} {}", say(label("先要确认:", "It is asked for first:")), say(ends)));
        }
        Ends::ByState => {
            let asks = label("写入终结的状态时先要确认。", "It is asked for first where the state is an end.");
            line(page, &format!("\n{}", say(asks)));
        }
    }
    if command.takes_fields {
        let all = label("另可给出该种类的任何字段。", "It also takes every field of the kind.");
        line(page, &format!("\n{}", say(all)));
    }
    page.push('\n');
    let head = [label("参数", "argument"), label("名称", "name"), label("必填", "required"), label("写什么", "takes")];
    let row = |argument: &heliu_record::command::Argument| {
        let required = if argument.required { say(label("是", "yes")) } else { "" };
        let title = if say(label("zh", "en")) == "en" { argument.help.en } else { argument.title() };
        let expects = argument.value.expects();
        vec![code(argument.name), title.to_owned(), required.to_owned(), said(&expects, say)]
    };
    table(page, &head, command.arguments.iter().map(row), say);
}

fn of_rules(page: &mut String, say: Say) {
    line(page, &format!("## {}\n", say(label("规则与冲突", "Rules and conflicts"))));
    let all = label(
        "合并从不被拦下;两处各自写下的内容都保留,由下列规则找出来请人处置。",
        "Nothing blocks a merge: what was written apart is kept, and these rules find what somebody has to settle.",
    );
    line(page, &format!("{}\n", say(all)));
    let head = [
        label("冲突", "conflict"),
        label("名称", "name"),
        label("针对", "about"),
        label("说明", "what it finds"),
        label("可选", "choices"),
    ];
    let rows = catalogue().rules().flat_map(|rule| rule.finds.iter().map(move |finding| (rule, finding)));
    let row = |(rule, finding): (&heliu_record::rule::Rule, &heliu_record::kind::Word)| {
        let of =
            rule.of.map_or_else(|| say(label("任意记录", "any record")).to_owned(), |kind| say(kind.label).to_owned());
        let choices = catalogue().settler(finding.name).map_or(&[][..], |settler| settler.choices);
        let choices = choices.iter().map(|word| format!("`{}` {}", word.name, say(word.label))).collect::<Vec<_>>();
        vec![code(finding.name), say(finding.label).to_owned(), of, say(rule.help).to_owned(), choices.join(", ")]
    };
    table(page, &head, rows.map(row), say);
}

fn of_policy(page: &mut String, say: Say) {
    line(page, &format!("## {}\n", say(label("规则参数", "Settings of the policy"))));
    let all = label(
        "由县级用 `policy.set` 设定,全县一致;未设定的按公布的规定。",
        "The county sets them with `policy.set`, one for all of its seats; what it does not set is as published.",
    );
    line(page, &format!("{}\n", say(all)));
    let head =
        [label("参数", "setting"), label("名称", "name"), label("公布值", "published"), label("说明", "what it is")];
    let row = |setting: &policy::Setting| {
        let field = setting.field();
        vec![code(field.name), say(field.label).to_owned(), setting.published().to_string(), say(field.help).to_owned()]
    };
    table(page, &head, policy::SETTINGS.iter().map(row), say);
}
