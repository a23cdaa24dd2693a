//! What people read for the codes of a schema: fields, parts, states, choices, whole paths; and what they may call them. Nothing
//! is declared here.

use super::{Argument, Field, Finding, Kind, Makes, Part, Schema, SchemaCommand, SchemaLabel, State, ValueType, Word};

/// What a view calls the state of an entry.
const STATE: &str = "state";

impl SchemaLabel {
    /// Whether a text is this, in either language.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.zh == text || self.en.eq_ignore_ascii_case(text)
    }
}

impl Schema {
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }

    /// The kind of this code, or of this name in either language.
    #[must_use]
    pub fn kind_called(&self, text: &str) -> Option<&Kind> {
        self.kind(text).or_else(|| self.kinds.iter().find(|kind| kind.label.is(text)))
    }

    #[must_use]
    pub fn command(&self, name: &str) -> Option<&SchemaCommand> {
        self.commands.iter().find(|command| command.name == name)
    }

    /// The command of this name, or of this name in either language.
    #[must_use]
    pub fn command_called(&self, text: &str) -> Option<&SchemaCommand> {
        self.command(text).or_else(|| self.commands.iter().find(|command| command.label.is(text)))
    }

    /// The kind of record that a command makes, if it always makes one of the same.
    #[must_use]
    pub fn made_by(&self, command: &SchemaCommand) -> Option<&Kind> {
        match &command.makes {
            Makes::Kind(kind) => self.kind(kind),
            Makes::Nothing | Makes::NamedBy(_) => None,
        }
    }

    #[must_use]
    pub fn finding(&self, name: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.name == name)
    }

    /// The finding of this code, or of this name in either language.
    #[must_use]
    pub fn finding_called(&self, text: &str) -> Option<&Finding> {
        self.finding(text).or_else(|| self.findings.iter().find(|finding| finding.label.is(text)))
    }

    /// The fields of this code, or of this name in either language, of whichever kinds have one.
    pub fn fields_called(&self, text: &str) -> impl Iterator<Item = &Field> {
        self.kinds.iter().filter_map(move |kind| kind.field_called(text))
    }

    /// What people read for a path, of whichever kind of record has it.
    #[must_use]
    pub fn say_path(&self, path: &str) -> Option<SchemaLabel> {
        self.kinds.iter().find_map(|kind| kind.say_path(path))
    }

    /// What people read for a value that may be chosen in a conflict of this kind, about this field of whichever kind of
    /// record has it; none for what is no code.
    #[must_use]
    pub fn say_choice(&self, finding: &str, field: &str, choice: &str) -> Option<SchemaLabel> {
        let choices = self.finding(finding).map_or(&[][..], |finding| &finding.choices);
        said(choices, choice).or_else(|| self.kinds.iter().find_map(|kind| kind.say_value(field, choice)))
    }
}

impl Kind {
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The field of this code, or of this name in either language.
    #[must_use]
    pub fn field_called(&self, text: &str) -> Option<&Field> {
        self.field(text).or_else(|| self.fields.iter().find(|field| field.label.is(text)))
    }

    /// Whether a field has entries, each of several parts.
    #[must_use]
    pub fn has_entries(&self, name: &str) -> bool {
        self.field(name).is_some_and(|field| !field.parts.is_empty())
    }

    /// A name of a view without what views append to it, and what people read for that.
    #[must_use]
    pub fn plain<'n>(&self, name: &'n str) -> (&'n str, SchemaLabel) {
        let found = self.suffixes.iter().find_map(|suffix| Some((name.strip_suffix(&suffix.name)?, suffix)));
        match found {
            // A name is not all suffix.
            Some((plain, suffix)) if !plain.is_empty() => (plain, suffix.label.clone()),
            _ => (name, SchemaLabel::default()),
        }
    }

    /// What people read for a name in a view (`joined_on`, `stage_since`, `home_branch`) or the key of a change
    /// (`stage/4f…`, `moves/4f…/to_seat`).
    #[must_use]
    pub fn say_path(&self, path: &str) -> Option<SchemaLabel> {
        let (head, rest) = path.split_once('/').unwrap_or((path, ""));
        let (name, suffix) = self.plain(head);
        let own = self.field(name).map(|field| &field.label).or_else(|| self.derived(name).map(|(label, _)| label))?;
        let whole = joined(own, &suffix);
        match rest.split_once('/').and_then(|(_, part)| self.say_part(name, part)) {
            Some(part) => {
                Some(SchemaLabel { zh: format!("{} {}", whole.zh, part.zh), en: format!("{}, {}", whole.en, part.en) })
            }
            None => Some(whole),
        }
    }

    /// What people read for a part of a field's slots or entries.
    #[must_use]
    pub fn say_part(&self, field: &str, part: &str) -> Option<SchemaLabel> {
        let (name, suffix) = self.plain(part);
        let declared = self.field(field).and_then(|field| field.part(name)).map(|part| &part.label);
        let own = declared.or_else(|| self.derived(&format!("{field}/{name}")).map(|(label, _)| label))?;
        Some(joined(own, &suffix))
    }

    /// What people read for a value that is a code; none for what is no code.
    #[must_use]
    pub fn say_value(&self, path: &str, text: &str) -> Option<SchemaLabel> {
        let (head, rest) = path.split_once('/').unwrap_or((path, ""));
        let (name, _) = self.plain(head);
        let field = self.field(name);
        if let Some(field) = field.filter(|field| !field.states.is_empty()) {
            return field.say_decision(text);
        }
        let last = match rest.split_once('/') {
            Some((_, part)) => self.plain(part).0,
            None if rest.is_empty() || self.say_part(name, rest).is_some() => self.plain(rest).0,
            // Of a whole entry the value is its state.
            None => STATE,
        };
        let part = field.filter(|_| !rest.is_empty()).and_then(|field| field.part(last));
        let declared = if rest.is_empty() { field.map(|field| &field.value) } else { part.map(|part| &part.value) };
        let words = match declared {
            Some(ValueType::Choice(words)) => words,
            Some(_) if part.is_some_and(|part| !part.words.is_empty()) => part.map_or(&[][..], |part| &part.words),
            _ if rest.is_empty() => self.derived(name).map_or(&[][..], |(_, words)| words),
            _ => self.derived(&format!("{name}/{last}")).map_or(&[][..], |(_, words)| words),
        };
        said(words, text)
    }

    fn derived(&self, path: &str) -> Option<(&SchemaLabel, &[Word])> {
        let found = self.derived.iter().find(|derived| derived.path == path);
        found.map(|derived| (&derived.label, derived.words.as_slice()))
    }
}

impl Field {
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == name)
    }

    /// The part of this code, or of this name in either language.
    #[must_use]
    pub fn part_called(&self, text: &str) -> Option<&Part> {
        self.part(text).or_else(|| self.parts.iter().find(|part| part.label.is(text)))
    }

    #[must_use]
    pub fn state(&self, name: &str) -> Option<&State> {
        self.states.iter().find(|state| state.name == name)
    }

    /// The state of this code, or of this name in either language.
    #[must_use]
    pub fn state_called(&self, text: &str) -> Option<&State> {
        self.state(text).or_else(|| self.states.iter().find(|state| state.label.is(text)))
    }

    /// A state, as a view has it, or a whole decision as a log has it: state, day, number and what it cites.
    fn say_decision(&self, text: &str) -> Option<SchemaLabel> {
        let mut parts = text.split('|');
        let state = &self.state(parts.next()?)?.label;
        let further: String = parts.take(2).filter(|part| !part.is_empty()).map(|part| format!(" {part}")).collect();
        Some(SchemaLabel { zh: format!("{}{further}", state.zh), en: format!("{}{further}", state.en) })
    }
}

impl SchemaCommand {
    /// The argument of this name, or of this Chinese one.
    #[must_use]
    pub fn argument_called(&self, text: &str) -> Option<&Argument> {
        let named = self.arguments.iter().find(|argument| argument.name == text);
        named.or_else(|| self.arguments.iter().find(|argument| argument.label.zh == text))
    }
}

fn said(words: &[Word], text: &str) -> Option<SchemaLabel> {
    words.iter().find(|word| word.name == text).map(|word| word.label.clone())
}

fn joined(name: &SchemaLabel, suffix: &SchemaLabel) -> SchemaLabel {
    SchemaLabel { zh: format!("{}{}", name.zh, suffix.zh), en: format!("{}{}", name.en, suffix.en) }
}
