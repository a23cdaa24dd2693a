//! Sealed values as everybody sees them who holds the record: their shape, the key that each names, and where they are.
//! And what is sealed, in the one form in which it is. Keys and ciphers are in `trust`.

use serde_json::{Value, json};

use crate::byte_id;
use crate::change::Scalar;
use crate::codec::{DecodeError, Encoder, Reader};

byte_id!(
    /// An audience's key, by a hash of it: what each sealed value names. The record's own key follows from it.
    KeyId, 16
);

/// The first byte of a sealed value.
pub const FORMAT: u8 = 2;
/// Format, key id and nonce: what is in front of the ciphertext.
pub const HEAD_BYTES: usize = 1 + KeyId::LEN + NONCE_BYTES;
pub const NONCE_BYTES: usize = 24;
/// What the cipher adds to the plaintext.
pub const TAG_BYTES: usize = 16;
/// Plaintext is padded to a multiple of this, so that its length says little.
pub const PAD_BYTES: usize = 32;
/// No sealed value is longer. A limit of the wire version, as those of [`crate::change::limits`].
pub const SEALED_BYTES_MAX: usize = HEAD_BYTES + 4 * 1024 + TAG_BYTES;

/// The key that a sealed value names; none if the bytes do not have the shape of one. Only a reader can tell whether they
/// open.
#[must_use]
pub fn key_of(bytes: &[u8]) -> Option<KeyId> {
    let (format, rest) = bytes.split_first()?;
    let (key, rest) = rest.split_first_chunk()?;
    let padded = rest.len().checked_sub(NONCE_BYTES + TAG_BYTES)?;
    let is_shaped = *format == FORMAT && padded > 0 && padded.is_multiple_of(PAD_BYTES);
    (is_shaped && bytes.len() <= SEALED_BYTES_MAX).then_some(KeyId(*key))
}

/// What has the shape of a sealed value before there is one.
#[must_use]
pub(crate) fn placeholder() -> Scalar {
    let mut bytes = vec![0; HEAD_BYTES + PAD_BYTES + TAG_BYTES];
    bytes[0] = FORMAT;
    Scalar::Bytes(bytes)
}

/// How a sealed value is shown: by its key, never by its bytes.
pub(crate) fn to_json(key: KeyId) -> Value {
    json!({ "sealed": key.to_string() })
}

pub(crate) fn is_json(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.len() == 1 && object.contains_key("sealed"))
}

/// A value that is to be sealed, or was. It does not show itself in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Plaintext(pub Scalar);

impl Plaintext {
    /// The bytes that are sealed: one byte for the type, then the value.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        match &self.0 {
            Scalar::Null => out.u8(0),
            Scalar::Bool(value) => out.u8(1).u8(u8::from(*value)),
            Scalar::Int(value) => out.u8(2).i64(*value),
            Scalar::Text(text) => out.u8(3).fixed(text.as_bytes()),
            Scalar::Bytes(bytes) => out.u8(4).fixed(bytes),
        };
        out.0
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader(bytes);
        let invalid = |what| DecodeError::Invalid { what };
        let scalar = match reader.u8()? {
            0 => Scalar::Null,
            1 => match reader.u8()? {
                0 => Scalar::Bool(false),
                1 => Scalar::Bool(true),
                _ => return Err(invalid("a truth value")),
            },
            2 => Scalar::Int(reader.i64()?),
            3 => {
                let text = std::str::from_utf8(std::mem::take(&mut reader.0)).map_err(|_| invalid("a text"))?;
                Scalar::Text(text.to_owned())
            }
            4 => Scalar::Bytes(std::mem::take(&mut reader.0).to_vec()),
            _ => return Err(invalid("the type of a sealed value")),
        };
        reader.end()?;
        Ok(Plaintext(scalar))
    }
}

impl std::fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Plaintext")
    }
}
