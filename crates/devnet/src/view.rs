//! The state of a block in the making for an EVM that is not crate `execution`'s.
//!
//! Crate `execution` decides about jump destinations when they are jumped to, with instructions of its own;
//! its codes come without a table of destinations. Any other EVM needs that table.

use crate::state::StateStore;
use rebut_execution::{StateError, StateView};
use revm::{
    Database,
    bytecode::Bytecode,
    primitives::{Address, B256, U256},
    state::AccountInfo,
};

/// A [`StateView`] whose codes have their jump destinations with them.
#[derive(Debug)]
pub struct View<'a>(pub StateView<'a, StateStore>);

impl Database for View<'_> {
    type Error = StateError<crate::state::StoreError>;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Self::Error> {
        self.0.basic(address)
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, Self::Error> {
        let code = self.0.code_by_hash(hash)?;
        if code.is_eip7702() || code.is_empty() {
            return Ok(code);
        }
        Ok(Bytecode::new_legacy(code.original_bytes()))
    }

    fn storage(&mut self, address: Address, number: U256) -> Result<U256, Self::Error> {
        self.0.storage(address, number)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Self::Error> {
        self.0.block_hash(number)
    }
}
