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

/// Numbers that follow from a seed alone, or from given bytes as long as there are any.
///
/// The seeded ones are of a xorshift generator with a multiplied output (xorshift64*): small and repeatable
/// everywhere.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
    /// Last byte first.
    given: Vec<u8>,
}

impl Random {
    /// A generator whose numbers depend on the seed alone.
    pub const fn new(seed: u64) -> Self {
        // The state must not be zero; the multiplication separates neighbouring seeds.
        Self { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 << 32, given: Vec::new() }
    }

    /// A generator that spends the given bytes, as few as each number takes, and then goes on as from a seed.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self { given: bytes.iter().rev().copied().collect(), ..Self::new(0) }
    }

    /// The next given bytes as a number, where there are any.
    fn given(&mut self, bytes: u32) -> Option<u64> {
        let mut value = u64::from(self.given.pop()?);
        for _ in 1..bytes {
            value = value << 8 | u64::from(self.given.pop().unwrap_or_default());
        }
        Some(value)
    }

    /// Any doubleword.
    pub fn word(&mut self) -> u64 {
        self.given(8).unwrap_or_else(|| self.seeded())
    }

    const fn seeded(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`, which is not zero.
    pub fn below(&mut self, end: u64) -> u64 {
        let bytes = (u64::BITS - (end - 1).leading_zeros()).div_ceil(8).max(1);
        self.given(bytes).unwrap_or_else(|| self.seeded() >> 11) % end
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of the values.
    pub fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }
}
