//! The oracle over a witness: everything is there from the start, except what only execution tells,
//! the results of precompiles.

use crate::{
    PayloadForm,
    blob::{self, Commitment},
    routes::{Request, Routed, precompile_preimages},
    verified::EvidenceError,
};
use alloy_primitives::hex;
use rebut_preimage::{KeyType, MemoryStore, OracleError, PreimageKey, PreimageOracle};

/// Answers from stored preimages; hints at precompiles add their results.
///
/// What has a hash was checked when it was stored, and precompile results are computed here. The
/// elements of a blob are checked when their commitment is asked for, without which nobody can name
/// them; a blob of which some are missing is no blob to any program.
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

    /// Whether the elements of a blob, if all are there, are those of its commitment.
    fn blob_fits(&self, commitment: &Commitment) -> bool {
        let elements = blob::element_keys(commitment).map(|key| self.store.value(&key));
        let Some(elements) = elements.collect::<Option<Vec<_>>>() else { return true };
        blob::commitment(&elements.concat()) == Some(*commitment)
    }

    /// Takes one preimage away.
    pub fn remove(&mut self, key: &PreimageKey) -> Option<Vec<u8>> {
        self.store.remove(key)
    }
}

impl PreimageOracle for WitnessOracle {
    fn get(&mut self, key: PreimageKey) -> Result<Vec<u8>, OracleError> {
        let value = self.store.value(&key).ok_or(OracleError::Missing { key })?;
        if key.key_type() == KeyType::Sha256
            && let Ok(commitment) = Commitment::try_from(value)
            && !self.blob_fits(&commitment)
        {
            let commitment = hex::encode_prefixed(commitment);
            let source = Box::new(EvidenceError::WrongElement { commitment });
            return Err(OracleError::Fetch { key, source });
        }
        Ok(value.to_vec())
    }

    /// The witness holds what other hints ask for, or it is not to be had.
    fn hint(&mut self, hint: &[u8]) -> Result<(), OracleError> {
        let (_, routed) = Routed::parse(hint)?;
        if let Request::Precompile { name, payload } = routed.request {
            for (key, value) in precompile_preimages(&name, &payload, self.form)? {
                self.store.insert(key, value)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, hex, keccak256};
    use rebut_preimage::{Hint, HintError};

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
    fn a_wrong_element_of_a_blob_is_never_served() {
        let mut bytes = vec![0; 4096 * 32];
        bytes[31] = 7;
        let commitment = crate::blob::commitment(&bytes).unwrap();
        let mut store = MemoryStore::new();
        for (key, value) in crate::blob::preimages(&commitment, &bytes) {
            store.insert(key, value).unwrap();
        }
        let name = PreimageKey::sha256(crate::blob::versioned_hash(&commitment).0);
        let element = crate::blob::element_keys(&commitment).nth(4000).unwrap();
        let mut oracle = WitnessOracle::new(store.clone());
        assert_eq!(oracle.get(name).unwrap(), commitment);
        assert_eq!(oracle.get(element).unwrap(), [0; 32]);

        let mut lacking = WitnessOracle::new(store.clone());
        lacking.remove(&element);
        assert!(lacking.get(name).is_ok());
        assert!(
            matches!(lacking.get(element), Err(OracleError::Missing { key }) if key == element)
        );

        // Of the right length, which is all that the key tells.
        store.insert(element, vec![1; 32]).unwrap();
        let error = WitnessOracle::new(store).get(name).unwrap_err();
        assert!(matches!(error, OracleError::Fetch { key, .. } if key == name), "{error}");
    }

    #[test]
    fn other_hints_change_nothing() {
        let mut store = MemoryStore::new();
        let key = PreimageKey::keccak256(keccak256(b"node"));
        store.insert(key, b"node".to_vec()).unwrap();
        let mut oracle = WitnessOracle::new(store.clone());
        for (name, payload, request, _) in crate::routes::tests::samples() {
            if !matches!(request, Request::Precompile { .. }) {
                oracle.hint(&Hint::encode(name, &payload)).unwrap();
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
