//! `rebut block run`: the block program as native code.

use super::{Arguments, BlockId, in_words, print_json, print_lines};
use crate::Outcome;
use alloy_primitives::B256;
use indicatif::HumanCount;
use rebut_host::BlockWitness;
use rebut_program::{
    Verdict,
    block::{self, ProgramError},
};
use serde::Serialize;
use std::process::ExitCode;
use std::time::Instant;

/// What native execution gives.
#[derive(Clone, Debug, Serialize)]
pub struct Native {
    /// The hash the block should have.
    pub expected: B256,
    /// The hash it has.
    pub computed: B256,
    /// Whether the two are the same.
    pub equal: bool,
    /// Transactions of the block, deposits included.
    pub transactions: usize,
    /// Gas that they used.
    pub gas_used: u64,
    /// Wall time of the execution.
    pub seconds: f64,
}

impl Native {
    /// Executes the block.
    ///
    /// # Errors
    /// As the block program: there is no verdict.
    pub fn execute(witness: &BlockWitness) -> Result<Self, ProgramError> {
        let mut oracle = witness.oracle();
        let started = Instant::now();
        let (expected, block) = block::build(&mut oracle)?;
        let seconds = started.elapsed().as_secs_f64();
        let computed = block.header.hash();
        Ok(Self {
            expected,
            computed,
            equal: expected == computed,
            transactions: block.transactions.len(),
            gas_used: block.header.gas_used,
            seconds,
        })
    }

    fn exit_code(&self) -> ExitCode {
        Verdict { claimed: self.expected, computed: Some(self.computed) }.exit_code().into()
    }
}

#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    id: BlockId,
    #[serde(flatten)]
    native: &'a Native,
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let witness = arguments.recorded.read()?;
    let id = BlockId::of(&witness);
    let native = Native::execute(&witness)?;
    if arguments.json {
        print_json(&Report { id, native: &native })?;
    } else {
        print_lines(&[
            ("block", format!("{} of chain {}", id.block, id.chain)),
            ("transactions", HumanCount(native.transactions as u64).to_string()),
            ("gas used", HumanCount(native.gas_used).to_string()),
            ("time", format!("{:.1} ms", native.seconds * 1e3)),
            ("expected hash", native.expected.to_string()),
            ("computed hash", native.computed.to_string()),
            ("verdict", in_words(Some(native.equal)).into()),
        ])?;
    }
    Ok(native.exit_code())
}
