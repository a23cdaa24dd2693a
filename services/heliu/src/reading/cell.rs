//! One cell, as people and their programs write them: blanks of all widths, letters of both widths, what cannot be seen, and what
//! a program has made of a number.

use std::borrow::Cow;

use heliu_record::date::Date;
use heliu_record::kind::Label;
use heliu_record::plain_text::{self, Hidden};

use crate::text::{Say, say};

#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Empty,
    Text(String),
    Number(f64),
    /// A cell that its program says is a day.
    Date(Date),
    Bool(bool),
    /// A text of several lines, with blanks where they end: a heading may be one, a value is none.
    Lines(String),
    /// What cannot be a value.
    Fault(Say),
}

/// Above it a number of a workbook has lost digits.
const EXACT_MAX: f64 = 1e15;
/// So many hidden characters are taken out of one cell.
const HIDDEN_MAX: usize = 64;

impl Cell {
    /// A text in its one spelling: blanks at its ends gone and within it narrow and single, letters and digits of ordinary width,
    /// nothing that shows nothing. What a program has ruined is a fault.
    pub fn of(text: &str) -> Self {
        match plain(text) {
            Ok(plain) if text.trim().contains(['\n', '\r']) => Cell::Lines(plain),
            Ok(plain) if plain.is_empty() => Cell::Empty,
            Ok(plain) => match ruined(&plain) {
                Some(why) => Cell::Fault(why),
                None => Cell::Text(plain),
            },
            Err(why) => Cell::Fault(why),
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == Cell::Empty
    }

    /// What is written there, for a column that takes any text.
    pub fn text(&self) -> Result<Cow<'_, str>, Say> {
        Ok(match self {
            Cell::Empty => Cow::Borrowed(""),
            Cell::Text(text) => Cow::Borrowed(text),
            Cell::Number(number) if number.abs() >= EXACT_MAX => return Err(lost_digits()),
            Cell::Number(number) => Cow::Owned(number.to_string()),
            Cell::Date(date) => Cow::Owned(heliu_record::date::text(*date)),
            Cell::Bool(true) => Cow::Borrowed("true"),
            Cell::Bool(false) => Cow::Borrowed("false"),
            // More often it is a quote that was not closed.
            Cell::Lines(_) => {
                return Err(say!(
                    "含有换行,请删去(是否有引号没有闭合?)",
                    "it has a line break: take it out (is there a quote that was not closed?)"
                ));
            }
            Cell::Fault(why) => return Err(why.clone()),
        })
    }
}

fn plain(text: &str) -> Result<String, Say> {
    let mut plain = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            c if c.is_whitespace() => {
                if !plain.ends_with(' ') {
                    plain.push(' ');
                }
            }
            '\u{200b}' | '\u{feff}' | '\u{2060}' | '\u{ad}' => {}
            c => plain.push(narrow(c)),
        }
    }
    for _ in 0..HIDDEN_MAX {
        match plain_text::normal(&plain) {
            Ok(normal) => return Ok(normal.into_owned()),
            Err(hidden) if is_nothing(hidden.character) => {
                let at = plain.char_indices().nth(hidden.place - 1).map(|(at, _)| at);
                let Some(at) = at.filter(|at| plain[*at..].starts_with(hidden.character)) else {
                    // Places are counted without blanks at the ends.
                    plain = plain.trim().to_owned();
                    continue;
                };
                plain.remove(at);
            }
            Err(hidden) => return Err(hidden_told(hidden)),
        }
    }
    plain_text::normal(&plain).map(Cow::into_owned).map_err(hidden_told)
}

fn hidden_told(hidden: Hidden) -> Say {
    let (Hidden { place, .. }, Label { zh, en }) = (hidden, hidden.sort());
    say!("第 {place} 个字符是{zh}({hidden}),请删去", "character {place} is {en} ({hidden}): take it out")
}

/// Characters that are no part of any word: nothing is lost without them.
fn is_nothing(c: char) -> bool {
    matches!(
        c,
        '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'
    )
}

/// A letter or digit of full width as an ordinary one. Punctuation stays: 红船镇(北)党支部 is written so.
fn narrow(c: char) -> char {
    match c {
        '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => ascii(c),
        c => c,
    }
}

fn ascii(c: char) -> char {
    char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c)
}

/// Punctuation too, for what has no words in it.
pub fn narrow_all(text: &str) -> String {
    text.chars().map(|c| if matches!(c, '\u{ff01}'..='\u{ff5e}') { ascii(c) } else { c }).collect()
}

/// Without the blanks with which two characters of a name are spread to the width of three.
pub fn unspread(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let is_spread = |at: usize| {
        let around = [at.checked_sub(1), Some(at + 1)].map(|at| at.and_then(|at| characters.get(at)));
        characters[at] == ' ' && around.iter().all(|c| c.is_some_and(|c| is_han(*c)))
    };
    (0..characters.len()).filter(|at| !is_spread(*at)).map(|at| characters[at]).collect()
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// What spreadsheets write in the place of a value.
const ERRORS: &[&str] = &["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"];

fn ruined(text: &str) -> Option<Say> {
    if ERRORS.contains(&text) || (text.len() >= 3 && text.bytes().all(|b| b == b'#')) {
        return Some(error_value(text));
    }
    let (digits, power) = text.split_once(['E', 'e'])?;
    let power = power.strip_prefix('+')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    (is_number(whole) && is_number(part) && is_number(power)).then(lost_digits)
}

pub fn error_value(text: &str) -> Say {
    say!(
        "表格软件在此写的是错误值 {text},请填写本来的值",
        "the spreadsheet has the error {text} there: give the value itself"
    )
}

/// Whatever digits are left are not repeated: they may be a person's.
fn lost_digits() -> Say {
    say!(
        "这是表格软件改写过的长数字(如 3.7E+17),原来的数字已丢失:请把该列设为“文本”,重新填写",
        "this is a long number that the spreadsheet has rounded (as 3.7E+17), and its digits are lost: make the column text and type it again"
    )
}
