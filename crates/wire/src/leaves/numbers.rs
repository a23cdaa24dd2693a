//! What both `write` and `read` of the form go by: its version, and how numbers are said that lie near a prediction.

/// The form's own version, its first byte.
pub const FORMAT: u8 = 1;

/// The distance from `from` to `to` as a number that is small if they are near each other.
pub fn distance(to: u64, from: u64) -> u64 {
    let distance = to.wrapping_sub(from).cast_signed();
    (distance << 1 ^ distance >> 63).cast_unsigned()
}

/// Undoes [`distance`].
pub fn moved(from: u64, distance: u64) -> u64 {
    from.wrapping_add(distance >> 1 ^ (distance & 1).wrapping_neg())
}

/// An empty place in a list, or where a column's prediction begins.
pub fn number(index: usize) -> u64 {
    index as u64
}
