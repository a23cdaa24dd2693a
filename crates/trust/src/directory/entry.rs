//! Entries of a directory: their one encoding and its bounds. What they do to the directory is in `directory.rs`.

use heliu_record::codec::{DecodeError, Reader, Writer};
use heliu_record::hash::hash;
use heliu_record::id::SeatId;
use heliu_record::seats::{Seat, Tier};

use crate::id::{DirectoryVersion, NodeId, RealmId};
use crate::signature::{PublicKey, Signature, Signer};

/// Bounds of an entry; the same on every node.
pub mod limits {
    /// A county's whole tree, once: real ones have some 400 seats.
    pub const ITEMS: usize = 4_096;
    pub const NAME_BYTES: usize = 200;
    pub const ADDRESSES: usize = 8;
    pub const ADDRESS_BYTES: usize = 255;
    /// An encoded entry; a receiver may refuse earlier than decoding.
    pub const ENTRY_BYTES: usize = 4 * 1024 * 1024;
}

const FORMAT: u8 = 1;
const SIGNED: &[u8; 23] = b"heliu directory entry 1";

/// One thing that an entry says. More kinds of item come with fencing (a node's frontier), delegation, tree changes and
/// consumed join tokens, each under a tag of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A new seat. The first item of a directory is the county's own, the only one without a parent.
    Seat(Seat),
    /// A node is enrolled for a seat.
    Node { node: NodeId, seat: SeatId, key: PublicKey, addresses: Vec<String> },
    /// Where a node can now be reached.
    Addresses { node: NodeId, addresses: Vec<String> },
}

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
    pub issuer: PublicKey,
}

impl Entry {
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.u8(FORMAT).fixed(&self.realm.0).fixed(&self.county.0).varint(self.index).fixed(&self.previous.0);
        out.i64(self.time_ms).fixed(&self.issuer.0).varint(self.items.len() as u64);
        for item in &self.items {
            write_item(&mut out, item);
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
            issuer: PublicKey(reader.fixed()?),
            items: {
                // The shortest item is an empty list of addresses: tag, node, count.
                let count = reader.count("directory items", limits::ITEMS, NodeId::LEN + 2)?;
                (0..count).map(|_| read_item(&mut reader)).collect::<Result<_, _>>()?
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
        self.items.iter().try_for_each(check_item)
    }

    #[must_use]
    pub fn version(&self) -> DirectoryVersion {
        version_of(&self.encode())
    }
}

fn version_of(encoded: &[u8]) -> DirectoryVersion {
    DirectoryVersion(hash("heliu directory 1", &[encoded]))
}

fn check_item(item: &Item) -> Result<(), DecodeError> {
    match item {
        Item::Seat(seat) => {
            check_text(&seat.name, "the name of a seat", limits::NAME_BYTES)?;
            check_text(&seat.code, "a region code", 12)
        }
        Item::Node { addresses, .. } | Item::Addresses { addresses, .. } => {
            if addresses.len() > limits::ADDRESSES {
                return Err(DecodeError::TooLong { what: "addresses", max: limits::ADDRESSES });
            }
            addresses.iter().try_for_each(|a| check_text(a, "an address", limits::ADDRESS_BYTES))
        }
    }
}

/// Names are shown in terminals and log lines, so control characters are not text.
fn check_text(text: &str, what: &'static str, max: usize) -> Result<(), DecodeError> {
    if text.len() > max {
        return Err(DecodeError::TooLong { what, max });
    }
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(DecodeError::Invalid { what });
    }
    Ok(())
}

fn write_item(out: &mut Writer, item: &Item) {
    match item {
        Item::Seat(seat) => {
            out.u8(1).fixed(&seat.id.0).text(&seat.code).text(&seat.name).u8(tier_byte(seat.tier));
            match &seat.parent {
                None => out.u8(0),
                Some(parent) => out.u8(1).fixed(&parent.0),
            };
        }
        Item::Node { node, seat, key, addresses } => {
            out.u8(2).fixed(&node.0).fixed(&seat.0).fixed(&key.0);
            write_addresses(out, addresses);
        }
        Item::Addresses { node, addresses } => {
            out.u8(3).fixed(&node.0);
            write_addresses(out, addresses);
        }
    }
}

fn write_addresses(out: &mut Writer, addresses: &[String]) {
    out.varint(addresses.len() as u64);
    for address in addresses {
        out.text(address);
    }
}

fn read_item(reader: &mut Reader<'_>) -> Result<Item, DecodeError> {
    match reader.u8()? {
        1 => Ok(Item::Seat(Seat {
            id: SeatId(reader.fixed()?),
            code: reader.text("a region code", 12)?.to_owned(),
            name: reader.text("the name of a seat", limits::NAME_BYTES)?.to_owned(),
            tier: tier_from(reader.u8()?)?,
            parent: match reader.u8()? {
                0 => None,
                1 => Some(SeatId(reader.fixed()?)),
                _ => return Err(DecodeError::Invalid { what: "the parent of a seat" }),
            },
        })),
        2 => Ok(Item::Node {
            node: NodeId(reader.fixed()?),
            seat: SeatId(reader.fixed()?),
            key: PublicKey(reader.fixed()?),
            addresses: read_addresses(reader)?,
        }),
        3 => Ok(Item::Addresses { node: NodeId(reader.fixed()?), addresses: read_addresses(reader)? }),
        _ => Err(DecodeError::Invalid { what: "the tag of a directory item" }),
    }
}

fn read_addresses(reader: &mut Reader<'_>) -> Result<Vec<String>, DecodeError> {
    let count = reader.count("addresses", limits::ADDRESSES, 2)?;
    (0..count).map(|_| reader.text("an address", limits::ADDRESS_BYTES).map(str::to_owned)).collect()
}

fn tier_byte(tier: Tier) -> u8 {
    match tier {
        Tier::City => 1,
        Tier::County => 2,
        Tier::Township => 3,
        Tier::Village => 4,
    }
}

fn tier_from(byte: u8) -> Result<Tier, DecodeError> {
    Tier::ALL.into_iter().find(|t| tier_byte(*t) == byte).ok_or(DecodeError::Invalid { what: "a tier" })
}

/// An entry as it travels and is stored. Decoding does not verify; [`super::Directory::append`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedEntry {
    pub entry: Entry,
    /// The directory's version once it holds this entry: the hash of the entry's encoding.
    pub version: DirectoryVersion,
    pub signature: Signature,
}

impl SignedEntry {
    #[must_use]
    pub fn sign(entry: Entry, issuer: &dyn Signer) -> Self {
        let version = entry.version();
        let signature = issuer.sign(&signed_message(&version));
        SignedEntry { entry, version, signature }
    }

    /// The entry's encoding, then 64 bytes of signature. The version is not repeated.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.entry.encode();
        bytes.extend_from_slice(&self.signature.0);
        bytes
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (encoded, signature) = bytes.split_last_chunk().ok_or(DecodeError::Truncated)?;
        let entry = Entry::decode(encoded)?;
        Ok(SignedEntry { entry, version: version_of(encoded), signature: Signature(*signature) })
    }
}

/// What an issuer signs.
pub(super) fn signed_message(version: &DirectoryVersion) -> [u8; 55] {
    let mut message = [0; 55];
    message[..23].copy_from_slice(SIGNED);
    message[23..].copy_from_slice(&version.0);
    message
}
