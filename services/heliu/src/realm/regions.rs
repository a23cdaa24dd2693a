//! Region files as people hand them in: in whatever letters, with whatever headings, read from their path into the one form that
//! [`region`] reads, each row on its line; and what is wrong with them told.

use std::path::Path;

use heliu_disk::small_file::{self, BadFile};
use heliu_node::region::{self, FILE_BYTES_MAX, RegionError};
use heliu_record::seats::Seat;
use heliu_trust::id::RealmId;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::reading::cell::{Cell, narrow_all};
use crate::reading::{Document, Unreadable};
use crate::text::say;

/// What people call the columns, by the names that a region file has.
const COLUMNS: [(&str, &[&str]); 3] = [
    ("code", &["代码", "区划代码", "行政区划代码", "统计用区划代码"]),
    ("name", &["名称", "区划名称", "行政区划名称"]),
    ("parent_code", &["上级代码", "上级区划代码", "上级行政区划代码", "父级代码"]),
];

pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = small_file::read(path, FILE_BYTES_MAX as u64).map_err(|why| match why {
        BadFile::TooLong(_) => refused(path, &RegionError::TooLong),
        why => Failure::bad_file(path, &why),
    })?;
    Ok(table(&bytes).unwrap_or(bytes))
}

/// A file that has the columns of a region file, as [`region`] reads it; none: it has not.
pub fn table(bytes: &[u8]) -> Option<Vec<u8>> {
    if region::is_region_file(bytes) && std::str::from_utf8(bytes).is_ok() {
        return Some(bytes.to_vec());
    }
    // A file that breaks a parser ends a thread of its own.
    let read = std::thread::scope(|scope| scope.spawn(|| rewritten(bytes.to_vec())).join());
    let is_broken = region::is_region_file(bytes).then(|| bytes.to_vec());
    read.ok().and_then(Result::ok).flatten().or(is_broken)
}

fn rewritten(bytes: Vec<u8>) -> Result<Option<Vec<u8>>, Unreadable> {
    let score = |cells: &[Cell]| columns(cells).iter().flatten().count();
    let document = Document::open(bytes, "", &score)?;
    let heading = document.head()?.into_iter().find_map(|line| match columns(&line.cells) {
        [Some(code), Some(name), Some(parent)] => Some((line.line, [code, name, parent])),
        _ => None,
    });
    let Some((heading, places)) = heading else { return Ok(None) };
    let (mut text, mut at, mut rest) = (Vec::new(), 1, FILE_BYTES_MAX);
    document.each(&mut |line| {
        if line.line < heading {
            return true;
        }
        // Blank lines take the place of those that are not there, so that every row keeps its number.
        text.resize(text.len() + usize::try_from(line.line.saturating_sub(at)).unwrap_or(0).min(rest), b'\n');
        at = line.line + 1;
        let cell = |place: &usize| line.cells.get(*place).and_then(|cell| cell.text().ok()).unwrap_or_default();
        let values = match line.line {
            heading_line if heading_line == heading => COLUMNS.map(|(name, _)| name.into()),
            _ => places.each_ref().map(cell),
        };
        let mut row = csv::Writer::from_writer(Vec::new());
        let written = row.write_record(values.iter().map(|value| value.as_bytes())).is_ok();
        text.extend(row.into_inner().unwrap_or_default());
        rest = FILE_BYTES_MAX.saturating_sub(text.len());
        written && rest > 0
    })?;
    Ok(Some(text))
}

/// Where each column is in a line of headings.
fn columns(cells: &[Cell]) -> [Option<usize>; 3] {
    let called: Vec<String> =
        cells.iter().map(|cell| cell.text().map(|text| narrow_all(&text)).unwrap_or_default()).collect();
    COLUMNS.map(|(name, others)| {
        let is_it = |called: &String| {
            let called = called.trim_matches(|c: char| c == '*' || c.is_whitespace());
            called == name || others.contains(&called)
        };
        called.iter().position(is_it)
    })
}

/// The seats of a file for a realm; superiors first.
pub fn parse(path: &Path, realm: &RealmId, bytes: &[u8]) -> Result<Vec<Seat>, Failure> {
    region::parse(realm, bytes).map_err(|error| refused(path, &error))
}

/// What is wrong with the file at a path, all of it.
pub fn refused(path: &Path, error: &RegionError) -> Failure {
    let shown = path.display();
    let failure = Failure::new(
        Exit::Usage,
        "regions",
        say!("区划文件 {shown} 不能用,什么也没有写入", "cannot use the region file {shown}; nothing was written"),
    );
    let mut failure = failure.next(say!(
        "改正后重试;列为 代码,名称,上级代码(code,name,parent_code),县没有上级",
        "correct it and try again; the columns are code,name,parent_code (代码,名称,上级代码), and the county has no parent"
    ));
    failure.why = error.words().into_iter().map(Into::into).collect();
    failure
}

#[cfg(test)]
mod tests {
    use encoding_rs::GB18030;

    use super::*;

    /// As one is saved in an office: a title, a heading in Chinese, a blank line, digits of full width.
    const FILE: &str = "鄄城县行政区划表,,\n序号,代码,名称,上级代码\n1,371726000000,鄄城县,\n\n2,３７１７２６１０１０００,什集镇,371726000000\n";

    fn names(bytes: &[u8]) -> Vec<(usize, String)> {
        let table = table(bytes).expect("it has the columns");
        let seats = region::parse_with_lines(&RealmId([0; 16]), &table).expect("it reads");
        seats.into_iter().map(|(line, seat)| (line, format!("{} {}", seat.code, seat.name))).collect()
    }

    #[test]
    fn a_region_file_is_read_in_whatever_letters_and_with_whatever_ends_of_lines_and_heading_it_was_saved() {
        let wanted = [(3, "371726000000 鄄城县".to_owned()), (5, "371726101000 什集镇".to_owned())];
        let english = FILE.replace("代码,名称,上级代码", "code,name,parent_code");
        for text in [FILE, &english] {
            for text in [text.to_owned(), text.replace('\n', "\r\n"), text.replace('\n', "\r"), text.replace(',', "\t")]
            {
                let utf16 = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes));
                for bytes in [
                    text.as_bytes().to_vec(),
                    format!("\u{feff}{text}").into_bytes(),
                    GB18030.encode(&text).0.into_owned(),
                    utf16.collect(),
                ] {
                    assert_eq!(names(&bytes), wanted, "{text:?}");
                }
            }
        }
        // With the plain heading, but not in UTF-8.
        let plain = "code,name,parent_code\r\n371726000000,鄄城县,\r\n";
        assert_eq!(names(&GB18030.encode(plain).0), [(2, "371726000000 鄄城县".to_owned())]);
    }

    #[test]
    fn what_is_no_region_file_is_none_and_a_bad_row_is_told_with_its_line() {
        assert_eq!(table("名称,上级组织\n甲,乙\n".as_bytes()), None);
        assert_eq!(table(b"PK\x03\x04 no workbook"), None);
        let text = table(FILE.replace("什集镇", "").as_bytes()).expect("it has the columns");
        let error = region::parse(&RealmId([0; 16]), &text).expect_err("a name is missing");
        assert!(error.words()[0].zh.starts_with("第 5 行"), "{error:?}");
    }

    #[test]
    fn the_real_files_are_as_they_were() {
        for file in [
            include_bytes!("../../../../deploy/regions/371726.csv").as_slice(),
            include_bytes!("../../../../deploy/regions/330502.csv"),
        ] {
            let text = std::str::from_utf8(file).expect("UTF-8");
            let chinese = text.replace("code,name,parent_code", "区划代码,区划名称,上级区划代码");
            assert_eq!(names(&GB18030.encode(&chinese).0), names(file));
        }
    }
}
