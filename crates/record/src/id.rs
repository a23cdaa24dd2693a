//! Identifiers that are plain bytes, and the macro that makes one.

/// Declares a fixed-size byte identifier with hex display and parsing.
#[macro_export]
macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            pub const LEN: usize = $len;

            #[must_use]
            pub fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// The first eight hex digits: what people see in tables and sentences.
            #[must_use]
            pub fn short(&self) -> String {
                $crate::id::to_hex(&self.0[..4])
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::id::to_hex(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::id::BadId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::id::from_hex(text).map(Self).ok_or($crate::id::BadId { name: stringify!($name), digits: $len * 2 })
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = $crate::id::BadId;

            fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
                bytes.try_into().map(Self).map_err(|_| $crate::id::BadId { name: stringify!($name), digits: $len * 2 })
            }
        }

        /// As in text everywhere: lower-case hex.
        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&$crate::id::to_hex(&self.0))
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as $crate::serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err($crate::serde::de::Error::custom)
            }
        }
    };
}

byte_id!(
    /// A seat in the tree of tiers. Stays the same when names and region codes change.
    SeatId, 16
);
byte_id!(
    /// A record: the hash of its [`Preimage`].
    RecordId, 32
);
byte_id!(
    /// The automerge actor: one writer incarnation of one node.
    Actor, 16
);
byte_id!(
    /// An automerge change, by its own hash.
    ChangeHash, 32
);
byte_id!(
    /// One change of one record as a commit signs it: what it hashes is in `trust`.
    LeafHash, 32
);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a {name}: expected {digits} hexadecimal digits")]
pub struct BadId {
    pub name: &'static str,
    pub digits: usize,
}

/// What a record's id is the hash of. It travels with the record's first leaf on a link, so that kind and birth owner
/// can be checked from the id and nobody can make a rival record under it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Preimage {
    /// Kind name, at most [`Preimage::KIND_MAX`] bytes; it may be a kind that this version does not know.
    pub kind: String,
    /// The seat that owned the record when it was made.
    pub birth: SeatId,
    /// 16 random bytes, or a natural key of at most [`Preimage::KEY_MAX`] bytes.
    pub key: Vec<u8>,
}

impl Preimage {
    pub const KIND_MAX: usize = 48;
    pub const KEY_MAX: usize = 128;

    #[must_use]
    pub fn id(&self) -> RecordId {
        RecordId(crate::hash::hash("heliu record 1", &[self.kind.as_bytes(), &self.birth.0, &self.key]))
    }

    /// Whether the sizes are within the limits of the wire version.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        !self.kind.is_empty() && self.kind.len() <= Self::KIND_MAX && self.key.len() <= Self::KEY_MAX
    }
}

#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).map(char::from).collect()
}

#[must_use]
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return None;
    }
    let nibble = |d: u8| char::from(d).to_digit(16).and_then(|n| u8::try_from(n).ok());
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_there_and_back() {
        let id = SeatId([0xab; 16]);
        assert_eq!(id.to_string().parse::<SeatId>(), Ok(id));
        assert!("zz".parse::<SeatId>().is_err());
        assert!("é".repeat(16).parse::<SeatId>().is_err());
    }
}
