//! All chance of a schedule comes from here, and all of it from one seed.

use heliu_catalogue::synthetic::SplitMix;

#[derive(Clone, Debug)]
pub struct Dice(SplitMix);

impl Dice {
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice(SplitMix(seed));
        // Neighbouring seeds begin far from each other.
        let apart = dice.0.next_u64();
        Dice(SplitMix(apart))
    }

    /// Dice that go on where others were; see [`Dice::state`].
    #[must_use]
    pub fn going_on(state: u64) -> Self {
        Dice(SplitMix(state))
    }

    #[must_use]
    pub fn state(&self) -> u64 {
        self.0.0
    }

    /// A number from 0 to `bound - 1`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound)
    }

    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// A number from `low` to `high`, both possible.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.index(of.len()))
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.0.next_u64().to_le_bytes()[..chunk.len()]);
        }
        bytes
    }

    /// A separate stream, so that drawing more here changes nothing there.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Dice::new(self.0.next_u64())
    }
}
