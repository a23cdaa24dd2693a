//! What people are told when something is not done: a code for programs; what happened, why, and what to do next, in both languages.
//! Messages are data, declared beside what raises them; whatever they are about is filled in.

use serde::Serialize;

use heliu_words::{Explanation, Label, label};

/// Why a command is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Stable, for programs: `unknown_command`, `no_authority`...
    pub code: &'static str,
    pub what: Explanation,
    pub why: Explanation,
    pub next: Explanation,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} {}", self.what.en, self.why.en, self.next.en)
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// One that is made where it happens, and is no [`Message`]: the engine's own. Each text is `(Chinese, English)`.
    #[must_use]
    pub fn new(code: &'static str, what: (String, String), why: (&str, &str), next: (&str, &str)) -> Self {
        Refusal {
            code,
            what: Explanation::new(what.0, what.1),
            why: Explanation::new(why.0, why.1),
            next: Explanation::new(next.0, next.1),
        }
    }
}

/// A refusal with `{0}`, `{1}` where the names stand of what it is about; `{0:?}` is the name in quotes.
#[derive(Debug)]
pub struct Message {
    pub code: &'static str,
    pub what: Label,
    pub why: Label,
    pub next: Label,
}

#[must_use]
pub const fn message(code: &'static str) -> Message {
    const NONE: Label = label("", "");
    Message { code, what: NONE, why: NONE, next: NONE }
}

impl Message {
    /// What happened.
    #[must_use]
    pub const fn what(self, zh: &'static str, en: &'static str) -> Self {
        Message { what: label(zh, en), ..self }
    }

    #[must_use]
    pub const fn why(self, zh: &'static str, en: &'static str) -> Self {
        Message { why: label(zh, en), ..self }
    }

    /// What to do next.
    #[must_use]
    pub const fn next(self, zh: &'static str, en: &'static str) -> Self {
        Message { next: label(zh, en), ..self }
    }

    #[must_use]
    pub fn refuse(&self) -> Refusal {
        self.about(&[])
    }

    /// With the names of what it is about, in the order of their places.
    #[must_use]
    pub fn about(&self, names: &[Explanation]) -> Refusal {
        let [what, why, next] = [self.what, self.why, self.next].map(|text| fill(text, names));
        Refusal { code: self.code, what, why, next }
    }

    pub(crate) fn texts(&self) -> impl Iterator<Item = &'static str> {
        [self.what, self.why, self.next].into_iter().flat_map(|Label { zh, en }| [zh, en])
    }

    /// The places for names that its texts have.
    pub(crate) fn places(&self) -> Vec<usize> {
        (0..9).filter(|n| self.texts().any(|text| has_place(text, *n))).collect()
    }
}

fn has_place(text: &str, n: usize) -> bool {
    text.contains(&format!("{{{n}}}")) || text.contains(&format!("{{{n}:?}}"))
}

/// A text with names in its places, as in a [`Message`].
#[must_use]
pub fn fill(text: Label, names: &[Explanation]) -> Explanation {
    let in_one = |text: &str, name: fn(&Explanation) -> &str| {
        let mut filled = String::with_capacity(text.len() + 40);
        let mut rest = text;
        // From left to right, so that a name with braces in it is not taken for a place.
        while let Some((before, after)) = rest.split_once('{') {
            let (place, after) = after.split_once('}').unwrap_or((after, ""));
            let (number, quoted) = place.strip_suffix(":?").map_or((place, false), |number| (number, true));
            let name = number.parse().ok().and_then(|n: usize| names.get(n)).map_or("?", name);
            filled.push_str(before);
            if quoted {
                filled.push_str(&format!("{name:?}"));
            } else {
                filled.push_str(name);
            }
            rest = after;
        }
        filled + rest
    };
    Explanation::new(in_one(text.zh, |name| &name.zh), in_one(text.en, |name| &name.en))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_their_places_whatever_they_look_like() {
        const GONE: Message = message("gone")
            .what("“{0}”不在{1}。", "{0:?} is not at {1}.")
            .why("因为{0}。", "For {0}.")
            .next("请。", "Do.");
        let refusal = GONE.about(&["a {1} \"b\"".into(), Label { zh: "会场", en: "the hall" }.into()]);
        assert_eq!(&*refusal.what.zh, "“a {1} \"b\"”不在会场。");
        assert_eq!(&*refusal.what.en, "\"a {1} \\\"b\\\"\" is not at the hall.");
        assert_eq!(GONE.places(), [0, 1]);
    }
}
