//! What is typed, or where it is: a value of an argument may be in a file, come from standard input, or be asked for
//! without showing it. What is typed on a command line can be seen by everybody on the machine while it runs, and stays in
//! the shell's history: no secret has to be.

use std::io::{BufRead as _, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use heliu_disk::small_file::{self, BadFile};

use crate::failure::Failure;
use crate::out::{Stream, complain};
use crate::text::{clean, say, tr};

/// Longer values are none.
const BYTES_MAX: u64 = 64 * 1024;

/// An argument as it stands on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    Typed(String),
    /// `-`
    Stdin,
    /// `@FILE`
    File(PathBuf),
}

impl Given {
    /// A value that begins with `@` itself has a second one before it.
    pub fn of(text: &str) -> Self {
        match text.strip_prefix('@') {
            _ if text == "-" => Given::Stdin,
            Some(literal) if literal.starts_with('@') => Given::Typed(literal.to_owned()),
            Some(file) => Given::File(PathBuf::from(file)),
            None => Given::Typed(text.to_owned()),
        }
    }

    /// The value, without the line break at its end.
    pub fn value(&self) -> Result<String, Failure> {
        match self {
            Given::Typed(text) => Ok(text.clone()),
            Given::Stdin => {
                limited(&mut std::io::stdin().lock()).map_err(|why| Failure::bad_file(Path::new("-"), &why))
            }
            Given::File(path) => of_file(path).map_err(|why| Failure::bad_file(path, &why)),
        }
    }
}

/// A file that holds one value, and perhaps a secret one.
pub fn of_file(path: &Path) -> Result<String, BadFile> {
    let mut file = std::fs::File::open(path).map_err(|error| BadFile::of(&error))?;
    if let Ok(Some(mode)) = heliu_disk::open_to_others(path) {
        let shown = clean(&path.display().to_string());
        complain(&tr!(
            "注意:{shown} 的权限是 {mode:03o},本机其他用户也能用;若内容是秘密,请运行 chmod 600 {shown}\n",
            "note: {shown} has mode {mode:03o}, so others on this machine can use it; if it holds a secret, run chmod 600 {shown}\n"
        ));
    }
    limited(&mut file)
}

fn limited(reader: &mut dyn Read) -> Result<String, BadFile> {
    let mut bytes = Vec::new();
    reader.take(BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| BadFile::of(&error))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(BadFile::TooLong(BYTES_MAX));
    }
    let text = small_file::text(bytes)?;
    Ok(text.strip_suffix('\n').map_or_else(|| text.clone(), str::to_owned))
}

/// Whether there is somebody who can be asked.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal() && Stream::Err.is_terminal()
}

/// Asks for a value at the terminal, without showing what is typed.
pub fn ask(name: &str) -> Result<String, Failure> {
    if !can_ask() {
        return Err(Failure::usage(say!(
            "没有终端,无法询问 {name}",
            "there is no terminal at which to ask for {name}"
        ))
        .next(say!("可写 {name}=-(标准输入)或 {name}=@文件", "write {name}=- for standard input, or {name}=@FILE")));
    }
    let failed = |error: std::io::Error| Failure::file(Path::new("-"), &error);
    let _ = Stream::Err.write(&tr!("{name}(不显示):", "{name} (not shown): "));
    let hidden = hide()?;
    let mut text = String::new();
    let read = std::io::stdin().lock().take(BYTES_MAX).read_line(&mut text);
    drop(hidden);
    complain("\n");
    read.map_err(failed)?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// The terminal as it was; it is so again when this is dropped.
#[cfg(unix)]
struct Hidden(rustix::termios::Termios);

#[cfg(unix)]
fn hide() -> Result<Hidden, Failure> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let failed = |error: rustix::io::Errno| Failure::file(Path::new("-"), &error.into());
    let before = tcgetattr(std::io::stdin()).map_err(failed)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(std::io::stdin(), OptionalActions::Flush, &silent).map_err(failed)?;
    Ok(Hidden(before))
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Now, &self.0);
    }
}

#[cfg(not(unix))]
fn hide() -> Result<(), Failure> {
    Err(Failure::usage(say!("本系统上不能不显示地键入", "on this system nothing can be typed without showing it")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_typed_or_in_a_file_or_comes_from_standard_input() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = folder.path().join("value");
        std::fs::write(&file, "\u{feff}11010119900307000X\r\n").expect("it is ours");
        let value = |text: &str| Given::of(text).value().expect("it reads");
        assert_eq!(value(&format!("@{}", file.display())), "11010119900307000X");
        assert_eq!([value("甲"), value("@@甲"), value("--"), value("")], ["甲", "@甲", "--", ""]);
        assert_eq!(Given::of("-"), Given::Stdin);
        assert_eq!(Given::of("@/nowhere").value().expect_err("it is not there").code, "file");
        std::fs::write(&file, "x".repeat(70_000)).expect("it is ours");
        assert_eq!(of_file(&file).expect_err("it is too long"), BadFile::TooLong(BYTES_MAX));
    }
}
