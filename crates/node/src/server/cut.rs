//! JSON that is too long for an answer, cut: of lists and objects their first elements stay, of texts their beginning, and
//! each cut is told with its path and how much there is. What is cut away is read past and never built, so that cutting
//! takes as much memory as what stays.

use std::fmt;

use heliu_api::records::{Cut, Element};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::pages::Page;

/// Elements of a list and characters of a text that stay: the first that fits. Ids stay whole in all.
const STEPS: [Keep; 5] = [keep(100, 1_024), keep(16, 256), keep(4, 64), keep(1, 64), keep(0, 64)];
/// What stays of one element that is asked for by its path.
const ELEMENT: Keep = keep(100, 32 * 1_024);

#[derive(Clone, Copy)]
struct Keep {
    elements: usize,
    chars: usize,
}

const fn keep(elements: usize, chars: usize) -> Keep {
    Keep { elements, chars }
}

/// The text itself if it is no longer than `bytes`; else as much of it as fits, and what was cut.
pub(super) fn fit(json: &[u8], bytes: usize) -> (String, Vec<Cut>) {
    if json.len() <= bytes {
        // Written by this program, as JSON; what a damaged file made of it is shown, not hidden.
        return (String::from_utf8_lossy(json).into_owned(), Vec::new());
    }
    for keep in STEPS {
        let mut cuts = Vec::new();
        let Ok(value) = read(json, Short { keep, path: &mut String::new(), cuts: &mut cuts, is_top: true }) else {
            break;
        };
        let text = value.to_string();
        if text.len() <= bytes {
            return (text, cuts);
        }
    }
    let total = json.len() as u64;
    ("{}".to_owned(), vec![Cut { path: String::new(), shown: 0, total }])
}

/// Elements of what is at a path, from one on, as many as the page holds: and how many there are. None: nothing is there.
pub(super) fn elements(json: &[u8], path: &str, from: usize, page: &mut Page<Element>) -> Option<usize> {
    read(json, At { rest: path, path, from, page }).ok().flatten()
}

fn read<'de, S: DeserializeSeed<'de>>(json: &'de [u8], seed: S) -> Result<S::Value, serde_json::Error> {
    seed.deserialize(&mut serde_json::Deserializer::from_slice(json))
}

/// A value with its cuts.
struct Short<'c> {
    keep: Keep,
    path: &'c mut String,
    cuts: &'c mut Vec<Cut>,
    /// Whether this is the outermost object, which is not cut: its fields are declared, and so few.
    is_top: bool,
}

impl Short<'_> {
    fn cut(&mut self, shown: usize, total: usize) {
        if shown < total {
            self.cuts.push(Cut { path: self.path.clone(), shown: shown as u64, total: total as u64 });
        }
    }

    /// What is one step further down.
    fn below<T>(&mut self, name: &str, read: impl FnOnce(Short<'_>) -> T) -> T {
        let before = self.path.len();
        if before > 0 {
            self.path.push('/');
        }
        self.path.push_str(name);
        let done = read(Short { keep: self.keep, path: &mut *self.path, cuts: &mut *self.cuts, is_top: false });
        self.path.truncate(before);
        done
    }
}

impl<'de> DeserializeSeed<'de> for Short<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Short<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(mut self, text: &str) -> Result<Value, E> {
        let Some((end, _)) = text.char_indices().nth(self.keep.chars) else { return Ok(text.into()) };
        self.cut(self.keep.chars, text.chars().count());
        Ok(format!("{}…", &text[..end]).into())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() < self.keep.elements {
            let name = kept.len().to_string();
            let Some(value) = self.below(&name, |short| list.next_element_seed(short))? else {
                return Ok(kept.into());
            };
            kept.push(value);
        }
        let mut total = kept.len();
        while list.next_element::<IgnoredAny>()?.is_some() {
            total += 1;
        }
        self.cut(kept.len(), total);
        Ok(kept.into())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        let most = if self.is_top { usize::MAX } else { self.keep.elements };
        while kept.len() < most {
            let Some(key) = object.next_key::<String>()? else { return Ok(kept.into()) };
            let value = self.below(&key, |short| object.next_value_seed(short))?;
            kept.insert(key, value);
        }
        let mut total = kept.len();
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            total += 1;
        }
        self.cut(kept.len(), total);
        Ok(kept.into())
    }
}

/// Reads down to what a path names, and puts its elements from `from` on into a page.
struct At<'p> {
    /// What is left of the path; empty where its end is reached.
    rest: &'p str,
    path: &'p str,
    from: usize,
    page: &'p mut Page<Element>,
}

impl At<'_> {
    /// The element that comes next, by its number.
    fn short<T>(&self, name: &str, read: impl FnOnce(Short<'_>) -> T) -> (T, Vec<Cut>) {
        let (mut path, mut cuts) = (format!("{}/{name}", self.path), Vec::new());
        let value = read(Short { keep: ELEMENT, path: &mut path, cuts: &mut cuts, is_top: false });
        (value, cuts)
    }

    fn take(&mut self, key: &str, (value, cuts): (Value, Vec<Cut>)) {
        // An element that is too long even so is cut once more, as a whole.
        let (value_json, more) = fit(value.to_string().as_bytes(), self.page.bytes() / 2);
        let below = |cut: Cut| Cut { path: format!("{}/{}", self.path, cut.path), ..cut };
        let cuts = if more.is_empty() { cuts } else { more.into_iter().map(below).collect() };
        self.page.take(Element { key: key.to_owned(), value_json, cuts });
    }
}

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, an object or a text")
    }

    fn visit_str<E>(mut self, text: &str) -> Result<Self::Value, E> {
        if !self.rest.is_empty() {
            return Ok(None);
        }
        if self.from == 0 {
            self.take("", (text.into(), Vec::new()));
        }
        Ok(Some(1))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self::Value, A::Error> {
        let (name, rest) = self.rest.split_once('/').unwrap_or((self.rest, ""));
        let wanted = if self.rest.is_empty() { None } else { Some(name.parse::<usize>().unwrap_or(usize::MAX)) };
        let mut total = 0;
        let mut found = None;
        loop {
            if wanted == Some(total) {
                let at = At { rest, path: self.path, from: self.from, page: &mut *self.page };
                found = list.next_element_seed(at)?.flatten();
            } else if wanted.is_none() && total >= self.from && !self.page.is_full() {
                let (value, cuts) = self.short(&total.to_string(), |short| list.next_element_seed(short));
                let Some(value) = value? else { break };
                self.take("", (value, cuts));
            } else if list.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
            total += 1;
        }
        Ok(if wanted.is_some() { found } else { Some(total) })
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut total = 0;
        let mut found = None;
        while let Some(key) = object.next_key::<String>()? {
            // A name may have a `/` of its own.
            let below = self.rest.strip_prefix(key.as_str()).filter(|rest| rest.is_empty() || rest.starts_with('/'));
            match below {
                Some(rest) if !self.rest.is_empty() && found.is_none() => {
                    let rest = rest.strip_prefix('/').unwrap_or_default();
                    let at = At { rest, path: self.path, from: self.from, page: &mut *self.page };
                    found = object.next_value_seed(at)?;
                }
                _ if self.rest.is_empty() && total >= self.from && !self.page.is_full() => {
                    let (value, cuts) = self.short(&key, |short| object.next_value_seed(short));
                    self.take(&key, (value?, cuts));
                }
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
            total += 1;
        }
        Ok(if self.rest.is_empty() { Some(total) } else { found })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn many() -> Vec<u8> {
        let names: Vec<String> = (0..5_000).map(|n| format!("第{n}党支部")).collect();
        let entries: Map<String, Value> = (0..3_000).map(|n| (format!("{n:064x}"), json!("x/y"))).collect();
        let deep = json!({"a/b": {"name": "支部", "name_concurrent": names}});
        let text = "长".repeat(9_000);
        let view = json!({"name": "甲", "name_concurrent": names, "settle": entries, "units": deep, "text": text});
        view.to_string().into_bytes()
    }

    #[test]
    fn what_is_short_stays_as_it_is_and_what_is_long_fits_and_tells_how_much_there_is() {
        assert_eq!(fit(b"{\"a\": [1]}", 100), ("{\"a\": [1]}".to_owned(), Vec::new()));
        for bytes in [100_000, 8_000, 600] {
            let (text, cuts) = fit(&many(), bytes);
            assert!(text.len() <= bytes, "{} of {bytes}", text.len());
            let shown: Value = serde_json::from_str(&text).expect("it is JSON");
            assert_eq!(shown["name"], "甲");
            let cut =
                |path: &str| cuts.iter().find(|cut| cut.path == path).unwrap_or_else(|| panic!("{path}: {cuts:?}"));
            let names = shown["name_concurrent"].as_array().expect("a list").len() as u64;
            assert_eq!((cut("name_concurrent").shown, cut("name_concurrent").total), (names, 5_000));
            assert_eq!((cut("settle").total, cut("text").total), (3_000, 9_000));
        }
        assert_eq!(fit(&[b'['; 1_000], 100).0, "{}", "what is no JSON is not shown");
    }

    #[test]
    fn the_rest_is_read_page_by_page_by_its_path() {
        let view = many();
        for (path, total) in [("name_concurrent", 5_000), ("settle", 3_000), ("units/a/b/name_concurrent", 5_000)] {
            let (mut seen, mut from) = (Vec::new(), 0);
            while from < total {
                let mut page = Page::new(1_000, 20_000);
                assert_eq!(elements(&view, path, from, &mut page), Some(total), "{path}");
                let items = page.into_items();
                assert!(!items.is_empty());
                from += items.len();
                seen.extend(items.into_iter().map(|element| (element.key, element.value_json)));
            }
            seen.dedup();
            assert_eq!(seen.len(), total);
        }
        let mut page = Page::new(10, 100_000);
        assert_eq!(elements(&view, "text", 0, &mut page), Some(1));
        assert_eq!(page.into_items()[0].value_json.chars().count(), 9_002);
        for nothing in ["none", "name_concurrent/5000", "units/a", "name/x"] {
            assert_eq!(elements(&view, nothing, 0, &mut Page::new(10, 1_000)), None, "{nothing}");
        }
    }
}
