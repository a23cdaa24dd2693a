//! Region files as people hand them in: read, and every bad row told with its line, in both languages.

use std::path::Path;

use heliu_disk::small_file::{self, BadFile};
use heliu_record::seats::Seat;
use heliu_trust::id::RealmId;
use heliu_trust::region::{self, FILE_BYTES_MAX, ROWS_MAX, RegionError, RowError};

use crate::failure::{Exit, Failure};
use crate::text::{Say, say};

pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    small_file::read(path, FILE_BYTES_MAX as u64).map_err(|why| match why {
        BadFile::TooLong(_) => refused(path, &RegionError::TooLong(FILE_BYTES_MAX + 1)),
        why => Failure::bad_file(path, &why),
    })
}

/// The seats of a file for a realm; superiors first.
pub fn parse(path: &Path, realm: &RealmId, bytes: &[u8]) -> Result<Vec<Seat>, Failure> {
    region::parse(realm, bytes).map_err(|error| refused(path, &error))
}

fn refused(path: &Path, error: &RegionError) -> Failure {
    let shown = path.display();
    let failure = Failure::new(
        Exit::Usage,
        "regions",
        say!("区划文件 {shown} 不能用,什么也没有写入", "cannot use the region file {shown}; nothing was written"),
    );
    let mut failure = failure.next(say!(
        "改正后重试;列为 code,name,parent_code,县没有上级",
        "correct it and try again; the columns are code,name,parent_code, and the county has no parent"
    ));
    failure.why = match error {
        RegionError::TooLong(_) => {
            vec![say!("文件超过 {FILE_BYTES_MAX} 字节", "it has more than {FILE_BYTES_MAX} bytes")]
        }
        RegionError::TooManyRows => vec![say!("超过 {ROWS_MAX} 行", "it has more than {ROWS_MAX} rows")],
        RegionError::Header => {
            vec![say!("第 1 行不是 code,name,parent_code", "line 1 is not code,name,parent_code")]
        }
        RegionError::NoCounty => {
            vec![say!("每一行都有上级,所以没有县", "every row has a parent, so there is no county")]
        }
        RegionError::Rows(rows) => rows.iter().map(|row| bad_row(row.line, &row.reason)).collect(),
    };
    failure
}

fn bad_row(line: usize, reason: &RowError) -> Say {
    let zh = match reason {
        RowError::NotUtf8 => "不是 UTF-8 文字".to_owned(),
        RowError::Fields => "不是 code,name,parent_code 三列".to_owned(),
        RowError::Code(code) => format!("“{code}”不是 12 位代码"),
        RowError::Name => "名称为空、太长,或含控制字符或看不见的字符".to_owned(),
        RowError::CodeTwice { code, line } => format!("代码 {code} 在第 {line} 行已经有了"),
        RowError::NoParent(parent) => format!("上级 {parent} 不在文件中"),
        RowError::SecondCounty { line } => format!("没有上级,而县在第 {line} 行"),
        RowError::Cycle => "它的上级绕成了圈,到不了县".to_owned(),
        RowError::TooDeep => "它在村以下".to_owned(),
    };
    say!("第 {line} 行:{zh}", "line {line}: {reason}")
}
