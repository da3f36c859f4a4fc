//! Why a contract refused: revert data in words.

use crate::bindings::{
    AlphabetVM::AlphabetVMErrors, AnchorStateRegistry::AnchorStateRegistryErrors,
    DisputeGameFactory::DisputeGameFactoryErrors, FaultDisputeGame::FaultDisputeGameErrors,
    MIPS::MIPSErrors, MIPS64::MIPS64Errors, PermissionedDisputeGame::PermissionedDisputeGameErrors,
    PreimageOracle::PreimageOracleErrors, SuperchainConfig::SuperchainConfigErrors,
};
use alloy_primitives::{Bytes, U256};
use alloy_sol_types::{Panic, Revert as RevertString, SolError};
use thiserror::Error;

/// The data of a revert, decoded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Revert {
    /// `Error(string)`: the text of a `require`.
    #[error("{0}")]
    Message(String),
    /// An error that the contracts declare, by its name.
    #[error("{0}()")]
    Named(&'static str),
    /// One word: the number of a fault of the RISC-V machine.
    #[error("fault 0x{0:x}")]
    Fault(u64),
    /// `Panic(uint256)`: a check that the compiler inserted.
    #[error("panic {0:#x}")]
    Panic(U256),
    /// No data: arguments that are not in the canonical encoding.
    #[error("reverted without data")]
    Empty,
    /// Data of no known form.
    #[error("unknown revert data {0}")]
    Unknown(Bytes),
}

impl Revert {
    /// Decodes revert data.
    pub fn decode(data: &Bytes) -> Self {
        if data.is_empty() {
            return Self::Empty;
        }
        if let Ok(revert) = RevertString::abi_decode(data) {
            return Self::Message(revert.reason);
        }
        if let Ok(panic) = Panic::abi_decode(data) {
            return Self::Panic(panic.code);
        }
        if data.len() == 32
            && let Ok(code) = u64::try_from(U256::from_be_slice(data))
        {
            return Self::Fault(code);
        }
        match data.first_chunk().and_then(|selector| Self::name(*selector)) {
            Some(name) => Self::Named(name),
            None => Self::Unknown(data.clone()),
        }
    }

    /// The name of a declared error. Few have arguments, and those repeat what was called with.
    fn name(selector: [u8; 4]) -> Option<&'static str> {
        [
            MIPS64Errors::name_by_selector,
            MIPSErrors::name_by_selector,
            PreimageOracleErrors::name_by_selector,
            FaultDisputeGameErrors::name_by_selector,
            PermissionedDisputeGameErrors::name_by_selector,
            DisputeGameFactoryErrors::name_by_selector,
            AnchorStateRegistryErrors::name_by_selector,
            AlphabetVMErrors::name_by_selector,
            SuperchainConfigErrors::name_by_selector,
        ]
        .iter()
        .find_map(|name_by_selector| name_by_selector(selector))
    }

    /// The text of a `require`, if it was one.
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Message(text) => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{B256, hex};

    #[test]
    fn revert_data_becomes_words() {
        let check = |data: &[u8], want: &str| {
            assert_eq!(Revert::decode(&Bytes::copy_from_slice(data)).to_string(), want)
        };
        check(&[], "reverted without data");
        check(&hex!("8e77b2b7"), "InvalidMemoryProof()");
        check(&hex!("834c4cd4"), "InvalidSecondMemoryProof()");
        check(&hex!("3f8200bc"), "InvalidPC()");
        check(&hex!("0136cc76"), "InvalidExitedValue()");
        check(&hex!("1f8b02a2"), "UnsupportedStateVersion()");
        check(&hex!("fe254987"), "PartOffsetOOB()");
        check(&hex!("09bde339"), "InvalidProof()");
        check(&hex!("dd629f86"), "NotEnoughGas()");
        check(&hex!("f9112969"), "ShaFailed()");
        let with_argument = [hex!("f40239db").as_slice(), &[7; 32]].concat();
        check(&with_argument, "UnexpectedRootClaim()");
        check(&hex!("01020304"), "unknown revert data 0x01020304");
        check(&B256::with_last_byte(0x70)[..], "fault 0x70");
        let message = hex!(
            "08c379a0 0000000000000000000000000000000000000000000000000000000000000020"
            "0000000000000000000000000000000000000000000000000000000000000002 6869"
            "000000000000000000000000000000000000000000000000000000000000"
        );
        check(&message, "hi");
    }
}
