//! Days as people write them. What could be two days is not guessed: it is asked about, and whoever imports may say what is meant.

use heliu_record::date::{self, Date};

use super::cell::{Cell, narrow_all};
use crate::cli::DayOfMonth;
use crate::text::{Say, say};

/// What is meant by days that are written in part.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meant {
    /// The day of a month that has none.
    pub month: Option<DayOfMonth>,
    /// The first year of the hundred in which years of two digits are.
    pub years_from: Option<i16>,
}

/// The day of a cell, as records have it.
pub fn read(cell: &Cell, meant: &Meant) -> Result<String, Say> {
    match cell {
        Cell::Date(date) => Ok(date::text(*date)),
        // A day with its time.
        Cell::Number(number) if is_serial(number.trunc()) => serial(number.trunc() as i32),
        cell => in_words(&cell.text()?, meant),
    }
}

/// Whether a number is a day as spreadsheets count them. Those of four digits are years, and those of six and more are written dates.
fn is_serial(number: f64) -> bool {
    (10_000.0..=99_999.0).contains(&number)
}

fn serial(days: i32) -> Result<String, Say> {
    let date =
        jiff::Span::new().try_days(days).ok().and_then(|span| Date::constant(1899, 12, 30).checked_add(span).ok());
    date.map(date::text).ok_or_else(no_date)
}

fn in_words(text: &str, meant: &Meant) -> Result<String, Say> {
    let text = digits_of(&narrow_all(text));
    let text = without_time(text.trim());
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return run_of_digits(text, meant);
    }
    let is_between = |c: char| "-/.,年月日号、\\_·—–~ ".contains(c);
    if !text.chars().all(|c| c.is_ascii_digit() || is_between(c)) {
        return Err(no_date());
    }
    let parts: Vec<&str> = text.split(is_between).filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [year, month, day] if year.len() == 4 => of(year, month, day),
        [year, month, day] if year.len() == 2 && day.len() <= 2 => of(&hundred(year, meant)?.to_string(), month, day),
        [_, _, year] if year.len() == 4 => Err(say!(
            "日与月的先后不明,请写成 2024-01-05 的样子",
            "which is the day and which the month cannot be told: write it as 2024-01-05"
        )),
        // 1998.10 is 1998.1 once a spreadsheet has taken it for a number.
        [year, "1"] if year.len() == 4 && text.contains('.') => Err(say!(
            "可能是 1 月,也可能是被表格软件去掉了 0 的 10 月,请写明年月日",
            "this may be January, or October of which the spreadsheet has dropped the 0: give year, month and day"
        )),
        [year, month] if year.len() == 4 => month_alone(year, month, meant),
        [year] if year.len() == 4 => Err(year_alone()),
        _ => Err(no_date()),
    }
}

/// Without what separates them.
fn run_of_digits(text: &str, meant: &Meant) -> Result<String, Say> {
    match text.len() {
        8 => of(&text[..4], &text[4..6], &text[6..]),
        6 if matches!(&text[..2], "19" | "20") => month_alone(&text[..4], &text[4..], meant),
        6 => of(&hundred(&text[..2], meant)?.to_string(), &text[2..4], &text[4..]),
        5 => text.parse().map_err(|_| no_date()).and_then(serial),
        4 => Err(year_alone()),
        _ => Err(no_date()),
    }
}

fn of(year: &str, month: &str, day: &str) -> Result<String, Say> {
    let parsed = (year.parse::<i16>().ok()).zip(month.parse::<i8>().ok()).zip(day.parse::<i8>().ok());
    let date = parsed.and_then(|((year, month), day)| Date::new(year, month, day).ok());
    date.map(date::text).ok_or_else(|| say!("日历上没有这一天", "there is no such day in the calendar"))
}

fn month_alone(year: &str, month: &str, meant: &Meant) -> Result<String, Say> {
    let first = of(year, month, "1")?;
    match meant.month {
        Some(DayOfMonth::First) => Ok(first),
        Some(DayOfMonth::Last) => {
            let last = first.parse::<Date>().map(Date::last_of_month);
            last.map(date::text).map_err(|_| no_date())
        }
        None => Err(say!(
            "只写了年月,没有日:请补上,或用 --month first(该月一日)或 --month last(该月末日)说明",
            "it has a month and no day: give the day, or say what is meant with --month first or --month last"
        )),
    }
}

fn hundred(year: &str, meant: &Meant) -> Result<i16, Say> {
    let from = meant.years_from.ok_or_else(|| {
        say!(
            "年份只有两位:请写四位,或用 --years-from 年份(如 1930,即 1930 至 2029)说明",
            "its year has two digits: write four, or say in which hundred years it is, as with --years-from 1930 (1930 to 2029)"
        )
    })?;
    let year: i16 = year.parse().map_err(|_| no_date())?;
    Ok(from + (year - from).rem_euclid(100))
}

fn year_alone() -> Say {
    say!("只写了年份,请写明年月日", "it has a year alone: give year, month and day")
}

fn no_date() -> Say {
    say!("不是日期,请写成 2024-01-05 的样子", "this is no date: write it as 2024-01-05")
}

/// Without the time of the day that databases put behind it.
fn without_time(text: &str) -> &str {
    let Some((day, time)) = text.split_once([' ', 'T']) else { return text };
    let is_time = time.contains(':') && time.chars().all(|c| c.is_ascii_digit() || ":.Z+ ".contains(c));
    if is_time { day } else { text }
}

/// 二〇二四年一月十五日 in digits.
fn digits_of(text: &str) -> String {
    const DIGITS: &str = "〇一二三四五六七八九";
    let digit = |c: char| if c == '零' { Some(0) } else { DIGITS.chars().position(|d| d == c) };
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (at, c) in characters.iter().enumerate() {
        let beside = |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(|c| digit(*c).is_some());
        match (*c, digit(*c)) {
            (_, Some(digit)) => out.push_str(&digit.to_string()),
            ('十', None) => match (beside(at.checked_sub(1)), beside(Some(at + 1))) {
                (true, true) => {}
                (true, false) => out.push('0'),
                (false, true) => out.push('1'),
                (false, false) => out.push_str("10"),
            },
            (c, None) => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Option<String> {
        read(&Cell::of(text), &Meant::default()).ok()
    }

    #[test]
    fn a_day_is_read_however_a_clerk_writes_it() {
        for written in [
            "2024-01-05",
            "2024/1/5",
            "2024.01.05",
            "2024.1.5",
            "2024年1月5日",
            "2024年01月05号",
            "20240105",
            "45296",
            "２０２４-０１-０５",
            "２０２４．１．５",
            "2024-01-05 00:00:00",
            "2024-01-05T00:00:00",
            "2024/1/5 0:00",
            "二〇二四年一月五日",
            "2024 1 5",
            " 2024-1-5　",
        ] {
            assert_eq!(day(written).as_deref(), Some("2024-01-05"), "{written}");
        }
        assert_eq!(day("一九八五年十二月二十一日").as_deref(), Some("1985-12-21"));
        assert_eq!(day("一九八五年十月三十日").as_deref(), Some("1985-10-30"));
        assert_eq!(read(&Cell::Number(45_296.5), &Meant::default()).as_deref(), Ok("2024-01-05"));
        assert_eq!(read(&Cell::Number(19_980_701.0), &Meant::default()).as_deref(), Ok("1998-07-01"));
    }

    #[test]
    fn what_could_be_two_days_is_asked_about_and_whoever_imports_may_say_what_is_meant() {
        for unclear in [
            "1985年7月",
            "1985.07",
            "198507",
            "15/05/20",
            "850701",
            "01/05/2024",
            "1985",
            "1985.1",
            "未知",
            "2024-02-30",
            "2024.13.1",
            "1998.7.1转正",
        ] {
            assert_eq!(day(unclear), None, "{unclear}");
        }
        let meant = Meant { month: Some(DayOfMonth::Last), years_from: Some(1930) };
        let said = |text: &str| read(&Cell::of(text), &meant).ok();
        assert_eq!(said("1985年2月").as_deref(), Some("1985-02-28"));
        assert_eq!(said("15/05/20").as_deref(), Some("2015-05-20"));
        assert_eq!(said("850701").as_deref(), Some("1985-07-01"));
        assert_eq!(said("30.1.1").as_deref(), Some("1930-01-01"));
        // Also then it is not guessed whether it is October.
        assert_eq!((said("1985.1"), said("1985.10").as_deref()), (None, Some("1985-10-31")));
        assert_eq!(read(&Cell::Number(1985.1), &meant).ok(), None);
    }
}
