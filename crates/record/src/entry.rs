//! One entry of a workflow as it stands in a history: a booking, a letter, a participation. What its parts mean is declared with its
//! kind, and they are read by the handles of those declarations.

use crate::change::{Container, Scalar};
use crate::history::{History, Visible};

/// So many digits of an id are shown, and no fewer are taken for it.
pub const ID_DIGITS: usize = 8;

#[derive(Clone, Debug)]
pub struct Entry<'h> {
    pub name: &'h str,
    pub history: &'h History,
    /// The field that it is an entry of.
    pub field: &'h str,
    parts: Vec<(&'h str, &'h [Visible])>,
}

impl<'h> Entry<'h> {
    /// Those of a field, in the order of their names.
    #[must_use]
    pub fn all(history: &'h History, field: &'h str) -> Vec<Self> {
        let mut entries: Vec<Self> = Vec::new();
        for (key, values) in history.under(Container::Slot, field) {
            let Some((name, part)) = key.split_once('/') else { continue };
            match entries.last_mut().filter(|last| last.name == name) {
                Some(last) => last.parts.push((part, values)),
                None => entries.push(Entry { name, history, field, parts: vec![(part, values)] }),
            }
        }
        entries
    }

    /// As [`Entry::all`], in the order in which they were made. So people number them, from 1.
    #[must_use]
    pub fn numbered(history: &'h History, field: &'h str) -> Vec<Self> {
        let mut entries = Entry::all(history, field);
        entries.sort_by_key(Entry::made);
        entries
    }

    /// Where the first of what stands in it was written in the order of the record's operations.
    fn made(&self) -> u64 {
        self.parts.iter().flat_map(|(_, values)| *values).map(|at| at.id.counter).min().unwrap_or_default()
    }

    /// The entry of this name, if anything is written in it.
    #[must_use]
    pub fn find(history: &'h History, field: &'h str, name: &str) -> Option<Self> {
        let path = format!("{field}/{name}/");
        let mut parts = Vec::new();
        let mut named = None;
        // The borrowed keys outlive the path that they are looked up by.
        for (key, values) in history.keys_from(Container::Slot, &path) {
            let Some(part) = key.strip_prefix(&*path) else { break };
            named = Some(&key[field.len() + 1..path.len() - 1]);
            parts.push((part, values));
        }
        named.map(|name| Entry { name, history, field, parts })
    }

    /// What stands in a part, the deterministic value last.
    #[must_use]
    pub fn part(&self, name: &str) -> &'h [Visible] {
        self.parts.iter().find(|(part, _)| *part == name).map_or(&[], |(_, values)| values)
    }

    /// The value that stands in a part.
    #[must_use]
    pub fn value(&self, part: &str) -> Option<&'h Scalar> {
        self.part(part).last().map(|at| &at.value).filter(|value| **value != Scalar::Null)
    }

    /// Whether anybody says so: of two who wrote it apart, one may have taken it back.
    #[must_use]
    pub fn says(&self, part: &str) -> bool {
        self.part(part).iter().any(|at| at.value != Scalar::Null)
    }

    /// Where findings and views show it: `bookings/4f…`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}/{}", self.field, self.name)
    }

    /// What tells its name from others of the same seat, as far as it is shown.
    #[must_use]
    pub fn short(&self) -> String {
        self.own_name().chars().take(ID_DIGITS).collect()
    }

    /// Whether a text is its name, or enough of it.
    #[must_use]
    pub fn begins_with(&self, text: &str) -> bool {
        text.len() >= ID_DIGITS && self.own_name().starts_with(text)
    }

    fn own_name(&self) -> &'h str {
        self.name.split_once('-').map_or(self.name, |(_, own)| own)
    }
}
