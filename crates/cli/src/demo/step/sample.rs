//! Which steps are proven.

use super::Samples;
use super::trace::Trace;
use crate::guest::Builtin;
use rebut_fpvm::kernel::splitmix64;
use rebut_fpvm::witness::ShownInstruction;
use std::fmt;

/// A step to prove.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The step counter before it.
    pub step: u64,
    /// Why it was picked.
    pub reason: Reason,
}

/// Why a step was picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The first of the trace.
    First,
    /// The last of the trace.
    Last,
    /// Reads a preimage whose key has this type.
    PreimageRead(u8),
    /// Stores to memory.
    Store,
    /// Any other system call.
    Syscall,
    /// The scheduler takes the step: no instruction is executed.
    Switch,
    /// Nothing in particular.
    Random,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first instruction",
            Self::Last => "last instruction",
            Self::PreimageRead(1) => "preimage read, local",
            Self::PreimageRead(2) => "preimage read, keccak256",
            Self::PreimageRead(6) => "preimage read, precompile",
            Self::PreimageRead(_) => "preimage read",
            Self::Store => "memory store",
            Self::Syscall => "system call",
            Self::Switch => "thread switch",
            Self::Random => "random",
        })
    }
}

/// Random numbers from a seed.
#[derive(Clone, Debug)]
pub struct Draws {
    seed: u64,
    drawn: u64,
}

impl Draws {
    /// The sequence of a seed.
    pub const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// A number below `bound`; 0 where there is none.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.drawn += 1;
        // Hashing the seed first keeps the sequences of neighbouring seeds apart.
        splitmix64(splitmix64(self.seed).wrapping_add(self.drawn)) % bound.max(1)
    }
}

/// Picks the steps: one of each special kind that the trace has, and `random` others.
///
/// # Errors
/// As [`Trace::find`].
pub fn choose<V: Builtin>(
    trace: &mut Trace<'_, V>,
    draws: &mut Draws,
    random: usize,
) -> anyhow::Result<Samples> {
    let length = trace.outcome().steps;
    let mut samples = Samples::new();
    if length == 0 {
        return Ok(samples);
    }
    // Where two reasons meet on one step, the later one stands.
    let store = find(trace, draws, |next| next.is_some_and(V::stores))?;
    samples.extend(store.map(|step| (step, Reason::Store)));
    let ordinary = |call| !matches!(call, "read" | "exit" | "exit_group");
    let syscall = find(trace, draws, |next| next.and_then(V::call).is_some_and(ordinary))?;
    samples.extend(syscall.map(|step| (step, Reason::Syscall)));
    if V::SWITCHES {
        let switch = find(trace, draws, |next| next.is_none())?;
        samples.extend(switch.map(|step| (step, Reason::Switch)));
    }
    let reads = trace.preimage_reads();
    samples.extend(reads.map(|(key_type, step)| (step, Reason::PreimageRead(key_type))));
    samples.insert(length - 1, Reason::Last);
    samples.insert(0, Reason::First);

    let wanted = (samples.len() + random).min(usize::try_from(length).unwrap_or(usize::MAX));
    while samples.len() < wanted {
        samples.entry(draws.below(length)).or_insert(Reason::Random);
    }
    Ok(samples)
}

/// The first step of a kind behind a random one, else the first of all.
fn find<V: Builtin>(
    trace: &mut Trace<'_, V>,
    draws: &mut Draws,
    wanted: impl Fn(Option<ShownInstruction>) -> bool,
) -> anyhow::Result<Option<u64>> {
    let start = draws.below(trace.outcome().steps);
    match trace.find(start, &wanted)? {
        Some(step) => Ok(Some(step)),
        None => trace.find(0, wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_below_their_bound_and_spread() {
        let mut draws = Draws::new(9);
        let mut counts = [0; 4];
        for _ in 0..400 {
            counts[draws.below(4) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (60..140).contains(count)), "{counts:?}");
        assert_eq!((draws.below(1), draws.below(0)), (0, 0));
    }

    #[test]
    fn a_seed_is_a_sequence() {
        let sequence = |seed| {
            let mut draws = Draws::new(seed);
            std::array::from_fn::<_, 8, _>(|_| draws.below(u64::MAX))
        };
        assert_eq!(sequence(1), sequence(1));
        // Neighbouring seeds do not give the same sequence one place further.
        assert_ne!(sequence(1)[1..], sequence(2)[..7]);
    }
}
