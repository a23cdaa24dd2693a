//! Why something is not as it was to be, as it is kept and travels: a stable code, and what is particular about this one,
//! each fact under a name. The words for people are made where it is shown, in the language that is read there; so no
//! sentence lives here, and what somebody else has written is data: bounded here, and shown as what it is there.

use std::collections::BTreeMap;
use std::fmt;

use crate::kind::{Label, label};
use crate::plain_text::shown;

/// Longer values are cut.
const VALUE_BYTES_MAX: usize = 256;

/// What a fact is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// Short ids.
    Node,
    Seat,
    Id,
    /// What of a record it is about: a code of its own.
    Part,
    /// The key of a value in a record.
    Path,
    File,
    Found,
    Expected,
    Bytes,
    /// As chmod takes it.
    Mode,
    QuotaMib,
    /// Moments, in milliseconds since 1970.
    FromMs,
    UntilMs,
    ClockMs,
    /// What the operating system or a library said, verbatim.
    System,
}

impl Fact {
    pub const ALL: [Fact; 15] = [
        Fact::Node,
        Fact::Seat,
        Fact::Id,
        Fact::Part,
        Fact::Path,
        Fact::File,
        Fact::Found,
        Fact::Expected,
        Fact::Bytes,
        Fact::Mode,
        Fact::QuotaMib,
        Fact::FromMs,
        Fact::UntilMs,
        Fact::ClockMs,
        Fact::System,
    ];

    /// Stable, for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fact::Node => "node",
            Fact::Seat => "seat",
            Fact::Id => "id",
            Fact::Part => "part",
            Fact::Path => "path",
            Fact::File => "file",
            Fact::Found => "found",
            Fact::Expected => "expected",
            Fact::Bytes => "bytes",
            Fact::Mode => "mode",
            Fact::QuotaMib => "quota_mib",
            Fact::FromMs => "from_ms",
            Fact::UntilMs => "until_ms",
            Fact::ClockMs => "clock_ms",
            Fact::System => "system",
        }
    }

    /// For people.
    #[must_use]
    pub fn label(self) -> Label {
        match self {
            Fact::Node => label("节点", "node"),
            Fact::Seat => label("席位", "seat"),
            Fact::Id => label("编号", "id"),
            Fact::Part => label("所指", "what"),
            Fact::Path => label("字段", "field"),
            Fact::File => label("文件", "file"),
            Fact::Found => label("实为", "found"),
            Fact::Expected => label("应为", "expected"),
            Fact::Bytes => label("字节", "bytes"),
            Fact::Mode => label("权限", "mode"),
            Fact::QuotaMib => label("配额", "quota"),
            Fact::FromMs => label("生效", "valid from"),
            Fact::UntilMs => label("失效", "valid until"),
            Fact::ClockMs => label("本机时钟", "this machine's clock"),
            Fact::System => label("系统原话", "in the system's words"),
        }
    }

    fn called(name: &str) -> Option<Fact> {
        Fact::ALL.into_iter().find(|fact| fact.name() == name)
    }
}

/// What is particular about one reason. As a text, one fact a line: `found=5`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(BTreeMap<Fact, String>);

impl Facts {
    #[must_use]
    pub fn none() -> Self {
        Facts::default()
    }

    #[must_use]
    pub fn and(mut self, fact: Fact, value: impl fmt::Display) -> Self {
        let value = shown(&value.to_string()).into_owned();
        let cut = value.floor_char_boundary(VALUE_BYTES_MAX);
        self.0.insert(fact, value[..cut].to_owned());
        self
    }

    /// Those that are known of what somebody says; whatever else is there is left out.
    #[must_use]
    pub fn of<'t>(said: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let known = said.into_iter().filter_map(|(name, value)| Some((Fact::called(name)?, value)));
        known.fold(Facts::none(), |facts, (fact, value)| facts.and(fact, value))
    }

    /// As [`Facts::of`], of a text.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Facts::of(text.lines().filter_map(|line| line.split_once('=')))
    }

    pub fn iter(&self) -> impl Iterator<Item = (Fact, &str)> {
        self.0.iter().map(|(fact, value)| (*fact, value.as_str()))
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.iter().map(|(fact, value)| format!("{}={value}", fact.name())).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// A code with its facts. As a text, the code is its first line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reason {
    pub code: String,
    pub facts: Facts,
}

impl Reason {
    #[must_use]
    pub fn new(code: &str) -> Self {
        Reason { code: code.to_owned(), facts: Facts::none() }
    }

    #[must_use]
    pub fn and(self, fact: Fact, value: impl fmt::Display) -> Self {
        Reason { facts: self.facts.and(fact, value), ..self }
    }

    #[must_use]
    pub fn read(text: &str) -> Self {
        let (code, facts) = text.split_once('\n').unwrap_or((text, ""));
        Reason { code: code.to_owned(), facts: Facts::read(facts) }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts.to_string();
        let between = if facts.is_empty() { "" } else { "\n" };
        write!(f, "{}{between}{facts}", self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_as_it_was_written_and_what_nobody_knows_is_left_out() {
        let reason = Reason::new("refused.seq").and(Fact::Found, 5).and(Fact::Expected, 3);
        assert_eq!(reason.to_string(), "refused.seq\nfound=5\nexpected=3");
        assert_eq!(Reason::read(&reason.to_string()), reason);
        assert_eq!(Reason::read("refused.seq\nit is wrong\nsays=go away\nfound=5\nexpected=3"), reason);
        assert_eq!(Facts::read("words of an older version"), Facts::none());
    }

    #[test]
    fn what_somebody_else_wrote_forges_no_second_fact_and_has_an_end() {
        let facts = Facts::none().and(Fact::Path, format!("x\nnode=me{}", "长".repeat(1_000)));
        assert_eq!(Facts::read(&facts.to_string()), facts);
        assert_eq!(facts.iter().count(), 1);
        assert!(facts.to_string().len() <= VALUE_BYTES_MAX + "path=".len());
    }
}
