//! Small files that are kept beside a node (keys, certificates, tokens, lists, settings), read in one way: each thing that
//! can be wrong with a file is told as what it is, and what an editor adds on another system changes nothing.

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

use heliu_record::conflict::Explanation;
use heliu_record::reason::{Fact, Reason};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Why a file is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadFile {
    Missing,
    /// It, or a directory on the way to it, belongs to somebody else.
    NotPermitted,
    /// A directory.
    NotAFile,
    Empty,
    /// It has more bytes than any such file.
    TooLong(u64),
    /// Its text is in no encoding that is read here.
    NotText,
    /// The system's word for anything else.
    System(String),
}

impl BadFile {
    #[must_use]
    pub fn of(error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => BadFile::Missing,
            ErrorKind::PermissionDenied => BadFile::NotPermitted,
            ErrorKind::IsADirectory => BadFile::NotAFile,
            ErrorKind::InvalidData => BadFile::NotText,
            _ => BadFile::System(error.to_string()),
        }
    }

    /// As it travels, with the file that it is about.
    #[must_use]
    pub fn reason(&self, file: &str) -> Reason {
        let of = |code| Reason::new(code).and(Fact::File, file);
        match self {
            BadFile::Missing => of("file.missing"),
            BadFile::NotPermitted => of("file.not-permitted"),
            BadFile::NotAFile => of("file.not-a-file"),
            BadFile::Empty => of("file.empty"),
            BadFile::TooLong(max) => of("file.too-long").and(Fact::Bytes, max),
            BadFile::NotText => of("file.not-text"),
            BadFile::System(why) => of("file.system").and(Fact::System, why),
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn what(&self) -> Explanation {
        match self {
            BadFile::Missing => Explanation::new("没有这个文件", "there is no such file"),
            BadFile::NotPermitted => Explanation::new("当前用户没有权限读它", "this user may not read it"),
            BadFile::NotAFile => Explanation::new("它是目录,不是文件", "it is a directory, not a file"),
            BadFile::Empty => Explanation::new("它是空的", "it is empty"),
            BadFile::TooLong(max) => {
                Explanation::new(format!("它超过 {max} 字节"), format!("it has more than {max} bytes"))
            }
            BadFile::NotText => Explanation::new("它不是 UTF-8 文字", "it is not text in UTF-8"),
            BadFile::System(why) => {
                Explanation::new(format!("系统原话:“{why}”"), format!("in the system's words: \"{why}\""))
            }
        }
    }

    /// What to do about it; empty if there is nothing to say.
    #[must_use]
    pub fn next(&self) -> Explanation {
        match self {
            BadFile::Missing => Explanation::new("请核对路径", "check the path"),
            BadFile::NotPermitted => Explanation::new(
                "请以它的属主运行(如 sudo -u 属主),或检查文件和各级目录的属主与权限",
                "run this as its owner (as with sudo -u OWNER), or check who owns the file and the directories above it, and \
                 their modes",
            ),
            BadFile::NotAFile => Explanation::new("请写出其中的文件", "name the file in it"),
            BadFile::NotText => Explanation::new("请另存为 UTF-8", "save it as UTF-8"),
            BadFile::Empty | BadFile::TooLong(_) => {
                Explanation::new("请核对是不是这个文件", "check that this is the right file")
            }
            BadFile::System(_) => Explanation::new("", ""),
        }
    }
}

impl fmt::Display for BadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what().en)
    }
}

impl std::error::Error for BadFile {}

/// All of a file that has at most so many bytes, and at least one.
pub fn read(path: &Path, max: u64) -> Result<Vec<u8>, BadFile> {
    let file = File::open(path).map_err(|error| BadFile::of(&error))?;
    read_from(&file, max)
}

/// As [`read`], of a file that is open.
pub fn read_from(file: &File, max: u64) -> Result<Vec<u8>, BadFile> {
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(BadFile::NotAFile);
    }
    let mut bytes = Vec::new();
    file.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| BadFile::of(&error))?;
    match bytes.len() as u64 {
        0 => Err(BadFile::Empty),
        long if long > max => Err(BadFile::TooLong(max)),
        _ => Ok(bytes),
    }
}

/// The text of a file, whatever system its editor was made for.
pub fn read_text(path: &Path, max: u64) -> Result<String, BadFile> {
    text(read(path, max)?)
}

/// Text without the mark that some editors put in front, with lines that end in one way, and without blanks at their ends.
pub fn text(bytes: Vec<u8>) -> Result<String, BadFile> {
    let bytes = match bytes.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => rest.to_vec(),
        None => bytes,
    };
    let text = String::from_utf8(bytes).map_err(|_| BadFile::NotText)?;
    if text.trim().is_empty() {
        return Err(BadFile::Empty);
    }
    if !text.contains('\r') && !text.lines().any(|line| line.ends_with([' ', '\t'])) {
        return Ok(text);
    }
    let mut lines: String = text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
    if !text.ends_with('\n') {
        lines.pop();
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_can_be_wrong_with_a_file_is_told_as_what_it_is() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = folder.path().join("x");
        let with = |bytes: &[u8]| {
            std::fs::write(&file, bytes).expect("it is ours");
            read_text(&file, 16)
        };
        assert_eq!(read_text(&folder.path().join("none"), 16), Err(BadFile::Missing));
        assert_eq!(read_text(folder.path(), 16), Err(BadFile::NotAFile));
        assert_eq!([with(b""), with(b" \r\n")], [Err(BadFile::Empty), Err(BadFile::Empty)]);
        assert_eq!(with(&[b'x'; 17]), Err(BadFile::TooLong(16)));
        assert_eq!(with(b"\xd0\xd5"), Err(BadFile::NotText));
        assert_eq!(BadFile::of(&ErrorKind::PermissionDenied.into()), BadFile::NotPermitted);
        assert_eq!(read_text(&file.join("below"), 16), Err(BadFile::Missing));
        let all = [BadFile::Missing, BadFile::NotPermitted, BadFile::NotAFile, BadFile::Empty, BadFile::NotText];
        assert!(all.iter().all(|bad| !bad.what().zh.is_empty() && !bad.next().en.is_empty()));
    }

    #[test]
    fn what_an_editor_of_another_system_adds_changes_nothing() {
        for same in ["\u{feff}a = 1\r\nb\r\n", "a = 1 \t\nb\n", "a = 1\nb\n"] {
            assert_eq!(text(same.as_bytes().to_vec()).as_deref(), Ok("a = 1\nb\n"), "{same:?}");
        }
        assert_eq!(text(b"a\r\nb".to_vec()).as_deref(), Ok("a\nb"));
    }
}
