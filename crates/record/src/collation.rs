//! In which order people look for names, and how they type them: Chinese ones by their pinyin, character by character. What a
//! record is called is declared elsewhere; here is only what follows from a text.

use std::ops::RangeInclusive;
use std::str::Chars;

use memchr::memmem;
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
}

impl Sought {
    /// None: nothing is sought.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let chars: Vec<char> = folded(text).collect();
        (!chars.is_empty()).then_some(Sought { chars })
    }

    #[must_use]
    pub fn finder(&self) -> Finder {
        let literals = self.chars.split(char::is_ascii_lowercase);
        let literal: String = literals.max_by_key(|part| part.len()).unwrap_or_default().iter().collect();
        Finder {
            is_literal: self.chars.len() == literal.chars().count(),
            literal: (!literal.is_empty()).then(|| memmem::Finder::new(&literal).into_owned()),
            chars: self.chars.clone(),
            initials: Vec::new(),
        }
    }
}

/// Looks for what is sought in many texts.
pub struct Finder {
    chars: Vec<char>,
    /// The longest part of it that no sound can stand for.
    literal: Option<memmem::Finder<'static>>,
    /// That is all of it.
    is_literal: bool,
    /// With which letters the sounds of a character begin, as far as that was asked.
    initials: Vec<u32>,
}

/// Characters that have their place in [`Finder::initials`].
const IDEOGRAPHS: RangeInclusive<char> = '\u{3400}'..='\u{9fff}';
/// Beside the letters: this is known.
const KNOWN: u32 = 1 << 31;

impl Finder {
    /// Whether it can be in nothing but what has certain bytes in it: see [`Finder::next`].
    #[must_use]
    pub fn has_literal(&self) -> bool {
        self.literal.is_some()
    }

    /// Where, among bytes, the next plain text could begin or be that has it in it. None: nowhere.
    #[must_use]
    pub fn next(&self, bytes: &[u8]) -> Option<usize> {
        self.literal.as_ref().map_or(Some(0), |literal| literal.find(bytes))
    }

    /// Whether a text has it in it.
    pub fn seek(&mut self, text: &str) -> bool {
        if let Some(literal) = &self.literal
            && is_plain(text)
        {
            let is_there = literal.find(text.as_bytes()).is_some();
            if self.is_literal || !is_there {
                return is_there;
            }
        }
        // A bit for each beginning of what is sought that the text has up to here.
        let Some(whole) = u32::try_from(self.chars.len()).ok().and_then(|len| 1_u128.checked_shl(len)) else {
            return false;
        };
        let mut begun = 0_u128;
        for at in text.chars().filter(|at| !at.is_whitespace()).map(small) {
            let (mut from, mut next) = (begun | 1, 0);
            while from != 0 {
                next |= self.step(at, from.trailing_zeros());
                from &= from - 1;
            }
            if next & whole != 0 {
                return true;
            }
            begun = next;
        }
        false
    }

    /// How much has begun after this character, where so many characters of what is sought had: it stands for itself, or for its
    /// sound or the beginning of that.
    fn step(&mut self, at: char, begun: u32) -> u128 {
        let Some(rest @ [first, ..]) = self.chars.get(begun as usize..) else { return 0 };
        if at == *first {
            return 2 << begun;
        }
        if at.is_ascii() || !first.is_ascii_lowercase() {
            return 0;
        }
        let letter = 1 << (u32::from(*first) - u32::from('a'));
        if IDEOGRAPHS.contains(&at) {
            let place = (u32::from(at) - u32::from(*IDEOGRAPHS.start())) as usize;
            if self.initials.is_empty() {
                self.initials = vec![0; IDEOGRAPHS.count()];
            }
            let known = &mut self.initials[place];
            if *known == 0 {
                *known = sounds(at).filter_map(|mut sound| sound.next()).fold(KNOWN, |all, letter| {
                    all | if letter.is_ascii_lowercase() { 1 << (u32::from(letter) - u32::from('a')) } else { 0 }
                });
            }
            if *known & letter == 0 {
                return 0;
            }
        }
        let same = |sound: Sound| sound.zip(rest).take_while(|(letter, typed)| letter == *typed).count();
        // Each of these beginnings of it.
        sounds(at).map(same).map(|same| ((1_u128 << same) - 1) << (begun + 1)).fold(0, |all, one| all | one)
    }
}

type Sound = std::iter::Map<Chars<'static>, fn(char) -> char>;

/// How a character sounds; ü is typed as v.
fn sounds(at: char) -> impl Iterator<Item = Sound> {
    let letters: fn(char) -> char = |letter| if letter == 'ü' { 'v' } else { letter };
    at.to_pinyin_multi().into_iter().flatten().map(move |sound| sound.plain().chars().map(letters))
}

/// Whether a text is compared as it is.
#[must_use]
pub fn is_plain(text: &str) -> bool {
    // What most texts consist of: small letters, digits, and ideographs, whose bytes begin with these.
    let is_usual = |byte: &u8| matches!(byte, 0x21..=0x40 | 0x5b..=0xbf | 0xe4..=0xe9);
    text.as_bytes().iter().all(is_usual) || text.chars().all(is_folded)
}

/// A text as it is compared: without blanks, in small letters, of full-width characters the usual ones.
fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|at| !at.is_whitespace()).map(small)
}

fn is_folded(at: char) -> bool {
    !at.is_whitespace() && small(at) == at
}

fn small(at: char) -> char {
    if at.is_ascii() {
        return at.to_ascii_lowercase();
    }
    if IDEOGRAPHS.contains(&at) {
        return at;
    }
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
        let finds = |typed: &str, name: &str| Sought::new(typed).expect("something is sought").finder().seek(name);
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
