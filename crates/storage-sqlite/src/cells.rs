//! Cells as they lie in a row, one after the other: of which record, what it is sorted by, and the text if that is another.

use std::collections::BTreeMap;

use heliu_record::codec::Encoder;
use heliu_storage::listing::CellOf;

/// Records of one row.
const ROW_BITS: u32 = 6;
/// What is left for the keys of records beside the number of a column.
const KEY_BITS: u32 = 40;

/// Where the cells of a record are in a column. None: a number is larger than any that is given.
pub fn row_of(column: i64, record: i64) -> Option<i64> {
    let row = record >> ROW_BITS;
    let fits = (0..1 << (63 - KEY_BITS)).contains(&column) && (0..1 << KEY_BITS).contains(&row);
    fits.then_some((column << KEY_BITS) | row)
}

/// The first and the last row of the column in the `listed_columns` that a query calls `p`.
pub const RANGE: &str = "(p.number << 40) AND (p.number << 40) + 0xFFFFFFFFFF";

/// The cells of a row by the keys of their records: what each is sorted by, and what it says.
type Row<'c> = BTreeMap<i64, (&'c [u8], &'c [u8])>;

/// What is in a row. None: it is not what was written.
pub fn read(row: &[u8]) -> Option<Row<'_>> {
    let mut cells = Cells::of(row);
    let read = cells.by_ref().map(|cell| (cell.of, (cell.key, cell.text))).collect();
    cells.is_good().then_some(read)
}

pub fn write<'c>(cells: impl IntoIterator<Item = (i64, (&'c [u8], &'c [u8]))>) -> Vec<u8> {
    let mut row = Encoder::default();
    for (of, (key, text)) in cells {
        row.varint(of.unsigned_abs());
        for part in [key, text] {
            row.varint(part.len() as u64).0.extend_from_slice(part);
        }
    }
    row.0
}

/// Reads cells, also those of many rows on end: as long as they ascend.
pub struct Cells<'c> {
    rest: &'c [u8],
    last: i64,
    is_bad: bool,
}

impl<'c> Cells<'c> {
    pub fn of(row: &'c [u8]) -> Self {
        Cells { rest: row, last: -1, is_bad: false }
    }

    /// Whether all that was read is what was written.
    pub fn is_good(&self) -> bool {
        !self.is_bad
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for (place, byte) in self.rest.iter().enumerate().take(9) {
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[place + 1..];
                return Some(number);
            }
        }
        None
    }

    fn part(&mut self) -> Option<&'c [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        let (part, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(part)
    }

    fn cell(&mut self) -> Option<CellOf<'c, i64>> {
        let of = i64::try_from(self.number()?).ok().filter(|of| *of > self.last)?;
        self.last = of;
        Some(CellOf { of, key: self.part()?, text: self.part()? })
    }
}

impl<'c> Iterator for Cells<'c> {
    type Item = CellOf<'c, i64>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let cell = self.cell();
        if cell.is_none() {
            (self.rest, self.is_bad) = (&[], true);
        }
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_back_as_they_were_and_what_was_not_written_is_no_cell() {
        let cells: Row<'_> = [(1, (&b"a"[..], &b""[..])), (200, (b"", b"")), (70_000, (&[7; 300], b"x"))].into();
        let row = write(cells.clone());
        assert_eq!(read(&row).as_ref(), Some(&cells));
        assert_eq!(read(&[]), Some(BTreeMap::new()));
        for cut in 1..row.len() {
            assert!(read(&row[..cut]).is_none_or(|read| read.len() < cells.len()), "cut at {cut}");
        }
        let twice = [row.as_slice(), row.as_slice()].concat();
        assert_eq!(read(&twice), None, "they do not ascend");
        assert_eq!(read(&[0xff; 20]), None);
        assert_eq!((row_of(1, 130), row_of(1 << 23, 1), row_of(1, -1)), (Some((1 << 40) + 2), None, None));
    }
}
