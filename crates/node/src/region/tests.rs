//! Region files, real, careless and hostile.

use std::collections::BTreeSet;

use heliu_trust::directory::{Directory, Item, SignedEntry};
use heliu_trust::ed25519::{Ed25519, Ed25519Key};
use heliu_trust::id::realm_id;
use heliu_trust::signature::Signer;

use super::*;

const REALM: RealmId = RealmId([7; 16]);

fn parse_text(rows: &str) -> Result<Vec<Seat>, RegionError> {
    parse(&REALM, format!("code,name,parent_code\n{rows}").as_bytes())
}

fn bad_rows(rows: &str) -> Vec<(usize, RowError)> {
    match parse_text(rows) {
        Err(RegionError::Rows(bad)) => bad.into_iter().map(|row| (row.line, row.reason)).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn seats_are_added_to_a_tree_in_any_order_and_every_bad_row_is_told() {
    let mut tree = Seats::default();
    parse_text("371726000000,县,\n371726101000,镇,371726000000").expect("it is good").into_iter().for_each(|seat| {
        tree.add(seat).expect("it is new");
    });
    let more = |rows: &str| parse_more(&REALM, format!("code,name,parent_code\n{rows}").as_bytes(), &tree);
    let rows = "371726102201,新村,371726102000\n371726102000,新镇,371726000000\n371726101202,乙村,371726101000";
    let added = more(rows).expect("it is good");
    assert_eq!((count(&added, Tier::Township), count(&added, Tier::Village)), (1, 2));
    let bad = more("371726103201,孤村,371726103000\n371726000001,县二,\n371726101203,丙,371726101000");
    assert!(matches!(&bad, Err(RegionError::Rows(bad)) if bad.len() == 2), "{bad:?}");
}

fn count(seats: &[Seat], tier: Tier) -> usize {
    seats.iter().filter(|seat| seat.tier == tier).count()
}

#[test]
fn the_two_real_counties_become_trees() {
    let juancheng = parse(&REALM, include_bytes!("../../../../deploy/regions/371726.csv")).expect("reads");
    assert_eq!(
        [Tier::County, Tier::Township, Tier::Village].map(|tier| count(&juancheng, tier)),
        [1, 17, 391],
        "鄄城县"
    );
    let wuxing = parse(&REALM, include_bytes!("../../../../deploy/regions/330502.csv")).expect("reads");
    assert_eq!((wuxing[0].name.as_str(), wuxing.len()), ("吴兴区", 387));
    for seats in [juancheng, wuxing] {
        let mut before = BTreeSet::new();
        for seat in &seats {
            assert!(seat.parent.is_none_or(|parent| before.contains(&parent)), "parents first: {seat:?}");
            before.insert(seat.id);
        }
    }
}

#[test]
fn a_whole_real_county_fits_one_entry() {
    let (root, issuer) = (Ed25519Key::from_seed([7; 32]), Ed25519Key::from_seed([8; 32]));
    let realm = realm_id(&root.public_key(), "371726");
    let seats = parse(&realm, include_bytes!("../../../../deploy/regions/371726.csv")).expect("reads");
    let mut directory = Directory::new(realm, root.public_key());
    let issuer = Item::Issuer { key: issuer.public_key() };
    let items = seats.into_iter().map(Item::Seat).chain([issuer]).collect();
    let entry = directory.draft(items, 0, &[&root]).expect("drafts");
    directory.append(&entry, &Ed25519).expect("appends");
    let bytes = entry.encode();
    assert_eq!(SignedEntry::decode(&bytes), Ok(entry));
    assert!(bytes.len() < 40_000, "{}", bytes.len());
}

#[test]
fn villages_may_come_before_their_township() {
    let file = "371726101201,甲村,371726101000\n371726101000,什集镇,371726000000\n371726000000,鄄城县,\n";
    let names: Vec<String> = parse_text(file).expect("reads").into_iter().map(|seat| seat.name).collect();
    assert_eq!(names, ["鄄城县", "什集镇", "甲村"]);
}

#[test]
fn what_spreadsheets_write_is_read() {
    let file = "\u{feff}code,name,parent_code\r\n371726000000,\"Juancheng, \"\"Heze\"\"\",\r\n\r\n";
    assert_eq!(parse(&REALM, file.as_bytes()).expect("reads")[0].name, "Juancheng, \"Heze\"");
}

#[test]
fn the_columns_are_known_however_a_spreadsheet_writes_them() {
    for file in
        ["code,name,parent_code\n", "\u{feff}\"code\",\"name\",\"parent_code\"\r\n1", "\n code , name , parent_code"]
    {
        assert!(is_region_file(file.as_bytes()), "{file}");
    }
    // The last has the old ends of lines, which nobody writes: all of it is one line.
    for file in
        ["", "name,branch\n", "code,name\n", "code,name,parent_code,x\n", "code,name,parent_code\r371726000000,县,\r"]
    {
        assert!(!is_region_file(file.as_bytes()), "{file}");
        assert_eq!(parse(&REALM, file.as_bytes()), Err(RegionError::Header));
    }
}

#[test]
fn what_is_wrong_is_told_in_both_languages_each_row_with_its_line() {
    let error =
        parse_text("371726000000,县,\n1,甲,371726000000\n371726101000,乙,371799000000\n").expect_err("it is wrong");
    let words: Vec<_> =
        error.words().into_iter().map(|words| (words.zh.into_string(), words.en.into_string())).collect();
    let told = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
    assert_eq!(
        words,
        [
            told("第 3 行:“1”不是 12 位代码", "line 3: \"1\" is not a code of 12 digits"),
            told("第 4 行:上级 371799000000 不在文件中", "line 4: its parent 371799000000 is not in the file"),
        ]
    );
}

#[test]
fn a_quote_that_is_not_closed_spoils_its_own_line_alone() {
    let bad = bad_rows(
        "371726000000,县,\n371726101000,\"甲,371726000000\n371726102000,\"乙\"\"\",371726000000\n3717,丙\",371726000000\n",
    );
    assert_eq!(bad, [(3, RowError::Fields), (5, RowError::Fields)]);
    assert_eq!(
        bad_rows("371726000000,县\r,\n"),
        [(2, RowError::Fields)],
        "nor is a lone carriage return an end of line"
    );
}

#[test]
fn every_bad_row_is_told_with_its_line() {
    let bad = bad_rows(
        "371726000000,鄄城县,\n\
         371726101000,什集镇,371726000000\n\
         371726101000,什集镇又,371726000000\n\
         37172610,短,371726000000\n\
         371726102000,,371726000000\n\
         371726103000,孤儿,371799000000\n\
         371726103201,孤儿之子,371726103000\n\
         371727000000,外县,\n\
         371726104000,缺列\n\
         371726105000,\"未闭合,371726000000\n\
         371726101201,甲村,371726101000\n\
         371726101299,太深,371726101201\n",
    );
    let lines: Vec<usize> = bad.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [4, 5, 6, 7, 9, 10, 11, 13], "{bad:?}");
    assert_eq!(bad[0].1, RowError::CodeTwice { code: "371726101000".to_owned(), line: 3 });
    assert_eq!(bad[4].1, RowError::SecondCounty { line: 2 });
    assert_eq!(bad[7].1, RowError::TooDeep);
}

#[test]
fn a_circle_is_not_a_tree() {
    let circle = "371726000000,县,\n371726101000,甲,371726102000\n371726102000,乙,371726101000\n";
    assert_eq!(bad_rows(circle), [(3, RowError::Cycle), (4, RowError::Cycle)]);
}

#[test]
fn hostile_files_are_refused_early() {
    assert_eq!(parse(&REALM, b"\xff\xfe"), Err(RegionError::Header));
    assert_eq!(parse_text(""), Err(RegionError::NoCounty));
    assert_eq!(parse_text(&"x\n".repeat(ROWS_MAX + 1)), Err(RegionError::TooManyRows));
    assert_eq!(parse(&REALM, &vec![b'x'; FILE_BYTES_MAX + 1]), Err(RegionError::TooLong));
    assert_eq!(bad_rows("371726000000,\u{7},"), [(2, RowError::Name)]);
}
