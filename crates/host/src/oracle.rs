//! The oracle over a witness: everything is there from the start, except what only execution tells,
//! the results of precompiles.

use crate::{PayloadForm, PrecompileCall};
use rebut_preimage::{Hint, HintError, MemoryStore, OracleError, PreimageKey, PreimageOracle};

/// What a host without a network does about a hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    /// Nothing: the witness holds the data, or there is none to be had. The payload has at least
    /// this many bytes.
    Stored { payload_bytes: usize },
    /// Executes the precompile and stores its result.
    Precompile,
}

/// Every hint of the programs in use, and its route.
const ROUTES: [(&str, Route); 20] = [
    ("l1-block-header", Route::Stored { payload_bytes: 32 }),
    ("l1-transactions", Route::Stored { payload_bytes: 32 }),
    ("l1-receipts", Route::Stored { payload_bytes: 32 }),
    ("l1-blob", Route::Stored { payload_bytes: 40 }),
    ("l1-precompile", Route::Precompile),
    ("l1-precompile-v2", Route::Precompile),
    ("l2-block-header", Route::Stored { payload_bytes: 32 }),
    ("l2-transactions", Route::Stored { payload_bytes: 32 }),
    ("l2-receipts", Route::Stored { payload_bytes: 32 }),
    ("l2-code", Route::Stored { payload_bytes: 32 }),
    ("l2-state-node", Route::Stored { payload_bytes: 32 }),
    ("l2-output", Route::Stored { payload_bytes: 32 }),
    ("starting-l2-output", Route::Stored { payload_bytes: 32 }),
    ("l2-output-root", Route::Stored { payload_bytes: 32 }),
    ("agreed-pre-state", Route::Stored { payload_bytes: 32 }),
    ("l2-account-proof", Route::Stored { payload_bytes: 28 }),
    ("l2-account-storage-proof", Route::Stored { payload_bytes: 60 }),
    ("l2-payload-witness", Route::Stored { payload_bytes: 1 }),
    ("l2-block-data", Route::Stored { payload_bytes: 64 }),
    ("l2-block-hash-lookup", Route::Stored { payload_bytes: 40 }),
];

/// Answers from stored preimages; hints at precompiles add their results.
///
/// What is in the store has been checked when it was stored, and precompile results are computed
/// here, so nothing has to be checked again on the way out.
#[derive(Clone, Debug)]
pub struct WitnessOracle {
    store: MemoryStore,
    form: PayloadForm,
}

impl WitnessOracle {
    /// An oracle over `store` for today's programs.
    pub const fn new(store: MemoryStore) -> Self {
        Self { store, form: PayloadForm::WithGas }
    }

    /// How the hint `l1-precompile` is read. `l1-precompile-v2` always carries the gas.
    #[must_use]
    pub const fn with_payload_form(mut self, form: PayloadForm) -> Self {
        self.form = form;
        self
    }

    /// What is stored by now.
    pub const fn store(&self) -> &MemoryStore {
        &self.store
    }

    /// Takes one preimage away.
    pub fn remove(&mut self, key: &PreimageKey) -> Option<Vec<u8>> {
        self.store.remove(key)
    }

    /// Stores the result under the key of the call, and the call under the keccak key of the same
    /// hash: whoever proves the result on chain needs the call.
    fn run_precompile(&mut self, hint: Hint) -> Result<(), OracleError> {
        let form = if hint.name == "l1-precompile" { self.form } else { PayloadForm::WithGas };
        let call = PrecompileCall::parse(&hint.name, &hint.payload, form)?;
        let result = call.execute(&hint.name)?;
        // Key and payload: the key hashes exactly the payload, in either form.
        let inputs = PreimageKey::keccak256(alloy_primitives::keccak256(&hint.payload));
        let key = inputs.result_key();
        self.store.insert(key, result)?;
        self.store.insert(inputs, hint.payload)?;
        Ok(())
    }
}

impl PreimageOracle for WitnessOracle {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        self.store.value(&key).map(<[u8]>::to_vec).ok_or(OracleError::Missing { key })
    }

    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        let hint = Hint::parse(hint)?;
        let Some((_, route)) = ROUTES.iter().find(|(name, _)| *name == hint.name) else {
            return Err(HintError::Name { name: hint.name }.into());
        };
        match route {
            Route::Precompile => self.run_precompile(hint),
            Route::Stored { payload_bytes } if hint.payload.len() < *payload_bytes => {
                Err(HintError::Payload {
                    name: hint.name,
                    length_bytes: hint.payload.len(),
                    expected_bytes: *payload_bytes,
                }
                .into())
            }
            Route::Stored { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, hex, keccak256};

    /// ecrecover of a known signature, with the gas it costs.
    fn call() -> (Address, u64, Vec<u8>) {
        let input = hex!(
            "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c"
            "000000000000000000000000000000000000000000000000000000000000001c"
            "73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f"
            "eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549"
        );
        (Address::with_last_byte(1), 3000, input.to_vec())
    }

    const RESULT: [u8; 33] =
        hex!("01000000000000000000000000a94f5374fce5edbc8e2a8697c15331677e6ebf0b");

    #[test]
    fn a_precompile_hint_makes_result_and_call_available() {
        let (address, gas, input) = call();
        let payload = [address.as_slice(), &gas.to_be_bytes(), &input].concat();
        let key = PreimageKey::precompile(address, gas, &input);
        for name in ["l1-precompile", "l1-precompile-v2"] {
            let mut oracle = WitnessOracle::new(MemoryStore::new());
            assert!(matches!(oracle.get(key), Err(OracleError::Missing { .. })));
            oracle.hint(&Hint::encode(name, &payload)).unwrap();
            assert_eq!(oracle.get(key).unwrap(), RESULT);
            assert_eq!(oracle.get(key.inputs_key()).unwrap(), payload);
        }
    }

    #[test]
    fn the_old_form_has_no_gas() {
        let (address, _, input) = call();
        let payload = [address.as_slice(), &input].concat();
        let mut oracle =
            WitnessOracle::new(MemoryStore::new()).with_payload_form(PayloadForm::WithoutGas);
        oracle.hint(&Hint::encode("l1-precompile", &payload)).unwrap();
        let inputs = PreimageKey::keccak256(keccak256(&payload));
        assert_eq!(oracle.get(inputs.result_key()).unwrap(), RESULT);
        assert_eq!(oracle.get(inputs).unwrap(), payload);
    }

    #[test]
    fn other_hints_change_nothing() {
        let mut store = MemoryStore::new();
        let key = PreimageKey::keccak256(keccak256(b"node"));
        store.insert(key, b"node".to_vec()).unwrap();
        let mut oracle = WitnessOracle::new(store.clone());
        for (name, route) in ROUTES {
            if let Route::Stored { payload_bytes } = route {
                oracle.hint(&Hint::encode(name, &vec![7; payload_bytes])).unwrap();
                let short = oracle.hint(&Hint::encode(name, &vec![7; payload_bytes - 1]));
                assert!(
                    matches!(short, Err(OracleError::Hint(HintError::Payload { .. }))),
                    "{name}"
                );
            }
        }
        assert_eq!(oracle.store(), &store);
        assert_eq!(oracle.get(key).unwrap(), b"node");
    }

    #[test]
    fn hints_that_are_refused() {
        let mut oracle = WitnessOracle::new(MemoryStore::new());
        let mut check = |text: &[u8], expected: fn(&HintError) -> bool| match oracle.hint(text) {
            Err(OracleError::Hint(error)) => assert!(expected(&error), "{error}"),
            result => panic!("{result:?}"),
        };
        check(b"", |error| matches!(error, HintError::Text { .. }));
        check(b"l2-code", |error| matches!(error, HintError::Text { .. }));
        check(b"l3-code 0x00", |error| matches!(error, HintError::Name { .. }));
        check(b"l1-precompile 0x00", |error| matches!(error, HintError::Payload { .. }));
        let sha256 = [&[0; 19][..], &[2], &[0; 8]].concat();
        check(&Hint::encode("l1-precompile", &sha256), |error| {
            matches!(error, HintError::Precompile { .. })
        });
        let without_gas = [&[0; 19][..], &[1], &[0; 8]].concat();
        check(&Hint::encode("l1-precompile-v2", &without_gas), |error| {
            matches!(error, HintError::Gas { .. })
        });
    }
}
