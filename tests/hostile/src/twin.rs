//! What automerge itself makes of admitted changes: applied to a document, saved, loaded, and read. It must see what
//! Heliu's history sees, for that is what the gate's cheaper checks stand for.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ROOT, ReadDoc, ScalarValue, Value};
use heliu_record::change::{Container, Scalar, genesis_change};
use heliu_record::history::History;

type Registers = BTreeMap<(Container, String), Vec<Scalar>>;

/// Applies all changes of a history to a document, saves it, loads it, and writes to it. `Err` says what went wrong.
pub fn agrees(history: &History) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| compare(history))).unwrap_or_else(|_| Err("automerge panics".to_owned()))
}

fn compare(history: &History) -> Result<(), String> {
    let words = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
    let changes = history.changes().map(|change| {
        automerge::Change::from_bytes(change.raw.to_vec()).map_err(|error| words("a change cannot be read", &error))
    });
    let changes: Vec<_> = std::iter::once(Ok(genesis_change())).chain(changes).collect::<Result<_, _>>()?;
    let mut document = AutoCommit::new();
    document.apply_changes(changes).map_err(|error| words("the changes do not apply", &error))?;
    let mut loaded =
        AutoCommit::load(&document.save()).map_err(|error| words("what was saved does not load", &error))?;
    let mut heads: Vec<_> = loaded.get_heads().iter().map(|head| head.0).collect();
    heads.sort_unstable();
    let ours = if history.is_empty() { heads.clone() } else { history.heads().iter().map(|head| head.0).collect() };
    if heads != ours {
        return Err(format!("automerge has {} heads, the history {}", heads.len(), ours.len()));
    }
    let (theirs, ours) =
        (of_document(&loaded).map_err(|error| words("it cannot be read", &error))?, of_history(history));
    if theirs != ours {
        return Err(format!("automerge shows {theirs:?}, the history {ours:?}"));
    }
    // Measured once: a panic at the next local put.
    let put = loaded.put(ROOT, "after", 1);
    put.map_err(|error| words("it cannot be written to", &error))
}

/// Values in the order in which they count, the one that shows last.
fn of_document(document: &AutoCommit) -> Result<Registers, automerge::AutomergeError> {
    let mut registers = Registers::new();
    for container in Container::ALL {
        let Some((_, object)) = document.get(ROOT, container.name())? else { continue };
        for key in document.keys(&object) {
            let values = document.get_all(&object, key.as_str())?;
            registers.insert((container, key), values.into_iter().filter_map(|(value, _)| scalar(value)).collect());
        }
    }
    Ok(registers)
}

fn scalar(value: Value<'_>) -> Option<Scalar> {
    Some(match value.into_scalar().ok()? {
        ScalarValue::Null => Scalar::Null,
        ScalarValue::Boolean(boolean) => Scalar::Bool(boolean),
        ScalarValue::Int(int) => Scalar::Int(int),
        ScalarValue::Str(text) => Scalar::Text(text.to_string()),
        ScalarValue::Bytes(bytes) => Scalar::Bytes(bytes),
        _ => return None,
    })
}

fn of_history(history: &History) -> Registers {
    let keys = |container| history.keys(container, "").map(move |(key, values)| (container, key, values));
    Container::ALL
        .into_iter()
        .flat_map(keys)
        .map(|(container, key, values)| {
            ((container, key.to_owned()), values.iter().map(|visible| visible.value.clone()).collect())
        })
        .collect()
}
