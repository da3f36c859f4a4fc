//! The short program of the contract AlphabetVM, for games without a real machine.
//!
//! ```text
//!   state       steps done | agreed | disputed | number      four words of 32 bytes
//!   step 0..2   reads local data 2, 3 and 4, one each
//!   step 3..5   nothing; then the program has ended
//! ```
//!
//! The output root of L2 block n is the number n. The disputed root is valid if it is one more than the agreed
//! one, or equal to it where that is the claimed block already.

use super::{Executions, Report, RunInputs, StateTrace, TraceError};
use alloy_primitives::{B256, U256, keccak256};
use rebut_dispute::{Evidence, PreimagePart, StepData};
use rebut_fpvm::machine::state::VmStatus;
use rebut_preimage::PreimageKey;
use rebut_program::Boot;

/// Steps after which the program has ended.
const LENGTH: u64 = 6;
/// Local data that the first steps read, in their order.
const READS: [u64; 3] = [2, 3, 4];

/// The program on one claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alphabet(Boot);

/// Every trace by that program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Alphabets;

impl Executions for Alphabets {
    fn open(&mut self, inputs: &RunInputs) -> Result<Box<dyn StateTrace>, TraceError> {
        Ok(Box::new(Alphabet(inputs.boot)))
    }
}

impl Alphabets {
    /// The absolute prestate of all of them.
    pub fn prestate() -> B256 {
        // Before the first step nothing is known of a claim.
        let mut hash = keccak256([0; 4 * 32]);
        hash[0] = VmStatus::Unfinished as u8;
        hash
    }
}

impl Alphabet {
    /// The program on this claim.
    pub const fn new(boot: Boot) -> Self {
        Self(boot)
    }

    fn state(&self, steps: u64) -> Vec<u8> {
        let known = |after: u64, word: B256| if steps > after { word } else { B256::ZERO };
        let number = B256::from(U256::from(self.0.claimed_number));
        let words = [
            B256::from(U256::from(steps.min(LENGTH))),
            known(0, self.0.agreed_output),
            known(1, self.0.claimed_output),
            known(2, number),
        ];
        words.concat()
    }

    fn status(&self, steps: u64) -> VmStatus {
        if steps < LENGTH {
            return VmStatus::Unfinished;
        }
        let agreed = U256::from_be_bytes(self.0.agreed_output.0);
        let is_before = agreed < U256::from(self.0.claimed_number);
        let computed = agreed.wrapping_add(U256::from(is_before));
        match U256::from_be_bytes(self.0.claimed_output.0) == computed {
            true => VmStatus::Valid,
            false => VmStatus::Invalid,
        }
    }
}

impl StateTrace for Alphabet {
    fn state_hash(&mut self, steps: u64) -> Result<B256, TraceError> {
        let mut hash = keccak256(self.state(steps));
        hash[0] = self.status(steps) as u8;
        Ok(hash)
    }

    fn step_data(&mut self, steps: u64) -> Result<StepData, TraceError> {
        let identifier = usize::try_from(steps).ok().and_then(|steps| READS.get(steps)).copied();
        let preimage = identifier.and_then(|identifier| {
            let (_, data) = self.0.local_values().into_iter().find(|(id, _)| *id == identifier)?;
            let key = B256::from(*PreimageKey::local(identifier).as_bytes());
            Some(PreimagePart { key, data, offset: 8, evidence: Evidence::Data })
        });
        Ok(StepData { prestate: self.state(steps), proof: Vec::new(), preimage })
    }

    fn report(&self) -> Report {
        Report { length: Some(LENGTH), ..Report::default() }
    }
}
