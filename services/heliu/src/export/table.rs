//! Tables as files for spreadsheets: CSV, in which no value is taken for a formula, and XLSX, with the allowed words beside it. Files
//! are for their owner alone, and none that is there is written over.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rust_xlsxwriter::{DataValidation, ExcelDateTime, Format as Style, Formula, Workbook, Worksheet, XlsxError};

use crate::cli::Format;
use crate::failure::Failure;
use crate::reading::begins_a_formula;
use crate::text::{Language, language, say};

/// A workbook is held until it is written: so many rows take some hundred MiB.
const XLSX_ROWS_MAX: u32 = 200_000;
/// Rows below the last for which the words are offered as well.
const ROWS_MORE: u32 = 1_000;
const DAY: &str = "yyyy-mm-dd";
const TEXT: &str = "@";
const WIDTH: f64 = 18.0;

/// What is in a column.
#[derive(Clone, Debug)]
pub struct Column {
    pub heading: String,
    pub holds: Holds,
    /// The only ones that it takes; empty: any.
    pub words: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Text,
    Date,
    Count,
}

pub struct Writer {
    path: PathBuf,
    columns: Vec<Column>,
    sink: Sink,
}

enum Sink {
    Csv(Box<csv::Writer<File>>),
    Xlsx { book: Box<Workbook>, rows: u32 },
}

impl Writer {
    pub fn new(path: &Path, format: Format, columns: Vec<Column>) -> Result<Self, Failure> {
        let sink = match format {
            Format::Csv => {
                let mut file = heliu_disk::new_file(path).map_err(|error| Failure::file(path, &error))?;
                // By the mark spreadsheets know the letters.
                file.write_all(b"\xef\xbb\xbf").map_err(|error| Failure::file(path, &error))?;
                let mut rows = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(file);
                rows.write_record(columns.iter().map(|column| &column.heading))
                    .map_err(|error| failed(path, &error))?;
                Sink::Csv(Box::new(rows))
            }
            Format::Xlsx => {
                // One that is there is found before all is read.
                drop(heliu_disk::new_file(path).map_err(|error| Failure::file(path, &error))?);
                let book = workbook(&columns).map_err(|error| failed(path, &error))?;
                Sink::Xlsx { book: Box::new(book), rows: 0 }
            }
        };
        Ok(Writer { path: path.to_owned(), columns, sink })
    }

    pub fn row(&mut self, cells: &[String]) -> Result<(), Failure> {
        match &mut self.sink {
            Sink::Csv(rows) => {
                rows.write_record(cells.iter().map(|cell| guarded(cell))).map_err(|error| failed(&self.path, &error))
            }
            Sink::Xlsx { rows, .. } if *rows == XLSX_ROWS_MAX => Err(Failure::usage(say!(
                "超过 {XLSX_ROWS_MAX} 行,请写成 CSV,或用 --refers-to 分开",
                "there are more than {XLSX_ROWS_MAX} rows: write CSV, or take a part with --refers-to"
            ))),
            Sink::Xlsx { book, rows } => {
                *rows += 1;
                let written =
                    book.worksheet_from_index(0).and_then(|sheet| write_row(sheet, *rows, &self.columns, cells));
                written.map_err(|error| failed(&self.path, &error))
            }
        }
    }

    pub fn finish(self) -> Result<(), Failure> {
        let Writer { path, columns, sink } = self;
        let written = match sink {
            Sink::Csv(rows) => match rows.into_inner() {
                Ok(file) => file.sync_all(),
                Err(error) => Err(error.into_error()),
            },
            Sink::Xlsx { mut book, rows } => {
                let bytes = offer_words(&mut book, &columns, rows).and_then(|()| book.save_to_buffer());
                let bytes = bytes.map_err(|error| failed(&path, &error))?;
                heliu_disk::replace(&path, &bytes)
            }
        };
        written.map_err(|error| {
            let _ = std::fs::remove_file(&path);
            Failure::file(&path, &error)
        })
    }

    /// Half a table is of no use.
    pub fn give_up(self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    let shown = path.display();
    Failure::usage(say!("写不成 {shown}", "{shown} cannot be written")).because(error)
}

/// So that no spreadsheet takes it for a formula; `import` takes the mark off again.
fn guarded(text: &str) -> String {
    if begins_a_formula(text) { format!("'{text}") } else { text.to_owned() }
}

fn words_sheet() -> &'static str {
    match language() {
        Language::Zh => "可填的词",
        Language::En => "words",
    }
}

fn workbook(columns: &[Column]) -> Result<Workbook, XlsxError> {
    let mut book = Workbook::new();
    let (bold, text, day) =
        (Style::new().set_bold(), Style::new().set_num_format(TEXT), Style::new().set_num_format(DAY));
    let sheet = book.add_worksheet();
    sheet.set_freeze_panes(1, 0)?;
    for (column, about) in (0_u16..).zip(columns) {
        match about.holds {
            Holds::Date => sheet.set_column_format(column, &day)?,
            // Numbers of people and telephones stay as they are typed.
            Holds::Text => sheet.set_column_format(column, &text)?,
            Holds::Count => sheet,
        };
        sheet.set_column_width(column, WIDTH)?;
        sheet.write_string_with_format(0, column, &about.heading, &bold)?;
    }
    let offered: Vec<&Column> = columns.iter().filter(|column| !column.words.is_empty()).collect();
    if offered.is_empty() {
        return Ok(book);
    }
    let sheet = book.add_worksheet();
    sheet.set_name(words_sheet())?;
    for (column, about) in (0_u16..).zip(offered) {
        sheet.set_column_width(column, WIDTH)?;
        sheet.write_string_with_format(0, column, &about.heading, &bold)?;
        for (row, word) in (1_u32..).zip(&about.words) {
            sheet.write_string(row, column, word)?;
        }
    }
    Ok(book)
}

/// In each column that takes certain words, these are there to choose from.
fn offer_words(book: &mut Workbook, columns: &[Column], rows: u32) -> Result<(), XlsxError> {
    let mut place = 0_u16;
    for (column, about) in (0_u16..).zip(columns) {
        let count = about.words.len();
        if count == 0 {
            continue;
        }
        let (letter, last, sheet) = (rust_xlsxwriter::utility::column_number_to_name(place), count + 1, words_sheet());
        let list =
            DataValidation::new().allow_list_formula(Formula::new(format!("='{sheet}'!${letter}$2:${letter}${last}")));
        book.worksheet_from_index(0)?.add_data_validation(1, column, rows + ROWS_MORE, column, &list)?;
        place += 1;
    }
    Ok(())
}

fn write_row(sheet: &mut Worksheet, row: u32, columns: &[Column], cells: &[String]) -> Result<(), XlsxError> {
    for (column, (about, text)) in (0_u16..).zip(columns.iter().zip(cells)) {
        if text.is_empty() {
            continue;
        }
        match about.holds {
            Holds::Date => match ExcelDateTime::parse_from_str(text) {
                Ok(date) => sheet.write_datetime(row, column, &date)?,
                Err(_) => sheet.write_string(row, column, text)?,
            },
            Holds::Count => match text.parse::<i32>() {
                Ok(count) => sheet.write_number(row, column, count)?,
                Err(_) => sheet.write_string(row, column, text)?,
            },
            Holds::Text => sheet.write_string(row, column, text)?,
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use heliu_client::schema::ValueType;

    use super::super::of_form;
    use super::*;
    use crate::import::form::Form;
    use crate::reading::Document;
    use crate::reading::cell::Cell;
    use crate::served;
    use crate::text::speaking;

    /// Written and read again.
    fn read_back(format: Format, name: &str, rows: &[Vec<String>]) -> Vec<Vec<String>> {
        let schema = served::schema();
        let form = Form::of(&schema, "member").expect("declared");
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join(name);
        let mut writer = Writer::new(&path, format, of_form(&form)).expect("it is new");
        rows.iter().for_each(|row| writer.row(row).expect("it is written"));
        writer.finish().expect("it is whole");
        assert!(Writer::new(&path, format, of_form(&form)).is_err(), "what is there is not written over");
        let bytes = std::fs::read(&path).expect("it is there");
        let document = Document::open(bytes, "", &|cells| cells.len()).expect("it opens");
        let mut read = Vec::new();
        let text = |cell: &Cell| cell.text().expect("a value").into_owned();
        document
            .each(&mut |line| {
                read.push(line.cells.iter().map(text).collect());
                true
            })
            .expect("it reads");
        read
    }

    #[test]
    fn whatever_is_written_comes_back_as_it_was_and_no_value_is_a_formula() {
        let schema = served::schema();
        let form = Form::of(&schema, "member").expect("declared");
        let row: Vec<String> = form
            .columns
            .iter()
            .zip(["=1+1", "+8613800000001", "-甲", "@乙", "'=丙", "0012"].into_iter().cycle())
            .map(|(column, text)| if column.value == ValueType::Date { "1998-07-01" } else { text }.to_owned())
            .collect();
        for (format, name) in [(Format::Csv, "a.csv"), (Format::Xlsx, "a.xlsx")] {
            for language in [Language::Zh, Language::En] {
                let read = speaking(language, || read_back(format, name, std::slice::from_ref(&row)));
                assert_eq!(read[1], row, "{name}");
                assert_eq!(read[0][0], if language == Language::Zh { "姓名" } else { "name" });
            }
        }
        assert_eq!(guarded("=1+1"), "'=1+1");
    }
}
