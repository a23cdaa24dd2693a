//! The configuration file that `heliu init` writes: every setting with its help, those with a default commented out.

use super::settings::{Form, SETTINGS, Setting};
use crate::text::labelled;

/// A file that sets what is given and explains the rest. `head` is a comment of one or more lines.
pub fn write(head: &str, given: &[(&str, Vec<String>)]) -> String {
    let mut file: String = head.lines().map(|line| format!("# {line}\n")).collect();
    let mut table = None;
    for setting in SETTINGS {
        if setting.table() != table {
            table = setting.table();
            file.push_str(&format!("\n[{}]\n", table.unwrap_or_default()));
        } else {
            file.push('\n');
        }
        file.push_str(&format!("# {}\n# {}\n", labelled(setting.help), setting.variable()));
        file.push_str(&entry(setting, given.iter().find(|(key, _)| *key == setting.key).map(|(_, value)| value)));
    }
    file
}

fn entry(setting: &Setting, given: Option<&Vec<String>>) -> String {
    let default = || setting.default.map(str::to_owned).into_iter().filter(|d| !d.is_empty()).collect();
    let values: Vec<String> = given.cloned().unwrap_or_else(default);
    let quoted = values.iter().map(|value| quote(value)).collect::<Vec<_>>().join(", ");
    let value = match setting.form {
        Form::Nodes | Form::Names => format!("[{quoted}]"),
        Form::Whole { .. } => values.concat(),
        _ => quoted,
    };
    format!("{}{} = {value}\n", if given.is_some() { "" } else { "# " }, setting.name())
}

/// A TOML string.
pub fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
