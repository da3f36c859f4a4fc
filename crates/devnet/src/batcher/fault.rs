//! What can go wrong between a batcher and L1, on request.
//!
//! ```text
//!   late         arrives some L1 blocks later
//!   dropped      never arrives
//!   duplicated   arrives twice
//!   malformed    arrives damaged
//!   foreign      the same data, from an account that is no batcher
//! ```
//!
//! None of them makes a wrong block: derivation reads what is whole and in time, and nothing else.

use alloy_primitives::Bytes;

/// What happens to one piece of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It arrives so many L1 blocks later.
    Late(u64),
    /// It never arrives.
    Dropped,
    /// It arrives twice.
    Duplicated,
    /// It arrives damaged.
    Malformed(Damage),
    /// It arrives, and before it the same or other data from somebody else.
    Foreign,
}

/// How data is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Its version is one that nobody knows.
    Version(u8),
    /// It ends too soon.
    Cut,
    /// Something follows behind it.
    Trailing,
    /// One byte of what is compressed is another one.
    Content,
    /// It is empty.
    Empty,
}

impl Damage {
    /// The data so damaged.
    pub fn of(self, data: &Bytes) -> Bytes {
        let mut bytes = data.to_vec();
        match self {
            Self::Version(version) => match bytes.first_mut() {
                Some(first) => *first = version,
                None => bytes.push(version),
            },
            Self::Cut => bytes.truncate(bytes.len().saturating_sub(1 + bytes.len() / 3)),
            Self::Trailing => bytes.extend([0xfe; 7]),
            Self::Content => {
                // Behind version and frame header.
                if let Some(byte) = bytes.get_mut(1 + 22 + 2) {
                    *byte ^= 0x55;
                }
            }
            Self::Empty => bytes.clear(),
        }
        bytes.into()
    }
}

/// How often each fault strikes, in parts of a hundred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Late by up to [`Faults::late_blocks`].
    pub late: u8,
    /// How late at most, in L1 blocks.
    pub late_blocks: u64,
    /// Dropped.
    pub dropped: u8,
    /// Duplicated.
    pub duplicated: u8,
    /// Malformed.
    pub malformed: u8,
    /// Foreign.
    pub foreign: u8,
}

impl Faults {
    /// Whether nothing ever goes wrong.
    pub fn is_none(&self) -> bool {
        let Self { late, dropped, duplicated, malformed, foreign, .. } = *self;
        [late, dropped, duplicated, malformed, foreign].iter().all(|percent| *percent == 0)
    }

    /// The fault that strikes, by a random number.
    pub fn strike(&self, random: u64) -> Option<Fault> {
        let (mut at, rest) = ((random % 100) as u8, random / 100);
        let kinds: [(u8, Fault); 5] = [
            (self.late, Fault::Late(1 + rest % self.late_blocks.max(1))),
            (self.dropped, Fault::Dropped),
            (self.duplicated, Fault::Duplicated),
            (self.malformed, Fault::Malformed(damage(rest))),
            (self.foreign, Fault::Foreign),
        ];
        for (percent, fault) in kinds {
            match at.checked_sub(percent) {
                None => return Some(fault),
                Some(rest) => at = rest,
            }
        }
        None
    }
}

fn damage(random: u64) -> Damage {
    match random % 5 {
        0 => Damage::Version(1 + (random / 5 % 255) as u8),
        1 => Damage::Cut,
        2 => Damage::Trailing,
        3 => Damage::Content,
        _ => Damage::Empty,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_strike_as_often_as_they_should() {
        let faults =
            Faults { late: 10, late_blocks: 3, dropped: 20, foreign: 5, ..Faults::default() };
        let count = |wanted: fn(Fault) -> bool| {
            (0..10_000).filter(|random| faults.strike(*random).is_some_and(wanted)).count()
        };
        assert_eq!(count(|fault| matches!(fault, Fault::Late(1..=3))), 1_000);
        assert_eq!(count(|fault| fault == Fault::Dropped), 2_000);
        assert_eq!(count(|fault| fault == Fault::Foreign), 500);
        assert_eq!(count(|_| true), 3_500);
        assert!((0..100).all(|random| Faults::default().strike(random).is_none()));
    }

    #[test]
    fn damaged_data_is_other_data() {
        let data = Bytes::from([vec![0], vec![7; 63]].concat());
        for random in 0..50 {
            assert_ne!(damage(random).of(&data), data, "{:?}", damage(random));
            damage(random).of(&Bytes::new());
        }
    }
}
