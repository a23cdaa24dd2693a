//! Identifiers that are plain bytes: the macro that makes one, and those of realms and nodes. How these follow from keys is
//! in `signature`.

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
    /// Everything under one root of trust; see [`realm_id`](crate::signature::realm_id).
    RealmId, 16
);
byte_id!(
    /// One enrolled machine: the hash of its signing key; see [`node_id`](crate::signature::node_id).
    NodeId, 16
);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a {name}: expected {digits} hexadecimal digits")]
pub struct BadId {
    pub name: &'static str,
    pub digits: usize,
}

#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).map(char::from).collect()
}

/// Bytes of whatever number.
#[must_use]
pub fn bytes_from_hex(text: &str) -> Option<Vec<u8>> {
    let nibble = |d: u8| char::from(d).to_digit(16).and_then(|n| u8::try_from(n).ok());
    let byte = |pair: &[u8]| Some(nibble(pair[0])? << 4 | nibble(pair[1])?);
    let digits = text.as_bytes();
    digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2).map(byte).collect())?
}

#[must_use]
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    // Longer ones are not read at all.
    (text.len() == N * 2).then(|| bytes_from_hex(text)?.try_into().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_there_and_back() {
        let id = NodeId([0xab; 16]);
        assert_eq!(id.to_string().parse::<NodeId>(), Ok(id));
        assert!("zz".parse::<NodeId>().is_err());
        assert!("é".repeat(16).parse::<NodeId>().is_err());
        assert_eq!(bytes_from_hex("00ffA0"), Some(vec![0, 0xff, 0xa0]));
        assert_eq!((bytes_from_hex(""), bytes_from_hex("abc"), bytes_from_hex("é")), (Some(Vec::new()), None, None));
    }
}
