//! Texts of one line: what may be in them, their one spelling, and how others' are shown. What people type, what a file
//! brings and what a terminal or a log prints go by the same table, so that what is refused is what would be escaped.
//!
//! A character is hidden if it shows nothing by itself or changes the order or place of what stands around it: with it
//! two names look alike, or a line says what nobody wrote. Some writing needs a few of them: joiners in Arabic and
//! Indic letters, variation selectors in Mongolian ones and behind rare ideographs. There they stay, and nowhere else.

use std::borrow::Cow;
use std::fmt;

use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use crate::{Label, label};

/// A character that may not stand where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hidden {
    pub character: char,
    /// Which one it is, from 1.
    pub place: usize,
}

impl fmt::Display for Hidden {
    /// `U+202E`, as tables of characters have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U+{:04X}", u32::from(self.character))
    }
}

impl Hidden {
    /// What sort of character it is.
    #[must_use]
    pub fn sort(&self) -> Label {
        match self.character {
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => label("换行", "a line break"),
            '\t' => label("制表符", "a tab"),
            c if c.is_control() => label("控制字符", "a control character"),
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                label("改变文字方向的字符", "a character that turns the order of the text")
            }
            c if is_combining_mark(c) && !is_selector(c) => {
                label("前面没有字的附加符号", "a mark without a letter before it")
            }
            _ => label("看不见的字符", "a character that shows nothing"),
        }
    }
}

/// The one spelling of a text that people typed: composed (NFC), without blanks at its ends, and with one plain blank where there are
/// some of whatever width. Empty if there is nothing else; refused if something in it is hidden.
pub fn normal(text: &str) -> Result<Cow<'_, str>, Hidden> {
    let text = text.trim();
    if let Some(hidden) = first_hidden(text) {
        return Err(hidden);
    }
    let text = match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfc().collect()),
    };
    let is_plain = !text.contains(|c: char| c.is_whitespace() && c != ' ') && !text.contains("  ");
    Ok(if is_plain { text } else { Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" ")) })
}

/// The one spelling of a number as papers carry it, of a text that is [`normal`]: digits and letters of one width.
#[must_use]
pub fn of_one_width(text: &str) -> Cow<'_, str> {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    if text.contains(|c| narrow(c) != c) { Cow::Owned(text.chars().map(narrow).collect()) } else { Cow::Borrowed(text) }
}

/// The one spelling of what somebody or something is called, of a text that is [`normal`]: of one width; without the blanks that fill a
/// column (张 三); with one sort of dot between the parts of a name.
#[must_use]
pub fn name(text: &str) -> Cow<'_, str> {
    let text = of_one_width(text);
    let is_dot = |c: char| matches!(c, '\u{2022}' | '\u{2027}' | '\u{22c5}' | '\u{30fb}' | '\u{ff65}');
    if !text.contains(|c: char| c == ' ' || is_dot(c)) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let is_between = out.chars().last().is_some_and(is_ideograph) && rest.peek().is_some_and(|c| is_ideograph(*c));
        match c {
            ' ' if is_between => {}
            dot if is_dot(dot) && is_between => out.push('·'),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// As [`normal`] judges, of a text that may have several lines.
pub fn check_lines(text: &str) -> Result<(), Hidden> {
    text.lines().try_for_each(|line| first_hidden(line.trim()).map_or(Ok(()), Err))
}

fn first_hidden(text: &str) -> Option<Hidden> {
    let mark = text.chars().next().filter(|first| is_combining_mark(*first));
    let mark = mark.map(|character| Hidden { character, place: 1 });
    mark.or_else(|| {
        judged(text)
            .zip(1..)
            .find(|((_, hidden), _)| *hidden)
            .map(|((character, _), place)| Hidden { character, place })
    })
}

/// A text of unknown origin as it may be printed: what is hidden is there to be seen, as `\u{202e}`. One line stays one
/// line.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    escaped(text, |c, out| out.extend(c.escape_default()))
}

/// As [`shown`], within the strings of a JSON text: `\u202e`. Line breaks between its values are control characters too.
#[must_use]
pub fn shown_in_json(json: &str) -> Cow<'_, str> {
    let mut units = [0; 2];
    escaped(json, |c, out| out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}"))))
}

fn escaped(text: &str, mut escape: impl FnMut(char, &mut String)) -> Cow<'_, str> {
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) || !judged(text).any(|(_, hidden)| hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (character, hidden) in judged(text) {
        if hidden { escape(character, &mut out) } else { out.push(character) }
    }
    Cow::Owned(out)
}

/// Each character, and whether it is hidden where it stands.
fn judged(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut before = None;
    let mut characters = text.chars().peekable();
    std::iter::from_fn(move || {
        let character = characters.next()?;
        let hidden = is_hidden(before, character, characters.peek().copied());
        before = Some(character);
        Some((character, hidden))
    })
}

fn is_hidden(before: Option<char>, character: char, after: Option<char>) -> bool {
    match character {
        '\u{200c}' | '\u{200d}' => !before.zip(after).is_some_and(|(before, after)| joins(before, after)),
        '\u{180b}'..='\u{180f}' => !before.is_some_and(|before| is_in(before, MONGOLIAN)),
        '\u{fe00}'..='\u{fe0f}' => !before.is_some_and(|before| is_ideograph(before) || is_in(before, VARIED)),
        '\u{e0100}'..='\u{e01ef}' => !before.is_some_and(is_ideograph),
        c => c.is_control() || is_in(c, NOTHING) || u32::from(c) & 0xfffe == 0xfffe,
    }
}

/// Whether a joiner says something between two characters: letters that are joined by nature, or a virama before it.
fn joins(before: char, after: char) -> bool {
    let cursive = |c| is_in(c, CURSIVE);
    (cursive(before) && cursive(after) && !is_in(before, JOINED_BEFORE_ONLY))
        || (canonical_combining_class(before) == 9 && is_in(after, INDIC))
}

fn is_selector(c: char) -> bool {
    matches!(c, '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

fn is_ideograph(c: char) -> bool {
    is_in(
        c,
        &[('\u{3400}', '\u{4dbf}'), ('\u{4e00}', '\u{9fff}'), ('\u{f900}', '\u{faff}'), ('\u{20000}', '\u{3ffff}')],
    )
}

type Ranges = &'static [(char, char)];

fn is_in(c: char, ranges: Ranges) -> bool {
    ranges.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// What shows nothing, or changes the order of what stands around it (by Unicode: Default_Ignorable, Bidi_Control, the
/// separators of lines, fillers). What is needed in places is judged before.
const NOTHING: Ranges = &[
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];
const MONGOLIAN: Ranges = &[('\u{1800}', '\u{180a}'), ('\u{1810}', '\u{18af}')];
/// Beside ideographs: punctuation that is set in two ways, symbols with a picture, Myanmar and Phags-pa letters.
const VARIED: Ranges = &[
    ('\u{1000}', '\u{109f}'),
    ('\u{203c}', '\u{2bff}'),
    ('\u{3001}', '\u{303f}'),
    ('\u{a840}', '\u{a877}'),
    ('\u{aa60}', '\u{aa7f}'),
    ('\u{ff01}', '\u{ff60}'),
    ('\u{1f000}', '\u{1faff}'),
];
/// Arabic (Uyghur, Kazakh), Syriac, N'Ko, Mongolian (Manchu, Todo), Phags-pa.
const CURSIVE: Ranges =
    &[('\u{620}', '\u{7fa}'), ('\u{860}', '\u{8c9}'), ('\u{1807}', '\u{18af}'), ('\u{a840}', '\u{a877}')];
/// Arabic letters that never join with what follows: a joiner behind one says nothing.
const JOINED_BEFORE_ONLY: Ranges = &[
    ('\u{621}', '\u{625}'),
    ('\u{627}', '\u{627}'),
    ('\u{629}', '\u{629}'),
    ('\u{62f}', '\u{632}'),
    ('\u{648}', '\u{648}'),
    ('\u{64b}', '\u{66d}'),
    ('\u{671}', '\u{677}'),
    ('\u{688}', '\u{699}'),
    ('\u{6c0}', '\u{6c0}'),
    ('\u{6c3}', '\u{6cb}'),
    ('\u{6cd}', '\u{6cd}'),
    ('\u{6cf}', '\u{6cf}'),
    ('\u{6d2}', '\u{6f9}'),
];
const INDIC: Ranges = &[
    ('\u{900}', '\u{dff}'),
    ('\u{f00}', '\u{109f}'),
    ('\u{1780}', '\u{17ff}'),
    ('\u{1900}', '\u{19df}'),
    ('\u{1a20}', '\u{1aaf}'),
    ('\u{1b00}', '\u{1bff}'),
    ('\u{a880}', '\u{aaff}'),
    ('\u{abc0}', '\u{abff}'),
    ('\u{11000}', '\u{11fff}'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_has_one_spelling_whatever_blanks_and_accents_were_typed() {
        for typed in ["赵六", " 赵六\t", "　赵六　", "\u{a0}赵六\r\n"] {
            assert_eq!(normal(typed).expect("it is a name"), "赵六", "{typed:?}");
        }
        assert_eq!(normal("Jose\u{301}").expect("it is a name"), "Jos\u{e9}");
        assert_eq!(normal("\u{f92c}").expect("it is a name"), "郎", "an ideograph that is there twice");
        assert_eq!(normal("　 \t").expect("it is blank"), "");
        assert_eq!(normal("张　\u{2003} 三").expect("it is a name"), "张 三", "of whatever width the blanks are");
    }

    #[test]
    fn a_name_is_one_however_a_table_was_filled() {
        for typed in ["张三", "张 三", "张　三", "张\u{a0}\u{a0}三"] {
            assert_eq!(name(&normal(typed).expect("it is a name")), "张三", "{typed:?}");
        }
        assert_eq!(name("阿不都热西提•吐尔逊"), "阿不都热西提·吐尔逊");
        assert_eq!(name("Ｊｏｈｎ Smith"), "John Smith");
        assert_eq!(name("第１党支部"), "第1党支部");
        assert_eq!(of_one_width("Ｄ００１"), "D001");
    }

    #[test]
    fn names_of_every_script_keep_what_they_are_written_with() {
        for name in [
            "葛\u{e0100}城", // an ideograph in one of its registered shapes
            "神\u{fe00}",
            "𠮷田",
            "阿不都热西提·吐尔逊",
            "ئابدۇرېشىت تۇرسۇن", // Uyghur
            "می\u{200c}خواهم",   // Persian: the joiner keeps two letters apart
            "བཀྲ་ཤིས་",            // Tibetan
            "ᠮᠣᠩᠭᠣᠯ\u{180b}",    // Mongolian with a variant
            "ᠬᠠᠷ\u{180e}ᠠ",
            "ශ\u{dca}\u{200d}රී", // Sinhala
            "O’Brien-Núñez",
            "☎\u{fe0e}",
        ] {
            assert_eq!(normal(name).map(Cow::into_owned), Ok(name.trim().nfc().collect()), "{name:?}");
            assert_eq!(shown(name), name);
        }
    }

    #[test]
    fn what_is_hidden_is_refused_by_its_place_and_shown_by_its_number() {
        for (text, place, code, seen) in [
            ("赵\u{200b}六", 2, "U+200B", "赵\\u{200b}六"),
            ("\u{feff}赵六", 1, "U+FEFF", "\\u{feff}赵六"),
            ("a\u{202e}b", 2, "U+202E", "a\\u{202e}b"),
            ("a\u{2066}b", 2, "U+2066", "a\\u{2066}b"),
            ("a\u{1b}[2J", 2, "U+001B", "a\\u{1b}[2J"),
            ("a\nb", 2, "U+000A", "a\\nb"),
            ("a\u{9b}2Jb", 2, "U+009B", "a\\u{9b}2Jb"),
            ("a\u{2028}b", 2, "U+2028", "a\\u{2028}b"),
            ("\u{200d}", 1, "U+200D", "\\u{200d}"),
            ("赵\u{200d}六", 2, "U+200D", "赵\\u{200d}六"),
            ("ad\u{200c}min", 3, "U+200C", "ad\\u{200c}min"),
            ("ا\u{200c}ب", 2, "U+200C", "ا\\u{200c}ب"),
            ("می\u{200c}\u{200c}خ", 3, "U+200C", "می\\u{200c}\\u{200c}خ"),
            ("a\u{e0100}", 2, "U+E0100", "a\\u{e0100}"),
            ("葛\u{e0100}\u{e0101}", 3, "U+E0101", "葛\u{e0100}\\u{e0101}"),
            ("甲\u{180b}", 2, "U+180B", "甲\\u{180b}"),
            ("a\u{e0041}b", 2, "U+E0041", "a\\u{e0041}b"),
            ("\u{3164}", 1, "U+3164", "\\u{3164}"),
            ("a\u{2800}b", 2, "U+2800", "a\\u{2800}b"),
            ("a\u{ffff}", 2, "U+FFFF", "a\\u{ffff}"),
        ] {
            let hidden = normal(text).expect_err(seen);
            assert_eq!((hidden.place, hidden.to_string().as_str()), (place, code), "{seen}");
            assert_eq!(shown(text), seen);
        }
        assert!(normal("\u{301}a").is_err(), "a mark would sit on whatever is printed before it");
    }

    #[test]
    fn what_is_shown_is_one_line_and_json_stays_json() {
        let text = "a\u{202e}b\u{e0041}";
        let json = serde_json::Value::from(text).to_string();
        let escaped = shown_in_json(&json);
        assert_eq!(escaped, "\"a\\u202eb\\udb40\\udc41\"");
        assert_eq!(serde_json::from_str::<String>(&escaped).expect("it is JSON"), text);
        assert_eq!(check_lines("一\n二"), Ok(()));
        assert!(check_lines("一\n二\u{202e}").is_err());
    }
}
