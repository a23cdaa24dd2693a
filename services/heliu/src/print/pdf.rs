//! A paper as a PDF: pages of A4, lines broken as Chinese and Latin letters are, and the letters themselves embedded, so that it prints
//! alike on a machine without the font.

use std::collections::BTreeSet;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};

use super::font::{Embedded, Font};
use super::paper::{Block, Paper, Table};
use crate::failure::Failure;
use crate::text::clean;

/// A4, in points.
const PAGE: (f32, f32) = (595.28, 841.89);
const MARGIN: f32 = 56.7;
const WIDTH: f32 = PAGE.0 - 2.0 * MARGIN;
const TITLE: f32 = 18.0;
const TEXT: f32 = 14.0;
const SMALL: f32 = 10.5;
const CELL: f32 = 11.0;
/// Between the lines, of their height.
const LEADING: f32 = 1.6;
const PAD: f32 = 4.0;
/// What stands where the font has no letter.
const GAP: char = '?';
/// No line begins with these.
const CLOSING: &str = ",。、;:!?)】〕〉》”’%,.;:!?)]}";
const FONT: Name<'static> = Name(b"F");
const FONT_NAME: &[u8] = b"HELIUA+Paper";
const SYSTEM: SystemInfo<'static> = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

pub struct Written {
    pub bytes: Vec<u8>,
    /// Letters that the font has not got.
    pub missing: Vec<char>,
}

pub fn write(paper: &Paper, font: &Font) -> Result<Written, Failure> {
    let letters: BTreeSet<char> = paper.texts().flat_map(|text| clean(text).chars().collect::<Vec<_>>()).collect();
    let embedded = font.embed(letters.into_iter().chain([GAP, ' ']))?;
    let mut sheets = Sheets { font: &embedded, done: Vec::new(), now: Content::new(), top: PAGE.1 - MARGIN };
    paper.blocks.iter().for_each(|block| sheets.block(block));
    let pages = sheets.finish();
    let bytes = document(&clean(&paper.title), &embedded, pages);
    Ok(Written { bytes, missing: embedded.missing })
}

/// Pages as they fill.
struct Sheets<'f> {
    font: &'f Embedded,
    done: Vec<Content>,
    now: Content,
    /// Where the next line goes, from below.
    top: f32,
}

impl Sheets<'_> {
    fn block(&mut self, block: &Block) {
        match block {
            Block::Title(text) => {
                self.skip(TITLE * 0.5);
                for line in self.broken(text, TITLE, WIDTH, 0.0) {
                    let free = WIDTH - self.width(&line, TITLE);
                    self.line(&line, TITLE, MARGIN + free.max(0.0) / 2.0);
                }
                self.skip(TITLE * 0.3);
            }
            Block::Text(text) => self.paragraph(text, TEXT, 2.0 * TEXT),
            Block::Address(text) => self.paragraph(text, TEXT, 0.0),
            Block::Note(text) => self.paragraph(text, SMALL, 0.0),
            Block::Right(lines) => {
                for text in lines {
                    for line in self.broken(text, TEXT, WIDTH, 0.0) {
                        let free = WIDTH - self.width(&line, TEXT);
                        self.line(&line, TEXT, MARGIN + free.max(0.0));
                    }
                }
            }
            Block::Rows(rows) => {
                let rows = rows.iter().map(|(name, value)| vec![name.clone(), value.clone()]).collect();
                self.table(&Table { headings: Vec::new(), widths: vec![3, 7], rows });
            }
            Block::Table(table) => self.table(table),
            Block::Cut(text) => {
                self.skip(TEXT);
                self.room(2.0 * SMALL * LEADING);
                self.now.save_state().set_dash_pattern([4.0, 3.0], 0.0);
                self.now.move_to(MARGIN, self.top).line_to(PAGE.0 - MARGIN, self.top).stroke().restore_state();
                let text = clean(text);
                let free = WIDTH - self.width(&text, SMALL);
                self.line(&text, SMALL, MARGIN + free.max(0.0) / 2.0);
                self.skip(TEXT * 0.5);
            }
        }
    }

    fn paragraph(&mut self, text: &str, size: f32, indent: f32) {
        for (at, line) in self.broken(text, size, WIDTH, indent).iter().enumerate() {
            self.line(line, size, MARGIN + if at == 0 { indent } else { 0.0 });
        }
    }

    fn table(&mut self, table: &Table) {
        self.skip(PAD);
        let whole: f32 = table.widths.iter().map(|width| f32::from(*width)).sum();
        let widths: Vec<f32> = table.widths.iter().map(|width| WIDTH * f32::from(*width) / whole.max(1.0)).collect();
        let broken = |row: &Vec<String>| -> Vec<Vec<String>> {
            widths.iter().zip(row).map(|(width, cell)| self.broken(cell, CELL, width - 2.0 * PAD, 0.0)).collect()
        };
        let heading = (!table.headings.is_empty()).then(|| broken(&table.headings));
        let rows: Vec<Vec<Vec<String>>> = table.rows.iter().map(broken).collect();
        if let Some(heading) = &heading {
            self.row(heading, &widths);
        }
        for row in &rows {
            if self.is_over(row_height(row)) {
                self.turn();
                if let Some(heading) = &heading {
                    self.row(heading, &widths);
                }
            }
            self.row(row, &widths);
        }
        self.skip(PAD);
    }

    /// One row of a table: its lines, and a frame around each cell. One that is higher than a page goes on on the next.
    fn row(&mut self, cells: &[Vec<String>], widths: &[f32]) {
        let lines = cells.iter().map(Vec::len).max().unwrap_or_default().max(1);
        let mut from = 0;
        while from < lines {
            self.room(CELL * LEADING + PAD);
            let fit = ((self.top - MARGIN - PAD) / (CELL * LEADING)).floor().clamp(1.0, 10_000.0);
            // It is within these bounds.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a small whole number")]
            let until = (from + fit as usize).min(lines);
            let shown: Vec<&[String]> =
                cells.iter().map(|cell| cell.get(from..until.min(cell.len())).unwrap_or_default()).collect();
            let height = lines_height(until - from);
            let mut left = MARGIN;
            for (lines, width) in shown.iter().zip(widths) {
                self.now.rect(left, self.top - height, *width, height).stroke();
                let mut base = self.top - PAD / 2.0 - CELL * 1.2;
                for line in *lines {
                    self.show(line, CELL, (left + PAD, base));
                    base -= CELL * LEADING;
                }
                left += width;
            }
            self.top -= height;
            from = until;
        }
    }

    fn line(&mut self, text: &str, size: f32, left: f32) {
        self.room(size * LEADING);
        self.show(text, size, (left, self.top - size * 1.2));
        self.top -= size * LEADING;
    }

    fn show(&mut self, text: &str, size: f32, (left, base): (f32, f32)) {
        let glyphs: Vec<u8> = text.chars().flat_map(|letter| self.glyph(letter).0.to_be_bytes()).collect();
        self.now.begin_text().set_font(FONT, size).set_text_matrix([1.0, 0.0, 0.0, 1.0, left, base]);
        self.now.show(Str(&glyphs)).end_text();
    }

    fn skip(&mut self, height: f32) {
        self.top -= height;
    }

    fn is_over(&self, height: f32) -> bool {
        self.top - height < MARGIN
    }

    /// Goes on on the next page if there is no room for so much.
    fn room(&mut self, height: f32) {
        if self.is_over(height) {
            self.turn();
        }
    }

    fn turn(&mut self) {
        self.done.push(std::mem::replace(&mut self.now, Content::new()));
        self.top = PAGE.1 - MARGIN;
    }

    fn finish(mut self) -> Vec<Content> {
        self.done.push(self.now);
        self.done
    }

    fn glyph(&self, letter: char) -> (u16, f32) {
        let glyphs = &self.font.glyphs;
        glyphs.get(&letter).or_else(|| glyphs.get(&GAP)).copied().unwrap_or_default()
    }

    fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|letter| self.glyph(letter).1 * size / 1_000.0).sum()
    }

    /// The lines of a text. Between Chinese letters a line may end anywhere, but for what closes; Latin words and numbers stay whole
    /// where they fit.
    fn broken(&self, text: &str, size: f32, width: f32, indent: f32) -> Vec<String> {
        let text = clean(text);
        let (mut lines, mut line, mut used) = (Vec::new(), String::new(), indent);
        for piece in pieces(&text) {
            let wide = self.width(piece, size);
            let is_closing = piece.chars().all(|letter| CLOSING.contains(letter));
            if used + wide > width && !line.is_empty() && !is_closing {
                lines.push(std::mem::take(&mut line));
                used = 0.0;
                if piece.trim().is_empty() {
                    continue;
                }
            }
            if used + wide <= width || is_closing {
                line.push_str(piece);
                used += wide;
                continue;
            }
            // A word that is longer than a line.
            for letter in piece.chars() {
                let wide = self.glyph(letter).1 * size / 1_000.0;
                if used + wide > width && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    used = 0.0;
                }
                line.push(letter);
                used += wide;
            }
        }
        lines.push(line);
        lines
    }
}

/// What is not parted: a Latin word or a number, a blank, any other letter.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_ascii_graphic() && !CLOSING.contains(c);
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = if is_word(first) { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

fn lines_height(lines: usize) -> f32 {
    u16::try_from(lines).map_or(f32::MAX, f32::from) * CELL * LEADING + PAD
}

fn row_height(cells: &[Vec<String>]) -> f32 {
    lines_height(cells.iter().map(Vec::len).max().unwrap_or_default()).min(PAGE.1 - 2.0 * MARGIN)
}

fn document(title: &str, font: &Embedded, pages: Vec<Content>) -> Vec<u8> {
    let mut last = 0;
    let mut next = || {
        last += 1;
        Ref::new(last)
    };
    let [catalog, tree, info, type0, cid, descriptor, program, cmap] = [(); 8].map(|()| next());
    let ids: Vec<(Ref, Ref)> = pages.iter().map(|_| (next(), next())).collect();
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.document_info(info).title(TextStr(title));
    let count = i32::try_from(ids.len()).unwrap_or(i32::MAX);
    pdf.pages(tree).kids(ids.iter().map(|(page, _)| *page)).count(count);
    for ((page, content), drawn) in ids.iter().zip(pages) {
        let mut sheet = pdf.page(*page);
        sheet.media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).parent(tree).contents(*content);
        sheet.resources().fonts().pair(FONT, type0);
        sheet.finish();
        pdf.stream(*content, &packed(&drawn.finish())).filter(Filter::FlateDecode);
    }
    embed(&mut pdf, font, [type0, cid, descriptor, program, cmap]);
    pdf.finish()
}

fn embed(pdf: &mut Pdf, font: &Embedded, [type0, cid, descriptor, program, cmap]: [Ref; 5]) {
    let name = Name(FONT_NAME);
    pdf.type0_font(type0)
        .base_font(name)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(cid)
        .to_unicode(cmap);
    let mut of = pdf.cid_font(cid);
    of.subtype(if font.is_cff { CidFontType::Type0 } else { CidFontType::Type2 });
    of.base_font(name).system_info(SYSTEM).font_descriptor(descriptor).default_width(0.0);
    if !font.is_cff {
        of.cid_to_gid_map_predefined(Name(b"Identity"));
    }
    let mut widths = of.widths();
    for (glyph, width) in font.glyphs.values() {
        widths.same(*glyph, *glyph, *width);
    }
    widths.finish();
    of.finish();
    let mut flags = FontFlags::SYMBOLIC;
    flags.set(FontFlags::FIXED_PITCH, font.is_fixed);
    let [left, below, right, above] = font.box_;
    let mut described = pdf.font_descriptor(descriptor);
    described.name(name).flags(flags).bbox(Rect::new(left, below, right, above)).italic_angle(0.0);
    described.ascent(font.ascent).descent(font.descent).cap_height(font.ascent).stem_v(80.0);
    if font.is_cff {
        described.font_file3(program);
    } else {
        described.font_file2(program);
    }
    described.finish();
    let bytes = packed(&font.program);
    let mut stream = pdf.stream(program, &bytes);
    stream.filter(Filter::FlateDecode);
    if font.is_cff {
        stream.pair(Name(b"Subtype"), Name(b"CIDFontType0C"));
    }
    stream.finish();
    let mut letters: UnicodeCmap = UnicodeCmap::new(Name(b"Paper"), SYSTEM);
    font.glyphs.iter().for_each(|(letter, (glyph, _))| letters.pair(*glyph, *letter));
    pdf.cmap(cmap, &letters.finish());
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    let written = packed.write_all(bytes).and_then(|()| packed.finish());
    written.expect("memory takes what is written")
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::ZlibDecoder;

    use super::super::font::tests::any;
    use super::*;

    /// The lines that each page shows, by its glyphs and the letters that these are embedded for.
    fn read_back(written: &Written, font: &Font, paper: &Paper) -> Vec<Vec<String>> {
        let letters: BTreeSet<char> = paper.texts().flat_map(|text| clean(text).chars().collect::<Vec<_>>()).collect();
        let glyphs = font.embed(letters.into_iter().chain([GAP, ' '])).expect("it embeds").glyphs;
        let letter = |pair: &[u8]| {
            let glyph = u16::from_be_bytes([pair[0], pair[1]]);
            glyphs.iter().find(|(_, (other, _))| *other == glyph).map_or('\u{fffd}', |(letter, _)| *letter)
        };
        let shown = |stream: &[u8]| -> Vec<String> {
            shown(stream).iter().map(|bytes| bytes.chunks_exact(2).map(letter).collect()).collect()
        };
        streams(&written.bytes)
            .iter()
            .filter(|stream| stream.ends_with(b"Tj\nET"))
            .map(|stream| shown(stream))
            .collect()
    }

    /// The strings that a page shows: `<hexadecimal> Tj`, or `(bytes) Tj` with a mark before what would end them.
    fn shown(stream: &[u8]) -> Vec<Vec<u8>> {
        let (mut found, mut now, mut at) = (Vec::new(), Vec::new(), 0);
        while at < stream.len() {
            match stream[at] {
                b'(' => {
                    now.clear();
                    let mut depth = 1;
                    while depth > 0 {
                        at += 1;
                        match stream[at] {
                            b'\\' => {
                                at += 1;
                                now.push(match stream[at] {
                                    b'n' => b'\n',
                                    b'r' => b'\r',
                                    b't' => b'\t',
                                    b'b' => 8,
                                    b'f' => 12,
                                    b'0'..=b'7' => {
                                        at += 2;
                                        let digits = std::str::from_utf8(&stream[at - 2..=at]).expect("digits");
                                        u8::from_str_radix(digits, 8).expect("an octal number")
                                    }
                                    other => other,
                                });
                            }
                            b')' if depth == 1 => depth = 0,
                            byte => {
                                depth += i32::from(byte == b'(') - i32::from(byte == b')');
                                now.push(byte);
                            }
                        }
                    }
                }
                b'<' => {
                    let end = at + stream[at..].iter().position(|byte| *byte == b'>').expect("its end");
                    let digits = String::from_utf8_lossy(&stream[at + 1..end]).into_owned();
                    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("digits");
                    now = (0..digits.len() / 2).map(|n| byte(2 * n)).collect();
                    at = end;
                }
                b'T' if stream.get(at + 1) == Some(&b'j') => found.push(now.clone()),
                _ => {}
            }
            at += 1;
        }
        found
    }

    fn streams(pdf: &[u8]) -> Vec<Vec<u8>> {
        let find =
            |from: usize, what: &[u8]| pdf[from..].windows(what.len()).position(|at| at == what).map(|at| from + at);
        let (mut found, mut from) = (Vec::new(), 0);
        while let Some(begin) = find(from, b"stream\n").map(|at| at + 7) {
            let end = find(begin, b"endstream").expect("its end");
            let mut bytes = Vec::new();
            if ZlibDecoder::new(&pdf[begin..end]).read_to_end(&mut bytes).is_ok() {
                found.push(bytes);
            }
            from = end + 9;
        }
        found
    }

    #[test]
    fn a_paper_of_many_rows_goes_on_on_further_pages_with_its_heading() {
        let Some(file) = any() else { return };
        let font = Font::find(Some(&file)).expect("a font");
        let rows = (0..120)
            .map(|n| vec![n.to_string(), format!("<b>Name {n}</b> with words that are long enough for two lines")])
            .collect();
        let table = Table { headings: vec!["No.".to_owned(), "Name".to_owned()], widths: vec![1, 4], rows };
        let paper = Paper::new("Roster").with(Block::Table(table)).with(Block::Cut("cut here".to_owned()));
        let written = write(&paper, &font).expect("it is written");
        assert!(written.bytes.starts_with(b"%PDF-") && written.bytes.ends_with(b"%%EOF"));
        assert!(written.missing.is_empty(), "{:?}", written.missing);
        let pages = read_back(&written, &font, &paper);
        assert!(
            pages.len() > 3
                && pages
                    .iter()
                    .all(|page| page.starts_with(&["No.".to_owned(), "Name".to_owned()]) || page[0] == "Roster")
        );
        let all = pages.concat().concat();
        assert!((0..120).all(|n| all.contains(&format!("<b>Name {n}</b>"))), "{all}");
        let whole = heliu_disk::small_file::read(&file, 1 << 28).expect("a file").len();
        assert!(written.bytes.len() < whole.min(200_000), "only what is shown is embedded");
        assert_eq!(write(&paper, &font).expect("again").bytes, written.bytes, "the same paper is the same file");
    }

    #[test]
    fn chinese_lines_end_anywhere_but_before_what_closes_and_a_letter_that_the_font_lacks_is_told() {
        let Some(file) = any() else { return };
        let font = Font::find(Some(&file)).expect("a font");
        let text = "兹有同志系中共正式党员,".repeat(12) + "\u{10fffd}";
        let paper = Paper::new("介绍信").with(Block::Text(text.clone()));
        let written = write(&paper, &font).expect("it is written");
        assert!(written.missing.contains(&'\u{10fffd}'));
        // A machine with no Chinese font tries how lines are parted; what stands for each letter is in the font.
        if !written.missing.contains(&'党') {
            let pages = read_back(&written, &font, &paper);
            let lines = &pages[0][1..];
            assert!(lines.len() > 3 && lines.iter().all(|line| !line.starts_with(',')), "{lines:?}");
            assert_eq!(lines.concat(), text.replace('\u{10fffd}', "?"));
        }
        assert_eq!(pieces("共 12号,ab。").collect::<Vec<_>>(), ["共", " ", "12", "号", ",", "ab", "。"]);
    }
}
