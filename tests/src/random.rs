//! Seeded numbers: every run of a test can be repeated from the seed it prints.

/// Environment variable with the seed of random tests, decimal.
pub const SEED_VARIABLE: &str = "REBUT_TEST_SEED";

/// The seed of this run: that of the environment, else `default`.
///
/// # Panics
/// When the variable holds something else than a decimal number.
pub fn seed(default: u64) -> u64 {
    match std::env::var(SEED_VARIABLE) {
        Ok(text) => match text.parse() {
            Ok(seed) => seed,
            Err(_) => panic!("{SEED_VARIABLE} is not a decimal number: {text:?}"),
        },
        Err(_) => default,
    }
}

/// A xorshift generator with a multiplied output (xorshift64*): small and repeatable everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator whose numbers depend on the seed alone.
    pub const fn new(seed: u64) -> Self {
        // The state must not be zero; the multiplication separates neighbouring seeds.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 32)
    }

    /// Any doubleword.
    pub const fn word(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`, which is not zero.
    pub const fn below(&mut self, end: u64) -> u64 {
        (self.word() >> 11) % end
    }

    /// True once in `n` times.
    pub const fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of the values.
    pub const fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }
}
