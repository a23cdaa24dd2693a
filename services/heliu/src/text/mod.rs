//! What people read, in both languages: which language this process speaks, texts with both, times and sizes in words.
//! The texts of `--help` are in `help`, what people read for codes is in `codes` and `reasons`; tables are in `table`. Programs read `--json`, which has one language: none.

pub mod codes;
pub mod help;
pub mod reasons;
pub mod table;
pub mod time;

use std::sync::OnceLock;

use clap::ValueEnum;
use heliu_client::schema;
use heliu_record::conflict::Explanation;
use heliu_record::kind::Label;
pub use heliu_record::naming::nearest;
use heliu_record::plain_text::shown;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    #[value(name = "zh", alias = "zh-CN", alias = "zh_CN")]
    Zh,
    #[value(name = "en", alias = "en-US", alias = "en_US")]
    En,
}

/// Set once by `main`, before anything is said: like the locale, it is a fact about the process.
static SPOKEN: OnceLock<Language> = OnceLock::new();

/// Settles the language of this process; later calls change nothing.
pub fn speak(language: Language) {
    let _ = SPOKEN.set(language);
}

/// The language of this process; English until `main` has settled it.
pub fn language() -> Language {
    #[cfg(test)]
    if let Some(language) = TRIED.get() {
        return language;
    }
    SPOKEN.get().copied().unwrap_or(Language::En)
}

#[cfg(test)]
thread_local! {
    static TRIED: std::cell::Cell<Option<Language>> = const { std::cell::Cell::new(None) };
}

/// What is said in a language, whatever the process speaks: for tests, which share one process.
#[cfg(test)]
pub fn speaking<T>(language: Language, say: impl FnOnce() -> T) -> T {
    let before = TRIED.replace(Some(language));
    let said = say();
    TRIED.set(before);
    said
}

/// Words of a text for people that look like codes: not what follows `heliu`, no flags, files, ids, and units.
#[cfg(test)]
pub fn codes_in(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_-./*".contains(c)));
    let (mut found, mut is_command) = (Vec::new(), false);
    for word in words {
        is_command = word == "heliu"
            || (is_command && !word.is_empty() && word.starts_with(|c: char| c.is_ascii_lowercase() || c == '-'));
        let is_hex = word.len() >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit());
        let is_code = word.len() >= 3 && !is_hex && word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
        if is_code && !is_command && !["heliu", "TLS", "MiB", "KiB", "UTC"].contains(&word) {
            found.push(word.to_owned());
        }
    }
    found
}

impl Language {
    /// From `--lang`, else the first of HELIU_LANG, LC_ALL, LC_MESSAGES and LANG that is set. Whatever is not Chinese is
    /// spoken to in English. Looked up before the command line is parsed, since `--help` already needs it.
    pub fn choose(arguments: &[String], variable: impl Fn(&str) -> Option<String>) -> Self {
        let flags = arguments.iter().zip(arguments.iter().skip(1).map(Some).chain([None]));
        let flag = flags.take_while(|(flag, _)| *flag != "--").find_map(|(flag, value)| {
            let separate = (flag == "--lang").then_some(value).flatten().map(String::as_str);
            separate.or(flag.strip_prefix("--lang="))
        });
        let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
        let from_locale = || ["HELIU_LANG", "LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set);
        let named = flag.map(str::to_owned).or_else(from_locale).unwrap_or_default();
        if named.to_ascii_lowercase().starts_with("zh") { Language::Zh } else { Language::En }
    }
}

/// A text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Say {
    pub zh: String,
    pub en: String,
}

impl Say {
    /// A text that is the same in every language: a path, a value, what a system said.
    pub fn verbatim(text: impl Into<String>) -> Self {
        let text = text.into();
        Say { zh: text.clone(), en: text }
    }

    pub fn is_empty(&self) -> bool {
        self.en.is_empty()
    }

    pub fn pick(&self, language: Language) -> &str {
        match language {
            Language::Zh => &self.zh,
            Language::En => &self.en,
        }
    }

    /// In the language of this process.
    pub fn now(&self) -> &str {
        self.pick(language())
    }
}

impl From<Label> for Say {
    fn from(label: Label) -> Self {
        Say { zh: label.zh.to_owned(), en: label.en.to_owned() }
    }
}

impl From<Explanation> for Say {
    fn from(said: Explanation) -> Self {
        Say { zh: said.zh.into(), en: said.en.into() }
    }
}

impl From<&schema::SchemaLabel> for Say {
    fn from(label: &schema::SchemaLabel) -> Self {
        Say { zh: label.zh.clone(), en: label.en.clone() }
    }
}

/// What a node calls something, in the language of this process. The node's words: whoever puts them into a line takes
/// care of what is in them, with [`clean`].
pub fn spoken(label: &schema::SchemaLabel) -> &str {
    match language() {
        Language::Zh => &label.zh,
        Language::En => &label.en,
    }
}

/// A label of this program in the language of this process.
pub fn labelled(label: Label) -> &'static str {
    match language() {
        Language::Zh => label.zh,
        Language::En => label.en,
    }
}

/// A [`Say`] from two format strings, Chinese first; both may name variables in scope.
macro_rules! say {
    ($zh:literal, $en:literal) => {
        $crate::text::Say { zh: format!($zh), en: format!($en) }
    };
}
pub(crate) use say;

/// A text in the language of this process, from two format strings, Chinese first.
macro_rules! tr {
    ($zh:literal, $en:literal) => {
        match $crate::text::language() {
            $crate::text::Language::Zh => format!($zh),
            $crate::text::Language::En => format!($en),
        }
    };
}
pub(crate) use tr;

/// What comes from elsewhere, as a part of a line: what is hidden in it is there to be seen, also the end of a line.
pub fn clean(text: &str) -> String {
    shown(text).into_owned()
}

/// A number with its thousands apart: 22,000.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Bytes as people say them: 512 B, 1.4 MiB.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut tenths = number.saturating_mul(10);
    let mut unit = "B";
    for next in UNITS {
        if tenths < 10_240 {
            break;
        }
        (tenths, unit) = (tenths / 1024, next);
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(arguments: &[&str], variables: &[(&str, &str)]) -> Language {
        let arguments: Vec<String> = arguments.iter().map(|&a| a.to_owned()).collect();
        let variable = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        Language::choose(&arguments, variable)
    }

    #[test]
    fn the_flag_beats_the_setting_and_the_setting_beats_the_locale() {
        let zh_locale = [("LANG", "zh_CN.UTF-8")];
        assert_eq!(choose(&["heliu", "status"], &zh_locale), Language::Zh);
        assert_eq!(choose(&["heliu", "--lang", "en"], &zh_locale), Language::En);
        assert_eq!(choose(&["heliu", "--lang=zh-CN"], &[]), Language::Zh);
        assert_eq!(choose(&["heliu"], &[("HELIU_LANG", "en"), ("LANG", "zh_CN.UTF-8")]), Language::En);
        assert_eq!(choose(&["heliu"], &[("LC_ALL", ""), ("LANG", "zh_CN.UTF-8")]), Language::Zh);
        assert_eq!(choose(&["heliu"], &[("LANG", "C.UTF-8")]), Language::En);
    }

    #[test]
    fn numbers_are_grouped_and_bytes_have_units() {
        assert_eq!([count(0), count(999), count(22_000), count(1_234_567)], ["0", "999", "22,000", "1,234,567"]);
        assert_eq!([bytes(512), bytes(1_500_000), bytes(3 << 40)], ["512 B", "1.4 MiB", "3.0 TiB"]);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\n");
    }
}
