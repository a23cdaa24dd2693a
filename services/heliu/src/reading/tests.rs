//! Files as they come: from several programs, in several letters, and made to do harm.

use std::io::Write as _;

use encoding_rs::GB18030;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

use super::cell::Cell;
use super::*;

/// How many cells have a name: the more, the better it is separated.
fn score(cells: &[Cell]) -> usize {
    cells.iter().filter(|cell| ["name", "branch", "姓名", "支部"].iter().any(|name| **cell == Cell::of(name))).count()
}

fn lines(bytes: impl Into<Vec<u8>>) -> Result<Vec<(u64, Vec<String>)>, Unreadable> {
    let document = Document::open(bytes.into(), "", &score)?;
    let mut lines = Vec::new();
    document.each(&mut |line| {
        let text = |cell: &Cell| cell.text().map_or_else(|why| format!("! {}", why.en), std::borrow::Cow::into_owned);
        lines.push((line.line, line.cells.iter().map(text).collect()));
        true
    })?;
    Ok(lines)
}

#[track_caller]
fn fault(bytes: impl Into<Vec<u8>>) -> Unreadable {
    lines(bytes).expect_err("it cannot be read")
}

#[test]
fn a_table_is_read_in_whatever_letters_and_with_whatever_line_ends_it_was_saved() {
    let text = "姓名,支部\n赵六,甲村党支部\n\n“钱七”,乙村\n";
    let wanted = lines(text).expect("it is UTF-8");
    assert_eq!((wanted.len(), wanted[2].0), (3, 4), "an empty line counts, and is no row");
    let tabs = text.replace(',', "\t");
    let utf16 = [0xff, 0xfe].into_iter().chain(tabs.encode_utf16().flat_map(u16::to_le_bytes));
    let files: [(&str, Vec<u8>); 6] = [
        ("a mark in front", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("GB18030", GB18030.encode(text).0.into_owned()),
        ("CRLF", text.replace('\n', "\r\n").into_bytes()),
        ("CR", text.replace('\n', "\r").into_bytes()),
        ("semicolons", text.replace(',', ";").into_bytes()),
        ("Excel's Unicode text", utf16.collect()),
    ];
    for (sort, bytes) in files {
        assert_eq!(lines(bytes).as_ref(), Ok(&wanted), "{sort}");
    }
}

#[test]
fn a_text_that_is_cut_or_spoilt_is_refused_and_not_shown_in_wrong_letters() {
    let mut cut = "姓名,支部\n赵六,甲村党支部\n钱七,乙村党支部\n".as_bytes().to_vec();
    cut.truncate(cut.len() - 2);
    let why = fault(cut);
    assert!(why.line == 3 && why.reason.en.contains("UTF-8"), "{why:?}");
    let mut spoilt = GB18030.encode("姓名,支部\n赵六,甲村").0.into_owned();
    spoilt.push(0xff);
    assert!(fault(spoilt).reason.en.contains("GB18030"));
    assert!(fault(b"a\0b".to_vec()).reason.en.contains("not a file of text"));
    assert!(fault(Vec::new()).reason.en.contains("empty"));
    assert!(fault([0xd0, 0xcf, 0x11, 0xe0, 0xa1].to_vec()).reason.zh.contains(".xls"));
}

#[test]
fn blanks_full_width_and_what_cannot_be_seen_are_put_right_and_what_a_program_ruined_is_refused() {
    let read = |text: &str| match Cell::of(text) {
        Cell::Text(text) => text,
        other => format!("{other:?}"),
    };
    for (written, meant) in [
        ("\u{3000}赵六\u{a0} ", "赵六"),
        ("赵\u{200b}六", "赵六"),
        ("\u{feff}D\u{200b}001\u{200e}", "D001"),
        ("Ｄ００１", "D001"),
        ("红船镇（北）党支部", "红船镇（北）党支部"),
        ("a\u{2003}\u{3000}b", "a b"),
        ("Jose\u{301}", "Jos\u{e9}"),
    ] {
        assert_eq!(read(written), meant, "{written:?}");
    }
    for blank in ["", " ", "\u{3000}", "\u{200b}\u{feff}", "\u{a0}\u{2003}"] {
        assert_eq!(Cell::of(blank), Cell::Empty, "{blank:?}");
    }
    assert_eq!(cell::unspread("赵 六"), "赵六");
    assert_eq!(cell::unspread("Open Hours 赵"), "Open Hours 赵");
    for ruined in ["3.71726E+17", "1.38E+10", "#N/A", "#REF!", "#######", "a\u{7}b"] {
        assert!(matches!(Cell::of(ruined), Cell::Fault(_)), "{ruined}");
    }
    for good in ["E+17号楼", "3E10", "#1", "A#3"] {
        assert_eq!(read(good), good);
    }
    assert!(matches!(Cell::of("赵\n六"), Cell::Lines(text) if text == "赵 六"));
}

fn saved(make: impl FnOnce(&mut Workbook)) -> Vec<u8> {
    let mut book = Workbook::new();
    make(&mut book);
    book.save_to_buffer().expect("it is written")
}

#[test]
fn a_workbook_says_what_was_saved_in_it_also_under_merged_cells_and_beside_formulas() {
    let bytes = saved(|book| {
        let day = Format::new().set_num_format("yyyy-mm-dd");
        let sheet = book.add_worksheet();
        let _ = sheet.set_name("党员").expect("a name");
        sheet.merge_range(0, 0, 0, 3, "党员花名册", &Format::new()).expect("a title");
        for (column, name) in ["姓名", "支部", "入党日期", "电话"].into_iter().enumerate() {
            sheet.write(1, column as u16, name).expect("it fits");
        }
        sheet.merge_range(2, 1, 3, 1, "甲村党支部", &Format::new()).expect("one branch");
        sheet.write(2, 0, "赵六").expect("it fits");
        let date = ExcelDateTime::from_ymd(2001, 7, 1).expect("a day");
        sheet.write_with_format(2, 2, &date, &day).expect("it fits");
        sheet.write(2, 3, 13_800_000_001.0).expect("it fits");
        sheet.write(3, 0, "钱七").expect("it fits");
        sheet.write(3, 3, rust_xlsxwriter::Formula::new("=1+1").set_result("13800000002")).expect("it fits");
        sheet.write(5, 0, 371_726_198_507_150_018.0).expect("it fits");
        let other = book.add_worksheet();
        other.write(0, 0, "别的").expect("it fits");
    });
    let document = Document::open(bytes.clone(), "", &score).expect("it opens");
    assert!(document.told().en.contains("\"党员\"") && document.told().en.contains("Sheet2"), "{:?}", document.told());
    let rows = lines(bytes.clone()).expect("it reads");
    assert_eq!(rows[0], (1, vec!["党员花名册".to_owned()]));
    assert_eq!(rows[2], (3, ["赵六", "甲村党支部", "2001-07-01", "13800000001"].map(str::to_owned).to_vec()));
    assert_eq!(rows[3], (4, ["钱七", "甲村党支部", "", "13800000002"].map(str::to_owned).to_vec()));
    assert!(rows[4].0 == 6 && rows[4].1[0].contains("its digits are lost"), "{:?}", rows[4]);
    assert!(
        Document::open(bytes.clone(), "没有", &score)
            .is_err_and(|why| why.reason.en.contains("there are: 党员, Sheet2"))
    );
    assert!(Document::open(bytes, "Sheet2", &score).is_ok());
}

#[test]
fn a_small_file_that_unpacks_to_a_mountain_or_a_line_of_a_million_columns_is_refused_at_once() {
    let mut bytes = Vec::new();
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(&mut bytes));
    let packed = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    archive.start_file("xl/worksheets/sheet1.xml", packed).expect("a part");
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..300 {
        archive.write_all(&zeros).expect("it is written");
    }
    archive.finish().expect("it is whole");
    assert!(bytes.len() < 1 << 20, "{}", bytes.len());
    let why = fault(bytes);
    assert!(why.reason.en.contains("256 MiB"), "{why:?}");
    assert!(fault(b"PK\x03\x04 is no workbook".to_vec()).reason.en.contains("not a valid workbook"));
    assert!(fault(format!("name{}\n", ",".repeat(1_000_000))).reason.en.contains("1024 columns"));
    let long = lines(format!("name,branch\n{},b\n", "甲".repeat(40_000))).expect("the line itself reads");
    assert!(long[1].1[0].contains("a quote that was not closed"), "{:?}", long[1].0);
}
