//! Seeded numbers: the same seed gives the same devnet.

use alloy_primitives::B256;

/// A sequence of numbers that its seed determines (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `limit`, 0 where there is none.
    pub const fn below(&mut self, limit: u64) -> u64 {
        let number = self.next();
        if limit == 0 { 0 } else { number % limit }
    }

    /// A number between the two, both included.
    pub const fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least).saturating_add(1))
    }

    /// True in so many of a hundred cases.
    pub const fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// One of the items.
    ///
    /// # Panics
    /// When there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// So many bytes, some of them zero.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| if self.percent(20) { 0 } else { self.next() as u8 }).collect()
    }

    /// A word.
    pub fn word(&mut self) -> B256 {
        let mut word = [0; 32];
        for part in word.chunks_exact_mut(8) {
            part.copy_from_slice(&self.next().to_be_bytes());
        }
        B256::new(word)
    }
}
