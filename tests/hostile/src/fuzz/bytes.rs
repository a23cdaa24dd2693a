//! Spoiling bytes without knowing what they mean.

use crate::chunk::{sleb, uleb};
use crate::dice::Dice;

/// Numbers at which counting goes wrong.
const EDGES: &[u64] = &[
    0,
    1,
    2,
    15,
    16,
    17,
    31,
    32,
    63,
    64,
    65,
    127,
    128,
    255,
    256,
    1_000,
    1_001,
    4_096,
    4_097,
    16_384,
    65_535,
    65_536,
    1 << 24,
    1 << 31,
    (1 << 31) - 1,
    (1 << 32) - 1,
    1 << 32,
    1 << 40,
    (1 << 63) - 1,
    1 << 63,
    u64::MAX - 1,
    u64::MAX,
];

/// A number at or near an edge.
pub fn number(dice: &mut Dice) -> u64 {
    let edge = *dice.pick(EDGES);
    match dice.index(4) {
        0 => edge.wrapping_add(1),
        1 => dice.number() >> dice.index(64),
        _ => edge,
    }
}

/// One change somewhere. `other` is bytes of the same sort, to be spliced in.
pub fn spoil(dice: &mut Dice, mut bytes: Vec<u8>, other: &[u8]) -> Vec<u8> {
    let at = dice.index(bytes.len() + 1);
    let some = dice.index((bytes.len() - at).min(64) + 1);
    match dice.index(10) {
        0 | 1 => flip(dice, &mut bytes),
        2 => {
            let byte = dice.byte();
            bytes[at..].iter_mut().take(1).for_each(|place| *place = byte);
        }
        3 => drop(bytes.drain(at..at + some)),
        4 => bytes.truncate(at),
        5 => {
            let again = bytes[at..at + some].to_vec();
            bytes.splice(at..at, again);
        }
        6 => {
            let from = dice.index(other.len() + 1);
            let to = from + dice.index((other.len() - from).min(256) + 1);
            bytes.splice(at..at + some, other[from..to].iter().copied());
        }
        7 => {
            let number = number(dice);
            let encoded = if dice.chance(50) { uleb(number) } else { sleb(number.cast_signed()) };
            bytes.splice(at..at + some.min(1), encoded);
        }
        8 => {
            let byte = dice.byte();
            let most = if dice.chance(5) { 70_000 } else { 40 };
            let count = dice.index(most);
            bytes.splice(at..at, std::iter::repeat_n(byte, count));
        }
        _ => {
            let byte = *dice.pick(&[0, 1, 0x7f, 0x80, 0xff]);
            bytes[at..at + some].fill(byte);
        }
    }
    bytes.truncate(1 << 18);
    bytes
}

fn flip(dice: &mut Dice, bytes: &mut [u8]) {
    let at = dice.index(bytes.len());
    let bit = 1 << dice.index(8);
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= bit;
    }
}
