//! A roster as a township has it goes in, comes out as a workbook, is corrected in one cell, and goes in again.

use calamine::{Data, Reader as _, Xlsx, open_workbook};
use encoding_rs::GB18030;
use end_to_end::command_line::heliu;
use rust_xlsxwriter::Workbook;

use super::{Office, refused};

/// Title line, mixed dates, full width, two of one name, blank lines; all persons are made up.
const ROSTER: &str = "什集镇党员花名册,,,,,,,\r\n\
    填报单位：什集镇,,,,,,2026年1月,\r\n\
    序号,党员姓名,党支部,党员编号,入党时间,出生年月日,联系电话,备注\r\n\
    1,张 伟,甲村党支部,Ｓ００１,1998.7.1,1975-03-04,13800000001,\r\n\
    2,张伟,甲村党支部,S002,1998年7月1日,1979/11/20,13800000002,与上同名\r\n\
    3,李　娜,乙村党支部,S003,２００１-０７-０１,19790115,+8613800000003,\r\n\
    ,,,,,,,\r\n\
    4,王\u{200b}芳,乙村党支部,S004,36708,1980.2.29,,\r\n\
    5,赵六,丙村党支部,S005,2001/7/1,,,\r\n\
    6,钱七,甲村党支部,S006,1985年7月,,,\r\n\
    7,孙八,甲村党支部,S003,2001-07-01,,,\r\n\
    8,周九,甲村党支部,S008,2030-02-30,,,\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_roster_goes_in_by_its_preview_comes_out_as_a_workbook_and_one_corrected_cell_is_one_correction() {
    let office = Office::open().await;
    let roster = office.write("花名册.csv", GB18030.encode(ROSTER).0);
    let import = |flags: &[&'static str]| [&["import", "党员", roster.as_str(), "--skip-unknown"], flags].concat();
    let told = office.says(&import(&["--dry-run", "--json"])).await.exits(2).json();
    // Somebody who sees nothing else knows what becomes of every row.
    let outcomes: Vec<(u64, &str)> = told["plan"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| (row["line"].as_u64().unwrap_or(0), row["outcome"].as_str().unwrap_or("")))
        .collect();
    let refused_lines: Vec<(u64, String)> =
        refused(&told).into_iter().map(|(line, column, _)| (line, column)).collect();
    let column = |line: u64, name: &str| (line, name.to_owned());
    assert_eq!(
        refused_lines,
        [column(9, "branch"), column(10, "joined_on"), column(11, ""), column(12, "joined_on")],
        "{told}"
    );
    assert_eq!(
        outcomes.iter().filter(|row| row.1 == "created").map(|row| row.0).collect::<Vec<_>>(),
        [4, 5, 6, 8],
        "{told}"
    );
    let shown = office.says(&import(&["--dry-run"])).await.exits(2);
    let shown = shown
        .answers("GB18030")
        .answers("heading on line 3")
        .answers("备注")
        .answers("4 created, 0 updated, 0 unchanged, 4 refused");
    let _ = shown.complains("line 10: joined_on: \"1985年7月\"").complains("--month").complains("丙村党支部");
    assert_eq!(office.members().await, 0);
    let _ = office.says(&import(&[])).await.exits(2).complains("nothing was imported");
    assert_eq!(office.members().await, 0);

    // The month is said, and the rest comes in without those that are wrong.
    let _ = office
        .says(&import(&["--skip-bad", "--month", "first"]))
        .await
        .exits(4)
        .answers("5 created")
        .complains("3 rows were not imported");
    assert_eq!(office.members().await, 5);
    let _ = office
        .says(&import(&["--skip-bad", "--month", "first"]))
        .await
        .exits(4)
        .answers("0 created, 0 updated, 5 unchanged");

    // Out and in again, in both sorts: nothing changes.
    let path = |name: &str| office.realm.folder().join(name).to_str().expect("plain").to_owned();
    for name in ["out.xlsx", "out.csv"] {
        let file = path(name);
        let flags = ["export", "members", "-o", &file, "--reveal", "--why", "yearly check", "--lang", "zh"];
        let _ = office.says(&flags).await.exits(0).answers("5 行");
        let _ = office.says(&flags).await.exits(1).complains("File exists");
        let _ = office.says(&["import", "members", &file]).await.exits(0).answers("0 created, 0 updated, 5 unchanged");
    }
    let csv = std::fs::read_to_string(path("out.csv")).expect("it is there");
    assert!(csv.starts_with("\u{feff}姓名,所在支部,") && csv.contains(",'+8613800000003,"), "{csv}");

    // One cell is corrected in the workbook, as a spreadsheet would save it.
    let mut book: Xlsx<_> = open_workbook(path("out.xlsx")).expect("it opens");
    assert_eq!(book.sheet_names(), ["Sheet1", "可填的词"]);
    let sheet = book.worksheet_range("Sheet1").expect("it is there");
    let mut corrected = Workbook::new();
    let out = corrected.add_worksheet();
    for (row, column, value) in sheet.used_cells() {
        let (row, column) = (row as u32, column as u16);
        match value {
            Data::String(text) if text == "李娜" => drop(out.write(row, column, "李丽娜").expect("it fits")),
            Data::DateTime(day) => drop(out.write(row, column, day.as_f64()).expect("it fits")),
            value => drop(out.write(row, column, value.to_string()).expect("it fits")),
        }
    }
    corrected.save(path("corrected.xlsx")).expect("it is written");
    let corrected = path("corrected.xlsx");
    let told = office.says(&["import", "members", &corrected, "--dry-run"]).await.exits(0);
    let _ = told.answers("李娜 -> 李丽娜").answers("0 created, 1 updated, 4 unchanged");
    let _ = office.says(&["import", "members", &corrected]).await.exits(0).answers("0 created, 1 updated, 4 unchanged");
    let li = office.member("李丽娜").await;
    let history = office.desk.history(&li).await.expect("it is here");
    assert_eq!((history.len(), history[1].puts.len(), history[1].command.as_str()), (2, 1, "record.update"));
    let _ = office.says(&["import", "members", &corrected]).await.exits(0).answers("0 created, 0 updated, 5 unchanged");

    // All of it has come to the county, where the same roster changes nothing, sealed or not; and other kinds go there and back.
    office.is_equal().await;
    let county = office.realm.dir("C");
    let at_county = ["import", "党员", &corrected, "--dir", &county];
    let _ = heliu(&at_county)
        .await
        .exits(0)
        .answers("0 created, 0 updated, 5 unchanged")
        .answers("is sealed and you may not read it");
    let orgs = path("orgs.xlsx");
    let _ = heliu(&["export", "orgs", "-o", &orgs, "--dir", &county]).await.exits(0).answers("2 rows");
    let _ =
        heliu(&["import", "orgs", &orgs, "--dir", &county]).await.exits(0).answers("0 created, 0 updated, 2 unchanged");
    let template = path("template.csv");
    let _ = office.says(&["template", "members", "-o", &template, "--lang", "zh"]).await.exits(0);
    let _ = office
        .says(&["import", "members", &template])
        .await
        .exits(2)
        .complains("a line of column names and nothing else");
}
