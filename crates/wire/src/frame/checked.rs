//! Fields of fixed or bounded length, from untrusted bytes.

use super::error::FrameError;

pub fn bytes<const N: usize>(what: &'static str, bytes: &[u8]) -> Result<[u8; N], FrameError> {
    let expected = match N {
        16 => "16",
        32 => "32",
        _ => "a fixed number",
    };
    bytes.try_into().map_err(|_| FrameError::Size { what, expected, found: bytes.len() })
}

/// Concatenated entries of `N` bytes, counted against what the frame may still have.
pub fn entries<'a, const N: usize>(
    what: &'static str,
    bytes: &'a [u8],
    left: &mut usize,
    max: usize,
) -> Result<&'a [[u8; N]], FrameError> {
    let (entries, rest) = bytes.as_chunks();
    if !rest.is_empty() {
        return Err(FrameError::Size { what, expected: "a multiple of its entries", found: bytes.len() });
    }
    *left = left.checked_sub(entries.len()).ok_or(FrameError::TooMany { what, max })?;
    Ok(entries)
}

pub fn at_most(what: &'static str, count: usize, max: usize) -> Result<(), FrameError> {
    if count > max { Err(FrameError::TooMany { what, max }) } else { Ok(()) }
}

pub fn no_longer(what: &'static str, bytes: &[u8], max: usize) -> Result<(), FrameError> {
    if bytes.len() > max { Err(FrameError::TooLong { what, max }) } else { Ok(()) }
}

pub fn text(what: &'static str, text: String, max: usize) -> Result<String, FrameError> {
    no_longer(what, text.as_bytes(), max).map(|()| text)
}

/// Words for people, cut to what the other end takes.
pub fn cut(text: &str, max: usize) -> String {
    text[..text.floor_char_boundary(max)].to_owned()
}
