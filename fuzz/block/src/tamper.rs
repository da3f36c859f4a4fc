//! Oracle for a block program that is lied to.

use crate::many::Many;
use arbitrary::Arbitrary;
use rebut_host::{BlockWitness, VerifyingOracle, WitnessOracle, demo::demo_block};
use rebut_preimage::{KeyType, OracleError, PreimageKey, PreimageOracle};
use rebut_program::{Verdict, block::run};
use std::sync::LazyLock;

/// Which answers are changed, and how.
#[derive(Arbitrary, Debug)]
pub struct Case {
    lies: Many<Lie, 3>,
}

#[derive(Arbitrary, Debug)]
struct Lie {
    /// The number of the request.
    request: u8,
    change: Change,
}

#[derive(Arbitrary, Debug)]
enum Change {
    Flip { at: u16, bits: u8 },
    Cut { at: u16 },
    Extend { by: u8 },
    Replace(Vec<u8>),
}

impl Change {
    fn apply(&self, value: &mut Vec<u8>) {
        match self {
            Self::Flip { at, bits } => {
                let length = value.len().max(1);
                if let Some(byte) = value.get_mut(usize::from(*at) % length) {
                    *byte ^= bits;
                }
            }
            Self::Cut { at } => value.truncate(usize::from(*at) % (value.len() + 1)),
            Self::Extend { by } => value.resize(value.len() + usize::from(*by), *by),
            Self::Replace(bytes) => value.clone_from(bytes),
        }
    }
}

/// An oracle that changes some answers. It remembers the first keccak256 key it lied about.
struct Liar<'a> {
    inner: WitnessOracle,
    case: &'a Case,
    requests: usize,
    first_lie: Option<PreimageKey>,
}

impl PreimageOracle for Liar<'_> {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        let mut value = self.inner.get(key)?;
        let truth = value.clone();
        for lie in &self.case.lies.0 {
            if usize::from(lie.request) == self.requests {
                lie.change.apply(&mut value);
            }
        }
        self.requests += 1;
        // Nothing commits to the values of other keys here: a lie about them is another question.
        if value != truth && key.key_type() == KeyType::Keccak256 {
            self.first_lie.get_or_insert(key);
            return Ok(value);
        }
        Ok(truth)
    }

    fn hint(&mut self, _: &[u8]) -> Result<(), OracleError> {
        Ok(())
    }
}

static WITNESS: LazyLock<BlockWitness> =
    LazyLock::new(|| demo_block().expect("the built-in block is in order"));

/// The block's oracle once the program has run: with the results of precompiles, which take long.
static ORACLE: LazyLock<WitnessOracle> = LazyLock::new(|| {
    let mut oracle = WITNESS.oracle();
    run(&mut oracle).expect("the built-in block can be executed");
    oracle
});

/// Runs the demo block over a liar. Checked, the lie is named; unchecked, there is no telling what comes
/// out, but it comes out in order.
pub fn block(case: Case) {
    let mut checked = VerifyingOracle(liar(&case));
    let result = run(&mut checked);
    match (result, checked.0.first_lie) {
        (Ok(Verdict { claimed: expected, computed }), None) => {
            assert_eq!(expected, WITNESS.expected_block_hash);
            assert_eq!(computed, Some(expected));
        }
        (Err(error), Some(lie)) => {
            let text = error.to_string();
            assert!(text.contains(&lie.to_string()), "{text}");
        }
        (result, lie) => panic!("{result:?} after {lie:?}"),
    }
    if let Err(error) = run(&mut liar(&case)) {
        assert!(!error.to_string().is_empty());
    }
}

fn liar(case: &Case) -> Liar<'_> {
    Liar { inner: ORACLE.clone(), case, requests: 0, first_lie: None }
}
