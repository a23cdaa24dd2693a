//! What people are told, as types, pure: a text in both languages of the project; a reason, as a code with facts; and what is
//! hidden in a text. Which language is read is decided where it is shown; nothing is said here.
//!
//! Bottom up: `identity_number`, `plain_text`, `reason`.

pub mod identity_number;
pub mod plain_text;
pub mod reason;

use serde::{Deserialize, Serialize};

/// A text that is known when the program is built: what something is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    pub zh: &'static str,
    pub en: &'static str,
}

impl Label {
    /// Whether a text is this, in either language.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
        self.zh == text || self.en.eq_ignore_ascii_case(text)
    }
}

#[must_use]
pub const fn label(zh: &'static str, en: &'static str) -> Label {
    Label { zh, en }
}

/// A text that is made of what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    pub zh: Box<str>,
    pub en: Box<str>,
}

impl Explanation {
    #[must_use]
    pub fn new(zh: impl Into<Box<str>>, en: impl Into<Box<str>>) -> Self {
        Explanation { zh: zh.into(), en: en.into() }
    }
}

/// What is the same in both languages: a name, a number.
impl From<String> for Explanation {
    fn from(text: String) -> Self {
        Explanation::new(&*text, &*text)
    }
}

impl From<&str> for Explanation {
    fn from(text: &str) -> Self {
        Explanation::new(text, text)
    }
}

impl From<Label> for Explanation {
    fn from(label: Label) -> Self {
        Explanation::new(label.zh, label.en)
    }
}
