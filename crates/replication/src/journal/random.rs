//! Random bytes, all from one seed that the shell gives: so that a seed reproduces what they made.

use heliu_record::hash::{hash, hash16};

/// Numbers that nobody else draws: for new incarnations and for keys.
pub(crate) struct Random {
    seed: [u8; 32],
    drawn: u64,
}

impl Random {
    pub fn new(seed: [u8; 32]) -> Self {
        Random { seed, drawn: 0 }
    }

    pub fn draw(&mut self) -> [u8; 16] {
        self.drawn += 1;
        hash16("heliu random 1", &[&self.seed, &self.drawn.to_le_bytes()])
    }

    /// What nobody else may know: for keys.
    pub fn secret(&mut self) -> [u8; 32] {
        self.drawn += 1;
        hash("heliu secret 1", &[&self.seed, &self.drawn.to_le_bytes()])
    }
}
