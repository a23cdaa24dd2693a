//! The kinds and commands of the domain as messages: what `GetSchema` answers.

use heliu_api::records as pb;
use heliu_record::catalogue::Catalogue;
use heliu_record::command::{Argument, Command, Ends, KIND_ARGUMENT, Makes, Subject};
use heliu_record::kind::{
    DerivedPart, ENTRY_NUMBER, ENTRY_STATE, EntryState, Field, Kind, Label, Listing, Merge, Part, State, ValueType,
    Word, Writer,
};
use heliu_record::naming::SUFFIXES;
use heliu_record::rule::Rule;

/// Everything that this program knows.
#[must_use]
pub fn schema(catalogue: &Catalogue) -> pb::GetSchemaResponse {
    pb::GetSchemaResponse {
        kinds: catalogue.kinds().map(kind).collect(),
        commands: catalogue.commands().map(command).collect(),
        findings: catalogue.rules().flat_map(|rule| findings(rule, catalogue)).collect(),
        suffixes: SUFFIXES.iter().map(word).collect(),
        ledgers: catalogue.ledgers().map(crate::sheet::info).collect(),
    }
}

fn findings(rule: &Rule, catalogue: &Catalogue) -> impl Iterator<Item = pb::Finding> {
    rule.finds.iter().map(|finding| pb::Finding {
        name: finding.name.to_owned(),
        label: label(finding.label),
        help: label(rule.help),
        choices: catalogue.settler(finding.name).map_or(&[][..], |settler| settler.choices).iter().map(word).collect(),
        takes_any_record: catalogue.settler(finding.name).is_some_and(|settler| settler.takes_any_record),
    })
}

fn word(word: &Word) -> pb::Word {
    pb::Word { name: word.name.to_owned(), label: label(word.label) }
}

fn kind(kind: &Kind) -> pb::Kind {
    pb::Kind {
        name: kind.name.to_owned(),
        version: kind.version,
        class: kind.class.name().to_owned(),
        label: label(kind.label),
        help: label(kind.help),
        fields: kind.fields().map(|one| pb::Field { listing: listing(kind, one.name), ..field(one) }).collect(),
        derived: kind.derived.iter().map(derived).chain(kind.fields().flat_map(of_entries)).collect(),
    }
}

/// What a view says of each entry of a workflow: in which of its states it is, and by which number people name it.
fn of_entries(field: &Field) -> Vec<pb::Derived> {
    if field.states.is_empty() {
        return Vec::new();
    }
    let states = field.states.iter().map(|state| word(&state.word)).collect();
    let said = |of: Word, words| {
        let path = format!("{}/{}", field.name, of.name);
        pb::Derived { path, label: label(of.label), words, ..pb::Derived::default() }
    };
    vec![said(ENTRY_STATE, states), said(ENTRY_NUMBER, Vec::new())]
}

fn derived(derived: &DerivedPart) -> pb::Derived {
    pb::Derived {
        path: derived.path.to_owned(),
        label: label(derived.label),
        words: derived.words.iter().map(word).collect(),
        listing: derived.listing.name().to_owned(),
    }
}

fn field(field: &Field) -> pb::Field {
    let states: &[State] = if let Merge::State(machine) = field.merge { machine.states } else { &[] };
    let entry_states = field.states.iter().map(|state| entry_state(field, state));
    pb::Field {
        name: field.name.to_owned(),
        merge: field.merge.name().to_owned(),
        r#type: Some(value_type(field.value)),
        writer: Some(writer(field.writer)),
        required: field.required,
        sealed: field.sealed,
        label: label(field.label),
        help: label(field.help),
        parts: field.parts().iter().copied().map(part).collect(),
        states: states.iter().map(state).chain(entry_states).collect(),
        provisional: field.provisional.unwrap_or_default().to_owned(),
        listing: String::new(),
    }
}

/// What can be asked of a field, as its kind lists it.
fn listing(kind: &Kind, field: &str) -> String {
    let said = kind.column(field).map(|column| if column.is_sought { Listing::Sought } else { Listing::Listed });
    said.unwrap_or_default().name().to_owned()
}

fn part(part: &Part) -> pb::Part {
    pb::Part {
        name: part.name.to_owned(),
        r#type: Some(value_type(part.value)),
        writer: Some(writer(part.writer)),
        label: label(part.label),
        closed_by: names(part.closed_by),
        words: part.words.iter().map(word).collect(),
    }
}

fn state(state: &State) -> pb::State {
    pb::State {
        name: state.name.to_owned(),
        label: label(state.label),
        from: names(state.from),
        writer: Some(writer(state.writer)),
        rank: state.rank.into(),
        ending: state.ending,
        means: state.means.and_then(label),
    }
}

/// Who may is said by the part that leads there.
fn entry_state(field: &Field, state: &EntryState) -> pb::State {
    pb::State {
        name: state.word.name.to_owned(),
        label: label(state.word.label),
        from: names(state.from),
        writer: state.by.and_then(|part| field.part(part)).map(|part| writer(part.writer)),
        ..pb::State::default()
    }
}

fn writer(writer: Writer) -> pb::Writer {
    let (rule, tier, part) = match writer {
        Writer::Creator => ("creator", "", ""),
        Writer::Owner => ("owner", "", ""),
        Writer::AtLeast(tier) => ("at_least", tier.name(), ""),
        Writer::CommonSuperior => ("common_superior", "", ""),
        Writer::CommonAtLeast(tier) => ("common_at_least", tier.name(), ""),
        Writer::Itself => ("itself", "", ""),
        Writer::Party(part) => ("party", "", part),
        Writer::Audience => ("audience", "", ""),
    };
    pb::Writer { rule: rule.to_owned(), tier: tier.to_owned(), part: part.to_owned() }
}

fn value_type(value: ValueType) -> pb::ValueType {
    let expects = Some((&value.expects()).into());
    let of = |name: &str| pb::ValueType { name: name.to_owned(), expects: expects.clone(), ..pb::ValueType::default() };
    match value {
        ValueType::Text(chars) | ValueType::Name(chars) | ValueType::Number(chars) => {
            pb::ValueType { chars_max: u32::try_from(chars).unwrap_or(u32::MAX), ..of("text") }
        }
        ValueType::Date | ValueType::Past | ValueType::Birth => of("date"),
        ValueType::Int | ValueType::Count => of("int"),
        ValueType::Bool => of("bool"),
        ValueType::Seat => of("seat"),
        ValueType::Record(kind) => pb::ValueType { kind: kind.name.to_owned(), ..of("record") },
        ValueType::Unit(kind) => pb::ValueType { kind: kind.name.to_owned(), ..of("unit") },
        ValueType::Choice(choices) => pb::ValueType {
            choices: choices.iter().map(|choice| choice.name.to_owned()).collect(),
            words: choices.iter().map(word).collect(),
            ..of("choice")
        },
    }
}

fn command(command: &Command) -> pb::Command {
    let (takes_subject, subject_kind) = match command.subject {
        Subject::None => (false, ""),
        Subject::Any => (true, ""),
        Subject::Of(kind) => (true, kind.name),
    };
    let (makes, named_by) = match command.makes {
        Makes::Nothing => ("", ""),
        Makes::Kind(kind) => (kind.name, ""),
        Makes::Named => ("", KIND_ARGUMENT),
    };
    pb::Command {
        name: command.name.to_owned(),
        label: label(command.label),
        help: label(command.help),
        takes_subject,
        subject_kind: subject_kind.to_owned(),
        arguments: command.arguments.iter().map(argument).collect(),
        takes_fields: command.takes_fields,
        makes: makes.to_owned(),
        makes_named_by: named_by.to_owned(),
        ends: if let Ends::This(ends) = command.ends { label(ends) } else { None },
        decides: command.ends == Ends::ByState,
    }
}

fn argument(argument: &Argument) -> pb::Argument {
    pb::Argument {
        name: argument.name.to_owned(),
        r#type: Some(value_type(argument.value)),
        required: argument.required,
        many: argument.many,
        help: label(argument.help),
        sealed: argument.sealed,
        label: Some(pb::Label { zh: argument.title().to_owned(), en: argument.name.replace('_', " ") }),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a message field is optional")]
fn label(label: Label) -> Option<pb::Label> {
    Some(pb::Label { zh: label.zh.to_owned(), en: label.en.to_owned() })
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use heliu_catalogue::catalogue;

    use super::*;

    #[test]
    fn every_kind_and_command_is_in_the_schema_with_names_in_both_languages() {
        let schema = schema(catalogue());
        let member = schema.kinds.iter().find(|kind| kind.name == "member").expect("members are the point");
        assert!(member.fields.iter().any(|field| field.name == "name" && field.merge == "mv"));
        assert!(member.fields.iter().any(|field| !field.states.is_empty()));
        let commands = schema.commands.iter();
        let labels = commands.map(|command| &command.label).chain(schema.kinds.iter().map(|kind| &kind.label));
        for label in labels {
            assert!(label.as_ref().is_some_and(|label| !label.zh.is_empty() && !label.en.is_empty()));
        }
        assert_eq!(schema.commands.len(), catalogue().commands().count());
    }

    /// What programs read that were written before words travelled with the schema. Texts change it (helps and labels), fields do not.
    #[test]
    fn what_was_added_left_every_byte_of_before_in_its_place() {
        let mut schema = schema(catalogue());
        (schema.findings, schema.suffixes, schema.ledgers) = (Vec::new(), Vec::new(), Vec::new());
        let plain = |value: &mut Option<pb::ValueType>| {
            if let Some(value) = value {
                (value.words, value.expects) = (Vec::new(), None);
            }
        };
        for kind in &mut schema.kinds {
            kind.derived.clear();
            for field in &mut kind.fields {
                field.listing.clear();
                plain(&mut field.r#type);
                for part in &mut field.parts {
                    plain(&mut part.r#type);
                    part.words.clear();
                }
                field.states.iter_mut().for_each(|state| state.means = None);
                // What entries can be is declared since then.
                field.states.retain(|_| field.merge == "state");
            }
        }
        for command in &mut schema.commands {
            (command.makes, command.makes_named_by) = (String::new(), String::new());
            (command.ends, command.decides) = (None, false);
        }
        for argument in schema.commands.iter_mut().flat_map(|command| &mut command.arguments) {
            plain(&mut argument.r#type);
            argument.label = None;
        }
        let bytes = prost::Message::encode_to_vec(&schema);
        let hash = heliu_record::id::to_hex(&heliu_record::hash::hash("schema", &[&bytes]));
        let before = "019ad8e072c56d68d858e67c3e9f098b365ddef6af08335a3ff62ad4e128d06f";
        assert_eq!((bytes.len(), hash.as_str()), (62_274, before));
    }

    #[test]
    fn clients_are_told_which_arguments_they_must_not_show_again() {
        let schema = schema(catalogue());
        let is_sealed = |command: &str, argument: &str| {
            let command = schema.commands.iter().find(|known| known.name == command)?;
            Some(command.arguments.iter().find(|known| known.name == argument)?.sealed)
        };
        for argument in ["contact", "birth_date", "person_digest"] {
            assert_eq!(is_sealed("member.register", argument), Some(true), "{argument}");
        }
        assert_eq!(is_sealed("record.set", "value"), Some(true), "some fields are");
        assert_eq!(is_sealed("member.register", "name"), Some(false));
    }
}
