//! Outputs by our own derivation: no word of a rollup node is needed.
//!
//! The chain is derived and executed once from the game's starting output, up to the claimed block or the end
//! of L1 data; that gives the output of every block and the safe head.

use super::vm::Oracle;
use super::{L1Head, OutputSource, TraceError};
use rebut_derivation::RollupConfig;
use rebut_program::claim::{ChainError, SafeChain};
use rebut_program::{Boot, Output};

/// Why our own derivation has no answer.
#[derive(Debug, thiserror::Error)]
pub enum DerivationError {
    /// The chain cannot be followed.
    #[error("our own derivation: {0}")]
    Chain(#[from] Box<ChainError>),
    /// A block that is not among those derived.
    #[error("block {number} is not between {first} and {last}, which were derived")]
    Outside {
        /// The block.
        number: u64,
        /// The first one known.
        first: u64,
        /// The last one known.
        last: u64,
    },
    /// An L1 head that the derivation does not end at.
    #[error("asked for the safe head at L1 block {asked}, derivation ends at {ours}")]
    Head {
        /// The one asked for.
        asked: alloy_primitives::B256,
        /// The one it ends at.
        ours: alloy_primitives::B256,
    },
}

/// Outputs from the agreed block of `boot` on.
pub struct Derived {
    oracle: Oracle,
    config: RollupConfig,
    boot: Boot,
    known: Option<Known>,
}

/// The outputs of the agreed block and those after it.
struct Known {
    first: u64,
    outputs: Vec<Output>,
}

impl std::fmt::Debug for Derived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Derived").field("boot", &self.boot).finish_non_exhaustive()
    }
}

impl Known {
    fn last(&self) -> u64 {
        self.first.saturating_add(self.outputs.len().saturating_sub(1) as u64)
    }
}

impl Derived {
    /// A derivation with nothing done yet: from the agreed output of `boot` to its claimed block, whose root
    /// does not matter. What `oracle` gives must be verified.
    pub fn new(oracle: Oracle, config: RollupConfig, boot: Boot) -> Self {
        Self { oracle, config, boot, known: None }
    }

    fn known(&mut self) -> Result<&Known, TraceError> {
        if self.known.is_none() {
            let known = self.derive().map_err(|error| DerivationError::Chain(Box::new(error)))?;
            self.known = Some(known);
        }
        // Just set.
        self.known.as_ref().ok_or(TraceError::Interrupted { step: 0 })
    }

    fn derive(&mut self) -> Result<Known, ChainError> {
        let last = self.boot.claimed_number;
        let mut chain = SafeChain::start(&mut self.oracle, &self.config, &self.boot)?;
        let mut known = Known { first: chain.head().id.number, outputs: vec![chain.output()?] };
        while known.last() < last
            && let Some(blocks) = chain.extend(|number| number <= last)?
        {
            known.outputs.extend(blocks.into_iter().filter_map(|block| block.output));
        }
        Ok(known)
    }
}

impl OutputSource for Derived {
    fn name(&self) -> String {
        "our own derivation".into()
    }

    fn output(&mut self, number: u64) -> Result<Output, TraceError> {
        let known = self.known()?;
        let place = number.checked_sub(known.first).and_then(|place| usize::try_from(place).ok());
        let output = place.and_then(|place| known.outputs.get(place)).copied();
        let (first, last) = (known.first, known.last());
        Ok(output.ok_or(DerivationError::Outside { number, first, last })?)
    }

    fn safe_head(&mut self, head: L1Head, limit: u64) -> Result<u64, TraceError> {
        let ours = self.boot.l1_head;
        if head.hash != ours {
            return Err(DerivationError::Head { asked: head.hash, ours }.into());
        }
        let wanted = self.boot.claimed_number;
        let last = self.known()?.last();
        // Derivation stops at the block that it was made for, though there may be more.
        if limit > wanted && last >= wanted {
            let (number, first) = (limit, wanted);
            return Err(DerivationError::Outside { number, first, last }.into());
        }
        Ok(last.min(limit))
    }
}
