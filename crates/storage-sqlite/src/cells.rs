//! Cells as they lie in a block, ascending by record: how many records further, and what is said. What several records of a block
//! say stands there once. A block is as long as a page of the file has room for.

use std::collections::BTreeMap;

use heliu_record::codec::Encoder;
use heliu_record::collation::{Finder, is_plain};
use heliu_record::listing::Order;
use heliu_storage::listing::CellOf;

/// Bytes of a block, of which one fills a page of 4 KiB.
const BLOCK: usize = 4_000;
/// What is left for records beside the number of a column.
const RECORD_BITS: u32 = 40;
/// Texts of a block that others of its cells may name, so that their number is a byte.
const NAMED: usize = 126;
/// Marks a block of which all texts are compared as they are.
const PLAIN: u8 = 1;
/// Bits that say how a text is read.
const ORDER_BITS: u32 = 2;

/// Where a record belongs in a column: blocks stand under this place of their first record, or before it. None: a number is
/// larger than any that is given.
pub fn place_of(column: i64, record: i64) -> Option<i64> {
    let fits = (0..1 << (63 - RECORD_BITS)).contains(&column) && (0..1 << RECORD_BITS).contains(&record);
    fits.then_some((column << RECORD_BITS) | record)
}

/// The column of a place.
pub fn column_of(place: i64) -> i64 {
    place >> RECORD_BITS
}

/// The record of a place.
pub fn record_of(place: i64) -> i64 {
    place & ((1 << RECORD_BITS) - 1)
}

/// The first and the last place of the column in the `listed_columns` that a query calls `p`.
pub const RANGE: &str = "(p.number << 40) AND (p.number << 40) + 0xFFFFFFFFFF";
/// The first place of the column of the place in the list that a query calls `j`.
pub const BEGIN: &str = "((j.value >> 40) << 40)";

/// What a record says: how it is read, and its bytes.
pub type Said<'c> = (Order, &'c [u8]);

/// Reads blocks on end, also of several columns as long as their records ascend.
pub struct Cells<'c> {
    /// After this block.
    rest: &'c [u8],
    block: &'c [u8],
    is_plain: bool,
    /// What others of the block name, each with whether it was passed over.
    named: Vec<(Said<'c>, bool)>,
    last: i64,
    is_bad: bool,
    finder: Option<&'c Finder>,
    /// How much of the block is left where what is sought could be next; none: nowhere.
    next: Option<usize>,
}

impl<'c> Cells<'c> {
    /// `finder`: cells are told apart that cannot have in them what is sought.
    pub fn of(blocks: &'c [u8], finder: Option<&'c Finder>) -> Self {
        let finder = finder.filter(|finder| finder.has_literal());
        let named = Vec::new();
        Cells { rest: blocks, block: &[], is_plain: false, named, last: -1, is_bad: false, finder, next: None }
    }

    /// Whether all that was read is what was written.
    pub fn is_good(&self) -> bool {
        !self.is_bad
    }

    fn begin(&mut self) -> Option<()> {
        let len = usize::try_from(number(&mut self.rest)?).ok()?;
        let (block, rest) = self.rest.split_at_checked(len)?;
        let (mark, block) = block.split_first()?;
        (self.block, self.rest, self.is_plain) = (block, rest, *mark == PLAIN);
        self.named.clear();
        self.seek();
        Some(())
    }

    fn seek(&mut self) {
        if let Some(finder) = self.finder.filter(|_| self.is_plain) {
            self.next = finder.next(self.block).map(|at| self.block.len() - at);
        }
    }

    /// A text, and whether what is sought cannot be in it.
    fn text(&mut self) -> Option<(Said<'c>, bool)> {
        let about = number(&mut self.block)?;
        let order = Order::of(u8::try_from(about & ((1 << ORDER_BITS) - 1)).ok()?)?;
        let len = usize::try_from(about >> ORDER_BITS).ok()?;
        let (said, rest) = self.block.split_at_checked(len)?;
        let is_passed = self.finder.is_some() && self.is_plain && {
            // What is sought may have been before this text begins, in bytes that are none.
            if self.next.is_some_and(|next| next > self.block.len()) {
                self.seek();
            }
            self.next.is_none_or(|next| next <= rest.len())
        };
        self.block = rest;
        if self.named.len() < NAMED {
            self.named.push(((order, said), is_passed));
        }
        Some(((order, said), is_passed))
    }

    fn cell(&mut self) -> Option<CellOf<'c, i64>> {
        if self.block.is_empty() {
            self.begin()?;
            // From here on records are told by their difference; the first is told whole.
            let first = i64::try_from(number(&mut self.block)?).ok()?;
            self.last = Some(first).filter(|first| *first > self.last)?;
        } else {
            let further = i64::try_from(number(&mut self.block)?).ok().filter(|further| *further > 0)?;
            self.last = self.last.checked_add(further)?;
        }
        let ((order, said), is_passed) = match usize::try_from(number(&mut self.block)?).ok()? {
            0 => self.text()?,
            named => *self.named.get(named - 1)?,
        };
        Some(CellOf { of: self.last, order, said, is_passed })
    }
}

/// Whether what is sought could be somewhere in these blocks.
pub fn may_have(blocks: &[u8], finder: &Finder) -> bool {
    let mut blocks = blocks;
    while !blocks.is_empty() {
        let len = number(&mut blocks).and_then(|len| usize::try_from(len).ok());
        let Some((block, rest)) = len.and_then(|len| blocks.split_at_checked(len)) else { return true };
        if block.first() != Some(&PLAIN) || finder.next(block).is_some() {
            return true;
        }
        blocks = rest;
    }
    false
}

#[inline]
fn number(bytes: &mut &[u8]) -> Option<u64> {
    if let [first @ 0..0x80, rest @ ..] = bytes {
        *bytes = rest;
        return Some(u64::from(*first));
    }
    let mut number = 0;
    for (place, byte) in bytes.iter().enumerate().take(9) {
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            *bytes = &bytes[place + 1..];
            return Some(number);
        }
    }
    None
}

impl<'c> Iterator for Cells<'c> {
    type Item = CellOf<'c, i64>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_bad || (self.block.is_empty() && self.rest.is_empty()) {
            return None;
        }
        let cell = self.cell();
        self.is_bad = cell.is_none();
        cell
    }
}

/// What is in a block. None: it is not what was written.
pub fn read(block: &[u8]) -> Option<Vec<(i64, Said<'_>)>> {
    let mut cells = Cells::of(block, None);
    let read = cells.by_ref().map(|cell| (cell.of, (cell.order, cell.said))).collect();
    cells.is_good().then_some(read)
}

/// As blocks, each with its first record. `grows`: they were added to at their end, and so it goes on; else each has room left.
pub fn write(cells: &[(i64, Said<'_>)], grows: bool) -> Vec<(i64, Vec<u8>)> {
    let mut blocks = Vec::new();
    let mut rest = cells;
    while let Some((first, _)) = rest.first() {
        let (block, taken) = block(rest);
        if grows || taken == rest.len() {
            blocks.push((*first, block));
            rest = &rest[taken..];
        } else {
            let (half, other) = rest.split_at((rest.len() / 2).max(1));
            blocks.extend(write(half, false));
            rest = other;
        }
    }
    blocks
}

/// One block, and how many of the cells it has room for, at least one.
fn block(cells: &[(i64, Said<'_>)]) -> (Vec<u8>, usize) {
    let mut block = Encoder::default();
    let mut named: BTreeMap<Said<'_>, u64> = BTreeMap::new();
    let (mut last, mut taken, mut all_plain) = (0, 0, true);
    for (of, said) in cells {
        let before = block.0.len();
        block.varint((*of - last).unsigned_abs());
        if let Some(number) = named.get(said) {
            block.varint(*number);
        } else {
            let (order, bytes) = said;
            block.varint(0).varint(((bytes.len() as u64) << ORDER_BITS) | u64::from(order.code())).fixed(bytes);
        }
        if taken > 0 && block.0.len() > BLOCK {
            block.0.truncate(before);
            break;
        }
        if named.len() < NAMED && !named.contains_key(said) {
            named.insert(*said, named.len() as u64 + 1);
        }
        all_plain = all_plain && std::str::from_utf8(said.1).is_ok_and(is_plain);
        (last, taken) = (*of, taken + 1);
    }
    let mut whole = Encoder::default();
    whole.varint(block.0.len() as u64 + 1).u8(if all_plain { PLAIN } else { 0 }).fixed(&block.0);
    (whole.0, taken)
}

#[cfg(test)]
mod tests {
    use heliu_record::collation::Sought;

    use super::*;

    const NAMES: [&str; 5] = ["张伟", "李明", "Bob A", "王小二", "张伟明"];

    fn names(count: i64) -> Vec<(i64, Said<'static>)> {
        (0..count).map(|n| (3 * n + 7, (Order::Name, NAMES[(n % 5) as usize].as_bytes()))).collect()
    }

    #[test]
    fn cells_come_back_as_they_were_and_what_was_not_written_is_no_cell() {
        let mut cells = names(9);
        cells.push((70_000, (Order::Bytes, &[7; 300])));
        cells.push((70_001, (Order::Bytes, b"")));
        let blocks = write(&cells, true);
        let [(7, block)] = &blocks[..] else { panic!("it is one") };
        assert_eq!(read(block), Some(cells.clone()));
        assert_eq!(read(&[]), Some(Vec::new()));
        for cut in 1..block.len() {
            assert_eq!(read(&block[..cut]), None, "cut at {cut}");
        }
        assert_eq!(read(&[&block[..], block].concat()), None, "they do not ascend");
        assert_eq!(read(&[0xff; 20]), None);
        let places = [place_of(1, 130), place_of(1 << 23, 1), place_of(1, -1)];
        assert_eq!(places, [Some((1 << 40) + 130), None, None]);
        assert_eq!((column_of((5 << 40) + 130), record_of((5 << 40) + 130)), (5, 130));
    }

    #[test]
    fn a_long_column_is_many_blocks_that_are_full_if_it_grows_and_half_full_if_not() {
        let texts: Vec<String> = (0..2_000).map(|n| format!("测试甲{n:06}")).collect();
        let cells: Vec<_> = (0..).zip(&texts).map(|(n, text)| (n, (Order::Name, text.as_bytes()))).collect();
        for grows in [true, false] {
            let blocks = write(&cells, grows);
            let all = blocks.iter().flat_map(|(_, block)| read(block).expect("it is one"));
            assert_eq!(all.collect::<Vec<_>>(), cells);
            assert!(blocks.iter().all(|(_, block)| block.len() <= BLOCK + 3));
            let is_full = blocks[0].1.len() > BLOCK * 3 / 4;
            assert_eq!(is_full, grows, "{}", blocks[0].1.len());
        }
        let huge = vec![b'x'; 3 * BLOCK];
        let blocks = write(&[(1, (Order::Bytes, &huge[..])), (2, (Order::Bytes, &huge[..]))], false);
        assert!(blocks.iter().all(|(_, block)| read(block).is_some_and(|cells| !cells.is_empty())));
    }

    #[test]
    fn what_cannot_have_in_it_what_is_sought_is_passed_over() {
        let cells = names(10);
        let [(_, mixed)] = &write(&cells, true)[..] else { panic!("it is one") };
        let plain: Vec<_> = cells.into_iter().filter(|(_, (_, said))| *said != b"Bob A").collect();
        let [(_, plain)] = &write(&plain, true)[..] else { panic!("it is one") };
        for (typed, passed) in [("伟", 4), ("伟明", 6), ("伟m", 4), ("zw", 0), ("甲", 8), ("boba", 0)] {
            let sought = Sought::new(typed).expect("something");
            let (finder, mut other) = (sought.finder(), sought.finder());
            assert!(may_have(mixed, &finder));
            assert_eq!(may_have(plain, &finder), passed < 8, "{typed}");
            let told: Vec<_> = Cells::of(plain, Some(&finder)).map(|cell| (cell.said, cell.is_passed)).collect();
            assert_eq!(told.iter().filter(|(_, is_passed)| *is_passed).count(), passed, "{typed}");
            for (said, is_passed) in told {
                let is_there = other.seek(std::str::from_utf8(said).expect("a text"));
                assert!(!(is_there && is_passed), "{typed}");
            }
            assert!(Cells::of(mixed, Some(&finder)).all(|cell| !cell.is_passed), "not all of it is compared as it is");
        }
    }
}
