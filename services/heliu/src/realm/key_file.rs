//! Private keys on disk: one line of text, readable by its owner alone. A key that others can read is refused, as ssh
//! does, since whoever has read it can act in its owner's name.

use std::path::Path;

use heliu_disk::small_file;
use heliu_record::id::{from_hex, to_hex};
use heliu_trust::ed25519::Ed25519Key;
use heliu_trust::seal::SealingSecret;

use super::write_new;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::say;

/// A key is one line.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// What a key is for; the first word of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Signing,
    Sealing,
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Scheme::Signing => "ed25519",
            Scheme::Sealing => "x25519",
        }
    }
}

pub fn write(path: &Path, scheme: Scheme, seed: &[u8; 32], of: &str) -> Result<(), Failure> {
    let does = match scheme {
        Scheme::Signing => "can write in its name",
        Scheme::Sealing => "can read what is sealed to it",
    };
    let scheme = scheme.name();
    let text = format!("# Private key of {of}. Whoever has it {does}: keep it secret.\n{scheme} {}\n", to_hex(seed));
    write_new(path, text.as_bytes())
}

pub fn read(path: &Path) -> Result<Ed25519Key, Failure> {
    seed(path, Scheme::Signing).map(Ed25519Key::from_seed)
}

pub fn read_sealing(path: &Path) -> Result<SealingSecret, Failure> {
    seed(path, Scheme::Sealing).map(SealingSecret::from_seed)
}

pub fn seed(path: &Path, scheme: Scheme) -> Result<[u8; 32], Failure> {
    check_mode(path)?;
    let text = small_file::read_text(path, FILE_BYTES_MAX).map_err(|why| Failure::bad_file(path, &why))?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let scheme = scheme.name();
    let seed = lines.next().and_then(|line| line.strip_prefix(scheme)).and_then(|hex| from_hex(hex.trim()));
    match (seed, lines.next()) {
        (Some(seed), None) => Ok(seed),
        _ => {
            let path = path.display();
            let wrong =
                Failure::new(Exit::Usage, "key", say!("{path} 不是所要的密钥文件", "{path} is not such a key file"));
            if [Scheme::Signing, Scheme::Sealing]
                .iter()
                .any(|other| text.lines().any(|line| line.starts_with(other.name()) && other.name() != scheme))
            {
                return Err(wrong
                    .why(say!("里面是另一种密钥,这里要 {scheme}", "it holds a key of another sort; here it takes {scheme}"))
                    .next(say!(
                        "请核对是哪个文件:签字用 root.key、issuer.key、node.key,解封用 escrow.key、sealing.key",
                        "check which file it is: root.key, issuer.key and node.key sign; escrow.key and sealing.key open what is sealed"
                    )));
            }
            Err(wrong
                .why(say!(
                    "里面应有一行“{scheme} ”加 64 位十六进制",
                    "it should hold one line: {scheme}, then 64 hexadecimal digits"
                ))
                .next(say!("请从备份恢复;密钥无法重新生成", "restore it from a backup: a key cannot be made again")))
        }
    }
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(path).map_err(|error| Failure::file(path, &error))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(Failure::new(Exit::Usage, "key_mode", say!("不使用密钥 {path}", "the key {path} is not used"))
        .why(say!("其权限是 {mode:03o}:别人也能读写它", "its mode is {mode:03o}: others can read or change it"))
        .next(say!(
            "运行 chmod 600 {path};若别人可能已读过,请换密钥",
            "run chmod 600 {path}; if others may have read it, replace the key"
        )))
}

#[cfg(not(unix))]
fn check_mode(_: &Path) -> Result<(), Failure> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use heliu_trust::signature::Signer as _;

    #[test]
    fn a_key_comes_back_as_it_was_written_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("node.key");
        write(&path, Scheme::Signing, &[7; 32], "a test").expect("it is new");
        assert_eq!(read(&path).expect("it reads").public_key(), Ed25519Key::from_seed([7; 32]).public_key());
        assert_eq!(write(&path, Scheme::Signing, &[8; 32], "a test").expect_err("it is there").exit, Exit::Failed);
        assert_eq!(read_sealing(&path).expect_err("it is for signing").code, "key");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_is_refused_with_what_to_do() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("sealing.key");
        write(&path, Scheme::Sealing, &[7; 32], "a test").expect("it is new");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("it is ours");
        let failure = read_sealing(&path).expect_err("others can read it");
        assert_eq!(failure.code, "key_mode");
        assert!(failure.next.is_some_and(|next| next.en.contains("chmod 600")));
    }

    #[test]
    fn a_key_that_went_through_an_editor_of_another_system_is_still_one() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("node.key");
        write(&path, Scheme::Signing, &[7; 32], "a test").expect("it is new");
        let text = std::fs::read_to_string(&path).expect("it is ours");
        std::fs::write(&path, format!("\u{feff}{}  \r\n", text.replace('\n', "\r\n"))).expect("it is ours");
        assert_eq!(seed(&path, Scheme::Signing).expect("it reads"), [7; 32]);
        std::fs::write(&path, "").expect("it is ours");
        let failure = read(&path).expect_err("it is empty");
        assert!(failure.why.iter().any(|why| why.en == "it is empty"), "{failure:?}");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("node.key");
        write_new(&path, b"ed25519 12ab\n").expect("it is new");
        assert_eq!(read(&path).expect_err("too short").code, "key");
    }
}
