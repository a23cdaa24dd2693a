//! The kinds and commands of the domain as messages: what `GetSchema` answers.

use heliu_record::catalogue::Catalogue;
use heliu_record::command::{Argument, Command, Subject};
use heliu_record::kind::{Field, Kind, Label, Merge, Part, State, ValueType, Writer};

use crate::records as pb;

/// Everything that this program knows.
#[must_use]
pub fn schema(catalogue: &Catalogue) -> pb::GetSchemaResponse {
    pb::GetSchemaResponse {
        kinds: catalogue.kinds().map(kind).collect(),
        commands: catalogue.commands().map(command).collect(),
    }
}

fn kind(kind: &Kind) -> pb::Kind {
    pb::Kind {
        name: kind.name.to_owned(),
        version: kind.version,
        class: kind.class.name().to_owned(),
        label: label(kind.label),
        help: label(kind.help),
        fields: kind.fields().map(field).collect(),
    }
}

fn field(field: &Field) -> pb::Field {
    let parts: &[Part] = match field.merge {
        Merge::Slot(parts) | Merge::Entries(parts) => parts,
        Merge::Lww | Merge::Mv | Merge::Aws | Merge::Log | Merge::State(_) => &[],
    };
    let states: &[State] = if let Merge::State(machine) = field.merge { machine.states } else { &[] };
    pb::Field {
        name: field.name.to_owned(),
        merge: field.merge.name().to_owned(),
        r#type: Some(value_type(field.value)),
        writer: Some(writer(field.writer)),
        required: field.required,
        sealed: field.sealed,
        label: label(field.label),
        help: label(field.help),
        parts: parts.iter().map(part).collect(),
        states: states.iter().map(state).collect(),
        provisional: field.provisional.unwrap_or_default().to_owned(),
    }
}

fn part(part: &Part) -> pb::Part {
    pb::Part {
        name: part.name.to_owned(),
        r#type: Some(value_type(part.value)),
        writer: Some(writer(part.writer)),
        label: label(part.label),
        closed_by: names(part.closed_by),
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
    let of = |name: &str| pb::ValueType { name: name.to_owned(), ..pb::ValueType::default() };
    match value {
        ValueType::Text(chars) => pb::ValueType { chars_max: u32::try_from(chars).unwrap_or(u32::MAX), ..of("text") },
        ValueType::Date => of("date"),
        ValueType::Int => of("int"),
        ValueType::Bool => of("bool"),
        ValueType::Seat => of("seat"),
        ValueType::Record(kind) => pb::ValueType { kind: kind.name.to_owned(), ..of("record") },
        ValueType::Unit(kind) => pb::ValueType { kind: kind.name.to_owned(), ..of("unit") },
        ValueType::Choice(choices) => {
            pb::ValueType { choices: choices.iter().map(|choice| choice.name.to_owned()).collect(), ..of("choice") }
        }
    }
}

fn command(command: &Command) -> pb::Command {
    let (takes_subject, subject_kind) = match command.subject {
        Subject::None => (false, ""),
        Subject::Any => (true, ""),
        Subject::Of(kind) => (true, kind.name),
    };
    pb::Command {
        name: command.name.to_owned(),
        label: label(command.label),
        help: label(command.help),
        takes_subject,
        subject_kind: subject_kind.to_owned(),
        arguments: command.arguments.iter().map(argument).collect(),
        takes_fields: command.takes_fields,
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
