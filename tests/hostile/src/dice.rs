//! All chance of a run comes from here, and all of it from one seed.

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

    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// From 0 to `bound - 1`; 0 for a bound of 0.
    pub fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.below(bound as u64)).unwrap_or(0)
    }

    pub fn byte(&mut self) -> u8 {
        self.number().to_le_bytes()[7]
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.index(100) < percent
    }

    /// One of a list that is not empty.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.index(of.len())]
    }
}
