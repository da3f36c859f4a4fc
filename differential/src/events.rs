//! Events of L1's contracts: deposits and updates of the system config.

use crate::{
    parameters::{DEPOSIT_CONTRACT, SYSTEM_CONFIG},
    random::Random,
};
use alloy_primitives::{Address, B256, Bytes, Log, U256, keccak256};

/// Who emits the event.
fn topic(signature: &str) -> B256 {
    keccak256(signature)
}

/// A dynamic byte string as the only value of an event.
fn abi_bytes(bytes: &[u8]) -> Bytes {
    let mut out = U256::from(32).to_be_bytes::<32>().to_vec();
    out.extend(U256::from(bytes.len()).to_be_bytes::<32>());
    out.extend(bytes);
    out.resize(out.len().next_multiple_of(32), 0);
    out.into()
}

/// A deposit of a user.
pub fn deposit(random: &mut Random) -> Log {
    let mint = if random.chance(50) { 0 } else { u128::from(random.word()) };
    let mut opaque = U256::from(mint).to_be_bytes::<32>().to_vec();
    opaque.extend((U256::from(random.word()) >> random.index(64)).to_be_bytes::<32>());
    opaque.extend(random.below(1 << 32).to_be_bytes());
    opaque.push(u8::from(random.chance(20)));
    let length = random.index(70);
    opaque.extend(random.bytes(length));
    let topics = vec![
        topic("TransactionDeposited(address,address,uint256,bytes)"),
        random.address().into_word(),
        random.address().into_word(),
        B256::ZERO,
    ];
    Log::new_unchecked(DEPOSIT_CONTRACT, topics, abi_bytes(&opaque))
}

/// A change of the system config.
#[derive(Clone, Debug)]
pub enum Update {
    /// Who may send batches.
    Batcher(Address),
    /// Overhead and scalar.
    Fees(U256, U256),
    /// Gas limit.
    GasLimit(u64),
    /// No effect on derivation.
    Signer(Address),
    /// Denominator and elasticity.
    Eip1559(u32, u32),
    /// Scalar and constant.
    OperatorFee(u32, u64),
}

impl Update {
    fn kind_and_payload(&self) -> (u64, Vec<u8>) {
        let word = |value: U256| value.to_be_bytes::<32>().to_vec();
        let address = |address: &Address| address.into_word().to_vec();
        match self {
            Self::Batcher(batcher) => (0, address(batcher)),
            Self::Fees(overhead, scalar) => (1, [word(*overhead), word(*scalar)].concat()),
            Self::GasLimit(limit) => (2, word(U256::from(*limit))),
            Self::Signer(signer) => (3, address(signer)),
            Self::Eip1559(denominator, elasticity) => {
                (4, word(U256::from(u64::from(*denominator) << 32 | u64::from(*elasticity))))
            }
            Self::OperatorFee(scalar, constant) => {
                (5, word(U256::from(*scalar) << 64 | U256::from(*constant)))
            }
        }
    }

    /// The event, of the contract that counts or of another one.
    pub fn log(&self, address: Address) -> Log {
        let (kind, payload) = self.kind_and_payload();
        config_update(address, 0, kind, abi_bytes(&payload))
    }
}

/// An update event of any content.
pub fn config_update(address: Address, version: u64, kind: u64, data: Bytes) -> Log {
    let topics = vec![
        topic("ConfigUpdate(uint256,uint8,bytes)"),
        U256::from(version).into(),
        U256::from(kind).into(),
    ];
    Log::new_unchecked(address, topics, data)
}

/// An update that nobody understands, which is skipped.
pub fn malformed_update(random: &mut Random) -> Log {
    let word = U256::from(40_000_000).to_be_bytes::<32>();
    let mut trailing = abi_bytes(&word).to_vec();
    trailing.extend([0; 32]);
    match random.below(4) {
        0 => config_update(SYSTEM_CONFIG, 0, 99, abi_bytes(&word)),
        1 => config_update(SYSTEM_CONFIG, 1, 2, abi_bytes(&word)),
        2 => config_update(SYSTEM_CONFIG, 0, 2, trailing.into()),
        _ => config_update(SYSTEM_CONFIG, 0, 2, abi_bytes(&word[..31])),
    }
}
