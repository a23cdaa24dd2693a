//! A county's directory as a file: a first line that names the format, the realm and its root key, then each signed entry
//! after its length (4 bytes, little-endian). Reading verifies every entry against the root's key.

use std::path::Path;

use heliu_disk::small_file;
use heliu_trust::directory::{Directory, SignedEntry, limits};
use heliu_trust::ed25519::Ed25519;
use heliu_trust::id::RealmId;
use heliu_trust::signature::PublicKey;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::text::{Say, say};

/// Far more than a county's log for a century.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;
const FORMAT: &str = "heliu directory 2";
/// Format, realm and root in hexadecimal digits, two blanks and the end of the line.
const HEAD_BYTES: usize = FORMAT.len() + 1 + 32 + 1 + 64 + 1;

pub fn encode(directory: &Directory) -> Vec<u8> {
    let mut bytes = format!("{FORMAT} {} {}\n", directory.realm(), directory.root()).into_bytes();
    for entry in directory.entries_from(0) {
        let entry = entry.encode();
        bytes.extend_from_slice(&u32::try_from(entry.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(&entry);
    }
    bytes
}

/// The directory of a realm that is known.
pub fn read(path: &Path, realm: RealmId, root: PublicKey) -> Result<Directory, Failure> {
    let directory = open(path)?;
    if (directory.realm(), directory.root()) == (realm, root) {
        return Ok(directory);
    }
    Err(refused(path, say!("它属于另一个域", "it is of another realm")))
}

/// Whatever realm's directory it is: that it is the right one is for whoever handed over the file to know.
pub fn open(path: &Path) -> Result<Directory, Failure> {
    let bytes = small_file::read(path, FILE_BYTES_MAX).map_err(|why| Failure::bad_file(path, &why))?;
    decode(&bytes).map_err(|why| refused(path, why))
}

fn refused(path: &Path, why: Say) -> Failure {
    let path = path.display();
    Failure::new(Exit::Usage, "directory", say!("名录文件 {path} 不能用", "cannot use the directory {path}"))
        .why(why)
        .next(say!(
            "请重新取一份(heliu directory save),并核对配置中的 realm.name 和 realm.root",
            "get it again (heliu directory save), and check realm.name and realm.root in the configuration"
        ))
}

fn decode(bytes: &[u8]) -> Result<Directory, Say> {
    let foreign = || say!("它不是本版本的名录", "it is no directory of this version");
    let cut_off = || say!("它不完整,在一条之中断了", "it ends within an entry");
    let (head, mut rest) = bytes.split_at_checked(HEAD_BYTES).ok_or_else(foreign)?;
    let head = std::str::from_utf8(head).ok().and_then(|head| head.strip_prefix(FORMAT)?.strip_suffix('\n'));
    let mut words = head.ok_or_else(foreign)?.split_whitespace();
    let realm = words.next().and_then(|word| word.parse().ok()).ok_or_else(foreign)?;
    let root = words.next().and_then(|word| word.parse().ok()).ok_or_else(foreign)?;
    let mut directory = Directory::new(realm, root);
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk().ok_or_else(cut_off)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| cut_off())?;
        if length > limits::SIGNED_ENTRY_BYTES || length > after.len() {
            return Err(cut_off());
        }
        let (entry, after) = after.split_at(length);
        let entry = SignedEntry::decode(entry).map_err(|_| say!("其中一条读不懂", "an entry of it cannot be read"))?;
        directory.append(&entry, &Ed25519).map_err(|error| error.words())?;
        rest = after;
    }
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use heliu_record::seats::{Seat, Tier};
    use heliu_trust::directory::Item;
    use heliu_trust::ed25519::Ed25519Key;
    use heliu_trust::id::{realm_id, seat_id};
    use heliu_trust::signature::Signer as _;

    use super::*;

    fn county() -> Directory {
        let issuer = Ed25519Key::from_seed([1; 32]);
        let realm = realm_id(&issuer.public_key(), "test");
        let seat = Seat {
            id: seat_id(&realm, "371726000000"),
            code: "371726000000".to_owned(),
            name: "鄄城县".to_owned(),
            parent: None,
            tier: Tier::County,
        };
        let mut directory = Directory::new(realm, issuer.public_key());
        let entry = directory
            .draft(vec![Item::Seat(seat), Item::Issuer { key: issuer.public_key() }], 0, &[&issuer])
            .expect("it fits");
        directory.append(&entry, &Ed25519).expect("it is signed");
        directory
    }

    #[test]
    fn a_directory_comes_back_as_it_was() {
        let county = county();
        let read = decode(&encode(&county)).expect("it reads");
        assert_eq!((read.head(), read.len()), (county.head(), 1));
    }

    #[test]
    fn a_directory_that_was_cut_or_changed_or_is_of_another_realm_is_refused() {
        let county = county();
        let bytes = encode(&county);
        for end in 0..bytes.len() {
            assert_eq!(decode(&bytes[..end]).is_ok(), end == HEAD_BYTES, "{end}");
        }
        let mut changed = bytes.clone();
        changed[bytes.len() - 70] ^= 1;
        assert!(decode(&changed).is_err());
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("directory.bin");
        std::fs::write(&path, &bytes).expect("it is ours");
        assert!(read(&path, county.realm(), county.root()).is_ok());
        assert!(read(&path, RealmId([9; 16]), county.root()).is_err());
    }
}
