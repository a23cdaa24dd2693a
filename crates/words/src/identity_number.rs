//! Whether a text holds a citizen's identity number (GB 11643): what is refused wherever people type. It must not stand in what is
//! said of it, so nothing here gives back which one it was.

use unicode_normalization::UnicodeNormalization as _;

const DIGITS: usize = 18;
/// What stands for ten as the last digit.
const TEN: u8 = 10;
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// So many hex digits in a row are an id of ours.
const ID_DIGITS: usize = 32;

/// Whether there is an 18-digit number with a right check digit in a text: alone or among other words, in digits of whatever width,
/// with or without blanks and dashes between them. What has the check digit by chance has no birth date in it.
#[must_use]
pub fn holds_identity_number(text: &str) -> bool {
    runs(text).iter().any(|run| {
        let is_alone = run.len() == DIGITS;
        run.windows(DIGITS).any(|digits| is_identity_number(digits) && (is_alone || is_province(digits)))
    })
}

/// Whether a text is nothing but a number that was meant for one, where a number is to stand: of 15 digits, as they were until 1999
/// and have no check digit; or of 18 with a province and a day, be the check digit right or not.
#[must_use]
pub fn looks_like_identity_number(text: &str) -> bool {
    let [run] = &runs(text)[..] else { return false };
    let is_whole = text.nfkc().all(|c| c.is_ascii_digit() || is_between(c));
    let is_born = |year: u32, month_and_day| (1850..2100).contains(&year) && is_day(year, month_and_day);
    let is_dated = match run.len() {
        // Whoever has one was hardly born before; and villages number their own by their codes, which look like earlier days.
        15 => is_born(1900 + number(&run[6..8]), &run[8..12]) && run[6] >= 3,
        DIGITS => is_born(number(&run[6..10]), &run[10..14]),
        _ => false,
    };
    is_whole && is_dated && is_province(run)
}

/// Digits that follow each other, whatever is between them to make them legible.
fn runs(text: &str) -> Vec<Vec<u8>> {
    if text.len() < 15 {
        return Vec::new();
    }
    let mut runs: Vec<Vec<u8>> = vec![Vec::new()];
    for word in without_ids(text).nfkc() {
        let last = runs.last_mut().expect("there is always one");
        match word {
            '0'..='9' => last.push(word as u8 - b'0'),
            'X' | 'x' | '×' | 'Х' | 'х' if !last.is_empty() => last.push(TEN),
            between if is_between(between) => {}
            _ if last.is_empty() => {}
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// Ids are hex, and some have many digits in a row.
fn without_ids(text: &str) -> String {
    let is_hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    let words = text.split_inclusive(|c: char| !is_hex(c));
    words.map(|word| if word.len() >= ID_DIGITS { "|" } else { word }).collect()
}

fn is_between(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '_' | '.' | '·' | '‐'..='―' | '−')
}

fn is_identity_number(digits: &[u8]) -> bool {
    let (last, body) = digits.split_last().expect("there are eighteen");
    if body.contains(&TEN) || body[0] == 0 {
        return false;
    }
    let sum: u32 = body.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    let year = number(&body[6..10]);
    (12 - sum % 11) % 11 == u32::from(*last) && (1850..2100).contains(&year) && is_day(year, &body[10..14])
}

/// The first two digits of a province.
fn is_province(digits: &[u8]) -> bool {
    matches!(number(&digits[..2]), 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83 | 91)
}

fn is_day(year: u32, month_and_day: &[u8]) -> bool {
    let days = match number(&month_and_day[..2]) {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&number(&month_and_day[2..]))
}

fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |number, digit| number * 10 + u32::from(*digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_number_is_seen_wherever_it_stands_and_however_it_is_typed() {
        for held in [
            "11010519491231002X",
            "11010519491231002x",
            "37172619850715001X",
            "身份证:37172619850715001X,请保密",
            "３７１７２６１９８５０７１５００１Ｘ",
            "1101051949123100２Ｘ",
            "371726 19850715 001X",
            "371726-19850715-001X",
            "371726　19850715　001X",
            "电话13800138000;证37172619850715001X",
            "1380013800037172619850715001X",
        ] {
            assert!(holds_identity_number(held), "{held}");
        }
        for other in [
            "",
            "371726198507150000",
            "110105194912310021",
            "371726198513150018",
            "371726101201-0001",
            "13800138000",
            "2001-07-01 2002-07-01",
            "县组〔2026〕3号",
        ] {
            assert!(!holds_identity_number(other), "{other}");
        }
    }

    #[test]
    fn where_a_number_is_all_there_is_an_old_one_and_one_with_a_slip_in_it_are_seen_too() {
        for one in [
            "110105491231002",
            "１１０１０５４９１２３１００２",
            "110105 491231 002",
            "371726198507150018", // the check digit is wrong
            "371726198507150000", // a program of tables keeps 15 digits
        ] {
            assert!(looks_like_identity_number(one), "{one}");
        }
        for other in
            ["110105491331002", "990105491231002", "编号110105491231002", "371726101201000", "371726101201000001", ""]
        {
            assert!(!looks_like_identity_number(other), "{other}");
        }
    }
}
