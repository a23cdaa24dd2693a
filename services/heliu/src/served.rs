//! What a node of this very program serves: for what is done where such a node is and without asking one, the list of access
//! tokens beside it and the demo, which has its nodes in itself. Verbs that speak to a node ask that node.

use heliu_catalogue::catalogue;
use heliu_client::Schema;

pub fn schema() -> Schema {
    heliu_wire::schema::schema(catalogue()).into()
}

#[cfg(test)]
mod tests {
    use heliu_record::conflict::Explanation;
    use heliu_record::kind::{Merge, ValueType};

    use super::*;

    /// Of a served text and a declared one that are the same: whether there is one.
    #[track_caller]
    fn same(served: Option<heliu_client::schema::SchemaLabel>, declared: Option<Explanation>) -> bool {
        let declared = declared.map(|said| (said.zh.to_string(), said.en.to_string()));
        let is_there = declared.is_some();
        assert_eq!(served.map(|said| (said.zh, said.en)), declared);
        is_there
    }

    #[test]
    fn the_command_line_puts_every_path_and_code_into_the_words_that_the_node_itself_uses_in_its_messages() {
        let (schema, mut said) = (schema(), 0);
        for kind in catalogue().kinds() {
            let served = schema.kind(kind.name).expect("it is served");
            let mut paths: Vec<(String, Vec<&str>)> = Vec::new();
            for field in kind.fields() {
                let codes = match (field.merge, field.value) {
                    (Merge::State(machine), _) => machine.states.iter().map(|state| state.name).collect(),
                    (_, ValueType::Choice(words)) => words.iter().map(|word| word.name).collect(),
                    _ => Vec::new(),
                };
                paths.push((field.name.to_owned(), codes));
                let (Merge::Slot(parts) | Merge::Entries(parts)) = field.merge else { continue };
                for part in parts {
                    let words = if let ValueType::Choice(words) = part.value { words } else { &[] };
                    let codes = words.iter().map(|word| word.name).collect();
                    paths.push((format!("{}/4f/{}", field.name, part.name), codes));
                }
            }
            for derived in kind.derived {
                let codes = derived.words.iter().map(|word| word.name).collect();
                paths.push((derived.path.replacen('/', "/4f/", 1), codes));
            }
            for (path, codes) in paths {
                for suffix in ["", "_since", "_concurrent", "_concurrent_count"] {
                    let path = format!("{path}{suffix}");
                    said += usize::from(same(served.say_path(&path), kind.say_path(&path)));
                    for code in codes.iter().copied().chain(["no code"]) {
                        said += usize::from(same(served.say_value(&path, code), kind.say_value(&path, code)));
                    }
                    let decided = codes.iter().map(|code| format!("{code}|2026-03-01|8号|4f"));
                    said +=
                        decided.filter(|code| same(served.say_value(&path, code), kind.say_value(&path, code))).count();
                }
            }
        }
        assert!(said > 200, "the declarations are there: {said}");
    }
}
