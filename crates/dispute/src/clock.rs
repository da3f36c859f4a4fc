//! Time in a game, which is that of L1 blocks, in whole seconds.
//!
//! ```text
//!   clock, 128 bits   ┌──────────────────┬──────────────────┐
//!                     │ duration 64      │ timestamp 64     │   most significant bits first
//!                     └──────────────────┴──────────────────┘
//! ```
//!
//! A clock belongs to a claim: the time that the claim's side had used when it was made, and when that was.
//!
//! Source: fault dispute game specification, "Game clock"; `LibClock` of the deployed contracts.

use core::fmt;

/// A length of time in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(pub u64);

/// Seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

/// The clock of a claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Clock {
    /// What the claim's side had used when it made the claim.
    pub duration: Seconds,
    /// When it made the claim.
    pub timestamp: Timestamp,
}

impl Clock {
    /// The form that contracts store.
    pub const fn pack(self) -> u128 {
        (self.duration.0 as u128) << 64 | self.timestamp.0 as u128
    }

    /// Reads the form that contracts store. Every value is a clock.
    pub const fn unpack(word: u128) -> Self {
        Self { duration: Seconds((word >> 64) as u64), timestamp: Timestamp(word as u64) }
    }
}

impl Timestamp {
    /// Time since `earlier`; none where that is later.
    pub const fn since(self, earlier: Self) -> Seconds {
        Seconds(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Seconds {
    /// Days, hours, minutes and seconds, without those that are zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.0 / 86_400, "d"),
            (self.0 / 3600 % 24, "h"),
            (self.0 / 60 % 60, "min"),
            (self.0 % 60, "s"),
        ];
        let mut first = true;
        for (value, unit) in parts {
            if value != 0 || (unit == "s" && first) {
                write!(f, "{}{value} {unit}", if first { "" } else { " " })?;
                first = false;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_clock_packs_its_duration_above_its_timestamp() {
        let clock = Clock { duration: Seconds(0x0102), timestamp: Timestamp(0x0304) };
        assert_eq!(clock.pack(), 0x0102_0000_0000_0000_0304);
        for word in [0, 1, u128::MAX, 0x0102_0000_0000_0000_0304, 1 << 127] {
            assert_eq!(Clock::unpack(word).pack(), word);
        }
    }

    #[test]
    fn durations_read_as_time() {
        let check = |seconds, want: &str| assert_eq!(Seconds(seconds).to_string(), want);
        check(0, "0 s");
        check(61, "1 min 1 s");
        check(10_800, "3 h");
        check(302_400, "3 d 12 h");
    }
}
