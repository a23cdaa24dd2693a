//! Parsing in the language of the reader: the words that clap adds to a help page, and its complaints, said in both.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory as _, Error, FromArgMatches as _};

use crate::cli::Cli;
use crate::failure::Failure;
use crate::text::{Say, help, labelled, nearest, say, tr};

/// The command line, or the exit code after what was to be said has been said.
pub fn parse(arguments: &[OsString]) -> Result<Cli, ExitCode> {
    let parsed = command().try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print();
            ExitCode::SUCCESS
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            crate::exit::Exit::Usage.into()
        }
        _ => {
            let failure = complaint(&error, &verb_typed(arguments));
            crate::out::complain(&failure.told());
            failure.exit.into()
        }
    })
}

/// The whole command line with every word in the reader's language.
pub fn command() -> Command {
    let version =
        Arg::new("version").short('V').long("version").action(ArgAction::Version).help(labelled(help::VERSION));
    localise(Cli::command().disable_version_flag(true).arg(version))
}

fn localise(command: Command) -> Command {
    let is_do = command.get_arguments().any(|argument| argument.get_id() == "help");
    let command = if is_do {
        command
    } else {
        let help = Arg::new("help").short('h').long("help").action(ArgAction::Help).help(labelled(help::HELP));
        command.disable_help_flag(true).arg(help)
    };
    let usage = tr!("用法:", "Usage:");
    let mut positionals = 0;
    command
        .help_template(format!("{{about-with-newline}}\n{usage} {{usage}}\n\n{{all-args}}{{after-help}}"))
        .subcommand_help_heading(labelled(help::COMMANDS))
        .mut_args(move |argument| {
            // Under a heading of one's own clap would sort them by name.
            positionals += usize::from(argument.is_positional());
            let order = argument.is_positional().then_some(positionals);
            let argument = annotate(argument);
            if let Some(order) = order { argument.display_order(order) } else { argument }
        })
        .mut_subcommands(localise)
}

/// What clap would append in English: default, variable, choices.
fn annotate(argument: Arg) -> Arg {
    let mut help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let joined = |values: &mut dyn Iterator<Item = String>| values.collect::<Vec<_>>().join(", ");
    let takes_values = argument.get_action().takes_values();
    if takes_values && !argument.is_hide_possible_values_set() {
        let choices = argument.get_possible_values();
        let choices = joined(&mut choices.iter().map(|choice| choice.get_name().to_owned()));
        if !choices.is_empty() {
            help.push_str(&tr!("(可选:{choices})", " [one of: {choices}]"));
        }
    }
    if takes_values && !argument.is_hide_default_value_set() {
        let default =
            joined(&mut argument.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()));
        if !default.is_empty() {
            help.push_str(&tr!("(默认 {default})", " [default: {default}]"));
        }
    }
    if let Some(variable) = argument.get_env().map(|name| name.to_string_lossy().into_owned()) {
        help.push_str(&tr!("(环境变量 {variable})", " [env: {variable}]"));
    }
    let heading = labelled(if argument.is_positional() { help::ARGUMENTS } else { help::OPTIONS });
    let argument = argument.help(help).help_heading(heading);
    if takes_values { argument.hide_default_value(true).hide_env(true).hide_possible_values(true) } else { argument }
}

/// `typed`: the verb, which clap does not tell with every error.
fn complaint(error: &Error, typed: &str) -> Failure {
    let context = |kind: ContextKind| error.get(kind).map(words).filter(|text| !text.is_empty());
    let argument = context(ContextKind::InvalidArg).unwrap_or_default();
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    let what = match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let typed = context(ContextKind::InvalidSubcommand).unwrap_or_default();
            say!("没有命令 {typed}", "there is no command {typed}")
        }
        ErrorKind::UnknownArgument => say!("没有参数 {argument}", "there is no argument {argument}"),
        ErrorKind::InvalidValue if value.is_empty() => say!("{argument} 后面要有值", "{argument} needs a value"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            say!("{argument} 不能是“{value}”", "{argument} cannot be {value:?}")
        }
        ErrorKind::MissingRequiredArgument => say!("缺少 {argument}", "{argument} is missing"),
        ErrorKind::ArgumentConflict => {
            let other = context(ContextKind::PriorArg).unwrap_or_default();
            say!("{argument} 不能与 {other} 同时使用", "{argument} cannot be used with {other}")
        }
        _ => Say::verbatim(error.render().to_string().trim().trim_start_matches("error: ").to_owned()),
    };
    if let Some(failure) = no_verb_below(error, typed) {
        return failure;
    }
    let mut failure = Failure::usage(what);
    if let Some(choices) = context(ContextKind::ValidValue) {
        failure = failure.why(say!("可选:{choices}", "one of: {choices}"));
    }
    if let Some(source) = std::error::Error::source(error) {
        failure = failure.why(wrong(source));
    }
    let near = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    // Of several the likeliest is the last.
    let near = near.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::Strings(texts) => texts.last().cloned(),
        other => Some(words(other)),
    });
    // The word that clap finds near may have nothing to do with the wrong one: a wrong guess is worse than none.
    let wrong =
        context(ContextKind::InvalidSubcommand).or(context(ContextKind::InvalidValue)).unwrap_or(argument.clone());
    let near = near.filter(|near| nearest(wrong.split(' ').next().unwrap_or_default(), [near.as_str()]).is_some());
    let of_verbs = error.kind() == ErrorKind::UnknownArgument
        && Cli::command()
            .get_subcommands()
            .any(|verb| verb.get_arguments().any(|a| a.get_long().is_some_and(|long| argument == format!("--{long}"))));
    let verb = context(ContextKind::Usage).map_or_else(|| typed.to_owned(), |usage| verb_of(&usage));
    if of_verbs && verb == "heliu" {
        return failure.next(say!(
            "{argument} 要写在命令之后,如 heliu status {argument}",
            "{argument} goes after the verb, as in heliu status {argument}"
        ));
    }
    failure.next(match near {
        Some(near) => say!("是不是 {near}?用法见 {verb} --help", "did you mean {near}? See {verb} --help"),
        None => say!("用法见 {verb} --help", "see {verb} --help"),
    })
}

/// Of a verb that has others below it one of these has to be named, before any flag.
fn no_verb_below(error: &Error, typed: &str) -> Option<Failure> {
    if !matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::MissingSubcommand) {
        return None;
    }
    let mut at = Cli::command();
    for word in typed.split(' ').skip(1) {
        at = at.find_subcommand(word)?.clone();
    }
    if !at.is_subcommand_required_set() || typed == "heliu" {
        return None;
    }
    let below: Vec<&str> = at.get_subcommands().map(Command::get_name).collect();
    let (zh, en, first) = (below.join("、"), below.join(", "), below.first()?);
    Some(
        Failure::usage(say!("{typed} 之后要写明做什么:{zh}", "after {typed} it has to be said what to do: {en}"))
            .next(say!("如 {typed} {first};用法见 {typed} --help", "such as {typed} {first}; see {typed} --help")),
    )
}

fn words(value: &ContextValue) -> String {
    match value {
        ContextValue::Strings(texts) => texts.join(", "),
        ContextValue::String(text) => text.clone(),
        ContextValue::StyledStr(text) => text.to_string(),
        ContextValue::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// `heliu conflicts list` of `Usage: heliu conflicts list [OPTIONS]`.
fn verb_of(usage: &str) -> String {
    let words = usage.split_whitespace().skip_while(|word| *word != "heliu");
    let verb: Vec<&str> = words.take_while(|word| word.starts_with(|c: char| c.is_ascii_lowercase())).collect();
    if verb.is_empty() { "heliu".to_owned() } else { verb.join(" ") }
}

/// `heliu conflicts list` of `heliu conflicts list --limit x`.
fn verb_typed(arguments: &[OsString]) -> String {
    let mut typed = "heliu".to_owned();
    let mut at = Some(Cli::command());
    for word in arguments.iter().skip(1).map(|word| word.to_string_lossy()) {
        at = at.and_then(|command| command.find_subcommand(&*word).cloned());
        if at.is_none() {
            break;
        }
        typed = format!("{typed} {word}");
    }
    typed
}

/// The help page of a verb, as `heliu VERB --help` shows it.
pub fn page(verb: &str) -> String {
    let mut command = command();
    command.build();
    command.find_subcommand_mut(verb).map(|found| found.render_help().to_string()).unwrap_or_default()
}

/// What is wrong with a value: our own parsers say it in the language of this process, clap in English.
fn wrong(source: &(dyn std::error::Error + 'static)) -> Say {
    let said = source.to_string();
    if source.is::<std::num::ParseIntError>() {
        return say!("要写一个整数", "it is to be a whole number");
    }
    match said.split_once(" is not in ") {
        Some((value, range)) => say!("{value} 不在 {range} 之内", "{value} is not in {range}"),
        None => Say::verbatim(said),
    }
}

#[cfg(test)]
mod lines;

#[cfg(test)]
mod tests {
    use super::lines::LINES;
    use super::*;
    use crate::cli::{ImportVerb, Verb};
    use crate::text::Language;

    fn parse_words(line: &str) -> Result<Cli, Error> {
        let words = line.split_whitespace();
        command().try_get_matches_from(words).and_then(|matches| Cli::from_arg_matches(&matches))
    }

    fn told(line: &str) -> String {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        complaint(&parse_words(line).expect_err("it is wrong"), &verb_typed(&words)).told()
    }

    #[test]
    fn the_declaration_has_no_contradictions() {
        command().debug_assert();
    }

    #[test]
    fn a_wrong_verb_or_flag_is_told_with_the_nearest_known_one() {
        assert_eq!(
            told("heliu stauts"),
            "error: there is no command stauts\nwhat to do: did you mean status? See heliu --help\n"
        );
        let wrong = told("heliu status --jsn");
        assert!(
            wrong.contains("there is no argument --jsn")
                && wrong.contains("did you mean --json? See heliu status --help"),
            "{wrong}"
        );
        let wrong = told("heliu get");
        assert!(wrong.contains("<ID> is missing") && wrong.contains("heliu get --help"), "{wrong}");
        assert!(told("heliu --node a:1 status").contains("--node goes after the verb"));
        let wrong = told("heliu -x");
        assert!(wrong.contains("there is no argument -x") && !wrong.contains("goes after the verb"), "{wrong}");
        assert!(told("heliu demo --members many").contains("--members <N> cannot be \"many\""));
        let wrong = told("heliu directory addresses 12345678 10.0.0.7");
        assert!(wrong.contains("host:port") && wrong.contains("see heliu directory addresses --help"), "{wrong}");
        let wrong = told("heliu init --regions a --dir b --time-zone Asia/Shangai");
        assert!(wrong.contains("no such time zone; did you mean Asia/Shanghai?"), "{wrong}");
        let wrong = told("heliu directory time-zone 北京时间");
        assert!(wrong.contains("no such time zone; it takes one such as Asia/Shanghai"), "{wrong}");
        let wrong = told("heliu init --regions a --dir b --all-tiers --node c=d");
        assert!(wrong.contains("cannot be used with"), "{wrong}");
    }

    #[test]
    fn a_verb_that_others_are_below_of_says_which_there_are() {
        for line in
            ["heliu conflicts --dir d", "heliu conflicts --limit x", "heliu audit --dir d", "heliu stranded --json"]
        {
            let told = told(line);
            let verb = line.split(' ').take(2).collect::<Vec<_>>().join(" ");
            assert!(told.contains(&format!("after {verb} it has to be said what to do: list,")), "{told}");
            assert!(told.contains(&format!("see {verb} --help")), "{told}");
        }
        assert!(told("heliu conflicts list --dri d").contains("there is no argument --dri"));
    }

    #[test]
    fn what_is_like_nothing_gets_no_guess() {
        let told = told("heliu version");
        assert!(!told.contains("did you mean"), "{told}");
    }

    /// Of the sources and pages, each `heliu …` that is told to somebody: the words after it.
    fn commands_told() -> Vec<(String, String)> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut open = vec![root.join("crates"), root.join("services"), root.join("deploy")];
        open.extend(["README.md", "README.zh-CN.md"].map(|page| root.join(page)));
        let mut told = Vec::new();
        while let Some(at) = open.pop() {
            if at.is_dir() {
                let inside = std::fs::read_dir(&at).expect("it is ours").flatten().map(|entry| entry.path());
                open.extend(inside.filter(|path| !path.ends_with("tests") && !path.ends_with("target")));
                continue;
            }
            let name = at.display().to_string();
            let Some(text) = std::fs::read_to_string(&at).ok().filter(|_| !name.ends_with("usage.rs")) else {
                continue;
            };
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            for line in text.lines() {
                // Labels of hashes: the whole literal is words and a number.
                let plain = |literal: &&str| {
                    literal.starts_with("heliu ")
                        && literal.bytes().all(|b| b.is_ascii_lowercase() || b == b' ' || b.is_ascii_digit())
                };
                let line = line.split('"').filter(|literal| !plain(literal)).collect::<Vec<_>>().join("\"");
                let found = line.match_indices("heliu ").filter(|(at, _)| {
                    !line[..*at].ends_with(|c: char| c.is_ascii_alphanumeric() || "/-_.'".contains(c))
                });
                told.extend(found.map(|(at, found)| (name.clone(), line[at + found.len()..].to_owned())));
            }
        }
        told
    }

    #[test]
    fn every_verb_that_a_message_or_page_names_is_one() {
        let told = commands_told();
        assert!(told.len() > 150, "the sources are there");
        for (place, words) in told {
            let word = |text: &str| {
                text.split(|c: char| !(c.is_ascii_lowercase() || c == '-')).next().unwrap_or_default().to_owned()
            };
            let verb = word(&words);
            // In prose the name alone stands before other words; a verb that is none is told by what follows it.
            if verb.is_empty() || verb.starts_with('-') || PROSE.contains(&verb.as_str()) {
                continue;
            }
            let all = command();
            let Some(found) = all.find_subcommand(&verb) else {
                panic!("{place}: heliu {words}: there is no such verb")
            };
            let below = word(words[verb.len()..].trim_start());
            if found.has_subcommands()
                && found.get_positionals().next().is_none()
                && words[verb.len()..].starts_with(' ')
                && !below.is_empty()
                && !below.starts_with('-')
            {
                assert!(found.find_subcommand(&below).is_some(), "{place}: heliu {words}: there is no such verb");
            }
        }
    }

    /// Words that follow the name of the program in sentences.
    const PROSE: &[&str] = &["keeps", "knows", "store", "at", "after", "is", "and", "runs", "command", "as", "on"];

    #[test]
    // That each text is there in both languages, the compiler sees: `help::label`.
    fn every_verb_and_flag_has_a_help_and_every_verb_examples() {
        fn check(command: &Command) {
            assert!(command.get_about().is_some(), "{} has no help", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} of {} has no help", argument.get_id(), command.get_name());
            }
            assert!(command.get_after_help().is_some(), "{} has no examples", command.get_name());
            command.get_subcommands().for_each(check);
        }
        check(&command());
    }

    /// Each verb that does something, as it is typed.
    fn verbs(of: &Command, typed: &str, all: &mut Vec<(String, bool)>) {
        for verb in of.get_subcommands() {
            let typed = format!("{typed} {}", verb.get_name());
            if !verb.has_subcommands() || verb.get_positionals().next().is_some() {
                let json =
                    verb.get_arguments().any(|argument| argument.get_long().is_some_and(|long| long.ends_with("json")));
                all.push((typed.trim_start().to_owned(), json));
            }
            verbs(verb, &typed, all);
        }
    }

    #[test]
    fn what_every_verb_prints_for_programs_is_written_down() {
        let page = include_str!("../JSON.md");
        let rows: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()).collect();
        // What follows a verb: a flag, or an argument, which is written in capitals.
        let is_of_a_verb = |rest: &str| {
            let first = rest.strip_prefix(' ').and_then(|rest| rest.chars().next());
            first.is_some_and(|first| first == '-' || first.is_ascii_uppercase())
        };
        // `root ...` stands for all of them, `verify` also for `verify PEER`.
        let is_told = |verb: &str| {
            rows.iter().flat_map(|cell| cell.split('`')).any(|told| {
                told == verb
                    || told.strip_prefix(verb).is_some_and(is_of_a_verb)
                    || told.strip_suffix(" ...").is_some_and(|group| verb.starts_with(group))
            })
        };
        let mut all = Vec::new();
        verbs(&command(), "", &mut all);
        assert!(all.len() > 40, "the verbs are there");
        for (verb, json) in all {
            let line = format!("heliu {verb}");
            let is_typed = LINES
                .iter()
                .any(|typed| typed.strip_prefix(&line).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')));
            assert!(is_typed, "{verb}: give a line of it in LINES");
            assert!(!json || is_told(&verb), "{verb} --json: say in JSON.md what it prints");
        }
    }

    #[test]
    fn the_verbs_of_the_map_are_there() {
        for line in LINES {
            assert!(parse_words(line).is_ok(), "{line}: {:?}", parse_words(line).err().map(|e| e.to_string()));
        }
        let Ok(Cli { verb: Verb::Import(ImportVerb { other: None, rows }), .. }) =
            parse_words("heliu import wells f --dry-run")
        else {
            panic!("it is an import");
        };
        assert!(rows.dry_run && rows.kind == "wells" && rows.file.is_some());
    }

    #[test]
    fn a_complaint_has_both_languages() {
        let failure = complaint(&parse_words("heliu stauts").expect_err("it is wrong"), "heliu");
        assert_eq!(failure.what.pick(Language::Zh), "没有命令 stauts");
        assert_eq!(
            failure.next.as_deref().map(|next| next.pick(Language::Zh)),
            Some("是不是 status?用法见 heliu --help")
        );
    }
}
