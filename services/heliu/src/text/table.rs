//! Tables that fit a terminal. Widths are those that a terminal gives the characters: a Chinese one takes two cells.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::clean;
use crate::out::Stream;

/// Narrower than this no column is made.
const COLUMN_MIN: usize = 6;
const GAP: &str = "  ";

#[derive(Debug, Default)]
pub struct Table {
    headers: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Columns of numbers: they end at the right.
    right: Vec<usize>,
    /// Columns of ids and codes: they are never cut, since people copy them.
    whole: Vec<usize>,
}

impl Table {
    pub fn new(headers: &[&str]) -> Self {
        Table { headers: headers.iter().map(|h| clean(h)).collect(), ..Table::default() }
    }

    pub fn right(mut self, columns: &[usize]) -> Self {
        self.right.extend(columns);
        self
    }

    pub fn whole(mut self, columns: &[usize]) -> Self {
        self.whole.extend(columns);
        self
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut cells: Vec<String> = cells.into_iter().map(|cell| clean(&cell)).collect();
        cells.resize(self.headers.len(), String::new());
        self.rows.push(cells);
    }

    /// For standard output: as wide as the terminal, or as wide as it wants where there is none.
    pub fn print(&self) -> String {
        self.render(terminal_width())
    }

    pub fn render(&self, width: Option<usize>) -> String {
        let mut widths: Vec<usize> = self.headers.iter().map(|h| h.width()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        if let Some(width) = width {
            self.fit(&mut widths, width);
        }
        let lines = std::iter::once(&self.headers).chain(&self.rows);
        lines.map(|cells| self.line(cells, &widths)).collect()
    }

    /// Takes from the widest columns until the line fits, or nothing more can be taken.
    fn fit(&self, widths: &mut [usize], width: usize) {
        let gaps = GAP.len() * widths.len().saturating_sub(1);
        while widths.iter().sum::<usize>() + gaps > width {
            let over = widths.iter().sum::<usize>() + gaps - width;
            let flexible = |(column, width): &(usize, &mut usize)| !self.whole.contains(column) && **width > COLUMN_MIN;
            let Some((_, widest)) = widths.iter_mut().enumerate().filter(flexible).max_by_key(|(_, width)| **width)
            else {
                return;
            };
            // Never more than halfway down at once: two wide columns then shrink alike.
            let take = over.min((*widest - COLUMN_MIN).div_ceil(2));
            *widest -= take;
        }
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
            if column > 0 {
                line.push_str(GAP);
            }
            let shown = cut(cell, *width);
            let padding = " ".repeat(width.saturating_sub(shown.width()));
            if self.right.contains(&column) {
                line.push_str(&padding);
                line.push_str(&shown);
            } else {
                line.push_str(&shown);
                line.push_str(&padding);
            }
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    }
}

/// The beginning of a text that takes at most so many cells; `…` says that there is more.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut taken = 1;
    for character in text.chars() {
        taken += character.width().unwrap_or(0);
        if taken > width {
            break;
        }
        shown.push(character);
    }
    shown.push('…');
    shown
}

/// Name and value, one pair a line, values under one another.
pub fn pairs(pairs: &[(String, String)]) -> String {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (clean(name), clean(value))).collect();
    let width = pairs.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let line = |(name, value): &(String, String)| {
        let padding = " ".repeat(width - name.width());
        format!("{name}{padding}{GAP}{value}\n")
    };
    pairs.iter().map(line).collect()
}

/// None if standard output is no terminal: a pipe gets everything.
fn terminal_width() -> Option<usize> {
    if !Stream::Out.is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn villages() -> Table {
        let mut table = Table::new(&["席位", "name", "items"]).right(&[2]).whole(&[0]);
        table.row(["371726101201".to_owned(), "什集镇东街行政村第一党支部".to_owned(), "7".to_owned()]);
        table.row(["371726".to_owned(), "鄄城县".to_owned(), "1,024".to_owned()]);
        table
    }

    fn widths(text: &str) -> Vec<usize> {
        text.lines().map(UnicodeWidthStr::width).collect()
    }

    #[test]
    fn chinese_takes_two_cells_and_columns_stay_straight() {
        let text = villages().render(None);
        assert_eq!(
            text,
            "席位          name                        items\n\
             371726101201  什集镇东街行政村第一党支部      7\n\
             371726        鄄城县                      1,024\n"
        );
        assert_eq!(widths(&text), [47, 47, 47]);
    }

    #[test]
    fn a_narrow_terminal_cuts_names_and_never_codes() {
        let text = villages().render(Some(36));
        assert!(widths(&text).iter().all(|width| *width <= 36), "{text}");
        assert!(text.contains("371726101201  什集镇") && text.contains('…'), "{text}");
    }

    #[test]
    fn a_terminal_that_is_far_too_narrow_still_gets_a_table() {
        assert_eq!(villages().render(Some(5)).lines().count(), 3);
    }

    #[test]
    fn a_double_width_character_is_never_cut_in_half() {
        assert_eq!(cut("鄄城县", 6), "鄄城县");
        assert_eq!(cut("鄄城县", 5), "鄄城…");
        assert_eq!(cut("鄄城县", 4), "鄄…");
    }

    #[test]
    fn what_somebody_wrote_into_a_name_moves_no_cursor() {
        let mut table = Table::new(&["name"]);
        table.row(["a\u{1b}[1Ab\u{202e}\nforged".to_owned()]);
        assert_eq!(table.render(None), "name\na\\u{1b}[1Ab\\u{202e}\\nforged\n");
        let told = pairs(&[("field\n".to_owned(), "a\u{200b}b\n".to_owned())]);
        assert_eq!(told, "field\\n  a\\u{200b}b\\n\n");
    }
}
