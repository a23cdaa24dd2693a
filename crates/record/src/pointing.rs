//! Whether what a view says now points to a record. What is over does not: who was there long ago and has left, a letter that was
//! received. Rules read more ([`View::refs`](crate::view::View)), since what is over may be disputed.

use serde_json::Value;

use crate::id::RecordId;
use crate::kind::{ENTRY_STATE, Field, Kind, Merge, ValueType, Writer};

impl Kind {
    /// `json`: the view of a record of this kind.
    #[must_use]
    pub fn points_to(&self, json: &Value, target: RecordId) -> bool {
        let id = target.to_string();
        let derived = self.derived.iter().any(|part| says(json.get(part.path), &id));
        derived || self.fields().any(|field| field.points_to(json, &id))
    }
}

impl Field {
    fn points_to(&self, json: &Value, id: &str) -> bool {
        let names_records = |value: ValueType| matches!(value, ValueType::Record(_) | ValueType::Unit(_));
        match self.merge {
            // Where a record began says nothing of where it is.
            Merge::Lww | Merge::Mv | Merge::Aws if names_records(self.value) && self.writer != Writer::Creator => {
                says(json.get(self.name), id) || says(json.get(format!("{}_concurrent", self.name)), id)
            }
            Merge::Slot(_) | Merge::Entries(_) => {
                let entries = json.get(self.name).and_then(Value::as_object).into_iter().flatten();
                let open = entries.map(|(_, entry)| entry).filter(|entry| self.is_open(entry));
                let of_records = || self.parts().iter().filter(|part| names_records(part.value));
                open.into_iter().any(|entry| of_records().any(|part| says(entry.get(part.name), id)))
            }
            Merge::Lww | Merge::Mv | Merge::Aws | Merge::Log | Merge::State(_) => false,
        }
    }

    /// Whether somebody still waits for what comes of an entry, as a view shows it; one of which no states are declared stands.
    fn is_open(&self, entry: &Value) -> bool {
        let state = entry.get(ENTRY_STATE.name).and_then(Value::as_str);
        state.and_then(|state| self.entry_state(state)).is_none_or(|state| state.open)
    }
}

fn says(value: Option<&Value>, id: &str) -> bool {
    match value {
        Some(Value::String(text)) => text == id,
        Some(Value::Array(values)) => values.iter().any(|value| value.as_str() == Some(id)),
        _ => false,
    }
}
