//! The one way in which a list becomes an answer: a page ends by rows or by bytes, whichever is first, and the next page begins
//! where it ended. Each row is cut before it is put in (see [`super::cut`]), so that a long one does not keep back the rows
//! after it.

use prost::Message;
use tonic::Status;

use super::refusals::invalid;

/// As many pages are read for one, where what is read is not shown.
pub(super) const LOOKED_PAGES: usize = 8;
const ROWS_DEFAULT: usize = 100;
const ROWS_MAX: usize = 1_000;
/// A tag and a length.
const FRAME_BYTES: usize = 6;

/// How many rows a page holds when `limit` were asked for.
pub(super) fn rows(limit: u32) -> usize {
    if limit == 0 { ROWS_DEFAULT } else { (limit as usize).min(ROWS_MAX) }
}

/// The cursor of a page before; it is as this node gave it, or refused.
pub(super) fn after<T: std::str::FromStr>(text: &str) -> Result<Option<T>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    let refused = |_| invalid("after", "after 须为上一页的 next。", "Give as `after` the `next` of the page before.");
    Ok(Some(text.parse().map_err(refused)?))
}

/// A page that is being filled.
pub(super) struct Page<T> {
    items: Vec<T>,
    rows: usize,
    bytes: usize,
    used: usize,
}

impl<T: Message> Page<T> {
    pub fn new(rows: usize, bytes: usize) -> Self {
        Page { items: Vec::new(), rows, bytes, used: 0 }
    }

    /// Takes a row. False: the page is full, and the row begins the next one. The first row is always taken.
    pub fn take(&mut self, item: T) -> bool {
        let bytes = item.encoded_len() + FRAME_BYTES;
        if !self.items.is_empty() && (self.items.len() >= self.rows || self.used + bytes > self.bytes) {
            self.used = self.bytes;
            return false;
        }
        self.used += bytes;
        self.items.push(item);
        true
    }

    pub fn is_full(&self) -> bool {
        self.items.len() >= self.rows || self.used >= self.bytes
    }

    /// How many rows the page still takes.
    pub fn rest(&self) -> usize {
        self.rows - self.items.len().min(self.rows)
    }

    /// The bytes of a whole page.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn into_items(self) -> Vec<T> {
        self.items
    }
}

/// A page of what is read from the store piece by piece, of which some is not shown. `K` is the key by which it is read on.
pub(super) struct Walk<T, K> {
    page: Page<T>,
    /// Bytes that were read for the page.
    looked: usize,
    after: Option<K>,
    /// What was shown last.
    last: Option<K>,
    is_over: bool,
    /// Whether the bearer is shown everything.
    is_whole: bool,
}

impl<T: Message, K: Copy> Walk<T, K> {
    pub fn new(limit: u32, bytes: usize, after: Option<K>, is_whole: bool) -> Self {
        Walk { page: Page::new(rows(limit), bytes), looked: 0, after, last: None, is_over: false, is_whole }
    }

    /// Whether more is to be read for it. What is not shown is left out after it has been read, so a page may take several
    /// reads to fill; not without end, but for who is not shown all until there is something that can be its cursor.
    pub fn goes_on(&self) -> bool {
        let looks_on = self.looked < LOOKED_PAGES * self.page.bytes() || (self.last.is_none() && !self.is_whole);
        !self.is_over && !self.page.is_full() && looks_on
    }

    /// After what to read on; none: from the beginning, or everything was read.
    pub fn after(&self) -> Option<K> {
        self.after
    }

    /// How many rows to read.
    pub fn rest(&self) -> usize {
        self.page.rest().max(1)
    }

    /// So many bytes were read, after which `next` comes, and this of it is shown.
    pub fn take(&mut self, looked: usize, next: Option<K>, shown: impl IntoIterator<Item = (K, T)>) {
        self.looked += looked;
        let mut before = std::mem::replace(&mut self.after, next);
        for (key, item) in shown {
            if !self.page.take(item) {
                self.after = before;
                break;
            }
            (before, self.last) = (Some(key), Some(key));
        }
        self.is_over = self.after.is_none();
    }

    /// The items, and the cursor of the next page. For who is not shown all, that is what was shown last: never the id of
    /// something that was passed over.
    pub fn into_page(self) -> (Vec<T>, Option<K>) {
        let cursor = if self.is_whole { self.after } else { self.after.and(self.last) };
        (self.page.into_items(), cursor)
    }
}

/// What reads through long bodies would hold up others on this thread.
pub(super) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Status> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Status::internal(error.to_string()))
}

/// A page of what is at hand as a whole; the cursor is a number. `limit` 0 is as many as a page takes.
pub(super) fn of<T: Message>(
    all: impl IntoIterator<Item = T>,
    from: &str,
    limit: u32,
    bytes: usize,
) -> Result<(Vec<T>, String), Status> {
    let from = after::<usize>(from)?.unwrap_or(0);
    let mut page = Page::new(if limit == 0 { ROWS_MAX } else { rows(limit) }, bytes);
    for item in all.into_iter().skip(from) {
        if page.is_full() || !page.take(item) {
            let next = from + page.items.len();
            return Ok((page.items, next.to_string()));
        }
    }
    Ok((page.items, String::new()))
}

#[cfg(test)]
mod tests {
    use heliu_api::records::Label;

    use super::*;

    #[test]
    fn a_page_ends_by_rows_or_by_bytes_and_one_that_is_too_large_stands_alone() {
        let long = |chars| Label { zh: "x".repeat(chars), en: String::new() };
        let all: Vec<Label> = [10, 10, 5_000, 10, 400, 400, 400, 10].map(long).into();
        let (mut seen, mut after, mut lengths) = (Vec::new(), String::new(), Vec::new());
        loop {
            let (items, next) = of(all.clone(), &after, 3, 1_000).expect("a page");
            lengths.push(items.len());
            seen.extend(items);
            after = next;
            if after.is_empty() {
                break;
            }
        }
        assert_eq!((seen, lengths), (all, vec![2, 1, 3, 2]));
    }
}
