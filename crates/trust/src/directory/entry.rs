//! Entries of a directory: their one encoding, their bounds and their signatures. What an entry says is in `item.rs`; what
//! it does to the directory is in `apply.rs`.

use heliu_record::codec::{DecodeError, Encoder, Reader};
use heliu_record::hash::hash;
use heliu_record::id::SeatId;

use super::{Item, limits};
use crate::id::{DirectoryVersion, RealmId};
use crate::signature::{PublicKey, Signature, Signer};

const FORMAT: u8 = 2;
const SIGNED: &[u8; 23] = b"heliu directory entry 2";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub realm: RealmId,
    /// The seat whose log this is.
    pub county: SeatId,
    /// 0, 1, 2, ...
    pub index: u64,
    /// The version that this follows; [`DirectoryVersion::EMPTY`] for the first.
    pub previous: DirectoryVersion,
    /// Milliseconds since 1970, for display only.
    pub time_ms: i64,
    /// 1 to [`limits::ITEMS`].
    pub items: Vec<Item>,
}

impl Entry {
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        out.u8(FORMAT).fixed(&self.realm.0).fixed(&self.county.0).varint(self.index).fixed(&self.previous.0);
        out.i64(self.time_ms).varint(self.items.len() as u64);
        for item in &self.items {
            item.write(&mut out);
        }
        out.0
    }

    /// Reads untrusted bytes; only an entry within its bounds comes out, and encodes to the same bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > limits::ENTRY_BYTES {
            return Err(DecodeError::TooLong { what: "a directory entry", max: limits::ENTRY_BYTES });
        }
        let mut reader = Reader(bytes);
        if reader.u8()? != FORMAT {
            return Err(DecodeError::Invalid { what: "the format of a directory entry" });
        }
        let entry = Entry {
            realm: RealmId(reader.fixed()?),
            county: SeatId(reader.fixed()?),
            index: reader.varint()?,
            previous: DirectoryVersion(reader.fixed()?),
            time_ms: reader.i64()?,
            items: {
                // The shortest item is a policy: tag and flag.
                let count = reader.count("directory items", limits::ITEMS, 2)?;
                (0..count).map(|_| Item::read(&mut reader)).collect::<Result<_, _>>()?
            },
        };
        reader.end()?;
        entry.check()?;
        Ok(entry)
    }

    /// The bounds that every entry keeps.
    pub fn check(&self) -> Result<(), DecodeError> {
        if self.items.is_empty() {
            return Err(DecodeError::Invalid { what: "the list of directory items" });
        }
        if self.items.len() > limits::ITEMS {
            return Err(DecodeError::TooLong { what: "directory items", max: limits::ITEMS });
        }
        self.items.iter().try_for_each(Item::check)
    }

    #[must_use]
    pub fn version(&self) -> DirectoryVersion {
        version_of(&self.encode())
    }

    /// What it gives up, if the root decides a fork with it.
    pub(super) fn abandoned(&self) -> impl Iterator<Item = DirectoryVersion> + '_ {
        self.items
            .iter()
            .filter_map(|item| if let Item::Resolve { abandoned } = item { Some(abandoned) } else { None })
            .flatten()
            .copied()
    }
}

fn version_of(encoded: &[u8]) -> DirectoryVersion {
    DirectoryVersion(hash("heliu directory 2", &[encoded]))
}

/// An entry as it travels and is stored. Decoding does not verify; [`super::Directory::append`] does.
///
/// Who signed is not part of what is signed. So a second person can sign what the first one has drafted, and an entry with
/// one signature more than it needs is still the same entry, of the same version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedEntry {
    pub entry: Entry,
    /// The directory's version once it holds this entry: the hash of the entry's encoding.
    pub version: DirectoryVersion,
    /// 1 to [`limits::SIGNERS`], in the order of their keys, each once.
    pub signatures: Vec<(PublicKey, Signature)>,
}

impl SignedEntry {
    /// The caller sees to the bounds: nobody decodes an entry with no signer or with too many.
    #[must_use]
    pub fn sign(entry: Entry, signers: &[&dyn Signer]) -> Self {
        let version = entry.version();
        let unsigned = SignedEntry { entry, version, signatures: Vec::new() };
        signers.iter().fold(unsigned, |signed, signer| signed.signed_by(*signer))
    }

    pub(super) fn signed_by(mut self, signer: &dyn Signer) -> Self {
        let key = signer.public_key();
        if let Err(place) = self.signatures.binary_search_by_key(&key, |(key, _)| *key) {
            self.signatures.insert(place, (key, signer.sign(&signed_message(&self.version))));
        }
        self
    }

    pub fn signers(&self) -> impl Iterator<Item = PublicKey> + '_ {
        self.signatures.iter().map(|(key, _)| *key)
    }

    #[must_use]
    pub fn is_signed_by(&self, key: PublicKey) -> bool {
        self.signers().any(|signer| signer == key)
    }

    /// The bounds that every signed entry keeps.
    pub fn check(&self) -> Result<(), DecodeError> {
        self.entry.check()?;
        let is_bounded = (1..=limits::SIGNERS).contains(&self.signatures.len());
        if !is_bounded || !self.signatures.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(DecodeError::Invalid { what: "the list of signatures" });
        }
        Ok(())
    }

    /// The entry's encoding, then keys and signatures, then how many of those. The version is not repeated.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder(self.entry.encode());
        for (key, signature) in &self.signatures {
            out.fixed(&key.0).fixed(&signature.0);
        }
        out.u8(self.signatures.len().to_le_bytes()[0]);
        out.0
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (count, rest) = bytes.split_last().ok_or(DecodeError::Truncated)?;
        let length = usize::from(*count) * (PublicKey::LEN + 64);
        let (encoded, signed) = rest.split_at(rest.len().checked_sub(length).ok_or(DecodeError::Truncated)?);
        let mut reader = Reader(signed);
        let mut one = || Ok((PublicKey(reader.fixed()?), Signature(reader.fixed()?)));
        let signatures = (0..*count).map(|_| one()).collect::<Result<_, DecodeError>>()?;
        let signed = SignedEntry { entry: Entry::decode(encoded)?, version: version_of(encoded), signatures };
        signed.check()?;
        Ok(signed)
    }
}

/// What a signer of an entry signs.
pub(super) fn signed_message(version: &DirectoryVersion) -> [u8; 55] {
    let mut message = [0; 55];
    message[..23].copy_from_slice(SIGNED);
    message[23..].copy_from_slice(&version.0);
    message
}
