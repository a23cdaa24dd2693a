//! What people read for the codes of kinds: fields, parts, states, choices, whole paths; what they may call them; and which
//! known word somebody meant who mistyped one. The names themselves are declared with the kinds, and nowhere else.

use crate::conflict::Explanation;
use crate::decision::Decision;
use crate::kind::{Field, Kind, Label, Merge, Part, State, StateMachine, ValueType, Word, label};

/// What views append to a field's name, and what people read for it.
const SUFFIXES: [(&str, Label); 2] =
    [("_concurrent", label("(各处所填不同)", " (concurrent)")), ("_since", label("(自)", " (since)"))];

/// Longer words are none of ours, and need not be compared to their end.
const TYPED_CHARS_MAX: usize = 64;

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
    pub fn say_part(&self, field: &str, part: &str) -> Option<Explanation> {
        let (name, suffix) = plain(part);
        let declared = self.field(field).and_then(|field| field.part(name)).map(|part| part.label);
        let own = declared.or_else(|| self.derived(&format!("{field}/{name}")).map(|(label, _)| label))?;
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
        let value = if rest.is_empty() {
            field.map(|field| field.value)
        } else {
            let (part, _) = plain(rest.rsplit('/').next().unwrap_or(rest));
            field.and_then(|field| field.part(part)).map(|part| part.value)
        };
        let words: &[Word] = match value {
            Some(ValueType::Choice(choices)) => choices,
            _ => {
                let (_, last) = path.rsplit_once('/').unwrap_or(("", ""));
                let derived = if rest.is_empty() { name.to_owned() } else { format!("{name}/{}", plain(last).0) };
                self.derived(&derived).map_or(&[], |(_, words)| words)
            }
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
        let (Merge::Slot(parts) | Merge::Entries(parts)) = self.merge else { return None };
        self.part(text).or_else(|| parts.iter().find(|part| part.label.is(text)))
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
    let found = SUFFIXES.iter().find_map(|(suffix, said)| Some((name.strip_suffix(suffix)?, *said)));
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
        let off = distance(&typed, &word.to_lowercase());
        (off <= slips(&typed, word)).then_some((off, word))
    });
    if let Some((_, word)) = near.min() {
        return Some(word);
    }
    let mut begun =
        known.into_iter().filter(|word| typed.chars().count() >= 3 && word.to_lowercase().starts_with(&typed));
    begun.next().filter(|_| begun.next().is_none())
}

/// How many slips one may have made: one in three letters, and one in two characters of Chinese. Digits are no words:
/// another code is another place.
fn slips(typed: &str, word: &str) -> usize {
    let chars = typed.chars().count().max(word.chars().count());
    match typed {
        _ if typed.bytes().all(|b| b.is_ascii_digit()) => 1,
        _ if !typed.is_ascii() => (chars / 2).min(3),
        _ => (chars / 3).min(3),
    }
}

/// How many letters to change, add, drop, or swap with the next.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(TYPED_CHARS_MAX).collect();
    let b: Vec<char> = b.chars().take(TYPED_CHARS_MAX).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
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
    }
}
