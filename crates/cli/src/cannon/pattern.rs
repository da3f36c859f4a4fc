//! Step patterns: at which steps a run does something.

use std::num::NonZeroU64;
use std::str::FromStr;

/// A set of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepPattern {
    /// None.
    Never,
    /// All.
    Always,
    /// One.
    Exactly(u64),
    /// All multiples, zero among them.
    Every(NonZeroU64),
}

/// Why a text is no step pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// None of the forms.
    #[error("a step pattern is one of never, always, =N and %N")]
    Form,
    /// No number behind `=` or `%`.
    #[error("{0:?} is not a number of 64 bits")]
    Number(String),
    /// `%0`.
    #[error("no step is a multiple of 0")]
    MultipleOfZero,
}

impl StepPattern {
    /// Whether the step is in the set.
    pub const fn matches(self, step: u64) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::Exactly(n) => step == n,
            Self::Every(n) => step.is_multiple_of(n.get()),
        }
    }

    /// The first step of the set that is not below `from`.
    pub fn first_from(self, from: u64) -> Option<u64> {
        match self {
            Self::Never => None,
            Self::Always => Some(from),
            Self::Exactly(n) => Some(n).filter(|n| *n >= from),
            Self::Every(n) => from.checked_next_multiple_of(n.get()),
        }
    }
}

impl FromStr for StepPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let number =
            |digits: &str| parse_number(digits).ok_or_else(|| PatternError::Number(digits.into()));
        match text {
            "" | "never" => Ok(Self::Never),
            "always" => Ok(Self::Always),
            _ => match (text.strip_prefix('='), text.strip_prefix('%')) {
                (Some(n), _) => number(n).map(Self::Exactly),
                (_, Some(n)) => {
                    NonZeroU64::new(number(n)?).map(Self::Every).ok_or(PatternError::MultipleOfZero)
                }
                _ => Err(PatternError::Form),
            },
        }
    }
}

/// An unsigned number as Go source writes it: decimal, `0x`, `0o` or `0` and `0b`, with underscores
/// between digits and behind the prefix.
fn parse_number(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (digits, radix) = match lower.get(..2) {
        Some("0x") => (&lower[2..], 16),
        Some("0o") => (&lower[2..], 8),
        Some("0b") => (&lower[2..], 2),
        _ if lower.len() > 1 && lower.starts_with('0') => (&lower[1..], 8),
        _ => (lower.as_str(), 10),
    };
    // An underscore may follow the prefix, but not open a number without one.
    let digits = if radix == 10 { digits } else { digits.strip_prefix('_').unwrap_or(digits) };
    let well_formed = digits
        .split('_')
        .all(|group| !group.is_empty() && group.chars().all(|digit| digit.is_digit(radix)));
    if !well_formed {
        return None;
    }
    u64::from_str_radix(&digits.replace('_', ""), radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(n: u64) -> StepPattern {
        StepPattern::Every(NonZeroU64::new(n).unwrap())
    }

    #[test]
    fn forms() {
        let check = |text: &str, want| assert_eq!(text.parse(), Ok(want), "{text:?}");
        check("", StepPattern::Never);
        check("never", StepPattern::Never);
        check("always", StepPattern::Always);
        check("=0", StepPattern::Exactly(0));
        check("=18446744073709551615", StepPattern::Exactly(u64::MAX));
        check("%1_000_000", every(1_000_000));
        check("=0x1f", StepPattern::Exactly(31));
        check("=0X_1F", StepPattern::Exactly(31));
        check("=0o17", StepPattern::Exactly(15));
        check("=017", StepPattern::Exactly(15));
        check("=0b101", StepPattern::Exactly(5));
    }

    #[test]
    fn other_texts_are_refused() {
        let check = |text: &str, want| {
            assert_eq!(text.parse::<StepPattern>(), Err(want), "{text:?}");
        };
        let number = |digits: &str| PatternError::Number(digits.into());
        check("5", PatternError::Form);
        check("1-5", PatternError::Form);
        check("Always", PatternError::Form);
        check("%0", PatternError::MultipleOfZero);
        check("=", number(""));
        check("=-1", number("-1"));
        check("=+1", number("+1"));
        check("= 1", number(" 1"));
        check("=1__0", number("1__0"));
        check("=_1", number("_1"));
        check("=1_", number("1_"));
        check("=0x", number("0x"));
        check("=08", number("08"));
        check("=é", number("é"));
        check("%18446744073709551616", number("18446744073709551616"));
    }

    #[test]
    fn next_step_of_a_set() {
        let check = |pattern: StepPattern, from, want| {
            assert_eq!(pattern.first_from(from), want, "{pattern:?} from {from}");
            if let Some(step) = want {
                assert!(pattern.matches(step));
            }
        };
        check(StepPattern::Never, 0, None);
        check(StepPattern::Always, 7, Some(7));
        check(StepPattern::Exactly(7), 7, Some(7));
        check(StepPattern::Exactly(7), 8, None);
        check(every(10), 0, Some(0));
        check(every(10), 1, Some(10));
        check(every(10), 20, Some(20));
        check(every(10), u64::MAX - 2, None);
    }
}
