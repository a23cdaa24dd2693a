//! Workbooks (.xlsx): the values of one sheet, row by row. Formulas are never worked out: what counts is the value that was saved with
//! them. A workbook's texts are held while it is read, its sheets are not.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use calamine::{DataRef, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};
use heliu_record::date::Date;

use super::cell::{Cell, error_value};
use super::line::{CELL_CHARS_MAX, COLUMNS_MAX, Line, Unreadable, too_long};
use crate::text::{Say, say};

/// What a workbook may come to once it is unpacked: a small file can hold a mountain of zeros.
const UNPACKED_MAX: u64 = 256 * 1024 * 1024;
/// Of these bytes those that are not on a sheet, and are held as a whole.
const HELD_MAX: u64 = 64 * 1024 * 1024;
const PARTS_MAX: usize = 2_000;
/// Cells that are merged, as a branch's name is over all its members.
const MERGED_MAX: usize = 100_000;

pub struct Book {
    bytes: Vec<u8>,
    sheet: String,
    /// Other sheets that are shown and have something on them.
    others: Vec<String>,
}

impl Book {
    pub fn open(bytes: Vec<u8>, sheet: &str) -> Result<Self, Unreadable> {
        within_bounds(&bytes)?;
        let mut book = workbook(&bytes)?;
        let is_shown =
            |sheet: &&calamine::Sheet| sheet.visible == SheetVisible::Visible && sheet.typ == SheetType::WorkSheet;
        let names: Vec<String> =
            book.sheets_metadata().iter().filter(is_shown).map(|sheet| sheet.name.clone()).collect();
        let mut filled = Vec::new();
        for name in &names {
            if name == sheet || look_for_a_value(&mut book, name)? {
                filled.push(name.clone());
            }
        }
        drop(book);
        let chosen = match sheet {
            "" => filled.first(),
            named => filled.iter().find(|name| *name == named),
        };
        let Some(chosen) = chosen.cloned() else {
            let all = names.join(", ");
            return Err(Unreadable::whole(match sheet {
                "" => say!("工作簿中没有填写过的工作表", "no sheet of the workbook has anything on it"),
                _ => say!("没有工作表“{sheet}”;有:{all}", "there is no sheet {sheet:?}; there are: {all}"),
            }));
        };
        filled.retain(|name| *name != chosen);
        Ok(Book { bytes, sheet: chosen, others: filled })
    }

    pub fn told(&self) -> Say {
        let sheet = &self.sheet;
        match self.others.join(", ").as_str() {
            "" => say!("工作表“{sheet}”", "sheet {sheet:?}"),
            others => say!(
                "工作表“{sheet}”(没有读其他工作表:{others};要读用 --sheet)",
                "sheet {sheet:?} (other sheets were not read: {others}; --sheet says which)"
            ),
        }
    }

    pub fn each(&self, take: &mut dyn FnMut(Line) -> bool) -> Result<(), Unreadable> {
        let mut book = workbook(&self.bytes)?;
        let mut merged = Merged::of(&mut book, &self.sheet)?;
        let mut cells = book.worksheet_cells_reader(&self.sheet).map_err(|error| unreadable(1, &error))?;
        let (mut row, mut line): (u32, Vec<Cell>) = (0, Vec::new());
        loop {
            let next = cells.next_cell().map_err(|error| unreadable(row, &error))?;
            let place = next.as_ref().map(calamine::Cell::get_position);
            if place.is_none_or(|(at, _)| at != row) {
                let filled = std::mem::take(&mut line);
                if !give(row, merged.fill(row, filled), take) {
                    return Ok(());
                }
            }
            let Some((cell, (at, column))) = next.zip(place) else { return Ok(()) };
            if at < row {
                let reason = say!(
                    "各行不按顺序,请在表格软件中重新保存",
                    "its rows are out of order: save it again in a spreadsheet"
                );
                return Err(Unreadable { line: u64::from(at) + 1, reason });
            }
            row = at;
            let value = value(cell.get_value());
            let column = column as usize;
            if value.is_empty() || column < line.len() {
                continue;
            }
            if column >= COLUMNS_MAX {
                let reason = say!("超过 {COLUMNS_MAX} 列,请拆开", "it has more than {COLUMNS_MAX} columns: split it");
                return Err(Unreadable { line: u64::from(row) + 1, reason });
            }
            line.resize(column, Cell::Empty);
            line.push(value);
        }
    }
}

fn give(row: u32, cells: Vec<Cell>, take: &mut dyn FnMut(Line) -> bool) -> bool {
    cells.iter().all(Cell::is_empty) || take(Line { line: u64::from(row) + 1, cells, width: None })
}

type Workbook<'b> = Xlsx<Cursor<&'b [u8]>>;

fn workbook(bytes: &[u8]) -> Result<Workbook<'_>, Unreadable> {
    Xlsx::new(Cursor::new(bytes)).map_err(|error: XlsxError| unreadable(0, &error))
}

fn unreadable(row: u32, error: &XlsxError) -> Unreadable {
    Unreadable {
        line: u64::from(row) + 1,
        reason: say!(
            "不是合格的工作簿:{error};请在表格软件中重新保存",
            "not a valid workbook: {error}; save it again in a spreadsheet"
        ),
    }
}

fn look_for_a_value(book: &mut Workbook<'_>, sheet: &str) -> Result<bool, Unreadable> {
    let mut cells = book.worksheet_cells_reader(sheet).map_err(|error| unreadable(0, &error))?;
    while let Some(cell) = cells.next_cell().map_err(|error| unreadable(0, &error))? {
        if !value(cell.get_value()).is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Unpacks all of it once, and keeps nothing.
fn within_bounds(bytes: &[u8]) -> Result<(), Unreadable> {
    let broken = |error: String| {
        Unreadable::whole(say!(
            "不是合格的工作簿:{error};请在表格软件中重新保存",
            "not a valid workbook: {error}; save it again in a spreadsheet"
        ))
    };
    let too_much = || {
        let (all, held) = (UNPACKED_MAX / 1024 / 1024, HELD_MAX / 1024 / 1024);
        Unreadable::whole(say!(
            "解开后超过 {all} MiB(其中文字 {held} MiB),请拆开,或存为 CSV",
            "unpacked it has more than {all} MiB (or {held} MiB of texts): split it, or save it as CSV"
        ))
    };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(error.to_string()))?;
    if archive.len() > PARTS_MAX {
        return Err(too_much());
    }
    let (mut all, mut held) = (0_u64, 0_u64);
    for place in 0..archive.len() {
        let part = archive.by_index(place).map_err(|error| broken(error.to_string()))?;
        let name = part.name().map_err(|error| broken(error.to_string()))?.into_owned();
        let is_held = name.ends_with(".xml") && !name.starts_with("xl/worksheets/");
        let mut left = part.take(UNPACKED_MAX - all + 1);
        let size = std::io::copy(&mut left, &mut std::io::sink()).map_err(|error| broken(error.to_string()))?;
        all += size;
        held += if is_held { size } else { 0 };
        if all > UNPACKED_MAX || held > HELD_MAX {
            return Err(too_much());
        }
    }
    Ok(())
}

fn value(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Empty => Cell::Empty,
        DataRef::String(text) => text_cell(text),
        DataRef::SharedString(text) => text_cell(text),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text_cell(text),
        DataRef::Int(number) => Cell::Number(*number as f64),
        DataRef::Float(number) => Cell::Number(*number),
        DataRef::Bool(is) => Cell::Bool(*is),
        DataRef::Error(error) => Cell::Fault(error_value(&error.to_string())),
        DataRef::DateTime(when) if when.is_datetime() => {
            let (year, month, day, ..) = when.to_ymd_hms_milli();
            let date = i16::try_from(year).ok().zip(i8::try_from(month).ok()).zip(i8::try_from(day).ok());
            let date = date.and_then(|((year, month), day)| Date::new(year, month, day).ok());
            date.map_or_else(|| Cell::Number(when.as_f64()), Cell::Date)
        }
        DataRef::DateTime(when) => Cell::Number(when.as_f64()),
    }
}

fn text_cell(text: &str) -> Cell {
    if text.chars().nth(CELL_CHARS_MAX).is_some() { Cell::Fault(too_long()) } else { Cell::of(text) }
}

/// Cells that are merged downwards: the value of the first is that of all.
struct Merged {
    /// By where they begin: the last row and column.
    regions: BTreeMap<(u32, u32), (u32, u32)>,
    /// By column, what stands in it until which row.
    standing: BTreeMap<u32, (u32, Cell)>,
}

impl Merged {
    fn of(book: &mut Workbook<'_>, sheet: &str) -> Result<Self, Unreadable> {
        let merged = book.merge_cells_by_sheet_name(sheet).map_err(|error| unreadable(0, &error))?;
        if merged.len() > MERGED_MAX {
            return Err(Unreadable::whole(say!(
                "合并的单元格超过 {MERGED_MAX} 处,请取消合并",
                "more than {MERGED_MAX} merged cells: undo the merging"
            )));
        }
        // Those that lie across columns are titles.
        let downwards =
            merged.into_iter().filter(|region| region.start.1 == region.end.1 && region.start.0 < region.end.0);
        Ok(Merged { regions: downwards.map(|region| (region.start, region.end)).collect(), standing: BTreeMap::new() })
    }

    fn fill(&mut self, row: u32, mut cells: Vec<Cell>) -> Vec<Cell> {
        // Rows that have nothing of their own stay empty.
        if cells.is_empty() {
            return cells;
        }
        self.standing.retain(|_, (until, _)| *until >= row);
        for (column, (_, value)) in &self.standing {
            let column = *column as usize;
            if column < COLUMNS_MAX && cells.get(column).is_none_or(Cell::is_empty) {
                cells.resize(cells.len().max(column + 1), Cell::Empty);
                cells[column] = value.clone();
            }
        }
        for (column, value) in (0_u32..).zip(&cells) {
            if let Some((until, _)) = self.regions.get(&(row, column)) {
                self.standing.insert(column, (*until, value.clone()));
            }
        }
        cells
    }
}
