//! What makes a part of a preimage readable for a step.

use super::{LargeProposal, ProposalError};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolCall;
use rebut_contracts::Preimage;
use rebut_contracts::bindings::FaultDisputeGame as Game;
use rebut_dispute::{ClaimIndex, Evidence, PreimagePart};
use rebut_preimage::{KeyError, KeyType, PreimageKey, ValueError};

/// Whom a call goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The preimage oracle of the game's machine.
    Oracle,
    /// The game.
    Game,
}

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Whom it goes to.
    pub target: Target,
    /// What it carries, in wei.
    pub value: U256,
    /// Its data.
    pub data: Bytes,
}

/// Why a part cannot be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The data does not belong to the key.
    #[error("the data does not belong to the key {key}: {source}")]
    Value {
        /// The key.
        key: PreimageKey,
        /// What is wrong.
        source: ValueError,
    },
    /// Evidence of another kind than the key's type needs, or for another key.
    #[error("the evidence does not belong to the key {key}")]
    Evidence {
        /// The key.
        key: PreimageKey,
    },
    /// A local value that no game serves.
    #[error("local data {key} is not served by games")]
    Local {
        /// The key.
        key: PreimageKey,
    },
    /// A part that starts behind the end.
    #[error("a part at {offset} of the {length_bytes} bytes of {key}")]
    Offset {
        /// The key.
        key: PreimageKey,
        /// Where, the length in front included.
        offset: u64,
        /// Length of the data.
        length_bytes: usize,
    },
    /// A preimage that would have to be proposed, and cannot be.
    #[error(transparent)]
    Proposal(#[from] ProposalError),
}

/// How a part is loaded.
#[derive(Clone, Debug)]
pub enum Upload {
    /// By one call to the game, which vouches for the value. Needed for each game and each trace in it.
    Local(Call),
    /// By one call to the oracle. Not needed where it says that the part under the key is there.
    Direct {
        /// The oracle's key.
        key: B256,
        /// The call.
        call: Call,
    },
    /// By a proposal. Not needed where the oracle says that the part under the key is there.
    Large {
        /// The oracle's key.
        key: B256,
        /// The proposal.
        proposal: LargeProposal,
    },
}

/// Identifiers of local data that games serve.
const SERVED: std::ops::RangeInclusive<u64> = 1..=5;

impl Upload {
    /// Plans the upload of a part for a step on the claim `claim`, sent by `sender`. Keccak preimages of at
    /// least `proposal_bytes`, the oracle's smallest proposal, are proposed.
    ///
    /// # Errors
    /// [`PlanError`] where no contract would take it.
    pub fn plan(
        part: &PreimagePart,
        claim: ClaimIndex,
        sender: Address,
        proposal_bytes: u64,
    ) -> Result<Self, PlanError> {
        let key = PreimageKey::parse(part.key.0)?;
        let length_bytes = part.data.len();
        key.verify(&part.data).map_err(|source| PlanError::Value { key, source })?;
        if part.offset >= (length_bytes as u64).saturating_add(8) {
            return Err(PlanError::Offset { key, offset: part.offset, length_bytes });
        }
        let evidence = PlanError::Evidence { key };
        let data = || Bytes::copy_from_slice(&part.data);
        let preimage = match (key.key_type(), &part.evidence) {
            (KeyType::Local, Evidence::Data) => {
                let served = key.local_identifier().filter(|id| SERVED.contains(id));
                let identifier = served.ok_or(PlanError::Local { key })?;
                let call = Game::addLocalDataCall {
                    _ident: U256::from(identifier),
                    _execLeafIdx: U256::from(claim.0),
                    _partOffset: U256::from(part.offset),
                };
                let data = call.abi_encode().into();
                return Ok(Self::Local(Call { target: Target::Game, value: U256::ZERO, data }));
            }
            (KeyType::Keccak256, Evidence::Data) if length_bytes as u64 >= proposal_bytes => {
                let proposal = LargeProposal::new(part.data.as_slice(), part.offset, sender)?;
                return Ok(Self::Large { key: part.key, proposal });
            }
            (KeyType::Keccak256, Evidence::Data) => Preimage::Keccak256(data()),
            (KeyType::Sha256, Evidence::Data) => Preimage::Sha256(data()),
            (KeyType::Blob, Evidence::Blob { z, y, commitment, proof }) => {
                let commitment = <&[u8; 48]>::try_from(commitment.as_slice())
                    .ok()
                    .filter(|commitment| PreimageKey::blob(commitment, &z.0) == key)
                    .filter(|_| y.as_slice() == part.data && proof.len() == 48)
                    .ok_or(evidence)?;
                Preimage::Blob {
                    z: (*z).into(),
                    y: (*y).into(),
                    commitment: Bytes::copy_from_slice(commitment),
                    proof: Bytes::copy_from_slice(proof),
                }
            }
            (KeyType::Precompile, Evidence::Precompile { address, required_gas, input }) => {
                if PreimageKey::precompile(*address, *required_gas, input) != key {
                    return Err(evidence);
                }
                let (address, required_gas) = (*address, *required_gas);
                Preimage::Precompile { address, required_gas, input: input.clone().into() }
            }
            _ => return Err(evidence),
        };
        let data = preimage.load_call(U256::from(part.offset));
        let call = Call { target: Target::Oracle, value: U256::ZERO, data };
        Ok(Self::Direct { key: part.key, call })
    }

    /// The oracle's key of the part, where it is the same for everybody: then the oracle can be asked whether
    /// the part is there already.
    pub const fn global_key(&self) -> Option<B256> {
        match self {
            Self::Local(_) => None,
            Self::Direct { key, .. } | Self::Large { key, .. } => Some(*key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{hex, keccak256};
    use sha2::{Digest, Sha256};

    const SENDER: Address = Address::repeat_byte(7);

    fn part(key: PreimageKey, data: &[u8], offset: u64, evidence: Evidence) -> PreimagePart {
        let key = B256::from(*key.as_bytes());
        PreimagePart { key, data: data.to_vec(), offset, evidence }
    }

    fn plan(part: &PreimagePart) -> Result<Upload, PlanError> {
        Upload::plan(part, ClaimIndex(9), SENDER, 1000)
    }

    fn keccak(data: &[u8]) -> PreimageKey {
        PreimageKey::keccak256(keccak256(data))
    }

    #[test]
    fn local_data_comes_from_the_game() {
        let upload = plan(&part(PreimageKey::local(4), &[0; 8], 8, Evidence::Data)).unwrap();
        let Upload::Local(call) = &upload else { panic!("{upload:?}") };
        // addLocalData(4, 9, 8), encoded by hand.
        let mut want = hex!("f8f43ff6").to_vec();
        for word in [4, 9, 8] {
            want.extend_from_slice(B256::with_last_byte(word).as_slice());
        }
        assert_eq!((call.target, &call.data[..]), (Target::Game, &want[..]));
        assert_eq!(upload.global_key(), None);
    }

    #[test]
    fn the_length_of_a_keccak_preimage_decides() {
        for (length, is_large) in [(999, false), (1000, true)] {
            let data = vec![5; length];
            let upload = plan(&part(keccak(&data), &data, 0, Evidence::Data)).unwrap();
            assert_eq!(matches!(upload, Upload::Large { .. }), is_large, "{length}");
        }
        let data = vec![5; 1000];
        let key = PreimageKey::sha256(Sha256::digest(&data).into());
        let upload = plan(&part(key, &data, 0, Evidence::Data)).unwrap();
        assert!(matches!(upload, Upload::Direct { .. }), "{upload:?}");
    }

    #[test]
    fn what_the_contracts_would_refuse_is_not_planned() {
        let check = |part: &PreimagePart, want: fn(&PlanError) -> bool| {
            let error = plan(part).unwrap_err();
            assert!(want(&error), "{error}");
        };
        let precompile = |gas| {
            let address = Address::with_last_byte(1);
            Evidence::Precompile { address, required_gas: gas, input: vec![1] }
        };
        let result = PreimageKey::precompile(Address::with_last_byte(1), 3000, &[1]);
        let commitment = [1; 48];
        let blob = PreimageKey::blob(&commitment, &[2; 32]);
        let element = |commitment: &[u8], z, y| Evidence::Blob {
            z: B256::repeat_byte(z),
            y: B256::repeat_byte(y),
            commitment: commitment.to_vec(),
            proof: vec![0; 48],
        };
        assert!(plan(&part(result, &[1], 0, precompile(3000))).is_ok());
        assert!(plan(&part(blob, &[3; 32], 0, element(&commitment, 2, 3))).is_ok());

        let evidence = |error: &PlanError| matches!(error, PlanError::Evidence { .. });
        check(&part(result, &[1], 0, precompile(3001)), evidence);
        check(&part(result, &[1], 0, Evidence::Data), evidence);
        check(&part(blob, &[3; 32], 0, element(&commitment, 1, 3)), evidence);
        check(&part(blob, &[3; 32], 0, element(&commitment, 2, 4)), evidence);
        check(&part(blob, &[3; 32], 0, element(&[1; 47], 2, 3)), evidence);
        check(&part(keccak(b"a"), b"a", 0, precompile(1)), evidence);
        check(&part(keccak(b"a"), b"b", 0, Evidence::Data), |error| {
            matches!(error, PlanError::Value { .. })
        });
        check(&part(keccak(b"a"), b"a", 9, Evidence::Data), |error| {
            matches!(error, PlanError::Offset { .. })
        });
        check(&part(PreimageKey::local(6), b"{}", 0, Evidence::Data), |error| {
            matches!(error, PlanError::Local { .. })
        });
        let mut none = part(keccak(b"a"), b"a", 0, Evidence::Data);
        none.key[0] = 3;
        check(&none, |error| matches!(error, PlanError::Key(_)));
    }
}
