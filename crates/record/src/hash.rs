//! The digest of a set of hashes. The hash itself is in `heliu_identity`.

pub use heliu_identity::hash::{hash, hash16};

/// A sum of 32-byte hashes modulo 2^256: the order-free digest of a set, updated by adding and subtracting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sum(pub [u8; 32]);

impl Sum {
    pub fn add(&mut self, item: &[u8; 32]) {
        let mut carry = 0u16;
        for (byte, other) in self.0.iter_mut().zip(item) {
            let total = u16::from(*byte) + u16::from(*other) + carry;
            *byte = total.to_le_bytes()[0];
            carry = total >> 8;
        }
    }

    pub fn subtract(&mut self, item: &[u8; 32]) {
        let mut borrow = 0i16;
        for (byte, other) in self.0.iter_mut().zip(item) {
            let total = i16::from(*byte) - i16::from(*other) - borrow;
            *byte = total.to_le_bytes()[0];
            borrow = i16::from(total < 0);
        }
    }
}

impl<'a> FromIterator<&'a [u8; 32]> for Sum {
    fn from_iter<T: IntoIterator<Item = &'a [u8; 32]>>(items: T) -> Self {
        let mut sum = Sum::default();
        items.into_iter().for_each(|item| sum.add(item));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adding_and_subtracting_in_any_order_leaves_nothing() {
        let items: Vec<[u8; 32]> = (0..50u8).map(|i| hash("test", &[&[i]])).collect();
        let mut sum = Sum::default();
        items.iter().for_each(|item| sum.add(item));
        let mut reversed = Sum::default();
        items.iter().rev().for_each(|item| reversed.add(item));
        assert_eq!(sum, reversed);
        items.iter().for_each(|item| sum.subtract(item));
        assert_eq!(sum, Sum::default());
    }
}
