//! What people read for the codes of kinds: fields, parts, states, choices, whole paths; what they may call them; and which
//! known word somebody meant who mistyped one. The names themselves are declared with the kinds, and nowhere else.

use crate::decision::Decision;
use crate::kind::{ENTRY_STATE, Field, Kind, Label, Merge, Part, State, StateMachine, ValueType, Word, label, word};
use heliu_words::Explanation;

/// What views append to a field's name, and what people read for it.
pub const SUFFIXES: [Word; 3] = [
    word("_concurrent", "(各处所填不同)", " (concurrent)"),
    word("_concurrent_count", "(各处所填共几项)", " (concurrent, in all)"),
    word("_since", "(自)", " (since)"),
];

/// Somebody who made more slips than this meant another word.
const SLIPS_MAX: usize = 3;

#[must_use]
pub fn kind_of(kinds: &[&'static Kind], name: &str) -> Option<&'static Kind> {
    kinds.iter().copied().find(|kind| kind.name == name)
}

/// The kind of this code, or of this name in either language.
#[must_use]
pub fn kind_called(kinds: &[&'static Kind], text: &str) -> Option<&'static Kind> {
    kind_of(kinds, text).or_else(|| kinds.iter().copied().find(|kind| kind.label.is(text)))
}

impl Kind {
    /// The field of this code, or of this name in either language.
    #[must_use]
    pub fn field_called(&self, text: &str) -> Option<&'static Field> {
        self.field(text).or_else(|| self.fields().find(|field| field.label.is(text)))
    }

    /// What people read for a name in a view (`joined_on`, `stage_since`, `home_branch`) or the key of a change
    /// (`stage/4f…`, `moves/4f…/to_seat`).
    #[must_use]
    pub fn say_path(&self, path: &str) -> Option<Explanation> {
        let (head, rest) = path.split_once('/').unwrap_or((path, ""));
        let (name, suffix) = plain(head);
        let own = self.field(name).map(|field| field.label).or_else(|| self.derived(name).map(|(label, _)| label))?;
        let whole = joined(own, suffix);
        match rest.split_once('/').and_then(|(_, part)| self.say_part(name, part)) {
            Some(part) => {
                Some(Explanation::new(format!("{} {}", whole.zh, part.zh), format!("{}, {}", whole.en, part.en)))
            }
            None => Some(whole),
        }
    }

    /// What people read for a part of a field's slots or entries.
    #[must_use]
    pub fn say_part(&self, of: &str, part: &str) -> Option<Explanation> {
        let (name, suffix) = plain(part);
        let field = self.field(of);
        let state =
            field.filter(|field| !field.states.is_empty() && name == ENTRY_STATE.name).map(|_| ENTRY_STATE.label);
        let declared = field.and_then(|field| field.part(name)).map(|part| part.label).or(state);
        let own = declared.or_else(|| self.derived(&format!("{of}/{name}")).map(|(label, _)| label))?;
        Some(joined(own, suffix))
    }

    /// What people read for a value that is a code; none for what is no code.
    #[must_use]
    pub fn say_value(&self, path: &str, text: &str) -> Option<Explanation> {
        let (head, rest) = path.split_once('/').unwrap_or((path, ""));
        let (name, _) = plain(head);
        let field = self.field(name);
        if let Some(Merge::State(machine)) = field.map(|field| field.merge) {
            return say_decision(machine, text);
        }
        let (part, _) = plain(rest.rsplit('/').next().unwrap_or_default());
        if part == ENTRY_STATE.name
            && let Some(state) = field.and_then(|field| field.entry_state(text))
        {
            return Some(state.word.label.into());
        }
        let (path, value) = match part {
            "" => (name.to_owned(), field.map(|field| field.value)),
            part => (format!("{name}/{part}"), field.and_then(|field| field.part(part)).map(|part| part.value)),
        };
        let words: &[Word] = match value {
            Some(ValueType::Choice(choices)) => choices,
            _ => self.derived(&path).map_or(&[], |(_, words)| words),
        };
        words.iter().find(|word| word.name == text).map(|word| word.label.into())
    }

    fn derived(&self, path: &str) -> Option<(Label, &'static [Word])> {
        self.derived.iter().find(|derived| derived.path == path).map(|derived| (derived.label, derived.words))
    }
}

impl Field {
    /// The part of this code, or of this name in either language.
    #[must_use]
    pub fn part_called(&self, text: &str) -> Option<&'static Part> {
        self.part(text).or_else(|| self.parts().iter().copied().find(|part| part.label.is(text)))
    }
}

impl StateMachine {
    /// The state of this code, or of this name in either language.
    #[must_use]
    pub fn state_called(&self, text: &str) -> Option<&'static State> {
        self.state(text).or_else(|| self.states.iter().find(|state| state.label.is(text)))
    }
}

/// A state, as a view has it, or a whole decision as a log has it.
fn say_decision(machine: &'static StateMachine, text: &str) -> Option<Explanation> {
    let decision = Decision::parse(text)?;
    let state = machine.state(decision.state)?.label;
    let further = [decision.effective_on, decision.number].into_iter().filter(|part| !part.is_empty());
    let further: String = further.map(|part| format!(" {part}")).collect();
    Some(Explanation::new(format!("{}{further}", state.zh), format!("{}{further}", state.en)))
}

fn plain(name: &str) -> (&str, Label) {
    let found = SUFFIXES.iter().find_map(|suffix| Some((name.strip_suffix(suffix.name)?, suffix.label)));
    found.unwrap_or((name, label("", "")))
}

fn joined(name: Label, suffix: Label) -> Explanation {
    Explanation::new(format!("{}{}", name.zh, suffix.zh), format!("{}{}", name.en, suffix.en))
}

/// The known word that somebody meant who typed another: a slip of the finger away, or its beginning. Nothing is better
/// than a wrong guess.
#[must_use]
pub fn nearest<'k>(typed: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let typed = typed.trim().to_lowercase();
    let known: Vec<&str> = known.into_iter().collect();
    let near = known.iter().copied().filter_map(|word| {
        let slips = slips(&typed, word)?;
        let off = strsim::osa_distance(&typed, &word.to_lowercase());
        (off <= slips).then_some((off, word))
    });
    if let Some((_, word)) = near.min() {
        return Some(word);
    }
    let mut begun =
        known.into_iter().filter(|word| typed.chars().count() >= 3 && word.to_lowercase().starts_with(&typed));
    begun.next().filter(|_| begun.next().is_none())
}

/// How many slips one may have made: one in three letters, and one in two characters of Chinese. Digits are no words:
/// another code is another place. None if the lengths alone differ by more: then nobody compares the two to their end,
/// however long what was typed is.
fn slips(typed: &str, word: &str) -> Option<usize> {
    let (typed_chars, word_chars) = (typed.chars().count(), word.chars().count());
    let chars = typed_chars.max(word_chars);
    let slips = match typed {
        _ if typed.bytes().all(|b| b.is_ascii_digit()) => 1,
        _ if !typed.is_ascii() => (chars / 2).min(SLIPS_MAX),
        _ => (chars / 3).min(SLIPS_MAX),
    };
    (typed_chars.abs_diff(word_chars) <= slips).then_some(slips)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_what_is_no_slip_finds_none() {
        let verbs = ["status", "peers", "verify", "conflicts", "directory"];
        assert_eq!(nearest("stauts", verbs), Some("status"));
        assert_eq!(nearest("conf", verbs), Some("conflicts"), "its beginning");
        for other in ["version", "xyzzy", "state of things", "", "v"] {
            assert_eq!(nearest(other, verbs), None, "{other}");
        }
        let names = ["入党日期", "joined_on", "转正日期", "full_on", "姓名", "name"];
        assert_eq!(nearest("入党时间", names), Some("入党日期"));
        assert_eq!(nearest("joined-on", names), Some("joined_on"));
        assert_eq!(nearest("籍贯", names), None);
        assert_eq!(nearest("371726101000", ["371726000000", "371726999999"]), None, "another code is another place");
        assert_eq!(
            nearest("371726101002", ["371726101020"]),
            Some("371726101020"),
            "two digits changed places: one slip"
        );
        assert_eq!(nearest(&"status".repeat(100_000), verbs), None, "what is far too long costs nothing");
    }
}
