//! In which order people look for names, and how they type them: Chinese ones by their pinyin, character by character. What a
//! record is called is declared elsewhere; here is only what follows from a text.

use std::str::Chars;

use pinyin::{ToPinyin as _, ToPinyinMulti as _};

/// So many characters of a text decide its order.
const SORTED_CHARS: usize = 24;

/// What texts are sorted by: `zhang张wei伟` for 张伟. Characters of one sound stay together, and whoever shares a family name.
/// It has no zero byte.
#[must_use]
pub fn sort_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len() * 3);
    for at in text.chars().filter(|at| *at != '\0').take(SORTED_CHARS) {
        if let Some(sound) = at.to_pinyin() {
            key.push_str(sound.plain());
        }
        key.extend(at.to_lowercase());
    }
    key
}

/// What somebody types to find a name: any part of it, its pinyin or its initials, or these mixed (`zhang伟`, `zhwm`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought {
    chars: Vec<char>,
    /// As a text, if nothing in it can be a sound.
    literal: Option<String>,
}

impl Sought {
    /// None: nothing is sought.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let chars: Vec<char> = folded(text).collect();
        let has_sounds = chars.iter().any(char::is_ascii_lowercase);
        let literal = (!has_sounds).then(|| chars.iter().collect());
        (!chars.is_empty()).then_some(Sought { chars, literal })
    }

    /// Whether a text has it in it.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        if let Some(literal) = &self.literal
            && (text.contains(literal.as_str()) || text.chars().all(is_folded))
        {
            return text.contains(literal.as_str());
        }
        text.char_indices().any(|(at, _)| goes_on(text[at..].chars(), &self.chars))
    }
}

/// Whether what is sought begins here. Each character stands for itself, or for its sound or the beginning of that.
fn goes_on(mut text: Chars<'_>, sought: &[char]) -> bool {
    let Some(first) = sought.first() else { return true };
    let Some(at) = text.find(|at| !at.is_whitespace()).map(small) else { return false };
    if at == *first {
        return goes_on(text, &sought[1..]);
    }
    if !first.is_ascii_lowercase() {
        return false;
    }
    let Some(sounds) = at.to_pinyin_multi() else { return false };
    sounds.into_iter().any(|sound| {
        // ü is typed as v.
        let letters = sound.plain().chars().map(|letter| if letter == 'ü' { 'v' } else { letter });
        let same = letters.zip(sought).take_while(|(letter, typed)| letter == *typed).count();
        (1..=same).rev().any(|taken| goes_on(text.clone(), &sought[taken..]))
    })
}

/// A text as it is compared: without blanks, in small letters, of full-width characters the usual ones.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|at| !at.is_whitespace()).map(small)
}

fn is_folded(at: char) -> bool {
    !at.is_whitespace() && small(at) == at
}

fn small(at: char) -> char {
    let narrow = match at {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(at) - 0xfee0).unwrap_or(at),
        other => other,
    };
    narrow.to_lowercase().next().unwrap_or(narrow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_any_part_of_it_by_its_pinyin_and_by_its_initials() {
        let finds = |typed: &str, name: &str| Sought::new(typed).expect("something is sought").is_in(name);
        for typed in
            ["张伟明", "伟明", "明", "zhangweiming", "zhang", "weim", "zwm", "wm", "zhwm", "zhang伟", "ZWM", " 张 伟 "]
        {
            assert!(finds(typed, "张伟明"), "{typed}");
        }
        for typed in ["张明", "hang", "an", "zm", "ming伟", "李", "zhangweimingx"] {
            assert!(!finds(typed, "张伟明"), "{typed}");
        }
        assert!(finds("shan", "单立") && finds("dan", "单立"), "a character may have several sounds");
        assert!(finds("lv", "吕布") && finds("nv", "女"), "ü is typed as v");
        assert!(finds("0001", "测试甲0001") && finds("csj00", "测试甲0001") && finds("１", "a1"));
        assert!(finds("smith", "John Smith") && finds("john sm", "John Smith") && !finds("js", "John Smith"));
        assert!(finds("12", "１２３"), "of full width");
        assert_eq!(Sought::new(" \u{3000}"), None);
    }

    #[test]
    fn names_are_sorted_by_pinyin_and_those_of_one_family_stay_together() {
        let mut names = ["章立", "张勇", "王一", "阿明", "张伟", "章丽", "Bob", "0001"];
        names.sort_by_key(|name| sort_key(name));
        assert_eq!(names, ["0001", "阿明", "Bob", "王一", "张伟", "张勇", "章丽", "章立"]);
        assert!(!sort_key("a\0b").contains('\0'));
    }
}
