//! How a person counts.

use heliu_record::prelude::*;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// A probationary or full member.
    Counted,
    /// A member whose rights are stopped: told apart.
    Suspended,
    /// Not admitted yet.
    #[default]
    Awaiting,
    /// No longer a member, or none of this realm.
    Ended,
}

impl Standing {
    pub const WORDS: &'static [Word] = &[
        word("counted", "在册", "counted"),
        word("suspended", "停止党籍", "suspended"),
        word("awaiting", "未接收", "not admitted yet"),
        word("ended", "已终结", "ended"),
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        Standing::WORDS[self as usize].name
    }

    /// None of another's words.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all = [Standing::Counted, Standing::Suspended, Standing::Awaiting, Standing::Ended];
        all.into_iter().find(|standing| standing.name() == name)
    }
}
