//! Oracle for step patterns.

use crate::pattern::{PatternError, StepPattern};

/// How far the slow search for a step goes.
const STEPS: u64 = 512;

/// Reads a pattern behind a step, 8 bytes, and looks for the next step of it from there.
pub fn step_pattern(bytes: &[u8]) {
    let Some((step, text)) = bytes.split_first_chunk::<8>() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let step = u64::from_be_bytes(*step);
    let parsed = text.parse::<StepPattern>();
    assert_eq!(parsed, expected(text));
    let Ok(pattern) = parsed else { return };
    assert_eq!(written(pattern).parse(), Ok(pattern));
    matching(pattern, step);
}

/// The pattern's plain form.
fn written(pattern: StepPattern) -> String {
    match pattern {
        StepPattern::Never => "never".into(),
        StepPattern::Always => "always".into(),
        StepPattern::Exactly(n) => format!("={n}"),
        StepPattern::Every(n) => format!("%{n}"),
    }
}

/// What a text means, read from left to right.
fn expected(text: &str) -> Result<StepPattern, PatternError> {
    let mut rest = text.chars();
    let sign = rest.next();
    let digits = rest.as_str();
    let value = || number(digits.as_bytes()).ok_or_else(|| PatternError::Number(digits.into()));
    match (sign, text) {
        (None, _) | (_, "never") => Ok(StepPattern::Never),
        (_, "always") => Ok(StepPattern::Always),
        (Some('='), _) => Ok(StepPattern::Exactly(value()?)),
        (Some('%'), _) => match value()?.try_into() {
            Ok(n) => Ok(StepPattern::Every(n)),
            Err(_) => Err(PatternError::MultipleOfZero),
        },
        _ => Err(PatternError::Form),
    }
}

/// A number as in Go source, digit by digit.
fn number(text: &[u8]) -> Option<u64> {
    let (radix, digits) = match text {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        [b'0', b'o' | b'O', rest @ ..] => (8, rest),
        [b'0', b'b' | b'B', rest @ ..] => (2, rest),
        [b'0', rest @ ..] if !rest.is_empty() => (8, rest),
        _ => (10, text),
    };
    let mut value = 0u128;
    // Whether an underscore may come next, and whether the text may end here.
    let (mut underscore, mut end) = (radix != 10, false);
    for byte in digits {
        if *byte == b'_' {
            if !underscore {
                return None;
            }
            (underscore, end) = (false, false);
            continue;
        }
        value = value * radix + u128::from(char::from(*byte).to_digit(radix as u32)?);
        if value > u128::from(u64::MAX) {
            return None;
        }
        (underscore, end) = (true, true);
    }
    if end { u64::try_from(value).ok() } else { None }
}

/// Whether a step is in the set, without a remainder.
fn is_in(pattern: StepPattern, step: u64) -> bool {
    match pattern {
        StepPattern::Never => false,
        StepPattern::Always => true,
        StepPattern::Exactly(n) => n == step,
        StepPattern::Every(n) => step / n * n.get() == step,
    }
}

/// Compares the set, and its first step from `from`, with a search one step at a time.
fn matching(pattern: StepPattern, from: u64) {
    let near = from..=from.saturating_add(STEPS);
    for step in near.clone() {
        assert_eq!(pattern.matches(step), is_in(pattern, step), "{pattern:?} at {step}");
    }
    let first = pattern.first_from(from);
    match near.clone().find(|step| is_in(pattern, *step)) {
        Some(found) => assert_eq!(first, Some(found), "{pattern:?} from {from}"),
        None => {
            // None at all, or one further away with none between its predecessor and `from`.
            let Some(first) = first else { return assert!(is_exhausted(pattern, from)) };
            assert!(first > *near.end() && is_in(pattern, first), "{pattern:?} from {from}");
            if let StepPattern::Every(n) = pattern {
                assert!(first - n.get() < from, "{pattern:?} from {from}");
            }
        }
    }
}

/// Whether no step from `from` on, up to the last of all, is in the set.
fn is_exhausted(pattern: StepPattern, from: u64) -> bool {
    match pattern {
        StepPattern::Never => true,
        StepPattern::Always => false,
        StepPattern::Exactly(n) => n < from,
        // The last multiple of all is below.
        StepPattern::Every(n) => u64::MAX / n * n.get() < from,
    }
}
