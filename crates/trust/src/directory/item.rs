//! What an entry can say, item by item: the one encoding and its bounds. What an item does, and who may say it, is in
//! `apply.rs`.

use heliu_record::codec::{DecodeError, Encoder, Reader};
use heliu_record::id::SeatId;
use heliu_record::seats::{Seat, Tier};

use super::{Approval, Fence, limits};
use crate::id::{DirectoryVersion, NodeId, TokenId};
use crate::signature::{PublicKey, SealingKey, Signer};

/// One thing that an entry says. Each kind has a tag of its own; an unknown tag is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A new seat. The first item of a directory is the county's own, the only one without a parent.
    Seat(Seat),
    /// A node is enrolled for a seat; by approval of the node that minted its join token, if there was one.
    Node {
        node: NodeId,
        seat: SeatId,
        key: PublicKey,
        sealing: SealingKey,
        addresses: Vec<String>,
        approval: Option<Box<Approval>>,
    },
    /// Where a node can now be reached.
    Addresses { node: NodeId, addresses: Vec<String> },
    /// The key of the issuer, whose entries count from the next entry on. By the root.
    Issuer { key: PublicKey },
    /// A key that can give the second signature, or no longer. By the root.
    Cosigner { key: PublicKey, active: bool },
    /// Whether some items need two signatures. The issuer turns it on; the root or two signatures turn it off.
    Policy { two_signatures: bool },
    /// The realm's offline key that everything sealed can be opened with. By the root.
    Escrow { key: SealingKey },
    /// Whether nodes of this seat may mint join tokens for it and the seats below.
    Delegate { seat: SeatId, active: bool },
    /// A join token that nobody may use any more.
    Token { id: TokenId },
    /// A node is no longer trusted beyond its frontier.
    Fence(Fence),
    /// The root decides a fork: versions of the branches that are given up. A commit that cites one of these cites, in
    /// effect, the version that the branch was built on. An entry that is not the next one replaces all from its index on.
    Resolve { abandoned: Vec<DirectoryVersion> },
    /// Where the realm's days begin, by its name in the tz database: commands carry the civil day there. Which names there
    /// are, the shell knows.
    TimeZone { name: String },
}

impl Item {
    /// A node's enrolment without a join token, as the issuer or the root may enter it.
    #[must_use]
    pub fn enrol(key: &dyn Signer, seat: SeatId, sealing: SealingKey, addresses: Vec<String>) -> Self {
        Item::Node { node: key.node(), seat, key: key.public_key(), sealing, addresses, approval: None }
    }

    pub(super) fn check(&self) -> Result<(), DecodeError> {
        match self {
            Item::Seat(seat) => {
                check_text(&seat.name, "the name of a seat", limits::NAME_BYTES)?;
                check_text(&seat.code, "a region code", 12)
            }
            Item::Node { addresses, .. } | Item::Addresses { addresses, .. } => check_addresses(addresses),
            Item::Fence(fence) => fence.check(),
            Item::Resolve { abandoned } => {
                if abandoned.len() > limits::ABANDONED {
                    return Err(DecodeError::TooLong { what: "abandoned versions", max: limits::ABANDONED });
                }
                if abandoned.is_empty() || !abandoned.is_sorted_by(|a, b| a < b) {
                    return Err(DecodeError::Invalid { what: "the list of abandoned versions" });
                }
                Ok(())
            }
            Item::TimeZone { name } => check_time_zone(name),
            Item::Issuer { .. }
            | Item::Cosigner { .. }
            | Item::Policy { .. }
            | Item::Escrow { .. }
            | Item::Delegate { .. }
            | Item::Token { .. } => Ok(()),
        }
    }

    pub(super) fn write(&self, out: &mut Encoder) {
        match self {
            Item::Seat(seat) => {
                out.u8(1).fixed(&seat.id.0).text(&seat.code).text(&seat.name).u8(tier_byte(seat.tier));
                match &seat.parent {
                    None => out.u8(0),
                    Some(parent) => out.u8(1).fixed(&parent.0),
                };
            }
            Item::Node { node, seat, key, sealing, addresses, approval } => {
                out.u8(2).fixed(&node.0).fixed(&seat.0).fixed(&key.0).fixed(&sealing.0);
                write_addresses(out, addresses);
                match approval {
                    None => {
                        out.u8(0);
                    }
                    Some(approval) => approval.write(out.u8(1)),
                }
            }
            Item::Addresses { node, addresses } => {
                out.u8(3).fixed(&node.0);
                write_addresses(out, addresses);
            }
            Item::Issuer { key } => {
                out.u8(4).fixed(&key.0);
            }
            Item::Cosigner { key, active } => {
                out.u8(5).fixed(&key.0).u8(u8::from(*active));
            }
            Item::Policy { two_signatures } => {
                out.u8(6).u8(u8::from(*two_signatures));
            }
            Item::Escrow { key } => {
                out.u8(7).fixed(&key.0);
            }
            Item::Delegate { seat, active } => {
                out.u8(8).fixed(&seat.0).u8(u8::from(*active));
            }
            Item::Token { id } => {
                out.u8(9).fixed(&id.0);
            }
            Item::Fence(fence) => fence.write(out.u8(10)),
            Item::Resolve { abandoned } => {
                out.u8(11).varint(abandoned.len() as u64);
                for version in abandoned {
                    out.fixed(&version.0);
                }
            }
            Item::TimeZone { name } => {
                out.u8(12).text(name);
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8()? {
            1 => Ok(Item::Seat(Seat {
                id: SeatId(reader.fixed()?),
                code: reader.text("a region code", 12)?.to_owned(),
                name: reader.text("the name of a seat", limits::NAME_BYTES)?.to_owned(),
                tier: tier_from(reader.u8()?)?,
                parent: if read_flag(reader, "the parent of a seat")? { Some(SeatId(reader.fixed()?)) } else { None },
            })),
            2 => Ok(Item::Node {
                node: NodeId(reader.fixed()?),
                seat: SeatId(reader.fixed()?),
                key: PublicKey(reader.fixed()?),
                sealing: SealingKey(reader.fixed()?),
                addresses: read_addresses(reader)?,
                approval: if read_flag(reader, "an approval")? {
                    Some(Box::new(Approval::read(reader)?))
                } else {
                    None
                },
            }),
            3 => Ok(Item::Addresses { node: NodeId(reader.fixed()?), addresses: read_addresses(reader)? }),
            4 => Ok(Item::Issuer { key: PublicKey(reader.fixed()?) }),
            5 => Ok(Item::Cosigner { key: PublicKey(reader.fixed()?), active: read_flag(reader, "a cosigner")? }),
            6 => Ok(Item::Policy { two_signatures: read_flag(reader, "a policy")? }),
            7 => Ok(Item::Escrow { key: SealingKey(reader.fixed()?) }),
            8 => Ok(Item::Delegate { seat: SeatId(reader.fixed()?), active: read_flag(reader, "a delegation")? }),
            9 => Ok(Item::Token { id: TokenId(reader.fixed()?) }),
            10 => Fence::read(reader).map(Item::Fence),
            11 => {
                let count = reader.count("abandoned versions", limits::ABANDONED, DirectoryVersion::LEN)?;
                let abandoned = (0..count).map(|_| reader.fixed().map(DirectoryVersion)).collect::<Result<_, _>>()?;
                Ok(Item::Resolve { abandoned })
            }
            12 => Ok(Item::TimeZone { name: reader.text("a time zone", limits::TIME_ZONE_BYTES)?.to_owned() }),
            _ => Err(DecodeError::Invalid { what: "the tag of a directory item" }),
        }
    }
}

pub(crate) fn check_addresses(addresses: &[String]) -> Result<(), DecodeError> {
    if addresses.len() > limits::ADDRESSES {
        return Err(DecodeError::TooLong { what: "addresses", max: limits::ADDRESSES });
    }
    addresses.iter().try_for_each(|address| check_text(address, "an address", limits::ADDRESS_BYTES))
}

/// Names are shown in terminals and log lines, so control characters are not text.
pub(crate) fn check_text(text: &str, what: &'static str, max: usize) -> Result<(), DecodeError> {
    if text.len() > max {
        return Err(DecodeError::TooLong { what, max });
    }
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(DecodeError::Invalid { what });
    }
    Ok(())
}

/// The form of names in the tz database; a later one may have names that this program does not know.
fn check_time_zone(name: &str) -> Result<(), DecodeError> {
    check_text(name, "a time zone", limits::TIME_ZONE_BYTES)?;
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/_-+".contains(&byte)) {
        return Err(DecodeError::Invalid { what: "a time zone" });
    }
    Ok(())
}

pub(crate) fn write_addresses(out: &mut Encoder, addresses: &[String]) {
    out.varint(addresses.len() as u64);
    for address in addresses {
        out.text(address);
    }
}

pub(crate) fn read_addresses(reader: &mut Reader<'_>) -> Result<Vec<String>, DecodeError> {
    let count = reader.count("addresses", limits::ADDRESSES, 2)?;
    (0..count).map(|_| reader.text("an address", limits::ADDRESS_BYTES).map(str::to_owned)).collect()
}

fn read_flag(reader: &mut Reader<'_>, what: &'static str) -> Result<bool, DecodeError> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::Invalid { what }),
    }
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
